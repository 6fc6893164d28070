//! The keyword pass: one step a byte over the text, a bitmap of the rarest trigram of each keyword,
//! and a confirmation for the few positions that pass. Knows literals only, no rules.

const BITS: u32 = 17;

/// Bytes by how often they occur in source text, commonest first; the rest counts as rare.
const COMMON: &[u8] = b" etaoinsrlcdupmfhg_.,\"()-=:/by0'v;1wk2>3x<\n{}45#*j9876q[z]@$";

/// All keywords, ready to search.
#[derive(Debug)]
pub(crate) struct Prefilter {
    bitmap: Vec<u64>,
    slots: Vec<u16>,
    buckets: Vec<Vec<Anchor>>,
    keywords: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    keyword: u32,
    offset: u32,
}

fn fold(bytes: &[u8]) -> u32 {
    (u32::from(bytes[0]) | u32::from(bytes[1]) << 8 | u32::from(bytes[2]) << 16) | 0x0020_2020
}

fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

fn rarity(byte: u8) -> usize {
    COMMON
        .iter()
        .position(|it| *it == byte.to_ascii_lowercase())
        .unwrap_or(COMMON.len())
}

impl Prefilter {
    /// Keywords of at least three bytes; compared without ASCII case.
    pub(crate) fn new(keywords: Vec<Vec<u8>>) -> Self {
        let mut this = Self {
            bitmap: vec![0; 1 << (BITS - 6)],
            slots: vec![0; 1 << BITS],
            buckets: vec![Vec::new()],
            keywords: Vec::new(),
        };
        for (number, keyword) in keywords.iter().enumerate() {
            let best = (0..=keyword.len() - 3)
                .max_by_key(|at| {
                    keyword[*at..*at + 3]
                        .iter()
                        .map(|byte| rarity(*byte))
                        .sum::<usize>()
                })
                .unwrap_or(0);
            let index = slot(fold(&keyword[best..best + 3]));
            this.bitmap[index / 64] |= 1 << (index % 64);
            if this.slots[index] == 0 {
                this.slots[index] = this.buckets.len() as u16;
                this.buckets.push(Vec::new());
            }
            this.buckets[usize::from(this.slots[index])].push(Anchor {
                keyword: number as u32,
                offset: best as u32,
            });
        }
        this.keywords = keywords;
        this
    }

    /// Calls `hit(keyword, start)` for each place of each keyword, by position of its rarest trigram.
    pub(crate) fn each(&self, text: &[u8], mut hit: impl FnMut(usize, usize)) {
        let mut at = 0;
        while at + 8 <= text.len() {
            let mut word = [0; 8];
            word.copy_from_slice(&text[at..at + 8]);
            let word = u64::from_le_bytes(word) | 0x2020_2020_2020_2020;
            let grams =
                [0, 8, 16, 24, 32, 40].map(|shift| slot((word >> shift) as u32 & 0x00ff_ffff));
            let set = grams.map(|index| (self.bitmap[index / 64] >> (index % 64)) & 1 != 0);
            if set[0] | set[1] | set[2] | set[3] | set[4] | set[5] {
                for (step, is_set) in set.into_iter().enumerate() {
                    if is_set {
                        self.confirm(text, at + step, grams[step], &mut hit);
                    }
                }
            }
            at += 6;
        }
        while at + 3 <= text.len() {
            let index = slot(fold(&text[at..]));
            if (self.bitmap[index / 64] >> (index % 64)) & 1 != 0 {
                self.confirm(text, at, index, &mut hit);
            }
            at += 1;
        }
    }

    fn confirm(&self, text: &[u8], at: usize, index: usize, hit: &mut impl FnMut(usize, usize)) {
        for anchor in &self.buckets[usize::from(self.slots[index])] {
            let Some(start) = at.checked_sub(anchor.offset as usize) else {
                continue;
            };
            let keyword = &self.keywords[anchor.keyword as usize];
            if text
                .get(start..start + keyword.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(keyword))
            {
                hit(anchor.keyword as usize, start);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(text in "[abAB_-]{0,60}") {
            let keywords = ["ab_", "BA-a", "aaa"];
            let filter = Prefilter::new(keywords.iter().map(|it| it.as_bytes().to_vec()).collect());
            let mut found = Vec::new();
            filter.each(text.as_bytes(), |keyword, start| found.push((keyword, start)));
            found.sort_unstable();
            let lower = text.to_ascii_lowercase();
            let mut naive = Vec::new();
            for (number, keyword) in keywords.iter().enumerate() {
                let keyword = keyword.to_ascii_lowercase();
                naive.extend((0..lower.len()).filter(|at| lower[*at..].starts_with(&keyword)).map(|at| (number, at)));
            }
            naive.sort_unstable();
            prop_assert_eq!(found, naive);
        }
    }
}
