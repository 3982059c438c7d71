//! The streams behind the formats of tar archives.

use std::io::{self, Read};
use std::path::Path;

use liblzma::stream::{CONCATENATED, Stream};

/// The most memory that an XZ or LZMA stream may ask for; the strongest preset's is 65 MiB. What a
/// stream asks for stands in its first bytes, and one of a few bytes may ask for 4 GiB.
const LZMA_MEMORY_LIMIT_BYTES: u64 = 128 << 20;

pub(super) fn open_plain(path: &Path) -> io::Result<impl Read + use<>> {
    open(path)
}

pub(super) fn open_gzip(path: &Path) -> io::Result<impl Read + use<>> {
    Ok(flate2::bufread::MultiGzDecoder::new(open(path)?))
}

pub(super) fn open_bzip2(path: &Path) -> io::Result<impl Read + use<>> {
    Ok(bzip2::bufread::MultiBzDecoder::new(open(path)?))
}

/// XZ, and LZMA's older container.
pub(super) fn open_lzma(path: &Path) -> io::Result<impl Read + use<>> {
    let stream = Stream::new_auto_decoder(LZMA_MEMORY_LIMIT_BYTES, CONCATENATED)?;
    Ok(liblzma::bufread::XzDecoder::new_stream(open(path)?, stream))
}

fn open(path: &Path) -> io::Result<io::BufReader<fs_err::File>> {
    Ok(io::BufReader::new(fs_err::File::open(path)?))
}
