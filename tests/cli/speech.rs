//! What is said beside the report, in which colours; completions and manual pages.

use crate::world::{World, leak};

#[test]
fn quiet_says_nothing_and_verbose_says_what_is_in_force() {
    let world = World::new();
    world
        .write("a.py", leak("a"))
        .write(".keyatlasignore", "b.py\n")
        .write("b.py", "x\n");
    let usual = world.run(&["scan"]).code(1);
    assert_eq!(usual.err.lines().count(), 1, "{}", usual.err);
    let quiet = world.run(&["scan", "--quiet"]).code(1);
    assert_eq!((quiet.err.as_str(), &quiet.out), ("", &usual.out));
    let verbose = world.run(&["scan", "-v"]).code(1);
    assert!(!usual.out.contains("  confidence "), "{}", usual.out);
    verbose
        .prints("  confidence high: + the name of a password; + characters of three kinds\n")
        .says("mode: files and folders\n")
        .says("settings file: none\n")
        .says("rules in force: ")
        .says("not read: b.py (excluded): excluded by .keyatlasignore\n");
    // An error is said in any case.
    world
        .run(&["scan", "--quiet", "nope"])
        .refused("nope: ", "hint: ");
}

#[test]
fn colours_reach_terminals_only_unless_asked_for() {
    let world = World::new();
    world.write("in/a.py", leak("a"));
    let escape = "\u{1b}[";
    let scan = |extra: &[&str]| world.run(&[&["scan", "in"], extra].concat()).code(1);
    scan(&[]).keeps(escape);
    scan(&["--color", "never"]).keeps(escape);
    scan(&["--color", "always"]).prints(escape);
    let shown = world.run_with(&[("NO_COLOR", "1")], &["scan", "in", "--color", "always"]);
    shown.code(1).prints(escape);
    // Machines and files get none, whatever was asked for.
    scan(&["--color", "always", "--format", "json"]).keeps(escape);
    scan(&["--color", "always", "--format", "human=o.txt"]);
    assert!(!world.read("o.txt").contains(escape));
    let refused = world.run(&["scan", "nope", "--color", "always"]).code(2);
    refused.says("\u{1b}[1m\u{1b}[31merror\u{1b}[0m: nope");
}

#[test]
fn progress_is_shown_where_asked_for_and_on_standard_error() {
    let world = World::new();
    for at in 0..300 {
        world.write(&format!("f{at}"), "x\n");
    }
    let shown = world.run(&["scan", "--progress", "always"]).code(0);
    assert!(!shown.out.contains("scanning:"));
    shown.says("scanning: 256 files and objects");
    world.run(&["scan"]).code(0).keeps("scanning:");
    world
        .run(&["scan", "--progress", "never"])
        .code(0)
        .keeps("scanning:");
}

#[test]
fn names_of_strange_files_do_not_steer_the_terminal() {
    let world = World::new();
    let name = if cfg!(windows) {
        "a\u{202e}b.py"
    } else {
        "a\u{1b}[2J\u{202e}b.py"
    };
    world.write(name, leak("a"));
    let ran = world
        .run(&["scan", "--verbose"])
        .code(1)
        .prints("\\u{202e}b.py:1:13");
    ran.keeps("\u{202e}").keeps("\u{1b}");
    world
        .run(&["scan", "no\u{1b}[2Jpe"])
        .code(2)
        .says("no\\u{1b}[2Jpe")
        .keeps("\u{1b}");
}

#[test]
fn every_shell_gets_a_completion_script() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = world.run(&["completions", shell]).code(0);
        ran.prints("keyatlas").prints("require-complete");
    }
    world.run(&["completions", "tcsh"]).refused("tcsh", "bash");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let world = World::new();
    world.run(&["man"]).code(0).prints(".TH keyatlas 1");
    world.run(&["man", "--dir", "pages"]).code(0);
    for page in [
        "keyatlas.1",
        "keyatlas-scan.1",
        "keyatlas-inventory-import.1",
    ] {
        assert!(
            world.read(&format!("pages/{page}")).contains(".TH"),
            "{page}"
        );
    }
}
