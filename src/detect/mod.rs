//! Matches in a text, kept or dropped: a pure function of bytes and rules. What a path says of a match
//! is applied afterwards, per origin (`context`).

mod allow;
mod assignment;
mod checksum;
mod context;
mod entropy;
mod generate;
mod inline;
mod judge;
mod likeness;
mod name;
mod named;
mod nature;
mod pattern;
pub mod selftest;
mod shape;

pub use context::weigh;
pub use generate::{Seed, fill};

use crate::model::details::Details;
use crate::model::finding::{Candidate, Written};
use crate::model::level::Confidence;
use crate::model::rule::{Kind, Matcher, Promise, Rule, RuleSet};
use crate::model::secret::Secret;
use crate::model::span::Span;
use crate::syntax::literals::Literals;
use crate::syntax::sealed;
use allow::Allowances;
use assignment::Assignment;
use judge::Judgement;
use named::{Named, Owned};
use pattern::{Match, Pattern};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far before a match a `near` word may stand.
const NEAR: usize = 80;
/// More candidates than this in one text: the rest would drown any report.
const MAX_CANDIDATES: usize = 10_000;
/// Stands for all rules with [`Matcher::Named`] in the keyword table: their names share a few endings.
const NAMED: usize = usize::MAX;

/// The compiled rules.
#[derive(Debug)]
pub struct Detector {
    rules: Arc<RuleSet>,
    patterns: Vec<Pattern>,
    allowances: Vec<Allowances>,
    literals: Literals,
    lengths: Vec<usize>,
    by_keyword: Vec<Vec<usize>>,
    named: Named,
    /// The numbers of the two rules that go by names alone.
    password: Option<usize>,
    secret: Option<usize>,
}

/// Memory that one thread reuses from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    open: Vec<Option<Span>>,
    touched: Vec<usize>,
    windows: Vec<(usize, Span)>,
    names: Vec<(usize, usize)>,
}

/// Whether assignments mean anything in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Texture {
    /// Text.
    Text,
    /// Runs of text in a binary: only unmistakable shapes count.
    Binary,
}

impl Detector {
    /// Builds the keyword tables; patterns are compiled when first needed.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let mut keywords: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        for (number, rule) in rules.rules.iter().enumerate() {
            for keyword in &rule.keywords {
                keywords
                    .entry(keyword.to_ascii_lowercase().into_bytes())
                    .or_default()
                    .push(number);
            }
        }
        let named = Named::new(&rules.rules);
        for end in Named::triggers(&rules.rules) {
            keywords.entry(end.into_bytes()).or_default().push(NAMED);
        }
        let position = |id: &str| rules.rules.iter().position(|it| it.id == id);
        let (words, by_keyword): (Vec<_>, Vec<_>) = keywords.into_iter().unzip();
        let lengths = words.iter().map(Vec::len).collect();
        let patterns = rules.rules.iter().map(Pattern::new).collect();
        Self {
            allowances: rules.rules.iter().map(Allowances::new).collect(),
            patterns,
            literals: Literals::new(words),
            lengths,
            by_keyword,
            password: position("generic-password"),
            secret: position("generic-secret"),
            named,
            rules,
        }
    }

    /// Every fault of the patterns, as sentences; compiles them all.
    pub fn check(&self) -> Vec<String> {
        let rules = self.rules.rules.iter().zip(&self.patterns);
        rules
            .zip(&self.allowances)
            .flat_map(|((rule, pattern), allowances)| {
                let mut faults = named::faults(rule);
                if !rule.pattern.is_empty() {
                    faults.extend(pattern.check().err());
                }
                faults.extend(allowances.check().err());
                faults
                    .into_iter()
                    .map(|fault| format!("rule `{}`: {fault}", rule.id))
            })
            .collect()
    }

    /// Finds candidates in a text; they are pushed sorted and without overlaps of one value.
    pub fn detect(
        &self,
        text: &[u8],
        texture: Texture,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        let first = out.len();
        self.collect(text, texture, scratch, out);
        if out.len() > first {
            let mut found: Vec<Candidate> = out.drain(first..).collect();
            let sealed = sealed::spans(text);
            found.retain(|it| !sealed.iter().any(|whole| whole.contains(it.span)));
            self.settle(&mut found);
            for it in &mut found {
                nature::tell(self.rules.rules[it.rule].kind, it);
            }
            out.append(&mut found);
        }
    }

    /// Every match of every rule, overlaps included.
    fn collect(
        &self,
        text: &[u8],
        texture: Texture,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        scratch.open.resize(self.patterns.len(), None);
        scratch.windows.clear();
        scratch.names.clear();
        self.literals.each(text, |keyword, start| {
            for rule in &self.by_keyword[keyword] {
                if *rule == NAMED {
                    let end = start + self.lengths[keyword];
                    if texture == Texture::Text && assignment::may_end(text, start, end) {
                        scratch.names.push((NAMED, start));
                    }
                    continue;
                }
                match self.rules.rules[*rule].matcher {
                    Matcher::Pattern => {
                        self.widen(text, *rule, start, start + self.lengths[keyword], scratch)
                    }
                    Matcher::Assignment if texture == Texture::Text => {
                        scratch.names.push((*rule, start))
                    }
                    Matcher::Assignment | Matcher::Named => {}
                }
            }
        });
        for rule in scratch.touched.drain(..) {
            scratch
                .windows
                .extend(scratch.open[rule].take().map(|span| (rule, span)));
        }
        let first = out.len();
        for (rule, window) in &scratch.windows {
            self.patterns[*rule].each(text, *window, |found| {
                if out.len() - first < MAX_CANDIDATES {
                    out.extend(self.by_shape(text, *rule, found));
                }
            });
        }
        // Keywords are met in the order of their anchors.
        scratch.names.sort_unstable_by_key(|it| it.1);
        let mut last_name = Span::new(0, 0);
        for (rule, hit) in &scratch.names {
            if *hit >= last_name.end && out.len() - first < MAX_CANDIDATES {
                self.by_name(text, *rule, *hit, &mut last_name, out);
            }
        }
    }

    /// Keeps one window open per rule and lets it grow while keywords follow closely, so that no byte is
    /// run through a pattern twice.
    fn widen(&self, text: &[u8], rule: usize, start: usize, end: usize, scratch: &mut Scratch) {
        let window = self.patterns[rule].window(text, start, end);
        match &mut scratch.open[rule] {
            Some(open) if window.start <= open.end => {
                open.start = open.start.min(window.start);
                open.end = open.end.max(window.end);
            }
            Some(open) => {
                scratch.windows.push((rule, *open));
                *open = window;
            }
            closed => {
                *closed = Some(window);
                scratch.touched.push(rule);
            }
        }
    }

    fn by_shape(&self, text: &[u8], number: usize, found: Match) -> Option<Candidate> {
        let rule = &self.rules.rules[number];
        let value = &text[found.secret.start..found.secret.end];
        if !stands(rule, text, found, value) || self.allowances[number].hold(text, found) {
            return None;
        }
        let judgement = match rule.promise {
            Some(promise) => {
                let value = std::str::from_utf8(value).ok()?;
                judge::judge("", promise, value, Written::Quoted)?
            }
            None => Judgement::plain(rule.confidence),
        };
        Some(Candidate {
            rule: number,
            span: found.secret,
            secret: Secret::new(value),
            written: Written::Shape,
            key: assigned_name(text, found.secret.start),
            confidence: judgement.confidence.min(rule.confidence),
            facts: judgement.facts,
            inline: inline::comment(text, found.secret.start),
            expires: None,
            details: Details::default(),
            content: None,
        })
    }

    /// What stands around a name: a value of the name's owner, else of a rule that goes by names alone.
    fn by_name(
        &self,
        text: &[u8],
        number: usize,
        hit: usize,
        last: &mut Span,
        out: &mut Vec<Candidate>,
    ) {
        let Some(found) = assignment::around(text, hit) else {
            return;
        };
        let Ok(key) = std::str::from_utf8(&text[found.name.start..found.name.end]) else {
            return;
        };
        let key = key.trim_start_matches('-');
        let promise = name::promise(key);
        *last = found.name;
        if found.is_call && !name::takes_value(key) {
            return;
        }
        if let Some(owned) = self.by_owner(text, &found, key, promise) {
            out.push(owned);
        } else if let Some(promise) = promise {
            self.by_promise(text, number, &found, key, promise, out);
        }
    }

    /// The values that one name is given: one, unless it names a list.
    fn by_promise(
        &self,
        text: &[u8],
        number: usize,
        found: &Assignment,
        key: &str,
        promise: Promise,
        out: &mut Vec<Candidate>,
    ) {
        let Some(rule) = self.generic(number, promise) else {
            return;
        };
        let values = std::iter::once(found.value).chain(assignment::more(text, found));
        out.extend(values.filter_map(|span| {
            let raw = &text[span.start..span.end];
            let value = std::str::from_utf8(raw).ok()?;
            if self.rules.rules[rule].samples.iter().any(|it| it == value) {
                return None;
            }
            let judgement = judge::judge(key, promise, value, found.written)?;
            Some(Candidate {
                rule,
                span,
                secret: Secret::new(raw),
                written: found.written,
                key: Some(key.to_owned()),
                confidence: judgement.confidence.min(self.rules.rules[rule].confidence),
                facts: judgement.facts,
                inline: inline::comment(text, span.start),
                expires: None,
                details: Details::default(),
                content: None,
            })
        }));
    }

    /// The rule for a name: of the two that go by names alone, the one that fits its promise.
    fn generic(&self, number: usize, promise: Promise) -> Option<usize> {
        let is_generic = number == NAMED || self.rules.rules[number].id.starts_with("generic-");
        if !is_generic {
            return Some(number);
        }
        match promise {
            Promise::Password => self.password,
            Promise::Random | Promise::Perhaps => self.secret,
        }
    }

    fn by_owner(
        &self,
        text: &[u8],
        found: &Assignment,
        key: &str,
        promise: Option<Promise>,
    ) -> Option<Candidate> {
        let raw = &text[found.value.start..found.value.end];
        let value = std::str::from_utf8(raw).ok()?;
        if raw.len() < 8 || raw.contains(&b' ') {
            return None;
        }
        let is_parameter = assignment::is_parameter(text, found.name.start);
        let is_promised = matches!(promise, Some(Promise::Password | Promise::Random));
        let before = || {
            if !is_parameter && !is_promised {
                return Vec::new();
            }
            let before = assignment::before(text, found.name, NEAR);
            name::words(&String::from_utf8_lossy(before))
        };
        let words = name::words(key);
        let owned = self.named.find(&self.rules.rules, &words, before, raw)?;
        let rule = &self.rules.rules[owned.rule];
        if !is_random(value, key, owned, found.written)
            || rule
                .entropy
                .is_some_and(|floor| entropy::shannon(raw) < floor)
            || rule.samples.iter().any(|it| value == it)
        {
            return None;
        }
        let surest = if owned.in_name {
            Confidence::High
        } else {
            Confidence::Medium
        };
        Some(Candidate {
            rule: owned.rule,
            span: found.value,
            secret: Secret::new(raw),
            // In code too, a URL is no expression.
            written: if is_parameter {
                Written::Quoted
            } else {
                found.written
            },
            key: Some(key.to_owned()),
            confidence: rule.confidence.min(surest),
            facts: vec!["+ the provider's name, and a value of its shape"],
            inline: inline::comment(text, found.value.start),
            expires: None,
            details: Details::default(),
            content: None,
        })
    }

    /// Sorts, and leaves one candidate where several rules saw the same bytes: a shape before a name, a
    /// name with its owner before one without, then the surer, then the one that names a provider, then
    /// the longer.
    fn settle(&self, found: &mut Vec<Candidate>) {
        let rank = |it: &Candidate| {
            let rule = &self.rules.rules[it.rule];
            let has_owner = rule.matcher == Matcher::Named;
            // That it is a JSON Web Token says less than whose it is.
            let is_jwt = rule.kind == Kind::Jwt;
            (
                it.written == Written::Shape && !is_jwt && rule.promise.is_none(),
                has_owner,
                it.confidence,
                rule.provider != "generic",
                it.span.len(),
            )
        };
        found.sort_by(|a, b| {
            rank(b)
                .cmp(&rank(a))
                .then(a.span.cmp(&b.span))
                .then(a.rule.cmp(&b.rule))
        });
        let mut kept: BTreeMap<usize, usize> = BTreeMap::new();
        found.retain(|it| {
            let before = kept.range(..it.span.end).next_back();
            let is_free = before.is_none_or(|(_, end)| *end <= it.span.start);
            if is_free {
                kept.insert(it.span.start, it.span.end);
            }
            is_free
        });
        found.sort_by(|a, b| a.span.cmp(&b.span).then(a.rule.cmp(&b.rule)));
    }
}

/// Whether a value of the right shape is random text; a shape of plain letters and digits that no owner's
/// name vouches for must convince as a value without a rule must.
fn is_random(value: &str, name: &str, owned: Owned, written: Written) -> bool {
    let is_mixed = value.contains(|it: char| it.is_ascii_digit())
        && value.contains(|it: char| it.is_ascii_alphabetic());
    // Long random text contains every short word in the end.
    let is_beyond_doubt = value.len() >= 32 && entropy::shannon(value.as_bytes()) >= 4.4;
    if is_beyond_doubt || !is_mixed {
        return is_mixed;
    }
    if owned.in_name || owned.structured {
        return !judge::is_stand_in(value);
    }
    let judged = judge::judge(name, Promise::Random, value, written);
    let judged = judged.map(|it| it.confidence);
    judged >= Some(Confidence::Medium) || (judged.is_some() && value.len() >= 20)
}

/// Whether a match passes everything its rule asks besides the pattern.
fn stands(rule: &Rule, text: &[u8], found: Match, value: &[u8]) -> bool {
    let body = value.strip_prefix(rule.prefix.as_bytes()).unwrap_or(value);
    let is_sample = rule.samples.iter().any(|it| {
        value == it.as_bytes() || text[found.whole.start..found.whole.end] == *it.as_bytes()
    });
    if is_sample
        || rule
            .entropy
            .is_some_and(|floor| entropy::shannon(value) < floor)
    {
        return false;
    }
    let is_trivial = || judge::is_trivial(&String::from_utf8_lossy(value).to_ascii_lowercase());
    if rule.kind == Kind::Password && is_trivial() {
        return false;
    }
    if rule.checksum.is_some_and(|it| !checksum::holds(it, value))
        || (body.len() < 200 && holds_a_place(body))
    {
        return false;
    }
    if is_digest(text, found.secret.start) || memchr::memmem::find(body, b"EXAMPLE").is_some() {
        return false;
    }
    rule.near.is_empty() || is_near(&rule.near, text, found)
}

/// Whether the text here is a part of `sha256=...` or `sha512-...`: base64 holds every short prefix in
/// the end.
fn is_digest(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(90)..start];
    let run = before
        .iter()
        .rposition(|it| !(it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_')))
        .map_or(0, |at| at + 1);
    let (ahead, run) = before.split_at(run);
    [&b"sha256"[..], b"sha384", b"sha512"].iter().any(|it| {
        run.windows(7)
            .any(|part| part.starts_with(it) && part[6] == b'-')
            || ahead.ends_with(&[it, &b"="[..]].concat())
    })
}

/// `xxxx`, `0000`, `EXAMPLE`, `1234567890`: text that stands where a token will stand.
fn holds_a_place(body: &[u8]) -> bool {
    // A host may well be called example.org.
    let host = memchr::memmem::find(body, b"://").map_or(0, |at| at + 3);
    let path = if host == 0 {
        0
    } else {
        body[host..]
            .iter()
            .position(|it| *it == b'/')
            .map_or(host, |at| host + at)
    };
    let body = &body[path..];
    let lower = body.to_ascii_lowercase();
    let words = [
        &b"xxxxx"[..],
        b"example",
        b"placeholder",
        b"*****",
        b".....",
        b"000000000",
        b"your_",
        b"your-",
        b"changeme",
        b"abcdefghij",
        b"1234567890",
        b"redacted",
        b"{{",
        b"${",
        b"[a-z",
    ];
    words
        .iter()
        .any(|it| memchr::memmem::find(&lower, it).is_some())
        || entropy::sequence_share(body) > 0.4
}

fn is_near(words: &[String], text: &[u8], found: Match) -> bool {
    let start = found.whole.start.saturating_sub(NEAR);
    let end = text[found.whole.end..]
        .iter()
        .take(NEAR)
        .position(|it| *it == b'\n')
        .map_or((found.whole.end + NEAR).min(text.len()), |it| {
            found.whole.end + it
        });
    let around = text[start..end].to_ascii_lowercase();
    words
        .iter()
        .any(|word| memchr::memmem::find(&around, word.as_bytes()).is_some())
}

/// The name before `=` or `:` on the same line, for the structural context of an occurrence.
fn assigned_name(text: &[u8], start: usize) -> Option<String> {
    let floor = start.saturating_sub(120);
    let line = text[floor..start]
        .iter()
        .rposition(|it| *it == b'\n')
        .map_or(floor, |it| floor + it + 1);
    let before = &text[line..start];
    let operator = before.iter().rposition(|it| matches!(it, b'=' | b':'))?;
    let end = before[..operator]
        .iter()
        .rposition(|it| it.is_ascii_alphanumeric() || *it == b'_')?
        + 1;
    let begin = before[..end]
        .iter()
        .rposition(|it| !(it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.')))
        .map_or(0, |it| it + 1);
    let name = String::from_utf8_lossy(&before[begin..end]).into_owned();
    (name.len() <= 60 && !name.is_empty()).then_some(name)
}
