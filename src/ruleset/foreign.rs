//! Rule files of other scanners (gitleaks and betterleaks TOML) into our own format. What cannot be
//! carried is said, rule by rule; nothing is dropped in silence. The format: the `[[rules]]` tables that
//! the README of gitleaks describes.

use super::parts::PartRow;
use super::row::{AllowRow, Row};
use crate::model::part::FARTHEST;
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{Hir, HirKind};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What came of a file.
#[derive(Debug)]
pub struct Imported {
    /// A rule file in our format.
    pub text: String,
    /// Rules carried.
    pub count: usize,
    /// `id: what was left behind`, in the order of the file.
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    rules: Vec<Theirs>,
    allowlist: Option<Allowlist>,
    #[serde(default)]
    allowlists: Vec<Allowlist>,
    extend: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Theirs {
    id: Option<String>,
    #[serde(default)]
    description: String,
    regex: Option<String>,
    path: Option<String>,
    entropy: Option<f64>,
    #[serde(default)]
    secret_group: usize,
    #[serde(default)]
    keywords: Vec<String>,
    allowlist: Option<Allowlist>,
    #[serde(default)]
    allowlists: Vec<Allowlist>,
    #[serde(default)]
    required: Vec<Required>,
    #[serde(default)]
    skip_report: bool,
    #[serde(flatten)]
    others: toml::Table,
}

/// A rule that must match nearby, or there is no finding.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Required {
    id: String,
    within_lines: Option<usize>,
    within_columns: Option<usize>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allowlist {
    #[serde(default)]
    condition: String,
    #[serde(default)]
    regex_target: String,
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(default)]
    stopwords: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    commits: Vec<String>,
    #[serde(default)]
    target_rules: Vec<String>,
}

/// Fields that say nothing about what is found.
const SILENT: &[&str] = &["tags", "reportGroup"];

/// Reads a file of theirs. The error is the sentence of the TOML reader.
pub fn import(text: &str) -> Result<Imported, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut notes = Vec::new();
    if file.extend.is_some() {
        notes.push("[extend]: import the file that it names as well".to_owned());
    }
    let everywhere: Vec<Allowlist> = file.allowlist.into_iter().chain(file.allowlists).collect();
    let mut rows = Vec::new();
    for rule in file.rules {
        let id = rule.id.clone().unwrap_or_else(|| "(without id)".to_owned());
        let mut note = |what: &str| notes.push(format!("{id}: {what}"));
        match row(rule, &everywhere, &mut note) {
            Ok(row) => rows.push(row),
            Err(why) => note(&format!("not carried: {why}")),
        }
    }
    #[derive(serde::Serialize)]
    struct Ours {
        rule: Vec<Row>,
    }
    without_missing(&mut rows, &mut notes);
    let count = rows.len();
    let text = toml::to_string_pretty(&Ours { rule: rows }).map_err(|error| error.to_string())?;
    Ok(Imported { text, count, notes })
}

fn row(rule: Theirs, everywhere: &[Allowlist], note: &mut dyn FnMut(&str)) -> Result<Row, String> {
    let id = rule.id.ok_or("it has no id")?;
    let regex = rule
        .regex
        .ok_or("it goes by the path alone, without a pattern")?;
    let pattern = with_secret(&regex, rule.secret_group)?;
    let keywords = keywords(rule.keywords, &pattern, note)?;
    for key in rule
        .others
        .keys()
        .filter(|it| !SILENT.contains(&it.as_str()))
    {
        note(&format!("`{key}` is left behind"));
    }
    let mut confidence = "medium";
    if rule.skip_report {
        confidence = "low";
        note("it is reported with others only; alone, its confidence is low");
    }
    let parts = rule.required.iter().map(|it| part(it, note)).collect();
    let mut allow = Vec::new();
    let mut skip_paths = Vec::new();
    let own = rule.allowlist.into_iter().chain(rule.allowlists);
    let general = everywhere
        .iter()
        .filter(|it| it.target_rules.is_empty() || it.target_rules.contains(&id))
        .cloned();
    for list in own.chain(general) {
        carry(list, &mut allow, &mut skip_paths, note);
    }
    Ok(Row {
        provider: id.split('-').next().unwrap_or(&id).to_owned(),
        title: title(&rule.description, &id),
        kind: "generic".to_owned(),
        matcher: "pattern".to_owned(),
        pattern,
        keywords,
        // Theirs is a floor that must be passed, ours one that may be reached.
        entropy: rule.entropy.filter(|it| *it > 0.0).map(|it| it as f32),
        paths: rule.path.map(|it| regex_path(&it)).into_iter().collect(),
        skip_paths,
        allow,
        parts,
        confidence: confidence.to_owned(),
        severity: "high".to_owned(),
        rotation: "Revoke it where it was issued, then issue a new one and read it from the secrets manager."
            .to_owned(),
        id,
        ..Row::default()
    })
}

/// What it requires nearby, as a part without which there is no finding. One match of theirs serves all
/// that are near.
fn part(required: &Required, note: &mut dyn FnMut(&str)) -> PartRow {
    let id = &required.id;
    if required.within_columns.is_some() {
        note(&format!("`withinColumns` of `{id}` is left behind"));
    }
    if required.within_lines.is_none() {
        note(&format!(
            "`{id}`, which it requires anywhere, must stand within {FARTHEST} bytes"
        ));
    }
    let name = id.to_ascii_lowercase();
    PartRow {
        name: name.replace(|it: char| !it.is_ascii_alphanumeric(), "_"),
        rules: vec![id.clone()],
        lines: Some(required.within_lines.unwrap_or(FARTHEST)),
        bytes: Some(FARTHEST),
        required: true,
        missing: Some("drop".to_owned()),
        secret: true,
        shared: true,
        ..PartRow::default()
    }
}

/// Takes out parts whose rules were not carried: nothing would ever be found.
fn without_missing(rows: &mut [Row], notes: &mut Vec<String>) {
    let carried: BTreeSet<String> = rows.iter().map(|it| it.id.clone()).collect();
    for row in rows {
        let before = row.parts.len();
        for part in &row.parts {
            for lost in part.rules.iter().filter(|it| !carried.contains(*it)) {
                notes.push(format!(
                    "{}: `{lost}`, which it requires nearby, is not carried; its confidence is low for that",
                    row.id
                ));
            }
        }
        row.parts
            .retain(|part| part.rules.iter().all(|it| carried.contains(it)));
        if row.parts.len() < before {
            row.confidence = "low".to_owned();
        }
    }
}

/// The first sentence of a description.
fn title(description: &str, id: &str) -> String {
    let first = description.split(['\n', '.']).next().unwrap_or_default();
    let first: String = first.trim().chars().take(80).collect();
    if first.is_empty() {
        id.to_owned()
    } else {
        first
    }
}

fn regex_path(regex: &str) -> String {
    format!("regex:{regex}")
}

fn carry(
    list: Allowlist,
    allow: &mut Vec<AllowRow>,
    skip_paths: &mut Vec<String>,
    note: &mut dyn FnMut(&str),
) {
    if !list.commits.is_empty() {
        note("an allowlist of commits is left behind: a waiver names an occurrence, not a commit");
    }
    let is_all = matches!(list.condition.to_ascii_uppercase().as_str(), "AND" | "&&");
    let has_content = !list.regexes.is_empty() || !list.stopwords.is_empty();
    if is_all && has_content && !list.paths.is_empty() {
        note("an allowlist that asks for a path and a content at once is left behind");
        return;
    }
    let is_valid = |it: &String, note: &mut dyn FnMut(&str)| match regex_syntax::parse(it) {
        Ok(_) => true,
        Err(error) => {
            note(&format!("an allowed pattern is left behind: {error}"));
            false
        }
    };
    for path in &list.paths {
        let path = braced(path);
        if is_valid(&path, note) {
            skip_paths.push(regex_path(&path));
        }
    }
    let regexes: Vec<String> = list
        .regexes
        .iter()
        .map(|it| braced(it))
        .filter(|it| is_valid(it, note))
        .collect();
    let mut row = AllowRow {
        words: list.stopwords,
        all: is_all,
        ..AllowRow::default()
    };
    match list.regex_target.as_str() {
        "match" => row.matches = regexes,
        "line" => row.lines = regexes,
        _ => row.secrets = regexes,
    }
    if !row.is_empty() {
        allow.push(row);
    }
}

/// Go takes a brace that begins no repetition for itself; here it must be escaped.
fn braced(regex: &str) -> String {
    let mut out = String::with_capacity(regex.len());
    let mut in_class = false;
    let mut escaped = false;
    for (at, letter) in regex.char_indices() {
        let is_plain = !std::mem::take(&mut escaped);
        if is_plain {
            match letter {
                '\\' => escaped = true,
                '[' => in_class = true,
                ']' => in_class = false,
                '{' if !in_class && !begins_repetition(&regex[at + 1..], &out) => out.push('\\'),
                _ => {}
            }
        }
        out.push(letter);
    }
    out
}

/// `{2}`, `{2,}`, `{2,5}` behind something to repeat, and the name of a class or a character: `\p{L}`.
fn begins_repetition(rest: &str, before: &str) -> bool {
    let is_named = [r"\p", r"\P", r"\x"].iter().any(|it| before.ends_with(it));
    let inside = rest.split('}').next().filter(|it| it.len() < rest.len());
    let is_count = inside.is_some_and(|it| {
        it.starts_with(|it: char| it.is_ascii_digit())
            && it.bytes().all(|it| it.is_ascii_digit() || it == b',')
    });
    is_named || is_count
}

/// The pattern with its secret as a group named `secret`: the group asked for, else the first, else all.
fn with_secret(regex: &str, group: usize) -> Result<String, String> {
    let regex = braced(regex);
    let ast = ast::parse::Parser::new()
        .parse(&regex)
        .map_err(|error| format!("its pattern is not one of ours: {}", error.kind()))?;
    let mut starts = Vec::new();
    groups(&ast, &mut starts);
    if group > starts.len() {
        return Err(format!("its pattern has no group {group}"));
    }
    let place = starts.get(group.max(1) - 1);
    let pattern = match place {
        // Behind the parenthesis, before a name that the group may have.
        Some((start, inside)) => format!("{}(?P<secret>{}", &regex[..*start], &regex[*inside..]),
        None => format!("(?P<secret>{regex})"),
    };
    regex::bytes::RegexBuilder::new(&pattern)
        .unicode(false)
        .build()
        .map_err(|error| format!("its pattern does not compile here: {error}"))?;
    Ok(pattern)
}

/// Where each capturing group starts, and where its inside does.
fn groups(ast: &Ast, out: &mut Vec<(usize, usize)>) {
    match ast {
        Ast::Group(group) => {
            if group.is_capturing() {
                out.push((group.span.start.offset, group.ast.span().start.offset));
            }
            groups(&group.ast, out);
        }
        Ast::Repetition(it) => groups(&it.ast, out),
        Ast::Alternation(it) => it.asts.iter().for_each(|it| groups(it, out)),
        Ast::Concat(it) => it.asts.iter().for_each(|it| groups(it, out)),
        _ => {}
    }
}

/// Their keywords, or literals without which the pattern cannot match.
fn keywords(
    theirs: Vec<String>,
    pattern: &str,
    note: &mut dyn FnMut(&str),
) -> Result<Vec<String>, String> {
    if !theirs.is_empty() && theirs.iter().all(|it| it.len() >= 3) {
        return Ok(theirs);
    }
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())?;
    let found = required(&hir).filter(|it| it.len() <= 64);
    let found =
        found.ok_or("it has no keyword of three letters, and its pattern needs no literal")?;
    note("its keywords are taken from its pattern");
    Ok(found)
}

/// Literals of at least three bytes of which one stands in every match; the longest of a sequence.
fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            (text.len() >= 3).then(|| vec![text.to_ascii_lowercase()])
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(it) if it.min > 0 => required(&it.sub),
        HirKind::Concat(parts) => {
            let shortest = |it: &Vec<String>| it.iter().map(String::len).min();
            parts.iter().filter_map(required).max_by_key(shortest)
        }
        HirKind::Alternation(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(required).collect();
            all.map(|it| it.concat())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_carried_with_their_secret_keywords_and_allowlists() {
        let imported = import(
            r#"
            title = "theirs"
            [allowlist]
            paths = ['''vendor/''']
            stopwords = ["sample"]
            [[rules]]
            id = "acme-token"
            description = "Found an Acme token. It opens the shop."
            regex = '''\b(?:acme)_(?:live|test)_([a-z0-9]{20})\b'''
            entropy = 3.2
            keywords = ["acme_"]
            [[rules.allowlists]]
            regexTarget = "line"
            regexes = ['''do not use''', '''^\${[A-Z]{2,9}}$''']
            [[rules]]
            id = "two"
            regex = '''(key)[=:](?P<value>[0-9a-f]{16})'''
            secretGroup = 2
            keywords = ["key"]
            path = '''\.conf$'''
            "#,
        )
        .unwrap();
        assert_eq!((imported.count, imported.notes.len()), (2, 0));
        for part in [
            r"\b(?:acme)_(?:live|test)_(?P<secret>[a-z0-9]{20})\b",
            r"(key)[=:](?P<secret>[0-9a-f]{16})",
            "title = \"Found an Acme token\"",
            "entropy = 3.2",
            r"regex:\.conf$",
            "regex:vendor/",
            "do not use",
            r"^\$\{[A-Z]{2,9}}$",
            "sample",
        ] {
            assert!(imported.text.contains(part), "{part}\n{}", imported.text);
        }
        let mut faults = Vec::new();
        let rules = super::super::parse::file("theirs", &imported.text, &mut faults);
        assert_eq!((rules.len(), faults), (2, Vec::new()));
    }

    #[test]
    fn what_they_require_nearby_becomes_a_part() {
        let imported = import(
            r#"
            [[rules]]
            id = "acme-secret"
            regex = '''acme_secret=([a-z0-9]{20})'''
            keywords = ["acme_secret"]
            [[rules.required]]
            id = "acme-id"
            withinLines = 3
            withinColumns = 80
            [[rules.required]]
            id = "acme.Host"
            [[rules]]
            id = "acme-id"
            regex = '''acme_id=([0-9]{8})'''
            keywords = ["acme_id"]
            skipReport = true
            [[rules]]
            id = "acme.Host"
            regex = '''acme_host=([a-z.]{8,20})'''
            keywords = ["acme_host"]
            "#,
        )
        .unwrap();
        let told = imported.notes.join("\n");
        for part in [
            "acme-secret: `withinColumns` of `acme-id` is left behind",
            "acme-secret: `acme.Host`, which it requires anywhere, must stand within 16384 bytes",
            "acme-id: it is reported with others only; alone, its confidence is low",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
        let mut faults = Vec::new();
        let rules = super::super::parse::file("theirs", &imported.text, &mut faults);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(rules[0].confidence.name(), "medium");
        let parts: Vec<_> = rules[0]
            .parts
            .iter()
            .map(|it| (it.name.as_str(), it.lines, it.missing))
            .collect();
        let drops = crate::model::part::Missing::Drops;
        assert_eq!(
            parts,
            [("acme_id", 3, drops), ("acme_host", FARTHEST, drops)]
        );
    }

    #[test]
    fn what_cannot_be_carried_is_said() {
        let imported = import(
            r#"
            [[rules]]
            id = "path-only"
            path = '''id_rsa$'''
            [[rules]]
            id = "look-ahead"
            regex = '''abc(?=d)'''
            keywords = ["abc"]
            [[rules]]
            id = "no-literal"
            regex = '''[a-f0-9]{40}'''
            [[rules]]
            id = "literal-inside"
            regex = '''tok_[a-z]{9}'''
            verify = "https://acme.example"
            [[rules.required]]
            id = "other"
            "#,
        )
        .unwrap();
        assert_eq!(imported.count, 1);
        let told = imported.notes.join("\n");
        for part in [
            "path-only: not carried: it goes by the path alone",
            "look-ahead: not carried: its pattern is not one of ours",
            "no-literal: not carried: it has no keyword",
            "literal-inside: its keywords are taken from its pattern",
            "literal-inside: `verify` is left behind",
            "literal-inside: `other`, which it requires nearby, is not carried; its confidence is low",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
    }
}
