//! What a path says of a match in it: kinds of files in which a weaker match means nothing. Applied per
//! origin, after detection, so that the same bytes are matched once.

use super::invented;
use super::judge::Judgement;
use super::purpose;
use crate::model::finding::{Candidate, Written};
use crate::model::level::Confidence;
use crate::model::purpose::Purpose;
use crate::model::rule::{Checksum, Kind, Matcher, Rule};
use std::borrow::Cow;

const LOCKFILES: &[&str] = &[
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "cargo.lock",
    "poetry.lock",
    "composer.lock",
    "gemfile.lock",
    "go.sum",
    "pipfile.lock",
    "packages.lock.json",
    "npm-shrinkwrap.json",
    "uv.lock",
    "pdm.lock",
    "flake.lock",
    "bun.lock",
    "deno.lock",
    "podfile.lock",
    "mix.lock",
    "pubspec.lock",
];
/// Languages in which an unquoted value is an expression.
const CODE: &[&str] = &[
    "py", "js", "jsx", "ts", "tsx", "mjs", "cjs", "go", "java", "kt", "kts", "scala", "rb", "rbs",
    "rake", "rs", "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "m", "mm", "swift", "php", "pl", "pm",
    "lua", "ex", "exs", "erl", "hs", "ml", "clj", "dart", "groovy", "gradle", "vb", "fs", "r",
    "jl", "zig", "nim", "sol", "proto", "graphql", "css", "scss", "less", "vue", "svelte", "html",
    "htm", "xhtml", "tf", "hcl", "sql", "pas", "f90", "asm", "s", "el", "lisp", "vim", "tcl",
    "awk", "bzl", "cmake",
];
const LOCALES: &[&str] = &[
    "/locale/",
    "/locales/",
    "/i18n/",
    "/lang/",
    "/languages/",
    "/translations/",
    "/l10n/",
];

/// Files of sums, texts and differences: nothing in them is given a value.
const SILENT: &[&str] = &[
    "svg", "map", "po", "pot", "sum", "strings", "resx", "xlf", "csv", "tsv", "diff", "patch",
];
/// Languages in which `name: "value"` is no code.
const INSETS: &[&str] = &["py", "pyi", "pyx", "java"];

/// Folders and files of published test vectors: keys that everybody has.
const VECTORS: &[&str] = &[
    "test_vectors",
    "test-vectors",
    "testvectors",
    "test_vector",
    "wycheproof",
    "/vectors/",
    "acvp",
    "known_answer",
];

/// What a match is worth at this path, and what the path says of it; `None` drops it.
pub fn weigh(rule: &Rule, candidate: &Candidate, path: &str) -> Option<Judgement> {
    if (!rule.paths.is_empty() && !rule.paths.iter().any(|it| matches(it, path)))
        || rule.skip_paths.iter().any(|it| matches(it, path))
    {
        return None;
    }
    if rule.matcher == Matcher::Known {
        // Whatever the file is for: the owner says that the value is a secret.
        return Some(Judgement::plain(candidate.confidence));
    }
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let extension = name.rsplit_once('.').map_or("", |(_, it)| it);
    let has_shape = rule.matcher == Matcher::Pattern && rule.kind != Kind::Generic;
    if !has_shape {
        if means_nothing(candidate, &lower, name, extension) {
            return None;
        }
        if VECTORS.iter().any(|it| lower.contains(it)) {
            return Some(Judgement {
                confidence: Confidence::Low,
                facts: vec!["- among published test vectors"],
            });
        }
    }
    // The path first: it says more to a reader.
    let of_path = purpose::of_path(path, &lower);
    let of_text = candidate.purpose.filter(|it| match it {
        Purpose::Inset => INSETS.contains(&extension),
        // A page is nothing but documentation, and a file of tests nothing but tests.
        Purpose::DocComment => of_path != Some(Purpose::Manual),
        Purpose::TestCode => of_path != Some(Purpose::TestFile),
        _ => true,
    });
    let is_code = CODE.contains(&extension);
    let judgements = [of_path, of_text]
        .into_iter()
        .flatten()
        .map(|it| exhibited(rule, candidate, it, is_code));
    let doubt = if is_own_name(rule, candidate, &lower) {
        Some("- a name in its own path")
    } else {
        is_of_nobody(candidate).then_some("- a token that names an example")
    };
    let plain = match doubt {
        Some(fact) => Judgement {
            confidence: Confidence::Low,
            facts: vec![fact],
        },
        None => Judgement::plain(candidate.confidence),
    };
    let least = judgements.fold(plain, |least, it| {
        if it.confidence < least.confidence {
            it
        } else {
            least
        }
    });
    Some(least)
}

/// Whether a JSON Web Token speaks of those whom standards and manuals use: issued for an example's host
/// (RFC 2606), or for the subject that introductions show.
fn is_of_nobody(candidate: &Candidate) -> bool {
    let value = candidate.secret.expose();
    let Some(payload) = value
        .starts_with(b"eyJ")
        .then(|| value.split(|it| *it == b'.').nth(1))
        .flatten()
    else {
        return false;
    };
    let Ok(claims) = data_encoding::BASE64URL_NOPAD.decode(payload) else {
        return false;
    };
    [
        &b"example.com"[..],
        b"example.org",
        b"example.net",
        b"John Doe",
        b"\"1234567890\"",
    ]
    .iter()
    .any(|it| memchr::memmem::find(&claims, it).is_some())
}

/// `zabbix`, `Acme#123` in or below `acme`: what everybody tries first, and no secret that leaks.
fn is_own_name(rule: &Rule, candidate: &Candidate, lower: &str) -> bool {
    if rule.promise.is_none() && rule.matcher != Matcher::Assignment {
        return false;
    }
    std::str::from_utf8(candidate.secret.expose())
        .ok()
        .and_then(invented::counted)
        .is_some_and(|word| word.len() > 3 && purpose::words(lower).any(|it| it == word))
}

/// Whether a value without a shape means nothing in such a file.
fn means_nothing(candidate: &Candidate, lower: &str, name: &str, extension: &str) -> bool {
    LOCKFILES.contains(&name)
        || SILENT.contains(&extension)
        || (candidate.written == Written::Bare && CODE.contains(&extension))
        || name.contains(".min.")
        || LOCALES
            .iter()
            .any(|it| lower.contains(it) || lower.starts_with(&it[1..]))
}

/// What a value is worth where it is there to be seen. One that people make up, a token that expires and
/// the hash of a password are written into tests and manuals by the thousand; a random one may still be
/// a leak there, but hardly in a comment that documents code; a provider's own shape always is.
fn exhibited(rule: &Rule, candidate: &Candidate, purpose: Purpose, in_code: bool) -> Judgement {
    let own = candidate.confidence;
    let made = made(rule, candidate);
    let confidence = match (&made, purpose) {
        (Made::Unmistakable, _) => own,
        (_, Purpose::Badge) => Confidence::Low,
        (Made::Invented, Purpose::Comment) if !in_code => own.lowered(),
        (Made::Random | Made::Token | Made::Hash, Purpose::Comment) => own,
        (Made::Random, Purpose::DocComment | Purpose::Inset) if in_code => Confidence::Low,
        (Made::Random, Purpose::Examples | Purpose::Name) => Confidence::Low,
        (Made::Random, Purpose::TestCode) => own.lowered(),
        (Made::Random, _) => own.min(Confidence::Medium),
        _ => Confidence::Low,
    };
    if confidence == own {
        return Judgement::plain(own);
    }
    let facts = std::iter::once(purpose.fact()).chain(made.fact());
    Judgement {
        confidence,
        facts: facts.collect(),
    }
}

/// How a value was made.
enum Made {
    /// By a provider, in a shape that nothing else has.
    Unmistakable,
    /// By a person.
    Invented,
    /// Out of a password.
    Hash,
    /// By a signer, for some hours: a JSON Web Token, a PASETO, a session's token.
    Token,
    /// Drawn at random, as far as can be seen.
    Random,
}

impl Made {
    fn fact(&self) -> Option<&'static str> {
        match self {
            Self::Unmistakable | Self::Random => None,
            Self::Invented => Some("- a value as people make them up"),
            Self::Hash => Some("- the hash of a password"),
            Self::Token => Some("- a token of the kind that expires"),
        }
    }
}

fn made(rule: &Rule, candidate: &Candidate) -> Made {
    let value = candidate.secret.expose();
    if is_hash(value) {
        return Made::Hash;
    }
    if rule.kind == Kind::Jwt || is_token(value) || names_short_life(candidate) {
        return Made::Token;
    }
    let is_own_kind = matches!(
        rule.kind,
        Kind::PrivateKey | Kind::Certificate | Kind::Webhook
    );
    let is_checked = matches!(rule.checksum, Some(Checksum::Crc32Base62 | Checksum::Pem));
    if is_own_kind || is_checked || !rule.prefix.is_empty() {
        return Made::Unmistakable;
    }
    let value = String::from_utf8_lossy(value);
    let names_user = rule.kind == Kind::ConnectionString || rule.kind == Kind::Password;
    let user = candidate.key.as_deref().filter(|_| names_user);
    let login = (rule.checksum == Some(Checksum::BasicAuth))
        .then(|| login(&value))
        .flatten();
    let in_url = rule.keywords.iter().any(|it| it.ends_with("://"));
    let is_login = in_url || login.is_some();
    let (user, password) = match &login {
        Some((user, password)) => (Some(user.as_str()), password.as_str()),
        None => (user, value.as_ref()),
    };
    let password = if is_login {
        Cow::Owned(unescaped(password))
    } else {
        Cow::Borrowed(password)
    };
    // In a login of a manual or a test nearly everything is made up; only long random text is not.
    if invented::is_invented(&password, user) || (is_login && password.len() < 12) {
        Made::Invented
    } else {
        Made::Random
    }
}

/// `$2b$`, `$6$`, `$argon2id$`: the modular crypt format.
fn is_hash(value: &[u8]) -> bool {
    value
        .strip_prefix(b"$")
        .and_then(|it| it.iter().position(|it| *it == b'$'))
        .is_some_and(|it| (1..=12).contains(&it))
}

/// `AWS_SESSION_TOKEN`, `X-Amz-Security-Token`: what goes with keys that expire within hours.
fn names_short_life(candidate: &Candidate) -> bool {
    let words = super::name::words(candidate.key.as_deref().unwrap_or_default());
    matches!(words.as_slice(), [.., which, last] if last == "token" && (which == "security" || which == "session"))
}

/// Tokens that are signed, and access tokens of Google, which live for an hour.
fn is_token(value: &[u8]) -> bool {
    let is_paseto = value.len() > 20
        && value[0] == b'v'
        && (value[2..].starts_with(b".local.") || value[2..].starts_with(b".public."));
    let starts = [&b"ya29."[..], b"eyJhbGciOi"];
    is_paseto
        || starts.iter().any(|it| value.starts_with(it))
        || (value.starts_with(b"eyJ") && value.contains(&b'.'))
}

/// Without the escapes of a URL (RFC 3986).
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|it| u8::from_str_radix(it, 16).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push('%');
                plain.push_str(part);
            }
        }
    }
    plain
}

/// The user and the password of a basic login (RFC 7617).
fn login(value: &str) -> Option<(String, String)> {
    let bytes = data_encoding::BASE64_NOPAD
        .decode(value.trim_end_matches('=').as_bytes())
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Whether an unquoted value in a file of this name is an expression.
pub fn is_code(path: &str) -> bool {
    let extension = path.rsplit('/').next().and_then(|it| it.rsplit_once('.'));
    extension.is_some_and(|(_, it)| CODE.contains(&it.to_ascii_lowercase().as_str()))
}

/// A regular expression behind `regex:`, else a glob with `*` (within or across folders alike) and `?` against a path or its file name.
fn matches(glob: &str, path: &str) -> bool {
    if let Some(regex) = glob.strip_prefix("regex:") {
        return regex::Regex::new(regex).is_ok_and(|it| it.is_match(path));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let subject = if glob.contains('/') { path } else { name };
    ignore::overrides::OverrideBuilder::new("")
        .add(glob)
        .and_then(|it| it.build())
        .is_ok_and(|it| it.matched(subject, false).is_whitelist())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_names_and_paths() {
        assert!(matches("*.pem", "a/b.pem"));
        assert!(!matches("*.pem", "a/b.pem.txt"));
        assert!(matches("**/.npmrc", "a/.npmrc"));
    }
}
