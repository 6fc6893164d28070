//! What a container's reader says to the walk: members one by one, and what could not be read. Not here:
//! the limits, which the walk keeps.

use crate::model::coverage::Reason;
use std::io::{self, Read};

/// The receiver of what a reader finds.
pub trait Members {
    /// A member and its bytes. Whether more members are wanted.
    fn member(&mut self, name: &str, bytes: &mut dyn Read) -> bool;

    /// The one content of a compressed stream, with the name it carries, if any: if that is an archive,
    /// its members are this container's.
    fn content(&mut self, name: &str, bytes: &mut dyn Read) -> bool;

    /// What the container wraps in another container; whether that is one.
    fn layer(&mut self, bytes: &[u8]) -> bool;

    /// A member, or the container itself (no name), that was not read or not in full.
    fn gap(&mut self, name: Option<&str>, reason: Reason, detail: String);
}

/// Why a container was not read to its end.
#[derive(Debug)]
pub struct Fault {
    /// The kind of trouble.
    pub reason: Reason,
    /// A sentence.
    pub detail: String,
}

impl Fault {
    /// The bytes are not what the format asks for.
    pub(super) fn damaged(detail: impl Into<String>) -> Self {
        Self {
            reason: Reason::Damaged,
            detail: detail.into(),
        }
    }

    /// A part of the format that is not read.
    pub(super) fn unsupported(detail: impl Into<String>) -> Self {
        Self {
            reason: Reason::Unsupported,
            detail: detail.into(),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::damaged(error.to_string())
    }
}

/// What a reader comes to.
pub type Outcome = Result<(), Fault>;

/// Longer names tell nothing more.
const LONGEST: usize = 1024;

/// A member's name as text: UTF-8 where it is, else Latin-1; control characters blanked, `/` as the
/// separator. It is only ever shown, never opened.
pub(super) fn name(raw: &[u8]) -> String {
    let raw = &raw[..raw.len().min(LONGEST)];
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => raw.iter().map(|it| char::from(*it)).collect(),
    };
    let shown = |it: char| match it {
        '\\' => '/',
        it if it.is_control() => char::REPLACEMENT_CHARACTER,
        it => it,
    };
    let text: String = text.chars().map(shown).collect();
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

/// The little-endian number of two bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let raw = bytes.get(at..)?.first_chunk()?;
    Some(usize::from(u16::from_le_bytes(*raw)))
}

/// The little-endian number of four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The little-endian number of eight bytes.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
