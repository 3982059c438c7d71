//! Whole files from servers that were asked for a part of them.

use super::{DownloadedFile, Downloader, Failure, IN_PIECES_BYTES, RequiredHashes};
use crate::cache::CacheKey;
use crate::http::{Answer, content_length};
use crate::page::PackageFile;

impl Downloader {
    /// Reads an answer with the whole file, to a request for a part of it, so that the file need not be
    /// asked for again. Where that fails the file is fetched as ever: nobody has to know.
    pub(crate) async fn take_over(&self, file: &PackageFile, answer: Answer<'_>) {
        // Large ones have to wait for their turn.
        let is_small = content_length(answer.headers())
            .is_some_and(|length| length < *IN_PIECES_BYTES.start());
        let key = Self::key(file);
        if !is_small
            || !matches!(
                self.cached(file, &RequiredHashes::default(), &key).await,
                Ok(None)
            )
        {
            return;
        }
        match self.finish_answer(file, &key, answer).await {
            Ok(done) => self.remember(&key, &done),
            Err(error) => tracing::debug!(?error, "the whole file that was sent is of no use"),
        }
    }

    async fn finish_answer(
        &self,
        file: &PackageFile,
        key: &CacheKey,
        answer: Answer<'_>,
    ) -> Result<DownloadedFile, Failure> {
        let mut partial = self.lock(file, key).await?;
        let complete = self.one_answer(file, &mut partial, answer).await?;
        Ok(self.accept(file, &RequiredHashes::default(), &mut partial, &complete)?)
    }
}
