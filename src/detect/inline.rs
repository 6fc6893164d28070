//! Comments on a secret's line that ask for silence: ours, and those of other tools.

use crate::model::finding::Inline;

const OURS: &str = "keyatlas:allow";
/// Comments of gitleaks, betterleaks, kingfisher, detect-secrets, ggshield, trufflehog and bandit's
/// `nosec`; they lower a finding and never silence it.
const FOREIGN: &[&str] = &[
    "gitleaks:allow",
    "betterleaks:allow",
    "kingfisher:ignore",
    "pragma: allowlist secret",
    "ggignore",
    "trufflehog:ignore",
    "nosec",
];

/// What the line around `at` asks for.
pub(crate) fn comment(text: &[u8], at: usize) -> Option<Inline> {
    const REACH: usize = 600;
    let floor = at.saturating_sub(REACH);
    let ceiling = (at + REACH).min(text.len());
    let start = text[floor..at]
        .iter()
        .rposition(|it| *it == b'\n')
        .map_or(floor, |it| floor + it + 1);
    let end = text[at..ceiling]
        .iter()
        .position(|it| *it == b'\n')
        .map_or(ceiling, |it| at + it);
    let line = String::from_utf8_lossy(&text[start..end]);
    if let Some(found) = line.find(OURS) {
        return ours(&line[found + OURS.len()..]);
    }
    FOREIGN
        .iter()
        .any(|it| line.contains(it))
        .then_some(Inline::Foreign)
}

/// `keyatlas:allow WHAT [until=YYYY-MM-DD] [reason]`.
fn ours(rest: &str) -> Option<Inline> {
    let rest = rest.trim_end_matches(['*', '/', '-', '>', ' ', '\r']);
    let mut words = rest.split_whitespace();
    let what = words.next()?.to_owned();
    let mut until = None;
    let mut reason = Vec::new();
    for word in words {
        match word.strip_prefix("until=") {
            Some(date) => until = Some(date.to_owned()),
            None => reason.push(word),
        }
    }
    Some(Inline::Allow {
        what,
        until,
        reason: reason.join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ours_and_theirs() {
        let text = b"a\nx = 1 // keyatlas:allow some-rule until=2027-01-31 test data only\nb";
        let expected = Inline::Allow {
            what: "some-rule".to_owned(),
            until: Some("2027-01-31".to_owned()),
            reason: "test data only".to_owned(),
        };
        assert_eq!(comment(text, 4), Some(expected));
        assert_eq!(comment(b"x = 1 # gitleaks:allow", 2), Some(Inline::Foreign));
        assert_eq!(comment(b"x = 1\n# gitleaks:allow", 2), None);
    }
}
