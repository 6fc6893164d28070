//! An invented estate of twelve repositories and 300 records against what is true of it: the map, the verdicts and
//! the plans of rotation, through the built program. What differs in any way is a fault.
//!
//! `fixtures/estate` holds its plan, `fixtures/estate/truth` what must be said of it. Authors and dates of places are
//! not compared here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

mod rotations;
mod score;
mod truth;
mod world;

use score::Score;
use serde_json::Value;
use std::collections::BTreeSet;
use truth::{Truth, VALUE};
use world::{World, table};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Every use that the map tells.
fn edges(map: &Value) -> BTreeSet<String> {
    let mut edges = BTreeSet::new();
    for record in list(&map["records"]) {
        for it in list(&record["uses"]) {
            let step = |hop: &Value| {
                let (repository, path) = (text(&hop["repository"]), text(&hop["path"]));
                let line = hop["line"].as_u64().unwrap();
                match text(&it["evidence"]) {
                    VALUE => format!("{repository}/{path}:{line}"),
                    _ => truth::hop(
                        repository,
                        path,
                        line,
                        text(&hop["syntax"]),
                        text(&hop["name"]),
                    ),
                }
            };
            let hops: Vec<String> = list(&it["chain"]).iter().map(step).collect();
            edges.insert(truth::edge(
                text(&record["record"]),
                text(&it["evidence"]),
                &hops,
            ));
        }
    }
    edges
}

/// `id` and the record, or else the place without its line, of every verdict.
fn verdicts(document: &Value) -> Vec<(String, String)> {
    let told = |it: &Value| {
        let about = match it["record"].as_str() {
            Some(record) => record.to_owned(),
            None => format!("- {}:{}", text(&it["repository"]), text(&it["path"])),
        };
        (text(&it["id"]).to_owned(), about)
    };
    list(&document["verdicts"]).iter().map(told).collect()
}

#[test]
fn the_estate_is_as_large_as_it_is_said_to_be() {
    let world = World::shared();
    let document = world.document(&["inventory", "list", "--format", "json"]);
    assert_eq!(list(&document["records"]).len(), 300);
    let managers: BTreeSet<String> = table("records.txt")
        .into_iter()
        .map(|it| it[0].clone())
        .collect();
    assert!(managers.len() >= 6, "{managers:?}");
    let repositories: BTreeSet<String> = table("history.txt")
        .into_iter()
        .map(|it| it[0].clone())
        .collect();
    assert_eq!(repositories.len(), 12);
    let leavers = table("people.txt").into_iter().filter(|it| it.len() > 5);
    assert_eq!(leavers.count(), 2);
    let truth = Truth::new(world);
    let families: BTreeSet<usize> = truth
        .places
        .values()
        .filter_map(|it| it.family.parse().ok())
        .collect();
    assert_eq!(families, (1..=61).collect::<BTreeSet<_>>());
}

#[test]
fn every_place_that_names_a_secret_is_read_and_nothing_else() {
    let world = World::shared();
    let mut score = Score::default();
    for (mention, family) in Truth::new(world).mentions() {
        score.expect(&mention, [family.as_str()]);
    }
    for it in list(&world.scan()["references"]) {
        let place = format!("{}:{}", text(&it["path"]), it["line"]);
        let how = ["syntax", "role", "certainty"].map(|name| text(&it[name]));
        score.tell(&format!("{place} {}", how.join(" ")));
    }
    score.close("places");
}

#[test]
fn the_map_tells_every_use_and_nothing_else() {
    let world = World::shared();
    let mut score = Score::default();
    for (edge, families) in Truth::new(world).edges() {
        score.expect(&edge, families.iter().map(String::as_str));
    }
    edges(world.map()).iter().for_each(|it| score.tell(it));
    score.close("uses");
}

#[test]
fn every_verdict_is_told_and_no_other() {
    let world = World::shared();
    let truth = Truth::new(world).verdicts();
    let mut score = Score::default();
    for (id, about) in &truth {
        score.expect(&format!("{id} {about}"), [id.as_str()]);
    }
    for (id, about) in verdicts(world.scan()) {
        score.tell(&format!("{id} {about}"));
    }
    score.close("verdicts");
    let told: BTreeSet<&str> = truth.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(told.len(), 18, "{told:?}");
    // The map tells the same of each record.
    let of_map: BTreeSet<(String, String)> = list(&world.map()["records"])
        .iter()
        .flat_map(|record| {
            let name = text(&record["record"]).to_owned();
            let own = list(&record["verdicts"]).iter();
            own.map(move |it| (text(&it["id"]).to_owned(), name.clone()))
        })
        .collect();
    let of_records = truth.into_iter().filter(|it| !it.1.starts_with("- "));
    assert_eq!(of_map, of_records.collect());
}

#[test]
fn code_owners_are_a_hint_on_the_map() {
    let world = World::shared();
    let records = list(&world.map()["records"]).iter();
    let claimed = |name: &str| {
        let mut own = records.clone().filter(|it| it["record"] == name);
        let claims = list(&own.next().unwrap()["claimed"]).iter();
        let who = claims.map(|it| (text(&it["who"]), text(&it["places"][0]).to_owned()));
        who.collect::<Vec<_>>()
    };
    // The last line that fits: `*.go` of the repository's file, with two teams.
    assert_eq!(
        claimed("orders/orders-env#WEBHOOK_SECRET"),
        [
            (
                "@example/team-orders",
                "orders/cmd/api/main.go:13".to_owned()
            ),
            ("@example/team-web", "orders/cmd/api/main.go:13".to_owned()),
        ]
    );
    // That repository has no such file.
    assert_eq!(claimed("accounts-audit"), []);
    let output = world.run(&["map", "/estate/search/queue", "--in", "."]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("  code owners, as repositories claim: @hana\n"),
        "{told}"
    );
}

#[test]
fn no_value_reaches_an_output() {
    let world = World::shared();
    let planted = world.planted();
    assert!(planted.len() > 200);
    for format in ["human", "json", "csv", "html", "dot"] {
        let output = world.run(&["map", "--history", "--format", format]);
        let told =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("kv/orders/db"), "{format}");
        let leaked = planted.iter().filter(|it| told.contains(it.as_str()));
        assert_eq!(leaked.count(), 0, "{format}");
    }
}
