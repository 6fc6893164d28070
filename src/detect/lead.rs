//! Which hits of a keyword can matter: where all that a pattern matches begins with one of its keywords,
//! the bytes before and behind a hit, and its case, tell most of them off before the pattern is run.
//!
//! Nothing farther than one byte away is looked at, so that a hit is what it is wherever it is copied
//! with its neighbours.

use super::pattern::Pattern;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Literal};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Longer prefixes are not worked out.
const LONGEST: usize = 64;

/// What hits of one keyword must look like.
#[derive(Debug)]
pub(crate) enum Lead {
    /// Any hit may belong to a match.
    Any,
    /// One of these must hold; with none, no match needs this keyword.
    OneOf(Vec<Opening>),
}

/// How the matches of a pattern begin.
#[derive(Debug)]
pub(crate) struct Opening {
    /// The keyword in its case.
    keyword: Vec<u8>,
    /// Whether a word must not go on before it.
    begins_word: bool,
    /// The bytes that may follow, where that is known.
    next: Option<Set>,
}

/// Bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Set([u64; 4]);

impl Set {
    const EMPTY: Self = Self([0; 4]);

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
    }

    fn has(self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] >> (byte % 64) & 1 == 1
    }

    fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }
}

impl Lead {
    /// What a keyword must look like to belong to a match of one of the rules.
    pub(crate) fn new<'p>(keyword: &[u8], patterns: impl Iterator<Item = &'p Pattern>) -> Self {
        let mut all = Vec::new();
        for pattern in patterns {
            match openings(pattern, keyword) {
                Some(openings) => all.extend(openings),
                None => return Self::Any,
            }
        }
        Self::OneOf(all)
    }

    /// Whether the keyword at `start..end` may belong to a match.
    pub(crate) fn fits(&self, text: &[u8], start: usize, end: usize) -> bool {
        let openings = match self {
            Self::Any => return true,
            Self::OneOf(openings) => openings,
        };
        let is_word = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
        let goes_on = start > 0 && is_word(text[start - 1]);
        openings.iter().any(|it| {
            !(it.begins_word && goes_on)
                && it.keyword == text[start..end]
                && it
                    .next
                    .is_none_or(|next| text.get(end).is_some_and(|byte| next.has(*byte)))
        })
    }
}

/// Whether a text begins with a keyword, in any case.
fn is_led(text: &[u8], keyword: &[u8]) -> bool {
    text.get(..keyword.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(keyword))
}

/// What matches begin with. `None` if that is not known, or some begin with none of the keywords.
fn beginnings(hir: &Hir, keywords: &[String]) -> Option<Vec<Literal>> {
    let all = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
    let all = all.literals()?;
    let is_led = |it: &Literal| {
        keywords
            .iter()
            .any(|keyword| is_led(it.as_bytes(), keyword.as_bytes()))
    };
    all.iter().all(is_led).then(|| all.to_vec())
}

/// Whether all matches begin with one of the keywords.
pub(super) fn begins(hir: &Hir, keywords: &[String]) -> bool {
    beginnings(hir, keywords).is_some()
}

/// How matches begin that begin with this keyword. `None` if some may begin with none of the pattern's
/// keywords.
fn openings(pattern: &Pattern, keyword: &[u8]) -> Option<Vec<Opening>> {
    let hir = pattern.parsed()?;
    let mut spelled: Vec<Vec<u8>> = Vec::new();
    for beginning in beginnings(&hir, pattern.keywords())? {
        if is_led(beginning.as_bytes(), keyword) {
            spelled.push(beginning.as_bytes()[..keyword.len()].to_vec());
        }
    }
    spelled.sort_unstable();
    spelled.dedup();
    let (sets, _) = prefix(&hir);
    let begins_word = begins_word(&hir);
    let opening = |keyword: Vec<u8>| Opening {
        begins_word: begins_word
            && keyword
                .first()
                .is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_'),
        next: sets.get(keyword.len()).copied(),
        keyword,
    };
    Some(spelled.into_iter().map(opening).collect())
}

/// Whether every match begins at the boundary of a word.
fn begins_word(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(look) => matches!(look, Look::WordAscii | Look::WordStartAscii),
        HirKind::Capture(it) => begins_word(&it.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(begins_word),
        HirKind::Alternation(ways) => ways.iter().all(begins_word),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Repetition(_) => false,
    }
}

/// Which bytes every match begins with, place by place, and whether these are all its places.
fn prefix(hir: &Hir) -> (Vec<Set>, bool) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (Vec::new(), true),
        HirKind::Literal(it) => (it.0.iter().map(|it| one(*it..=*it)).collect(), true),
        HirKind::Class(Class::Bytes(it)) => {
            let ranges = it.iter().map(|it| one(it.start()..=it.end()));
            (vec![ranges.fold(Set::EMPTY, Set::or)], true)
        }
        HirKind::Class(Class::Unicode(_)) => (Vec::new(), false),
        HirKind::Capture(it) => prefix(&it.sub),
        HirKind::Repetition(it) => {
            let (sets, is_whole) = prefix(&it.sub);
            let times = if is_whole {
                it.min as usize
            } else {
                it.min.min(1) as usize
            };
            let places = times.saturating_mul(sets.len());
            let all = sets.iter().copied().cycle().take(places.min(LONGEST));
            let is_fixed = is_whole && Some(it.min) == it.max && places <= LONGEST;
            (all.collect(), is_fixed)
        }
        HirKind::Concat(parts) => {
            let mut all = Vec::new();
            for part in parts {
                let (sets, is_whole) = prefix(part);
                all.extend(sets);
                if !is_whole || all.len() > LONGEST {
                    return (all, false);
                }
            }
            (all, true)
        }
        HirKind::Alternation(ways) => {
            let mut ways = ways.iter().map(prefix);
            let first = ways.next().unwrap_or_default();
            ways.fold(first, |(all, is_whole), (sets, is_too)| {
                let is_whole = is_whole && is_too && all.len() == sets.len();
                let both = all.iter().zip(&sets).map(|(a, b)| a.or(*b));
                (both.collect(), is_whole)
            })
        }
    }
}

fn one(range: std::ops::RangeInclusive<u8>) -> Set {
    let mut set = Set::EMPTY;
    range.for_each(|it| set.add(it));
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, keywords: &[&str], text: &str) -> bool {
        let owned: Vec<String> = keywords.iter().map(|it| (*it).to_owned()).collect();
        let pattern = Pattern::of(pattern, "secret", &owned);
        keywords.iter().any(|keyword| {
            let lead = Lead::new(keyword.as_bytes(), std::iter::once(&pattern));
            let lower = text.to_ascii_lowercase();
            lower
                .match_indices(&keyword.to_ascii_lowercase())
                .any(|(at, _)| lead.fits(text.as_bytes(), at, at + keyword.len()))
        })
    }

    #[test]
    fn case_and_neighbours_tell() {
        let pattern = r"\b(?P<secret>ion_[A-Za-z0-9]{42})\b";
        assert!(fits(pattern, &["ion_"], "= ion_a"));
        for text in ["connection_a", "ION_a", "ion__a", "ion_"] {
            assert!(!fits(pattern, &["ion_"], text), "{text}");
        }
        let pattern = r"(?P<secret>(?:sk|rk)_(?:live|test)_[0-9a-f]{4})";
        assert!(fits(
            pattern,
            &["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
            "xrk_test_0"
        ));
        assert!(!fits(
            pattern,
            &["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
            "xrk_test_z"
        ));
    }

    #[test]
    fn a_keyword_that_only_stands_near_is_not_told_off() {
        let pattern = r"\b(?P<secret>[a-f0-9]{40})\b";
        assert!(fits(pattern, &["shop"], "SHOPPING"));
        assert!(fits(r"(?i)shop_[0-9]", &["shop_"], "SHOP_1"));
        // Others begin every match: this one is not needed.
        let pattern = r"\b(?P<secret>st\.[0-9a-f]{24})\b";
        assert!(!fits(pattern, &["shop", "st."], "shop test.a"));
        assert!(fits(pattern, &["shop", "st."], "st.a"));
    }
}
