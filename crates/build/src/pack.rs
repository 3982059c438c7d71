//! The files of a source tree in a ZIP archive, for those who take them elsewhere.

use std::io;
use std::path::Path;

use zip::write::{SimpleFileOptions, ZipWriter};

/// Writes the files below `root` into the archive `into`, in a folder `name`, in the order of their
/// names. What version control keeps for itself, and links, are left out.
///
/// # Errors
/// When a file can't be read or the archive can't be written.
pub fn pack_tree(root: &Path, name: &str, into: &Path) -> io::Result<()> {
    let mut archive = ZipWriter::new(fs_err::File::create(into)?);
    pack_folder(&mut archive, root, name)?;
    archive.finish().map_err(io::Error::other)?;
    Ok(())
}

fn pack_folder(
    archive: &mut ZipWriter<fs_err::File>,
    folder: &Path,
    inside: &str,
) -> io::Result<()> {
    let mut entries: Vec<_> = fs_err::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs_err::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{inside}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && name != ".git" {
            pack_folder(archive, &entry.path(), &path)?;
        } else if kind.is_file() {
            let options = SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Deflated)
                .unix_permissions(mode(&entry.metadata()?));
            archive
                .start_file(path, options)
                .map_err(io::Error::other)?;
            io::copy(&mut fs_err::File::open(entry.path())?, archive)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode()
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> u32 {
    0o644
}
