//! Values that an inventory knows, found anywhere in a text without having them: at each place two bytes tell
//! whether a value may be known by those around them, which one place in ten passes; then a filter over eight
//! bytes, then a table, then what the tag says of the value around them, and at last its fingerprint.
//!
//! Not here: what becomes of a value that was found, and how escapes are undone (`spelled`).

use crate::detect::spelled;
use crate::model::fingerprint::{Fingerprint, Fingerprinter};
use crate::model::span::Span;
use crate::model::tag::{Counts, HASH_BITS, Hasher, Spelling, Strength, Tagged, WINDOW, alphabet};
use crate::syntax::pairs::{BLOCK, Pairs};
use std::fmt;
use zeroize::Zeroizing;

/// Log2 of the bits of the filter at most: 512 KiB, of which text with its few words touches little.
const MOST_BITS: u32 = 22;
/// And at least: 32 KiB.
const LEAST_BITS: u32 = 18;
/// Bits for each mark: fewer than one place in thirty passes.
const ROOM: u32 = 5;

/// Values to look for, with the key that recognises them. Holds no value.
pub struct KnownValues {
    seal: Fingerprinter,
    hasher: Hasher,
    /// The pairs that stand in the middle of marks.
    pairs: Pairs,
    /// One bit for the first bits of each hash.
    front: Vec<u8>,
    /// How many bits of a hash the filter does not look at.
    shift: u32,
    /// Hashes with open addressing: which marks have them.
    slots: Vec<Slot>,
    marks: Vec<Entry>,
    values: Vec<Value>,
    counts: Counts,
    digest: [u8; 32],
}

#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u32,
    first: u32,
    /// None in an empty slot.
    count: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    value: u32,
    offset: u16,
    spelling: Spelling,
    pair: Option<u8>,
}

struct Value {
    print: Fingerprint,
    length: usize,
    alphabet: u8,
}

/// A value in a text.
pub(crate) struct Recognised {
    /// The bytes that spell it.
    pub(crate) span: Span,
    pub(crate) value: Zeroizing<Vec<u8>>,
    /// What to tell of its spelling.
    pub(crate) fact: &'static str,
}

impl fmt::Debug for KnownValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownValues({})", self.values.len())
    }
}

impl KnownValues {
    /// The searchable values of an inventory, under the key that sealed their tags.
    pub fn new(seal: &Fingerprinter, tagged: &Tagged) -> Self {
        let counts = tagged.counts();
        let mut values = Vec::with_capacity(counts.searchable);
        let mut marks: Vec<Entry> = Vec::new();
        let searchable = tagged.values.iter();
        let searchable = searchable.filter(|it| it.1.strength == Strength::Searchable);
        for (print, tag) in searchable {
            let value = values.len() as u32;
            marks.extend(tag.marks.iter().map(|it| Entry {
                hash: it.hash,
                value,
                offset: it.offset,
                spelling: it.spelling,
                pair: it.pair,
            }));
            values.push(Value {
                print: *print,
                length: tag.length as usize,
                alphabet: tag.alphabet,
            });
        }
        marks.sort_unstable_by_key(|it| (it.hash, it.value, it.spelling, it.offset));
        let wanted = (marks.len() << ROOM).next_power_of_two().ilog2();
        let bits = wanted.clamp(LEAST_BITS, MOST_BITS);
        let mut this = Self {
            seal: seal.clone(),
            hasher: Hasher::of(seal),
            pairs: Pairs::of(marks.iter().map(|it| it.pair)),
            front: vec![0; 1 << (bits - 3)],
            shift: HASH_BITS - bits,
            slots: vec![Slot::default(); (marks.len() * 2).next_power_of_two()],
            digest: digest(seal, &values, &marks),
            marks: Vec::new(),
            values,
            counts,
        };
        for group in marks.chunk_by(|a, b| a.hash == b.hash) {
            this.add(group);
        }
        this
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// How many values can be found where.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What a search for these values goes by; tells nothing of them.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Adds marks of one hash.
    fn add(&mut self, group: &[Entry]) {
        let Some(hash) = group.first().map(|it| it.hash) else {
            return;
        };
        let bit = hash >> self.shift;
        self.front[(bit >> 3) as usize] |= 1 << (bit & 7);
        let mut at = self.slot(hash);
        while self.slots[at].count > 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = Slot {
            hash,
            first: self.marks.len() as u32,
            count: group.len() as u32,
        };
        self.marks.extend(group);
    }

    #[inline(always)]
    fn slot(&self, hash: u32) -> usize {
        (hash.wrapping_mul(0x9E37_79B1) >> 4) as usize & (self.slots.len() - 1)
    }

    #[inline(always)]
    fn passes(&self, window: u64) -> bool {
        let bit = self.hasher.hash(window) >> self.shift;
        let byte = self.front.get((bit >> 3) as usize);
        byte.is_some_and(|it| it >> (bit & 7) & 1 != 0)
    }

    /// Calls `hit(place, mark)` for each window that begins between `start` and `end` and hashes as a mark
    /// does, by place.
    pub(crate) fn within(
        &self,
        text: &[u8],
        start: usize,
        end: usize,
        hit: &mut impl FnMut(usize, usize),
    ) {
        let end = end.min((text.len() + 1).saturating_sub(WINDOW));
        let mut at = start;
        while at + BLOCK <= end {
            let Some(mut places) = self.pairs.among(&text[at..]) else {
                break;
            };
            while places != 0 {
                self.ask(text, at + places.trailing_zeros() as usize, hit);
                places &= places - 1;
            }
            at += BLOCK;
        }
        for at in at..end {
            if self.pairs.has(&text[at..]) {
                self.ask(text, at, hit);
            }
        }
    }

    /// Asks the filter, and the table if that says so.
    #[inline(always)]
    fn ask(&self, text: &[u8], at: usize, hit: &mut impl FnMut(usize, usize)) {
        let window = text.get(at..).and_then(|it| it.first_chunk());
        let Some(window) = window.map(|it| u64::from_le_bytes(*it)) else {
            return;
        };
        if self.passes(window) {
            self.look_up(window, at, hit);
        }
    }

    #[inline]
    fn look_up(&self, window: u64, at: usize, hit: &mut impl FnMut(usize, usize)) {
        let hash = self.hasher.hash(window);
        let mut slot = self.slot(hash);
        while self.slots[slot].count > 0 {
            let Slot {
                hash: it,
                first,
                count,
            } = self.slots[slot];
            if it == hash {
                (first..first + count).for_each(|it| hit(at, it as usize));
                return;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// How far before and behind the place of a mark anything is looked at to tell whether it is the value.
    pub(crate) fn needs(&self, mark: usize) -> (usize, usize) {
        let Entry { value, offset, .. } = self.marks[mark];
        spelled::reach(usize::from(offset), self.values[value as usize].length)
    }

    /// The value, if it stands around the place of its mark.
    pub(crate) fn confirm(&self, text: &[u8], at: usize, mark: usize) -> Option<Recognised> {
        let Entry {
            value,
            offset,
            spelling,
            ..
        } = self.marks[mark];
        let known = &self.values[value as usize];
        let (offset, length) = (usize::from(offset), known.length);
        let is_it = |value: &[u8]| {
            alphabet(value) == known.alphabet && self.seal.fingerprint(value) == known.print
        };
        let found = match spelling {
            Spelling::Plain => spelled::plain(text, at, offset, length, &is_it),
            Spelling::Base64(shift) => {
                spelled::in_base64(text, at, offset, usize::from(shift), length, &is_it)
            }
            Spelling::Hex => spelled::in_hex(text, at, offset, length, &is_it),
        }?;
        let (span, value, fact) = found;
        Some(Recognised { span, value, fact })
    }
}

fn digest(seal: &Fingerprinter, values: &[Value], marks: &[Entry]) -> [u8; 32] {
    let mut text = Vec::with_capacity(values.len() * 32 + marks.len() * 8);
    for it in values {
        text.extend(it.print.as_bytes());
    }
    for it in marks {
        text.extend(it.hash.to_le_bytes());
        text.extend(it.value.to_le_bytes());
        text.extend(it.offset.to_le_bytes());
    }
    seal.digest(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::telling;
    use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
    use proptest::prelude::*;

    fn of(values: &[&[u8]]) -> KnownValues {
        let seal = Fingerprinter::new([3; 32]);
        let values = values
            .iter()
            .map(|it| (seal.fingerprint(it), telling::tag(it, &seal)));
        let tagged = Tagged {
            values: values.collect(),
            untagged: 0,
        };
        KnownValues::new(&seal, &tagged)
    }

    fn found(known: &KnownValues, text: &[u8]) -> Vec<(Span, Vec<u8>)> {
        let mut found = Vec::new();
        // In two parts, which must not matter.
        let middle = text.len() / 2;
        for (start, end) in [(0, middle), (middle, text.len())] {
            known.within(text, start, end, &mut |at, mark| {
                let it = known.confirm(text, at, mark);
                found.extend(it.map(|it| (it.span, it.value.to_vec())));
            });
        }
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn a_value_is_found_in_each_spelling_and_at_each_place() {
        let value = b"q8Zk27/xPw+0Lm N4";
        let known = of(&[value, b"another value: 7rT9", b"Zx81kQw02Lm7Yt"]);
        for lead in 0..20 {
            let outer = [&vec![b'-'; lead], &value[..], b"tail"].concat();
            for (text, span) in [
                (outer.clone(), Span::new(lead, lead + value.len())),
                (
                    HEXLOWER.encode(&outer).into_bytes(),
                    Span::new(2 * lead, 2 * (lead + value.len())),
                ),
                (
                    HEXUPPER.encode(&outer).into_bytes(),
                    Span::new(2 * lead, 2 * (lead + value.len())),
                ),
            ] {
                assert_eq!(found(&known, &text), [(span, value.to_vec())], "{lead}");
            }
            for text in [BASE64.encode(&outer), BASE64URL.encode(&outer)] {
                let found = found(&known, text.as_bytes());
                assert_eq!(found.len(), 1, "{lead} {text}");
                assert_eq!(found[0].1, value);
            }
        }
        assert!(found(&known, b"q8Zk27/xPw+0Lm N5").is_empty());
        assert!(found(&known, b"q8Zk27/xPw+0Lm N").is_empty());
    }

    #[test]
    fn a_value_full_of_escapes_is_found_in_json() {
        let value = "#s|h9\\. 3\"+r\tj";
        let known = of(&[value.as_bytes()]);
        let text = serde_json::to_string(&[value]).unwrap();
        let found = found(&known, text.as_bytes());
        assert_eq!(
            found,
            [(Span::new(2, text.len() - 2), value.as_bytes().to_vec())]
        );
    }

    #[test]
    fn the_digest_goes_by_the_values() {
        let one = *of(&[b"q8Zk27xPw0LmN4tY"]).digest();
        assert_eq!(one, *of(&[b"q8Zk27xPw0LmN4tY"]).digest());
        assert_ne!(one, *of(&[b"q8Zk27xPw0LmN4tZ"]).digest());
    }

    proptest! {
        #[test]
        fn every_window_is_asked(before in "[a-z ]{0,40}", value in "[A-Za-z0-9]{16,60}", behind in "[a-z ]{0,40}") {
            let known = of(&[value.as_bytes()]);
            prop_assume!(!known.is_empty());
            let text = format!("{before}{value}{behind}");
            let span = Span::new(before.len(), before.len() + value.len());
            prop_assert!(found(&known, text.as_bytes()).contains(&(span, value.into_bytes())));
        }
    }
}
