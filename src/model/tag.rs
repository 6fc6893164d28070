//! Tags: what of a value may be looked for in texts without having the value. A tag says how eight bytes of
//! a value hash, where in it they stand, how long it is and of which characters; whether it is the value is
//! for its fingerprint to say.
//!
//! Not here: which eight bytes, and whether a value is strong enough, which `syntax/telling` decides; nor
//! the search.

use super::fingerprint::{Fingerprint, Fingerprinter};
use std::fmt;

/// Bytes of a window.
pub const WINDOW: usize = 8;
/// Bits of a window's hash that a tag keeps.
pub const HASH_BITS: u32 = 28;
/// A tag has at most this many marks: one for the value as it is, one for escapes, up to two for each way it may
/// lie in base64, and two for hexadecimal.
pub const MARKS: usize = 10;
/// Bytes of a tag in the clear, whatever it says.
pub const TAG_BYTES: usize = 8 + MARKS * MARK_BYTES + 1;

const MARK_BYTES: usize = 7;
/// A mark's first byte tells its spelling in so many bits, and above them its pair, or nothing of it.
const SPELLING_BITS: u8 = 3;
/// No pair is commoner than this.
const COMMONEST: u8 = 30;
/// The layout of the bytes.
const LAYOUT: u8 = 1;

/// How a value can be found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// Too short or too easily guessed: equal texts mean nothing. It is compared with values that were read
    /// out of assignments, and not searched for.
    Weak,
    /// A key with many texts: it is known by its content, wherever a key is read.
    Key,
    /// It is found anywhere.
    Searchable,
}

/// How a value may be written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Spelling {
    /// As it is, or with some of its characters escaped.
    Plain,
    /// In base64, behind so many bytes of a group of three.
    Base64(u8),
    /// In hexadecimal digits.
    Hex,
}

impl Spelling {
    fn number(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Base64(shift) => 1 + shift,
            Self::Hex => 4,
        }
    }

    fn numbered(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Plain,
            1..=3 => Self::Base64(number - 1),
            4 => Self::Hex,
            _ => return None,
        })
    }
}

/// Eight bytes of a value, written in some way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// How the value is written.
    pub spelling: Spelling,
    /// What the bytes hash to.
    pub hash: u32,
    /// Where they stand in what is written.
    pub offset: u16,
    /// How common the pair in their middle is in texts (see `syntax/pairs`): zero where it is rare. `None` in
    /// tags that an earlier version made: they are searched for all the same, and more slowly.
    pub pair: Option<u8>,
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({:?}, ****)", self.spelling)
    }
}

/// What is kept of a value besides its fingerprint. Only ever written sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Tag {
    /// How it can be found.
    pub strength: Strength,
    /// Estimated bits of what nobody can guess, in steps of eight.
    pub bits: u8,
    /// The kinds of characters it has: see [`alphabet`].
    pub alphabet: u8,
    /// Bytes.
    pub length: u32,
    /// What it is looked for by; none unless it is searchable.
    pub marks: Vec<Mark>,
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(****)")
    }
}

impl Tag {
    /// The bytes to seal: as many for every tag, so that their number tells nothing.
    pub fn to_bytes(&self) -> [u8; TAG_BYTES] {
        let mut bytes = [0; TAG_BYTES];
        let strength = match self.strength {
            Strength::Weak => 0,
            Strength::Key => 1,
            Strength::Searchable => 2,
        };
        bytes[..4].copy_from_slice(&[LAYOUT, strength, self.bits, self.alphabet]);
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        let (count, room) = bytes[8..].split_at_mut(1);
        let marks = self.marks.iter().take(MARKS);
        count[0] = marks.len() as u8;
        for (mark, room) in marks.zip(room.chunks_exact_mut(MARK_BYTES)) {
            let pair = mark.pair.filter(|it| *it <= COMMONEST);
            room[0] = mark.spelling.number() | pair.map_or(0, |it| it + 1) << SPELLING_BITS;
            room[1..5].copy_from_slice(&mark.hash.to_le_bytes());
            room[5..7].copy_from_slice(&mark.offset.to_le_bytes());
        }
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, marks) = bytes.split_first_chunk::<9>()?;
        let &[LAYOUT, strength, bits, alphabet, a, b, c, d, count] = head else {
            return None;
        };
        let mark = |it: &[u8]| {
            let &[first, a, b, c, d, low, high] = it else {
                return None;
            };
            Some(Mark {
                spelling: Spelling::numbered(first & ((1 << SPELLING_BITS) - 1))?,
                pair: (first >> SPELLING_BITS).checked_sub(1),
                hash: u32::from_le_bytes([a, b, c, d]),
                offset: u16::from_le_bytes([low, high]),
            })
        };
        let marks = marks.chunks_exact(MARK_BYTES).take(usize::from(count));
        Some(Self {
            strength: match strength {
                0 => Strength::Weak,
                1 => Strength::Key,
                2 => Strength::Searchable,
                _ => return None,
            },
            bits,
            alphabet,
            length: u32::from_le_bytes([a, b, c, d]),
            marks: marks.map(mark).collect::<Option<_>>()?,
        })
    }
}

/// A tag under the estate key: nothing but its presence can be read without.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// From what was stored.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(****)")
    }
}

/// All values of an inventory with what they are searched by.
#[derive(Clone, Default, Debug)]
pub struct Tagged {
    /// Sorted by fingerprint, each once.
    pub values: Vec<(Fingerprint, Tag)>,
    /// Values of which nothing but the fingerprint is known: an earlier version of the program imported
    /// them, or what was kept does not open.
    pub untagged: usize,
}

/// How many values can be found where.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Anywhere in any text.
    pub searchable: usize,
    /// Wherever a private key is read.
    pub keys: usize,
    /// Only where a rule or an assignment shows them: too short or too easily guessed.
    pub weak: usize,
    /// The same, until they are imported again.
    pub untagged: usize,
}

impl Tagged {
    /// In numbers.
    pub fn counts(&self) -> Counts {
        let of = |strength| {
            let values = self.values.iter();
            values.filter(|it| it.1.strength == strength).count()
        };
        Counts {
            searchable: of(Strength::Searchable),
            keys: of(Strength::Key),
            weak: of(Strength::Weak),
            untagged: self.untagged,
        }
    }
}

/// A bit for each kind of character that bytes have: digits, lower case, upper case, white space, other
/// ASCII, and what is none.
pub fn alphabet(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |all, it| {
        all | match it {
            b'0'..=b'9' => 1,
            b'a'..=b'z' => 2,
            b'A'..=b'Z' => 4,
            b' ' | b'\t' | b'\n' | b'\r' => 8,
            0..=0x7F => 16,
            _ => 32,
        }
    })
}

/// Hashes windows under one estate key: the high bits of a product with a secret odd number (multiply-shift,
/// Dietzfelbinger and others 1997), as quick at a place of its own as any hash that rolls.
#[derive(Clone, Copy)]
pub struct Hasher(u64);

impl Hasher {
    /// That of an estate.
    pub fn of(seal: &Fingerprinter) -> Self {
        Self(seal.multiplier())
    }

    /// The hash of a window, given as a number in little-endian order.
    #[inline(always)]
    pub fn hash(self, window: u64) -> u32 {
        (window.wrapping_mul(self.0) >> (u64::BITS - HASH_BITS)) as u32
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back_and_all_have_one_size() {
        let mark = |spelling, offset: u16| Mark {
            spelling,
            hash: 0x0abc_def1,
            offset,
            pair: [None, Some(0), Some(COMMONEST)][usize::from(offset) % 3],
        };
        let all = [
            Spelling::Plain,
            Spelling::Base64(0),
            Spelling::Base64(1),
            Spelling::Base64(2),
            Spelling::Hex,
        ];
        let marks = all.into_iter().cycle().zip(0..MARKS as u16);
        let full = Tag {
            strength: Strength::Searchable,
            bits: 248,
            alphabet: 63,
            length: 70_000,
            marks: marks.map(|(it, offset)| mark(it, offset)).collect(),
        };
        let bare = Tag {
            strength: Strength::Weak,
            bits: 0,
            alphabet: 1,
            length: 4,
            marks: Vec::new(),
        };
        for tag in [full, bare] {
            assert_eq!(Tag::from_bytes(&tag.to_bytes()).as_ref(), Some(&tag));
        }
        assert_eq!(Tag::from_bytes(&[9; TAG_BYTES]), None);
        assert_eq!(Tag::from_bytes(&[]), None);
    }

    #[test]
    fn kinds_of_characters_are_told() {
        assert_eq!(alphabet(b"09"), 1);
        assert_eq!(alphabet(b"aZ"), 6);
        assert_eq!(alphabet("a b\u{e9}-".as_bytes()), 2 | 8 | 16 | 32);
    }
}
