//! Values of the settings file: what they are, and what they should have been.
//!
//! Not here: which keys there are. It carries `nearest` along, so that readers of keys import one sibling.

pub(super) use crate::settings::nearest::nearest;

use toml::Spanned;
use toml::de::DeValue;

/// One thing wrong in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// A fault at an offset of the text.
pub(super) fn fault(text: &str, offset: usize, what: String) -> Fault {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Fault { line, column, what }
}

/// The first line of a parser's complaint.
pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("not TOML").to_owned()
}

/// What a value is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// A text.
pub(super) fn text_of<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    match value {
        DeValue::String(text) => Ok(text),
        other => Err(format!("is a text in quotes, not {}", kind(other))),
    }
}

/// A list of texts.
pub(super) fn strings(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let DeValue::Array(items) = value else {
        return Err(format!("is a list of texts, not {}", kind(value)));
    };
    let text = |it: &Spanned<DeValue<'_>>| text_of(it.get_ref()).map(str::to_owned);
    items
        .iter()
        .map(text)
        .collect::<Result<_, _>>()
        .map_err(|_| "is a list of texts, and holds something else".to_owned())
}

/// A whole number.
pub(super) fn number<T: TryFrom<i64>>(value: &DeValue<'_>, least: i64) -> Result<T, String> {
    let DeValue::Integer(number) = value else {
        return Err(format!("is a whole number, not {}", kind(value)));
    };
    let number = i64::from_str_radix(number.as_str(), number.radix())
        .ok()
        .filter(|it| *it >= least);
    number.and_then(|it| T::try_from(it).ok()).ok_or_else(|| {
        format!("is a whole number of at least {least}, and not as large as this one")
    })
}
