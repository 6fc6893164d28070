//! Reports: several at once, to files, masked or shown, the same bytes from run to run.

use crate::world::{World, drawn, each, leak, list, ran};
use serde_json::Value;
use std::process::Stdio;

#[test]
fn one_scan_writes_several_reports() {
    let world = World::new();
    world.write("in/a.py", leak("a"));
    let alone = |format: &str| world.run(&["scan", "in", "--format", format]).code(1).out;
    let all = [
        "json=o.json",
        "jsonl=o.jsonl",
        "sarif=o.sarif",
        "human=o.txt",
    ];
    let mut line = vec!["scan", "in", "--format", "json"];
    line.extend(all.iter().flat_map(|it| ["--format", it]));
    let together = world.run(&line).code(1);
    assert_eq!(together.out, alone("json"));
    for (format, file) in [
        ("json", "o.json"),
        ("jsonl", "o.jsonl"),
        ("sarif", "o.sarif"),
        ("human", "o.txt"),
    ] {
        assert_eq!(world.read(file), alone(format), "{format}");
    }
    let files_only = world
        .run(&["scan", "in", "--format", "sarif=only.sarif"])
        .code(1);
    assert_eq!(files_only.out, "");
    let log: Value = serde_json::from_str(&world.read("only.sarif")).unwrap();
    assert_eq!(list(&log["runs"][0]["results"]).len(), 1);
    assert_eq!(world.read("o.jsonl").lines().count(), 1);
}

#[test]
fn reports_that_would_fall_over_each_other_are_refused_before_the_scan() {
    let world = World::new();
    world.write("folder/x", "");
    for (formats, what, next) in [
        (
            &["json", "human"][..],
            "two reports would go to standard output",
            "NAME=FILE",
        ),
        (
            &["json=a", "sarif=a"],
            "a: two reports would go to this file",
            "hint: ",
        ),
        (
            &["json=no/such/a"],
            "no/such: there is no such folder",
            "hint: ",
        ),
        (
            &["json=folder"],
            "folder: a report cannot be written over a folder",
            "hint: ",
        ),
        (
            &["json="],
            "there is no file name after `=`",
            "For more information",
        ),
    ] {
        let mut line = vec!["scan"];
        line.extend(formats.iter().flat_map(|it| ["--format", it]));
        world.run(&line).refused(what, next);
    }
    assert!(!world.path("a").exists());
}

#[test]
fn values_are_shown_where_the_caller_asks() {
    let world = World::new();
    world.write("a.py", leak("a"));
    for format in ["human", "json", "jsonl"] {
        let masked = world.run(&["scan", "--format", format]).code(1);
        masked.prints("****").keeps(&drawn("a"));
        let shown = world.run(&["scan", "--format", format, "--show-secrets"]);
        shown.code(1).prints(&drawn("a"));
    }
    world
        .run(&["scan", "--show-secrets"])
        .code(1)
        .prints(&drawn("a"));
    let refused = world.run(&[
        "scan",
        "--show-secrets",
        "--format",
        "json",
        "--format",
        "sarif=o",
    ]);
    refused
        .refused(
            "--show-secrets is refused for sarif",
            "use human, json or jsonl",
        )
        .keeps(&drawn("a"));
    assert!(!world.path("o").exists());
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let world = World::committed();
    for at in 0..40 {
        let text = format!(
            "{}token = \"{}\"\n",
            leak(&format!("a{}", at % 7)),
            drawn(&format!("b{at}"))
        );
        world.write(&format!("d{}/f{at}.py", at % 5), text);
    }
    world.commit(&[], "many");
    for format in ["human", "json", "jsonl", "sarif"] {
        for mode in [&[][..], &["--history"]] {
            let scan = |jobs: &str| {
                let scan = ["scan", "--no-cache", "--format", format, "--jobs", jobs];
                let line = [&scan[..], mode].concat();
                world.run(&line).code(1).out
            };
            assert_eq!(scan("1"), scan("7"), "{format} {mode:?}");
        }
    }
}

#[test]
fn an_earlier_report_marks_what_is_new() {
    let world = World::new();
    world.write("in/a.py", leak("a"));
    for format in ["json", "sarif"] {
        let file = format!("{format}=before.{format}");
        world.run(&["scan", "in", "--format", &file]).code(1);
    }
    world.write("in/b.py", leak("b"));
    for earlier in ["before.json", "before.sarif"] {
        let ran = world
            .run(&["scan", "in", "--baseline", earlier, "--format", "sarif"])
            .code(1);
        let mut states = each(&ran.json()["runs"][0]["results"], "baselineState")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        states.sort();
        assert_eq!(states, ["new", "unchanged"], "{earlier}");
    }
    world.write("foreign.json", "{\"results\": []}");
    let foreign = world.run(&["scan", "--baseline", "foreign.json"]);
    foreign.refused(
        "foreign.json: neither a JSON nor a SARIF report",
        "nothing was scanned",
    );
    world.write("foreign.json", "results");
    let foreign = world.run(&["scan", "--baseline", "foreign.json"]);
    foreign.refused(
        "foreign.json: not a JSON document (line 1, column 1)",
        "hint: ",
    );
    world
        .run(&["scan", "--baseline", "none.json"])
        .refused("none.json: ", "hint: ");
}

#[test]
fn standard_input_is_scanned_as_a_file_of_its_own() {
    let world = World::new();
    world.write("beside.py", leak("beside"));
    let ran = world.feed(&["scan", "-"], format!("x = 1\n{}", leak("a")).as_bytes());
    ran.code(1).prints("  -:2:13  password").keeps("beside.py");
    let document = world
        .feed(&["scan", "-", "--format", "json"], leak("a").as_bytes())
        .json();
    assert_eq!(document["findings"][0]["origins"][0]["kind"], "stdin");
    assert_eq!(document["coverage"]["files"], 1);
    world.feed(&["scan", "-"], b"clean\n").code(0);
    world
        .feed(&["scan", "-"], b"")
        .code(0)
        .says("standard input is empty");
    let large = world.feed(&["scan", "-", "--max-size", "4"], b"12345");
    large.refused("standard input has more than 4 bytes", "raise --max-size");
    world
        .run(&["scan", "-", "beside.py"])
        .refused("`-` stands alone", "write ./-");
    world
        .run(&["scan", "-", "--staged"])
        .refused("`-` stands alone", "hint: ");
}

#[test]
fn a_reader_who_went_away_is_no_error() {
    let world = World::new();
    world.write("a.py", leak("a"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = world.keyatlas();
    command
        .args(["scan", "--format", "json"])
        .stdout(writer)
        .stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("read 1 file"), "{err}");
    let mut again = world.keyatlas();
    ran(again.args(["scan", "--format", "json"]), &["scan"], b"").code(1);
}

#[test]
fn made_up_values_in_tests_are_told_at_low_confidence_with_their_facts() {
    let world = World::new();
    let line = "password = \"Blauwal-garten7\"\n";
    world.write("in/tests/login.ini", line);
    world.write("in/tests/drawn.ini", leak("a"));
    world.write("in/src/config.ini", line);
    let report = world
        .run(&["scan", "in", "--format", "json"])
        .code(1)
        .json();
    let paths = each(&report["findings"], "path");
    assert_eq!(paths, ["src/config.ini", "tests/drawn.ini"]);
    let low = ["scan", "in", "--min-confidence", "low", "--format", "json"];
    let report = world.run(&low).code(1).json();
    let found = list(&report["findings"]);
    assert_eq!(found.len(), 3);
    let sample = found
        .iter()
        .find(|it| it["path"] == "tests/login.ini")
        .unwrap();
    assert_eq!(sample["confidence"], "low");
    let facts: Vec<&str> = list(&sample["facts"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(facts.contains(&"- in a file for tests"), "{facts:?}");
    assert!(
        facts.contains(&"- a value as people make them up"),
        "{facts:?}"
    );
}
