//! Every place of a repository where a secret may lie: a real `git` builds it, and the scan must find what
//! is planted there, with the right origin, or say in words why it cannot.
//!
//! Not here: what a rule finds. What `tests/cli/git.rs` holds of changes and ranges is not held again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its builder too"
)]

#[path = "../cli/world.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the binary, which use the rest"
)]
mod world;

mod beside;
mod bundle;
mod fetch;
mod missing;
mod nested;
mod stored;

use serde_json::Value;
use world::{World, drawn, list};

/// A place, and what must be said of it.
struct Place {
    name: &'static str,
    /// Plants [`secret`] with the name of the place.
    build: fn(&World, &str),
    scan: &'static [&'static str],
    code: i32,
    /// `kind path` of each origin; `*` at the end stands for an id, ` lost` follows what no ref reaches.
    found: &'static [&'static str],
    /// `path reason` of what was not read.
    told: &'static [&'static str],
}

const HISTORY: &[&str] = &["--history"];

/// What most places have in common.
const PLAIN: Place = Place {
    name: "",
    build: |_, _| (),
    scan: HISTORY,
    code: 1,
    found: &[],
    told: &[],
};

/// An invented token of a known shape, which needs no name that it is assigned to.
fn secret(name: &str) -> String {
    format!("{}{}", ["gl", "pat-"].concat(), &drawn(name)[..20])
}

/// The commit of a file that holds the text.
fn commit(world: &World, path: &str, text: &str) -> String {
    world.commit(&[(path, &format!("{text}\n"))], "add")
}

/// Builds each place, and holds the scan to what is said of it.
fn hold(places: &[Place]) {
    let faults: Vec<String> = places.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// What is not as it should be.
fn fault(place: &Place) -> Option<String> {
    let world = World::committed();
    let secret = secret(place.name);
    (place.build)(&world, &secret);
    let line = [&["scan", "--format", "json"], place.scan].concat();
    let ran = world.run(&line).keeps(&secret);
    // Every other format hides it too, wherever it stands.
    for format in ["human", "sarif", "jsonl"] {
        let line = [&["scan", "--verbose", "--format", format], place.scan].concat();
        world.run(&line).keeps(&secret);
    }
    let code = ran.code.unwrap();
    if code == 2 {
        return Some(format!("{}: {}", place.name, ran.err));
    }
    let document = ran.json();
    let said = (code, origins(&document), told(&document));
    let owned = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let expected = (place.code, owned(place.found), owned(place.told));
    let name = place.name;
    (said != expected).then(|| {
        format!(
            "{name}\n  said:     {said:?}\n  expected: {expected:?}\n{}",
            document["coverage"]
        )
    })
}

/// A text whose last part is an id, without it.
fn short(text: &str) -> String {
    let (head, last) = text.rsplit_once('/').unwrap_or(("", text));
    let is_id = last.len() == 40 && last.bytes().all(|it| it.is_ascii_hexdigit());
    match is_id {
        true => format!("{head}/*"),
        false => text.to_owned(),
    }
}

fn origins(document: &Value) -> Vec<String> {
    let origins = list(&document["findings"])
        .iter()
        .flat_map(|it| list(&it["origins"]));
    let row = |it: &Value| {
        let lost = match it["reachable"].as_bool().unwrap() {
            true => "",
            false => " lost",
        };
        let text = |field: &str| it[field].as_str().unwrap().to_owned();
        format!("{} {}{lost}", text("kind"), short(&text("path")))
    };
    let mut rows: Vec<String> = origins.map(row).collect();
    rows.sort();
    rows
}

fn told(document: &Value) -> Vec<String> {
    let mut told: Vec<String> = world::gaps(document)
        .iter()
        .map(|it| {
            let (path, reason) = it.rsplit_once(' ').unwrap();
            format!("{} {reason}", short(path))
        })
        .collect();
    told.sort();
    told
}
