//! Programs that hold files which a change would replace. Windows renames a library that is
//! loaded, but can't delete it, and the program that loaded it goes on with half of the old files:
//! so it is said before anything changes.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A program that has a file open or loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What the program is called.
    pub name: String,
    /// Its process's number.
    pub process: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.process)
    }
}

/// Knows which programs hold a file.
pub trait FileHolders: Send + Sync {
    /// The programs that hold any of the files, other than this one; none where the system can't
    /// tell.
    fn holders(&self, files: &[&Path]) -> Vec<Holder>;
}

/// What the system says: on Windows the Restart Manager. Other systems let files be replaced
/// while they are in use, and aren't asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemHolders;

impl FileHolders for SystemHolders {
    fn holders(&self, files: &[&Path]) -> Vec<Holder> {
        #[cfg(windows)]
        return restart_manager::holders(files);
        #[cfg(not(windows))]
        {
            let _ = files;
            Vec::new()
        }
    }
}

/// The programs in one phrase.
pub(crate) fn list(holders: &[Holder]) -> String {
    let names: Vec<String> = holders.iter().map(Holder::to_string).collect();
    names.join(", ")
}

/// The first of the libraries and programs among `files` that is in use, and who uses it.
pub(crate) fn first_in_use<'a>(
    files: impl Iterator<Item = &'a PathBuf>,
    holders: &dyn FileHolders,
) -> Option<(PathBuf, Vec<Holder>)> {
    let loadable = |file: &&Path| {
        let extension = file.extension().and_then(std::ffi::OsStr::to_str);
        extension.is_some_and(|it| {
            ["pyd", "dll", "exe"]
                .iter()
                .any(|kind| it.eq_ignore_ascii_case(kind))
        })
    };
    let files: Vec<&Path> = files.map(PathBuf::as_path).filter(loadable).collect();
    // Nearly always nobody uses any of them, and one question for all is enough.
    if files.is_empty() || holders.holders(&files).is_empty() {
        return None;
    }
    files.into_iter().find_map(|file| {
        let found = holders.holders(&[file]);
        (!found.is_empty()).then(|| (file.to_path_buf(), found))
    })
}

/// The error of a rename that something else held up to the end, with who it is if that is known.
pub(crate) fn explained(error: io::Error, path: &Path, holders: &dyn FileHolders) -> io::Error {
    let found = holders.holders(&[path]);
    if found.is_empty() {
        return error;
    }
    let text = format!("`{}` is in use by {}", path.display(), list(&found));
    io::Error::new(error.kind(), text)
}

#[cfg(windows)]
mod restart_manager {
    //! Microsoft, "Restart Manager": `RmStartSession`, `RmRegisterResources`, `RmGetList`.
    #![expect(unsafe_code, reason = "calls of the Windows API")]

    use std::os::windows::ffi::OsStrExt as _;
    use std::path::Path;

    use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, ERROR_SUCCESS};
    use windows_sys::Win32::System::RestartManager::{
        CCH_RM_SESSION_KEY, RM_PROCESS_INFO, RmEndSession, RmGetList, RmRegisterResources,
        RmStartSession,
    };

    use super::Holder;

    struct Session(u32);

    impl Drop for Session {
        fn drop(&mut self) {
            // SAFETY: the session was started and is ended once.
            unsafe { RmEndSession(self.0) };
        }
    }

    impl Session {
        fn start() -> Option<Self> {
            let mut handle = 0;
            let mut key = [0_u16; CCH_RM_SESSION_KEY as usize + 1];
            // SAFETY: the key has the length that is asked for.
            let outcome = unsafe { RmStartSession(&raw mut handle, 0, key.as_mut_ptr()) };
            (outcome == ERROR_SUCCESS).then_some(Self(handle))
        }

        fn register(&self, files: &[&Path]) -> Option<()> {
            let names: Vec<Vec<u16>> = files
                .iter()
                .map(|file| file.as_os_str().encode_wide().chain([0]).collect())
                .collect();
            let pointers: Vec<*const u16> = names.iter().map(Vec::as_ptr).collect();
            let count = u32::try_from(pointers.len()).ok()?;
            // SAFETY: `pointers` holds `count` strings that end in zero and outlive the call.
            let outcome = unsafe {
                RmRegisterResources(
                    self.0,
                    count,
                    pointers.as_ptr(),
                    0,
                    std::ptr::null(),
                    0,
                    std::ptr::null(),
                )
            };
            (outcome == ERROR_SUCCESS).then_some(())
        }

        fn list(&self) -> Option<Vec<RM_PROCESS_INFO>> {
            let mut processes: Vec<RM_PROCESS_INFO> = Vec::new();
            // The list may grow between two calls.
            for _ in 0..4 {
                let (mut needed, mut reasons) = (0, 0);
                let mut count = u32::try_from(processes.len()).ok()?;
                // SAFETY: `processes` has room for `count` entries.
                let outcome = unsafe {
                    RmGetList(
                        self.0,
                        &raw mut needed,
                        &raw mut count,
                        processes.as_mut_ptr(),
                        &raw mut reasons,
                    )
                };
                match outcome {
                    ERROR_SUCCESS => {
                        processes.truncate(count as usize);
                        return Some(processes);
                    }
                    ERROR_MORE_DATA => {
                        processes.resize_with(needed as usize, RM_PROCESS_INFO::default);
                    }
                    _ => return None,
                }
            }
            None
        }
    }

    pub(super) fn holders(files: &[&Path]) -> Vec<Holder> {
        let listed = Session::start().and_then(|session| {
            session.register(files)?;
            session.list()
        });
        let own = std::process::id();
        listed
            .unwrap_or_default()
            .iter()
            .filter(|process| process.Process.dwProcessId != own)
            .map(|process| {
                let name = process.strAppName.split(|unit| *unit == 0).next();
                Holder {
                    name: String::from_utf16_lossy(name.unwrap_or_default()),
                    process: process.Process.dwProcessId,
                }
            })
            .collect()
    }
}
