//! Archives, right ones and hostile ones.

use std::io::Write as _;

use liblzma::stream::{Check, LzmaOptions, Stream};
use tar::{EntryType, Header};

use super::*;

/// An entry: its kind, name, content or link target, mode.
type Entry<'a> = (EntryType, &'a str, &'a str, u32);

fn tar_gz(entries: &[Entry<'_>]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut builder = tar::Builder::new(gzip);
    for (kind, name, content, mode) in entries {
        let mut header = Header::new_gnu();
        // Set by hand: the library refuses to write hostile names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        if is_link {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
        }
        let content = if is_link { "" } else { content };
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn unpack(
    bytes: &[u8],
    extension: SdistExtension,
    limits: UnpackLimits,
) -> (tempfile::TempDir, Result<PathBuf, UnpackError>) {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    fs_err::write(&archive, bytes).unwrap();
    let into = folder.path().join("out");
    let result = unpack_sdist(&archive, "a-1.tar.gz", extension, &into, limits);
    (folder, result)
}

fn refused(entries: &[Entry<'_>]) -> String {
    let bytes = tar_gz(entries);
    let (folder, result) = unpack(&bytes, SdistExtension::TarGz, UnpackLimits::default());
    assert!(!folder.path().join("evil").exists());
    result.unwrap_err().to_string()
}

#[test]
fn ordinary_archives() {
    let bytes = tar_gz(&[
        (EntryType::Directory, "a-1/", "", 0o777),
        (EntryType::Regular, "a-1/setup.py", "x", 0o666),
        (EntryType::Regular, "a-1/run.sh", "y", 0o4755),
        (EntryType::Link, "a-1/copy", "a-1/setup.py", 0o644),
        (EntryType::Regular, "a-1/deep/er/file", "z", 0o644),
        (EntryType::Symlink, "a-1/deep/link", "../setup.py", 0o777),
    ]);
    let (_folder, result) = unpack(&bytes, SdistExtension::TarGz, UnpackLimits::default());
    let root = result.unwrap();
    assert!(root.ends_with("a-1"));
    let read = |path: &str| fs_err::read_to_string(root.join(path)).unwrap();
    assert_eq!(read("setup.py"), "x");
    assert_eq!(read("copy"), "x");
    assert_eq!(read("deep/er/file"), "z");
    assert_eq!(read("deep/link"), "x");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &str| {
            fs_err::metadata(root.join(path))
                .unwrap()
                .permissions()
                .mode()
        };
        assert_eq!(mode("run.sh") & 0o7000, 0);
        assert_ne!(mode("run.sh") & 0o100, 0);
        assert_eq!(mode("setup.py") & 0o022, 0);
    }
}

#[test]
fn zip_archives_and_several_folders_at_the_top() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in ["a/setup.py", "b/x.py"] {
        zip.start_file(name, options).unwrap();
        zip.write_all(b"x").unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let (_folder, result) = unpack(&bytes, SdistExtension::Zip, UnpackLimits::default());
    let root = result.unwrap();
    assert!(root.ends_with("out"));
    assert!(root.join("a/setup.py").is_file());
}

#[test]
fn nothing_leaves_the_folder() {
    use EntryType::{Block, Link, Regular, Symlink};
    let message = refused(&[(Regular, "a/../../evil", "x", 0o644)]);
    assert_eq!(
        message,
        "Failed to unpack `a-1.tar.gz`: `a/../../evil` leads out of the archive"
    );
    assert!(refused(&[(Symlink, "a/l", "/etc", 0o777)]).contains("absolute"));
    assert!(refused(&[(Symlink, "a/l", "../../evil", 0o777)]).contains("outside"));
    assert!(refused(&[(Link, "a/l", "../evil", 0o777)]).contains("leads out"));
    assert!(refused(&[(Link, "a/l", "a/none", 0o777)]).contains("no file"));
    assert!(refused(&[(Block, "a/dev", "", 0o644)]).contains("device"));
    let behind = refused(&[
        (Symlink, "a/l", "b", 0o777),
        (Regular, "a/l/evil", "x", 0o644),
    ]);
    assert!(behind.contains("lies behind a link"), "{behind}");
}

/// A name of a link says nothing about where a link through another one leads.
#[cfg(unix)]
#[test]
fn links_through_links_stay_inside() {
    use EntryType::{Directory, Regular, Symlink};
    let bytes = tar_gz(&[
        (Regular, "a/x", "x", 0o644),
        (Directory, "a/d", "", 0o755),
        (Symlink, "a/d/up", "..", 0o777),
        (Symlink, "a/l", "d/up/../..", 0o777),
        (Symlink, "a/m", "d/../x", 0o777),
    ]);
    let (folder, result) = unpack(&bytes, SdistExtension::TarGz, UnpackLimits::default());
    let root = fs_err::canonicalize(result.unwrap()).unwrap();
    assert_eq!(fs_err::canonicalize(root.join("l")).unwrap(), root);
    assert_eq!(
        fs_err::canonicalize(root.join("m")).unwrap(),
        root.join("x")
    );
    drop(folder);
}

#[test]
fn a_leading_slash_is_dropped() {
    let bytes = tar_gz(&[(EntryType::Regular, "/a/x", "x", 0o644)]);
    let (_folder, result) = unpack(&bytes, SdistExtension::TarGz, UnpackLimits::default());
    assert!(result.unwrap().join("x").is_file());
}

#[test]
fn there_are_limits() {
    let bytes = tar_gz(&[
        (EntryType::Regular, "a/x", "12345", 0o644),
        (EntryType::Regular, "a/y", "12345", 0o644),
    ]);
    let limits = |total_bytes, entries| UnpackLimits {
        total_bytes,
        entries,
        ..UnpackLimits::default()
    };
    let error = |limits| {
        let (_folder, result) = unpack(&bytes, SdistExtension::TarGz, limits);
        result.unwrap_err().to_string()
    };
    assert!(error(limits(9, 10)).ends_with("more than 9 bytes"));
    assert!(error(limits(100, 1)).ends_with("more than 1 entries"));
    let (_folder, result) = unpack(&bytes, SdistExtension::TarGz, limits(10, 2));
    result.unwrap();
    let (_folder, result) = unpack(&bytes[..30], SdistExtension::TarGz, limits(10, 2));
    assert!(matches!(result, Err(UnpackError::Io { .. })));
    for other in [SdistExtension::TarXz, SdistExtension::TarBz2] {
        let (_folder, result) = unpack(&bytes, other, limits(10, 2));
        assert!(result.is_err(), "{other:?}");
    }
}

/// What would fill a disk or the memory is known by its headers.
#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let zeros = "\0".repeat(3 << 20);
    let bytes = tar_gz(&[(EntryType::Regular, "a/x", &zeros, 0o644)]);
    let limits = UnpackLimits {
        dense_bytes: 1 << 20,
        ..UnpackLimits::default()
    };
    let (folder, result) = unpack(&bytes, SdistExtension::TarGz, limits);
    let error = result.unwrap_err().to_string();
    assert!(
        error.ends_with("more than 200 times its own size"),
        "{error}"
    );
    assert!(!folder.path().join("into/a").exists());
    // Links that repeat a file count as that file.
    let noise: String = (0..200_u32 << 10)
        .map(|number| {
            char::from(b'a' + u8::try_from(number.wrapping_mul(2_654_435_761) >> 27).unwrap() % 26)
        })
        .collect();
    let names: Vec<String> = (0..300).map(|number| format!("a/l{number}")).collect();
    let links = names
        .iter()
        .map(|name| (EntryType::Link, name.as_str(), "a/x", 0o644));
    let entries: Vec<Entry<'_>> = [(EntryType::Regular, "a/x", noise.as_str(), 0o644)]
        .into_iter()
        .chain(links)
        .collect();
    let (_folder, result) = unpack(&tar_gz(&entries), SdistExtension::TarGz, limits);
    let error = result.unwrap_err().to_string();
    assert!(
        error.ends_with("more than 200 times its own size"),
        "{error}"
    );
    // A name is read whole, so it must not be one.
    let bytes = tar_gz(&[(EntryType::GNULongName, "././@LongLink", &zeros, 0o644)]);
    let (_folder, result) = unpack(&bytes, SdistExtension::TarGz, UnpackLimits::default());
    let error = result.unwrap_err().to_string();
    assert!(error.ends_with("more than 1 MiB in a header"), "{error}");
}

#[test]
fn other_containers() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(1);
    header.set_cksum();
    builder
        .append_data(&mut header, "a-1/x", &b"y"[..])
        .unwrap();
    let tar = builder.into_inner().unwrap();
    let xz = lzma(&tar, Stream::new_easy_encoder(6, Check::Crc64));
    let old = lzma(
        &tar,
        Stream::new_lzma_encoder(&LzmaOptions::new_preset(6).unwrap()),
    );
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(&tar).unwrap();
    let bz2 = encoder.finish().unwrap();
    for (bytes, extension) in [
        (&tar, SdistExtension::Tar),
        (&xz, SdistExtension::TarXz),
        (&old, SdistExtension::TarXz),
        (&bz2, SdistExtension::TarBz2),
    ] {
        let (folder, result) = unpack(bytes, extension, UnpackLimits::default());
        let project = result.unwrap();
        assert_eq!(fs_err::read(project.join("x")).unwrap(), b"y");
        let beside = fs_err::read_dir(folder.path()).unwrap().count();
        assert_eq!(beside, 2, "only the archive and what it held");
    }
}

/// What these formats unpack to, and what that takes, is limited as for the others.
#[test]
fn dense_archives_of_other_containers_are_refused() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(4 << 20);
    header.set_cksum();
    let zeros = std::io::repeat(0).take(4 << 20);
    builder.append_data(&mut header, "a-1/x", zeros).unwrap();
    let tar = builder.into_inner().unwrap();
    let xz = lzma(&tar, Stream::new_easy_encoder(6, Check::Crc64));
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(&tar).unwrap();
    let bz2 = encoder.finish().unwrap();
    let limits = UnpackLimits {
        total_bytes: 1 << 20,
        ..UnpackLimits::default()
    };
    for (bytes, extension) in [(&xz, SdistExtension::TarXz), (&bz2, SdistExtension::TarBz2)] {
        let (folder, result) = unpack(bytes, extension, limits);
        assert!(matches!(result, Err(UnpackError::TooLarge { .. })));
        assert!(!folder.path().join("out/a-1/x").exists());
    }
    // One that asks for a dictionary of 1 GiB gets no memory, however short it is.
    let mut greedy = LzmaOptions::new_preset(0).unwrap();
    greedy.dict_size(1 << 30);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&greedy);
    let mut small = lzma(b"x", Stream::new_stream_encoder(&filters, Check::Crc32));
    let (_folder, result) = unpack(&small, SdistExtension::TarXz, UnpackLimits::default());
    let error = result.unwrap_err();
    assert!(matches!(error, UnpackError::Io { .. }), "{error}");
    // Nor does one that was cut off pass for whole.
    small = xz;
    small.truncate(small.len() / 2);
    let (_folder, result) = unpack(&small, SdistExtension::TarXz, UnpackLimits::default());
    assert!(result.is_err());
}

fn lzma(bytes: &[u8], stream: Result<Stream, liblzma::stream::Error>) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream.unwrap());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
