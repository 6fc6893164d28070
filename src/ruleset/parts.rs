//! The parts of a rule as they are written: the wire shape of `[[rule.parts]]`, and its faults. That
//! patterns compile is checked where they are compiled, in `detect`.

use crate::model::part::{BYTES, FARTHEST, LINES, Missing, PartRule};
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartRow {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rules: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) pattern: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) keywords: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lines: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<usize>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missing: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) secret: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) shared: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) examples: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) counter_examples: Vec<String>,
}

fn is_false(it: &bool) -> bool {
    !it
}

impl PartRow {
    /// One field of the embedded text; `None` if it is not known.
    pub(super) fn set(&mut self, key: &str, mut items: std::str::Split<'_, char>) -> Option<()> {
        let list = |items: std::str::Split<'_, char>| items.map(str::to_owned).collect();
        let mut text = || items.next().unwrap_or_default().to_owned();
        match key {
            "name" => self.name = text(),
            "rules" => self.rules = list(items),
            "pattern" => self.pattern = text(),
            "keywords" => self.keywords = list(items),
            "names" => self.names = list(items),
            "values" => self.values = list(items),
            "lines" => self.lines = text().parse().ok(),
            "bytes" => self.bytes = text().parse().ok(),
            "required" => self.required = text() == "true",
            "missing" => self.missing = Some(text()),
            "secret" => self.secret = text() == "true",
            "shared" => self.shared = text() == "true",
            "examples" => self.examples = list(items),
            "counter_examples" => self.counter_examples = list(items),
            _ => return None,
        }
        Some(())
    }
}

/// The part a row tells of; faults are told as sentences.
pub(super) fn checked(row: PartRow, fault: &mut dyn FnMut(String)) -> PartRule {
    let name = row.name;
    let mut fault = |what: &str| fault(format!("part `{name}`: {what}"));
    let is_name = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        fault("needs a name in snake_case");
    }
    if row.rules.is_empty() && row.pattern.is_empty() && row.names.is_empty() {
        fault("needs rules, a pattern or names");
    }
    if !row.pattern.is_empty() {
        if !row.pattern.contains("(?P<part>") {
            fault("the pattern has no group named `part`");
        }
        if row.keywords.is_empty() || row.keywords.iter().any(|it| it.len() < 3) {
            fault("a pattern needs keywords of at least three characters");
        }
    }
    if row.names.iter().any(|it| it.len() < 3) {
        fault("needs names of at least three characters");
    }
    if row.bytes.is_some_and(|it| it > FARTHEST) {
        fault("the farthest is 16384 bytes");
    }
    let missing = match (row.required, row.missing.as_deref()) {
        (false, None) => Missing::Nothing,
        (true, None | Some("low")) => Missing::Lowers,
        (true, Some("drop")) => Missing::Drops,
        _ => {
            fault("`missing` is `low` or `drop`, and of a part that is required");
            Missing::Nothing
        }
    };
    PartRule {
        rules: row.rules,
        pattern: row.pattern,
        keywords: row
            .keywords
            .iter()
            .map(|it| it.to_ascii_lowercase())
            .collect(),
        names: row.names,
        values: row.values,
        lines: row.lines.unwrap_or(LINES),
        bytes: row.bytes.unwrap_or(BYTES),
        missing,
        is_secret: row.secret,
        is_shared: row.shared,
        examples: row.examples,
        counter_examples: row.counter_examples,
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_the_part_and_what_it_needs() {
        let mut told = Vec::new();
        let row = PartRow {
            name: "Access".to_owned(),
            pattern: "AKIA".to_owned(),
            names: vec!["id".to_owned()],
            bytes: Some(FARTHEST + 1),
            missing: Some("drop".to_owned()),
            ..PartRow::default()
        };
        checked(row, &mut |it| told.push(it));
        let nothing = PartRow {
            name: "host".to_owned(),
            ..PartRow::default()
        };
        checked(nothing, &mut |it| told.push(it));
        let told = told.join("\n");
        for part in [
            "part `Access`: needs a name in snake_case",
            "no group named `part`",
            "needs keywords",
            "names of at least three",
            "the farthest is",
            "`missing` is",
            "part `host`: needs rules, a pattern or names",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
    }
}
