//! What a path says of a match in it: kinds of files in which a weaker match means nothing. Applied per
//! origin, after detection, so that the same bytes are matched once.

use crate::model::finding::{Candidate, Written};
use crate::model::level::Confidence;
use crate::model::rule::{Kind, Matcher, Rule};

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

/// The confidence a match keeps at this path; `None` drops it.
pub fn weigh(rule: &Rule, candidate: &Candidate, path: &str) -> Option<Confidence> {
    if (!rule.paths.is_empty() && !rule.paths.iter().any(|it| matches(it, path)))
        || rule.skip_paths.iter().any(|it| matches(it, path))
    {
        return None;
    }
    if rule.matcher == Matcher::Pattern && rule.kind != Kind::Generic {
        return Some(candidate.confidence);
    }
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let extension = name.rsplit_once('.').map_or("", |(_, it)| it);
    if LOCKFILES.contains(&name)
        || matches!(
            extension,
            "svg"
                | "map"
                | "po"
                | "pot"
                | "sum"
                | "strings"
                | "resx"
                | "xlf"
                | "csv"
                | "tsv"
                | "diff"
                | "patch"
        )
    {
        return None;
    }
    let bare_in_code = candidate.written == Written::Bare && CODE.contains(&extension);
    if bare_in_code
        || name.contains(".min.")
        || LOCALES
            .iter()
            .any(|it| lower.contains(it) || lower.starts_with(&it[1..]))
    {
        return None;
    }
    if VECTORS.iter().any(|it| lower.contains(it)) {
        return Some(Confidence::Low);
    }
    Some(candidate.confidence)
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
