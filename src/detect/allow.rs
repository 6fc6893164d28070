//! What of a rule's matches is allowed to stand: users' patterns and words, compiled when a match first
//! asks for them.

use super::pattern::Match;
use crate::model::rule::{Allow, Rule};
use regex::bytes::{RegexSet, RegexSetBuilder};
use std::sync::OnceLock;

/// The longest part of a line that is looked at, to either side of a match.
const LINE: usize = 2048;

/// The allowances of one rule.
#[derive(Debug)]
pub(crate) struct Allowances {
    rows: Vec<Allow>,
    compiled: OnceLock<Vec<Compiled>>,
}

#[derive(Debug)]
struct Compiled {
    secrets: RegexSet,
    matches: RegexSet,
    lines: RegexSet,
}

impl Allowances {
    /// Not compiled yet.
    pub(crate) fn new(rule: &Rule) -> Self {
        Self {
            rows: rule.allow.clone(),
            compiled: OnceLock::new(),
        }
    }

    /// The first fault of the patterns.
    pub(crate) fn check(&self) -> Result<(), String> {
        let all = self
            .rows
            .iter()
            .flat_map(|it| [&it.secrets, &it.matches, &it.lines]);
        all.into_iter()
            .try_for_each(|it| set(it).map(|_| ()))
            .map_err(|error| error.to_string())
    }

    /// Whether the match may stand.
    pub(crate) fn hold(&self, text: &[u8], found: Match) -> bool {
        if self.rows.is_empty() {
            return false;
        }
        let compiled = self.compiled.get_or_init(|| {
            let none = |_| RegexSet::empty();
            let each = |it: &Allow| Compiled {
                secrets: set(&it.secrets).unwrap_or_else(none),
                matches: set(&it.matches).unwrap_or_else(none),
                lines: set(&it.lines).unwrap_or_else(none),
            };
            self.rows.iter().map(each).collect()
        });
        let secret = &text[found.secret.start..found.secret.end];
        self.rows
            .iter()
            .zip(compiled)
            .any(|(row, compiled)| row_holds(row, compiled, text, found, secret))
    }
}

fn row_holds(row: &Allow, compiled: &Compiled, text: &[u8], found: Match, secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    let has_word = || {
        row.words
            .iter()
            .any(|it| memchr::memmem::find(&lower, it.as_bytes()).is_some())
    };
    let kinds = [
        (!row.secrets.is_empty()).then(|| compiled.secrets.is_match(secret)),
        (!row.matches.is_empty()).then(|| {
            compiled
                .matches
                .is_match(&text[found.whole.start..found.whole.end])
        }),
        (!row.lines.is_empty()).then(|| compiled.lines.is_match(line(text, found))),
        (!row.words.is_empty()).then(has_word),
    ];
    let mut kinds = kinds.into_iter().flatten();
    if row.all {
        kinds.all(|it| it)
    } else {
        kinds.any(|it| it)
    }
}

fn line(text: &[u8], found: Match) -> &[u8] {
    let floor = found.whole.start.saturating_sub(LINE);
    let start =
        memchr::memrchr(b'\n', &text[floor..found.whole.start]).map_or(floor, |it| floor + it + 1);
    let ceiling = (found.whole.end + LINE).min(text.len());
    let end = memchr::memchr(b'\n', &text[found.whole.end..ceiling])
        .map_or(ceiling, |it| found.whole.end + it);
    &text[start..end]
}

fn set(patterns: &[String]) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(patterns).unicode(false).build()
}
