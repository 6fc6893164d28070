//! Whether decoded bytes are worth handing on: text, or the beginning of something that is opened.

/// How containers and streams begin.
const MAGICS: &[&[u8]] = &[
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf",
    b"%PDF-",
    b"SQLite format 3\0",
    b"\xfe\xed\xfe\xed\0\0\0",
];

/// Text in UTF-8 or UTF-16, or one of the magics.
pub(super) fn is_readable(bytes: &[u8]) -> bool {
    is_text(bytes) || is_opened(bytes) || bytes.get(1) == Some(&0) && is_wide(bytes)
}

/// Whether it begins as something that is opened.
pub(super) fn is_opened(bytes: &[u8]) -> bool {
    // Asked of every run that decodes at all: one byte answers for most.
    match bytes.first() {
        Some(0x30) => bytes.get(1) == Some(&0x82) && bytes.get(4..7) == Some(&[2, 1, 3]),
        Some(0x1f | b'P' | b'B' | 0xfd | 0x28 | b'7' | b'%' | b'S' | 0xfe) => {
            MAGICS.iter().any(|it| bytes.starts_with(it))
        }
        _ => false,
    }
}

/// Mostly printable, with no control byte but white space.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let printable = bytes
        .iter()
        .filter(|it| matches!(it, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
        .count();
    printable * 20 >= bytes.len() * 19
}

/// ASCII with a zero byte behind each: what PowerShell takes as `-EncodedCommand`.
fn is_wide(bytes: &[u8]) -> bool {
    let pairs = bytes.chunks_exact(2);
    let count = pairs.len();
    let wide = pairs.filter(|it| it[1] == 0 && (it[0] >= b' ' || it[0].is_ascii_whitespace()));
    count >= 8 && wide.count() * 10 >= count * 9
}
