//! What an import makes of the records known before: a pure function of both.
//!
//! Nothing here touches the store. The rules: history is never lost, an import speaks for its own source
//! only, and the same import twice changes nothing.

use crate::model::fingerprint::Fingerprint;
use crate::model::record::{Record, Version};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What an import changed.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Merge {
    /// Names that were not known, or were gone.
    pub added: Vec<String>,
    /// Names of which anything but the place in the source changed.
    pub changed: Vec<String>,
    /// How many records were as before.
    pub unchanged: usize,
    /// Names that no source has any more.
    pub gone: Vec<String>,
}

/// A record and the sources that have it.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Known {
    pub(super) record: Record,
    pub(super) sources: BTreeSet<String>,
}

/// All records by name.
pub(super) type Estate = BTreeMap<String, Known>;

/// Who speaks about a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// The source that it came from: its word replaces what it said before.
    Own,
    /// Another: it fills what is missing.
    Other,
}

/// The provider, scope and path of an object, whichever of its keys is meant.
type Object = (String, String, String);

fn object(record: &Record) -> Object {
    let name = &record.secret;
    (name.provider.clone(), name.scope.clone(), name.path.clone())
}

/// Puts an import into the estate; `now` is when a change without a date of its own is said to have been.
pub(super) fn import(estate: &mut Estate, incoming: Vec<Record>, source: &str, now: i64) -> Merge {
    let before = estate.clone();
    let mut touched = BTreeSet::new();
    for mut record in spread(estate, incoming, source) {
        rename(estate, &mut record, source);
        let again = !touched.insert(record.name.clone());
        put(estate, record, source, again, now);
    }
    retire(estate, &touched, source);
    compare(&before, estate, &touched)
}

/// An import of names alone knows objects, not their keys; it speaks for all keys known before.
fn spread(estate: &Estate, incoming: Vec<Record>, source: &str) -> Vec<Record> {
    let mut keys: BTreeMap<Object, Vec<&Record>> = BTreeMap::new();
    for known in estate.values() {
        if known.record.secret.key.is_some() && known.sources.contains(source) {
            keys.entry(object(&known.record))
                .or_default()
                .push(&known.record);
        }
    }
    let mut spread = Vec::new();
    for record in incoming {
        let siblings = keys
            .get(&object(&record))
            .filter(|_| record.secret.key.is_none());
        match siblings {
            None => spread.push(record),
            Some(siblings) => spread.extend(siblings.iter().map(|it| Record {
                name: it.name.clone(),
                secret: it.secret.clone(),
                kind: record.kind.or(it.kind),
                ..record.clone()
            })),
        }
    }
    spread
}

/// Keeps apart what only shares a name: the plain name goes to the first, the canonical name or the place
/// in its source to those that come later.
fn rename(estate: &Estate, record: &mut Record, source: &str) {
    let placed = placed(record, source);
    let canonical = match is_local(record) {
        true => placed.clone(),
        false => record.secret.to_string(),
    };
    let names = [record.name.clone(), canonical, placed];
    let free = names.into_iter().find(|name| {
        estate
            .get(name)
            .is_none_or(|known| is_same(known, record, source))
    });
    record.name = free.unwrap_or_else(|| format!("{source}#{}", record.secret));
}

/// The names of these providers hold only within the file they stand in.
const LOCAL: &[&str] = &["ansible-vault", "env", "file", "sops", "terraform"];

fn is_local(record: &Record) -> bool {
    LOCAL.contains(&record.secret.provider.as_str())
}

/// A name that begins with the place it was read from.
fn placed(record: &Record, source: &str) -> String {
    let (path, key) = (record.secret.path.as_str(), record.secret.key.as_deref());
    let file = match record.source.as_str() {
        "" => source,
        file => file,
    };
    match key.filter(|_| is_local(record)) {
        Some(key) if file.ends_with(path) => format!("{file}#{key}"),
        Some(key) => format!("{file}#{path}#{key}"),
        None => format!("{file}#{path}"),
    }
}

/// Whether a known record is the same thing: not one of another provider or scope, and not another
/// file's variable.
fn is_same(known: &Known, record: &Record, source: &str) -> bool {
    let (old, new) = (&known.record.secret, &record.secret);
    let scopes_differ = !old.scope.is_empty() && !new.scope.is_empty() && old.scope != new.scope;
    let other_file =
        is_local(record) && !known.sources.is_empty() && !known.sources.contains(source);
    old.provider == new.provider && !scopes_differ && !other_file
}

fn put(estate: &mut Estate, mut record: Record, source: &str, again: bool, now: i64) {
    // A file of the folder that is imported stays named.
    let is_within = record.source.strip_prefix(source);
    if !is_within.is_some_and(|it| it.starts_with('/')) {
        source.clone_into(&mut record.source);
    }
    record.gone = false;
    let known = estate.entry(record.name.clone()).or_default();
    let is_new = known.record.name.is_empty();
    let alone = known.sources.iter().all(|it| it == source);
    let voice = if alone && !again {
        Voice::Own
    } else {
        Voice::Other
    };
    known.record = if is_new {
        record
    } else {
        merged(&known.record, record, voice, now)
    };
    known.sources.insert(source.to_owned());
}

/// What the source no longer has loses it; what has no source left is gone, but remembered.
fn retire(estate: &mut Estate, touched: &BTreeSet<String>, source: &str) {
    let objects: HashSet<Object> = touched
        .iter()
        .filter_map(|it| estate.get(it))
        .filter(|it| it.record.secret.key.is_some())
        .map(|it| object(&it.record))
        .collect();
    estate.retain(|name, known| {
        if touched.contains(name) || !known.sources.remove(source) || !known.sources.is_empty() {
            return true;
        }
        known.record.gone = true;
        // Known by its name alone before, and by its keys now: it is still there.
        known.record.secret.key.is_some() || !objects.contains(&object(&known.record))
    });
}

fn compare(before: &Estate, after: &Estate, touched: &BTreeSet<String>) -> Merge {
    let mut merge = Merge::default();
    for (name, known) in after {
        let old = before.get(name).map(|it| &it.record);
        match old {
            _ if !touched.contains(name) => {
                if known.record.gone && old.is_some_and(|it| !it.gone) {
                    merge.gone.push(name.clone());
                }
            }
            Some(old) if !old.gone => {
                if says_the_same(old, &known.record) {
                    merge.unchanged += 1;
                } else {
                    merge.changed.push(name.clone());
                }
            }
            _ => merge.added.push(name.clone()),
        }
    }
    merge
}

fn says_the_same(old: &Record, new: &Record) -> bool {
    let mut old = old.clone();
    old.source_line = new.source_line;
    // What is kept of a value besides its fingerprint tells nothing new of the record.
    for (old, new) in old.versions.iter_mut().zip(&new.versions) {
        old.veil.clone_from(&new.veil);
    }
    old == *new
}

fn merged(old: &Record, new: Record, voice: Voice, now: i64) -> Record {
    let (versions, changed) = versions(&old.versions, &new.versions, new.rotated, now);
    let mut record = match voice {
        Voice::Own => own(old, new),
        Voice::Other => other(old, new),
    };
    record.rotated = changed.max(record.rotated).or(old.rotated);
    record.versions = versions;
    record
}

fn own(old: &Record, mut new: Record) -> Record {
    let has_value = new
        .versions
        .last()
        .is_some_and(|it| it.fingerprint.is_some());
    if !has_value {
        // The end of a certificate and the kind of a value are read from the value.
        new.expires = new.expires.or(old.expires);
        new.kind = new.kind.or(old.kind);
    }
    new.created = new.created.or(old.created);
    new.accesses.clone_from(&old.accesses);
    if new.accessed <= old.accessed {
        new.accessed = old.accessed;
        new.accessed_by = new.accessed_by.or_else(|| old.accessed_by.clone());
    }
    new
}

fn other(old: &Record, new: Record) -> Record {
    let mut record = old.clone();
    record.gone = false;
    join(&mut record.owners, new.owners);
    join(&mut record.readers, new.readers);
    for (name, text) in new.tags {
        record.tags.entry(name).or_insert(text);
    }
    if new.accessed > record.accessed {
        record.accessed = new.accessed;
        record.accessed_by = new.accessed_by;
    }
    if record.secret.scope.is_empty() {
        record.secret.scope = new.secret.scope;
    }
    record.environment = record.environment.or(new.environment);
    record.created = record.created.or(new.created);
    record.rotated = record.rotated.max(new.rotated);
    record.expires = record.expires.or(new.expires);
    record.rotation_days = record.rotation_days.or(new.rotation_days);
    record.kind = record.kind.or(new.kind);
    record.dynamic |= new.dynamic;
    record
}

/// Adds the names that are not there yet.
fn join(names: &mut Vec<String>, more: Vec<String>) {
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// Joins histories; the second part is when the value changed, if this import is the first to show it.
fn versions(
    old: &[Version],
    new: &[Version],
    rotated: Option<i64>,
    now: i64,
) -> (Vec<Version>, Option<i64>) {
    match (old, new) {
        (_, []) => (old.to_vec(), None),
        ([], _) => (new.to_vec(), None),
        // A store that does not count its versions shows one, without a date.
        (_, [only]) if only.number == 1 && only.created.is_none() => {
            uncounted(old, only, rotated, now)
        }
        _ => (counted(old, new), None),
    }
}

fn uncounted(
    old: &[Version],
    only: &Version,
    rotated: Option<i64>,
    now: i64,
) -> (Vec<Version>, Option<i64>) {
    let mut versions = old.to_vec();
    let (Some(value), Some(last)) = (only.fingerprint, versions.last_mut()) else {
        return (versions, None);
    };
    match last.fingerprint {
        Some(known) if known == value => {
            last.veil = only.veil.clone().or(last.veil.take());
            (versions, None)
        }
        None => {
            last.fingerprint = Some(value);
            last.veil.clone_from(&only.veil);
            (versions, None)
        }
        Some(_) => {
            let created = rotated.filter(|it| Some(*it) > last.created).unwrap_or(now);
            let number = last.number.saturating_add(1);
            versions.push(Version {
                number,
                created: Some(created),
                fingerprint: Some(value),
                veil: only.veil.clone(),
            });
            (versions, Some(created))
        }
    }
}

/// The provider's count stands. Values of an earlier count (the object was deleted and made anew) are
/// kept in front, under number 0: they may still lie about somewhere.
fn counted(old: &[Version], new: &[Version]) -> Vec<Version> {
    let newest = new.iter().map(|it| it.number).max().unwrap_or(0);
    let mut joined: BTreeMap<u32, Version> = new.iter().map(|it| (it.number, it.clone())).collect();
    let mut former: Vec<Version> = Vec::new();
    for version in old {
        match joined.get_mut(&version.number) {
            _ if version.number == 0 || version.number > newest => former.push(version.clone()),
            None => {
                joined.insert(version.number, version.clone());
            }
            Some(same) => {
                if same.fingerprint.is_some()
                    && version.fingerprint.is_some()
                    && same.fingerprint != version.fingerprint
                {
                    former.push(version.clone());
                } else {
                    same.fingerprint = same.fingerprint.or(version.fingerprint);
                    same.veil = same.veil.take().or_else(|| version.veil.clone());
                    same.created = same.created.or(version.created);
                }
            }
        }
    }
    let mut seen: HashSet<Fingerprint> = joined.values().filter_map(|it| it.fingerprint).collect();
    former.retain(|it| it.fingerprint.is_some_and(|it| seen.insert(it)));
    former.iter_mut().for_each(|it| it.number = 0);
    former.extend(joined.into_values());
    former
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reference::SecretName;

    fn print(of: u8) -> Option<Fingerprint> {
        (of > 0).then(|| Fingerprint::from_bytes([of; 32]))
    }

    /// `(number, created, value)`; 0 stands for "not told".
    fn version((number, created, value): (u32, i64, u8)) -> Version {
        Version {
            number,
            created: (created > 0).then_some(created),
            fingerprint: print(value),
            veil: None,
        }
    }

    fn record(path: &str, key: Option<&str>, versions: &[(u32, i64, u8)]) -> Record {
        let secret = SecretName {
            key: key.map(str::to_owned),
            ..SecretName::new("vault", path)
        };
        Record {
            name: key.map_or(path.to_owned(), |key| format!("{path}#{key}")),
            secret,
            versions: versions.iter().copied().map(version).collect(),
            ..Record::default()
        }
    }

    type Told = &'static [(u32, i64, u8)];

    #[test]
    fn what_lies_in_files_of_one_name_is_kept_apart() {
        let mut estate = Estate::new();
        for round in 0..2 {
            for source in ["a/web.pem", "b/web.pem", "c"] {
                let mut key = record("web.pem", Some("key"), &[(1, 0, 1)]);
                key.secret.provider = "file".to_owned();
                key.source = match source {
                    "c" => "c/web.pem".to_owned(),
                    file => file.to_owned(),
                };
                let merge = import(&mut estate, vec![key], source, 1);
                assert_eq!(merge.added.len(), usize::from(round == 0), "{source}");
                assert_eq!(merge.unchanged, round, "{source}");
            }
        }
        let names: Vec<_> = estate.keys().map(String::as_str).collect();
        assert_eq!(names, ["b/web.pem#key", "c/web.pem#key", "web.pem#key"]);
        assert_eq!(estate["c/web.pem#key"].record.source, "c/web.pem");
    }

    #[test]
    fn histories_are_joined_and_never_lost() {
        let cases: &[(&str, Told, Told, Told)] = &[
            ("first value", &[], &[(1, 0, 1)], &[(1, 0, 1)]),
            ("nothing told", &[(1, 0, 1)], &[], &[(1, 0, 1)]),
            ("same value", &[(1, 0, 1)], &[(1, 0, 1)], &[(1, 0, 1)]),
            (
                "changed, uncounted",
                &[(1, 0, 1)],
                &[(1, 0, 2)],
                &[(1, 0, 1), (2, 500, 2)],
            ),
            (
                "changed back",
                &[(1, 0, 1), (2, 5, 2)],
                &[(1, 0, 1)],
                &[(1, 0, 1), (2, 5, 2), (3, 500, 1)],
            ),
            (
                "names only afterwards",
                &[(1, 0, 1)],
                &[(1, 0, 0)],
                &[(1, 0, 1)],
            ),
            (
                "value learned later",
                &[(1, 0, 0)],
                &[(1, 0, 1)],
                &[(1, 0, 1)],
            ),
            (
                "counted by the provider",
                &[(1, 5, 1)],
                &[(1, 5, 1), (2, 6, 2)],
                &[(1, 5, 1), (2, 6, 2)],
            ),
            (
                "old versions cut off",
                &[(1, 5, 1), (2, 6, 2)],
                &[(2, 6, 2), (3, 7, 3)],
                &[(1, 5, 1), (2, 6, 2), (3, 7, 3)],
            ),
            (
                "values not told again",
                &[(1, 5, 1), (2, 6, 2)],
                &[(1, 5, 0), (2, 6, 0)],
                &[(1, 5, 1), (2, 6, 2)],
            ),
            (
                "count began again",
                &[(1, 5, 1), (2, 6, 2)],
                &[(1, 9, 3)],
                &[(0, 5, 1), (0, 6, 2), (1, 9, 3)],
            ),
            (
                "and once more",
                &[(0, 5, 1), (1, 9, 3)],
                &[(1, 9, 3)],
                &[(0, 5, 1), (1, 9, 3)],
            ),
        ];
        for (what, old, new, expected) in cases {
            let list = |it: Told| it.iter().copied().map(version).collect::<Vec<_>>();
            let (joined, _) = versions(&list(old), &list(new), None, 500);
            assert_eq!(joined, list(expected), "{what}");
            let (again, changed) = versions(&joined, &list(new), None, 900);
            assert_eq!(
                (again, changed),
                (joined, None),
                "{what}: the same import again"
            );
        }
    }

    #[test]
    fn the_same_import_twice_changes_nothing() {
        let list = vec![
            record("kv/a", Some("p"), &[(1, 5, 1), (2, 6, 2)]),
            record("kv/b", None, &[]),
            record("kv/c", Some("p"), &[(1, 0, 3)]),
        ];
        let mut estate = Estate::new();
        let first = import(&mut estate, list.clone(), "s", 100);
        assert_eq!(first.added, ["kv/a#p", "kv/b", "kv/c#p"]);
        let before = estate.clone();
        let second = import(&mut estate, list, "s", 200);
        assert_eq!(
            (second.unchanged, second.added.len(), second.changed.len()),
            (3, 0, 0)
        );
        assert_eq!(estate, before);
    }

    #[test]
    fn a_changed_value_is_a_rotation() {
        let mut estate = Estate::new();
        import(&mut estate, vec![record("a", None, &[(1, 0, 1)])], "s", 100);
        let merge = import(&mut estate, vec![record("a", None, &[(1, 0, 2)])], "s", 200);
        assert_eq!(merge.changed, ["a"]);
        assert_eq!(estate["a"].record.rotated, Some(200));
        import(&mut estate, vec![record("a", None, &[(1, 0, 2)])], "s", 300);
        assert_eq!(
            estate["a"].record.rotated,
            Some(200),
            "known from the earlier import"
        );
    }

    #[test]
    fn what_its_source_lost_is_gone_and_comes_back() {
        let mut estate = Estate::new();
        let both = || vec![record("a", None, &[(1, 0, 1)]), record("b", None, &[])];
        import(&mut estate, both(), "s", 1);
        import(&mut estate, vec![record("b", None, &[])], "other", 2);
        let merge = import(&mut estate, vec![], "s", 3);
        assert_eq!(merge.gone, ["a"], "another source still has b");
        assert!(estate["a"].record.gone && !estate["b"].record.gone);
        assert_eq!(estate["a"].record.versions.len(), 1, "gone, but remembered");
        assert!(
            import(&mut estate, vec![], "s", 4).gone.is_empty(),
            "told once"
        );
        assert_eq!(import(&mut estate, both(), "s", 5).added, ["a"]);
        assert!(!estate["a"].record.gone);
    }

    #[test]
    fn another_source_fills_gaps_and_replaces_nothing() {
        let mut estate = Estate::new();
        let mut first = record("a", None, &[(1, 5, 1)]);
        first.owners = vec!["ann".to_owned()];
        first.readers = vec!["zoe".to_owned()];
        import(&mut estate, vec![first], "vault", 1);
        let mut second = record("a", None, &[]);
        second.owners = vec!["bob".to_owned(), "ann".to_owned()];
        second.readers = vec!["zoe".to_owned(), "ops".to_owned()];
        second.rotation_days = Some(90);
        import(&mut estate, vec![second], "sheet", 2);
        let known = &estate["a"];
        assert_eq!(known.record.owners, ["ann", "bob"]);
        assert_eq!(known.record.readers, ["zoe", "ops"]);
        assert_eq!(known.record.rotation_days, Some(90));
        assert_eq!(known.record.source, "vault");
        assert_eq!(known.record.versions.len(), 1);
        assert_eq!(known.sources.len(), 2);
    }

    #[test]
    fn an_import_of_names_alone_speaks_for_the_keys_known_before() {
        let mut estate = Estate::new();
        let whole = || {
            vec![
                record("kv/a", Some("p"), &[(1, 5, 1)]),
                record("kv/a", Some("q"), &[(1, 5, 2)]),
            ]
        };
        import(&mut estate, whole(), "s", 1);
        let merge = import(
            &mut estate,
            vec![record("kv/a", None, &[(1, 5, 0)])],
            "s",
            2,
        );
        assert_eq!(
            (merge.unchanged, merge.gone.len(), estate.len()),
            (2, 0, 2),
            "{merge:?}"
        );
        assert_eq!(estate["kv/a#p"].record.versions[0].fingerprint, print(1));
    }

    #[test]
    fn keys_replace_the_object_known_by_name_alone() {
        let mut estate = Estate::new();
        import(&mut estate, vec![record("kv/a", None, &[])], "s", 1);
        let merge = import(
            &mut estate,
            vec![record("kv/a", Some("p"), &[(1, 5, 1)])],
            "s",
            2,
        );
        assert_eq!(
            (merge.added.len(), merge.gone.len(), estate.len()),
            (1, 0, 1),
            "{merge:?}"
        );
    }

    #[test]
    fn equal_names_of_different_things_are_kept_apart() {
        let mut estate = Estate::new();
        let other = |provider: &str, scope: &str| {
            let mut it = record("a/b", None, &[]);
            it.secret = SecretName::new(provider, "a/b").within(scope);
            it
        };
        import(&mut estate, vec![other("vault", "")], "s", 1);
        for _ in 0..2 {
            import(&mut estate, vec![other("kubernetes", "")], "t", 1);
            import(&mut estate, vec![other("env", "")], "one/.env", 1);
            import(&mut estate, vec![other("env", "")], "two/.env", 1);
        }
        let names: Vec<_> = estate.keys().collect();
        assert_eq!(
            names,
            ["a/b", "kubernetes:a/b", "one/.env#a/b", "two/.env#a/b"]
        );
    }

    #[test]
    fn one_variable_in_two_files_is_two_records() {
        let mut estate = Estate::new();
        let variable = |value| {
            let mut it = record("env/TOKEN", None, &[(1, 0, value)]);
            it.secret = SecretName::new("env", "TOKEN");
            it
        };
        for _ in 0..2 {
            import(&mut estate, vec![variable(1)], "one/.env", 1);
            import(&mut estate, vec![variable(2)], "two/.env", 1);
        }
        let names: Vec<_> = estate.keys().collect();
        assert_eq!(names, ["env/TOKEN", "two/.env#TOKEN"]);
        assert!(estate.values().all(|it| it.record.versions.len() == 1));
    }
}
