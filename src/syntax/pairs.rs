//! How common two bytes beside one another are in texts. Most places of a text hold a pair that a secret
//! hardly ever needs to be known by: a search that asks for rare pairs first passes them by.
//!
//! Not here: which eight bytes of a value it is searched by (`telling`), nor the search.

use std::sync::LazyLock;

/// Pairs that make up more than nine tenths of source text, each as four hexadecimal digits, the rarer
/// lines first: eight of about a hundredth of all pairs of a text each, eight of two, then of four, and in
/// the last what is in every text. Counted over equal shares of C, C++, Go, Java and C#, Rust, JavaScript,
/// Python, other scripts, JSON and XML, settings, and documentation.
const COMMON: &str = include_str!("pairs.txt");
/// Where in a window of eight bytes the pair stands that counts.
const MIDDLE: usize = 3;
/// Places that are asked at once.
pub const BLOCK: usize = 64;

/// By pair: zero for rare ones, else the number of its line.
static CLASSES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut classes = vec![0; 1 << 16];
    for (line, class) in COMMON.lines().zip(1..) {
        for pair in line.split(' ') {
            let pair = u16::from_str_radix(pair, 16).unwrap_or_default();
            classes[usize::from(pair.swap_bytes())] = class;
        }
    }
    classes
});

/// How common the pair in the middle of a window is: zero where it is rare.
pub fn class(window: &[u8]) -> u8 {
    let pair = window.get(MIDDLE..).and_then(|it| it.first_chunk());
    pair.map_or(u8::MAX, |it| CLASSES[usize::from(u16::from_le_bytes(*it))])
}

/// The pairs that a search asks for.
pub struct Pairs(Box<[u8; 1 << 16]>);

impl Pairs {
    /// All of these classes; every pair if there is one of which nothing is known.
    pub fn of(classes: impl Iterator<Item = Option<u8>>) -> Self {
        let mut wanted = [false; 1 << 8];
        let mut all = false;
        for class in classes {
            match class {
                Some(it) => wanted[usize::from(it)] = true,
                None => all = true,
            }
        }
        let mut pairs = Box::new([0; 1 << 16]);
        for (pair, class) in pairs.iter_mut().zip(CLASSES.iter()) {
            *pair = u8::from(all || wanted[usize::from(*class)]);
        }
        Self(pairs)
    }

    /// Whether the window that begins a text has one of them.
    #[inline]
    pub fn has(&self, text: &[u8]) -> bool {
        let pair = text.get(MIDDLE..).and_then(|it| it.first_chunk());
        pair.is_some_and(|it| self.0[usize::from(u16::from_le_bytes(*it))] != 0)
    }

    /// The same for each of the windows that begin in the first [`BLOCK`] bytes of a text, a bit for each;
    /// `None` if the text is too short to tell.
    #[inline(always)]
    pub fn among(&self, text: &[u8]) -> Option<u64> {
        const EIGHT: usize = 8;
        let bytes = text.get(MIDDLE..)?.first_chunk::<{ BLOCK + 1 }>()?;
        let has = |at: usize| self.0[usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))];
        let mut all = 0;
        // Eight bits at a time need no shift each.
        for eight in (0..BLOCK / EIGHT).rev() {
            let mut some = 0;
            for at in (0..EIGHT).rev() {
                some = some << 1 | u32::from(has(EIGHT * eight + at));
            }
            all = all << EIGHT | u64::from(some);
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_list_is_whole_and_sorted_within_its_lines() {
        let mut count = 0;
        for line in COMMON.lines() {
            let pairs: Vec<&str> = line.split(' ').collect();
            assert!(pairs.is_sorted() && !pairs.is_empty(), "{line}");
            for pair in &pairs {
                assert!(
                    pair.len() == 4 && u16::from_str_radix(pair, 16).is_ok(),
                    "{pair}"
                );
            }
            count += pairs.len();
        }
        let listed = CLASSES.iter().filter(|it| **it > 0).count();
        assert_eq!(listed, count, "a pair is listed twice");
        // A tag has room for no more.
        assert!(COMMON.lines().count() < 31);
    }

    #[test]
    fn words_are_common_and_chance_is_rare() {
        assert_eq!(class(b"q8ZZ9k7x"), 0);
        assert!(class(b"...in...") > 20);
        assert!(
            (1..20).contains(&class(b"8391750264")),
            "digits are in every text"
        );
        assert_eq!(class(b"abc"), u8::MAX);
    }

    proptest! {
        #[test]
        fn a_block_is_asked_as_its_windows_are(
            text in prop::collection::vec(prop::sample::select(b"in q8ZZ9k_\n".to_vec()), 60..90),
            wanted in prop::collection::vec(0..26u8, 0..4),
        ) {
            let pairs = Pairs::of(wanted.iter().map(|it| Some(*it)));
            let is_long = text.len() > MIDDLE + BLOCK;
            prop_assert_eq!(pairs.among(&text).is_some(), is_long);
            for at in 0..BLOCK.min(text.len() - 7) {
                let has = wanted.contains(&class(&text[at..]));
                prop_assert_eq!(pairs.has(&text[at..]), has);
                let bit = pairs.among(&text).map(|it| it >> at & 1 == 1);
                prop_assert!(bit.is_none_or(|it| it == has));
            }
            prop_assert!(Pairs::of([None].into_iter()).has(&text));
        }
    }
}
