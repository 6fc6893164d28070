//! A blob: bytes from somewhere, with the path they lie under.
//!
//! Where the bytes came from in full (commit, author, reachability) is an [`Origin`](super::origin::Origin).

use std::fmt;

/// The id of a git object: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    bytes: [u8; 32],
    len: u8,
}

impl ObjectId {
    /// An id from its raw bytes; `None` unless there are 20 or 32 of them.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self {
            bytes,
            len: raw.len() as u8,
        })
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Bytes to scan, borrowed from the reader that holds them for the length of one call.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    /// The bytes, as stored.
    pub bytes: &'a [u8],
    /// The path, relative to the repository or scanned root, with forward slashes. Empty where only
    /// the object id is known yet (history).
    pub path: &'a str,
    /// The git object id, where the source knows it.
    pub id: Option<ObjectId>,
}
