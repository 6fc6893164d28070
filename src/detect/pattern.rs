//! A rule's regular expression: compiled on first use, run only in windows around its keywords.

use crate::model::rule::Rule;
use crate::model::span::Span;
use regex_automata::meta::{BuildError, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use std::sync::OnceLock;

/// Assumed where a pattern does not bound itself.
const UNBOUNDED: usize = 4096;

/// One pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    regex: OnceLock<Option<Regex>>,
    longest: OnceLock<usize>,
    /// The group that is wanted.
    group: &'static str,
}

/// What a pattern matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    /// The whole match.
    pub(crate) whole: Span,
    /// The group `secret`, or that of a part.
    pub(crate) secret: Span,
}

impl Pattern {
    /// Not compiled yet.
    pub(crate) fn new(rule: &Rule) -> Self {
        Self::of(&rule.pattern, "secret")
    }

    /// The pattern of a part, with its group; not compiled yet.
    pub(crate) fn of(text: &str, group: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            regex: OnceLock::new(),
            longest: OnceLock::new(),
            group,
        }
    }

    /// Whether the pattern is valid; compiles it.
    pub(crate) fn check(&self) -> Result<(), String> {
        build(&self.text).map(|_| ()).map_err(|error| {
            let syntax = error.syntax_error().map(ToString::to_string);
            syntax.unwrap_or_else(|| error.to_string())
        })
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
            let Some(found) = regex.search(&Input::new(text).range(at..)) else {
                return;
            };
            let span = Span::new(found.start(), found.end());
            // Looked at again where it was found, and nowhere else, for its group.
            let again = Input::new(text)
                .range(found.range())
                .anchored(Anchored::Yes);
            let mut groups = regex.create_captures();
            regex.search_captures(&again, &mut groups);
            let secret = groups.get_group_by_name(self.group);
            let secret = secret.map_or(span, |it| Span::new(it.start, it.end));
            emit(Match {
                whole: span,
                secret,
            });
            // The byte after the secret may be the separator of the next one.
            at = secret.end.max(span.start + 1);
        }
    }
}

/// Windows are short and patterns many: what saves memory matters more than what saves time.
fn build(text: &str) -> Result<Regex, Box<BuildError>> {
    let config = Regex::config()
        .utf8_empty(false)
        .nfa_size_limit(Some(64 << 20))
        .hybrid_cache_capacity(512 << 10)
        .onepass(false);
    Regex::builder()
        .configure(config)
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .build(text)
        .map_err(Box::new)
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
