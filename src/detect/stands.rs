//! Whether a match passes everything its rule asks besides its pattern: entropy, checksum, samples, words
//! near it, and that it does not only hold a secret's place.

use super::assignment::Assignment;
use super::named::Owned;
use super::pattern::Match;
use super::{checksum, entropy, judge, name, plain};
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

/// Options whose argument says which secret goes where, as `NAME=SECRET:VERSION` or `/PATH=SECRET:VERSION`, one
/// or several (<https://cloud.google.com/sdk/gcloud/reference/run/deploy>).
const REFERRING: [&[u8]; 2] = [b"--set-secrets", b"--update-secrets"];
/// No argument is read farther back.
const ARGUMENT: usize = 256;

/// Whether the value of a name stands somewhere else: a call gets it, or the name of a secret is given.
pub(crate) fn is_elsewhere(text: &[u8], found: &Assignment, key: &str) -> bool {
    // The list as a whole is in quotes.
    let is_option = |it: &&[u8]| it.strip_prefix(b"--") == Some(key.as_bytes());
    let is_read = found.is_call && !name::takes_value(key);
    is_read || REFERRING.iter().any(is_option) || is_referred(text, found.name.start)
}

/// Whether a name that starts here is given the name of a secret, and no secret.
fn is_referred<'a>(text: &'a [u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(ARGUMENT)..start];
    let is_gap = |it: &u8| it.is_ascii_whitespace() || b"\"'".contains(it);
    let trimmed = |it: &'a [u8]| {
        let end = it.iter().rposition(|it| !is_gap(it));
        &it[..end.map_or(0, |it| it + 1)]
    };
    let head = trimmed(before);
    let begin = head.iter().rposition(is_gap).map_or(0, |it| it + 1);
    let (ahead, argument) = head.split_at(begin);
    let bare = |it: &'a [u8]| it.strip_suffix(b"=").unwrap_or(it);
    if head.len() < before.len() {
        return REFERRING.contains(&bare(argument));
    }
    if argument.starts_with(b"-") {
        let option = argument.split(|it| *it == b'=').next();
        return option.is_some_and(|it| REFERRING.contains(&it));
    }
    let option = bare(trimmed(ahead));
    REFERRING.iter().any(|it| option.ends_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_name_secrets_hold_none() {
        for (line, is) in [
            ("deploy --set-secrets=DB_PASSWORD=db-pass:7", true),
            ("deploy --set-secrets DB_PASSWORD=db-pass:7", true),
            ("deploy --update-secrets=A=b:1,DB_PASSWORD=db-pass:7", true),
            ("deploy --update-secrets A=b:1,DB_PASSWORD=db-pass:7", true),
            ("deploy --set-secrets=\"DB_PASSWORD=db-pass:7\"", true),
            ("deploy --set-secrets \"A=b:1,DB_PASSWORD=db-pass:7\"", true),
            ("deploy --set-secrets=\"A=b:1,DB_PASSWORD=db-pass:7\"", true),
            (
                "deploy --set-secrets A=b:1,/etc/DB_PASSWORD=db-pass:7",
                true,
            ),
            ("deploy --set-secrets=A=b:1 DB_PASSWORD=db-pass:7", false),
            ("deploy --set-env-vars=DB_PASSWORD=db-pass:7", false),
            ("deploy --set-env-vars=A=b,DB_PASSWORD=db-pass:7", false),
            ("export DB_PASSWORD=db-pass:7", false),
            ("DB_PASSWORD=db-pass:7", false),
        ] {
            let start = line.find("DB_PASSWORD").unwrap();
            assert_eq!(is_referred(line.as_bytes(), start), is, "{line}");
        }
    }
}
