//! What an importer reads: bytes with a name. A live client belongs to the importer's own options.

use zeroize::Zeroizing;

/// An export, in memory only for the length of an import.
#[derive(Debug)]
pub struct Input {
    /// The file name or URL, for messages and record sources.
    pub name: String,
    /// The bytes, overwritten when dropped.
    pub bytes: Zeroizing<Vec<u8>>,
}
