//! Why a store or its key cannot be used. No variant carries key material.

use std::io;
use std::path::PathBuf;

/// Why a store or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key file to be created is there already.
    #[error("{}: there is a key file already", .path.display())]
    KeyExists {
        /// The key file.
        path: PathBuf,
    },
    /// There is no key file.
    #[error("{}: there is no key file", .path.display())]
    KeyMissing {
        /// The key file.
        path: PathBuf,
    },
    /// The file is no key file.
    #[error("{}: this is not a keyatlas key file", .path.display())]
    KeyShape {
        /// The key file.
        path: PathBuf,
    },
    /// Others on this machine may read the key file.
    #[error("{}: group or others may read this key file (mode {mode:04o})", .path.display())]
    KeyOpenToOthers {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The store is sealed under another key.
    #[error("{}: this store is sealed under another key than {}", .store.display(), .key_file.display())]
    OtherKey {
        /// The store.
        store: PathBuf,
        /// The key file that does not fit.
        key_file: PathBuf,
    },
    /// The store was opened without its key, and this needs it.
    #[error("{}: this needs the store's key, and it was opened without", .path.display())]
    NoKey {
        /// The store.
        path: PathBuf,
    },
    /// The store to be created is there already.
    #[error("{}: there is a file already", .path.display())]
    Exists {
        /// The store.
        path: PathBuf,
    },
    /// There is no store.
    #[error("{}: there is no inventory", .path.display())]
    Missing {
        /// The store.
        path: PathBuf,
    },
    /// A database, but not one of ours.
    #[error("{}: this is not a keyatlas inventory", .path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// Written by a later version of this program.
    #[error("{}: this inventory has layout {found}; this program knows up to {known}", .path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// Layout of the store.
        found: i64,
        /// Newest layout known here.
        known: i64,
    },
    /// Damaged. It was not written to.
    #[error("{}: this inventory is damaged: {what}", .path.display())]
    Corrupt {
        /// The store.
        path: PathBuf,
        /// What does not hold.
        what: String,
    },
    /// Another process holds the store.
    #[error("{}: another process is writing to this inventory", .path.display())]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database refused.
    #[error("{}: {source}", .path.display())]
    Database {
        /// The store.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The operating system gave no random bytes, or the cipher refused.
    #[error("no key could be made: {0}")]
    Random(String),
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::KeyExists { .. } => {
                "keep it: it may open a store. Name another file, or remove it yourself"
            }
            Self::KeyMissing { .. } => {
                "name the file that was written when the inventory was created, or open the inventory without a key"
            }
            Self::KeyShape { .. } => {
                "name the file that was written when the inventory was created"
            }
            Self::KeyOpenToOthers { path, .. } => {
                return Some(format!(
                    "chmod 600 {}; if others have read it, rekey",
                    path.display()
                ));
            }
            Self::OtherKey { .. } => {
                "name the key file of this store; without it, create a new store and import again"
            }
            Self::NoKey { .. } => "name the key file of this store",
            Self::Exists { .. } => "import into it, or name another file",
            Self::Missing { .. } => {
                "create one with `keyatlas inventory init`, or name another file"
            }
            Self::NotAStore { .. } => "name another file; nothing was changed",
            Self::Newer { .. } => "update keyatlas; nothing was changed",
            Self::Corrupt { .. } => {
                "nothing was changed; restore a copy, or create a new inventory and import again"
            }
            Self::Busy { .. } => "try again when it is done",
            Self::Io { .. } | Self::Database { .. } | Self::Random(_) => return None,
        };
        Some(hint.to_owned())
    }
}
