//! A rule as it is written: the wire shape of `[[rule]]`.

use super::parts::PartRow;
use crate::model::rule::Allow;
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) provider: String,
    pub(super) kind: String,
    #[serde(default = "pattern_matcher")]
    pub(super) matcher: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) pattern: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) owners: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) keywords: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) near: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entropy: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) promise: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) skip_paths: Vec<String>,
    pub(super) confidence: String,
    pub(super) severity: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) formats: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) samples: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) examples: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) counter_examples: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) prefix: String,
    pub(super) rotation: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) why: String,
    // A table of its own: it must stand behind all values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) allow: Vec<AllowRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<PartRow>,
}

pub(super) fn pattern_matcher() -> String {
    "pattern".to_owned()
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowRow {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) secrets: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) matches: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) words: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) all: bool,
}

impl AllowRow {
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
            && self.matches.is_empty()
            && self.lines.is_empty()
            && self.words.is_empty()
    }
}

impl From<AllowRow> for Allow {
    fn from(row: AllowRow) -> Self {
        Self {
            secrets: row.secrets,
            matches: row.matches,
            lines: row.lines,
            words: row.words.iter().map(|it| it.to_lowercase()).collect(),
            all: row.all,
        }
    }
}
