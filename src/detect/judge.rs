//! Is this value what its name promises? Facts are gathered one by one, each with its weight, so that a
//! confidence can be explained. Knows nothing of paths.

use super::entropy::shannon;
use super::invented::{counted, folded};
use super::likeness::{likeness, reads_like_noise, reads_like_words};
use super::name::{PASSWORD, words};
use super::plain::{is_stand_in, is_trivial, looks_like_code, squeezed};
use crate::model::finding::Written;
use crate::model::level::Confidence;
use crate::model::rule::Promise;

/// How sure we are, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The outcome.
    pub confidence: Confidence,
    /// The facts that raised (`+`) or lowered (`-`) it.
    pub facts: Vec<&'static str>,
}

impl Judgement {
    /// What a rule says by itself.
    pub(crate) fn plain(confidence: Confidence) -> Self {
        Self {
            confidence,
            facts: Vec::new(),
        }
    }
}

/// Points on the way to a confidence: 1 is low, 2 is medium, 3 and more is high.
struct Score {
    points: i8,
    facts: Vec<&'static str>,
}

impl Score {
    fn new(points: i8, fact: &'static str) -> Self {
        Self {
            points,
            facts: vec![fact],
        }
    }

    fn weigh(&mut self, holds: bool, points: i8, fact: &'static str) {
        if holds {
            self.points += points;
            self.facts.push(fact);
        }
    }

    fn judgement(self) -> Option<Judgement> {
        let confidence = match self.points {
            ..1 => return None,
            1 => Confidence::Low,
            2 => Confidence::Medium,
            3.. => Confidence::High,
        };
        Some(Judgement {
            confidence,
            facts: self.facts,
        })
    }
}

/// How sure we are that the value is what its name promises; `None` if it is not.
pub(crate) fn judge(
    name: &str,
    promise: Promise,
    value: &str,
    written: Written,
) -> Option<Judgement> {
    let own = squeezed(name);
    let plain = squeezed(value);
    let words = words(name);
    let tail = words[words.len().saturating_sub(2)..].concat();
    // `user_pass_1: user_pass_2`: one field beside another.
    let bare = |it: &str| it.replace(|it: char| it.is_ascii_digit(), "");
    if plain.is_empty()
        || (own.len() > 5 && bare(&own) == bare(&plain))
        || own.contains(&plain)
        || (!own.is_empty() && plain.contains(&own))
        || (tail.len() >= 6 && plain.contains(&tail))
        || is_stand_in(value)
        || is_trivial(&plain)
    {
        return None;
    }
    if !value.is_ascii()
        || value.contains(char::is_whitespace)
        || looks_like_code(value, written)
        || is_key_fingerprint(&words, value)
        || is_public_nkey(value)
    {
        return None;
    }
    let score = match promise {
        Promise::Password => password(value, written),
        Promise::Random => random(value, written),
        Promise::Perhaps => perhaps(value),
    };
    let mut judgement = score?.judgement()?;
    // `MyP@ssw0rd`, `s3cr3tK3y`: the name in another spelling.
    let spoken = squeezed(&folded(&value.to_ascii_lowercase()));
    let last = words.last().map_or("", String::as_str);
    let is_own = |it: &str| it.len() >= 6 && spoken.contains(it);
    if value.len() < 24 && (is_own(&tail) || is_own(last)) {
        judgement.confidence = Confidence::Low;
        judgement.facts.push("- spells its own name");
    }
    // base64 of `Salted__`: what `openssl enc` writes.
    if value.starts_with("U2FsdGVkX1") {
        judgement.confidence = Confidence::Low;
        judgement.facts.push("- ciphertext");
    }
    Some(judgement)
}

/// A public key of NATS: 56 characters of base32, of which the first says for whom. A seed begins with S.
fn is_public_nkey(value: &str) -> bool {
    value.len() == 56
        && value.starts_with(['A', 'C', 'N', 'O', 'U', 'X'])
        && value
            .bytes()
            .all(|it| it.is_ascii_uppercase() || matches!(it, b'2'..=b'7'))
}

/// `GPG_KEY=<40 digits>`: by which a public key is fetched.
fn is_key_fingerprint(words: &[String], value: &str) -> bool {
    words.iter().any(|it| it == "gpg" || it == "pgp")
        && matches!(value.len(), 16 | 32 | 40)
        && value.bytes().all(|it| it.is_ascii_hexdigit())
}

fn classes(value: &str) -> (usize, usize, usize, usize) {
    value.bytes().fold(
        (0, 0, 0, 0),
        |(lower, upper, digit, other), byte| match byte {
            b'a'..=b'z' => (lower + 1, upper, digit, other),
            b'A'..=b'Z' => (lower, upper + 1, digit, other),
            b'0'..=b'9' => (lower, upper, digit + 1, other),
            _ => (lower, upper, digit, other + 1),
        },
    )
}

fn password(value: &str, written: Written) -> Option<Score> {
    let (lower, upper, digit, other) = classes(value);
    if value.len() < 4 || value.len() > 128 {
        return None;
    }
    let kinds = [lower, upper, digit, other]
        .iter()
        .filter(|it| **it > 0)
        .count();
    let only_letters = digit == 0 && other == 0;
    // camelCase, snake_case, kebab-case: an identifier or a message key rather than a password.
    let identifier = digit == 0
        && reads_like_words(value)
        && value
            .chars()
            .all(|it| it.is_alphabetic() || it == '_' || it == '-' || it == '.')
        && (other > 0 || (lower > 0 && upper > 0));
    if identifier && written == Written::Bare {
        return None;
    }
    let mut score = Score::new(2, "+ the name of a password");
    // `vmware_pwd`: its own name, whatever the first word is.
    let is_name = digit == 0
        && value
            .rsplit_once(['_', '-'])
            .is_some_and(|(_, last)| PASSWORD.contains(&last.to_ascii_lowercase().as_str()));
    let is_counted = digit >= 3 && counted(value).is_some_and(|it| !reads_like_noise(&it));
    score.weigh(is_counted, -1, "- a word and a count");
    let mixed = !identifier && kinds >= 3 && value.len() >= 8 && shannon(value.as_bytes()) >= 2.8;
    score.weigh(mixed, 1, "+ characters of three kinds");
    score.weigh(
        !mixed && (identifier || is_name),
        -1,
        "- reads like an identifier",
    );
    let is_word = !identifier
        && only_letters
        && value.len() <= 10
        && likeness(value).is_some_and(|it| it > 0.3);
    score.weigh(is_word, -1, "- one word");
    score.weigh(
        !identifier && only_letters && value.len() > 24,
        -1,
        "- letters only, and many",
    );
    Some(score)
}

/// Eight, four, four, four and twelve hexadecimal digits (RFC 9562).
fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, it)| {
            if [8, 13, 18, 23].contains(&at) {
                it == b'-'
            } else {
                it.is_ascii_hexdigit()
            }
        })
}

/// Words joined by dashes, with a number somewhere: a name, not a secret.
fn is_joined_words(value: &str) -> bool {
    let parts: Vec<&str> = value.split(['-', '_', '.', ':', '/']).collect();
    let is_word =
        |it: &&&str| it.chars().all(char::is_alphabetic) && it.len() < 12 && !reads_like_noise(it);
    parts.len() > 1 && parts.iter().filter(is_word).count() * 2 >= parts.len()
}

/// `darkPopupBg`: a name in code, of pieces longer than chance makes them.
fn is_camel_case(value: &str) -> bool {
    let pieces = words(value).len();
    value.len() < 20
        && value.starts_with(|it: char| it.is_ascii_lowercase())
        && value.chars().all(char::is_alphabetic)
        && pieces > 1
        && value.len() * 2 >= pieces * 7
}

fn random(value: &str, written: Written) -> Option<Score> {
    let (lower, upper, digit, other) = classes(value);
    if value.len() < 6 || value.len() > 512 {
        return None;
    }
    let entropy = shannon(value.as_bytes());
    // `xml-pe.xml`: what editors call a kind of text.
    let is_scope = value.contains('.')
        && value.len() < 40
        && value.split(['.', '-']).all(|it| {
            it.len() > 1 && it.len() < 12 && it.bytes().all(|it| it.is_ascii_lowercase())
        });
    if is_scope {
        return None;
    }
    let mut score = Score::new(2, "+ the name of a token, key or secret");
    if digit == 0 || lower + upper == 0 {
        if lower + upper == 0 {
            score.weigh(
                true,
                if digit >= 8 && other == 0 { -1 } else { -2 },
                "- digits only",
            );
            return Some(score);
        }
        let at_random = lower > 0
            && upper > 0
            && value.len() >= 20
            && entropy >= 4.0
            && !reads_like_words(value)
            && !value.contains(['_', '-', '.']);
        let noise = reads_like_noise(value) && value.len() >= 8 && !is_camel_case(value);
        score.weigh(!at_random && !noise, -2, "- reads like words");
        score.weigh(at_random || noise, 0, "+ letters as no word has them");
        score.weigh(written == Written::Bare, -1, "- not quoted");
        return Some(score);
    }
    let floor = if value.len() >= 20 { 3.0 } else { 2.5 };
    if entropy < floor || value.len() < 8 {
        score.weigh(true, -1, "- short or repetitive");
        score.weigh(
            !reads_like_noise(value) && likeness(value).is_some(),
            -1,
            "- reads like words",
        );
        return Some(score);
    }
    // `epv1Total`, `something1234`: an identifier or a word with a number.
    let bytes = value.as_bytes();
    let ends_a_word =
        |at: usize| at > 0 && bytes.get(at + 1).is_none_or(|it| !it.is_ascii_lowercase());
    let numbers_end_words = (0..bytes.len())
        .filter(|at| bytes[*at].is_ascii_digit())
        .all(ends_a_word);
    let stem = value.trim_end_matches(|it: char| !it.is_alphabetic());
    let is_numbered = value.len() < 24
        && reads_like_words(value)
        && numbers_end_words
        && (digit <= 2 || (digit <= 4 && stem.chars().all(char::is_alphabetic)));
    let doubtful = is_uuid(value)
        || is_joined_words(value)
        || is_numbered
        || (digit <= 2 && upper == 0 && value.len() < 16 && !reads_like_noise(value));
    if doubtful {
        score.weigh(true, -1, "- a UUID, or words with a number");
        return Some(score);
    }
    score.weigh(
        value.len() >= 20 && entropy >= 3.3,
        1,
        "+ long, and of many different characters",
    );
    Some(score)
}

/// A name that says little: only a value that is random beyond doubt counts, and never for much.
fn perhaps(value: &str) -> Option<Score> {
    let (lower, upper, digit, _) = classes(value);
    let entropy = shannon(value.as_bytes());
    let is_mixed = digit > 0 && lower + upper > 0;
    let is_noise = reads_like_noise(value) && value.len() >= 16;
    if value.len() < 10
        || value.len() > 512
        || entropy < 3.0
        || is_uuid(value)
        || is_joined_words(value)
        || !(is_mixed || is_noise)
    {
        return None;
    }
    Some(Score::new(
        1,
        "+ random text under a name that may be a secret's",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::name::promise;

    fn judged(name: &str, value: &str) -> Option<Confidence> {
        let promise = promise(name).unwrap_or_else(|| panic!("{name}"));
        judge(name, promise, value, Written::Quoted).map(|it| it.confidence)
    }

    #[test]
    fn values_are_judged_by_shape() {
        for value in ["Tr0ub4dor&3x", "8f3kQ0zP", "x/R#pQz", "kv/a#Tr0ub4dor"] {
            assert!(
                judged("password", value) >= Some(Confidence::Medium),
                "{value}"
            );
        }
        for value in [
            "${DB_PASSWORD}",
            "changeme",
            "password",
            "<your password>",
            "xxxxxxxx",
            "settings.db.password",
            "must not be empty",
            "Shop/registry#password",
            "kv/shop-web/db#old.password",
            "#PWD:0:{int(time.time())}:{password}",
            "my_db_password_1",
        ] {
            assert_eq!(judged("db_password", value), None, "{value}");
        }
        assert_eq!(judged("api_key", "getApiKey()"), None);
        assert_eq!(judged("output_token", "Jobs[-1].JobId"), None);
        for value in ["solar1Total", "something1234", "eChargeToday1"] {
            assert_eq!(judged("api_key", value), Some(Confidence::Low), "{value}");
        }
        assert_eq!(
            judged("client_secret", "q8Zk27xPw0LmN4tYb6Rc"),
            Some(Confidence::High)
        );
    }

    #[test]
    fn letters_count_where_no_word_has_them() {
        assert_eq!(
            judged("client_secret", "htumqyxppb"),
            Some(Confidence::Medium)
        );
        assert_eq!(judged("client_secret", "configuration"), None);
    }

    #[test]
    fn a_weak_name_needs_a_strong_value() {
        assert_eq!(
            judged("auth", "E0cpe05yc4E5LraVUnG8"),
            Some(Confidence::Low)
        );
        assert_eq!(judged("auth", "required"), None);
    }

    #[test]
    fn a_judgement_says_why() {
        let judgement = judge(
            "password",
            Promise::Password,
            "Tr0ub4dor&3x",
            Written::Quoted,
        );
        let facts = judgement.unwrap().facts;
        assert_eq!(
            facts,
            ["+ the name of a password", "+ characters of three kinds"]
        );
    }
}
