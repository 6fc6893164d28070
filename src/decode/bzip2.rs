//! bzip2 streams, one or several after another.
//!
//! Format: bzip2 manual, section 2; the magic is told in its source and in many descriptions since.

use super::member::{Members, Outcome};

/// The first block's magic, the digits of pi.
const BLOCK: &[u8] = &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
/// The end of a stream without blocks, those of its square root.
const END: &[u8] = &[0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

/// `BZh`, the size of blocks, and a block or the end.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BZh")
        && bytes
            .get(4..)
            .is_some_and(|it| it.starts_with(BLOCK) || it.starts_with(END))
}

/// Reads the content.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    members.content("", &mut ::bzip2::bufread::MultiBzDecoder::new(bytes));
    Ok(())
}
