//! Hooks: setting them up beside what is there, and what they say to someone who commits.

use crate::world::{World, drawn, leak, ran};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn stage(world: &World, path: &str, text: &str) {
    world.write(path, text);
    world.git(&["add", path]);
}

#[test]
fn a_hook_that_is_set_up_stops_a_commit_with_a_secret() {
    let world = World::committed();
    let ran = world.run(&["hook", "install"]).code(0);
    assert!(ran.out.trim().ends_with("pre-commit"), "{}", ran.out);
    stage(&world, "a.py", &leak("a"));
    let stopped = world.try_git(&["commit", "--message", "leak"]);
    assert_ne!(stopped.code, Some(0));
    let stopped = stopped
        .says("a.py:1:13")
        .says("keyatlas stopped this commit");
    stopped.says("keyatlas waive ko1:").keeps(&drawn("a"));
    stage(&world, "a.py", "clean\n");
    let passed = world
        .try_git(&["commit", "--quiet", "--message", "clean"])
        .code(0);
    assert_eq!((passed.out.as_str(), passed.err.as_str()), ("", ""));
}

#[test]
fn a_hook_that_is_there_already_stays() {
    let world = World::committed();
    let path = ".git/hooks/pre-commit";
    world.write(path, "#!/bin/sh\nexit 0\n");
    let ran = world.run(&["hook", "install"]);
    ran.refused(
        "pre-commit: another hook is there",
        "keyatlas hook pre-commit || exit $?",
    );
    assert_eq!(world.read(path), "#!/bin/sh\nexit 0\n");
    let forced = world.run(&["hook", "install", "--force"]).code(0);
    forced.prints("the hook that was there is kept as");
    assert_eq!(
        world.read(&format!("{path}.before-keyatlas")),
        "#!/bin/sh\nexit 0\n"
    );
    let ours = world.read(path);
    assert!(ours.contains("keyatlas hook pre-commit"), "{ours}");
    // Ours is renewed without a word, and nothing is moved aside again.
    world.run(&["hook", "install"]).code(0).keeps("kept as");
    assert_eq!(world.read(path), ours);
    assert_eq!(fs::read_dir(world.path(".git/hooks")).unwrap().count(), 2);
}

#[test]
fn hooks_go_where_git_looks_for_them() {
    let world = World::committed();
    world.git(&["config", "core.hooksPath", "shared/hooks"]);
    world.run(&["hook", "install", "pre-commit"]).code(0);
    assert!(world.path("shared/hooks/pre-commit").is_file());
    assert!(!world.path(".git/hooks/pre-commit").exists());
    let plain = World::new();
    plain
        .run(&["hook", "install"])
        .refused("could not find repository", "inside the repository");
}

#[test]
fn a_hook_is_silent_about_what_is_clean_and_says_when_there_was_nothing() {
    let world = World::committed();
    stage(&world, "a.txt", "clean\n");
    let ran = world.run(&["hook", "pre-commit"]).code(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    world.git(&["commit", "--quiet", "--message", "clean"]);
    world
        .run(&["hook", "pre-commit"])
        .code(0)
        .says("nothing is staged");
    world.write("b.py", leak("b"));
    let named = world.run(&["hook", "pre-commit", "b.py"]).code(0);
    named.says("none of the files named is staged");
}

#[test]
fn a_hook_never_shows_values() {
    let world = World::committed();
    stage(&world, "a.py", &leak("a"));
    let ran = world.run(&["hook", "pre-commit", "--show-secrets"]);
    ran.refused(
        "--show-secrets is refused in hooks",
        "keyatlas scan --staged --show-secrets",
    )
    .keeps(&drawn("a"));
    world
        .run(&["hook", "pre-commit"])
        .code(1)
        .prints("****")
        .keeps(&drawn("a"));
    let json = world
        .run(&["hook", "pre-commit", "--format", "json"])
        .code(1);
    assert_eq!(json.json()["findings"][0]["secret"], "****");
}

#[test]
fn a_hook_leaves_out_what_the_settings_leave_out() {
    let world = World::committed();
    stage(&world, "samples/a.py", &leak("a"));
    world.run(&["hook", "pre-commit"]).code(1);
    world.write("keyatlas.toml", "exclude = [\"samples/\"]\n");
    world.run(&["hook", "pre-commit"]).code(0);
    world.run(&["hook", "pre-commit", "--no-ignore"]).code(1);
    fs::remove_file(world.path("keyatlas.toml")).unwrap();
    world.write(".keyatlasignore", "samples/\n");
    let ran = world
        .run(&["hook", "pre-commit", "--format", "json"])
        .code(0);
    assert_eq!(ran.json()["coverage"]["skipped"][0]["path"], "samples/a.py");
    fs::remove_file(world.path(".keyatlasignore")).unwrap();
    let stopped = world
        .run(&["hook", "pre-commit", "--max-size", "9"])
        .code(3);
    stopped.says("not everything staged could be read");
}

#[test]
fn a_commit_of_some_paths_is_judged_by_the_index_that_git_makes_for_it() {
    let world = World::committed();
    world.run(&["hook", "install"]).code(0);
    world.commit(&[("a.py", "clean\n"), ("b.py", "clean\n")], "two files");
    world.write("a.py", leak("a")).write("b.py", "better\n");
    world.git(&["commit", "--quiet", "--message", "b", "b.py"]);
    let stopped = world.try_git(&["commit", "--message", "a", "a.py"]);
    assert_ne!(stopped.code, Some(0));
    stopped.says("a.py:1:13");
    assert_ne!(
        world.try_git(&["commit", "--all", "--message", "a"]).code,
        Some(0)
    );
}

#[test]
fn the_hooks_of_the_pre_commit_framework_run() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let page = fs::read_to_string(page).unwrap();
    let hooks: Vec<BTreeMap<String, Value>> = serde_saphyr::from_str(&page).unwrap();
    let told =
        |hook: &BTreeMap<String, Value>, field: &str| hook[field].as_str().unwrap().to_owned();
    let languages: Vec<_> = hooks
        .iter()
        .map(|it| (told(it, "id"), told(it, "language")))
        .collect();
    let pair = |id: &str, language: &str| (id.to_owned(), language.to_owned());
    assert_eq!(
        languages,
        [
            pair("keyatlas", "rust"),
            pair("keyatlas-system", "system"),
            pair("keyatlas-push", "rust"),
            pair("keyatlas-push-system", "system"),
        ]
    );
    for hook in &hooks {
        // It reads the index itself; names of files would only narrow that.
        assert_eq!(hook["pass_filenames"], false);
        assert_eq!(hook["always_run"], true);
        let is_push = told(hook, "id").contains("push");
        let stage_of = if is_push { "pre-push" } else { "pre-commit" };
        assert_eq!(hook["stages"], serde_json::json!([stage_of]));
        let entry = told(hook, "entry");
        let words: Vec<&str> = entry.split(' ').collect();
        let world = World::committed();
        let run = || {
            let mut command = world.program(words[0]);
            // As the framework tells of a push.
            command.env("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main");
            ran(command.args(&words[1..]), &words, b"")
        };
        stage(&world, "b.txt", "clean\n");
        if is_push {
            world.git(&["commit", "--quiet", "--message", "b"]);
        }
        run().code(0);
        stage(&world, "a.py", &leak("a"));
        if is_push {
            world.git(&["commit", "--quiet", "--message", "a"]);
        }
        run().code(1).prints("a.py:1:13");
    }
}
