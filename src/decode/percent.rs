//! Percent-encoding of URLs and forms.
//!
//! Format: RFC 3986, section 2.1.

use super::escape::{Escape, Undone, is_telling};

/// `%41`.
pub(super) const ESCAPE: Escape = Escape {
    name: "percent",
    lead: b'%',
    undo,
};

fn undo(text: &[u8]) -> Option<Undone> {
    let &[_, high, low, ..] = text else {
        return None;
    };
    let digit = |it: u8| char::from(it).to_digit(16);
    let character = char::from_u32(digit(high)? * 16 + digit(low)?)?;
    let is_plain = character.is_ascii_graphic() || matches!(character, ' ' | '\n' | '\r' | '\t');
    // Bytes of a longer character are left as they are: no token holds one.
    (is_plain || character.is_ascii()).then_some(Undone {
        length: 3,
        character,
        is_telling: is_telling(character),
        is_binary: !is_plain,
    })
}
