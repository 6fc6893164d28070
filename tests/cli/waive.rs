//! Waivers and baselines: what was accepted is silent, for as long as was said and no longer.

use crate::world::{World, each, leak, list};

const LONG: &str = "2199-01-01";

/// The occurrence of the only finding.
fn occurrence(world: &World) -> String {
    let document = world.scan(&[]);
    let found = each(&document["findings"], "occurrence");
    assert_eq!(found.len(), 1, "{document}");
    found[0].to_owned()
}

fn waive<'a>(occurrence: &'a str, extra: &[&'a str]) -> Vec<&'a str> {
    let line = [
        "waive", occurrence, "--until", LONG, "--reason", "a sample", "--owner", "ada",
    ];
    [&line, extra].concat()
}

#[test]
fn what_was_accepted_is_silent_also_when_it_moves() {
    let world = World::committed();
    world.write("a.py", leak("a"));
    world
        .run(&waive(&occurrence(&world), &[]))
        .code(0)
        .prints("accepted until 2199-01-01");
    world.run(&["scan"]).code(0).prints("waived: 1");
    let waived = &world.scan(&[])["findings"][0]["waived"];
    assert_eq!(
        (&waived["owner"], &waived["reason"]),
        (&"ada".into(), &"a sample".into())
    );
    world.write("a.py", format!("\n\n# moved\n{}", leak("a")));
    world.run(&["scan"]).code(0);
    std::fs::rename(world.path("a.py"), world.path("renamed.py")).unwrap();
    world.run(&["scan"]).code(0);
    world
        .run(&["waive", "list"])
        .code(0)
        .prints("in force, until 2199-01-01, 1 place(s), ada: a sample");
    // One place was accepted, and there are two.
    world.write("copy.py", leak("a"));
    world
        .run(&["scan"])
        .code(1)
        .says("see `keyatlas waive list`");
}

#[test]
fn a_waiver_needs_an_end_a_reason_and_something_to_accept() {
    let world = World::committed();
    world.write("a.py", leak("a"));
    let id = occurrence(&world);
    for (line, what, next) in [
        (vec!["waive"], "<OCCURRENCE>", "Usage: "),
        (vec!["waive", &id, "--reason", "x"], "--until", "Usage: "),
        (vec!["waive", &id, "--until", LONG], "--reason", "Usage: "),
        (
            vec!["waive", &id, "--until", "soon", "--reason", "x"],
            "YYYY-MM-DD",
            "For more",
        ),
        (
            vec!["waive", &id, "--until", "2020-01-01", "--reason", "x"],
            "2020-01-01 is past",
            "name a day to come",
        ),
        (
            vec!["waive", &id, "--until", LONG, "--reason", " "],
            "needs a reason",
            "--reason TEXT",
        ),
        (waive("abc", &[]), "`abc` is no occurrence", "ko1:"),
        (
            waive("ko1:0123", &[]),
            "ko1:0123: nothing here goes by this name",
            "keyatlas scan",
        ),
    ] {
        world.run(&line).refused(what, next);
    }
    assert!(!world.path(".keyatlas-waivers").exists());
}

#[test]
fn an_ended_waiver_accepts_nothing_and_prune_removes_it() {
    let world = World::committed();
    world.write("a.py", leak("a"));
    world.run(&waive(&occurrence(&world), &[])).code(0);
    let text = world.read(".keyatlas-waivers");
    world.write(".keyatlas-waivers", text.replace(LONG, "2026-01-01"));
    world
        .run(&["scan"])
        .code(1)
        .says("1 waiver has ended and accepts nothing");
    world
        .run(&["waive", "list"])
        .code(0)
        .prints("ended, until 2026-01-01");
    world.run(&["waive", "prune"]).code(0).prints("1 removed");
    world
        .run(&["waive", "list"])
        .code(0)
        .prints("no waivers in ");
}

#[test]
fn prune_removes_what_is_nowhere_and_keeps_what_history_holds() {
    let world = World::committed();
    world.write("a.py", leak("a"));
    world.run(&waive(&occurrence(&world), &[])).code(0);
    world.write("a.py", "clean\n");
    world.run(&["waive", "prune"]).code(0).prints("1 removed");
    world.write("b.py", leak("b"));
    world.run(&waive(&occurrence(&world), &[])).code(0);
    world.commit(&[], "leak");
    world.commit(&[("b.py", "clean\n")], "clean");
    world.run(&["waive", "prune"]).code(0).prints("0 removed");
    world.run(&["scan", "--history"]).code(0);
}

#[test]
fn a_baseline_accepts_today_and_not_tomorrow() {
    let world = World::committed();
    world.write("a.py", leak("a")).write("b.py", leak("b"));
    world
        .run(&["baseline", "--until", LONG])
        .code(0)
        .prints("2 accepted until 2199-01-01, marked unaudited");
    world
        .run(&["scan"])
        .code(0)
        .says("2 waivers were written by a baseline and never looked at");
    world
        .run(&["baseline"])
        .code(0)
        .prints("nothing new to accept");
    world.write("c.py", leak("c"));
    let ran = world.run(&["scan", "--format", "json"]).code(1);
    let open: Vec<_> = list(&ran.json()["findings"])
        .iter()
        .filter(|it| it["waived"].is_null())
        .map(|it| it["path"].clone())
        .collect();
    assert_eq!(open, ["c.py"]);
    let owned = [
        "baseline",
        "--until",
        LONG,
        "--owner",
        "ada",
        "--reason",
        "known samples",
    ];
    world
        .run(&owned)
        .code(0)
        .prints("1 accepted until 2199-01-01: ");
    world
        .run(&["baseline", "--until", "2020-01-01"])
        .refused("2020-01-01 is past", "hint: ");
}

#[test]
fn a_waiver_file_that_does_not_parse_is_refused_with_its_line() {
    let world = World::committed();
    world.write("a.py", leak("a"));
    world.run(&waive(&occurrence(&world), &[])).code(0);
    let text = world.read(".keyatlas-waivers");
    let lines = text.lines().count();
    world.write(
        ".keyatlas-waivers",
        format!("{text}ko1:abc\tmany\t2199-01-01\tada\tx\t\n"),
    );
    let ran = world.run(&["scan"]);
    ran.refused(".keyatlas-waivers", "mend the line")
        .says(&(lines + 1).to_string());
}

#[test]
fn a_comment_on_the_line_waives_until_its_end() {
    let world = World::new();
    let line = leak("a");
    for (comment, code) in [
        (
            "keyatlas:allow generic-password until=2199-01-01 a sample",
            0,
        ),
        (
            "keyatlas:allow generic-password until=2020-01-01 a sample",
            1,
        ),
        ("keyatlas:allow generic-password", 1),
        ("keyatlas:allow other-rule until=2199-01-01", 1),
    ] {
        world.write("a.py", format!("{}  # {comment}\n", line.trim_end()));
        world.run(&["scan"]).code(code);
    }
}
