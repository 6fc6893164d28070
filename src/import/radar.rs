//! The index that HashiCorp Vault Radar makes of a store: JSON Lines with one entry for each field and version,
//! <https://developer.hashicorp.com/hcp/docs/vault-radar/cli/index/vault>.
//!
//! It tells hashes under a salt of its own, which cannot be compared with anything here; they are left out.

use crate::import::intake::{Error, Intake};
use crate::import::provider::canonical;
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use std::collections::BTreeMap;

pub(super) const HELP: &str =
    "the index of Vault Radar: `vault-radar index vault --outfile FILE`, as JSON Lines";

pub(super) const EXAMPLE: &str = r#"{"value_hash": "0f3c9a", "secret_key": "password", "secret_type": "kv_v2", "secret_age_days": 40, "location": "vault://vault.example:8200/v1/kv/data/shop/db?version=1"}
{"value_hash": "77aa10", "secret_key": "password", "secret_type": "kv_v2", "secret_age_days": 3, "location": "vault://vault.example:8200/v1/kv/data/shop/db?version=2"}
{"value_hash": "be1200", "secret_key": "token", "secret_type": "kv_v2", "secret_age_days": 3, "location": "vault://vault.example:8200/v1/team/pay/kv/data/mail?version=1"}
{"value_hash": "be1211", "secret_type": "aws_parameter_store", "secret_age_days": 9, "location": "aws-parameter-store://eu-west-1/shop/db"}
"#;

const HINT: &str = "make it with `vault-radar index vault --outfile index.jsonl`";
const DAY: i64 = 86_400;

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    let mut records: BTreeMap<String, Record> = BTreeMap::new();
    let mut n_hashes = 0;
    for (line, entry) in &documents {
        let Some(mut record) = entry
            .text_at(&["location"])
            .and_then(|it| record(entry, it, intake))
        else {
            let what = format!("the entry at line {line} has no `location` that can be read");
            return Err(intake.shape(what, HINT));
        };
        n_hashes += usize::from(entry.member("value_hash").is_some());
        record.source_line = Some(*line);
        let known = records
            .entry(record.name.clone())
            .or_insert_with(|| Record {
                versions: Vec::new(),
                ..record.clone()
            });
        known.versions.extend(record.versions);
    }
    if documents.is_empty() {
        return Err(intake.shape("the index is empty", HINT));
    }
    for mut record in records.into_values() {
        record.versions.sort_by_key(|it| it.number);
        record.versions.dedup_by_key(|it| it.number);
        record.created = record.versions.first().and_then(|it| it.created);
        record.rotated = record.versions.last().and_then(|it| it.created);
        intake.emit(record);
    }
    if n_hashes > 0 {
        intake.skip(&format!(
            "{n_hashes} hashes: made under another key, they cannot be compared; import the store itself for values"
        ));
    }
    Ok(())
}

fn record(entry: &Tree, location: &str, intake: &Intake<'_>) -> Option<Record> {
    let (scheme, rest) = location.split_once("://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = place.split_once('/')?;
    let version = query.split('&').find_map(|it| it.strip_prefix("version="));
    let number = version.and_then(|it| it.parse().ok()).unwrap_or(1);
    let (scope, path) = match scheme {
        "vault" => named(path.strip_prefix("v1/").unwrap_or(path)),
        _ => (String::new(), path.to_owned()),
    };
    let mut secret = canonical(scheme, &scope, &path);
    secret.key = entry.text_at(&["secret_key"]).map(str::to_owned);
    let mut name = match scope.as_str() {
        "" => path,
        scope => format!("{scope}/{path}"),
    };
    if let Some(key) = &secret.key {
        name = format!("{name}#{key}");
    }
    let age = entry
        .text_at(&["secret_age_days"])
        .and_then(|it| it.parse::<i64>().ok());
    let made = intake
        .options()
        .exported
        .zip(age.filter(|it| (0..100_000).contains(it)));
    let mut record = Record {
        name,
        secret,
        versions: vec![Version {
            number,
            created: made.map(|(at, age)| at - at.rem_euclid(DAY) - age * DAY),
            fingerprint: None,
            veil: None,
        }],
        ..Record::default()
    };
    record.tags.insert("host".to_owned(), host.to_owned());
    if let Some(kind) = entry.text_at(&["secret_type"]) {
        record.tags.insert("type".to_owned(), kind.to_owned());
    }
    Some(record)
}

/// Namespace and path: KV v2 has `data` behind the mount, and what stands before the mount is the namespace.
fn named(path: &str) -> (String, String) {
    let Some((mount, rest)) = path.split_once("/data/") else {
        return (String::new(), path.to_owned());
    };
    let (namespace, mount) = mount.rsplit_once('/').unwrap_or(("", mount));
    (namespace.to_owned(), format!("{mount}/{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::{Options, tried};
    use crate::model::reference::SecretName;

    #[test]
    fn entries_become_versions_and_hashes_are_left_out() {
        let (records, totals) = tried(read, "index.jsonl", EXAMPLE.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            ["kv/shop/db#password", "shop/db", "team/pay/kv/mail#token"]
        );
        let numbers: Vec<_> = records[0].versions.iter().map(|it| it.number).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!(records[1].secret, SecretName::new("aws-ssm", "shop/db"));
        assert_eq!(
            records[2].secret,
            SecretName::new("vault", "kv/mail")
                .within("team/pay")
                .with_key("token")
        );
        assert!(totals.skipped[0].contains("4 hashes"), "{totals:?}");
        assert_eq!(totals.values, 0);
        for text in ["", "{}", r#"{"location": "kv/shop"}"#] {
            assert!(tried(read, "x", text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn ages_become_dates_where_it_is_known_when_the_index_was_made() {
        let options = Options {
            exported: Some(1_772_366_400),
            ..Options::default()
        };
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new("x", None, &options, &mut keep);
        let input = Input {
            name: "x".to_owned(),
            bytes: EXAMPLE.as_bytes().to_vec().into(),
        };
        read(&input, &mut intake).unwrap();
        let day = 1_772_323_200;
        assert_eq!(records[0].rotated, Some(day - 3 * DAY));
        assert_eq!(records[0].created, Some(day - 40 * DAY));
    }
}
