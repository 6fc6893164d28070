//! What belongs to a finding: as one line for people and as a list for scripts.

use crate::model::finding::Finding;
use crate::model::part::Part;
use crate::model::report::Report;
use crate::model::secret::MASK;
use crate::report::text::Redactor;
use serde::Serialize;

/// A part on the wire.
#[derive(Serialize)]
pub(crate) struct PartOut {
    name: String,
    pub(crate) value: String,
    secret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    line: u32,
    end_line: u32,
    column: u32,
    end_column: u32,
}

/// Whether values that are secret may be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Masked,
    Shown,
}

impl Values {
    /// What the caller of a report asked for.
    pub(crate) fn of(report: &Report) -> Self {
        if report.show_secrets {
            Self::Shown
        } else {
            Self::Masked
        }
    }
}

impl PartOut {
    /// The name for people.
    pub(crate) fn words(&self) -> String {
        self.name.replace('_', " ")
    }
}

/// The parts of a finding in the order of its rule. Places are those within the member of a container
/// where the finding has such a place.
pub(crate) fn list(text: &Redactor, values: Values, it: &Finding) -> Vec<PartOut> {
    let parts = it.parts.iter().map(|part| {
        let place = part.within.unwrap_or(part.place);
        PartOut {
            name: text.clean(&part.name),
            value: value(text, values, part),
            secret: part.is_secret,
            fingerprint: part.fingerprint.map(|it| it.to_string()),
            line: place.line,
            end_line: place.end_line,
            column: place.column,
            end_column: place.end_column,
        }
    });
    parts.collect()
}

/// In words.
pub(crate) fn line(text: &Redactor, values: Values, it: &Finding) -> String {
    let parts = list(text, values, it).into_iter();
    let words: Vec<String> = parts
        .map(|it| {
            format!(
                "{} {} (line {})",
                it.words(),
                text.clean(&it.value),
                it.line
            )
        })
        .collect();
    words.join(", ")
}

/// What is shown of a part: an identifier as it is, anything else only to who asked.
fn value(text: &Redactor, values: Values, part: &Part) -> String {
    if values == Values::Shown {
        return String::from_utf8_lossy(part.secret.expose()).into_owned();
    }
    let shown = part.shown();
    if shown == MASK {
        shown
    } else {
        text.clean(&shown)
    }
}
