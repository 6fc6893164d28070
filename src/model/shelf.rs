//! A shelf: where pages of bytes are kept from one run to the next. What stands on a page is the business
//! of whoever wrote it.
//!
//! Not here: files. Whoever hands out a shelf knows where it stands.

use std::fmt::Debug;

/// What a page goes by. It is made by a hash and tells nothing.
pub type PageKey = [u8; 32];

/// Keeps pages. Nothing may depend on it but time: a page may be gone at any moment, and what is kept may
/// not arrive.
pub trait Shelf: Debug + Send + Sync {
    /// One part of a page, as it was kept; `None` if it is not there whole.
    fn part(&self, page: &PageKey, part: u8) -> Option<Vec<u8>>;
    /// Keeps a page in the place of what was there, all parts or none. Parts are numbered from 0.
    fn keep(&self, page: &PageKey, parts: &[Vec<u8>]);
}
