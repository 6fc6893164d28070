//! What the stores of the clouds have in common: an object with versions, whose value is often a JSON object.
//!
//! Knows no vendor's shape. Like KV of Vault, a value that is a JSON object gives one record a key.

use crate::import::intake::{self, Intake};
use crate::import::tree::{self, Tree};
use crate::import::vault;
use crate::model::fingerprint::Fingerprint;
use crate::model::record::{Record, Version};
use std::collections::{BTreeMap, BTreeSet};

/// What an export tells of one version's value.
#[derive(Default)]
pub(super) enum Held {
    /// Nothing.
    #[default]
    Unknown,
    /// A value; `None` where none is wanted.
    Whole(Option<Fingerprint>),
    /// A JSON object, by its keys.
    Fields(BTreeMap<String, Option<Fingerprint>>),
}

impl Held {
    /// What a value is: a JSON object with keys, or one piece.
    pub(super) fn of(value: &[u8], intake: &Intake<'_>) -> Self {
        if !value.trim_ascii_start().starts_with(b"{") {
            return Self::Whole(intake.fingerprint(value));
        }
        // What looks like JSON and is none is a value like any other.
        let documents = tree::json(value, intake).unwrap_or_default();
        match documents.as_slice() {
            [(_, tree @ Tree::Map(members))] if !members.is_empty() => Self::fields(tree, intake),
            _ => Self::Whole(intake.fingerprint(value)),
        }
    }

    fn fields(tree: &Tree, intake: &Intake<'_>) -> Self {
        let print = |it: &Tree| it.value().and_then(|it| intake.fingerprint(&it));
        let members = tree.members().iter();
        Self::Fields(
            members
                .map(|(name, it)| (name.clone(), print(it)))
                .collect(),
        )
    }

    fn whole(&self) -> Option<Fingerprint> {
        match self {
            Self::Whole(print) => *print,
            _ => None,
        }
    }
}

/// One version.
#[derive(Default)]
pub(super) struct Revision {
    pub(super) number: u32,
    pub(super) created: Option<i64>,
    pub(super) held: Held,
}

/// Numbers for versions that their store only dates: the second each was made in. A rank would shift when the
/// store forgets the oldest, and a value would pass to its neighbour. The current one comes last, also
/// where a later one has been made already.
pub(super) fn dated(versions: Vec<(Option<i64>, bool, Held)>) -> Vec<Revision> {
    let mut current = None;
    let mut numbered: BTreeMap<u32, (Option<i64>, Held)> = BTreeMap::new();
    let mut versions = versions;
    versions.sort_by_key(|(created, _, _)| *created);
    for (created, is_current, held) in versions {
        let mut number = created.and_then(|it| u32::try_from(it).ok()).unwrap_or(1);
        while numbered.contains_key(&number) {
            number = number.saturating_add(1);
        }
        if is_current {
            current = Some(number);
        }
        numbered.insert(number, (created, held));
    }
    let newest = numbered.last_key_value().map_or(0, |(number, _)| *number);
    if let Some(number) = current.filter(|it| *it != newest)
        && let Some(held) = numbered.remove(&number)
    {
        numbered.insert(newest.saturating_add(1), held);
    }
    let revision = |(number, (created, held))| Revision {
        number,
        created,
        held,
    };
    numbered.into_iter().map(revision).collect()
}

/// One secret object, ready to be told.
pub(super) struct Object {
    /// All but the versions; its name is the object's.
    pub(super) draft: Record,
    pub(super) revisions: Vec<Revision>,
}

impl Object {
    /// Emits a record for each key, or one for the whole.
    pub(super) fn emit(mut self, intake: &mut Intake<'_>) {
        self.revisions.sort_by_key(|it| it.number);
        let keys: BTreeSet<&str> = self
            .revisions
            .iter()
            .filter_map(|it| match &it.held {
                Held::Fields(fields) => Some(fields.keys().map(String::as_str)),
                _ => None,
            })
            .flatten()
            .collect();
        let has_whole = self.revisions.iter().any(|it| it.held.whole().is_some());
        let mut records = Vec::new();
        if keys.is_empty() || has_whole {
            records.push(self.record(None));
        }
        records.extend(keys.into_iter().map(|it| self.record(Some(it))));
        for record in records {
            intake.emit(record);
        }
    }

    fn record(&self, key: Option<&str>) -> Record {
        let mut record = self.draft.clone();
        record.versions = match key {
            None => self
                .revisions
                .iter()
                .map(|it| version(it, it.held.whole()))
                .collect(),
            Some(key) => self.versions_of(key),
        };
        if let Some(key) = key {
            record.name = format!("{}#{key}", record.name);
            record.secret.key = Some(key.to_owned());
        }
        record.rotated = vault::since(&record.versions).or(record.rotated);
        record
    }

    /// From the first version that may have had the key. A later one that lacks it ends what was current.
    fn versions_of(&self, key: &str) -> Vec<Version> {
        let lacks = |it: &&Revision| match &it.held {
            Held::Unknown => false,
            Held::Whole(_) => true,
            Held::Fields(fields) => !fields.contains_key(key),
        };
        let revisions = self.revisions.iter().skip_while(lacks);
        let print = |it: &Revision| match &it.held {
            Held::Fields(fields) => fields.get(key).copied().flatten(),
            _ => None,
        };
        revisions.map(|it| version(it, print(it))).collect()
    }
}

fn version(revision: &Revision, fingerprint: Option<Fingerprint>) -> Version {
    Version {
        number: revision.number,
        created: revision.created,
        fingerprint,
        veil: None,
    }
}

/// A label, tag or annotation: what its name says of owner, environment, end or rotation, else a tag.
pub(super) fn label(record: &mut Record, name: &str, text: &str, intake: &mut Intake<'_>) {
    if !text.is_empty() && !vault::declare(record, name, text) {
        let what = format!(
            "{}: label `{name}` is neither a date nor a number of days",
            record.name
        );
        intake.skip(&what);
    }
}

/// The moment a member of a tree tells.
pub(super) fn time(tree: &Tree, path: &[&str]) -> Option<i64> {
    tree.text_at(path).and_then(intake::moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::Options;
    use crate::model::fingerprint::Fingerprinter;
    use crate::model::reference::SecretName;

    fn told(revisions: &[(u32, &str)]) -> Vec<(String, Vec<(u32, bool)>)> {
        let seal = Fingerprinter::new([3; 32]);
        let options = Options::default();
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new("x", Some(&seal), &options, &mut keep);
        let revisions = revisions.iter().map(|(number, value)| Revision {
            number: *number,
            created: None,
            held: match *value {
                "?" => Held::Unknown,
                value => Held::of(value.as_bytes(), &intake),
            },
        });
        let object = Object {
            draft: Record {
                name: "db".to_owned(),
                secret: SecretName::new("aws-secretsmanager", "db"),
                ..Record::default()
            },
            revisions: revisions.collect(),
        };
        object.emit(&mut intake);
        let versions = |it: &Record| {
            let versions = it.versions.iter();
            versions
                .map(|it| (it.number, it.fingerprint.is_some()))
                .collect()
        };
        records
            .iter()
            .map(|it| (it.name.clone(), versions(it)))
            .collect()
    }

    #[test]
    fn objects_become_one_record_a_key() {
        type Told<'a> = &'a [(&'a str, &'a [(u32, bool)])];
        let cases: &[(&[(u32, &str)], Told<'_>)] = &[
            (&[], &[("db", &[])]),
            (
                &[(1, "?"), (2, "plain")],
                &[("db", &[(1, false), (2, true)])],
            ),
            (&[(1, "{not json")], &[("db", &[(1, true)])]),
            (&[(1, "{}")], &[("db", &[(1, true)])]),
            (&[(1, "{\"a\": 1} x")], &[("db", &[(1, true)])]),
            (
                &[
                    (1, "{\"a\": \"x\"}"),
                    (2, "{\"a\": \"y\", \"b\": {\"c\": 1}}"),
                ],
                &[("db#a", &[(1, true), (2, true)]), ("db#b", &[(2, true)])],
            ),
            // The key was taken away: what it held is not current.
            (
                &[(1, "{\"a\": \"x\", \"b\": \"z\"}"), (2, "{\"b\": \"z\"}")],
                &[
                    ("db#a", &[(1, true), (2, false)]),
                    ("db#b", &[(1, true), (2, true)]),
                ],
            ),
            (
                &[(1, "plain"), (2, "{\"a\": \"x\"}"), (3, "?")],
                &[
                    ("db", &[(1, true), (2, false), (3, false)]),
                    ("db#a", &[(2, true), (3, false)]),
                ],
            ),
        ];
        for (revisions, expected) in cases {
            let expected: Vec<(String, Vec<(u32, bool)>)> = expected
                .iter()
                .map(|(name, versions)| ((*name).to_owned(), versions.to_vec()))
                .collect();
            assert_eq!(told(revisions), expected, "{revisions:?}");
        }
    }

    #[test]
    fn dates_number_what_has_no_number() {
        type Case<'a> = (&'a [(Option<i64>, bool)], &'a [(u32, Option<i64>)]);
        let cases: &[Case<'_>] = &[
            (&[(None, true)], &[(1, None)]),
            (
                &[(Some(200), true), (Some(100), false)],
                &[(100, Some(100)), (200, Some(200))],
            ),
            (
                &[(Some(100), false), (Some(100), false)],
                &[(100, Some(100)), (101, Some(100))],
            ),
            // A version that is not current yet, or no longer after a roll-back.
            (
                &[(Some(100), true), (Some(200), false)],
                &[(200, Some(200)), (201, Some(100))],
            ),
            (&[(Some(-5), true)], &[(1, Some(-5))]),
        ];
        for (versions, expected) in cases {
            let versions = versions.iter().map(|(at, is)| (*at, *is, Held::Unknown));
            let found: Vec<_> = dated(versions.collect())
                .iter()
                .map(|it| (it.number, it.created))
                .collect();
            assert_eq!(&found, expected);
        }
    }
}
