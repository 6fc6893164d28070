//! JSON with the names that the columns of a table have: an array of objects, JSON Lines, or an object with one
//! such array. What the names mean is the work of `csv.rs`.

use crate::import::csv;
use crate::import::intake::{Error, Intake};
use crate::import::rows::Row;
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use std::collections::HashMap;
use zeroize::Zeroizing;

pub(super) const HELP: &str =
    "an array of objects, or JSON Lines, with the names that `csv` has for its columns";

pub(super) const EXAMPLE: &str = r#"{"name": "kv/shop/db", "key": "password", "provider": "vault", "scope": "team", "environment": "production",
 "owner": ["ann", "team-shop"], "readers": "ops", "created": "2024-01-05", "rotated": "2025-11-30T08:00:00Z",
 "accessed": 1769904000, "accessed_by": "shop-api", "expires": "2027-01-01", "rotation_days": 90, "kind": "password",
 "dynamic": false, "value": "correct horse 71 battery", "value_hash": "0f3c", "tags": {"cost centre": "4711", "pci": true}}
{"name": "STRIPE_KEY", "provider": "github-actions", "value": "tok_example_5f0e3a9b", "region": null}
"#;

const HINT: &str = "give an array of objects such as {\"name\": \"kv/shop/db\", \"key\": \"password\", \"owner\": \"ann\", \"rotated\": \"2026-01-31\"}, or one a line";

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    let mut objects = Vec::new();
    for (line, document) in &documents {
        let list = document
            .members()
            .iter()
            .map(|(_, it)| it)
            .find(|it| is_list(it));
        match list
            .filter(|_| document.member("name").is_none() && document.member("path").is_none())
        {
            Some(list) => objects.extend(list.items().iter().map(|it| (*line, it))),
            None if document.is_map() => objects.push((*line, document)),
            None => objects.extend(document.items().iter().map(|it| (*line, it))),
        }
    }
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    if let Some(at) = objects.iter().position(|(_, it)| !it.is_map()) {
        return Err(intake.shape(format!("entry {} is no object", at + 1), HINT));
    }
    if objects.is_empty() {
        return Ok(());
    }
    csv::table(rows(&objects), intake)
}

/// A list of objects, as `{"records": [...]}` has one.
fn is_list(tree: &Tree) -> bool {
    tree.items().first().is_some_and(Tree::is_map)
}

/// A header with every name, and a row for each object.
fn rows(objects: &[(u32, &Tree)]) -> Vec<Row> {
    let mut columns: HashMap<&str, usize> = HashMap::new();
    let mut header = Row {
        line: 1,
        cells: Vec::new(),
    };
    for (name, _) in objects.iter().flat_map(|(_, it)| it.members()) {
        let next = columns.len();
        columns.entry(name).or_insert_with(|| {
            header.cells.push(Zeroizing::new(name.clone()));
            next
        });
    }
    let mut rows = vec![header];
    for (line, object) in objects {
        let mut cells = vec![Zeroizing::new(String::new()); columns.len()];
        for (name, value) in object.members() {
            if let Some(cell) = columns.get(name.as_str()).and_then(|it| cells.get_mut(*it)) {
                *cell = text(value, csv::holds_value(name));
            }
        }
        rows.push(Row { line: *line, cells });
    }
    rows
}

/// What a cell would hold: lists and tags as tables write them, values as they are.
fn text(tree: &Tree, is_value: bool) -> Zeroizing<String> {
    let joined = |parts: Vec<String>| Zeroizing::new(parts.join(";"));
    match tree {
        Tree::Null => Zeroizing::default(),
        Tree::Text(text) => text.clone(),
        Tree::List(items) if !is_value => joined(
            items
                .iter()
                .filter_map(Tree::text)
                .map(str::to_owned)
                .collect(),
        ),
        Tree::Map(members) if !is_value => {
            let pairs = members
                .iter()
                .filter_map(|(name, it)| Some(format!("{name}={}", it.text()?)));
            joined(pairs.collect())
        }
        Tree::List(_) | Tree::Map(_) => {
            let bytes = tree.value().unwrap_or_default();
            Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;
    use crate::model::fingerprint::Fingerprinter;
    use crate::model::rule::Kind;

    #[test]
    fn every_field_of_a_record_can_be_given() {
        let (records, totals) = tried(read, "x.json", EXAMPLE.as_bytes()).unwrap();
        let db = &records[0];
        assert_eq!(db.name, "kv/shop/db#password");
        assert_eq!(
            (db.secret.scope.as_str(), db.secret.provider.as_str()),
            ("team", "vault")
        );
        assert_eq!(db.environment.as_deref(), Some("production"));
        assert_eq!(db.owners, ["ann", "team-shop"]);
        assert_eq!(db.readers, ["ops"]);
        assert_eq!(
            (db.created, db.rotated),
            (Some(1_704_412_800), Some(1_764_489_600))
        );
        assert_eq!(
            (db.accessed, db.expires),
            (Some(1_769_904_000), Some(1_798_761_600))
        );
        assert_eq!(db.accessed_by.as_deref(), Some("shop-api"));
        assert_eq!(
            (db.rotation_days, db.kind, db.dynamic),
            (Some(90), Some(Kind::Password), false)
        );
        assert_eq!(
            (db.tags["cost centre"].as_str(), db.tags["pci"].as_str()),
            ("4711", "true")
        );
        let seal = Fingerprinter::new([3; 32]);
        let print = |at: usize| records[at].versions[0].fingerprint;
        assert_eq!(
            print(0),
            Some(seal.fingerprint(b"correct horse 71 battery"))
        );
        assert_eq!(print(1), Some(seal.fingerprint(b"tok_example_5f0e3a9b")));
        assert!(
            totals.skipped.iter().any(|it| it.contains("`value_hash`")),
            "{totals:?}"
        );
    }

    #[test]
    fn arrays_lines_and_wrappings_say_the_same() {
        for text in [
            r#"[{"name": "a"}, {"name": "b", "value": {"x": "y"}}]"#,
            "{\"name\": \"a\"}\n{\"name\": \"b\", \"value\": {\"x\": \"y\"}}\n",
            r#"{"version": 1, "records": [{"name": "a"}, {"name": "b", "value": {"x": "y"}}]}"#,
        ] {
            let (records, _) = tried(read, "x", text.as_bytes()).unwrap();
            let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names, ["a", "b"], "{text}");
            let print = Fingerprinter::new([3; 32]).fingerprint(br#"{"x":"y"}"#);
            assert_eq!(records[1].versions[0].fingerprint, Some(print), "{text}");
        }
        for text in [
            "",
            "[1]",
            r#"[{"x": "y"}]"#,
            r#"[{"name": "a", "rotated": "soon"}]"#,
        ] {
            assert!(tried(read, "x", text.as_bytes()).is_err(), "{text}");
        }
        assert!(tried(read, "x", b"[]").unwrap().0.is_empty());
    }
}
