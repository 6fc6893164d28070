//! Characters by number in string literals: `\u0041`, `\u{41}`, `\U00000041`, `\x41`, whatever number of
//! backslashes stands before (each quoting doubles them).
//!
//! Formats: RFC 8259, section 7; ECMA-262, "Escape sequences"; the Rust and Python references.

use super::escape::{Escape, Undone, is_telling};

/// `\u0041` and the like.
pub(super) const ESCAPE: Escape = Escape {
    name: "escapes",
    lead: b'\\',
    undo,
};

fn undo(text: &[u8]) -> Option<Undone> {
    if !matches!(text.get(1)?, b'u' | b'x' | b'U' | b'\\') {
        return None;
    }
    let slashes = text.iter().take(16).take_while(|it| **it == b'\\').count();
    let rest = &text[slashes..];
    let (start, count) = match rest {
        [b'u', b'{', inner @ ..] => (2, inner.iter().take(7).position(|it| *it == b'}')?),
        [b'u', ..] => (1, 4),
        [b'U', ..] => (1, 8),
        [b'x', ..] => (1, 2),
        _ => return None,
    };
    let digits = rest.get(start..start + count)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    let character = char::from_u32(number)?;
    let is_plain = !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    // A byte in hexadecimal beyond ASCII is half a character, or no text at all.
    let is_byte = rest[0] == b'x' && !character.is_ascii();
    Some(Undone {
        length: slashes + start + count + usize::from(start == 2),
        character,
        is_telling: is_telling(character),
        is_binary: !is_plain || is_byte,
    })
}
