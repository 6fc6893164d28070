//! Whether a match passes everything its rule asks besides its pattern: entropy, checksum, samples, words
//! near it, and that it does not only hold a secret's place.

use super::named::Owned;
use super::pattern::Match;
use super::{checksum, entropy, judge, plain};
use crate::model::finding::Written;
use crate::model::level::Confidence;
use crate::model::rule::{Kind, Promise, Rule};

/// How far before a match a `near` word may stand.
pub(crate) const NEAR: usize = 80;

/// Whether a value of the right shape is random text; a shape of plain letters and digits that no owner's
/// name vouches for must convince as a value without a rule must.
pub(crate) fn is_random(value: &str, name: &str, owned: Owned, written: Written) -> bool {
    let is_mixed = value.contains(|it: char| it.is_ascii_digit())
        && value.contains(|it: char| it.is_ascii_alphabetic());
    // Long random text contains every short word in the end.
    let is_beyond_doubt = value.len() >= 32 && entropy::shannon(value.as_bytes()) >= 4.4;
    if is_beyond_doubt || !is_mixed {
        return is_mixed;
    }
    if owned.in_name || owned.structured {
        return !plain::is_stand_in(value);
    }
    let judged = judge::judge(name, Promise::Random, value, written);
    let judged = judged.map(|it| it.confidence);
    judged >= Some(Confidence::Medium) || (judged.is_some() && value.len() >= 20)
}

/// Whether a match passes everything its rule asks besides the pattern.
pub(crate) fn stands(rule: &Rule, text: &[u8], found: Match, value: &[u8]) -> bool {
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
    let is_trivial = || plain::is_trivial(&String::from_utf8_lossy(value).to_ascii_lowercase());
    if rule.kind == Kind::Password && is_trivial() {
        return false;
    }
    if rule.checksum.is_some_and(|it| !checksum::holds(it, value))
        || (body.len() < 200 && holds_a_place(body))
    {
        return false;
    }
    if is_digest(text, found.secret.start) || memchr::memmem::find(body, b"EXAMPL").is_some() {
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
    // What a step of a pipeline replaces: `__DB_PASSWORD__`.
    if body.len() > 5 && body.starts_with(b"__") && body.ends_with(b"__") {
        return true;
    }
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
pub(crate) fn assigned_name(text: &[u8], start: usize) -> Option<String> {
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
