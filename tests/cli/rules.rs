//! Rules from outside: listed, shown, tested, explained.

use crate::world::{World, list};

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
    world
        .run(&["explain", "exposd"])
        .refused("`exposd` is neither", "did you mean `exposed`?");
}
