//! The streams behind the formats of tar archives. LZMA is unpacked into a file first, within the
//! limits: its decoder only writes.

use std::io::{self, BufRead as _, Read, Write};
use std::path::Path;

use super::Refusal;
use super::limits::{UnpackLimits, check_density};

/// What an XZ container begins with.
const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";

pub(super) fn open_plain(path: &Path) -> io::Result<impl Read + use<>> {
    Ok(io::BufReader::new(fs_err::File::open(path)?))
}

pub(super) fn open_gzip(path: &Path) -> io::Result<impl Read + use<>> {
    let file = io::BufReader::new(fs_err::File::open(path)?);
    Ok(flate2::read::MultiGzDecoder::new(file))
}

pub(super) fn open_bzip2(path: &Path) -> io::Result<impl Read + use<>> {
    let file = io::BufReader::new(fs_err::File::open(path)?);
    Ok(bzip2_rs::DecoderReader::new(file))
}

/// The archive inside of an XZ or LZMA file, in a file beside `folder` that is gone with the value.
pub(super) fn lzma(
    path: &Path,
    folder: &Path,
    limits: UnpackLimits,
) -> Result<tempfile::NamedTempFile, Refusal> {
    let packed_bytes = fs_err::metadata(path)?.len();
    let mut input = io::BufReader::new(fs_err::File::open(path)?);
    let mut output = Limited {
        file: tempfile::NamedTempFile::new_in(folder.parent().unwrap_or(folder))?,
        written_bytes: 0,
        packed_bytes,
        limits,
        refusal: None,
    };
    let decoded = if input.fill_buf()?.starts_with(XZ_MAGIC) {
        lzma_rs::xz_decompress(&mut input, &mut output)
    } else {
        let options = lzma_rs::decompress::Options {
            memlimit: Some(DICTIONARY_LIMIT_BYTES),
            ..lzma_rs::decompress::Options::default()
        };
        lzma_rs::lzma_decompress_with_options(&mut input, &mut output, &options)
    };
    match (output.refusal, decoded) {
        (Some(refusal), _) => Err(refusal),
        (None, Err(error)) => Err(io::Error::other(error).into()),
        (None, Ok(())) => Ok(output.file),
    }
}

/// The most memory that a stream may ask for; the strongest preset's is 64 MiB.
const DICTIONARY_LIMIT_BYTES: usize = 256 << 20;

/// A file that takes only what the limits allow.
struct Limited {
    file: tempfile::NamedTempFile,
    written_bytes: u64,
    packed_bytes: u64,
    limits: UnpackLimits,
    refusal: Option<Refusal>,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let total_bytes = self.written_bytes.saturating_add(bytes.len() as u64);
        if let Err(refusal) = check_density(self.packed_bytes, total_bytes, self.limits) {
            self.refusal = Some(refusal);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.file.write(bytes)?;
        self.written_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
