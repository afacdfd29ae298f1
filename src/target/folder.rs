//! A folder of this machine as a store: no path leaves it, no link is followed, no half file is ever seen.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::FilePath;
use super::path::RESERVED;
use super::store::StoreError;

/// A folder that existed and could be written to when it was opened.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    written: AtomicU64,
}

/// What stands at a place.
enum There {
    File,
    Nothing,
}

impl Folder {
    /// Opens a folder, and proves that it can be written to by writing.
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        let root = fs::canonicalize(path)?;
        let folder = Folder { root, written: AtomicU64::new(0) };
        let (_, probe) = folder.draft(&folder.root)?;
        fs::remove_file(&probe)?;
        Ok(folder)
    }

    /// The content of a file; `None` if there is none.
    pub(crate) fn read(&self, path: &FilePath) -> Result<Option<Bytes>, StoreError> {
        let found = self.find(path, false).and_then(|(place, there)| match there {
            There::File => Ok(Some(Bytes::from(fs::read(place)?))),
            There::Nothing => Ok(None),
        });
        match found {
            // To someone who reads, what is no file is not there.
            Err(StoreError::MissingParent | StoreError::NotAFile) => Ok(None),
            other => other,
        }
    }

    /// Writes a file, whole or not at all; says whether one was there.
    pub(crate) fn write(&self, path: &FilePath, content: &[u8], makes_parent: bool) -> Result<bool, StoreError> {
        let (place, there) = self.find(path, makes_parent)?;
        let (mut file, draft) = self.draft(place.parent().unwrap_or(&self.root))?;
        let written = file.write_all(content).and_then(|()| fs::rename(&draft, &place));
        if let Err(error) = written {
            // Nothing more can be done if even this fails: the draft's name is reserved, nobody will see it.
            let _ = fs::remove_file(&draft);
            return Err(error.into());
        }
        Ok(matches!(there, There::File))
    }

    /// Removes a file; says whether one was there.
    pub(crate) fn remove(&self, path: &FilePath) -> Result<bool, StoreError> {
        match self.find(path, false) {
            Ok((place, There::File)) => {
                fs::remove_file(place)?;
                Ok(true)
            }
            Ok((_, There::Nothing)) | Err(StoreError::MissingParent | StoreError::NotAFile) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Walks down to a place, name by name. A link on the way is no folder, and a link at the end is no file:
    /// whoever else writes into the folder cannot lead a request out of it.
    fn find(&self, path: &FilePath, makes_parent: bool) -> Result<(PathBuf, There), StoreError> {
        let mut place = self.root.clone();
        let mut names = path.names().peekable();
        while let Some(name) = names.next() {
            place.push(name);
            let last = names.peek().is_none();
            match fs::symlink_metadata(&place) {
                Ok(there) if last && there.is_file() => return Ok((place, There::File)),
                Ok(there) if !last && there.is_dir() => {}
                Ok(_) if last => return Err(StoreError::NotAFile),
                Ok(_) => return Err(StoreError::MissingParent),
                Err(e) if e.kind() == io::ErrorKind::NotFound && last => return Ok((place, There::Nothing)),
                Err(e) if e.kind() == io::ErrorKind::NotFound && makes_parent => match fs::create_dir(&place) {
                    Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e.into()),
                    // Made just now, by us or by another loop.
                    _ => {}
                },
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(StoreError::MissingParent),
                // The whole path is longer than the file system takes.
                Err(e) if e.kind() == io::ErrorKind::InvalidFilename => return Err(StoreError::NotAFile),
                Err(e) => return Err(e.into()),
            }
        }
        Err(StoreError::NotAFile)
    }

    /// A new file in this folder under a name that no request can have.
    fn draft(&self, folder: &Path) -> io::Result<(File, PathBuf)> {
        loop {
            let n = self.written.fetch_add(1, Ordering::Relaxed);
            let draft = folder.join(format!("{RESERVED}{n}"));
            match OpenOptions::new().write(true).create_new(true).open(&draft) {
                Ok(file) => return Ok((file, draft)),
                // Another target's, or left by one that was killed: the next number, then.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::symlink;

    fn path(text: &str) -> FilePath {
        FilePath::parse(text).unwrap()
    }

    fn names(of: &Path) -> Vec<String> {
        let mut all: Vec<_> =
            fs::read_dir(of).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    }

    #[test]
    fn files_come_back_and_no_draft_stays() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        assert!(!folder.write(&path("/a.txt"), b"one", false).unwrap());
        assert!(folder.write(&path("/a.txt"), b"two", false).unwrap());
        assert_eq!(folder.read(&path("/a.txt")).unwrap().unwrap(), "two");
        assert!(matches!(folder.write(&path("/x/a.txt"), b"", false), Err(StoreError::MissingParent)));
        assert!(!folder.write(&path("/x/y/a.txt"), b"", true).unwrap());
        assert!(matches!(folder.write(&path("/x/y"), b"", true), Err(StoreError::NotAFile)));
        assert!(matches!(folder.write(&path("/a.txt/b"), b"", true), Err(StoreError::MissingParent)));
        assert_eq!(folder.read(&path("/x")).unwrap(), None);
        assert_eq!(names(home.path()), ["a.txt", "x"]);
        assert!(folder.remove(&path("/a.txt")).unwrap());
        assert!(!folder.remove(&path("/a.txt")).unwrap());
    }

    #[test]
    fn no_link_leads_out() {
        let home = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        symlink(outside.path(), home.path().join("way")).unwrap();
        symlink(outside.path().join("secret"), home.path().join("file")).unwrap();
        let folder = Folder::open(home.path()).unwrap();
        for name in ["/way/secret", "/file", "/way"] {
            assert_eq!(folder.read(&path(name)).unwrap(), None, "{name}");
            assert!(folder.write(&path(name), b"x", true).is_err(), "{name}");
            assert!(!folder.remove(&path(name)).unwrap(), "{name}");
        }
        assert!(folder.write(&path("/way/new"), b"x", true).is_err());
        assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "s");
        assert_eq!(names(outside.path()), ["secret"]);
    }

    #[test]
    fn a_folder_that_is_none_is_refused() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Folder::open(&home.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::write(home.path().join("file"), "").unwrap();
        assert!(Folder::open(&home.path().join("file")).is_err());
    }

    proptest! {
        /// Whatever is written under whatever name: only the root's inside changes.
        #[test]
        fn nothing_is_written_outside(raw in "/(\\.|%2e|/|%2f|\\\\|%5c|root|a|~){0,12}") {
            let home = tempfile::tempdir().unwrap();
            let root = home.path().join("root");
            fs::create_dir(&root).unwrap();
            let folder = Folder::open(&root).unwrap();
            if let Ok(path) = FilePath::parse(&raw) {
                let _ = folder.write(&path, b"x", true);
            }
            prop_assert_eq!(names(home.path()), ["root"]);
        }
    }
}
