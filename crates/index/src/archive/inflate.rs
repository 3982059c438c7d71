//! Inflating one entry in pieces, with its size and checksum checked.

use std::io;

use crc32fast::Hasher as Crc;
use flate2::{Decompress, FlushDecompress, Status};

use super::ArchiveError;
use super::central::{Entry, Method};

/// The bytes that are unpacked at once.
pub(crate) const PIECE: usize = 256 << 10;

/// A decompressor and a buffer, used for one entry after another.
pub(crate) struct Inflater {
    state: Decompress,
    buffer: Vec<u8>,
}

/// Either the entry is refused, or what it is written to fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InflateError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self {
            state: Decompress::new(false),
            buffer: vec![0; PIECE],
        }
    }

    /// Unpacks `data`, giving pieces to `write` in order.
    ///
    /// # Errors
    /// When the content doesn't have the size and checksum that the directory gives, or `write` fails.
    pub(crate) fn unpack(
        &mut self,
        data: &[u8],
        entry: &Entry,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), InflateError> {
        let mut crc = Crc::new();
        let unpacked = match entry.method {
            Method::Stored => {
                for piece in data.chunks(PIECE) {
                    crc.update(piece);
                    write(piece)?;
                }
                data.len() as u64
            }
            Method::Deflated => self.inflate(data, entry, &mut crc, write)?,
        };
        if unpacked != entry.size {
            return Err(ArchiveError::entry(&entry.name, "its content has another size").into());
        }
        if crc.finalize() != entry.crc32 {
            return Err(ArchiveError::entry(&entry.name, "its content is damaged (CRC-32)").into());
        }
        Ok(())
    }

    fn inflate(
        &mut self,
        data: &[u8],
        entry: &Entry,
        crc: &mut Crc,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<u64, InflateError> {
        let damaged = || ArchiveError::entry(&entry.name, "its compressed content is damaged");
        self.state.reset(false);
        let mut unpacked = 0;
        loop {
            let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
            let consumed = usize::try_from(before_in).unwrap_or(usize::MAX);
            let input = data.get(consumed..).unwrap_or_default();
            let status = self
                .state
                .decompress(input, &mut self.buffer, FlushDecompress::None)
                .map_err(|_| damaged())?;
            let produced = usize::try_from(self.state.total_out() - before_out).unwrap_or(0);
            let piece = self.buffer.get(..produced).unwrap_or_default();
            unpacked += produced as u64;
            if unpacked > entry.size {
                return Err(ArchiveError::entry(
                    &entry.name,
                    "its content is larger than declared",
                )
                .into());
            }
            if !piece.is_empty() {
                crc.update(piece);
                write(piece)?;
            }
            if status == Status::StreamEnd {
                break;
            }
            if produced == 0 && self.state.total_in() == before_in {
                return Err(damaged().into());
            }
        }
        if self.state.total_in() != data.len() as u64 {
            return Err(ArchiveError::entry(&entry.name, "something follows its content").into());
        }
        Ok(unpacked)
    }
}
