//! From an owner's export into a store and back, with the library alone.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use keyatlas::import::{Importer, Options, read};
use keyatlas::inventory::Store;
use keyatlas::model::fingerprint::Fingerprint;
use keyatlas::model::input::Input;
use keyatlas::model::record::Record;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Values that the importers' examples hold, as they appear there or decoded.
const PLANTED: &[&str] = &[
    "correct horse 71 battery",
    "wrong donkey 17 capacitor",
    "tok_example_5f0e3a9b",
    "tok,example\"5f0e3a9b",
    "shop_service_login",
    "line one\nline two",
    "example key, not a real one 5f0e3a9b",
    "a chart with its values",
];

fn records(importer: Importer, name: &str, store: &Store) -> Vec<Record> {
    let input = Input {
        name: name.to_owned(),
        bytes: importer.example().as_bytes().to_vec().into(),
    };
    let mut records = Vec::new();
    let seal = store.fingerprinter();
    read(
        importer,
        &input,
        seal.as_ref(),
        &Options::default(),
        &mut |it| records.push(it),
    )
    .unwrap();
    records
}

/// Base64 of a value at each of the three places it can begin in a group, without the characters that
/// its neighbours share; hexadecimal too.
fn disguises(value: &[u8]) -> Vec<Vec<u8>> {
    let mut disguises = vec![
        value.to_vec(),
        data_encoding::HEXLOWER.encode(value).into_bytes(),
    ];
    for shift in 0..3 {
        let shifted = [&b"\0\0"[..shift], value].concat();
        let text = data_encoding::BASE64_NOPAD.encode(&shifted);
        let start = [0, 2, 3][shift];
        disguises.push(text.as_bytes()[start..text.len() - 2].to_vec());
    }
    disguises
}

fn all_fingerprints(records: &[Record]) -> BTreeSet<Fingerprint> {
    let versions = records.iter().flat_map(|it| &it.versions);
    versions.filter_map(|it| it.fingerprint).collect()
}

fn every_file(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(every_file(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn no_value_reaches_any_file() {
    let key = Importer::named("keystore").unwrap().example();
    let key = key.lines().nth(2).unwrap();
    let planted: Vec<_> = PLANTED
        .iter()
        .flat_map(|it| disguises(it.as_bytes()))
        .chain([key.as_bytes().to_vec()])
        .collect();
    let seen_in_examples = |value: &[u8]| {
        Importer::all().any(|it| memchr::memmem::find(it.example().as_bytes(), value).is_some())
    };
    let found = planted.iter().filter(|it| seen_in_examples(it)).count();
    assert!(found >= 6, "the examples hold what is looked for: {found}");

    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(
        &folder.path().join("data/inventory.db"),
        &folder.path().join("keys/key"),
    )
    .unwrap();
    let mut fingerprints = BTreeSet::new();
    for importer in Importer::all() {
        let name = importer.name();
        let records = records(importer, name, &store);
        fingerprints.extend(all_fingerprints(&records));
        let debug = format!("{records:?}");
        assert!(PLANTED.iter().all(|it| !debug.contains(it)), "{name}");
        store.import(name, records, &[], 1_770_000_000).unwrap();
    }
    assert_eq!(
        all_fingerprints(&store.inventory().unwrap().records),
        fingerprints
    );
    assert!(fingerprints.len() >= 8, "{}", fingerprints.len());
    let check = |when: &str, least: usize| {
        let files = every_file(folder.path());
        assert!(files.len() >= least, "{when}: {files:?}");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            for value in &planted {
                let at = memchr::memmem::find(&bytes, value);
                assert!(
                    at.is_none(),
                    "{when}: {} holds a value at {at:?}",
                    file.display()
                );
            }
        }
    };
    // Store, log, shared memory and key file while it is open; store and key file afterwards.
    check("open", 4);
    store.rekey(&folder.path().join("keys/next")).unwrap();
    check("rekeyed", 5);
    drop(store);
    check("closed", 3);
}

#[test]
fn an_import_that_ends_in_a_fault_tells_no_value() {
    let store_folder = tempfile::tempdir().unwrap();
    let path = |name: &str| store_folder.path().join(name);
    let store = Store::create(&path("inventory.db"), &path("keys/key")).unwrap();
    let seal = store.fingerprinter();
    for importer in Importer::all() {
        let example = importer.example().as_bytes();
        let mut n_faults = 0;
        for length in 0..example.len() {
            let mut bytes = example[..length].to_vec();
            // Now and then what follows is nonsense.
            if length % 3 == 0 {
                bytes.extend_from_slice(b"\"}]\x01: - {{");
            }
            let input = Input {
                name: "export".to_owned(),
                bytes: bytes.into(),
            };
            let result = read(
                importer,
                &input,
                seal.as_ref(),
                &Options::default(),
                &mut |_| {},
            );
            let told = match result {
                Ok(totals) => format!("{totals:?}"),
                Err(error) => {
                    n_faults += 1;
                    assert!(error.hint().is_some(), "{}", importer.name());
                    format!("{error} {error:?} {:?}", error.hint())
                }
            };
            for value in PLANTED {
                assert!(!told.contains(value), "{}: {told}", importer.name());
            }
        }
        assert!(n_faults > 0, "{}: nothing is a fault", importer.name());
    }
    assert!(store.inventory().unwrap().records.is_empty());
}

#[test]
fn every_export_comes_back_out_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (
        folder.path().join("inventory.db"),
        folder.path().join("keys/key"),
    );
    drop(Store::create(&path, &key).unwrap());
    for importer in Importer::all() {
        let name = importer.name();
        let mut store = Store::open(&path, Some(&key)).unwrap();
        let first = store
            .import(name, records(importer, name, &store), &[], 1)
            .unwrap();
        assert!(first.gone.is_empty(), "{name}");
        let before = store.inventory().unwrap().records;
        let again = store
            .import(name, records(importer, name, &store), &[], 2)
            .unwrap();
        assert_eq!(
            (again.added.len(), again.changed.len(), again.gone.len()),
            (0, 0, 0),
            "{name}: {again:?}"
        );
        assert_eq!(store.inventory().unwrap().records, before, "{name}");
    }
    let mut store = Store::open(&path, Some(&key)).unwrap();
    let present = store.status().unwrap();
    store.import("vault", Vec::new(), &[], 3).unwrap();
    let without = store.status().unwrap();
    assert!(without.gone > 0 && without.records + without.gone == present.records);
    assert_eq!(
        without.fingerprints, present.fingerprints,
        "what is gone is remembered"
    );
}

/// What `get-secret-value` and `list-secret-version-ids` print of a secret, at one moment of its life.
fn aws(versions: &[(&str, u32, Option<&str>)]) -> String {
    let head = r#""ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbC123", "Name": "db""#;
    let newest = versions.iter().map(|(_, created, _)| *created).max();
    let stages = |created: u32| match Some(created) == newest {
        true => r#"["AWSCURRENT"]"#,
        false => r#"["AWSPREVIOUS"]"#,
    };
    let listed = versions.iter().map(|(id, created, _)| {
        format!(
            r#"{{"VersionId": "{id}", "CreatedDate": {created}.5, "VersionStages": {}}}"#,
            stages(*created)
        )
    });
    let listed: Vec<String> = listed.collect();
    let values = versions.iter().filter_map(|(id, created, value)| {
        Some(format!(
            r#"{{{head}, "VersionId": "{id}", "CreatedDate": {created}.5, "SecretString": "{}", "VersionStages": {}}}"#,
            (*value)?,
            stages(*created)
        ))
    });
    format!(
        r#"{{{head}, "Versions": [{}]}}{}"#,
        listed.join(","),
        values.collect::<String>()
    )
}

/// A store that forgets old versions, and one import that brings values and another that brings none: a value
/// stays with the version it was seen in.
#[test]
fn values_stay_with_their_versions_while_a_secret_is_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("keys/key");
    let mut store = Store::create(&folder.path().join("inventory.db"), &key).unwrap();
    let seal = store.fingerprinter().unwrap();
    let (one, two, three) = (1_700_000_000, 1_710_000_000, 1_720_000_000);
    let a = Some("value one 11");
    let c = Some("value three 33");
    type Step<'a> = (
        &'a [(&'a str, u32, Option<&'a str>)],
        &'a [(u32, Option<&'a str>)],
    );
    let steps: &[Step<'_>] = &[
        (&[("i", one, a)], &[(one, a)]),
        (
            &[("i", one, None), ("ii", two, None)],
            &[(one, a), (two, None)],
        ),
        (
            &[("ii", two, None), ("iii", three, c)],
            &[(one, a), (two, None), (three, c)],
        ),
        (
            &[("iii", three, None)],
            &[(one, a), (two, None), (three, c)],
        ),
    ];
    for (exported, expected) in steps {
        let input = Input {
            name: "aws".to_owned(),
            bytes: aws(exported).into_bytes().into(),
        };
        let mut records = Vec::new();
        let options = Options::default();
        read(
            Importer::named("aws").unwrap(),
            &input,
            Some(&seal),
            &options,
            &mut |it| records.push(it),
        )
        .unwrap();
        store.import("aws", records, &[], 1_730_000_000).unwrap();
        let inventory = store.inventory().unwrap();
        let versions = inventory.records[0].versions.iter();
        let found: Vec<_> = versions.map(|it| (it.number, it.fingerprint)).collect();
        let print = |value: Option<&str>| value.map(|it| seal.fingerprint(it.as_bytes()));
        let expected: Vec<_> = expected.iter().map(|(at, it)| (*at, print(*it))).collect();
        assert_eq!(found, expected, "{exported:?}");
    }
}
