//! Tables with named columns: the importer for every store that has none of its own.
//!
//! The header decides; `rows.rs` reads the cells. A column nobody knows becomes a tag, unless its name says
//! that it holds a value: values never become tags.

use crate::import::intake::{self, Error, Intake};
use crate::import::provider::canonical;
use crate::import::rows::{self, Row};
use crate::model::fingerprint::Fingerprint;
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::rule::Kind;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

pub(super) const HELP: &str =
    "a table with a header: name, key, provider, owner, created, rotated, expires, value, ...";

pub(super) const EXAMPLE: &str = "\
name,key,provider,environment,owners,readers,created,rotated,accessed,accessed_by,expires,rotation_days,kind,version,value,cost centre
kv/shop/db,password,vault,production,ann;team-shop,ops;ann,2024-01-05,2025-11-30T08:00:00Z,2026-02-01,shop-api,,90,password,3,correct horse 71 battery,4711
kv/shop/db,password,vault,production,ann;team-shop,ops;ann,2024-01-05,2025-06-30T08:00:00Z,,,,90,password,2,wrong donkey 17 capacitor,4711
STRIPE_KEY,,github-actions,production,pay,,2023-03-01,,,,2027-01-01,,api-token,,\"tok,example\"\"5f0e3a9b\",
";

const HINT: &str = "the first line names the columns; `name` (or `path`) is required, e.g. name,key,provider,owners,rotated,value";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Path,
    Key,
    Provider,
    Scope,
    Environment,
    Owners,
    Readers,
    Created,
    Rotated,
    Accessed,
    AccessedBy,
    Expires,
    RotationDays,
    Kind,
    Value,
    Version,
    Dynamic,
    Tags,
    /// Unknown: a tag of the column's name.
    Tag,
    /// A hash by another tool: not read.
    Hash,
    /// Looks like a second value or free text that may quote one: not read.
    Dropped,
}

const COLUMNS: &[(Column, &[&str])] = &[
    (
        Column::Path,
        &["name", "path", "title", "secret_name", "secret_path", "id"],
    ),
    (Column::Key, &["key", "field", "secret_key_name"]),
    (Column::Provider, &["provider", "store"]),
    (
        Column::Scope,
        &["scope", "namespace", "account", "project", "vault"],
    ),
    (Column::Environment, &["environment", "env", "stage"]),
    (
        Column::Owners,
        &["owner", "owners", "team", "teams", "responsible"],
    ),
    (
        Column::Readers,
        &["reader", "readers", "readable_by", "shared_with", "access"],
    ),
    (
        Column::Created,
        &["created", "created_at", "created_time", "creation_date"],
    ),
    (
        Column::Rotated,
        &[
            "rotated",
            "rotated_at",
            "last_rotated",
            "changed",
            "last_changed",
            "updated",
            "updated_at",
        ],
    ),
    (
        Column::Accessed,
        &[
            "accessed",
            "accessed_at",
            "last_accessed",
            "last_used",
            "last_used_at",
        ],
    ),
    (
        Column::AccessedBy,
        &["accessed_by", "last_accessed_by", "last_used_by"],
    ),
    (
        Column::Expires,
        &["expires", "expires_at", "expiry", "expiration", "not_after"],
    ),
    (
        Column::RotationDays,
        &[
            "rotation_days",
            "rotate_days",
            "rotation_period",
            "max_age_days",
        ],
    ),
    (Column::Kind, &["kind", "type"]),
    (Column::Value, &["value", "secret_value", "current_value"]),
    (Column::Version, &["version", "version_number"]),
    (Column::Dynamic, &["dynamic"]),
    (Column::Tags, &["tags", "labels"]),
    (
        Column::Hash,
        &[
            "value_hash",
            "hash",
            "fingerprint",
            "sha256",
            "value_sha256",
            "hmac",
        ],
    ),
    (
        Column::Dropped,
        &[
            "notes",
            "note",
            "comment",
            "comments",
            "description",
            "fields",
            "extra",
        ],
    ),
];

/// Words in a column's name that say its cells are values.
const VALUE_WORDS: &[&str] = &[
    "value",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "api_key",
    "apikey",
    "private",
    "otp",
];

/// Provider of rows that name none: what no reference syntax speaks of.
const NO_PROVIDER: &str = "manual";

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    table(rows::rows(&input.bytes, intake)?, intake)
}

/// Whether a column of this name is read as a value.
pub(super) fn holds_value(title: &str) -> bool {
    match column(title) {
        Column::Value => true,
        Column::Tag => says_value(title),
        _ => false,
    }
}

/// Reads rows, the header first.
pub(super) fn table(rows: Vec<Row>, intake: &mut Intake<'_>) -> Result<(), Error> {
    let mut rows = rows.into_iter();
    let Some(header) = rows.next() else {
        return Err(intake.shape("the table is empty", HINT));
    };
    let table = Table::of(&header, intake)?;
    let mut drafts: HashMap<(String, String), Vec<Record>> = HashMap::new();
    let mut order = Vec::new();
    for row in rows {
        let record = table.record(&row, intake)?;
        match drafts.entry((record.secret.provider.clone(), record.name.clone())) {
            Entry::Vacant(entry) => {
                order.push(entry.key().clone());
                entry.insert(vec![record]);
            }
            Entry::Occupied(mut entry) => {
                refuse_twice(entry.get(), &record, &table, &row, intake)?;
                entry.get_mut().push(record);
            }
        }
    }
    let mut names = HashSet::new();
    for name in order {
        if let Some(mut record) = drafts.remove(&name).and_then(fold) {
            // Two stores may use one path.
            if !names.insert(record.name.clone()) {
                record.name = format!("{}:{}", record.secret.provider, record.name);
            }
            intake.emit(record);
        }
    }
    Ok(())
}

fn number(record: &Record) -> u32 {
    record.versions.last().map_or(0, |it| it.number)
}

fn refuse_twice(
    earlier: &[Record],
    record: &Record,
    table: &Table,
    row: &Row,
    intake: &Intake<'_>,
) -> Result<(), Error> {
    match earlier.iter().find(|it| number(it) == number(record)) {
        None => Ok(()),
        Some(twin) => {
            let line = twin.source_line.unwrap_or(0);
            let what = format!(
                "the same name and version as line {line}; number them in a `version` column"
            );
            Err(intake.cell(u64::from(row.line), table.title(Column::Path), &what))
        }
    }
}

/// Rows of one name are its versions; the newest speaks for the record.
fn fold(mut rows: Vec<Record>) -> Option<Record> {
    rows.sort_by_key(number);
    let mut newest = rows.pop()?;
    let mut versions: Vec<Version> = rows.into_iter().flat_map(|it| it.versions).collect();
    versions.append(&mut newest.versions);
    newest.versions = versions;
    Some(newest)
}

/// The header: what each column means.
struct Table {
    columns: Vec<(Column, String)>,
}

impl Table {
    fn of(header: &Row, intake: &mut Intake<'_>) -> Result<Self, Error> {
        let mut columns: Vec<(Column, String)> = Vec::new();
        for cell in &header.cells {
            let title = cell.trim().to_owned();
            let column = column(&title);
            let may_repeat = matches!(column, Column::Owners | Column::Readers);
            let taken = !may_repeat && columns.iter().any(|(it, _)| *it == column);
            let column = match column {
                Column::Tag | Column::Tags | Column::Hash | Column::Dropped => column,
                Column::Value if taken => Column::Dropped,
                _ if taken => Column::Tag,
                _ => column,
            };
            columns.push((column, title));
        }
        let table = Self { columns };
        if !table.columns.iter().any(|(it, _)| *it == Column::Path) {
            return Err(intake.shape("the header has no column `name` or `path`", HINT));
        }
        Ok(table.with_value_column(intake))
    }

    /// A column such as `password` holds the value where no column is called `value`.
    fn with_value_column(mut self, intake: &mut Intake<'_>) -> Self {
        let mut has_value = self.columns.iter().any(|(it, _)| *it == Column::Value);
        for (column, title) in &mut self.columns {
            if *column == Column::Tag && says_value(title) {
                *column = if has_value {
                    Column::Dropped
                } else {
                    Column::Value
                };
                has_value = true;
            }
            if *column == Column::Hash {
                intake.skip(&format!(
                    "column `{title}` is not read: a hash under another key cannot be compared"
                ));
            }
            if *column == Column::Dropped {
                intake.skip(&format!("column `{title}` is not read: it may hold values"));
            }
        }
        self
    }

    fn title(&self, wanted: Column) -> &str {
        self.columns
            .iter()
            .find(|(it, _)| *it == wanted)
            .map_or("", |(_, title)| title)
    }

    fn record(&self, row: &Row, intake: &Intake<'_>) -> Result<Record, Error> {
        if row.cells.len() > self.columns.len() {
            let what = format!(
                "this row has {} cells, the header {}",
                row.cells.len(),
                self.columns.len()
            );
            return Err(intake.syntax(u64::from(row.line), 1, &what));
        }
        let mut draft = Draft::default();
        for ((column, title), cell) in self.columns.iter().zip(&row.cells) {
            let text = cell.trim();
            if is_filled(text) {
                draft
                    .fill(*column, title, text, intake)
                    .map_err(|what| intake.cell(u64::from(row.line), title, what))?;
            }
        }
        if draft.path.is_empty() {
            return Err(intake.cell(
                u64::from(row.line),
                self.title(Column::Path),
                "this row has no name",
            ));
        }
        draft.record.source_line = Some(row.line);
        Ok(draft.finish(intake))
    }
}

fn column(title: &str) -> Column {
    let name = title.to_ascii_lowercase().replace([' ', '-'], "_");
    COLUMNS
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map_or(Column::Tag, |(column, _)| *column)
}

fn says_value(title: &str) -> bool {
    let name = title.to_ascii_lowercase().replace([' ', '-'], "_");
    VALUE_WORDS.iter().any(|it| name.contains(it))
}

/// What tools print for "nothing".
fn is_filled(text: &str) -> bool {
    !matches!(
        text,
        "" | "-" | "N/A" | "n/a" | "null" | "no_information" | "not_supported"
    )
}

#[derive(Default)]
struct Draft {
    record: Record,
    path: String,
    key: Option<String>,
    provider: Option<String>,
    scope: String,
    number: Option<u32>,
    value: Option<Fingerprint>,
}

impl Draft {
    fn fill(
        &mut self,
        column: Column,
        title: &str,
        text: &str,
        intake: &Intake<'_>,
    ) -> Result<(), &'static str> {
        let record = &mut self.record;
        match column {
            Column::Path => text.clone_into(&mut self.path),
            Column::Key => self.key = Some(text.to_owned()),
            Column::Provider => self.provider = Some(text.to_owned()),
            Column::Scope => text.clone_into(&mut self.scope),
            Column::Environment => record.environment = Some(text.to_owned()),
            Column::Owners => record.owners.extend(intake::people(text)),
            Column::Readers => record.readers.extend(intake::people(text)),
            Column::Created => record.created = Some(moment(text)?),
            Column::Rotated => record.rotated = Some(moment(text)?),
            Column::Accessed => record.accessed = Some(moment(text)?),
            Column::AccessedBy => record.accessed_by = Some(text.to_owned()),
            Column::Expires => record.expires = Some(moment(text)?),
            Column::RotationDays => record.rotation_days = Some(days(text)?),
            Column::Kind => match Kind::NAMES.iter().find(|(name, _)| *name == text) {
                Some((_, kind)) => record.kind = Some(*kind),
                None => self.tag(title, text),
            },
            Column::Value => self.value = intake.fingerprint(text.as_bytes()),
            Column::Version => match text.trim_start_matches('v').parse() {
                Ok(number) => self.number = Some(number),
                Err(_) => self.tag(title, text),
            },
            Column::Dynamic => record.dynamic = truth(text)?,
            Column::Tags => self.tags(text),
            Column::Tag => self.tag(title, text),
            Column::Hash | Column::Dropped => {}
        }
        Ok(())
    }

    /// `k=v;k=v`, or bare words.
    fn tags(&mut self, text: &str) {
        for tag in text
            .split([';', ','])
            .map(str::trim)
            .filter(|it| !it.is_empty())
        {
            let (name, value) = tag.split_once(['=', ':']).unwrap_or((tag, ""));
            self.tag(name.trim(), value.trim());
        }
    }

    /// Passwords ride in URLs; such a tag is not kept, nor one whose name speaks of a value.
    fn tag(&mut self, name: &str, text: &str) {
        let has_user_info = text
            .split_once("://")
            .is_some_and(|(_, it)| it.contains('@'));
        if !name.is_empty() && !has_user_info && !says_value(name) {
            self.record.tags.insert(name.to_owned(), text.to_owned());
        }
    }

    fn finish(self, intake: &Intake<'_>) -> Record {
        let mut record = self.record;
        let provider = self
            .provider
            .as_deref()
            .or(intake.options().provider.as_deref());
        record.secret = canonical(provider.unwrap_or(NO_PROVIDER), &self.scope, &self.path);
        record.secret.key.clone_from(&self.key);
        record.name = match &self.key {
            Some(key) => format!("{}#{key}", self.path),
            None => self.path,
        };
        record.versions = vec![Version {
            veil: None,
            number: self.number.unwrap_or(1),
            created: self.number.and(record.rotated.or(record.created)),
            fingerprint: self.value,
        }];
        record
    }
}

fn moment(text: &str) -> Result<i64, &'static str> {
    intake::moment(text).ok_or("this is no date: write RFC 3339, YYYY-MM-DD or epoch seconds")
}

fn days(text: &str) -> Result<u32, &'static str> {
    intake::days(text).ok_or("this is no number of days, such as 90")
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("write true or false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::{Options, Totals};
    use crate::model::fingerprint::Fingerprinter;
    use crate::model::reference::SecretName;
    use zeroize::Zeroizing;

    fn import(text: &str) -> Result<(Vec<Record>, Totals), Error> {
        let seal = Fingerprinter::new([3; 32]);
        let options = Options::default();
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new("t.csv", Some(&seal), &options, &mut keep);
        let input = Input {
            name: "t.csv".to_owned(),
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
        };
        read(&input, &mut intake)?;
        let totals = intake.totals();
        Ok((records, totals))
    }

    #[test]
    fn every_column_fills_its_field() {
        let seal = Fingerprinter::new([3; 32]);
        let (records, _) = import(EXAMPLE).unwrap();
        let db = &records[0];
        assert_eq!(db.name, "kv/shop/db#password");
        assert_eq!(
            db.secret,
            SecretName::new("vault", "kv/shop/db").with_key("password")
        );
        assert_eq!(db.environment.as_deref(), Some("production"));
        assert_eq!(db.owners, ["ann", "team-shop"]);
        assert_eq!(db.readers, ["ops", "ann"]);
        assert_eq!(db.created, Some(1_704_412_800));
        assert_eq!(db.rotated, Some(1_764_489_600));
        assert_eq!(db.accessed_by.as_deref(), Some("shop-api"));
        assert_eq!(db.rotation_days, Some(90));
        assert_eq!(db.kind, Some(Kind::Password));
        assert_eq!(db.tags.get("cost centre").map(String::as_str), Some("4711"));
        assert_eq!(db.source_line, Some(2));
        let versions: Vec<_> = db
            .versions
            .iter()
            .map(|it| (it.number, it.fingerprint))
            .collect();
        assert_eq!(
            versions,
            [
                (2, Some(seal.fingerprint(b"wrong donkey 17 capacitor"))),
                (3, Some(seal.fingerprint(b"correct horse 71 battery"))),
            ]
        );
        assert_eq!(records[1].name, "STRIPE_KEY");
        assert_eq!(
            records[1].versions[0].fingerprint,
            Some(seal.fingerprint(b"tok,example\"5f0e3a9b"))
        );
        assert_eq!(records[1].versions[0].created, None);
    }

    #[test]
    fn columns_that_hold_values_never_become_tags() {
        let (records, totals) =
            import("title,url,username,password,totp,notes\nshop,https://u:hidden@h,ann,hidden-one,hidden-two,hidden\n")
                .unwrap();
        assert!(records[0].versions[0].fingerprint.is_some());
        assert_eq!(records[0].tags.keys().collect::<Vec<_>>(), ["username"]);
        assert_eq!(totals.skipped.len(), 2, "{totals:?}");
        assert!(!format!("{records:?}{totals:?}").contains("hidden"));
    }

    #[test]
    fn hashes_of_other_tools_are_no_values() {
        let (records, totals) = import("name,value_hash,password\na,0f3c,hidden\n").unwrap();
        assert!(records[0].versions[0].fingerprint.is_some());
        assert!(records[0].tags.is_empty());
        assert!(totals.skipped[0].contains("`value_hash`"), "{totals:?}");
        let (records, _) = import("name,hash\na,0f3c\n").unwrap();
        assert!(records[0].versions[0].fingerprint.is_none());
    }

    #[test]
    fn faults_name_line_and_column() {
        let cases = [
            (
                "name,rotated\na,2026-01-01\nb,later\n",
                "t.csv:3: column `rotated`",
            ),
            (
                "name,Rotation days\na,often\n",
                "t.csv:2: column `Rotation days`",
            ),
            (
                "name,value\n,x\n",
                "t.csv:2: column `name`: this row has no name",
            ),
            ("name\na\na\n", "the same name and version as line 2"),
            ("name\na,b\n", "t.csv:2:1: this row has 2 cells"),
            ("value\na\n", "no column `name` or `path`"),
            ("", "the table is empty"),
            ("name,dynamic\na,maybe\n", "column `dynamic`"),
        ];
        for (text, expected) in cases {
            let error = import(text).unwrap_err();
            assert!(error.to_string().contains(expected), "{text:?}: {error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn one_path_in_two_stores_is_two_records() {
        let (records, _) = import("name,provider\na/b,vault\na/b,k8s\n").unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["a/b", "kubernetes:a/b"]);
    }
}
