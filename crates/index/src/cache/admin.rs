//! What `cache info`, `list`, `remove` and `purge` do.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Bucket, CacheError, open_lock};
use crate::store::Manifest;
use crate::{metadata, remote_wheel};

/// One bucket's size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// The bucket's folder name.
    pub name: String,
    /// Pages, metadata records or wheels in it.
    pub entries: u64,
    /// The bytes of all its files.
    pub size_bytes: u64,
}

/// One wheel in the cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CacheEntry {
    /// The wheel's file name.
    pub filename: String,
    /// The bytes that it takes, unpacked.
    pub size_bytes: u64,
    /// The folder or file that holds it.
    pub path: PathBuf,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemovedInfo {
    /// Files removed.
    pub files: u64,
    /// Folders removed.
    pub folders: u64,
    /// The files' bytes.
    pub size_bytes: u64,
    /// What went: files, and folders with all in them.
    pub paths: Vec<PathBuf>,
}

/// The cache's caretaker. It takes the lock only while it changes something, and waits for
/// every process that has the cache open.
#[derive(Debug, Clone)]
pub struct CacheAdmin {
    root: PathBuf,
}

impl CacheAdmin {
    /// For the cache at `root`, whether or not it exists.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The cache's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for byte-code, which whoever installs wheels fills.
    pub fn byte_code(&self) -> PathBuf {
        self.root.join(Bucket::ByteCode.folder())
    }

    /// The size of every folder of the cache, known bucket or not.
    ///
    /// # Errors
    /// When a folder can't be read.
    pub fn info(&self) -> Result<Vec<BucketInfo>, CacheError> {
        self.wrap(|| {
            let mut buckets = Vec::new();
            for folder in subfolders(&self.root)? {
                let name = file_name(&folder);
                let mut info = BucketInfo {
                    entries: 0,
                    size_bytes: 0,
                    name,
                };
                let is_store = info.name == Bucket::Store.folder();
                walk(&folder, &mut |path, size| {
                    let is_entry =
                        !is_store || path.extension().is_some_and(|ext| ext == "manifest");
                    info.entries += u64::from(is_entry && !file_name(path).starts_with('.'));
                    info.size_bytes += size;
                    Ok(())
                })?;
                buckets.push(info);
            }
            buckets.sort_by(|left, right| left.name.cmp(&right.name));
            Ok(buckets)
        })
    }

    /// The wheels in the cache whose file name matches `pattern` (`*` and `?`; a bare name stands
    /// for the project), sorted.
    ///
    /// # Errors
    /// When a folder can't be read.
    pub fn list(&self, pattern: Option<&str>) -> Result<Vec<CacheEntry>, CacheError> {
        self.wrap(|| {
            let mut entries = Vec::new();
            walk_shards(&self.root.join(Bucket::Store.folder()), &mut |path| {
                if let Some(manifest) = Manifest::read(path) {
                    entries.push(CacheEntry {
                        size_bytes: manifest.size_bytes(),
                        filename: manifest.filename,
                        path: path.with_extension(""),
                    });
                }
                Ok(())
            })?;
            walk(
                &self.root.join(Bucket::Wheels.folder()),
                &mut |path, size_bytes| {
                    if path.extension().is_some_and(|extension| extension == "whl") {
                        entries.push(CacheEntry {
                            filename: file_name(path),
                            size_bytes,
                            path: path.to_path_buf(),
                        });
                    }
                    Ok(())
                },
            )?;
            entries.retain(|entry| pattern.is_none_or(|pattern| matches(pattern, &entry.filename)));
            entries.sort();
            Ok(entries)
        })
    }

    /// Removes the wheels that match `pattern`, and their metadata. Waits for other processes;
    /// `waiting` is called once if it has to.
    ///
    /// # Errors
    /// When a file can't be read or removed.
    pub fn remove(&self, pattern: &str, waiting: impl FnOnce()) -> Result<RemovedInfo, CacheError> {
        let Some(_lock) = self.lock(waiting)? else {
            return Ok(RemovedInfo::default());
        };
        let entries = self.list(Some(pattern))?;
        self.wrap(|| {
            let mut removed = RemovedInfo::default();
            for entry in entries {
                if entry.path.is_dir() {
                    // The manifest goes first: an entry without one doesn't count.
                    remove_file(&entry.path.with_added_extension("manifest"), &mut removed)?;
                    remove_tree(&entry.path, &mut removed)?;
                    self.remove_byte_code(&file_name(&entry.path), &mut removed)?;
                } else {
                    remove_file(&entry.path, &mut removed)?;
                }
            }
            let mut records = Vec::new();
            for bucket in [Bucket::Metadata, Bucket::Members] {
                walk(&self.root.join(bucket.folder()), &mut |path, _| {
                    let filename = fs::read(path)
                        .ok()
                        .and_then(|bytes| wheel_of_record(bucket, path, &bytes));
                    if filename.is_some_and(|filename| matches(pattern, &filename)) {
                        records.push(path.to_path_buf());
                    }
                    Ok(())
                })?;
            }
            for record in records {
                remove_file(&record, &mut removed)?;
            }
            Ok(removed)
        })
    }

    /// Removes what is kept of a wheel's byte-code, for all interpreters.
    fn remove_byte_code(&self, sha256: &str, removed: &mut RemovedInfo) -> io::Result<()> {
        let shard = self.byte_code().join(sha256.get(..2).unwrap_or("00"));
        let mut packs = Vec::new();
        walk(&shard, &mut |path, _| {
            if file_name(path).starts_with(sha256) {
                packs.push(path.to_path_buf());
            }
            Ok(())
        })?;
        packs.iter().try_for_each(|pack| remove_file(pack, removed))
    }

    /// Removes everything. Waits for other processes; `waiting` is called once if it has to.
    ///
    /// # Errors
    /// When a file can't be removed.
    pub fn purge(&self, waiting: impl FnOnce()) -> Result<RemovedInfo, CacheError> {
        let Some(_lock) = self.lock(waiting)? else {
            return Ok(RemovedInfo::default());
        };
        self.wrap(|| {
            let mut removed = RemovedInfo::default();
            for folder in subfolders(&self.root)? {
                remove_tree(&folder, &mut removed)?;
            }
            Ok(removed)
        })
    }

    fn lock(&self, waiting: impl FnOnce()) -> Result<Option<fs::File>, CacheError> {
        if !self.root.is_dir() {
            return Ok(None);
        }
        self.wrap(|| {
            let lock = open_lock(&self.root)?;
            if lock.file().try_lock().is_err() {
                waiting();
                lock.file().lock()?;
            }
            Ok(Some(lock))
        })
    }

    fn wrap<T>(&self, action: impl FnOnce() -> io::Result<T>) -> Result<T, CacheError> {
        action().map_err(|source| CacheError::Io {
            path: self.root.clone(),
            source,
        })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The file name of the wheel that a record is about.
fn wheel_of_record(bucket: Bucket, path: &Path, bytes: &[u8]) -> Option<String> {
    match bucket {
        Bucket::Members => remote_wheel::cached_filename(path, bytes),
        _ => metadata::cached_filename(path, bytes)
            .or_else(|| crate::client::cached_filename(path, bytes)),
    }
}

fn subfolders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(folders),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// Calls `visit` with every file below `root` and its size; links are not followed.
fn walk(root: &Path, visit: &mut dyn FnMut(&Path, u64) -> io::Result<()>) -> io::Result<()> {
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                visit(&entry.path(), entry.metadata()?.len())?;
            }
        }
    }
    Ok(())
}

/// Calls `visit` with every manifest of the store, without walking the unpacked wheels.
fn walk_shards(store: &Path, visit: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    for shard in subfolders(store)? {
        for entry in fs::read_dir(&shard)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "manifest")
            {
                visit(&path)?;
            }
        }
    }
    Ok(())
}

fn remove_file(path: &Path, removed: &mut RemovedInfo) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => removed.size_bytes += other?.len(),
    }
    fs::remove_file(path)?;
    removed.files += 1;
    removed.paths.push(path.to_path_buf());
    Ok(())
}

fn remove_tree(root: &Path, removed: &mut RemovedInfo) -> io::Result<()> {
    walk(root, &mut |_, size| {
        removed.files += 1;
        removed.size_bytes += size;
        Ok(())
    })?;
    removed.folders += 1;
    removed.paths.push(root.to_path_buf());
    fs::remove_dir_all(root)
}

/// Whether a wheel's file name matches a pattern as `pip cache` takes them: without a wildcard
/// or a dash it is a project's name.
fn matches(pattern: &str, filename: &str) -> bool {
    let normalize = |text: &str| text.to_ascii_lowercase().replace(['-', '.'], "_");
    if !pattern.contains(['*', '?', '-'])
        || pattern.parse::<bnbpip_packaging::PackageName>().is_ok()
    {
        let name = filename.split('-').next().unwrap_or_default();
        if normalize(name) == normalize(pattern) {
            return true;
        }
    }
    let pattern = pattern.to_ascii_lowercase();
    let filename = filename.to_ascii_lowercase();
    wildcard(pattern.as_bytes(), filename.as_bytes())
        || wildcard(format!("{pattern}-*").as_bytes(), filename.as_bytes())
}

/// `*` stands for any run of bytes, `?` for one.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut in_text) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, in_text));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => match &mut retry {
                Some((after_star, from)) => {
                    *from += 1;
                    at = *after_star;
                    in_text = *from;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_and_wildcards() {
        let wheel = "Foo_Bar-1.0-py3-none-any.whl";
        for pattern in [
            "foo-bar",
            "foo_bar",
            "FOO.BAR",
            "foo*",
            "foo_bar-1.0",
            "*any.whl",
            "*",
        ] {
            assert!(matches(pattern, wheel), "{pattern}");
        }
        for pattern in ["foo", "bar", "foo_bar-1", "foo?", "*.zip", ""] {
            assert!(!matches(pattern, wheel), "{pattern}");
        }
    }
}
