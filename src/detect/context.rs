//! What a path says of a match in it: kinds of files in which a weaker match means nothing. Applied per
//! origin, after detection, so that the same bytes are matched once.

use super::invented;
use super::judge::Judgement;
use super::purpose;
use crate::model::finding::{Candidate, Written};
use crate::model::level::Confidence;
use crate::model::purpose::Purpose;
use crate::model::rule::{Checksum, Kind, Matcher, Rule};

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
    "py", "js", "jsx", "ts", "tsx", "mjs", "cjs", "go", "java", "kt", "kts", "scala", "rb", "rs",
    "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "m", "mm", "swift", "php", "pl", "pm", "lua", "ex",
    "exs", "erl", "hs", "ml", "clj", "dart", "groovy", "gradle", "vb", "fs", "r", "jl", "zig",
    "nim", "sol", "proto", "graphql", "css", "scss", "less", "vue", "svelte", "html", "htm",
    "xhtml", "tf", "hcl", "sql", "pas", "f90", "asm", "s", "el", "lisp", "vim", "tcl", "awk",
    "bzl", "cmake",
];
const LOCALES: &[&str] = &[
    "/locale/",
    "/locales/",
    "/i18n/",
    "/lang/",
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
        // A page is nothing but documentation.
        Purpose::DocComment => of_path != Some(Purpose::Manual),
        _ => true,
    });
    let is_code = CODE.contains(&extension);
    let judgements = [of_path, of_text]
        .into_iter()
        .flatten()
        .map(|it| exhibited(rule, candidate, it, is_code));
    let plain = if is_own_name(rule, candidate, &lower) {
        Judgement {
            confidence: Confidence::Low,
            facts: vec!["- the name of a folder it lies in"],
        }
    } else {
        Judgement::plain(candidate.confidence)
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

/// `zabbix`, `Acme#123` below a folder `acme`: what everybody tries first, and no secret that leaks.
fn is_own_name(rule: &Rule, candidate: &Candidate, lower: &str) -> bool {
    if rule.promise.is_none() && rule.matcher != Matcher::Assignment {
        return false;
    }
    std::str::from_utf8(candidate.secret.expose())
        .ok()
        .and_then(invented::counted)
        .is_some_and(|word| word.len() > 3 && purpose::folders(lower).any(|it| it == word))
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
        (Made::Invented, Purpose::Comment) => own.lowered(),
        (_, Purpose::Comment) => own,
        (Made::Random, Purpose::DocComment | Purpose::Inset) if in_code => Confidence::Low,
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
    /// By a signer: a JSON Web Token, a PASETO.
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
            Self::Token => Some("- a signed token"),
        }
    }
}

fn made(rule: &Rule, candidate: &Candidate) -> Made {
    let value = candidate.secret.expose();
    if is_hash(value) {
        return Made::Hash;
    }
    if rule.kind == Kind::Jwt || is_token(value) {
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
    let is_invented = match &login {
        Some((user, password)) => invented::is_invented(password, Some(user)),
        None => invented::is_invented(&value, user),
    };
    // In a URL of a manual or a test nearly everything is made up; only long random text is not.
    let in_url = rule.keywords.iter().any(|it| it.ends_with("://"));
    if is_invented || (in_url && value.len() < 12) {
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

fn is_token(value: &[u8]) -> bool {
    let is_paseto = value.len() > 20
        && value[0] == b'v'
        && (value[2..].starts_with(b".local.") || value[2..].starts_with(b".public."));
    is_paseto || (value.starts_with(b"eyJ") && value.contains(&b'.'))
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
