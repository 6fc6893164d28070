//! What logs say of who read what, noted with the records there are: a pure function of both.
//!
//! Nothing here touches the store, and no record is made. A read within the span that is known of its accessor
//! is taken for known, so that the same log twice, or one that overlaps, counts nothing twice.

use crate::inventory::merge::Estate;
use crate::model::access::{Access, Reading};
use crate::model::record::Record;
use crate::model::reference::SecretName;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most accessors kept of a record: those who read it last.
const KEPT: usize = 50;

/// What evidence changed.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Noted {
    /// Reads of known records.
    pub known: usize,
    /// Names of records of which anything changed, sorted.
    pub changed: Vec<String>,
    /// Reads of what no record is called, by the likeliest name.
    pub unknown: BTreeMap<String, usize>,
}

/// Provider and path.
type Address = (String, String);

fn address(name: &SecretName) -> Address {
    (
        name.provider.clone(),
        name.path.trim_matches('/').to_owned(),
    )
}

/// Notes readings in the estate.
pub(super) fn note(estate: &mut Estate, readings: &[Reading]) -> Noted {
    let mut by_address: HashMap<Address, Vec<String>> = HashMap::new();
    for (name, known) in estate.iter() {
        let address = address(&known.record.secret);
        by_address.entry(address).or_default().push(name.clone());
    }
    let (mut noted, mut changed) = (Noted::default(), BTreeSet::new());
    for reading in readings {
        let found = records(reading, estate, &by_address);
        if found.is_empty() {
            let name = reading.names.first().map(ToString::to_string);
            *noted.unknown.entry(name.unwrap_or_default()).or_default() += reading.times.len();
            continue;
        }
        noted.known += reading.times.len();
        for name in found {
            if let Some(known) = estate.get_mut(&name)
                && add(&mut known.record, reading)
            {
                changed.insert(name);
            }
        }
    }
    noted.changed = changed.into_iter().collect();
    noted
}

/// The records of the first name that has any: who reads an object reads each of its keys.
fn records(
    reading: &Reading,
    estate: &Estate,
    by_address: &HashMap<Address, Vec<String>>,
) -> Vec<String> {
    let agrees = |name: &SecretName, record: &str| {
        let scope = estate.get(record).map(|it| it.record.secret.scope.as_str());
        scope.is_some_and(|it| it.is_empty() || name.scope.is_empty() || it == name.scope)
    };
    let mut found = reading.names.iter().map(|name| {
        let records = by_address.get(&address(name)).into_iter().flatten();
        let records = records.filter(|it| agrees(name, it));
        records.cloned().collect::<Vec<_>>()
    });
    found.find(|it| !it.is_empty()).unwrap_or_default()
}

/// Adds the reads that are not known yet; says whether anything changed.
fn add(record: &mut Record, reading: &Reading) -> bool {
    let before = (record.accesses.clone(), record.accessed);
    let known = record.accesses.iter_mut().find(|it| it.by == reading.by);
    match known {
        Some(access) => widen(access, &reading.times),
        None => record.accesses.extend(fresh(reading)),
    }
    let order = |a: &Access, b: &Access| b.last.cmp(&a.last).then_with(|| a.by.cmp(&b.by));
    record.accesses.sort_by(order);
    record.accesses.truncate(KEPT);
    // A store that tells the day of the last access says midnight: what was later that day is newer.
    let last = reading.times.iter().copied().max();
    if last > record.accessed {
        record.accessed = last;
        record.accessed_by = Some(reading.by.clone());
    }
    before != (record.accesses.clone(), record.accessed)
}

fn fresh(reading: &Reading) -> Option<Access> {
    Some(Access {
        by: reading.by.clone(),
        first: reading.times.iter().copied().min()?,
        last: reading.times.iter().copied().max()?,
        count: u32::try_from(reading.times.len()).unwrap_or(u32::MAX),
    })
}

fn widen(access: &mut Access, times: &[i64]) {
    let span = access.first..=access.last;
    for time in times.iter().filter(|it| !span.contains(it)) {
        access.count = access.count.saturating_add(1);
        access.first = access.first.min(*time);
        access.last = access.last.max(*time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::merge::Known;

    fn estate(names: &[(&str, SecretName)]) -> Estate {
        let known = |(name, secret): &(&str, SecretName)| {
            let record = Record {
                name: (*name).to_owned(),
                secret: secret.clone(),
                ..Record::default()
            };
            let known = Known {
                record,
                ..Known::default()
            };
            ((*name).to_owned(), known)
        };
        names.iter().map(known).collect()
    }

    fn db() -> Estate {
        let object = SecretName::new("vault", "kv/db");
        estate(&[
            ("kv/db#login", object.clone().with_key("login")),
            ("kv/db#password", object.with_key("password")),
            ("kv/mail", SecretName::new("vault", "kv/mail")),
        ])
    }

    fn reading(path: &str, by: &str, times: &[i64]) -> Reading {
        Reading {
            names: vec![SecretName::new("vault", path)],
            by: by.to_owned(),
            times: times.to_vec(),
        }
    }

    fn told(estate: &Estate, name: &str) -> (Option<i64>, Option<String>, Vec<String>) {
        let record = &estate[name].record;
        let line = |it: &Access| format!("{} {} {}-{}", it.by, it.count, it.first, it.last);
        let lines = record.accesses.iter().map(line).collect();
        (record.accessed, record.accessed_by.clone(), lines)
    }

    #[test]
    fn each_key_of_an_object_is_read_and_nothing_twice() {
        let mut estate = db();
        let log = [
            reading("kv/db", "ann", &[10, 20, 30]),
            reading("kv/db", "web", &[25]),
            reading("kv/none", "ann", &[5, 6]),
        ];
        let noted = note(&mut estate, &log);
        assert_eq!(noted.known, 4);
        assert_eq!(noted.changed, ["kv/db#login", "kv/db#password"]);
        assert_eq!(
            noted.unknown,
            BTreeMap::from([("vault:kv/none".to_owned(), 2)])
        );
        let lines = vec!["ann 3 10-30".to_owned(), "web 1 25-25".to_owned()];
        let expected = (Some(30), Some("ann".to_owned()), lines);
        assert_eq!(told(&estate, "kv/db#login"), expected);
        assert_eq!(told(&estate, "kv/mail"), (None, None, Vec::new()));
        let before = estate.clone();
        assert!(note(&mut estate, &log).changed.is_empty());
        assert_eq!(estate, before, "the same log twice");
    }

    #[test]
    fn logs_may_come_in_any_order_and_overlap() {
        let logs = [&[10, 20][..], &[20, 30], &[30, 40]];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut estate = db();
            for index in order {
                note(&mut estate, &[reading("kv/mail", "ann", logs[index])]);
            }
            let lines = vec!["ann 4 10-40".to_owned()];
            let expected = (Some(40), Some("ann".to_owned()), lines);
            assert_eq!(told(&estate, "kv/mail"), expected, "{order:?}");
        }
    }

    #[test]
    fn older_evidence_does_not_overwrite_newer() {
        let mut estate = db();
        estate.get_mut("kv/mail").unwrap().record.accessed = Some(100);
        note(&mut estate, &[reading("kv/mail", "ann", &[90])]);
        assert_eq!(
            told(&estate, "kv/mail"),
            (Some(100), None, vec!["ann 1 90-90".to_owned()])
        );
        note(&mut estate, &[reading("kv/mail", "bo", &[110])]);
        note(&mut estate, &[reading("kv/mail", "ann", &[105])]);
        let (accessed, by, lines) = told(&estate, "kv/mail");
        assert_eq!((accessed, by.as_deref()), (Some(110), Some("bo")));
        assert_eq!(lines, ["bo 1 110-110", "ann 2 90-105"]);
    }

    #[test]
    fn the_list_is_bounded_and_stays_the_same() {
        let mut estate = db();
        let log: Vec<Reading> = (0..80)
            .map(|it| reading("kv/mail", &format!("p{it}"), &[i64::from(it)]))
            .collect();
        note(&mut estate, &log);
        let lines = told(&estate, "kv/mail").2;
        assert_eq!((lines.len(), lines[0].as_str()), (KEPT, "p79 1 79-79"));
        let before = estate.clone();
        note(&mut estate, &log);
        assert_eq!(estate, before);
    }

    #[test]
    fn scopes_and_further_names_decide() {
        let name =
            |path: &str, scope: &str| SecretName::new("aws-secretsmanager", path).within(scope);
        let mut estate = estate(&[
            ("one", name("db", "1/eu")),
            ("two", name("db", "2/eu")),
            ("any", name("mail-backup", "")),
        ]);
        let read = |names: &[SecretName]| Reading {
            names: names.to_vec(),
            by: "ann".to_owned(),
            times: vec![1],
        };
        let log = [
            read(&[name("db", "2/eu")]),
            read(&[name("mail", "1/eu"), name("mail-backup", "1/eu")]),
            read(&[name("db", "3/eu")]),
        ];
        let noted = note(&mut estate, &log);
        assert_eq!(noted.changed, ["any", "two"]);
        assert_eq!(noted.unknown.len(), 1);
    }
}
