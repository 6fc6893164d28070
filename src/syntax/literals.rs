//! Many literals in a text at once: one step a byte, a small table that answers whether the next bytes
//! can begin a literal's rarest part, and a confirmation for the few places that pass. What a literal
//! means is known to whoever asks.

use std::cmp::Reverse;
use std::collections::HashMap;

/// Log2 of the number of cells in the first table; 32 KiB stay in a core's nearest cache.
const CELLS: u32 = 15;

/// Anchors of long keywords are at most this far from their beginning, and as far from their end.
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
    /// Four bytes that anchor keywords, by their hash, with open addressing.
    fours: Vec<Entry>,
    /// Keywords of three bytes, by themselves.
    threes: HashMap<u32, Vec<Anchor>>,
    /// What the entries point at.
    anchors: Vec<Vec<Anchor>>,
    keywords: Vec<Vec<u8>>,
    margins: (usize, usize),
}

/// An anchored piece, and its place in `anchors` plus one; zero is an empty entry.
#[derive(Clone, Copy, Default, Debug)]
struct Entry {
    gram: u32,
    anchors: u32,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    keyword: u32,
    offset: u32,
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
    /// Keywords of at least three bytes; compared without ASCII case.
    pub fn new(keywords: Vec<Vec<u8>>) -> Self {
        let mut this = Self {
            cells: Box::new([0; 1 << CELLS]),
            // Four times the room that is needed keeps probes short.
            fours: vec![Entry::default(); (keywords.len() * 4).next_power_of_two()],
            threes: HashMap::new(),
            anchors: Vec::new(),
            keywords: Vec::new(),
            margins: (0, 1),
        };
        let mut costs = Costs::new();
        let (short, long): (Vec<_>, Vec<_>) = keywords
            .iter()
            .zip(0..)
            .partition(|(keyword, _)| keyword.len() == 3);
        for (keyword, number) in short {
            this.widen(3, 0);
            let piece = gram(keyword) & THREE;
            this.cells[cell(piece)] = u8::MAX;
            costs.taken[bit(piece)..][..8].fill(true);
            this.threes.entry(piece).or_default().push(Anchor {
                keyword: number,
                offset: 0,
            });
        }
        for (keyword, number) in long {
            // Not far from either end, so that little has to be searched around an edit.
            let last = keyword.len().saturating_sub(4);
            let is_far = |at: &usize| *at > CENTRAL || keyword.len() - at > CENTRAL + 4;
            let best = (0..=last)
                .min_by_key(|at| (is_far(at), costs.of(&keyword[*at..*at + 4])))
                .unwrap_or(0);
            this.widen(keyword.len(), best);
            let piece = gram(&keyword[best..]);
            this.cells[cell(piece)] |= 1 << (piece >> 24 & 7);
            costs.taken[bit(piece)] = true;
            this.anchor(
                piece,
                Anchor {
                    keyword: number,
                    offset: best as u32,
                },
            );
        }
        this.keywords = keywords;
        this
    }

    fn widen(&mut self, length: usize, anchor: usize) {
        self.margins.0 = self.margins.0.max(length - anchor);
        self.margins.1 = self.margins.1.max(anchor + 1);
    }

    /// How many bytes before and behind a place the anchors of keywords that touch it can stand.
    pub fn margins(&self) -> (usize, usize) {
        self.margins
    }

    fn slot(&self, gram: u32) -> usize {
        (gram.wrapping_mul(0x85EB_CA6B) >> 8) as usize & (self.fours.len() - 1)
    }

    fn anchor(&mut self, piece: u32, anchor: Anchor) {
        let mut at = self.slot(piece);
        while self.fours[at].anchors != 0 && self.fours[at].gram != piece {
            at = (at + 1) % self.fours.len();
        }
        if self.fours[at].anchors == 0 {
            self.anchors.push(Vec::new());
            self.fours[at] = Entry {
                gram: piece,
                anchors: self.anchors.len() as u32,
            };
        }
        self.anchors[self.fours[at].anchors as usize - 1].push(anchor);
    }

    /// Calls `hit(keyword, start)` for each place of each keyword, by position of its anchor.
    pub fn each(&self, text: &[u8], hit: impl FnMut(usize, usize)) {
        self.within(text, 0, text.len(), hit);
    }

    /// The same for those that have their anchor between `start` and `end`.
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
            let mut passed = self.passes(low as u32)
                | self.passes((low >> 8) as u32) << 1
                | self.passes((low >> 16) as u32) << 2
                | self.passes((low >> 24) as u32) << 3
                | self.passes(high as u32) << 4
                | self.passes((high >> 8) as u32) << 5
                | self.passes((high >> 16) as u32) << 6
                | self.passes((high >> 24) as u32) << 7;
            if passed != 0 {
                if end - at < 8 {
                    passed &= (1 << (end - at)) - 1;
                }
                self.confirm_some(text, at, passed, &mut hit);
            }
            at += 8;
        }
        while at < end && at + 3 <= text.len() {
            self.confirm(text, at, &mut hit);
            at += 1;
        }
    }

    /// One if a keyword may have its anchor here, else zero.
    #[inline(always)]
    fn passes(&self, gram: u32) -> u32 {
        u32::from(self.cells[cell(gram)]) >> (gram >> 24 & 7) & 1
    }

    #[inline(never)]
    fn confirm_some(
        &self,
        text: &[u8],
        at: usize,
        mut passed: u32,
        hit: &mut impl FnMut(usize, usize),
    ) {
        while passed != 0 {
            self.confirm(text, at + passed.trailing_zeros() as usize, hit);
            passed &= passed - 1;
        }
    }

    fn confirm(&self, text: &[u8], at: usize, hit: &mut impl FnMut(usize, usize)) {
        let Some(piece) = text.get(at..(at + 4).min(text.len())) else {
            return;
        };
        let piece = gram(piece);
        let mut entry = self.slot(piece);
        while self.fours[entry].anchors != 0 {
            if self.fours[entry].gram == piece {
                let anchors = &self.anchors[self.fours[entry].anchors as usize - 1];
                anchors
                    .iter()
                    .for_each(|it| self.compare(text, at, *it, hit));
                break;
            }
            entry = (entry + 1) % self.fours.len();
        }
        if self.cells[cell(piece)] == u8::MAX
            && let Some(anchors) = self.threes.get(&(piece & THREE))
        {
            anchors
                .iter()
                .for_each(|it| self.compare(text, at, *it, hit));
        }
    }

    fn compare(&self, text: &[u8], at: usize, anchor: Anchor, hit: &mut impl FnMut(usize, usize)) {
        let keyword = &self.keywords[anchor.keyword as usize];
        let start = at.checked_sub(anchor.offset as usize);
        if let Some(start) = start
            && text
                .get(start..start + keyword.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(keyword))
        {
            hit(anchor.keyword as usize, start);
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
        let filter = Literals::new(keywords.iter().map(|it| it.as_bytes().to_vec()).collect());
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
