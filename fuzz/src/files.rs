//! Lists of phones and users, and the names of files.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bootstorm::target::{Accounts, FilePath};
use bootstorm::workload::{Overrides, parse};

/// A list is refused line by line, or every phone in it has a name.
pub fn fleet_list(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Accounts::from_csv(text, Path::new("users.csv"));
    }
    let list = list();
    let folder = list.parent().unwrap();
    let name = list.file_name().unwrap().to_string_lossy();
    let workload = format!(
        "[target]\nembedded = true\n[[fleet]]\nfamily = \"avaya-96xx\"\ncsv = \"{name}\"\n[[phase]]\ndoes = \"power-up\"\n"
    );
    std::fs::write(&list, data).unwrap();
    let plan = parse(&workload, "fuzz.toml", folder, &Overrides::default());
    std::fs::remove_file(&list).unwrap();
    match plan {
        Ok(plan) => {
            for index in 0..plan.phones() {
                assert!(!plan.fleets[0].identity(index).extension.is_empty());
            }
        }
        Err(e) => assert!(!e.to_string().is_empty()),
    }
}

/// Where the next list is for the moment it is read: in memory where there is such a folder.
fn list() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    folder.join(format!("bootstorm-fuzz-{}-{}.csv", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)))
}

/// Whatever a request asks for: refused, or a name that stays below the root.
pub fn file_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(path) = FilePath::parse(text) else { return };
    let name = path.as_str();
    assert!(!name.starts_with('/') && !name.ends_with('/'), "{text:?}: {name:?}");
    assert!(!name.contains(|c: char| c == '\\' || c.is_control()), "{text:?}: {name:?}");
    assert!(name.is_empty() || name.split('/').all(|n| !matches!(n, "" | "." | "..")), "{text:?}: {name:?}");
    assert!(name.len() <= 2048, "{text:?}");
    let joined = if path.parent().is_empty() { String::new() } else { format!("{}/", path.parent()) } + path.name();
    assert_eq!(joined, name);
    assert!(path.is_folder() || !name.is_empty());
}
