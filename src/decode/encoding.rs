//! Texts hidden in base64 (standard and URL-safe alphabets, RFC 4648), told from random text by what
//! they decode to. Looks at one byte in sixteen where there is no long run.

use crate::model::span::Span;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};

/// Shorter runs hide nothing that a rule would find.
const SHORTEST: usize = 24;
/// This much of a run must decode to text before the whole is decoded.
const PROBE: usize = 32;

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Calls `emit(encoding, span, decoded)` for each run that decodes to text.
pub(super) fn each(text: &[u8], emit: &mut dyn FnMut(&'static str, Span, Vec<u8>)) {
    let mut at = SHORTEST - 1;
    let mut floor = 0;
    while at < text.len() {
        if !is_base64(text[at]) {
            at += SHORTEST;
            continue;
        }
        let start = text[floor..at]
            .iter()
            .rposition(|it| !is_base64(*it))
            .map_or(floor, |it| floor + it + 1);
        let end = text[at..]
            .iter()
            .position(|it| !is_base64(*it))
            .map_or(text.len(), |it| at + it);
        if end - start >= SHORTEST {
            if let Some(decoded) = decoded(&text[start..end]) {
                emit("base64", Span::new(start, end), decoded);
            }
        }
        floor = end;
        at = end + SHORTEST;
    }
}

fn decoded(run: &[u8]) -> Option<Vec<u8>> {
    let is_url = run.iter().any(|it| matches!(it, b'-' | b'_'));
    let spec = if is_url {
        BASE64URL_NOPAD
    } else {
        BASE64_NOPAD
    };
    let probe = spec.decode(&run[..run.len().min(PROBE) / 4 * 4]).ok()?;
    if !is_text(&probe) {
        return None;
    }
    // A last odd character cannot be base64; trailing bits that are not zero are forgiven.
    let whole = &run[..run.len() - usize::from(run.len() % 4 == 1)];
    let full = spec
        .decode(whole)
        .or_else(|_| spec.decode(&whole[..whole.len() / 4 * 4]))
        .ok()?;
    is_text(&full).then_some(full)
}

/// Mostly printable, with no control byte but white space.
fn is_text(bytes: &[u8]) -> bool {
    let printable = bytes
        .iter()
        .filter(|it| matches!(it, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
        .count();
    printable * 20 >= bytes.len() * 19
}
