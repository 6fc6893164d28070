//! Textual encodings of keys and certificates (RFC 7468), with the headers of RFC 1421, the armour of
//! RFC 9580 and the four dashes of RFC 4716, however the lines are indented, quoted, joined or escaped.
//!
//! Not here: what the bytes within mean.

use data_encoding::BASE64_NOPAD;
use memchr::memmem;
use zeroize::Zeroizing;

/// Dashes around a label; most formats have five.
const DASHES: usize = 4;
/// The longest label that is looked for.
const LABEL: usize = 60;
/// The longest block, as text.
const LONGEST: usize = 1 << 16;

/// Names and values.
type Headers = Vec<(String, String)>;

/// One block.
pub struct Block {
    /// `RSA PRIVATE KEY`, `CERTIFICATE`.
    pub label: String,
    /// `Proc-Type` and its like.
    pub headers: Vec<(String, String)>,
    /// The decoded bytes; wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

impl Block {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|it| it.0 == name);
        found.map(|it| it.1.as_str())
    }
}

/// The blocks of a text, in order; one whose bytes are not base64 is left out.
pub fn blocks(text: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(found) = memmem::find(&text[at..], b"BEGIN ") {
        let start = at + found + 6;
        at = start;
        let Some((label, inner, end)) = limits(text, start) else {
            continue;
        };
        at = end;
        let (headers, body) = parts(&text[inner..end]);
        if let (Some(body), Ok(label)) = (body, std::str::from_utf8(label)) {
            blocks.push(Block {
                label: label.to_owned(),
                headers,
                body,
            });
        }
    }
    blocks
}

/// The label that starts here, and where what it encloses starts and ends.
fn limits(text: &[u8], start: usize) -> Option<(&[u8], usize, usize)> {
    let is_dashed = |before: &[u8]| {
        let before = before.strip_suffix(b" ").unwrap_or(before);
        before.len() >= DASHES && before.ends_with(&b"----"[..DASHES])
    };
    let ahead = &text[start..text.len().min(start + LABEL)];
    let length = memchr::memchr(b'-', ahead)?;
    let label = ahead[..length].trim_ascii();
    let is_label = |it: &u8| it.is_ascii_alphanumeric() || *it == b' ';
    let dashes = text[start + length..].iter();
    let dashes = dashes.take_while(|it| **it == b'-').count();
    if !is_dashed(&text[..start - 6]) || dashes < DASHES || !label.iter().all(is_label) {
        return None;
    }
    let inner = start + length + dashes;
    let within = &text[inner..text.len().min(inner + LONGEST)];
    let end = memmem::find_iter(within, b"END ")
        .map(|it| inner + it)
        .find(|it| is_dashed(&text[inner..*it]) && text[it + 4..].starts_with(label))?;
    Some((label, inner, end))
}

/// Headers and bytes.
fn parts(inner: &[u8]) -> (Headers, Option<Zeroizing<Vec<u8>>>) {
    let mut headers = Vec::new();
    let plain = unescaped(inner);
    let mut letters = Zeroizing::new(Vec::with_capacity(plain.len()));
    for line in plain.split(|it| matches!(it, b'\n' | b'\r')) {
        if let Some(colon) = memchr::memchr(b':', line) {
            let clean = |it: &[u8]| {
                String::from_utf8_lossy(it)
                    .trim_matches(|it: char| it.is_whitespace() || "\"',".contains(it))
                    .to_owned()
            };
            headers.push((clean(&line[..colon]), clean(&line[colon + 1..])));
            continue;
        }
        for word in line.split(|it| it.is_ascii_whitespace() || b"\"',`".contains(it)) {
            // An operator that joins literals, or the checksum of RFC 9580.
            if word == b"+" || (word.len() == 5 && word[0] == b'=') {
                continue;
            }
            let is_letter = |it: &&u8| it.is_ascii_alphanumeric() || b"+/".contains(it);
            letters.extend(word.iter().filter(is_letter));
        }
    }
    (headers, decoded(&letters))
}

/// The text with written-out line ends (`\n`, within a text within a text `\\n`) made into such.
pub(super) fn unescaped(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            while bytes.next_if(|it| **it == b'\\').is_some() {}
            if let Some(end) = bytes.next_if(|it| matches!(**it, b'n' | b'r' | b't')) {
                plain.push(if *end == b't' { b' ' } else { b'\n' });
            }
        } else {
            plain.push(*byte);
        }
    }
    plain
}

/// Base64 without padding; of a length that cannot be, the whole groups.
pub(super) fn decoded(letters: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let whole = &letters[..letters.len() / 4 * 4];
    [letters, whole].into_iter().find_map(|it| {
        let mut out = Zeroizing::new(vec![0; BASE64_NOPAD.decode_len(it.len()).ok()?]);
        BASE64_NOPAD.decode_mut(it, &mut out).ok()?;
        Some(out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A block, put together so that this file holds none.
    fn block(label: &str, inner: &str) -> String {
        let line = "-----";
        format!("{line}BEGIN {label}{line}\n{inner}\n{line}END {label}{line}")
    }

    #[test]
    fn a_block_has_the_same_bytes_in_every_layout() {
        let plain = block("EC PRIVATE KEY", "MHcC\nAQEEIA==");
        let quoted = plain.replace('\n', "\\n\" +\n    \"");
        for text in [
            plain.clone(),
            plain.replace('\n', "\r\n"),
            plain.replace('\n', "\n      "),
            plain.replace('\n', "\\n"),
            plain.replace('\n', "\\\\r\\\\n"),
            plain.replace('\n', " "),
            quoted,
            plain.replace('\n', "\",\n\""),
        ] {
            let found = blocks(text.as_bytes());
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].label, "EC PRIVATE KEY");
            assert_eq!(*found[0].body, [0x30, 0x77, 2, 1, 1, 4, 0x20], "{text}");
        }
    }

    #[test]
    fn headers_and_checksums_are_no_part_of_the_bytes() {
        let text = block(
            "RSA PRIVATE KEY",
            "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMHcC",
        );
        let found = blocks(format!("{text}\n{}", block("PGP MESSAGE", "\nMHcC\n=aB3d")).as_bytes());
        assert_eq!(found[0].header("Proc-Type"), Some("4,ENCRYPTED"));
        assert_eq!(found[0].header("Comment"), None);
        assert_eq!(*found[0].body, *found[1].body);
        assert_eq!(found[1].label, "PGP MESSAGE");
        for text in ["----BEGIN A", "BEGIN A-----MHcC-----END A-----"] {
            assert!(blocks(text.as_bytes()).is_empty(), "{text}");
        }
        let unlike = block("A", "MHcC").replace("END A", "END B");
        assert!(blocks(unlike.as_bytes()).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(-----BEGIN [A-Z ]{0,9}-{3,6}|-----END [A-Z ]{0,9}-----|[\\\\nA-Za-z=:+\" \n]{0,40}){0,8}") {
            blocks(text.as_bytes());
        }
    }
}
