//! A large file in pieces, several at once. The pieces are taken from the front, so that hashing
//! follows closely behind. How far each has come is written down every now and then, and when it
//! ends, so that the next run goes on from there.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use fs_err as fs;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::hashing::{Digests, Hasher};
use super::partial::{Partial, State, Validator};
use super::{Complete, Downloader, Failure, RequiredHashes};
use crate::error::IndexError;
use crate::http::{Get, HttpError, NetworkErrorKind, Purpose, content_range, range_header};
use crate::index_url::host_of;
use crate::page::PackageFile;
use crate::progress::Progress;

/// A piece's size: large enough that a round trip is nothing against it, small enough that a cut
/// loses little.
const PIECE_BYTES: u64 = 4 << 20;

/// Pieces under way at once.
const CONCURRENT_PIECES: usize = 4;

/// How often it is written down how far the pieces have come: what a run that is killed may lose.
const SAVED_EVERY: Duration = Duration::from_millis(250);

/// How far the pieces have come, in bytes of each from its start, and which version of the file
/// they are of.
#[derive(Debug)]
struct Arrived {
    pieces: Vec<AtomicU64>,
    validator: Mutex<Validator>,
}

impl Arrived {
    fn new(state: &State) -> Self {
        let pieces = state.pieces.iter();
        Self {
            pieces: pieces.map(|bytes| AtomicU64::new(*bytes)).collect(),
            validator: Mutex::new(state.validator.clone()),
        }
    }

    fn of(&self, piece: Piece) -> u64 {
        let bytes = self.pieces.get(piece.number);
        bytes.map_or(0, |bytes| bytes.load(Ordering::Acquire))
    }

    fn set(&self, piece: Piece, bytes: u64) {
        if let Some(known) = self.pieces.get(piece.number) {
            known.store(bytes, Ordering::Release);
        }
    }

    /// Whether an answer is of the same version of the file as the others.
    fn agrees(&self, seen: &Validator) -> bool {
        let mut known = self
            .validator
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !known.is_known() {
            known.clone_from(seen);
        }
        known.agrees(seen)
    }

    /// Takes over into the state what has arrived; whether that is news.
    fn note(&self, state: &mut State) -> bool {
        let before = state.clone();
        for (noted, arrived) in state.pieces.iter_mut().zip(&self.pieces) {
            *noted = arrived.load(Ordering::Acquire);
        }
        let validator = self.validator.lock();
        let validator = validator.unwrap_or_else(PoisonError::into_inner);
        state.validator.clone_from(&validator);
        *state != before
    }
}

/// One piece: first byte and length.
#[derive(Debug, Clone, Copy)]
struct Piece {
    number: usize,
    start: u64,
    length: u64,
}

impl Downloader {
    /// Fetches the pieces that are missing.
    pub(super) async fn in_pieces(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        partial: &mut Partial,
        total: u64,
        progress: &dyn Progress,
    ) -> Result<Complete, Failure> {
        let resumed = Self::prepare_pieces(file, partial, total)?;
        let target = partial.open(total)?;
        target
            .set_len(total)
            .map_err(|error| IndexError::io("write", &partial.path, total, error))?;
        let (frontier, hashing) = start_hashing(file, required, partial.open(total)?);
        let arrived = Arrived::new(&partial.state);
        let mut fetches = futures::stream::iter(
            missing_pieces(&partial.state, total)
                .into_iter()
                .map(|piece| self.piece(file, &target, piece, total, &arrived, progress)),
        )
        .buffer_unordered(CONCURRENT_PIECES);
        let mut ticks = tokio::time::interval(SAVED_EVERY);
        let _nobody_listens = frontier.send(front(&partial.state, total));
        loop {
            let result = tokio::select! {
                result = fetches.next() => result,
                _ = ticks.tick() => Some(Ok(())),
            };
            if arrived.note(&mut partial.state) {
                partial.save()?;
            }
            match result {
                Some(result) => result?,
                None => break,
            }
            let _nobody_listens = frontier.send(front(&partial.state, total));
        }
        drop(fetches);
        drop(frontier);
        let digests = hashing.await.map_err(|_| IndexError::Cancelled {
            object: file.filename_text.to_string(),
        })??;
        Ok(Complete {
            digests,
            validator: partial.state.validator.clone(),
            resumed,
        })
    }

    /// Keeps the pieces of an earlier run if they are of the same file. Says whether there are any.
    fn prepare_pieces(
        file: &PackageFile,
        partial: &mut Partial,
        total: u64,
    ) -> Result<bool, IndexError> {
        let state = &partial.state;
        let same = state.total == Some(total)
            && state.piece_bytes == PIECE_BYTES
            && state.pieces.len() as u64 == total.div_ceil(PIECE_BYTES)
            && (state.validator.is_known() || !file.hashes.is_empty());
        if !same {
            partial.reset()?;
            let count = usize::try_from(total.div_ceil(PIECE_BYTES)).unwrap_or(0);
            partial.state = State {
                total: Some(total),
                pieces: vec![0; count],
                piece_bytes: PIECE_BYTES,
                ..State::default()
            };
        }
        Ok(partial.bytes_here() > 0)
    }

    /// Fetches one piece, going on after cuts.
    async fn piece(
        &self,
        file: &PackageFile,
        target: &fs::File,
        piece: Piece,
        total: u64,
        arrived: &Arrived,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let mut retry = self.http.retry();
        loop {
            let before = arrived.of(piece);
            let result = self
                .piece_once(file, target, piece, total, arrived, progress)
                .await;
            let error = match result {
                Ok(()) => return Ok(()),
                Err(Failure::Error(IndexError::Http(error))) => error,
                Err(failure) => return Err(failure),
            };
            let got = arrived.of(piece);
            retry.progressed(got.saturating_sub(before));
            if let Err(error) = retry.pause(error).await {
                let cut = matches!(
                    &error,
                    HttpError::Network {
                        kind: NetworkErrorKind::Cut,
                        ..
                    }
                );
                return Err(if cut {
                    truncated(file, total, piece.start + got).into()
                } else {
                    error.into()
                });
            }
        }
    }

    async fn piece_once(
        &self,
        file: &PackageFile,
        target: &fs::File,
        piece: Piece,
        total: u64,
        arrived: &Arrived,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let mut got = arrived.of(piece);
        let (first, last) = (piece.start + got, piece.start + piece.length - 1);
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range_header(&format!("{first}-{last}")));
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        let get = Get {
            url: &file.url,
            purpose: Purpose::Bulk,
            headers,
            retries: None,
        };
        let mut answer = self.http.send(&get).await?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::OK => return Err(Failure::NoRanges),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                return Err(other_size(file, total, first));
            }
            _ => return Err(answer.refusal(&file.url).into()),
        }
        match content_range(answer.headers()) {
            Some((start, _, Some(size))) if size != total => {
                return Err(other_size(file, total, size.max(start)));
            }
            Some((start, end, _)) if start == first && end <= last => {}
            _ => return Err(Failure::NoRanges),
        }
        if !arrived.agrees(&Validator::of(answer.headers())) {
            return Err(Failure::Changed);
        }
        while got < piece.length {
            let Some(chunk) = answer.chunk().await? else {
                return Err(truncated(file, total, piece.start + got).into());
            };
            let room = usize::try_from(piece.length - got).unwrap_or(usize::MAX);
            let chunk = chunk.get(..room).unwrap_or(&chunk);
            write_at(target, chunk, piece.start + got)
                .map_err(|error| IndexError::io("write", target.path(), total, error))?;
            got += chunk.len() as u64;
            arrived.set(piece, got);
            progress.advanced(&file.filename_text, chunk.len() as u64);
        }
        // The end of the body, so that the connection can be used again.
        let _nothing_more = answer.chunk().await;
        Ok(())
    }
}

fn truncated(file: &PackageFile, expected_bytes: u64, got_bytes: u64) -> IndexError {
    IndexError::Truncated {
        filename: file.filename_text.to_string(),
        location: host_of(&file.url),
        expected_bytes,
        got_bytes,
    }
}

/// A file whose size isn't the one that was told: by the index, which is an error, or by its server
/// some time ago.
fn other_size(file: &PackageFile, expected_bytes: u64, got_bytes: u64) -> Failure {
    match file.size_bytes {
        Some(_) => truncated(file, expected_bytes, got_bytes).into(),
        None => Failure::Changed,
    }
}

/// The pieces of which something is missing.
fn missing_pieces(state: &State, total: u64) -> Vec<Piece> {
    let numbers = state.pieces.iter().enumerate();
    numbers
        .map(|(number, here)| {
            let start = number as u64 * PIECE_BYTES;
            let length = PIECE_BYTES.min(total.saturating_sub(start));
            let piece = Piece {
                number,
                start,
                length,
            };
            (piece, *here)
        })
        .filter(|(piece, here)| *here < piece.length)
        .map(|(piece, _)| piece)
        .collect()
}

/// The bytes from the front that are here.
fn front(state: &State, total: u64) -> u64 {
    let mut front = 0;
    for here in &state.pieces {
        front += here;
        if *here < PIECE_BYTES {
            break;
        }
    }
    front.min(total)
}

type Hashing = tokio::task::JoinHandle<Result<Digests, IndexError>>;

/// A thread that hashes the file as far as it is told that it is complete.
fn start_hashing(
    file: &PackageFile,
    required: &RequiredHashes,
    mut source: fs::File,
) -> (mpsc::Sender<u64>, Hashing) {
    let (sender, receiver) = mpsc::channel::<u64>();
    let mut hasher = Hasher::new(&file.hashes, required);
    let handle = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 256 << 10];
        let mut position = 0;
        while let Ok(complete) = receiver.recv() {
            while position < complete {
                let want = usize::try_from(complete - position).unwrap_or(usize::MAX);
                let want = want.min(buffer.len());
                let piece = &mut buffer[..want];
                source
                    .read_exact(piece)
                    .map_err(|error| IndexError::io("read", source.path(), 0, error))?;
                hasher.update(piece);
                position += want as u64;
            }
        }
        Ok(hasher.finish())
    });
    (sender, handle)
}

#[cfg(unix)]
fn write_at(file: &fs::File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    use fs_err::os::unix::fs::FileExt;
    file.write_all_at(bytes, offset)
}

#[cfg(windows)]
fn write_at(file: &fs::File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    use fs_err::os::windows::fs::FileExt;
    let mut done = 0;
    while done < bytes.len() {
        match file.seek_write(&bytes[done..], offset + done as u64)? {
            0 => return Err(std::io::ErrorKind::WriteZero.into()),
            written => done += written,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_file_and_the_front_grows() {
        let total = 2 * PIECE_BYTES + 5;
        let mut state = State {
            pieces: vec![0; 3],
            ..State::default()
        };
        let pieces = missing_pieces(&state, total);
        assert_eq!(pieces.iter().map(|piece| piece.length).sum::<u64>(), total);
        assert_eq!(pieces[2].length, 5);
        state.pieces[1] = PIECE_BYTES;
        assert_eq!(front(&state, total), 0);
        state.pieces[0] = 7;
        assert_eq!(front(&state, total), 7);
        assert_eq!(missing_pieces(&state, total).len(), 2);
        state.pieces[0] = PIECE_BYTES;
        assert_eq!(front(&state, total), 2 * PIECE_BYTES);
        state.pieces[2] = 5;
        assert_eq!(front(&state, total), total);
    }
}
