//! Verdicts on people and logs, over a real scan of real git: what lists of people and logs bring is added to
//! the inventory here.

use crate::estate::{Estate, root};
use keyatlas::assess::waive::assign_ordinals;
use keyatlas::assess::{self, Scope};
use keyatlas::inventory::Store;
use keyatlas::model::access::Access;
use keyatlas::model::level::Confidence;
use keyatlas::model::people::{Entry, People};
use keyatlas::model::policy::Policies;
use keyatlas::model::record::{Inventory, Record};
use keyatlas::ruleset;
use keyatlas::scan::{self, Mode, Within};
use std::sync::Arc;

const DAY: i64 = 86_400;
const LEAK: &str = "password = \"{value:db}\"\n";
const ROW: &str = "kv/shop/db,password,vault,,,{ago:50},{ago:1},,,,password,1,,{value:db}";

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Ada is there; Bo left 40 days ago.
fn people() -> People {
    let person = |name: &str, left: Option<i64>| Entry {
        name: format!("{name} Example"),
        aliases: vec![format!("{}@shop.example", name.to_lowercase())],
        team: Some("api".to_owned()),
        left: left.map(|days| now() - days * DAY),
        ..Entry::default()
    };
    People::of(&[person("Ada", None), person("Bo", Some(40))])
}

/// The verdicts on an inventory of one record, which lies in the clear twice, by these authors.
fn judged(authors: [&str; 2], scope: Scope, change: impl Fn(&mut Record)) -> Vec<&'static str> {
    let estate = Estate::new(&[ROW]);
    for (author, path) in authors.iter().zip(["a/settings.py", "b/settings.py"]) {
        estate.commit("shop", author, path, LEAK);
    }
    let (path, key) = (estate.path("data/inventory.db"), estate.path("keys/key"));
    let store = Store::open(&path, Some(&key)).unwrap();
    let mut inventory = Inventory {
        people: people(),
        ..store.inventory().unwrap()
    };
    inventory.records.iter_mut().for_each(change);
    let options = scan::Options {
        known: None,
        roots: vec![root(&estate)],
        mode: Mode::History,
        within: Within::everything(),
        jobs: 1,
        max_size: 1 << 20,
        max_depth: 4,
        no_ignore: false,
        whole_blobs: false,
        exclude: Vec::new(),
        min_confidence: Confidence::Medium,
        references: true,
        estate: true,
        salt: None,
        fingerprinter: store.fingerprinter(),
        ground: scan::Ground::default(),
        index_file: None,
        objects: Vec::new(),
        shelf: None,
        progress: None,
    };
    let rules = Arc::new(ruleset::load(&ruleset::Options::default()).unwrap());
    let mut scanned = scan::run(&options, &rules).unwrap();
    assign_ordinals(&mut scanned.findings);
    let judge = assess::Options {
        scope,
        now: now(),
        stale_days: 365,
        stale_cloud_days: 90,
        expiring_days: 30,
        policies: Policies::default(),
    };
    let assessed = assess::assess(
        &mut scanned.findings,
        &scanned.references,
        Some(&inventory),
        &judge,
    );
    let codes = assessed.verdicts.iter().map(|it| it.id.code());
    codes.filter(|it| *it != "exposed").collect()
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

fn read(by: &str) -> Access {
    Access {
        by: by.to_owned(),
        first: now() - 60 * DAY,
        last: now() - 3 * DAY,
        count: 5,
    }
}

#[test]
fn owners_who_left_leave_orphans() {
    let eve = ["Eve", "Fay"];
    for (owners, scope, expected) in [
        (
            &["bo@shop.example"][..],
            Scope::Estate,
            &["orphaned", "known-to-leaver"][..],
        ),
        (
            &["Bo Example", "Ada Example"],
            Scope::Estate,
            &["known-to-leaver", "key-person"],
        ),
        (&["ada@shop.example", "sales"], Scope::Estate, &[]),
        (&["bo@shop.example"], Scope::Folder, &[]),
    ] {
        let found = judged(eve, scope, |it| it.owners = named(owners));
        assert_eq!(found, expected, "{owners:?} {scope:?}");
    }
}

#[test]
fn authors_who_left_know_what_they_wrote() {
    for (authors, expected) in [
        (
            ["Bo Example", "Bo Example"],
            &["orphaned", "known-to-leaver"][..],
        ),
        (["Ada Example", "Bo Example"], &["known-to-leaver"]),
        (["Ada Example", "Ada Example"], &["key-person"]),
        (["Ada Example", "Eve"], &[]),
    ] {
        assert_eq!(
            judged(authors, Scope::Estate, |_| {}),
            expected,
            "{authors:?}"
        );
    }
    let rotated = |it: &mut Record| it.rotated = Some(now() - 39 * DAY);
    let found = judged(["Ada Example", "Bo Example"], Scope::Estate, rotated);
    assert_eq!(found, [""; 0], "it changed after he left");
}

#[test]
fn readers_and_accessors_are_known_or_unexplained() {
    let eve = ["Eve", "Fay"];
    type Change = fn(&mut Record);
    let cases: [(&str, Change, &[&str]); 4] = [
        (
            "a reader who left",
            |it| it.readers = named(&["bo@shop.example"]),
            &["known-to-leaver"],
        ),
        (
            "a reader who is there",
            |it| it.readers = named(&["ada@shop.example"]),
            &[],
        ),
        (
            "a log names the repository",
            |it| it.accesses = vec![read("ci/shop")],
            &[],
        ),
        (
            "a log names somebody else",
            |it| it.accesses = vec![read("ci/shop"), read("mallory")],
            &["unexplained-access"],
        ),
    ];
    for (what, change, expected) in cases {
        assert_eq!(judged(eve, Scope::Estate, change), expected, "{what}");
        assert_eq!(judged(eve, Scope::Folder, change), [""; 0], "{what}");
    }
}
