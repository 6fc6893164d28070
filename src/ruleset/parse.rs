//! One rule file: TOML text to rules, all faults at once. Whether patterns compile is checked where
//! they are compiled, in `detect`.

use super::embedded::Field;
use super::parts::{self, PartRow};
use super::row::{Row, pattern_matcher};
use crate::model::level::{Confidence, Severity};
use crate::model::rule::{Checksum, Kind, Matcher, Promise, Rule};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Row>,
}

/// Reads one file; faults are pushed as sentences that name the file and the rule.
pub(super) fn file(name: &str, text: &str, faults: &mut Vec<String>) -> Vec<Rule> {
    match toml::from_str::<File>(text) {
        Ok(file) => file
            .rule
            .into_iter()
            .filter_map(|row| checked(name, row, faults))
            .collect(),
        Err(error) => {
            faults.push(format!("{name}: {}", error.to_string().trim_end()));
            Vec::new()
        }
    }
}

/// One rule of the embedded text.
pub(super) fn fields(name: &str, fields: Vec<Field<'_>>, faults: &mut Vec<String>) -> Option<Rule> {
    let mut row = Row {
        matcher: pattern_matcher(),
        ..Row::default()
    };
    for (key, mut items) in fields {
        let list = |items: std::str::Split<'_, char>| items.map(str::to_owned).collect();
        let mut text = || items.next().unwrap_or_default().to_owned();
        match key {
            "id" => row.id = text(),
            "title" => row.title = text(),
            "provider" => row.provider = text(),
            "kind" => row.kind = text(),
            "matcher" => row.matcher = text(),
            "pattern" => row.pattern = text(),
            "owners" => row.owners = list(items),
            "names" => row.names = list(items),
            "values" => row.values = list(items),
            "keywords" => row.keywords = list(items),
            "near" => row.near = list(items),
            "entropy" => row.entropy = text().parse().ok(),
            "checksum" => row.checksum = Some(text()),
            "promise" => row.promise = Some(text()),
            "paths" => row.paths = list(items),
            "skip_paths" => row.skip_paths = list(items),
            "confidence" => row.confidence = text(),
            "severity" => row.severity = text(),
            "formats" => row.formats = list(items),
            "samples" => row.samples = list(items),
            "examples" => row.examples = list(items),
            "counter_examples" => row.counter_examples = list(items),
            "prefix" => row.prefix = text(),
            "rotation" => row.rotation = text(),
            "why" => row.why = text(),
            "part" => row.parts.push(PartRow::default()),
            _ => {
                let part = key.strip_prefix("part.").zip(row.parts.last_mut());
                if part.and_then(|(key, part)| part.set(key, items)).is_none() {
                    faults.push(format!("{name}: rule `{}`: `{key}` is not known", row.id));
                    return None;
                }
            }
        }
    }
    checked(name, row, faults)
}

fn checked(name: &str, row: Row, faults: &mut Vec<String>) -> Option<Rule> {
    let before = faults.len();
    let mut fault = |what: String| faults.push(format!("{name}: rule `{}`: {what}", row.id));
    let kind = Kind::NAMES
        .iter()
        .find(|(it, _)| *it == row.kind)
        .map(|(_, kind)| *kind);
    let matcher = match row.matcher.as_str() {
        "pattern" => Some(Matcher::Pattern),
        "assignment" => Some(Matcher::Assignment),
        "named" => Some(Matcher::Named),
        "known" => Some(Matcher::Known),
        _ => None,
    };
    let checksum = row
        .checksum
        .as_ref()
        .map(|it| Checksum::NAMES.iter().find(|(name, _)| name == it));
    if kind.is_none() {
        fault(format!("kind `{}` is not known", row.kind));
    }
    if matcher.is_none() {
        fault(format!(
            "matcher `{}` is not `pattern`, `assignment`, `named` or `known`",
            row.matcher
        ));
    }
    let promise = row
        .promise
        .as_ref()
        .map(|it| Promise::NAMES.iter().find(|(name, _)| name == it));
    if promise == Some(None) {
        fault("promise is not `password`, `random` or `perhaps`".to_owned());
    }
    if checksum == Some(None) {
        fault("checksum is not known".to_owned());
    }
    let words = if matcher == Some(Matcher::Named) {
        if row.owners.is_empty() || row.values.is_empty() {
            fault("needs owners and values".to_owned());
        }
        ("names", &row.names)
    } else {
        ("keywords", &row.keywords)
    };
    let has_none = words.1.is_empty() && matcher != Some(Matcher::Known);
    if has_none || words.1.iter().any(|it| it.len() < 3) {
        fault(format!("needs {} of at least three characters", words.0));
    }
    if matcher == Some(Matcher::Pattern) && !row.pattern.contains("(?P<secret>") {
        fault("the pattern has no group named `secret`".to_owned());
    }
    let confidence = Confidence::from_name(&row.confidence);
    let severity = Severity::from_name(&row.severity);
    if confidence.is_none() {
        fault(format!(
            "confidence `{}` is not low, medium or high",
            row.confidence
        ));
    }
    if severity.is_none() {
        fault(format!(
            "severity `{}` is not low, medium, high or critical",
            row.severity
        ));
    }
    let parts = row.parts.into_iter();
    let parts = parts.map(|it| parts::checked(it, &mut fault)).collect();
    if faults.len() > before {
        return None;
    }
    Some(Rule {
        kind: kind?,
        matcher: matcher?,
        checksum: checksum.flatten().map(|(_, it)| *it),
        promise: promise.flatten().map(|(_, it)| *it),
        confidence: confidence?,
        severity: severity?,
        id: row.id,
        title: row.title,
        provider: row.provider,
        pattern: row.pattern,
        owners: row.owners,
        names: row.names,
        values: row.values,
        keywords: row.keywords,
        near: row.near.iter().map(|it| it.to_ascii_lowercase()).collect(),
        entropy: row.entropy,
        paths: row.paths,
        skip_paths: row.skip_paths,
        allow: row.allow.into_iter().map(Into::into).collect(),
        parts,
        formats: row.formats,
        samples: row.samples,
        examples: row.examples,
        counter_examples: row.counter_examples,
        prefix: row.prefix,
        rotation: row.rotation,
        why: row.why,
    })
}
