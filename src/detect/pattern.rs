//! A rule's regular expression: compiled on first use, run only in windows around its keywords.

use crate::model::rule::Rule;
use crate::model::span::Span;
use regex::bytes::{Regex, RegexBuilder};
use std::sync::OnceLock;

/// Assumed where a pattern does not bound itself.
const UNBOUNDED: usize = 4096;

/// One pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    regex: OnceLock<Option<Regex>>,
    longest: OnceLock<usize>,
}

/// What a pattern matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    /// The whole match.
    pub(crate) whole: Span,
    /// The group `secret`.
    pub(crate) secret: Span,
}

impl Pattern {
    /// Not compiled yet.
    pub(crate) fn new(rule: &Rule) -> Self {
        Self {
            text: rule.pattern.clone(),
            regex: OnceLock::new(),
            longest: OnceLock::new(),
        }
    }

    /// Whether the pattern is valid; compiles it.
    pub(crate) fn check(&self) -> Result<(), String> {
        build(&self.text)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    /// How far from its keyword a match can lie, besides the lead.
    pub(crate) fn reach(&self) -> usize {
        *self.longest.get_or_init(|| longest(&self.text)) + 2
    }

    /// Every match in the window; bytes before it are seen by `\b` and `^`.
    pub(crate) fn each(&self, text: &[u8], window: Span, mut emit: impl FnMut(Match)) {
        let Some(regex) = self.regex.get_or_init(|| build(&self.text).ok()) else {
            return;
        };
        let text = &text[..window.end];
        let mut at = window.start;
        while at <= text.len() {
            let Some(found) = regex.find_at(text, at) else {
                return;
            };
            let span = Span::new(found.start(), found.end());
            let secret = secret(regex, text, span);
            emit(Match {
                whole: span,
                secret,
            });
            // The byte after the secret may be the separator of the next one.
            at = secret.end.max(span.start + 1);
        }
    }
}

/// The group `secret` of a match that is known. A search for groups takes longer the farther it may look:
/// where one with little text behind the match gives the same match, it gives the same groups, since
/// nothing looks farther than a byte behind it.
fn secret(regex: &Regex, text: &[u8], found: Span) -> Span {
    const BEHIND: usize = 8;
    let group = |text: &[u8]| {
        let groups = regex.captures_at(text, found.start)?;
        let whole = groups.get(0)?;
        let secret = groups.name("secret").unwrap_or(whole);
        let is_same = whole.start() == found.start && whole.end() == found.end;
        is_same.then(|| Span::new(secret.start(), secret.end()))
    };
    group(&text[..text.len().min(found.end + BEHIND)])
        .or_else(|| group(text))
        .unwrap_or(found)
}

fn build(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .unicode(false)
        .size_limit(64 << 20)
        .dfa_size_limit(1 << 20)
        .build()
}

fn longest(text: &str) -> usize {
    let parsed = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(text);
    parsed
        .ok()
        .and_then(|it| it.properties().maximum_len())
        .unwrap_or(UNBOUNDED)
}
