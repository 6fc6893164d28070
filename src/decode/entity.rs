//! Character references of HTML and XML, by number and by name.
//!
//! Format: HTML Living Standard, section 13.5, "Named character references" (those of ASCII).

use super::escape::{Escape, Undone, is_telling};

/// `&#65;`, `&#x41;` and `&quot;`.
pub(super) const ESCAPE: Escape = Escape {
    name: "entities",
    lead: b'&',
    undo,
};

const LONGEST: usize = 10;
const NAMES: &[(&[u8], char)] = &[
    (b"amp", '&'),
    (b"apos", '\''),
    (b"ast", '*'),
    (b"bsol", '\\'),
    (b"colon", ':'),
    (b"comma", ','),
    (b"commat", '@'),
    (b"dollar", '$'),
    (b"equals", '='),
    (b"excl", '!'),
    (b"grave", '`'),
    (b"gt", '>'),
    (b"Hat", '^'),
    (b"lbrace", '{'),
    (b"lbrack", '['),
    (b"lcub", '{'),
    (b"lowbar", '_'),
    (b"lpar", '('),
    (b"lsqb", '['),
    (b"lt", '<'),
    (b"nbsp", ' '),
    (b"NewLine", '\n'),
    (b"num", '#'),
    (b"percnt", '%'),
    (b"period", '.'),
    (b"plus", '+'),
    (b"quest", '?'),
    (b"quot", '"'),
    (b"rbrace", '}'),
    (b"rbrack", ']'),
    (b"rcub", '}'),
    (b"rpar", ')'),
    (b"rsqb", ']'),
    (b"semi", ';'),
    (b"sol", '/'),
    (b"Tab", '\t'),
    (b"verbar", '|'),
];

fn undo(text: &[u8]) -> Option<Undone> {
    let first = *text.get(1)?;
    if first != b'#' && !first.is_ascii_alphabetic() {
        return None;
    }
    let end = text.iter().take(LONGEST + 1).position(|it| *it == b';')?;
    let name = &text[1..end];
    let character = match name {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => NAMES.iter().find(|it| it.0 == name)?.1,
    };
    let is_plain = !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    // An ampersand between words is one; before a letter or digit it may be that of a query.
    let is_glued = || text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    Some(Undone {
        length: end + 1,
        character,
        is_telling: is_telling(character) && (character != '&' || is_glued()),
        is_binary: !is_plain,
    })
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_number = text.bytes().all(|it| it.is_ascii_hexdigit());
    char::from_u32(
        u32::from_str_radix(text, radix)
            .ok()
            .filter(|_| is_number)?,
    )
}
