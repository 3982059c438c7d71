//! A file in one stream, from front to back.

use std::io::{Seek, SeekFrom, Write};

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::hashing::Hasher;
use super::partial::{Partial, State, Validator};
use super::{Complete, Downloader, Failure, IN_PIECES_BYTES, RequiredHashes};
use crate::error::IndexError;
use crate::http::{
    Answer, Get, HttpError, NetworkErrorKind, Purpose, content_length, content_range, range_header,
};
use crate::index_url::host_of;
use crate::page::PackageFile;
use crate::progress::{NoProgress, Progress};

/// A stream under way.
struct Stream<'run> {
    file: &'run PackageFile,
    progress: &'run dyn Progress,
    target: fs_err::File,
    hasher: Hasher,
    written: u64,
    resumed: bool,
}

/// How one answer ended.
enum Ended {
    Complete,
    Cut(HttpError),
}

impl Downloader {
    /// Fetches the file in one stream, going on where an earlier one ended if the server can.
    pub(super) async fn in_sequence(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        partial: &mut Partial,
        progress: &dyn Progress,
    ) -> Result<Complete, Failure> {
        if !partial.state.pieces.is_empty() {
            return Err(Failure::Changed);
        }
        let mut stream = self.open_stream(file, required, partial, progress).await?;
        let mut retry = self.http.retry();
        loop {
            let before = stream.written;
            let error = match self.one_stream(&mut stream, partial, required).await? {
                Ended::Complete => {
                    return Ok(Complete {
                        digests: stream.hasher.finish(),
                        validator: partial.state.validator.clone(),
                        resumed: stream.resumed,
                    });
                }
                Ended::Cut(error) => error,
            };
            retry.progressed(stream.written.saturating_sub(before));
            if let Err(error) = retry.pause(error).await {
                return Err(truncated_or(error, file, partial, stream.written).into());
            }
        }
    }

    async fn open_stream<'run>(
        &self,
        file: &'run PackageFile,
        required: &RequiredHashes,
        partial: &mut Partial,
        progress: &'run dyn Progress,
    ) -> Result<Stream<'run>, Failure> {
        let needed = file.size_bytes.unwrap_or(0);
        // Without a validator or a digest nothing would tell a changed file.
        let may_resume = partial.state.validator.is_known() || !file.hashes.is_empty();
        if !may_resume && partial.bytes_here() > 0 {
            partial.reset()?;
        }
        let mut target = partial.open(needed)?;
        let here = partial.bytes_here();
        let mut hasher = Hasher::new(&file.hashes, required);
        if here > 0 {
            let mut reader = partial.open(needed)?;
            hasher = crate::blocking(&file.filename_text, move || {
                read_into(&mut reader, &mut hasher, here).map(|()| hasher)
            })
            .await?;
        }
        target
            .seek(SeekFrom::Start(here))
            .map_err(|error| IndexError::io("read", &partial.path, needed, error))?;
        Ok(Stream {
            file,
            progress,
            target,
            hasher,
            written: here,
            resumed: here > 0,
        })
    }

    async fn one_stream(
        &self,
        stream: &mut Stream<'_>,
        partial: &mut Partial,
        required: &RequiredHashes,
    ) -> Result<Ended, Failure> {
        let file = stream.file;
        if stream.written > 0 && file.size_bytes == Some(stream.written) {
            return Ok(Ended::Complete);
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        if stream.written > 0 {
            let range = range_header(&format!("{}-", stream.written));
            headers.insert(header::RANGE, range);
        }
        let get = Get {
            url: &file.url,
            purpose: if file
                .size_bytes
                .is_some_and(|size| size < *IN_PIECES_BYTES.start())
            {
                Purpose::File
            } else {
                Purpose::Bulk
            },
            headers,
            retries: None,
        };
        match self.http.send(&get).await {
            Ok(answer) => stream.read(answer, partial, required).await,
            Err(error) => Ok(Ended::Cut(error)),
        }
    }

    /// Reads an answer that has the file from its front.
    pub(super) async fn one_answer(
        &self,
        file: &PackageFile,
        partial: &mut Partial,
        answer: Answer<'_>,
    ) -> Result<Complete, Failure> {
        let required = RequiredHashes::default();
        partial.reset()?;
        let stream = self.open_stream(file, &required, partial, &NoProgress);
        let mut stream = stream.await?;
        match stream.read(answer, partial, &required).await? {
            Ended::Complete => Ok(Complete {
                digests: stream.hasher.finish(),
                validator: partial.state.validator.clone(),
                resumed: false,
            }),
            Ended::Cut(error) => Err(error.into()),
        }
    }
}

impl Stream<'_> {
    async fn read(
        &mut self,
        mut answer: Answer<'_>,
        partial: &mut Partial,
        required: &RequiredHashes,
    ) -> Result<Ended, Failure> {
        if let Some(error) = self.begin(&answer, partial, required)? {
            return Ok(Ended::Cut(error));
        }
        let total = partial.state.total;
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => {
                    self.write(&chunk, partial)?;
                    if total.is_some_and(|total| self.written > total) {
                        return Err(self.wrong_length(total).into());
                    }
                }
                Ok(None) if total.is_none_or(|total| total == self.written) => {
                    return Ok(Ended::Complete);
                }
                // The connection ended in order, but too soon: asking again brings the same.
                Ok(None) => return Err(self.wrong_length(total).into()),
                Err(error) => return Ok(Ended::Cut(error)),
            }
        }
    }

    /// Looks at the answer's head; a failure that may pass is given back.
    fn begin(
        &mut self,
        answer: &Answer<'_>,
        partial: &mut Partial,
        required: &RequiredHashes,
    ) -> Result<Option<HttpError>, Failure> {
        let headers = answer.headers();
        let validator = Validator::of(headers);
        match answer.status() {
            StatusCode::OK => {
                let total = content_length(headers).or(self.file.size_bytes);
                let ranges = headers.get(header::ACCEPT_RANGES);
                if self.written == 0
                    && self.file.size_bytes.is_none()
                    && ranges.is_some_and(|ranges| ranges == "bytes")
                    && let Some(total) = total.filter(|total| IN_PIECES_BYTES.contains(total))
                {
                    return Err(Failure::Large(total));
                }
                if self.written > 0 {
                    // No ranges here: from the front again.
                    self.rewind(partial, required)?;
                }
                partial.state = State {
                    validator,
                    total,
                    ..State::default()
                };
                partial.save()?;
                Ok(None)
            }
            StatusCode::PARTIAL_CONTENT => {
                let range = content_range(headers);
                let total = range.and_then(|(_, _, total)| total);
                let fits = range.is_some_and(|(first, _, _)| first == self.written)
                    && (total.is_none()
                        || partial.state.total.is_none()
                        || total == partial.state.total);
                if !fits || !partial.state.validator.agrees(&validator) {
                    return Err(Failure::Changed);
                }
                partial.state.total = partial.state.total.or(total);
                Ok(None)
            }
            StatusCode::RANGE_NOT_SATISFIABLE if self.written > 0 => Err(Failure::Changed),
            _ => {
                let error = answer.refusal(&self.file.url);
                if error.is_transient() {
                    Ok(Some(error))
                } else {
                    Err(error.into())
                }
            }
        }
    }

    fn rewind(
        &mut self,
        partial: &mut Partial,
        required: &RequiredHashes,
    ) -> Result<(), IndexError> {
        let io = |error| IndexError::io("write", &partial.path, 0, error);
        self.target.set_len(0).map_err(io)?;
        self.target.seek(SeekFrom::Start(0)).map_err(io)?;
        self.hasher = Hasher::new(&self.file.hashes, required);
        self.written = 0;
        self.resumed = false;
        self.progress.restarted(&self.file.filename_text, 0);
        Ok(())
    }

    fn write(&mut self, chunk: &[u8], partial: &Partial) -> Result<(), IndexError> {
        let needed = partial.state.total.unwrap_or(0);
        self.target
            .write_all(chunk)
            .map_err(|error| IndexError::io("write", &partial.path, needed, error))?;
        self.hasher.update(chunk);
        self.written += chunk.len() as u64;
        self.progress
            .advanced(&self.file.filename_text, chunk.len() as u64);
        Ok(())
    }

    fn wrong_length(&self, total: Option<u64>) -> IndexError {
        IndexError::Truncated {
            filename: self.file.filename_text.to_string(),
            location: host_of(&self.file.url),
            expected_bytes: total.unwrap_or(0),
            got_bytes: self.written,
        }
    }
}

/// A connection that was cut again and again after some bytes is a truncated file.
fn truncated_or(
    error: HttpError,
    file: &PackageFile,
    partial: &Partial,
    got_bytes: u64,
) -> IndexError {
    let cut = matches!(
        error,
        HttpError::Network {
            kind: NetworkErrorKind::Cut,
            ..
        }
    );
    match partial.state.total.or(file.size_bytes) {
        Some(expected_bytes) if cut && got_bytes > 0 => IndexError::Truncated {
            filename: file.filename_text.to_string(),
            location: host_of(&file.url),
            expected_bytes,
            got_bytes,
        },
        _ => error.into(),
    }
}

/// Feeds the first `length` bytes of a file to the hasher.
fn read_into(file: &mut fs_err::File, hasher: &mut Hasher, length: u64) -> Result<(), IndexError> {
    use std::io::Read;
    let path = file.path().to_path_buf();
    let mut left = length;
    let mut buffer = vec![0; 256 << 10];
    while left > 0 {
        let want = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        file.read_exact(&mut buffer[..want])
            .map_err(|error| IndexError::io("read", &path, 0, error))?;
        hasher.update(&buffer[..want]);
        left -= want as u64;
    }
    Ok(())
}
