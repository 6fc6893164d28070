//! The settings file, the environment and flags: what is refused, what weighs more, what is left out.

use crate::world::{World, each, gaps, leak, list};
use std::fs;

#[test]
fn keys_that_do_not_exist_are_refused_with_the_nearest_and_their_place() {
    let world = World::new();
    let file = "# settings\nexlude = [\"a\"]\n[rotation]\ndefault_days = 3\n";
    world.write("keyatlas.toml", file);
    let ran = world.run(&["scan"]).refused(
        "keyatlas.toml:2:1: unknown key `exlude`; did you mean `exclude`?",
        "hint: nothing was scanned; correct the file, or name another with --config",
    );
    ran.says("keyatlas.toml:4:1: unknown key `rotation.default_days`; did you mean `rotation.default-days`?");
    world.write("keyatlas.toml", "jobs = \n");
    world.run(&["scan"]).refused("keyatlas.toml:1:", "hint: ");
    world
        .run(&["rules", "list"])
        .refused("keyatlas.toml:1:", "hint: ");
}

#[test]
fn a_settings_file_that_is_named_must_be_there() {
    let world = World::new();
    let flag = world.run(&["scan", "--config", "mine.toml"]);
    flag.refused(
        "mine.toml: ",
        "hint: nothing was scanned; name the settings file with --config",
    );
    let variable = world.run_with(&[("KEYATLAS_CONFIG", "mine.toml")], &["scan"]);
    variable.refused("mine.toml: ", "hint: ");
}

#[test]
fn a_flag_weighs_more_than_the_environment_and_that_more_than_the_file() {
    let world = World::new();
    world.write("keyatlas.toml", "max-depth = 1\nfail-on = \"error\"\n");
    world.write("other.toml", "max-depth = 2\n");
    let plan = |variables: &[(&str, &str)], extra: &[&str]| {
        let all = [&["scan", "--show-plan"], extra].concat();
        world.run_with(variables, &all).code(0).out
    };
    let variable = [("KEYATLAS_CONFIG", "other.toml")];
    for (shown, depth, level) in [
        (plan(&[], &[]), "max-depth = 1\n", "fail-on = \"error\"\n"),
        (
            plan(&variable, &[]),
            "max-depth = 2\n",
            "fail-on = \"warning\"\n",
        ),
        (
            plan(&variable, &["--max-depth", "3", "--fail-on", "note"]),
            "max-depth = 3\n",
            "fail-on = \"note\"\n",
        ),
        (
            plan(&variable, &["--config", "keyatlas.toml"]),
            "max-depth = 1\n",
            "fail-on = \"error\"\n",
        ),
    ] {
        assert!(shown.contains(depth) && shown.contains(level), "{shown}");
    }
}

#[test]
fn the_plan_is_a_settings_file_and_scans_nothing() {
    let world = World::new();
    world.write("a.py", leak("a"));
    let flags = [
        "scan",
        "--show-plan",
        "--jobs",
        "3",
        "--max-size",
        "5K",
        "--min-confidence",
        "high",
    ];
    let shown = world.run(&flags).code(0);
    assert_eq!(shown.err, "");
    assert!(
        shown.out.starts_with("# mode: files and folders\n"),
        "{}",
        shown.out
    );
    world.write("plan.toml", &shown.out);
    let again = world
        .run(&["scan", "--show-plan", "--config", "plan.toml"])
        .code(0);
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|it| !it.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(values(&shown.out), values(&again.out));
    assert!(shown.out.contains("jobs = 3\n") && shown.out.contains("max-size = 5120\n"));
    world.run(&["scan", "--config", "plan.toml"]).code(1);
}

#[test]
fn a_settings_file_of_a_scanned_folder_loosens_nothing() {
    let world = World::new();
    world.write("theirs/keyatlas.toml", "exclude = [\"*\"]\n");
    world.write("theirs/a.py", leak("a"));
    world.run(&["scan", "theirs"]).code(1).prints("a.py:1:13");
}

#[test]
fn exclusions_of_the_settings_are_counted() {
    let world = World::new();
    world.write("keyatlas.toml", "exclude = [\"generated/\", \"*.snap\"]\n");
    world
        .write("generated/a.py", leak("a"))
        .write("x/b.snap", leak("b"));
    let ran = world.run(&["scan", "--format", "json"]).code(0);
    assert_eq!(
        gaps(&ran.json()),
        ["generated excluded", "x/b.snap excluded"]
    );
    let ran = world
        .run(&["scan", "--no-ignore", "--format", "json"])
        .code(1);
    assert_eq!(gaps(&ran.json()), [""; 0]);
    assert_eq!(list(&ran.json()["findings"]).len(), 2);
    world.write("keyatlas.toml", "exclude = [\"a{b\"]\n");
    world
        .run(&["scan"])
        .refused("exclusion pattern `a{b`", "as in .gitignore");
}

#[test]
fn our_ignore_files_leave_out_and_take_back() {
    let world = World::new();
    world.write(".keyatlasignore", "/samples/\n*.log\n");
    world.write("deep/.keyatlasignore", "!kept.log\n");
    world.write("samples/a.py", leak("a"));
    world
        .write("deep/kept.log", leak("b"))
        .write("deep/other.log", leak("c"));
    let ran = world.run(&["scan", "--format", "json"]).code(1);
    assert_eq!(each(&ran.json()["findings"], "path"), ["deep/kept.log"]);
    assert_eq!(
        gaps(&ran.json()),
        ["deep/other.log excluded", "samples excluded"]
    );
    let all = world.scan(&["--no-ignore"]);
    assert_eq!(list(&all["findings"]).len(), 3);
}

#[test]
fn ignored_folders_of_dependencies_are_left_out_and_ignored_files_are_not() {
    let world = World::committed();
    world.write(".gitignore", "node_modules/\n.env\nplain/\n");
    world.write("node_modules/x/a.js", leak("a"));
    world
        .write(".env", leak("b"))
        .write("plain/c.py", leak("c"));
    let ran = world.run(&["scan", "--format", "json"]).code(1);
    assert_eq!(gaps(&ran.json()), ["node_modules ignored-folder"]);
    assert_eq!(
        each(&ran.json()["findings"], "path"),
        [".env", "plain/c.py"]
    );
    assert_eq!(list(&world.scan(&["--no-ignore"])["findings"]).len(), 3);
    // What git tracks is scanned, whatever its folder is called.
    world.git(&["add", "--force", "node_modules/x/a.js"]);
    assert_eq!(list(&world.scan(&[])["findings"]).len(), 3);
    fs::remove_file(world.path(".gitignore")).unwrap();
    assert_eq!(list(&world.scan(&[])["findings"]).len(), 3);
}

#[test]
fn rules_are_switched_off_and_weak_findings_dropped() {
    let world = World::new();
    world.write("a.py", leak("a"));
    world.write("off.toml", "disable-rules = [\"generic-password\"]\n");
    world
        .run(&["scan", "a.py"])
        .code(1)
        .prints("[generic-password]");
    world.run(&["scan", "a.py", "--config", "off.toml"]).code(0);
    world.write("odd.toml", "disable-rules = [\"generic-pasword\"]\n");
    let odd = world.run(&["scan", "a.py", "--config", "odd.toml"]);
    odd.refused(
        "disabled rule `generic-pasword` does not exist",
        "`keyatlas rules list`",
    );
    let count =
        |confidence: &str| list(&world.scan(&["--min-confidence", confidence])["findings"]).len();
    assert!(count("low") >= count("high"));
}
