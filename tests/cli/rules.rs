//! Rules from outside: listed, shown, tested, explained.

use crate::world::{World, drawn, leak, list};
use serde_json::Value;

const OWN: &str = r#"[[rule]]
id = "umbrella-key"
title = "Umbrella key"
provider = "umbrella"
kind = "api-token"
keywords = ["umb_"]
pattern = '''\b(?P<secret>umb_[a-z0-9]{16})\b'''
confidence = "high"
severity = "high"
examples = ["x umb_{{a-z0-9:16}}"]
counter_examples = ["umb_short"]
prefix = "umb_"
rotation = "Make a new one."
"#;

#[test]
fn rules_are_listed_and_shown() {
    let world = World::new();
    world.write("own.toml", OWN);
    let listed = world.run(&["rules", "list", "--rules", "own.toml"]).code(0);
    listed
        .prints("github-personal-access-token")
        .prints("umbrella-key");
    let document = world
        .run(&["rules", "list", "--format", "json"])
        .code(0)
        .json();
    assert!(list(&document["rules"]).len() > 300);
    let shown = world
        .run(&["rules", "show", "umbrella-key", "--rules", "own.toml"])
        .code(0);
    shown
        .prints("Umbrella key")
        .prints("rotation    Make a new one.");
    let unknown = world.run(&["rules", "show", "umbrela-key", "--rules", "own.toml"]);
    unknown.refused(
        "there is no rule `umbrela-key`",
        "did you mean `umbrella-key`?",
    );
}

#[test]
fn a_rule_file_proves_itself() {
    let world = World::new();
    world.write("own.toml", OWN);
    world
        .run(&["rules", "test", "own.toml"])
        .code(0)
        .prints("1 rules, 0 faults");
    world
        .run(&["rules", "test"])
        .code(0)
        .prints(" rules, 0 faults");
    world.write(
        "own.toml",
        OWN.replace("umb_{{a-z0-9:16}}", "umb_{{a-z0-9:15}}"),
    );
    let ran = world.run(&["rules", "test", "own.toml"]).code(1);
    ran.prints("umbrella-key").prints("1 rules, 1 faults");
    world
        .run(&["rules", "test", "none.toml"])
        .refused("none.toml: ", "name a rule file");
    std::fs::create_dir(world.path("empty")).unwrap();
    world
        .run(&["rules", "test", "empty"])
        .refused("no .toml file lies in this folder", "hint: ");
}

#[test]
fn a_rule_file_that_does_not_hold_is_refused_before_the_scan() {
    let world = World::new();
    for (from, to, what) in [
        ("severity = \"high\"", "severity = \"loud\"", "loud"),
        ("title =", "titel =", "titel"),
        ("[a-z0-9]{16}", "[a-z0-9{16}", "umbrella-key"),
        ("(?P<secret>", "(?P<value>", "secret"),
    ] {
        assert!(OWN.contains(from), "{from}");
        world.write("own.toml", OWN.replace(from, to));
        let ran = world.run(&["scan", "--rules", "own.toml"]);
        ran.refused(what, "`keyatlas rules test FILE` checks a rule file")
            .says("own.toml");
    }
}

#[test]
fn rules_and_verdicts_are_explained() {
    let world = World::new();
    let rule = world
        .run(&["explain", "github-personal-access-token"])
        .code(0);
    rule.prints("provider").prints("rotation");
    world
        .run(&["explain", "exposed"])
        .code(0)
        .prints("weakness    CWE-798");
    world.run(&["explain", "exposd"]).refused(
        "`exposd` is no rule, no verdict and no occurrence",
        "did you mean `exposed`?",
    );
}

#[test]
fn an_occurrence_is_explained_from_what_lies_here_or_from_a_report() {
    let world = World::committed();
    world.commit(&[("a.py", &leak("a"))], "in");
    world.commit(
        &[
            ("a.py", "clean\n"),
            ("b.py", &leak("b")),
            ("c.py", &leak("b")),
        ],
        "out",
    );
    world
        .run(&[
            "scan",
            "--history",
            "--format",
            "json=all.json",
            "--format",
            "jsonl=all.jsonl",
        ])
        .code(1);
    let report: Value = serde_json::from_str(&world.read("all.json")).unwrap();
    let name = |path: &str| {
        let finding = list(&report["findings"])
            .iter()
            .find(|it| it["path"] == path);
        let whole = finding.unwrap()["occurrence"].as_str().unwrap();
        whole.split('.').next().unwrap().to_owned()
    };
    let (old, new) = (name("a.py"), name("b.py"));
    // Files, then history; of the name, as many digits as it takes.
    for id in [&new[..], &new[..12], &format!("{new}.2")] {
        let ran = world.run(&["explain", id]).code(0);
        let ran = ran.prints(&format!("{new}\nerror[generic-password]"));
        let ran = ran
            .prints("  b.py:1:13  password\n")
            .prints("  c.py:1:13  password\n");
        ran.prints("  next: ")
            .prints("more: keyatlas explain generic-password")
            .keeps(&drawn("b"));
    }
    let ran = world.run(&["explain", &old]).code(0);
    ran.prints("    since 2026-03-04 by Ada Example (commit ")
        .keeps("b.py");
    for file in ["all.json", "all.jsonl"] {
        let ran = world.run(&["explain", &old, "--report", file]).code(0);
        ran.prints("  a.py:1:13  password\n").keeps("b.py");
    }
    world
        .run(&["explain", "ko1:", "--report", "all.json"])
        .refused("several occurrences begin so", "write more of its digits");
    world
        .run(&["explain", "ko1:zz"])
        .refused("ko1:zz: nothing goes by this name", "--report FILE");
    let elsewhere = world.run(&["explain", "ko1:zz", "--report", "all.json"]);
    elsewhere.refused("ko1:zz: nothing goes by this name", "newer report");
    world.write("other.json", "{\"runs\": []}");
    let other = world.run(&["explain", &old, "--report", "other.json"]);
    other.refused(
        "other.json: neither a JSON report nor JSON lines",
        "--format json=FILE",
    );
    // What was accepted is explained too.
    let line = [
        "waive",
        &new,
        "--until",
        "2199-01-01",
        "--reason",
        "a sample",
        "--owner",
        "ada",
    ];
    let told = world.run(&line).code(0).out;
    let new = told.split(' ').next().unwrap();
    world
        .run(&["explain", new])
        .code(0)
        .prints("    waived until 2199-01-01 by ada: a sample");
    // Its name stands in the report for people.
    world
        .run(&["scan", "--no-ignore", "--history"])
        .code(1)
        .prints("  occurrence ko1:");
}

#[test]
fn a_path_is_explained_by_what_leaves_it_out() {
    let world = World::committed();
    world
        .write(".gitignore", "node_modules/\n")
        .write(".keyatlasignore", "samples/\n");
    world.write("keyatlas.toml", "exclude = [\"*.snap\"]\nmax-size = 200\n");
    for path in ["node_modules/x/a.js", "samples/a.py", "b.snap", "deep/a.py"] {
        world.write(path, leak("a"));
    }
    world.write("large.txt", "clean ".repeat(100));
    for (path, left, reason, next) in [
        (
            "node_modules/x/a.js",
            "node_modules",
            "ignored-folder",
            "--no-ignore",
        ),
        ("samples/a.py", "samples", "excluded", "--no-ignore"),
        ("b.snap", "b.snap", "excluded", "--no-ignore"),
        ("large.txt", "large.txt", "too-large", "--max-size"),
        (".git/HEAD", ".git", "excluded", "keyatlas scan --history"),
    ] {
        let ran = world.run(&["explain", "--path", path]).code(0);
        let ran = ran.prints(&format!("{path}: not read\n  {left} ({reason}): "));
        ran.prints(&format!("  next: {next}"));
    }
    let ran = world.run(&["explain", "--path", "deep/a.py"]).code(0);
    let ran =
        ran.prints("deep/a.py: read, 1 found there\n  deep/a.py:1:13  generic-password  ko1:");
    ran.keeps(&drawn("a"));
    world
        .run(&["explain", "--path", "deep"])
        .code(0)
        .prints("deep: read, 1 found there");
    world
        .run(&["explain", "--path", "none"])
        .refused("none: there is no such file", "hint: ");
    world.run(&["explain"]).refused("<ID>", "Usage: ");
    world
        .run(&["explain", "exposed", "--path", "deep"])
        .refused("--path", "Usage: ");
}
