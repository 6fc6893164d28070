//! Texts that are no secrets, whatever their name promises: what stands where a secret will stand, what
//! anybody would write, and what is code.

use super::entropy::sequence_share;
use super::likeness::reads_like_words;
use crate::model::finding::Written;

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
    // Stages of versions in AWS, the last part of a dynamic reference to a secret.
    "awscurrent",
    "awspending",
    "awsprevious",
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

/// Letters and digits alone, in lower case.
pub(crate) fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|it| it.is_alphanumeric())
        .collect::<String>()
        .to_lowercase()
}

/// Expressions, paths, URLs, templates, identifiers with dots.
pub(crate) fn looks_like_code(value: &str, written: Written) -> bool {
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
        "dep:",
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
        || is_typed_name(value)
        || is_repeated(value)
        || is_between_literals(value)
        || is_file(value)
        || has_guid(value)
        || is_algorithms(value)
        || is_slot(value)
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
    "ascii",
    "utf8",
    "latin",
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
        // What a public server of files asks for: any address, or `anonymous`.
        || stem.starts_with("anonymous")
        || (stem.starts_with("anon") && stem.ends_with("com"))
        || POSSESSIVES
            .iter()
            .any(|it| stem.strip_prefix(it).is_some_and(is_known))
}

/// Whether the value is one piece over and over: `lmaolmaolmao`, `1,1,1,1`.
fn is_repeated(value: &str) -> bool {
    let bytes = value.trim_end_matches('=').as_bytes();
    (1..=bytes.len() / 3).any(|step| bytes[step..] == bytes[..bytes.len() - step])
}

/// Digits with dots or commas between them: a version, an object identifier, a list.
fn is_number_list(value: &str) -> bool {
    value.contains(['.', ','])
        && value
            .split(['.', ','])
            .all(|it| !it.is_empty() && it.len() < 8 && it.bytes().all(|it| it.is_ascii_digit()))
}

/// `list[Name]`, `mdi:form-textbox`: a type, or the name of something in a set.
fn is_typed_name(value: &str) -> bool {
    let is_name = |it: &str| {
        !it.is_empty()
            && it
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, '_' | '-'))
    };
    let is_type = value.strip_suffix(']').is_some_and(|it| {
        let (outer, inner) = it.split_once('[').unwrap_or_default();
        is_name(outer)
            && inner
                .chars()
                .all(|c| c.is_alphanumeric() || "_, []".contains(c))
    });
    let in_set = value
        .split_once(':')
        .is_some_and(|(set, name)| is_name(set) && is_name(name) && reads_like_words(name));
    is_type || in_set
}

/// `+name+`: the code between two literals that are joined.
fn is_between_literals(value: &str) -> bool {
    value.len() > 2
        && value
            .strip_prefix('+')
            .and_then(|it| it.strip_suffix('+'))
            .is_some_and(|it| {
                it.chars()
                    .all(|c| c.is_alphanumeric() || "_.()".contains(c))
            })
}

/// `path/to/archive.zip`: a file.
fn is_file(value: &str) -> bool {
    let Some((folders, name)) = value.rsplit_once('/') else {
        return false;
    };
    let is_word = |it: &str| {
        !it.is_empty()
            && it
                .chars()
                .all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-'))
    };
    folders.split('/').all(is_word)
        && name.rsplit_once('.').is_some_and(|(stem, extension)| {
            is_word(stem)
                && (1..=5).contains(&extension.len())
                && extension
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// `ssh-rsa,ssh-ed25519`: names of algorithms.
fn is_algorithms(value: &str) -> bool {
    value.split(',').all(|it| {
        ["ssh-", "ecdsa-", "rsa-sha", "aes", "hmac-"]
            .iter()
            .any(|algorithm| it.starts_with(algorithm))
            && it.len() < 32
    })
}

/// `_DB_PASS_`: filled in when something is installed.
fn is_slot(value: &str) -> bool {
    value.len() > 4
        && value.starts_with('_')
        && value.ends_with('_')
        && value.chars().all(|it| it.is_ascii_uppercase() || it == '_')
}

/// `{8-4-4-4-12}`: an identifier as Windows writes them.
fn has_guid(value: &str) -> bool {
    value.split('{').skip(1).any(|rest| {
        rest.split_once('}').is_some_and(|(inside, _)| {
            inside.len() == 36
                && inside.bytes().enumerate().all(|(at, it)| match at {
                    8 | 13 | 18 | 23 => it == b'-',
                    _ => it.is_ascii_hexdigit(),
                })
        })
    })
}

/// Bytes written as escapes: constants of a protocol rather than text.
fn is_escaped_bytes(value: &str) -> bool {
    value.matches("\\x").count() * 4 >= value.len()
        || (value.contains("\\u") && value.matches("\\u").count() * 6 + 2 >= value.len())
}
