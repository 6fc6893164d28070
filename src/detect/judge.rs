//! Is this name a secret's name, and is this value a secret's value? Structure instead of word lists
//! where it can be had. Knows nothing of paths.

use super::entropy::{sequence_share, shannon};
use crate::model::finding::Written;
use crate::model::level::Confidence;

/// What a name promises of its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Promise {
    /// A password: any text may be one.
    Password,
    /// A token, key or secret: random text.
    Random,
}

/// The words of a name: split at punctuation and at changes of case.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut previous = ' ';
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().copied().enumerate() {
        let next_is_lower = letters.get(at + 1).is_some_and(|it| it.is_lowercase());
        let starts = letter.is_uppercase()
            && (previous.is_lowercase() || (previous.is_uppercase() && next_is_lower));
        if !letter.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        previous = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

const PASSWORD: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pwd",
    "passphrase",
    "pass",
    "passcode",
    "userpassword",
];
const RANDOM: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "authkey",
    "credential",
    "credentials",
    "authtoken",
    "accesstoken",
    "nkey",
    "psk",
];
const BEFORE_KEY: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "master",
    "shared",
    "app",
    "account",
    "license",
    "storage",
    "session",
    "service",
    "client",
    "consumer",
    "hmac",
    "aes",
    "subscription",
    "admin",
    "server",
    "cookie",
    "webhook",
    "signature",
    "base",
];
/// A name that ends in one of these speaks about a secret and does not hold it.
const ABOUT: &[&str] = &[
    "id",
    "ids",
    "name",
    "names",
    "url",
    "uri",
    "path",
    "file",
    "filename",
    "type",
    "field",
    "label",
    "prompt",
    "hint",
    "policy",
    "length",
    "len",
    "size",
    "min",
    "max",
    "regex",
    "pattern",
    "expired",
    "expires",
    "expiry",
    "expiration",
    "timeout",
    "ttl",
    "count",
    "index",
    "header",
    "ref",
    "arn",
    "placeholder",
    "column",
    "table",
    "class",
    "event",
    "error",
    "message",
    "msg",
    "title",
    "text",
    "description",
    "validator",
    "validation",
    "reset",
    "forgot",
    "forgotten",
    "enabled",
    "required",
    "endpoint",
    "format",
    "prefix",
    "suffix",
    "input",
    "form",
    "page",
    "link",
    "button",
    "icon",
    "view",
    "screen",
    "dialog",
    "strength",
    "rule",
    "rules",
    "config",
    "settings",
    "options",
    "provider",
    "manager",
    "service",
    "store",
    "storage",
    "var",
    "env",
    "variable",
    "parameter",
    "param",
    "mode",
    "status",
    "state",
    "kind",
    "version",
    "at",
    "date",
    "time",
    "age",
    "algorithm",
    "alg",
    "method",
    "scope",
    "scopes",
    "template",
    "xpath",
    "selector",
    "locator",
    "code",
    "help",
    "question",
    "changed",
    "change",
    "updated",
    "digest",
    "engine",
    "checksum",
    "encoder",
    "generator",
    "factory",
    "handler",
    "list",
    "map",
    "set",
    "is",
    "has",
    "usage",
    "resource",
    "namespace",
    "attribute",
    "attr",
    "property",
    "mask",
    "masked",
    "encoding",
    "separator",
    "delimiter",
    "kid",
    "position",
    "pos",
    "limit",
];
const PUBLIC: &[&str] = &[
    "public",
    "pub",
    "publishable",
    "foreign",
    "primary",
    "partition",
    "sort",
    "cache",
    "csrf",
    "xsrf",
    "forgot",
    "next",
    "continuation",
    "pagination",
    "no",
    "without",
    "invalid",
    "wrong",
    "bad",
];

/// Words that make the `pass` after them a turn of work, or a mark.
const PASSES: &[&str] = &[
    "render", "compute", "shadow", "draw", "depth", "pixel", "shader", "geometry", "light", "blur",
    "effect", "post", "first", "second", "third", "last", "next", "single", "multi", "by", "low",
    "high", "band", "all", "compiler", "opt", "boarding", "season",
];

/// Verbs that make the password after them a setting.
const CHOICES: &[&str] = &[
    "update", "reuse", "save", "ask", "remember", "require", "show",
];

/// What the name promises, or `None` if it is no secret's name.
pub(crate) fn promise(name: &str) -> Option<Promise> {
    let words = words(name);
    let words: Vec<&str> = words
        .iter()
        .map(|it| it.trim_end_matches(|c: char| c.is_ascii_digit()))
        .filter(|it| !it.is_empty())
        .collect();
    let last = *words.last()?;
    if words.iter().any(|it| PUBLIC.contains(it)) || ABOUT.contains(&last) {
        return None;
    }
    let before = words.len().checked_sub(2).map(|at| words[at]);
    // `update_password: always` says when, not what.
    let is_choice = CHOICES.contains(&words[0]) && words.len() > 1 && PASSWORD.contains(&last);
    if is_choice {
        return None;
    }
    if last == "pass" && before.is_some_and(|it| PASSES.contains(&it)) {
        return None;
    }
    if PASSWORD.contains(&last)
        || last.ends_with("password")
        || last.ends_with("passwd")
        || last.ends_with("_pwd")
    {
        return Some(Promise::Password);
    }
    if RANDOM.contains(&last)
        || last.ends_with("secret")
        || last.ends_with("token")
        || last.ends_with("apikey")
        || last.ends_with("secretkey")
    {
        return Some(Promise::Random);
    }
    if last == "key" && before.is_some_and(|it| BEFORE_KEY.contains(&it)) {
        return Some(Promise::Random);
    }
    if (last == "base"
        || last == "string"
        || last == "str"
        || last == "value"
        || last == "default"
        || last == "hex"
        || last == "bytes")
        && before.is_some_and(|it| PASSWORD.contains(&it) || RANDOM.contains(&it) || it == "key")
    {
        return Some(if before.is_some_and(|it| PASSWORD.contains(&it)) {
            Promise::Password
        } else {
            Promise::Random
        });
    }
    None
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
pub(crate) fn confidence(
    name: &str,
    promise: Promise,
    value: &str,
    written: Written,
) -> Option<Confidence> {
    let squeezed: String = name
        .chars()
        .filter(|it| it.is_alphanumeric())
        .collect::<String>()
        .to_lowercase();
    let plain: String = value
        .chars()
        .filter(|it| it.is_alphanumeric())
        .collect::<String>()
        .to_lowercase();
    let words = words(name);
    let tail = words[words.len().saturating_sub(2)..].concat();
    if plain.is_empty()
        || squeezed.contains(&plain)
        || plain.contains(&squeezed)
        || (tail.len() >= 6 && plain.contains(&tail))
        || is_stand_in(value)
    {
        return None;
    }
    if !value.is_ascii() || value.contains(char::is_whitespace) || looks_like_code(value, written) {
        return None;
    }
    match promise {
        Promise::Password => password(value, &plain, written),
        Promise::Random => random(value, written),
    }
}

/// Expressions, paths, URLs, templates, identifiers with dots.
fn looks_like_code(value: &str, written: Written) -> bool {
    let starts = [
        "http:", "https:", "/", "./", "../", "~/", "$", "%", "@", "!", "&", "*", "arn:", "file:",
        "vault:", "op:", "ENC[", "\\x", ")", "]", "[", "{", "(", "env.", "process.", "os.",
    ];
    if starts.iter().any(|it| value.starts_with(it))
        || value.contains("://")
        || value.contains("::")
        || value.contains("->")
        || value.starts_with("ENCRYPTED[")
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
    dotted || (value.ends_with(')') && value.contains('('))
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

/// Whether the letters could be spoken: vowels as often as in words, and case that changes at words.
fn reads_like_words(value: &str) -> bool {
    let letters = value.chars().filter(|it| it.is_alphabetic()).count().max(1);
    let vowels = value
        .chars()
        .filter(|it| "aeiouyAEIOUY".contains(*it))
        .count();
    let pieces = words(value).len().max(1);
    letters >= pieces * 3 && vowels * 5 >= letters
}

const TRIVIAL: &[&str] = &[
    "password", "passw0rd", "passwd", "pass", "secret", "test", "testing", "admin", "root", "user",
    "username", "guest", "default", "string", "true", "false", "yes", "no", "required", "optional",
    "hidden", "text", "value", "token", "key", "empty", "unknown", "invalid", "wrong", "foo",
    "bar", "baz", "hello", "world", "demo", "public", "private", "basic", "bearer", "self", "this",
    "void", "any", "number", "boolean", "object", "char", "varchar", "nil", "new", "old",
    "current", "confirm", "login", "auto", "disabled", "enabled", "blah", "asdf", "qwerty",
    "hunter2", "letmein", "fail", "failed", "ok", "skip", "auth", "salt", "sha", "tiger", "enable",
    "disable", "always", "never", "present", "absent", "port", "host", "options", "switch",
    "server", "hostname",
];

fn password(value: &str, plain: &str, written: Written) -> Option<Confidence> {
    let (lower, upper, digit, other) = classes(value);
    let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    if value.len() < 4 || value.len() > 128 || TRIVIAL.contains(&plain) || TRIVIAL.contains(&stem) {
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
    if kinds >= 3 && value.len() >= 8 && shannon(value.as_bytes()) >= 2.8 {
        return Some(Confidence::High);
    }
    if identifier || (only_letters && value.len() > 24) {
        return Some(Confidence::Low);
    }
    Some(Confidence::Medium)
}

fn random(value: &str, written: Written) -> Option<Confidence> {
    let (lower, upper, digit, _) = classes(value);
    if value.len() < 8 || value.len() > 512 {
        return None;
    }
    let entropy = shannon(value.as_bytes());
    let mixed = digit > 0 && lower + upper > 0;
    if !mixed {
        let letters_at_random = lower > 0
            && upper > 0
            && value.len() >= 20
            && entropy >= 4.0
            && !reads_like_words(value)
            && !value.contains(['_', '-', '.']);
        return (letters_at_random && written == Written::Quoted).then_some(Confidence::Medium);
    }
    let is_uuid = value.len() == 36
        && value.bytes().enumerate().all(|(at, it)| {
            if [8, 13, 18, 23].contains(&at) {
                it == b'-'
            } else {
                it.is_ascii_hexdigit()
            }
        });
    let floor = if value.len() >= 20 { 3.0 } else { 2.5 };
    if entropy < floor {
        return None;
    }
    // Words joined by dashes, with a number somewhere: a name, not a secret.
    let parts: Vec<&str> = value.split(['-', '_', '.', ':', '/']).collect();
    let wordy = parts.len() > 1
        && parts
            .iter()
            .filter(|it| it.chars().all(char::is_alphabetic) && it.len() < 12)
            .count()
            * 2
            >= parts.len();
    // `epv1Total`, `something1234`: an identifier or a word with a number.
    let bytes = value.as_bytes();
    let ends_a_word =
        |at: usize| at > 0 && bytes.get(at + 1).is_none_or(|it| !it.is_ascii_lowercase());
    let numbers_end_words = (0..bytes.len())
        .filter(|at| bytes[*at].is_ascii_digit())
        .all(ends_a_word);
    let stem = value.trim_end_matches(|it: char| !it.is_alphabetic());
    let numbered = value.len() < 24
        && reads_like_words(value)
        && numbers_end_words
        && (digit <= 2 || (digit <= 4 && stem.chars().all(char::is_alphabetic)));
    if is_uuid || wordy || numbered || (digit <= 2 && upper == 0 && value.len() < 16) {
        return Some(Confidence::Low);
    }
    Some(if value.len() >= 20 && entropy >= 3.3 {
        Confidence::High
    } else {
        Confidence::Medium
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_or_not() {
        for (name, expected) in [
            ("password", Some(Promise::Password)),
            ("dbPassword", Some(Promise::Password)),
            ("MYSQL_ROOT_PASSWORD", Some(Promise::Password)),
            ("client_secret", Some(Promise::Random)),
            ("apiKey", Some(Promise::Random)),
            ("SECRET_KEY_BASE", Some(Promise::Random)),
            ("monkey", None),
            ("keyboard", None),
            ("public_key", None),
            ("key_id", None),
            ("token_url", None),
            ("secret_name", None),
            ("primaryKey", None),
            ("password_hint", None),
            ("passwordField", None),
            ("tokenizer", None),
            ("renderPass", None),
            ("update_password", None),
            ("NextToken", None),
        ] {
            assert_eq!(promise(name), expected, "{name}");
        }
    }

    #[test]
    fn values_are_judged_by_shape() {
        let judge = |name: &str, value: &str| {
            confidence(name, promise(name).unwrap(), value, Written::Quoted)
        };
        for value in ["Tr0ub4dor&3x", "8f3kQ0zP"] {
            assert!(
                judge("password", value) >= Some(Confidence::Medium),
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
            "#PWD:0:{int(time.time())}:{password}",
            "my_db_password_1",
        ] {
            assert_eq!(judge("db_password", value), None, "{value}");
        }
        assert_eq!(judge("api_key", "getApiKey()"), None);
        assert_eq!(judge("output_token", "Jobs[-1].JobId"), None);
        for value in ["solar1Total", "something1234", "eChargeToday1"] {
            assert_eq!(judge("api_key", value), Some(Confidence::Low), "{value}");
        }
        assert_eq!(
            judge("client_secret", "q8Zk27xPw0LmN4tYb6Rc"),
            Some(Confidence::High)
        );
    }
}
