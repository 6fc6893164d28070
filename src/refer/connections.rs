//! Passwords within connection strings that somebody fills in: a variable, a pipeline's macro, a token of a
//! release step.
//!
//! Only settings files: in code `${x}` is a variable of the program. A value written out is for `detect`.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::table::{File, Pattern, has_extension, is_dotenv, name};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "assword=", "ASSWORD=", "Pwd=", "pwd=", ":${", ":$(", ":__", ":#{",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "web.config",
    "<add name=\"shop\" connectionString=\"Server=db;User=shop;Password=$(DbPass)\" />\n",
);

static PASSWORD: Pattern = Pattern::new(
    r#"(?i)(?:[;?&\s"']|&amp;)(?:password|pwd)=(?P<hole>__[A-Z0-9_.]{1,64}?__|#\{[A-Z0-9_. -]{1,64}\}#?|\$\([A-Z0-9_. -]{1,64}\)|\$\{[A-Z_][A-Z0-9_]{0,64}(?::[^}\n]{0,64})?\}|%[A-Z_][A-Z0-9_]{0,64}%|\{\{\s*[A-Z_][A-Z0-9_.]{0,64}\s*\}\})"#,
);
static LOGIN: Pattern = Pattern::new(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,128}:(?P<hole>\$\{[A-Za-z_][A-Za-z0-9_]{0,64}(?:[:?-][^}\n]{0,64})?\}|\$\([A-Za-z0-9_. -]{1,64}\)|__[A-Za-z0-9_]{1,64}?__|#\{[A-Za-z0-9_.]{1,64}\}#?)@",
);

pub(super) fn applies(path: &str) -> bool {
    has_extension(
        path,
        &[
            "config",
            "xml",
            "json",
            "yml",
            "yaml",
            "properties",
            "conf",
            "ini",
            "toml",
            "tfvars",
            "cfg",
            "settings",
            "env",
        ],
    ) || is_dotenv(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    if file.has_any(&["assword=", "ASSWORD=", "Pwd=", "pwd="]) {
        file.each(&PASSWORD, |it| hole(file, it, emit));
    }
    if file.has_any(&[":${", ":$(", ":__", ":#{"]) {
        file.each(&LOGIN, |it| hole(file, it, emit));
    }
}

/// Who fills it in is told by the way it is written.
fn hole(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some(found) = captures.name("hole") else {
        return;
    };
    let text = found.as_str();
    let is_mark = |it: char| "_#{}$()%@ ".contains(it);
    let inner = text.trim_matches(is_mark);
    let inner = inner.split([':', '?']).next().unwrap_or(inner);
    let inner = match text.starts_with("${") {
        true => inner.split('-').next().unwrap_or(inner),
        false => inner,
    };
    let name = if text.starts_with("${") || text.starts_with('%') {
        name::env(inner, "")
    } else if text.starts_with("$(") {
        SecretName::new("azure-pipelines", &inner.to_ascii_lowercase())
    } else {
        SecretName::new("placeholder", inner)
    };
    if !inner.is_empty() {
        let start = found.start() + text.find(inner).unwrap_or(0);
        let span = Span::new(start, start + inner.len());
        emit(file.mention("connection-string", name, span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn holes_name_who_fills_them() {
        for (path, text, expected) in [
            (
                EXAMPLE.0,
                EXAMPLE.1,
                "1 connection-string azure-pipelines:dbpass",
            ),
            (
                "a.config",
                "\"Server=db;Pwd=#{DbPass}#;\"",
                "1 connection-string placeholder:DbPass",
            ),
            (
                "appsettings.json",
                "\"Server=db;Password=$(DbPass)\"",
                "1 connection-string azure-pipelines:dbpass",
            ),
            (
                "a.properties",
                "url=jdbc:mysql://db/shop?user=x&password=${DB_PASSWORD}",
                "1 connection-string env:DB_PASSWORD",
            ),
            (
                "a.yml",
                "url: postgres://shop:${DB_PASSWORD:-x}@db/shop",
                "1 connection-string env:DB_PASSWORD",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for text in [
            "# password=${DB_PASSWORD}",
            "a: x?password=placeholder",
            "url: https://host:${PORT}/x",
            "passwordless=${X}",
        ] {
            assert!(told(read, "a.yml", text).is_empty(), "{text}");
        }
        assert!(!applies("a.js"));
    }
}
