//! Why there is no cache. Never a reason to stop.

use std::io;
use std::path::PathBuf;

/// What stands in the way of a cache.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or the file cannot be made or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else lies there.
    #[error("{path}: another program's database lies there", path = path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// The database refuses.
    #[error("{path}: {source}", path = path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}
