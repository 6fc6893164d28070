//! Is this name a secret's name? Its words are weighed, since structure says more than a list of whole
//! names. Knows nothing of values.

use crate::model::rule::Promise;

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

/// The last word of a password's name.
pub(crate) const PASSWORD: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pwd",
    "passphrase",
    "pass",
    "passcode",
    "userpassword",
    "passw",
    "pw",
    "psw",
    "pswd",
    "kennwort",
    "contrasena",
    "senha",
    "motdepasse",
];
/// The last word of a token's or key's name.
const RANDOM: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "authkey",
    "credential",
    "authtoken",
    "accesstoken",
    "nkey",
    "psk",
    "bearer",
    "jwt",
    "seed",
    "cred",
    "creds",
];
/// The last word of something that may be secret.
const PERHAPS: &[&str] = &[
    "key",
    "auth",
    "authorization",
    "cookie",
    "salt",
    "verifier",
    "sid",
    "sessionid",
    "session",
    "signature",
    "sig",
    "otp",
    "totp",
    "pin",
    "nonce",
    "iv",
    "passkey",
    "xkey",
];
/// What makes a key of which it stands before a secret one.
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
    "des",
    "cipher",
    "crypt",
    "crypto",
    "symmetric",
    "jwt",
    "integration",
    "deploy",
    "vault",
    "unseal",
    "recovery",
    "root",
    "merchant",
    "partner",
    "developer",
    "dev",
    "rsa",
    "ssh",
    "pgp",
    "gpg",
    "wallet",
    "secure",
    "security",
    "transit",
    "rest",
    "function",
    "ingest",
    "ingestion",
    "write",
    "read",
    "rw",
    "team",
    "org",
    "site",
    "bot",
    "device",
    "activation",
    "product",
    "callback",
    "salt",
    "wrapping",
    "backup",
    "host",
    "cluster",
    "database",
    "db",
    "ledger",
    "passphrase",
    "otp",
    "totp",
    "mfa",
    "hotp",
    "shop",
    "cert",
    "tls",
    "ssl",
    "certificate",
    "redis",
    "search",
    "pre",
    "preshared",
    "wep",
    "wpa",
    "wifi",
    "network",
];
/// Words behind the one that counts: which one it is, or how it is written.
const WHICH: &[&str] = &[
    "new",
    "old",
    "confirm",
    "confirmation",
    "confirmed",
    "again",
    "repeat",
    "current",
    "previous",
    "prod",
    "production",
    "live",
    "test",
    "testing",
    "tests",
    "dev",
    "development",
    "staging",
    "stage",
    "local",
    "default",
    "value",
    "val",
    "string",
    "str",
    "text",
    "plain",
    "plaintext",
    "hex",
    "bytes",
    "base",
    "b",
    "raw",
    "v",
    "global",
    "main",
    "data",
    "content",
    "encoded",
    "decoded",
    "expected",
    "actual",
    "one",
    "two",
    "first",
    "second",
    "a",
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
    // A store of passwords: `onepassword:Shop/mail` names one.
    "onepassword",
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
    "render",
    "compute",
    "shadow",
    "draw",
    "depth",
    "pixel",
    "shader",
    "geometry",
    "light",
    "blur",
    "effect",
    "post",
    "first",
    "second",
    "third",
    "last",
    "next",
    "single",
    "multi",
    "by",
    "low",
    "high",
    "band",
    "all",
    "compiler",
    "opt",
    "error",
    "optimization",
    "boarding",
    "season",
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
    let mut words = words.as_slice();
    if words.iter().any(|it| PUBLIC.contains(it)) {
        return None;
    }
    while let [rest @ .., last] = words
        && !rest.is_empty()
        && WHICH.contains(last)
    {
        words = rest;
    }
    let (last, rest) = words.split_last()?;
    if ABOUT.contains(last) {
        return None;
    }
    let before = rest.last().copied().unwrap_or_default();
    // `update_password: always` says when, not what.
    let is_choice = rest.first().is_some_and(|it| CHOICES.contains(it)) && PASSWORD.contains(last);
    if is_choice || (*last == "pass" && PASSES.contains(&before)) {
        return None;
    }
    of_word(last, before).or_else(|| of_word(last.strip_suffix('s')?, before))
}

/// Calls that take a secret's value begin with one of these, or are named like the secret itself.
const SETTERS: &[&str] = &["set", "with", "use", "using", "put", "add", "basic"];
/// Words that make a call's name an act upon a secret: its first literal may be anything.
const ACTS: &[&str] = &[
    "verify", "check", "store", "assert", "hash", "validate", "compare", "get", "find", "delete",
    "remove", "reset", "generate", "parse", "encode", "decode", "encrypt", "decrypt", "read",
    "load", "save", "new", "create", "make", "is", "has", "test", "expect", "match", "lookup",
    "ask", "prompt", "update", "change", "print", "generic", "speed", "derive", "require",
    "request", "fetch", "list", "scan", "revoke", "issue", "next", "consume", "peek", "skip", "on",
    "handle", "render", "format", "log", "equals", "contains",
];

/// Whether a call of this name may be given the secret itself.
pub(crate) fn takes_value(name: &str) -> bool {
    let own = name.rsplit(['.', '>', ':']).next().unwrap_or(name);
    let words = words(own);
    let Some(first) = words.first() else {
        return false;
    };
    // `t.pass("case")`, and a name without capitals such as `checkpasswd`.
    let is_act = own.eq_ignore_ascii_case("pass")
        || words.iter().any(|it| ACTS.contains(&it.as_str()))
        || (words.len() == 1 && ACTS.iter().any(|it| it.len() > 3 && first.starts_with(it)));
    SETTERS.contains(&first.as_str()) || !is_act
}

fn of_word(last: &str, before: &str) -> Option<Promise> {
    if PASSWORD.contains(&last)
        || last.ends_with("password")
        || last.ends_with("passwd")
        || last.ends_with("passphrase")
    {
        return Some(Promise::Password);
    }
    if RANDOM.contains(&last) || last.ends_with("secret") || last.ends_with("token") {
        return Some(Promise::Random);
    }
    let compound = last.strip_suffix("key").filter(|it| !it.is_empty());
    if (last == "key" && BEFORE_KEY.contains(&before))
        || compound.is_some_and(|it| {
            BEFORE_KEY
                .iter()
                .any(|word| it.ends_with(word) && word.len() > 2)
        })
    {
        return Some(Promise::Random);
    }
    let is_code = last == "code"
        && matches!(
            before,
            "auth" | "access" | "security" | "recovery" | "backup" | "device" | "authorization"
        );
    (is_code || PERHAPS.contains(&last)).then_some(Promise::Perhaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_or_not() {
        for (name, expected) in [
            ("password", Some(Promise::Password)),
            ("onepassword", None),
            ("ONEPASSWORD_PASSWORD", Some(Promise::Password)),
            ("dbPassword", Some(Promise::Password)),
            ("MYSQL_ROOT_PASSWORD", Some(Promise::Password)),
            ("password_confirmation", Some(Promise::Password)),
            ("testPasswordNew", Some(Promise::Password)),
            ("ses_smtp_password_v4", Some(Promise::Password)),
            ("passwords", Some(Promise::Password)),
            ("client_secret", Some(Promise::Random)),
            ("apiKey", Some(Promise::Random)),
            ("SECRET_KEY_BASE", Some(Promise::Random)),
            ("cipherKey", Some(Promise::Random)),
            ("aesKey", Some(Promise::Random)),
            ("secureauthkey", Some(Promise::Random)),
            ("keyValue", Some(Promise::Perhaps)),
            ("oauth_verifier", Some(Promise::Perhaps)),
            ("authCode", Some(Promise::Perhaps)),
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
            ("statusCode", None),
            ("renderPass", None),
            ("update_password", None),
            ("NextToken", None),
        ] {
            assert_eq!(promise(name), expected, "{name}");
        }
    }

    #[test]
    fn calls_take_a_secret_or_act_upon_one() {
        for name in [
            "setPassword",
            "builder.password",
            "withSecretKey",
            "api.apiKey",
        ] {
            assert!(takes_value(name), "{name}");
        }
        for name in [
            "t.pass",
            "db.verify_password",
            "checkpasswd",
            "getToken",
            "AssertTokens",
        ] {
            assert!(!takes_value(name), "{name}");
        }
    }
}
