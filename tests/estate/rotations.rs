//! What the plans of rotation say, in the words of `truth/rotations.txt` and `truth/leavers.txt`.

use crate::truth::{Place, Truth};
use crate::world::{World, table};
use crate::{list, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Lines of a plan by record and kind, in their order.
type Plans = BTreeMap<(String, String), Vec<String>>;

fn add(plans: &mut Plans, record: &str, kind: &str, line: String) {
    let key = (record.to_owned(), kind.to_owned());
    plans.entry(key).or_default().push(line);
}

fn expected(truth: &Truth) -> Plans {
    let mut plans = Plans::new();
    let spot = |id: &str| truth.places[id].spot();
    for row in table("truth/rotations.txt") {
        let line = match row[1].as_str() {
            "consumer" => {
                let places: Vec<String> = row[5].split(' ').map(spot).collect();
                format!("{} {} {} {}", row[2], row[3], row[4], places.join(" "))
            }
            "exposure" => format!("{} {} {}", spot(&row[2]), row[3], row[4]),
            _ => row[2..].join(" "),
        };
        add(&mut plans, &row[0], &row[1], line);
    }
    plans
}

fn told(document: &Value) -> Plans {
    let mut plans = Plans::new();
    for plan in list(&document["plans"]) {
        let record = text(&plan["record"]);
        for it in list(&plan["consumers"]) {
            let [how, name, repository] =
                ["pickup", "name", "repository"].map(|name| text(&it[name]));
            let places: Vec<&str> = list(&it["places"]).iter().map(text).collect();
            let line = format!("{how} {name} {repository} {}", places.join(" "));
            add(&mut plans, record, "consumer", line);
        }
        for it in list(&plan["tell"]) {
            for why in list(&it["why"]).iter().filter_map(why) {
                add(
                    &mut plans,
                    record,
                    "tell",
                    format!("{} {why}", text(&it["who"])),
                );
            }
        }
        for it in list(&plan["shared"]) {
            add(&mut plans, record, "shared", text(&it["record"]).to_owned());
        }
        for it in list(&plan["exposures"]) {
            let version = if it["current"] == true {
                "current"
            } else {
                "earlier"
            };
            let lies = match (it["in_files"] == true, it["in_history"] == true) {
                (true, true) => "both",
                (true, false) => "files",
                _ => "history",
            };
            add(
                &mut plans,
                record,
                "exposure",
                format!("{} {version} {lies}", text(&it["place"])),
            );
        }
        if plan["keeps_data"] == true {
            add(&mut plans, record, "keeps-data", String::new());
        }
    }
    plans
}

/// Why somebody is told, in the words of the truth; authors of references are left out.
fn why(sentence: &Value) -> Option<&'static str> {
    let sentence = text(sentence);
    let kinds = [
        ("owner", "owner"),
        ("last to read it", "reader"),
        ("wrote the value into", "wrote"),
        ("code owner of", "claim"),
    ];
    let kind = kinds.iter().find(|it| sentence.starts_with(it.0));
    assert!(
        kind.is_some() || sentence.starts_with("author of "),
        "{sentence}"
    );
    kind.map(|it| it.1)
}

#[test]
fn plans_of_rotation_are_true() {
    let world = World::shared();
    let expected = expected(&Truth::new(world));
    let records: BTreeSet<&str> = expected.keys().map(|it| it.0.as_str()).collect();
    assert!(records.len() >= 12, "{records:?}");
    let names: String = records.iter().map(|it| format!("{it}\n")).collect();
    fs::write(world.path("rotate.txt"), names).unwrap();
    let line = [
        "rotate",
        "--from-list",
        "../rotate.txt",
        "--in",
        ".",
        "--format",
        "json",
    ];
    let told = told(&world.document(&line));
    for key in expected.keys().chain(told.keys()) {
        assert_eq!(told.get(key), expected.get(key), "{key:?}");
    }
}

#[test]
fn what_leavers_had_is_true() {
    let world = World::shared();
    let mut expected: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in table("truth/leavers.txt") {
        let records = expected.entry(row[0].clone()).or_default();
        records.insert(row[1].clone(), row[2].clone());
    }
    for (who, records) in expected {
        let document =
            world.document(&["rotate", "--leaver", &who, "--in", ".", "--format", "json"]);
        let mut told = BTreeMap::new();
        for plan in list(&document["plans"]) {
            let why = list(&plan["why"]).iter().map(text);
            let why: Vec<&str> = why.filter(|it| *it != "wrote where it is used").collect();
            if !why.is_empty() {
                told.insert(text(&plan["record"]).to_owned(), why.join("; "));
            }
        }
        assert_eq!(told, records, "{who}");
    }
}

/// A place that names a secret and is on no chain is meant so.
#[test]
fn every_use_of_the_truth_is_on_a_chain() {
    let truth = Truth::new(World::shared());
    let chains = table("truth/uses.txt");
    let used: BTreeSet<&str> = chains.iter().flat_map(|row| row[2].split(" > ")).collect();
    let is_idle = |it: &(&String, &Place)| !used.contains(it.0.as_str());
    let idle: BTreeSet<&str> = truth
        .places
        .iter()
        .filter(is_idle)
        .filter(|it| it.1.is_used())
        .map(|it| it.0.as_str())
        .collect();
    // What they name is no record.
    let known = [
        "backfill-db",
        "ci-hook",
        "cli-missing",
        "py-open",
        "run-fly-env",
        "sls-file",
        "source-tls",
        "value-stripe",
    ];
    assert_eq!(idle, BTreeSet::from(known));
}
