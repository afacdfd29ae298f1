//! Where uploads go: memory, or a folder of this machine that no path escapes.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::StatusCode;

use super::folder::Folder;
use super::{FilePath, TargetError};
use crate::phone::ContentHash;

/// Locks, so that accept loops seldom meet.
const SHARDS: usize = 64;
/// Octets a store in memory holds, unless told otherwise: 2 GiB.
pub const MEMORY_CAPACITY: u64 = 2 << 30;

/// The stored files.
#[derive(Debug)]
pub struct Store {
    shards: Vec<Mutex<HashMap<Box<str>, Entry>>>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory { octets: AtomicU64, capacity: u64, folders: Option<Vec<String>> },
    Folder(Folder),
}

#[derive(Debug)]
enum Entry {
    /// In memory.
    File(Bytes),
    /// Deleted by a request: a generated document of this name is gone too.
    Deleted,
}

/// What is stored under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file.
    File(Bytes),
    /// A file was deleted here; generated documents count as deleted too.
    Deleted,
    /// Nothing was ever stored.
    Nothing,
}

/// What a path held before it was written or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// A stored file.
    File,
    /// A mark that something was deleted.
    Deleted,
    /// Nothing.
    Nothing,
}

/// Why a file cannot be stored, read or deleted.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the file does not exist.
    #[error("the folder does not exist")]
    MissingParent,
    /// There is a folder of this name, or something that is no file.
    #[error("what is there is not a file")]
    NotAFile,
    /// There is no room.
    #[error("the store is full")]
    Full,
    /// The system refuses.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl StoreError {
    /// What it is answered with, where the likeness has no status of its own.
    pub fn status(&self) -> StatusCode {
        match self {
            StoreError::MissingParent => StatusCode::CONFLICT,
            StoreError::NotAFile => StatusCode::CONFLICT,
            StoreError::Full => StatusCode::INSUFFICIENT_STORAGE,
            StoreError::Io(e) if e.kind() == io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
            StoreError::Io(e) if e.kind() == io::ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            StoreError::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Store {
    /// Octets of files in memory.
    pub(crate) fn kept_in_memory(&self) -> u64 {
        match &self.place {
            Place::Memory { octets, .. } => octets.load(Ordering::Relaxed),
            Place::Folder(_) => 0,
        }
    }

    /// A store in memory that holds at most `capacity` octets. Without a list of `folders` every folder exists.
    pub fn memory(capacity: u64, folders: Option<Vec<String>>) -> Store {
        let folders = folders.map(|all| all.into_iter().map(|f| f.trim_matches('/').to_owned()).collect());
        Store::over(Place::Memory { octets: AtomicU64::new(0), capacity, folders })
    }

    /// A store in a folder that exists and can be written to.
    pub fn folder(path: &Path) -> Result<Store, TargetError> {
        let refuse = |cause| TargetError::Folder { folder: PathBuf::from(path), cause };
        Ok(Store::over(Place::Folder(Folder::open(path).map_err(refuse)?)))
    }

    fn over(place: Place) -> Store {
        Store { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), place }
    }

    /// Whether it is in memory: names on disk are as the file system has them.
    pub fn is_memory(&self) -> bool {
        matches!(self.place, Place::Memory { .. })
    }

    /// What is stored under this path.
    pub fn get(&self, path: &FilePath) -> Result<Found, StoreError> {
        let shard = self.shard(path);
        match (shard.get(path.as_str()), &self.place) {
            (Some(Entry::File(content)), _) => Ok(Found::File(content.clone())),
            (Some(Entry::Deleted), _) => Ok(Found::Deleted),
            (None, Place::Memory { .. }) => Ok(Found::Nothing),
            (None, Place::Folder(folder)) => {
                drop(shard);
                Ok(folder.read(path)?.map_or(Found::Nothing, Found::File))
            }
        }
    }

    /// Stores a file, whole or not at all, and says what was there before.
    pub fn put(&self, path: &FilePath, content: &[u8], makes_parent: bool) -> Result<Former, StoreError> {
        let mut shard = self.shard(path);
        match &self.place {
            Place::Memory { octets, capacity, folders } => {
                let known = |f: &&String| {
                    *f == path.parent() || f.strip_prefix(path.parent()).is_some_and(|r| r.starts_with('/'))
                };
                if !makes_parent
                    && !path.parent().is_empty()
                    && folders.as_ref().is_some_and(|all| !all.iter().any(|f| known(&f)))
                {
                    return Err(StoreError::MissingParent);
                }
                let before = match shard.get(path.as_str()) {
                    Some(Entry::File(old)) => old.len() as u64,
                    _ => 0,
                };
                let size = content.len() as u64;
                let room = |held: u64| held.checked_sub(before)?.checked_add(size).filter(|sum| sum <= capacity);
                octets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).map_err(|_| StoreError::Full)?;
                // A copy of its own: a slice would keep the connection's whole read buffer alive.
                Ok(Former::of(shard.insert(path.as_str().into(), Entry::File(Bytes::copy_from_slice(content)))))
            }
            Place::Folder(folder) => {
                let overwrote = folder.write(path, content, makes_parent)?;
                let mark = shard.remove(path.as_str());
                Ok(if overwrote { Former::File } else { Former::of(mark) })
            }
        }
    }

    /// Deletes a file and says what was there. A mark stays if `leaves_mark`, so that a generated document of
    /// this name is gone as well.
    pub fn delete(&self, path: &FilePath, leaves_mark: bool) -> Result<Former, StoreError> {
        let mut shard = self.shard(path);
        let was = match &self.place {
            Place::Memory { octets, .. } => {
                let old = shard.remove(path.as_str());
                if let Some(Entry::File(content)) = &old {
                    octets.fetch_sub(content.len() as u64, Ordering::Relaxed);
                }
                Former::of(old)
            }
            Place::Folder(folder) => {
                let removed = folder.remove(path)?;
                let mark = Former::of(shard.remove(path.as_str()));
                if removed { Former::File } else { mark }
            }
        };
        if leaves_mark || was == Former::Deleted {
            shard.insert(path.as_str().into(), Entry::Deleted);
        }
        Ok(was)
    }

    fn shard(&self, path: &FilePath) -> MutexGuard<'_, HashMap<Box<str>, Entry>> {
        let mut hash = ContentHash::default();
        hash.update(path.as_str().as_bytes());
        let index = (hash.finish() % SHARDS as u64) as usize;
        // Every change is a single insert or remove: a map left by a panicking thread is whole.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Former {
    fn of(entry: Option<Entry>) -> Former {
        match entry {
            Some(Entry::File(_)) => Former::File,
            Some(Entry::Deleted) => Former::Deleted,
            None => Former::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn path(text: &str) -> FilePath {
        FilePath::parse(text).unwrap()
    }

    #[test]
    fn memory_is_bounded_and_freed() {
        let store = Store::memory(10, None);
        assert_eq!(store.put(&path("/a"), b"12345678", false).unwrap(), Former::Nothing);
        assert!(matches!(store.put(&path("/b"), b"123", false), Err(StoreError::Full)));
        assert_eq!(store.put(&path("/a"), b"1", false).unwrap(), Former::File);
        assert_eq!(store.put(&path("/b"), b"123", false).unwrap(), Former::Nothing);
        assert_eq!(store.delete(&path("/b"), false).unwrap(), Former::File);
        assert_eq!(store.put(&path("/c"), b"123456789", false).unwrap(), Former::Nothing);
    }

    #[test]
    fn only_named_folders_exist_if_any_are_named() {
        let store = Store::memory(100, Some(vec!["/site/backup/".into()]));
        assert!(store.put(&path("/a"), b"1", false).is_ok());
        assert!(store.put(&path("/site/a"), b"1", false).is_ok());
        assert!(store.put(&path("/site/backup/a"), b"1", false).is_ok());
        assert!(matches!(store.put(&path("/si/a"), b"1", false), Err(StoreError::MissingParent)));
        assert!(matches!(store.put(&path("/other/a"), b"1", false), Err(StoreError::MissingParent)));
        assert!(store.put(&path("/other/a"), b"1", true).is_ok());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Put(u8, Vec<u8>),
        Delete(u8, bool),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0u8..4, proptest::collection::vec(any::<u8>(), 0..9)).prop_map(|(f, c)| Step::Put(f, c)),
            (0u8..4, any::<bool>()).prop_map(|(f, mark)| Step::Delete(f, mark)),
        ];
        proptest::collection::vec(step, 0..30)
    }

    proptest! {
        /// Memory and folder do the same, and that is what a plain map would do.
        #[test]
        fn memory_and_folder_agree(steps in steps()) {
            let home = tempfile::tempdir().unwrap();
            let stores = [Store::memory(1000, None), Store::folder(home.path()).unwrap()];
            let mut model: BTreeMap<u8, Found> = BTreeMap::new();
            for step in steps {
                let was = |f| match model.get(&f) {
                    Some(Found::File(_)) => Former::File,
                    Some(Found::Deleted) => Former::Deleted,
                    _ => Former::Nothing,
                };
                match &step {
                    Step::Put(f, content) => {
                        for store in &stores {
                            prop_assert_eq!(store.put(&path(&format!("/f{f}")), content, false).unwrap(), was(*f));
                        }
                        model.insert(*f, Found::File(Bytes::copy_from_slice(content)));
                    }
                    Step::Delete(f, mark) => {
                        let former = was(*f);
                        for store in &stores {
                            prop_assert_eq!(store.delete(&path(&format!("/f{f}")), *mark).unwrap(), former);
                        }
                        if *mark || former == Former::Deleted {
                            model.insert(*f, Found::Deleted);
                        } else {
                            model.remove(f);
                        }
                    }
                }
                for f in 0..4 {
                    for store in &stores {
                        let found = store.get(&path(&format!("/f{f}"))).unwrap();
                        prop_assert_eq!(&found, model.get(&f).unwrap_or(&Found::Nothing));
                    }
                }
            }
        }
    }
}
