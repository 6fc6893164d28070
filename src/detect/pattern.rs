//! A rule's regular expression: compiled on first use, run only in windows around its keywords.
//!
//! Long counted repetitions make automata as large as they are long, so what is run first has none of
//! their upper ends; a match that is too long for the pattern is looked for again by the letter.

use super::lead;
use super::trail::Around;
use crate::model::rule::Rule;
use crate::model::span::Span;
use memchr::memmem::Finder;
use regex_automata::meta::{BuildError, Regex};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};
use std::sync::OnceLock;

/// Assumed where a pattern does not bound itself.
const UNBOUNDED: usize = 4096;
/// Repetitions of more bytes than this lose their upper end.
const COUNTED: u32 = 128;

/// One pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    keywords: Vec<String>,
    compiled: OnceLock<Option<Compiled>>,
    exact: OnceLock<Option<Regex>>,
    longest: OnceLock<usize>,
    around: OnceLock<Around>,
    /// The group that is wanted.
    group: &'static str,
}

/// What is run first.
#[derive(Debug)]
struct Compiled {
    regex: Regex,
    /// Bytes that every match has, besides a keyword.
    needs: Option<Finder<'static>>,
    /// Whether upper ends of repetitions were taken away.
    is_relaxed: bool,
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
        Self::of(&rule.pattern, "secret", &rule.keywords)
    }

    /// The pattern of a part, with its group and the keywords around which it is run; not compiled yet.
    pub(crate) fn of(text: &str, group: &'static str, keywords: &[String]) -> Self {
        Self {
            text: text.to_owned(),
            keywords: keywords.to_vec(),
            compiled: OnceLock::new(),
            exact: OnceLock::new(),
            longest: OnceLock::new(),
            around: OnceLock::new(),
            group,
        }
    }

    /// Whether the pattern is valid; compiles it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let hir = parse(&self.text).map_err(|it| it.to_string())?;
        build(&hir).map(drop).map_err(|error| {
            let syntax = error.syntax_error().map(ToString::to_string);
            syntax.unwrap_or_else(|| error.to_string())
        })
    }

    /// How far from its keyword a match can lie.
    pub(crate) fn around(&self) -> Around {
        *self.around.get_or_init(|| {
            let behind = self.longest() + 2;
            let begins = self
                .parsed()
                .is_some_and(|it| lead::begins(&it, &self.keywords));
            let before = if begins { 0 } else { behind };
            Around { before, behind }
        })
    }

    pub(super) fn keywords(&self) -> &[String] {
        &self.keywords
    }

    pub(super) fn parsed(&self) -> Option<Hir> {
        parse(&self.text).ok()
    }

    /// Bytes of the longest match.
    fn longest(&self) -> usize {
        *self.longest.get_or_init(|| {
            self.parsed()
                .and_then(|it| it.properties().maximum_len())
                .unwrap_or(UNBOUNDED)
        })
    }

    fn compiled(&self) -> Option<&Compiled> {
        let compile = || {
            let hir = self.parsed()?;
            let is_bounded = hir.properties().maximum_len().is_some();
            let relaxed = if is_bounded {
                relaxed(&hir)
            } else {
                hir.clone()
            };
            Some(Compiled {
                regex: build(&relaxed).ok()?,
                needs: needed(&hir, &self.keywords).map(|it| Finder::new(&it).into_owned()),
                is_relaxed: relaxed != hir,
            })
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    fn exact(&self) -> Option<&Regex> {
        let build = || build(&self.parsed()?).ok();
        self.exact.get_or_init(build).as_ref()
    }

    /// Every match in the window; bytes before it are seen by `\b` and `^`.
    pub(crate) fn each(&self, text: &[u8], window: Span, mut emit: impl FnMut(Match)) {
        let Some(compiled) = self.compiled() else {
            return;
        };
        let text = &text[..window.end];
        let needs = compiled.needs.as_ref();
        if needs.is_some_and(|it| it.find(&text[window.start..]).is_none()) {
            return;
        }
        let mut regex = &compiled.regex;
        let mut may_exceed = compiled.is_relaxed;
        let mut at = window.start;
        while at <= text.len() {
            let Some(found) = regex.search(&Input::new(text).range(at..)) else {
                return;
            };
            let span = Span::new(found.start(), found.end());
            if may_exceed && span.len() > self.longest() {
                let Some(exact) = self.exact() else { return };
                (regex, may_exceed) = (exact, false);
                continue;
            }
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

/// Patterns are about bytes.
fn parse(text: &str) -> Result<Hir, Box<regex_syntax::Error>> {
    regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(text)
        .map_err(Box::new)
}

/// Windows are short and patterns many: what saves memory matters more than what saves time.
fn build(hir: &Hir) -> Result<Regex, Box<BuildError>> {
    let config = Regex::config()
        .utf8_empty(false)
        .nfa_size_limit(Some(64 << 20))
        .hybrid_cache_capacity(512 << 10)
        .onepass(false);
    Regex::builder()
        .configure(config)
        .build_from_hir(hir)
        .map_err(Box::new)
}

/// The same without the upper ends of long repetitions of single bytes: it matches all that the pattern
/// does, and what is longer.
fn relaxed(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Repetition(it) => {
            let is_long = it.max.is_some_and(|it| it > COUNTED)
                && it.sub.properties().maximum_len() == Some(1);
            Hir::repetition(Repetition {
                max: it.max.filter(|_| !is_long),
                sub: Box::new(relaxed(&it.sub)),
                ..it.clone()
            })
        }
        HirKind::Capture(it) => Hir::capture(Capture {
            sub: Box::new(relaxed(&it.sub)),
            ..it.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(relaxed).collect()),
        HirKind::Alternation(ways) => Hir::alternation(ways.iter().map(relaxed).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

/// The longest literal of every match that no keyword holds, as a keyword is there anyway.
fn needed(hir: &Hir, keywords: &[String]) -> Option<Vec<u8>> {
    let is_news = |it: &Vec<u8>| {
        let it = it.to_ascii_lowercase();
        let holds = |keyword: &String| {
            let keyword = keyword.to_ascii_lowercase();
            memchr::memmem::find(keyword.as_bytes(), &it).is_some()
        };
        !keywords.iter().any(holds)
    };
    let mut all = Vec::new();
    literals(hir, &mut all);
    all.into_iter().filter(is_news).max_by_key(Vec::len)
}

/// The literals that stand in every match.
fn literals(hir: &Hir, all: &mut Vec<Vec<u8>>) {
    match hir.kind() {
        HirKind::Literal(it) => all.push(it.0.to_vec()),
        HirKind::Capture(it) => literals(&it.sub, all),
        HirKind::Repetition(it) if it.min > 0 => literals(&it.sub, all),
        HirKind::Concat(parts) => parts.iter().for_each(|it| literals(it, all)),
        HirKind::Repetition(_)
        | HirKind::Alternation(_)
        | HirKind::Empty
        | HirKind::Class(_)
        | HirKind::Look(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, keywords: &[&str], searched: &str) -> Vec<usize> {
        let keywords: Vec<String> = keywords.iter().map(|it| (*it).to_owned()).collect();
        let pattern = Pattern::of(text, "secret", &keywords);
        let mut found = Vec::new();
        let window = Span::new(0, searched.len());
        pattern.each(searched.as_bytes(), window, |it| {
            found.push(it.secret.len())
        });
        found
    }

    #[test]
    fn upper_ends_hold_although_they_are_not_compiled() {
        let bounded = r"k=(?P<secret>[a-z]{4,400})(?:$|[^a-z])";
        let text = format!("k={} k={} k=abcd", "a".repeat(400), "a".repeat(401));
        assert_eq!(matches(bounded, &["k="], &text), [400, 4]);
        let open = r"k=(?P<secret>[a-z]{4,400})";
        assert_eq!(matches(open, &["k="], &text), [400, 400, 4]);
    }

    #[test]
    fn a_needed_literal_is_none_of_the_keywords() {
        let hir = parse(r"(?i:http)://(?P<secret>[a-z]{4}-{2,5}x?)@").unwrap();
        assert_eq!(needed(&hir, &["http://".to_owned()]), Some(b"@".to_vec()));
        let hir = parse(r"(?:ab|cd)[0-9]").unwrap();
        assert_eq!(needed(&hir, &[]), None);
    }

    #[test]
    fn what_is_compiled_is_small() {
        let hir = parse(r"x(?P<secret>[0-9]{20,9000}[a-f]{3,8}(?:ab){2,900})$").unwrap();
        let expected = parse(r"x(?P<secret>[0-9]{20,}[a-f]{3,8}(?:ab){2,900})$").unwrap();
        assert_eq!(relaxed(&hir), expected);
    }
}
