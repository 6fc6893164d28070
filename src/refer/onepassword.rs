//! 1Password references (`op://vault/item/[section/]field`), in any text.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, Pattern, group, is_dotenv, is_tree, name};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &["op://", "op item get", "op document get"];

pub(super) const EXAMPLE: (&str, &str) =
    ("deploy/.env", "DB_PASSWORD=op://Shop/orders-db/password\n");

/// Longest reference that is read.
const REACH: usize = 300;

static START: Pattern = Pattern::new(r"\bop://");
static ITEM: Pattern = Pattern::new(
    r#"\bop\s+(?:item|document)\s+get\s+(?:"([^"\n]{1,128})"|'([^'\n]{1,128})'|([^\s"'-][^\s"']{0,127}))((?:[^\n;|)]|\\\n){0,200})"#,
);
static VAULT: Pattern =
    Pattern::new(r#"--vault[= ](?:"([^"\n]{1,128})"|'([^'\n]{1,128})'|([^\s"')]{1,128}))"#);
static FIELD: Pattern =
    Pattern::new(r#"--fields?[= ]["']?(?:label=)?([A-Za-z0-9_. -]{1,64}?)["']?(?:\s|$|\))"#);
/// `DB_PASSWORD: op://...` hands it on as that variable.
static KEY: Pattern = Pattern::new(r#"^\s*(?:- )?([A-Z][A-Z0-9_]{1,127}): *["']?$"#);

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    file.each(&START, |captures| {
        let Some(found) = captures.get(0) else { return };
        let reference = reference(file, found.start(), found.end());
        if let Some(name) = name::onepassword(reference).filter(|it| it.key.is_some()) {
            let span = Span::new(found.start(), found.end() + reference.len());
            let mention = file.mention("op-reference", name, span);
            let yields = mention
                .yields
                .clone()
                .or_else(|| labelled(file, span.start));
            emit(Mention { yields, ..mention });
        }
    });
    if file.has_any(&["op item get", "op document get"]) {
        file.each(&ITEM, |it| item(file, it, emit));
    }
}

/// In YAML, the variable that a reference is the value of.
fn labelled(file: &File<'_>, at: usize) -> Option<SecretName> {
    let line = file.line_before(at).filter(|_| is_tree(file.path))?;
    let captures = KEY.regex()?.captures(line)?;
    Some(name::env(captures.get(1)?.as_str(), ""))
}

/// `op item get db --vault Shop --fields password`.
fn item(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((item, span)) = (1..=3).find_map(|it| group(captures, it)) else {
        return;
    };
    let options = captures.get(4).map_or("", |it| it.as_str());
    let find = |pattern: &Pattern, last: usize| {
        let found = pattern.regex()?.captures(options)?;
        (1..=last)
            .find_map(|it| found.get(it))
            .map(|it| it.as_str())
    };
    let name = SecretName::new("onepassword", item).within(find(&VAULT, 3).unwrap_or(""));
    emit(file.mention("op-cli", name::keyed(name, find(&FIELD, 1)), span));
}

/// What follows `op://`. Names may hold spaces, so what opened before it says where it ends.
fn reference<'a>(file: &File<'a>, start: usize, end: usize) -> &'a str {
    let near = (end + REACH).min(file.text.len());
    let near = (end..=near)
        .rev()
        .find(|at| file.text.is_char_boundary(*at))
        .unwrap_or(end);
    let rest = file.text[end..near].lines().next().unwrap_or("");
    let before = file.text[..start].trim_end_matches(' ').bytes().next_back();
    let stop = match before {
        Some(quote @ (b'"' | b'\'' | b'`')) if !file.text[..start].ends_with(' ') => {
            rest.find(char::from(quote))
        }
        Some(b'{') => rest.find(" }}").or_else(|| rest.find('}')),
        Some(b'=') if is_dotenv(file.path) => rest.find(" #"),
        _ => rest.find(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | ']' | ',' | ';')
        }),
    };
    rest[..stop.unwrap_or(rest.len())].trim_end_matches([' ', '.', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new(path, text), &mut |it| {
            let place = it.place;
            assert!(place.end_column > place.column);
            found.push(match it.yields {
                Some(to) => format!("{} -> {to}", it.name),
                None => it.name.to_string(),
            });
        });
        found
    }

    #[test]
    fn references_are_read_where_they_stand() {
        for (path, text, expected) in [
            (
                ".env",
                "A_KEY=op://My Shop/db/password # old\n",
                "onepassword:My Shop/db#password -> env:A_KEY",
            ),
            (
                "a.yaml",
                "x: op://Shop/db/login/password\n",
                "onepassword:Shop/db#login/password",
            ),
            (
                "a.py",
                "op(\"op://Shop/db one/password\")",
                "onepassword:Shop/db one#password",
            ),
            (
                "a.tpl",
                "p={{ op://Shop/db/password }}\n",
                "onepassword:Shop/db#password",
            ),
            (
                "a.sh",
                "op read op://Shop/db/code?attribute=otp | x",
                "onepassword:Shop/db#code",
            ),
        ] {
            assert_eq!(names(path, text), [expected], "{text}");
        }
        for (path, text, expected) in [
            (
                "a.yml",
                "env:\n  DB_PASSWORD: op://Shop/db/password\n",
                "onepassword:Shop/db#password -> env:DB_PASSWORD",
            ),
            (
                "a.sh",
                "P=$(op item get db --vault Shop --fields password)",
                "onepassword:Shop/db#password",
            ),
            (
                "a.sh",
                "op document get \"my key\" --vault=Shop",
                "onepassword:Shop/my key",
            ),
        ] {
            assert_eq!(names(path, text), [expected], "{text}");
        }
        for (path, text) in [
            ("a.md", "write op://vault/item"),
            ("a.yaml", "# op://Shop/db/password"),
            ("a", "loop://a/b/c"),
        ] {
            assert!(names(path, text).is_empty(), "{text}");
        }
    }

    #[test]
    fn variables_make_it_dynamic() {
        let mut dynamic = None;
        read(
            &File::new("a.sh", "op read \"op://$VAULT/db/password\""),
            &mut |it| dynamic = Some(it.dynamic),
        );
        assert_eq!(dynamic, Some(true));
    }
}
