//! Is this value what its name promises? Facts are gathered one by one, each with its weight, so that a
//! confidence can be explained. Knows nothing of paths.

use super::entropy::{sequence_share, shannon};
use super::likeness::likeness;
use super::name::words;
use crate::model::finding::Written;
use crate::model::level::Confidence;
use crate::model::rule::Promise;

/// How sure we are, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Judgement {
    /// The outcome.
    pub(crate) confidence: Confidence,
    /// The facts that raised (`+`) or lowered (`-`) it.
    pub(crate) facts: Vec<&'static str>,
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

/// Texts that stand where a secret will stand.
const STAND_INS: &[&str] = &[
    "example",
    "changeme",
    "change_me",
    "change-me",
    "change this",
    "your",
    "placeholder",
    "dummy",
    "redacted",
    "replace",
    "insert",
    "sample",
    "xxxx",
    "****",
    "....",
    "todo",
    "fixme",
    "none",
    "null",
    "undefined",
    "<",
    "${",
    "{{",
    "$(",
    "%(",
    "#{",
    "%s",
    "{0}",
    "goes here",
    "goeshere",
    "put_",
    "enter",
    "fake",
    "mock",
    "foobar",
    "not-a-",
    "notthis",
    "not_a",
    "insecure",
    "abcdef",
    "12345678901",
    "lorem",
    "[a-z",
    "a-z0-9",
    "notreal",
    "not-real",
    "encrypted[",
    "4_request",
];

/// Whether the value only holds a secret's place.
pub(crate) fn is_stand_in(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    STAND_INS.iter().any(|it| lower.contains(it))
        || sequence_share(value.as_bytes()) > 0.5
        || distinct(value) < 4
}

fn distinct(value: &str) -> usize {
    let mut seen = [false; 256];
    value
        .bytes()
        .for_each(|byte| seen[usize::from(byte)] = true);
    seen.iter().filter(|it| **it).count()
}

/// How sure we are that the value is what its name promises; `None` if it is not.
pub(crate) fn judge(
    name: &str,
    promise: Promise,
    value: &str,
    written: Written,
) -> Option<Judgement> {
    let squeezed = squeezed(name);
    let plain = self::squeezed(value);
    let words = words(name);
    let tail = words[words.len().saturating_sub(2)..].concat();
    if plain.is_empty()
        || squeezed.contains(&plain)
        || (!squeezed.is_empty() && plain.contains(&squeezed))
        || (tail.len() >= 6 && plain.contains(&tail))
        || is_stand_in(value)
        || is_trivial(&plain)
    {
        return None;
    }
    if !value.is_ascii() || value.contains(char::is_whitespace) || looks_like_code(value, written) {
        return None;
    }
    let score = match promise {
        Promise::Password => password(value, written),
        Promise::Random => random(value, written),
        Promise::Perhaps => perhaps(value),
    };
    score?.judgement()
}

/// Letters and digits alone, in lower case.
fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|it| it.is_alphanumeric())
        .collect::<String>()
        .to_lowercase()
}

/// Expressions, paths, URLs, templates, identifiers with dots.
fn looks_like_code(value: &str, written: Written) -> bool {
    let starts = [
        "http:",
        "https:",
        "/",
        "./",
        "../",
        "~/",
        "$",
        "%",
        "@",
        "!",
        "&",
        "*",
        "arn:",
        "file:",
        "vault:",
        "op:",
        "ENC[",
        "[",
        "{",
        "(",
        "env.",
        "process.",
        "os.",
        "ENCRYPTED[",
        "\\x",
        ")",
        "]",
    ];
    if starts.iter().any(|it| value.starts_with(it))
        || value.contains("://")
        || value.contains("::")
        || value.contains("->")
        || value.contains("[-1]")
        || value.contains(")}")
        || value.ends_with('/')
        || is_template(value)
    {
        return true;
    }
    if written == Written::Bare
        && (value.contains(['(', ')', '{', '}', '[', ']', '|', '\\', '$', '*', '`'])
            || value.starts_with(['-', '+', '=', ':', '.', ',', '?', '#']))
    {
        return true;
    }
    // `settings.secret`, `a.b.c`: words joined by dots, no digit.
    let dotted = value.contains('.')
        && value
            .split('.')
            .all(|it| !it.is_empty() && it.chars().all(|c| c.is_alphabetic() || c == '_'));
    // `kv/shop/db#password`: the name of a secret and not its value.
    let named = value.split_once('#').is_some_and(|(path, field)| {
        let is_word =
            |it: &str| it.len() > 1 && it.chars().all(|c| c.is_alphabetic() || "_-.:".contains(c));
        path.contains('/') && path.split('/').all(is_word) && is_word(field)
    });
    dotted
        || named
        || is_number_list(value)
        || is_repeated(value)
        || is_escaped_bytes(value)
        || (value.ends_with(')') && value.contains('('))
}

/// `prefix:{name}` and `{call(x)}`: filled in at run time.
fn is_template(value: &str) -> bool {
    value.split('{').skip(1).any(|rest| {
        rest.split_once('}').is_some_and(|(inside, _)| {
            inside.starts_with(|it: char| it.is_ascii_alphabetic())
                && inside
                    .chars()
                    .all(|it| it.is_alphanumeric() || matches!(it, '_' | '.' | '(' | ')'))
        })
    })
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

/// Whether the letters could be spoken: pieces of some length, and pairs of letters as words have them.
fn reads_like_words(value: &str) -> bool {
    let letters = value.chars().filter(|it| it.is_alphabetic()).count();
    let pieces = words(value).len().max(1);
    letters >= pieces * 3 && likeness(value).is_none_or(|it| it > -0.1)
}

/// Whether there are enough letters to tell that they are none of a word.
fn reads_like_noise(value: &str) -> bool {
    likeness(value).is_some_and(|it| it < -0.3)
}

const TRIVIAL: &[&str] = &[
    "password",
    "passw0rd",
    "passwd",
    "pass",
    "secret",
    "test",
    "testing",
    "admin",
    "root",
    "user",
    "username",
    "guest",
    "default",
    "string",
    "true",
    "false",
    "yes",
    "no",
    "required",
    "optional",
    "hidden",
    "text",
    "value",
    "token",
    "key",
    "empty",
    "unknown",
    "invalid",
    "wrong",
    "foo",
    "bar",
    "baz",
    "hello",
    "world",
    "demo",
    "public",
    "private",
    "basic",
    "bearer",
    "self",
    "this",
    "void",
    "any",
    "number",
    "boolean",
    "object",
    "char",
    "varchar",
    "nil",
    "new",
    "old",
    "current",
    "confirm",
    "login",
    "auto",
    "disabled",
    "enabled",
    "blah",
    "asdf",
    "qwerty",
    "hunter2",
    "letmein",
    "fail",
    "failed",
    "failure",
    "success",
    "ok",
    "error",
    "skip",
    "skipped",
    "sha1",
    "sha256",
    "sha384",
    "sha512",
    "md5",
    "aes",
    "hmac",
    "pbkdf2",
    "bcrypt",
    "scrypt",
    "argon2",
    "plain",
    "tiger",
    "scott",
    "deadbeef",
    "alice",
    "bob",
    "host",
    "proxy",
    "service",
    "server",
    "client",
    "mysql",
    "postgres",
    "redis",
    "mongo",
    "mongodb",
    "rabbitmq",
    "oracle",
    "sa",
    "dbuser",
    "dbpass",
    "pass1",
    "abc",
    "changeit",
    "welcome",
    "pleaseletmein",
    "bogus",
    "nobody",
    "localhost",
    "master",
    "main",
    "dev",
    "prod",
    "local",
    "random",
    "generated",
    "file",
    "stdin",
    "env",
    "prompt",
    "ask",
    "keyring",
    "vault",
    "noop",
    "dummypass",
    "123456",
    "auth",
    "salt",
    "sha",
    "enable",
    "disable",
    "always",
    "never",
    "present",
    "absent",
    "port",
    "options",
    "switch",
    "hostname",
];

/// Words put before a sample: `mypassword`, `badtoken`.
const POSSESSIVES: &[&str] = &[
    "my", "the", "some", "a", "bad", "wrong", "your", "super", "top", "very", "not", "new", "old",
];

/// Whether letters and digits are what anybody would write who needs some value.
pub(crate) fn is_trivial(plain: &str) -> bool {
    let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_known = |it: &str| TRIVIAL.contains(&it);
    is_known(plain)
        || is_known(stem)
        || POSSESSIVES
            .iter()
            .any(|it| stem.strip_prefix(it).is_some_and(is_known))
}

/// Whether the value is one piece over and over: `lmaolmaolmao`, `1,1,1,1`.
fn is_repeated(value: &str) -> bool {
    let bytes = value.as_bytes();
    (1..=bytes.len() / 3).any(|step| {
        bytes.len().is_multiple_of(step) && bytes[step..] == bytes[..bytes.len() - step]
    })
}

/// Digits with dots or commas between them: a version, an object identifier, a list.
fn is_number_list(value: &str) -> bool {
    value.contains(['.', ','])
        && value
            .split(['.', ','])
            .all(|it| !it.is_empty() && it.len() < 8 && it.bytes().all(|it| it.is_ascii_digit()))
}

/// Bytes written as escapes: constants of a protocol rather than text.
fn is_escaped_bytes(value: &str) -> bool {
    value.matches("\\x").count() * 4 >= value.len()
        || (value.contains("\\u") && value.matches("\\u").count() * 6 + 2 >= value.len())
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
    let mixed = kinds >= 3 && value.len() >= 8 && shannon(value.as_bytes()) >= 2.8;
    score.weigh(mixed, 1, "+ characters of three kinds");
    score.weigh(!mixed && identifier, -1, "- reads like an identifier");
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

fn random(value: &str, written: Written) -> Option<Score> {
    let (lower, upper, digit, other) = classes(value);
    if value.len() < 6 || value.len() > 512 {
        return None;
    }
    let entropy = shannon(value.as_bytes());
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
        let noise = reads_like_noise(value) && value.len() >= 8;
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
