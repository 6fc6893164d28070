//! Escapes of single characters, read forwards and backwards: what shells and programs make of a backslash
//! (RFC 8259, section 7), and of a percent sign (RFC 3986, section 2.1; in forms, `+` is a space).
//!
//! Not here: which texts are unescaped before they are looked at: that is the work of `decode`.

use zeroize::Zeroizing;

/// No byte of a text takes more when it is escaped.
pub const WIDEST: usize = 6;
/// More backslashes in a row are not counted.
pub const SLASHES: usize = 32;

/// A way to escape.
#[derive(Debug)]
pub struct Escapes {
    /// The escape that ends a text: its length, and what it stands for.
    pub last: fn(&[u8]) -> Option<(usize, Character)>,
    /// The escape that begins a text.
    pub first: fn(&[u8]) -> Option<(usize, Character)>,
    /// Whether `+` is a space.
    pub space: bool,
    /// What escapes begin with.
    sign: u8,
}

/// Every way.
pub const KINDS: [Escapes; 3] = [
    Escapes {
        last: last_slash,
        first: first_slash,
        space: false,
        sign: b'\\',
    },
    Escapes {
        last: last_percent,
        first: first_percent,
        space: false,
        sign: b'%',
    },
    Escapes {
        last: last_percent,
        first: first_percent,
        space: true,
        sign: b'%',
    },
];

impl Escapes {
    /// What a byte stands for that begins no escape.
    pub fn literal(&self, byte: u8) -> Character {
        let is_space = self.space && byte == b'+';
        Character::byte(if is_space { b' ' } else { byte })
    }

    /// A text with its escapes undone; `None` if it has none.
    pub fn undo(&self, text: &[u8]) -> Option<Undone> {
        let is_sign = |it: &u8| *it == self.sign || self.space && *it == b'+';
        if !text.iter().any(is_sign) {
            return None;
        }
        let mut undone = Undone::default();
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let literal = (1, self.literal(*byte));
            let (length, character) = (self.first)(&text[at..]).unwrap_or(literal);
            undone.text.extend(character.bytes());
            let places = character.bytes().iter().map(|_| (at, at + length));
            undone.places.extend(places);
            at += length;
        }
        (undone.text[..] != *text).then_some(undone)
    }
}

/// A text whose escapes are undone.
#[derive(Default)]
pub struct Undone {
    /// What they stood for.
    pub text: Zeroizing<Vec<u8>>,
    /// Where in the escaped text each byte of it comes from.
    pub places: Vec<(usize, usize)>,
}

/// Up to four bytes.
#[derive(Clone, Copy, Debug)]
pub struct Character([u8; 4], usize);

impl Character {
    fn byte(it: u8) -> Self {
        Self([it, 0, 0, 0], 1)
    }

    fn of(it: char) -> Self {
        let mut bytes = [0; 4];
        let length = it.encode_utf8(&mut bytes).len();
        Self(bytes, length)
    }

    /// As UTF-8, or what one byte says.
    pub fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    is_hex.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

fn first_percent(text: &[u8]) -> Option<(usize, Character)> {
    let digits = text.get(..3)?.strip_prefix(b"%")?;
    Some((3, Character::byte(hex(digits)? as u8)))
}

fn last_percent(text: &[u8]) -> Option<(usize, Character)> {
    first_percent(text.last_chunk::<3>()?)
}

/// What a letter or a mark behind a backslash stands for.
fn short(letter: u8) -> Option<u8> {
    Some(match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        it if it.is_ascii_punctuation() => it,
        _ => return None,
    })
}

/// The character that `\u` and four digits stand for; two of them for what is beyond (RFC 8259).
fn wide(text: &[u8]) -> Option<(usize, char)> {
    let unit = |it: &[u8]| hex(it.get(..6)?.strip_prefix(b"\\u")?);
    let first = unit(text)?;
    if let Some(it) = char::from_u32(first) {
        return Some((6, it));
    }
    let second = unit(&text[6..]).filter(|it| (0xDC00..0xE000).contains(it))?;
    let both = 0x1_0000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
    (first < 0xDC00).then(|| char::from_u32(both).map(|it| (12, it)))?
}

fn first_slash(text: &[u8]) -> Option<(usize, Character)> {
    let letter = *text.strip_prefix(b"\\")?.first()?;
    match letter {
        b'u' => wide(text).map(|(length, it)| (length, Character::of(it))),
        b'x' => {
            let byte = hex(text.get(2..4)?)?;
            Some((4, Character::byte(byte as u8)))
        }
        it => short(it).map(|it| (2, Character::byte(it))),
    }
}

/// Whether the backslash that ends a text begins an escape, and is not the second of a pair.
fn is_open(text: &[u8]) -> bool {
    let slashes = text
        .iter()
        .rev()
        .take(SLASHES + 1)
        .take_while(|it| **it == b'\\');
    let count = slashes.count();
    count % 2 == 1 && count <= SLASHES
}

fn last_slash(text: &[u8]) -> Option<(usize, Character)> {
    [12, 6, 4, 2].into_iter().find_map(|length| {
        let start = text.len().checked_sub(length)?;
        let is_escape = text[start] == b'\\' && is_open(&text[..=start]);
        let found = is_escape.then(|| first_slash(&text[start..])).flatten();
        found.filter(|it| it.0 == length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_say_where_they_stood() {
        let [slash, percent, form] = &KINDS;
        let text = |kind: &Escapes, it: &str| kind.undo(it.as_bytes()).map(|it| it.text.to_vec());
        assert_eq!(
            text(slash, r#"a\"b\u0041\n\x2f\q"#).unwrap(),
            b"a\"bA\n/\\q"
        );
        assert_eq!(
            text(slash, r"\ud83d\ude00").unwrap(),
            "\u{1f600}".as_bytes()
        );
        assert_eq!(text(percent, "a%2Fb%2fc+%").unwrap(), b"a/b/c+%");
        assert_eq!(text(form, "a+b%20c").unwrap(), b"a b c");
        for kind in &KINDS {
            assert!(text(kind, "nothing here").is_none());
        }
        assert!(text(percent, "100% of it").is_none());
        let undone = percent.undo(b"a%2Fb").unwrap();
        assert_eq!(undone.places, [(0, 1), (1, 4), (4, 5)]);
    }
}
