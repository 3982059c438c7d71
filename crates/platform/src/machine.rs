//! Facts about the machine that an installation needs: free disk space, the effective user and the
//! mode that new files get.

use std::path::Path;

/// The bytes that this user may still write on the file system that holds `path`, or would hold
/// it: a path that doesn't exist yet counts as its nearest existing folder. `None` if the file
/// system doesn't say.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let absolute = std::path::absolute(path).ok()?;
    absolute
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .and_then(|existing| fs4::available_space(existing).ok())
}

/// Whether the process acts as the superuser. On Windows always `false`: there is no user whose
/// files a careless installation would break in the same way.
pub fn is_effective_root() -> bool {
    #[cfg(unix)]
    {
        rustix::process::geteuid().is_root()
    }
    #[cfg(not(unix))]
    {
        false
    }
}

/// The bits that new files and folders don't get; 0 where the operating system has no such thing.
///
/// On Linux it is read from the process's status; elsewhere it can only be read by setting it for
/// an instant, so call this before other threads make files.
pub fn umask() -> u32 {
    #[cfg(unix)]
    {
        linux_umask().unwrap_or_else(|| {
            let current = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
            rustix::process::umask(current);
            // The raw mode is 16 bits wide on macOS and 32 on Linux.
            #[cfg_attr(
                target_os = "linux",
                expect(clippy::useless_conversion, reason = "the width differs by system")
            )]
            u32::from(current.as_raw_mode())
        })
    }
    #[cfg(not(unix))]
    {
        0
    }
}

#[cfg(unix)]
fn linux_umask() -> Option<u32> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(line.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_of_a_missing_folder_is_that_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let here = free_bytes(folder.path()).unwrap();
        assert!(here > 0);
        assert!(free_bytes(&folder.path().join("not/there/yet")).unwrap() > 0);
    }

    #[cfg(unix)]
    #[test]
    fn umask_is_what_new_files_show() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs_err::write(&file, "").unwrap();
        let mode = fs_err::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o666 & !umask());
    }
}
