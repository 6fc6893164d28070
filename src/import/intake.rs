//! What every importer shares: options, faults, totals, and the one place where values become
//! fingerprints.
//!
//! Not here: any format. An importer owns its format and hands finished records to [`Intake::emit`].

use crate::model::fingerprint::{Fingerprint, Fingerprinter};
use crate::model::record::{Record, Veil};
use crate::model::secret::{Secret, Worth};
use crate::syntax::{key, telling};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::collections::HashMap;

/// What the owner asks of an import.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// Drop every value: records carry names and dates only.
    pub names_only: bool,
    /// Environment of records whose export names none.
    pub environment: Option<String>,
    /// Provider of table rows that name none.
    pub provider: Option<String>,
    /// Fingerprint also what its store does not keep as a secret: plain parameters and variables.
    pub all_values: bool,
    /// Passwords to try on keystores and encrypted keys; no other is tried.
    pub passwords: Vec<Secret>,
    /// When the export was made, seconds since the epoch: for those that tell ages in place of dates.
    pub exported: Option<i64>,
}

/// What an import brought.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Records emitted.
    pub records: usize,
    /// Records of which at least one version carries a fingerprint.
    pub with_value: usize,
    /// Values fingerprinted, all versions counted.
    pub values: usize,
    /// What was left out, where and why; never a value.
    pub skipped: Vec<String>,
    /// What the owner should know of the export itself; never a value.
    pub notes: Vec<String>,
}

impl Totals {
    /// Adds what another file of the same import brought.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.with_value += other.with_value;
        self.values += other.values;
        self.skipped.extend(other.skipped);
        self.notes.extend(other.notes);
    }
}

/// Why an export could not be read. No variant carries a value of the export.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text breaks the format's grammar.
    #[error("{input}:{line}:{column}: {what}")]
    Syntax {
        /// Name of the export.
        input: String,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong.
        what: String,
    },
    /// A cell of a table cannot be understood.
    #[error("{input}:{line}: column `{column}`: {what}")]
    Cell {
        /// Name of the export.
        input: String,
        /// Line, from 1.
        line: u64,
        /// The column's name in the header.
        column: String,
        /// What is wrong.
        what: String,
    },
    /// Well-formed, but not the export that was announced.
    #[error("{input}: {what}")]
    Shape {
        /// Name of the export.
        input: String,
        /// What is missing, and in which entry.
        what: String,
        /// How to produce what is expected.
        hint: &'static str,
    },
    /// A server's address or token that cannot be used.
    #[error("{input}: {what}")]
    Address {
        /// The address, or what may be shown of it.
        input: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A server refused. Its answer is not repeated: it may hold anything.
    #[error("{url}: the server answered {status}")]
    Refused {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// A server of AWS refused. The code is its word for why; its message may hold anything and is not repeated.
    #[error("{url}: {action} was refused: {code}")]
    Denied {
        /// Who was asked.
        url: String,
        /// What was asked for.
        action: &'static str,
        /// `AccessDeniedException` and the like.
        code: String,
    },
    /// No answer, or one that cannot be read.
    #[error("{url}: {what}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        what: String,
    },
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax { .. } => {
                Some("nothing was imported; correct that place or make the export again".to_owned())
            }
            Self::Cell { .. } => Some(
                "nothing was imported; correct the cell. Dates are RFC 3339, YYYY-MM-DD or epoch seconds".to_owned(),
            ),
            Self::Shape { hint, .. } => Some((*hint).to_owned()),
            Self::Address { .. } => {
                Some("write https://HOST[:PORT]; plain http only to this machine, or when allowed".to_owned())
            }
            Self::Refused { status, .. } => Some(refusal_hint(*status).to_owned()),
            Self::Denied { code, .. } => Some(denial_hint(code).to_owned()),
            Self::Unreachable { .. } => Some("nothing was imported; check the address, and the certificate's authority".to_owned()),
        }
    }
}

fn refusal_hint(status: u16) -> &'static str {
    match status {
        401 | 403 => {
            "nothing was imported; the token is not valid, or may not list or read there. Name a mount or folder that it may"
        }
        300..=399 => {
            "nothing was imported; redirects are not followed. Name the active server itself"
        }
        404 => "nothing was imported; there is nothing of that name",
        429 | 500.. => {
            "nothing was imported; the server is busy, sealed or on standby. Try again later"
        }
        _ => "nothing was imported",
    }
}

fn denial_hint(code: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|it| code.contains(it));
    if has(&["AccessDenied", "NotAuthorized"]) {
        "nothing was imported; these credentials may not do that. Name what they may read with --mount secretsmanager, ssm or iam"
    } else if has(&["ExpiredToken", "RequestExpired"]) {
        "nothing was imported; the session has ended. Begin another, and check this machine's clock"
    } else if has(&["Unrecognized", "InvalidClientToken", "Signature"]) {
        "nothing was imported; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the region, and this machine's clock"
    } else {
        "nothing was imported; try again later, or save an export and import the file"
    }
}

/// One run of an importer: seals values, fills defaults, counts, and hands records on.
pub(super) struct Intake<'a> {
    input: &'a str,
    /// The path within the folder that is imported, else the name of the file.
    below: &'a str,
    seal: Option<&'a Fingerprinter>,
    options: &'a Options,
    emit: &'a mut dyn FnMut(Record),
    totals: Totals,
    /// What else is kept of the values seen.
    veils: RefCell<HashMap<Fingerprint, Veil>>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        input: &'a str,
        seal: Option<&'a Fingerprinter>,
        options: &'a Options,
        emit: &'a mut dyn FnMut(Record),
    ) -> Self {
        Self {
            input,
            below: input.rsplit(['/', '\\']).next().unwrap_or(input),
            seal: seal.filter(|_| !options.names_only),
            options,
            emit,
            totals: Totals::default(),
            veils: RefCell::default(),
        }
    }

    /// For a file of a folder.
    pub(super) fn below(mut self, below: &'a str) -> Self {
        self.below = below;
        self
    }

    /// What record names of this file begin with: its path within the folder that is imported, else its name.
    pub(super) fn place(&self) -> &'a str {
        self.below
    }

    /// What the name of a file of answers says of whose they are; nothing on standard input.
    pub(super) fn stem(&self) -> &'a str {
        match self.below {
            "standard input" => "",
            file => file.trim_end_matches(".json"),
        }
    }

    pub(super) fn options(&self) -> &'a Options {
        self.options
    }

    /// Whether values are to be fingerprinted at all; if not, an importer need not decode them.
    pub(super) fn wants_values(&self) -> bool {
        self.seal.is_some()
    }

    /// The fingerprint of a value without the white space around it.
    ///
    /// Stores keep the line end that `echo` or an editor left; code and configuration that use the value
    /// do not. Both must meet. An empty value is no value. A private key has one fingerprint in every format,
    /// here as in a scan.
    pub(super) fn fingerprint(&self, value: &[u8]) -> Option<Fingerprint> {
        let value = value.trim_ascii();
        if value.is_empty() {
            return None;
        }
        let seal = self.seal?;
        let print = match key::content(value) {
            Some(content) => seal.of_content(&content),
            None => seal.fingerprint(value),
        };
        let veil = || Veil {
            worth: seal.veil(&print, Worth::of(value)),
            tag: seal.seal(&print, &telling::tag(value, seal)),
        };
        self.veils.borrow_mut().entry(print).or_insert_with(veil);
        Some(print)
    }

    /// Hands a record on.
    pub(super) fn emit(&mut self, mut record: Record) {
        self.input.clone_into(&mut record.source);
        if record.environment.is_none() {
            record.environment.clone_from(&self.options.environment);
        }
        for version in &mut record.versions {
            let veils = self.veils.borrow();
            version.veil = version.fingerprint.and_then(|it| veils.get(&it).cloned());
        }
        self.drop_tags_that_are_values(&mut record);
        let values = record
            .versions
            .iter()
            .filter(|it| it.fingerprint.is_some())
            .count();
        self.totals.records += 1;
        self.totals.values += values;
        self.totals.with_value += usize::from(values > 0);
        (self.emit)(record);
    }

    /// People paste a value into a comment or a label now and then.
    fn drop_tags_that_are_values(&self, record: &mut Record) {
        let versions = &record.versions;
        record.tags.retain(|_, text| {
            let seen = self.fingerprint(text.as_bytes());
            seen.is_none() || versions.iter().all(|it| it.fingerprint != seen)
        });
    }

    /// Notes what was left out; `what` must hold no value.
    pub(super) fn skip(&mut self, what: &str) {
        self.totals.skipped.push(format!("{}: {what}", self.input));
    }

    /// Tells what the owner should know; `what` must hold no value.
    pub(super) fn note(&mut self, what: &str) {
        self.totals.notes.push(format!("{}: {what}", self.input));
    }

    pub(super) fn totals(self) -> Totals {
        self.totals
    }

    pub(super) fn syntax(&self, line: u64, column: u64, what: &str) -> Error {
        Error::Syntax {
            input: self.input.to_owned(),
            line,
            column,
            what: what.to_owned(),
        }
    }

    pub(super) fn cell(&self, line: u64, column: &str, what: &str) -> Error {
        Error::Cell {
            input: self.input.to_owned(),
            line,
            column: column.to_owned(),
            what: what.to_owned(),
        }
    }

    pub(super) fn shape(&self, what: impl Into<String>, hint: &'static str) -> Error {
        Error::Shape {
            input: self.input.to_owned(),
            what: what.into(),
            hint,
        }
    }
}

/// Seconds since the epoch, from RFC 3339, `YYYY-MM-DD[ HH:MM:SS]` (taken as UTC), or an epoch number in
/// seconds (fractions too, as one vendor's tool prints them) or milliseconds.
pub(super) fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_second());
    }
    if text.bytes().all(|it| it.is_ascii_digit() || it == b'.') {
        return epoch(text);
    }
    if let Ok(moment) = text.parse::<civil::DateTime>() {
        return moment
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|it| it.timestamp().as_second());
    }
    None
}

fn epoch(text: &str) -> Option<i64> {
    let whole = text.split('.').next()?;
    // Fewer digits would be a year or a compact date taken for 1970.
    if whole.len() < 9 {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    // Until the year 5138 no moment in seconds has this many digits.
    let seconds = if number >= 100_000_000_000 {
        number / 1000
    } else {
        number
    };
    Timestamp::from_second(seconds)
        .ok()
        .map(Timestamp::as_second)
}

/// Names in a list such as `ann; team-shop`.
pub(super) fn people(text: &str) -> Vec<String> {
    text.split([';', ','])
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A number of days: `90`, `90d`, `2160h`.
pub(super) fn days(text: &str) -> Option<u32> {
    let text = text.trim();
    if let Some(hours) = text.strip_suffix('h') {
        return hours
            .parse::<u32>()
            .ok()
            .map(|it| it / 24)
            .filter(|it| *it > 0);
    }
    let number = text
        .strip_suffix("days")
        .or_else(|| text.strip_suffix('d'))
        .unwrap_or(text);
    number.trim().parse().ok().filter(|it| *it > 0)
}

/// What a reader makes of a text, for the tests of importers: values are sealed under a key of threes.
#[cfg(test)]
pub(super) fn tried(
    read: fn(&crate::model::input::Input, &mut Intake<'_>) -> Result<(), Error>,
    name: &str,
    bytes: &[u8],
) -> Result<(Vec<Record>, Totals), Error> {
    let seal = Fingerprinter::new([3; 32]);
    let options = Options::default();
    let mut records = Vec::new();
    let mut keep = |it| records.push(it);
    let mut intake = Intake::new(name, Some(&seal), &options, &mut keep);
    let input = crate::model::input::Input {
        name: name.to_owned(),
        bytes: zeroize::Zeroizing::new(bytes.to_vec()),
    };
    read(&input, &mut intake)?;
    let totals = intake.totals();
    Ok((records, totals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_the_forms_that_vendors_print() {
        let cases = [
            ("2026-03-01T12:00:00Z", Some(1_772_366_400)),
            ("2026-03-01T13:00:00.123456789+01:00", Some(1_772_366_400)),
            ("2026-03-01", Some(1_772_323_200)),
            (" 2026-03-01 12:00:00 ", Some(1_772_366_400)),
            ("1772366400", Some(1_772_366_400)),
            ("1772366400.25", Some(1_772_366_400)),
            ("1772366400123", Some(1_772_366_400)),
            ("99999999999999999999", None),
            ("20260301", None),
            ("2026", None),
            ("soon", None),
            ("", None),
            ("2026-13-01", None),
        ];
        for (text, expected) in cases {
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[test]
    fn days_are_read_with_and_without_their_unit() {
        let cases = [
            ("90", Some(90)),
            ("90d", Some(90)),
            ("30 days", Some(30)),
            ("2160h", Some(90)),
            ("0", None),
            ("-1", None),
            ("monthly", None),
        ];
        for (text, expected) in cases {
            assert_eq!(days(text), expected, "{text}");
        }
    }

    #[test]
    fn white_space_around_a_value_does_not_change_its_fingerprint() {
        let seal = Fingerprinter::new([1; 32]);
        let options = Options::default();
        let mut ignore = |_| {};
        let intake = Intake::new("x", Some(&seal), &options, &mut ignore);
        assert_eq!(intake.fingerprint(b"abc\n"), Some(seal.fingerprint(b"abc")));
        assert_eq!(intake.fingerprint(b" \n"), None);
    }
}
