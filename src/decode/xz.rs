//! xz and lzip streams, one or several after another.
//!
//! Formats: "The .xz File Format" 1.2.1 (tukaani.org); "Lzip stream format" (lzip manual).

use super::member::{Members, Outcome};

/// Dictionaries may take this much memory: twice what the highest preset of xz asks for.
const MEMORY_KB: u32 = 128 << 10;

/// Either magic.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xfd7zXZ\0") || bytes.starts_with(b"LZIP\x01")
}

/// Reads the content.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    if bytes.starts_with(b"LZIP") {
        members.content("", &mut lzma_rust2::LzipReader::new(bytes));
    } else {
        let mut reader = lzma_rust2::XzReader::new_mem_limit(bytes, true, MEMORY_KB);
        members.content("", &mut reader);
    }
    Ok(())
}
