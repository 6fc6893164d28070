//! Many literals in a text at once: one step a byte, a small table that answers whether the next bytes
//! can begin a literal's rarest part, and a confirmation for the few places that pass. What a literal
//! means is known to whoever asks.

use std::cmp::Reverse;
use std::collections::HashMap;

/// Log2 of the number of cells in the first table; 32 KiB stay in a core's nearest cache.
const CELLS: u32 = 15;

/// Anchors of long literals are at most this far from their beginning, and as far from their end.
const CENTRAL: usize = 16;

/// The commonest four-byte pieces of source text, case folded, commonest first; a line end is written as
/// an asterisk. Counted over equal shares of C, C++, Go, Java, Rust, JavaScript, TypeScript and Python
/// sources, JSON and documentation, and smaller ones of YAML, TOML, Ruby and shell.
const COMMON: &str = include_str!("grams.txt");
/// Bytes by how often they occur in source text, commonest first: decides where `COMMON` is silent.
const COMMON_BYTES: &[u8] = b" etaoinsrlcdupmfhg_.,\"()-=:/by0'v;1wk2>3x<\n{}45#*j9876q[z]@$";

/// All literals, ready to search.
#[derive(Debug)]
pub struct Literals {
    /// By a hash of three bytes: which values the low bits of the fourth may have.
    cells: Box<[u8; 1 << CELLS]>,
    /// Pieces that anchor literals, by their hash, with open addressing; of literals of three bytes, they
    /// themselves.
    entries: Vec<Entry>,
    /// What the entries point at.
    anchors: Vec<Anchor>,
    /// The literals, one behind the other.
    letters: Vec<u8>,
    margins: (usize, usize),
}

/// A piece, and those whose anchor it is; none in an empty entry.
#[derive(Clone, Copy, Default, Debug)]
struct Entry {
    gram: u32,
    first: u16,
    count: u16,
}

/// A literal, and where in it its anchor is.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    literal: u16,
    length: u16,
    offset: u16,
    /// Where in the letters it begins.
    letters: u32,
}

/// Folds ASCII case; other bytes may collide, which the confirmation sorts out.
const FOLD: u32 = 0x2020_2020;
const THREE: u32 = 0x00ff_ffff;

fn gram(bytes: &[u8]) -> u32 {
    let all = bytes.iter().take(4).rev();
    all.fold(0, |gram, byte| gram << 8 | u32::from(*byte)) | FOLD
}

#[inline(always)]
fn cell(gram: u32) -> usize {
    // The shift drops the fourth byte.
    ((gram << 8).wrapping_mul(0x9E37_79B1) >> (32 - CELLS)) as usize
}

/// By the fourth byte: its bit in a cell. Case makes no difference to the low bits.
const BITS: [u8; 256] = {
    let mut bits = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        bits[byte] = 1 << (byte & 7);
        byte += 1;
    }
    bits
};

/// Which bit of which cell stands for a piece.
#[inline(always)]
fn bit(gram: u32) -> usize {
    cell(gram) << 3 | (gram >> 24 & 7) as usize
}

/// What pieces cost as anchors: how often source text has them, or others that share their bit.
struct Costs {
    /// How often each common piece is met; the unit does not matter.
    own: HashMap<u32, u32>,
    /// By bit: how often text passes there.
    passing: Vec<u32>,
    /// By bit: whether an anchor has it, so that text passes there anyway.
    taken: Vec<bool>,
}

impl Costs {
    fn new() -> Self {
        // Frequency falls about as the rank grows (Zipf's law).
        const MOST: u32 = 10_000_000;
        const LEAD: u32 = 50;
        let pieces = COMMON.lines().flat_map(|it| it.as_bytes().chunks_exact(4));
        let mut this = Self {
            own: HashMap::with_capacity(1 << 13),
            passing: vec![0; 8 << CELLS],
            taken: vec![false; 8 << CELLS],
        };
        for (piece, rank) in pieces.map(gram).zip(LEAD..) {
            this.own.insert(piece, MOST / rank);
            this.passing[bit(piece)] += MOST / rank;
        }
        this
    }

    /// The cheapest piece of a literal, not far from either end, so that little has to be searched around
    /// an edit; and where it is.
    fn best(&self, text: &[u8]) -> (u32, usize) {
        let is_far = |at: usize| at > CENTRAL || text.len() - at > CENTRAL + 4;
        let last = text.len().saturating_sub(4);
        let offset = (0..=last)
            .min_by_key(|at| (is_far(*at), self.of(&text[*at..*at + 4])))
            .unwrap_or_default();
        (gram(&text[offset..]), offset)
    }

    /// Less is better; bytes decide where nothing is known of the piece.
    fn of(&self, piece: &[u8]) -> (u32, Reverse<usize>) {
        let by_byte = |byte: &u8| {
            COMMON_BYTES
                .iter()
                .position(|it| *it == byte.to_ascii_lowercase())
                .unwrap_or(COMMON_BYTES.len())
        };
        let gram = gram(piece);
        let own = self.own.get(&gram).copied().unwrap_or_default();
        let passing = match self.taken[bit(gram)] {
            true => 0,
            false => self.passing[bit(gram)],
        };
        (own + passing, Reverse(piece.iter().map(by_byte).sum()))
    }
}

impl Literals {
    /// Literals of at least three bytes, of which there can be some ten thousand; compared without ASCII
    /// case.
    pub fn new(literals: &[&[u8]]) -> Self {
        let mut this = Self {
            cells: Box::new([0; 1 << CELLS]),
            // Four times the room that is needed keeps probes short.
            entries: vec![Entry::default(); (literals.len() * 4).next_power_of_two()],
            anchors: Vec::with_capacity(literals.len()),
            letters: Vec::new(),
            margins: (0, 1),
        };
        let mut anchored = this.mark(literals);
        anchored.sort_by_key(|(piece, it)| (*piece, it.literal));
        for group in anchored.chunk_by(|a, b| a.0 == b.0) {
            let first = this.anchors.len() as u16;
            this.anchors.extend(group.iter().map(|it| it.1));
            let mut at = this.slot(group[0].0);
            while this.entries[at].count != 0 {
                at = (at + 1) % this.entries.len();
            }
            this.entries[at] = Entry {
                gram: group[0].0,
                first,
                count: group.len() as u16,
            };
        }
        this
    }

    /// Chooses the anchors and marks their cells.
    fn mark(&mut self, literals: &[&[u8]]) -> Vec<(u32, Anchor)> {
        let mut costs = Costs::new();
        let mut anchored = Vec::with_capacity(literals.len());
        // Short ones have no choice; others then know what is passed anyway.
        let (short, long): (Vec<_>, Vec<_>) =
            literals.iter().zip(0..).partition(|(it, _)| it.len() == 3);
        for (text, literal) in short.into_iter().chain(long) {
            let (piece, offset) = if text.len() == 3 {
                (gram(text) & THREE, 0)
            } else {
                costs.best(text)
            };
            if piece == piece & THREE {
                self.cells[cell(piece)] = u8::MAX;
                costs.taken[cell(piece) << 3..][..8].fill(true);
            } else {
                self.cells[cell(piece)] |= 1 << (piece >> 24 & 7);
                costs.taken[bit(piece)] = true;
            }
            self.margins.0 = self.margins.0.max(text.len() - offset);
            self.margins.1 = self.margins.1.max(offset + 1);
            anchored.push((
                piece,
                Anchor {
                    literal,
                    length: text.len() as u16,
                    offset: offset as u16,
                    letters: self.letters.len() as u32,
                },
            ));
            self.letters.extend(*text);
        }
        anchored
    }

    /// How many bytes before and behind a place the anchors of literals that touch it can stand.
    pub fn margins(&self) -> (usize, usize) {
        self.margins
    }

    fn slot(&self, gram: u32) -> usize {
        (gram.wrapping_mul(0x85EB_CA6B) >> 8) as usize & (self.entries.len() - 1)
    }

    /// Calls `hit(number, start)` for each place of each literal that has its anchor between `start` and
    /// `end`, by position of the anchor.
    pub fn within(&self, text: &[u8], start: usize, end: usize, mut hit: impl FnMut(usize, usize)) {
        let end = end.min(text.len());
        let mut at = start;
        let mut blocks = text.get(start..).unwrap_or_default().windows(12).step_by(8);
        while at < end {
            let Some(block) = blocks.next() else { break };
            let (Some(low), Some(high)) = (block.first_chunk::<8>(), block.last_chunk::<8>())
            else {
                break;
            };
            let low = u64::from_le_bytes(*low) | 0x2020_2020_2020_2020;
            let high = u64::from_le_bytes(*high) | 0x2020_2020_2020_2020;
            let passes = |gram: u64, at: usize| {
                self.cells[cell(gram as u32)] & BITS[usize::from(block[at + 3])]
            };
            let passes = [
                passes(low, 0),
                passes(low >> 8, 1),
                passes(low >> 16, 2),
                passes(low >> 24, 3),
                passes(high, 4),
                passes(high >> 8, 5),
                passes(high >> 16, 6),
                passes(high >> 24, 7),
            ];
            if passes.iter().fold(0, |all, it| all | it) != 0 {
                self.confirm_some(text, at, &passes[..passes.len().min(end - at)], &mut hit);
            }
            at += 8;
        }
        while at < end && at + 3 <= text.len() {
            self.confirm(text, at, &mut hit);
            at += 1;
        }
    }

    #[inline(never)]
    fn confirm_some(
        &self,
        text: &[u8],
        at: usize,
        passes: &[u8],
        hit: &mut impl FnMut(usize, usize),
    ) {
        for (offset, _) in passes.iter().enumerate().filter(|it| *it.1 != 0) {
            self.confirm(text, at + offset, hit);
        }
    }

    fn confirm(&self, text: &[u8], at: usize, hit: &mut impl FnMut(usize, usize)) {
        let Some(piece) = text.get(at..(at + 4).min(text.len())) else {
            return;
        };
        let piece = gram(piece);
        self.look_up(text, at, piece, hit);
        if self.cells[cell(piece)] == u8::MAX {
            self.look_up(text, at, piece & THREE, hit);
        }
    }

    /// The literals that have this piece for an anchor.
    #[inline(always)]
    fn look_up(&self, text: &[u8], at: usize, piece: u32, hit: &mut impl FnMut(usize, usize)) {
        let mut slot = self.slot(piece);
        loop {
            let entry = self.entries[slot];
            if entry.count == 0 {
                return;
            }
            if entry.gram == piece {
                let first = usize::from(entry.first);
                let anchors = &self.anchors[first..first + usize::from(entry.count)];
                return anchors
                    .iter()
                    .for_each(|it| self.compare(text, at, *it, hit));
            }
            slot = (slot + 1) % self.entries.len();
        }
    }

    fn compare(&self, text: &[u8], at: usize, anchor: Anchor, hit: &mut impl FnMut(usize, usize)) {
        let length = usize::from(anchor.length);
        let letters = &self.letters[anchor.letters as usize..][..length];
        let start = at.checked_sub(usize::from(anchor.offset));
        if let Some(start) = start
            && text
                .get(start..start + length)
                .is_some_and(|it| it.eq_ignore_ascii_case(letters))
        {
            hit(usize::from(anchor.literal), start);
        }
    }
}

/// Which of some listed literals stand in a text, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seen([u64; 4]);

impl Seen {
    /// More literals than this cannot be told apart.
    pub const MOST: usize = 256;
    /// Every literal, as of a text that nobody has searched.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// Remembers a literal by its number, below [`Seen::MOST`].
    pub fn add(&mut self, number: usize) {
        self.0[number / 64 % 4] |= 1 << (number % 64);
    }

    /// Whether a literal stands in the text.
    pub fn has(self, number: usize) -> bool {
        self.0[number / 64 % 4] >> (number % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(keywords: &[&str], text: &[u8]) -> Vec<(usize, usize)> {
        let literals: Vec<&[u8]> = keywords.iter().map(|it| it.as_bytes()).collect();
        let filter = Literals::new(&literals);
        let mut found = Vec::new();
        // In two parts, which must not matter.
        let middle = text.len() / 2;
        for (start, end) in [(0, middle), (middle, text.len())] {
            filter.within(text, start, end, |keyword, start| {
                found.push((keyword, start));
            });
        }
        found.sort_unstable();
        found
    }

    fn naive(keywords: &[&str], text: &[u8]) -> Vec<(usize, usize)> {
        let lower = text.to_ascii_lowercase();
        let each = |(number, keyword): (usize, &&str)| {
            let keyword = keyword.to_ascii_lowercase().into_bytes();
            let starts: Vec<_> = (0..lower.len())
                .filter(|at| lower[*at..].starts_with(&keyword))
                .map(|at| (number, at))
                .collect();
            starts
        };
        let mut found: Vec<_> = keywords.iter().enumerate().flat_map(each).collect();
        found.sort_unstable();
        found
    }

    proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(text in "[abAB_-]{0,60}") {
            let keywords = ["ab_", "BA-a", "aaa", "abab_b", "b-bA-"];
            prop_assert_eq!(found(&keywords, text.as_bytes()), naive(&keywords, text.as_bytes()));
        }

        #[test]
        fn any_bytes_are_searched(text in prop::collection::vec(any::<u8>(), 0..80)) {
            let keywords = ["abc", "wxyz", "0000"];
            prop_assert_eq!(found(&keywords, &text), naive(&keywords, &text));
        }
    }

    #[test]
    fn a_keyword_at_the_very_end_is_found() {
        for lead in 0..20 {
            let text = format!("{}gh_Ghp_", "-".repeat(lead));
            assert_eq!(
                found(&["ghp_", "gh_"], text.as_bytes()),
                [(0, lead + 3), (1, lead)]
            );
        }
    }

    #[test]
    fn common_pieces_are_whole() {
        assert_eq!(Costs::new().own.len(), 8192);
        assert!(Costs::new().own.contains_key(&gram(b"_key")));
    }

    #[test]
    fn an_anchor_is_the_rarest_piece() {
        let costs = Costs::new();
        assert!(costs.of(b"k_q9") < costs.of(b"_key"));
        assert!(costs.of(b"_key") < costs.of(b"self"));
    }
}
