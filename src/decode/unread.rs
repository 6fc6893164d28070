//! Containers that are recognised and not read, so that a scan never passes over them in silence.
//!
//! Magic numbers: the formats' own descriptions (RAR 5.0 archive format, MS-CAB, LZ4 frame format 1.6,
//! compress(1), libyal's documentation of the others).

use super::member::{Fault, Members, Outcome};

const KINDS: &[(&[u8], &str)] = &[
    (b"Rar!\x1a\x07", "RAR archives"),
    (b"MSCF\0\0\0\0", "cabinet archives"),
    (b"\x04\x22\x4d\x18", "lz4 streams"),
    (b"\x1f\x9d\x90", "streams of compress"),
    (b"xar!\0\x1c", "xar archives"),
    (b"hsqs", "squashfs images"),
];

/// One of the list.
pub(super) fn is(bytes: &[u8]) -> bool {
    kind(bytes).is_some()
}

fn kind(bytes: &[u8]) -> Option<&'static str> {
    // A text may begin with the letters of one.
    memchr::memchr(0, &bytes[..bytes.len().min(512)])?;
    let kind = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic))?;
    Some(kind.1)
}

/// Says what it is.
pub(super) fn each(bytes: &[u8], _: &mut dyn Members) -> Outcome {
    let kind = kind(bytes).unwrap_or("such files");
    Err(Fault::unsupported(format!(
        "{kind} are not opened by this version"
    )))
}
