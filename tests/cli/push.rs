//! Hooks of a push: real pushes to a bare repository, on the side that pushes and on the one that receives.

use crate::world::{Ran, World, drawn, leak, ran};
use std::fs;

/// A repository and the bare one that it pushes to, which has its first commit.
fn served() -> World {
    let world = World::committed();
    world.git(&["clone", "--quiet", "--bare", ".", "../server.git"]);
    let url = format!("file://{}", world.path("../server.git").display());
    world.git(&["remote", "add", "origin", &url]);
    world.git(&["fetch", "--quiet", "origin"]);
    world
}

/// The same where the other side looks at what it is sent.
fn guarded() -> World {
    let world = served();
    let installed = on_server(&world, &["hook", "install"]).code(0);
    installed.prints("pre-receive");
    world
}

/// The same where this side looks at what it sends.
fn careful() -> World {
    let world = served();
    world.run(&["hook", "install", "pre-push"]).code(0);
    world
}

fn on_server(world: &World, arguments: &[&str]) -> Ran {
    let mut command = world.keyatlas();
    command.current_dir(world.path("../server.git"));
    ran(command.args(arguments), arguments, b"")
}

fn refs(world: &World) -> String {
    world.git(&["--git-dir", "../server.git", "for-each-ref"])
}

/// A push that must go through, or else must not, and then leaves no trace.
fn push(world: &World, arguments: &[&str], is_taken: bool) -> Ran {
    let before = refs(world);
    let line = [&["push", "--quiet"], arguments].concat();
    let ran = world.try_git(&line);
    let is_changed = refs(world) != before;
    assert_eq!(ran.code == Some(0), is_taken, "{line:?} {}", ran.err);
    assert!(is_taken || !is_changed, "{line:?}");
    ran
}

fn commit(world: &World, path: &str, text: &str) -> String {
    world.commit(&[(path, text)], "more")
}

/// What is pushed, and whether it brings a secret, named `x`, that the other side does not have.
struct Case {
    name: &'static str,
    build: fn(&World),
    push: &'static [&'static str],
    is_clean: bool,
}

const MAIN: &[&str] = &["origin", "main"];

fn evil_merge(world: &World) {
    world.git(&["checkout", "--quiet", "-b", "side"]);
    commit(world, "b.txt", "side\n");
    world.git(&["checkout", "--quiet", "main"]);
    commit(world, "c.txt", "main\n");
    world.git(&["push", "--quiet", "--no-verify", "origin", "main", "side"]);
    world.git(&["merge", "--quiet", "--no-commit", "side"]);
    commit(world, "a.py", &leak("x"));
    world.git(&["rm", "--quiet", "a.py"]);
    world.git(&["commit", "--quiet", "--no-verify", "--message", "out"]);
}

fn tag(world: &World, message: &str, target: &str) {
    world.git(&["tag", "--annotate", "--message", message, "v1", target]);
}

const CASES: &[Case] = &[
    Case {
        name: "clean",
        build: |world| drop(commit(world, "a.py", "clean\n")),
        push: MAIN,
        is_clean: true,
    },
    Case {
        name: "taken out again",
        build: |world| {
            commit(world, "a.py", &leak("x"));
            commit(world, "a.py", "clean\n");
        },
        push: MAIN,
        is_clean: false,
    },
    Case {
        name: "only in a merge",
        build: evil_merge,
        push: MAIN,
        is_clean: false,
    },
    Case {
        name: "second of two branches",
        build: |world| {
            commit(world, "b.txt", "clean\n");
            world.git(&["checkout", "--quiet", "-b", "side"]);
            commit(world, "a.py", &leak("x"));
        },
        push: &["origin", "main", "side"],
        is_clean: false,
    },
    Case {
        name: "forced",
        build: |world| {
            commit(world, "b.txt", "one\n");
            world.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
            world.write("a.py", leak("x"));
            world.git(&["add", "a.py"]);
            world.git(&[
                "commit",
                "--quiet",
                "--no-verify",
                "--amend",
                "--message",
                "x",
            ]);
        },
        push: &["--force", "origin", "main"],
        is_clean: false,
    },
    Case {
        name: "message of a commit",
        build: |world| {
            let message = format!("Add\n\n{}", leak("x"));
            world.commit(&[("b.txt", "clean\n")], &message);
        },
        push: MAIN,
        is_clean: false,
    },
    Case {
        name: "message of a tag",
        build: |world| tag(world, &leak("x"), "main"),
        push: &["origin", "v1"],
        is_clean: false,
    },
    Case {
        name: "tag of a folder",
        build: |world| {
            commit(world, "a.py", &leak("x"));
            tag(world, "folder", "main^{tree}");
        },
        push: &["origin", "v1"],
        is_clean: false,
    },
    Case {
        name: "ref to a file",
        build: |world| {
            commit(world, "a.py", &leak("x"));
            world.git(&["tag", "file", "main:a.py"]);
        },
        push: &["origin", "file"],
        is_clean: false,
    },
    Case {
        name: "tag of what is there",
        build: |world| tag(world, "first", "main"),
        push: &["origin", "v1"],
        is_clean: true,
    },
    Case {
        name: "deletion",
        build: |world| {
            world.git(&["push", "--quiet", "--no-verify", "origin", "main:side"]);
        },
        push: &["origin", ":side"],
        is_clean: true,
    },
    Case {
        name: "new branch of what is there",
        build: |world| {
            commit(world, "a.py", &leak("x"));
            commit(world, "a.py", "clean\n");
            world.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
        },
        push: &["origin", "main~1:refs/heads/old"],
        is_clean: true,
    },
];

/// Each case with a world of its own.
fn hold(make: fn() -> World, stopped: &str) {
    for case in CASES {
        let world = make();
        // What prepares a case is let through.
        let hook = world.path("../server.git/hooks/pre-receive");
        let aside = world.path("../aside");
        let is_guarded = fs::rename(&hook, &aside).is_ok();
        (case.build)(&world);
        if is_guarded {
            fs::rename(&aside, &hook).unwrap();
        }
        let ran = push(&world, case.push, case.is_clean).keeps(&drawn("x"));
        let is_told = ran.err.contains(stopped);
        assert_eq!(is_told, !case.is_clean, "{}: {}", case.name, ran.err);
    }
}

#[test]
fn what_a_push_brings_is_looked_at_before_it_leaves() {
    hold(careful, "keyatlas stopped this push");
}

#[test]
fn what_a_push_brings_is_looked_at_before_it_is_taken_in() {
    hold(guarded, "remote: keyatlas refused this push");
}

#[test]
fn who_pushes_is_told_what_to_do() {
    let world = guarded();
    commit(&world, "a.py", &leak("a"));
    let told = push(&world, MAIN, false).keeps(&drawn("a"));
    let told = told.says("remote:   a.py:1:13").says("no ref was changed");
    let told = told
        .says("git rebase --interactive")
        .says("keyatlas waive ko1:");
    assert!(told.err.contains("on the default branch first"));
    // Nothing of it stays behind.
    let id = world.git(&["rev-parse", "main"]);
    let left = world.try_git(&["--git-dir", "../server.git", "cat-file", "-e", &id]);
    assert_ne!(left.code, Some(0));
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    commit(&world, "a.py", "clean\n");
    let quiet = push(&world, MAIN, true);
    assert_eq!(quiet.err, "");
}

#[test]
fn a_first_push_brings_everything() {
    for (make, hook) in [(guarded as fn() -> World, "receive"), (careful, "push")] {
        let world = make();
        commit(&world, "a.py", &leak("a"));
        commit(&world, "a.py", "clean\n");
        world.git(&["init", "--quiet", "--bare", "--template=", "../empty.git"]);
        let from = world.path("../server.git/hooks");
        if hook == "receive" {
            fs::rename(from, world.path("../empty.git/hooks")).unwrap();
        }
        let url = format!("file://{}", world.path("../empty.git").display());
        let stopped = world.try_git(&["push", "--quiet", &url, "main"]);
        assert_ne!(stopped.code, Some(0), "{hook}");
        assert!(format!("{}{}", stopped.out, stopped.err).contains("a.py:1:13"));
        stopped.keeps(&drawn("a"));
        let first = world.git(&["rev-list", "--max-parents=0", "main"]);
        let line = ["push", "--quiet", &url, &format!("{first}:refs/heads/main")];
        world.try_git(&line).code(0);
    }
}

#[test]
fn a_push_cannot_accept_itself() {
    let world = guarded();
    let comment = format!(
        "{}  # keyatlas:allow generic-password until=2999-01-01 mine\n",
        leak("a").trim_end()
    );
    world.write("a.py", &comment);
    let document = world.scan(&["a.py"]);
    assert!(document["findings"][0]["waived"].is_object(), "{document}");
    world.write("a.py", leak("a"));
    let line = ["baseline", "--reason", "invented", "--until", "2999-01-01"];
    world.run(&line).code(0);
    world.write(
        "keyatlas.toml",
        "exclude = [\"*.py\"]\nfail-on = \"error\"\n",
    );
    world.write(".keyatlasignore", "*.py\n");
    world.write("b.py", comment.replace(&drawn("a"), &drawn("b")));
    world.run(&["scan"]).code(0);
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "all at once"]);
    push(&world, MAIN, false)
        .says("a.py:1:13")
        .says("b.py:1:13");
    // On another branch than the default one it counts for nothing either.
    world.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    world.git(&["reset", "--quiet"]);
    world.git(&["checkout", "--quiet", "-b", "side"]);
    world.git(&[
        "add",
        ".keyatlas-waivers",
        "keyatlas.toml",
        ".keyatlasignore",
    ]);
    world.git(&["commit", "--quiet", "--message", "settings"]);
    push(&world, &["origin", "side"], true);
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "files"]);
    push(&world, &["origin", "side"], false);
    // Taken in by a push of their own, they count.
    push(&world, &["origin", "side~1:main"], true);
    push(&world, &["origin", "side"], true);
}

#[test]
fn waivers_rules_and_ignore_files_of_the_default_branch_count() {
    let rule = "[[rule]]\nid = \"plum\"\ntitle = \"Plum\"\nkeywords = [\"plum-\"]\n\
        pattern = '''(?P<secret>plum-[a-z]{8})'''\nconfidence = \"high\"\nseverity = \"high\"\n\
        kind = \"api-token\"\nprovider = \"generic\"\nwhy = \"https://plum.example\"\n\
        rotation = \"Make another.\"\nexamples = [\"plum-{{a-z:8}}\"]\n";
    for (path, text, is_taken) in [
        (".keyatlasignore", "/deep/\n", true),
        ("deep/.keyatlasignore", "b.*\n", true),
        ("deep/.keyatlasignore", "a.*\n", false),
        ("keyatlas.toml", "exclude = [\"deep/\"]\n", true),
        (
            "keyatlas.toml",
            "disable-rules = [\"generic-password\"]\n",
            true,
        ),
        (
            "keyatlas.toml",
            "rules = [\"own\"]\ndisable-rules = [\"generic-password\"]\n",
            false,
        ),
        ("keyatlas.toml", "exclude = 1\n", false),
    ] {
        let world = guarded();
        let files = [(path, text), ("own/plum.toml", rule)];
        world.commit(&files, "settings");
        push(&world, MAIN, true);
        let text = format!("{}# plum-{}\n", leak("a"), "xkcdqwrt");
        commit(&world, "deep/b.py", &text);
        push(&world, MAIN, is_taken);
    }
}

#[test]
fn a_fault_in_the_settings_is_told_and_can_be_mended() {
    for (path, text, word) in [
        ("keyatlas.toml", "colour = 1\n", "unknown key `colour`"),
        (
            "keyatlas.toml",
            "rules = [\"gone.toml\"]\n",
            "there is no such rule file",
        ),
        (".keyatlas-waivers", "nonsense\n", "line 1"),
    ] {
        let world = guarded();
        commit(&world, path, text);
        push(&world, MAIN, true);
        commit(&world, "a.py", &leak("a"));
        push(&world, MAIN, false)
            .says(word)
            .says("counts for nothing");
        world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        world.git(&["rm", "--quiet", path]);
        world.git(&["commit", "--quiet", "--message", "mended"]);
        push(&world, MAIN, true).says(word);
        commit(&world, "b.py", "clean\n");
        assert_eq!(push(&world, MAIN, true).err, "");
    }
}

#[test]
fn a_bare_repository_is_judged_by_its_head() {
    let world = served();
    commit(&world, "a.py", &leak("a"));
    let line = ["baseline", "--reason", "invented", "--until", "2999-01-01"];
    world.run(&line).code(0);
    commit(&world, "b.txt", "clean\n");
    world.git(&["push", "--quiet", "origin", "main"]);
    on_server(&world, &["scan", "--since", "HEAD~2"]).code(0);
    on_server(&world, &["scan", "--history"]).code(0);
    world.run(&["scan", "--history", "../server.git"]).code(0);
    world.git(&["rm", "--quiet", ".keyatlas-waivers"]);
    commit(&world, "keyatlas.toml", "colour = 1\n");
    world.git(&["push", "--quiet", "origin", "main"]);
    on_server(&world, &["scan"]).refused("HEAD:keyatlas.toml:1:1", "correct the file");
    let ran = on_server(&world, &["baseline", "--reason", "x"]);
    assert_eq!(ran.code, Some(2));
}

#[test]
fn the_owner_of_the_server_has_the_last_word() {
    let world = guarded();
    commit(
        &world,
        "keyatlas.toml",
        "[hook]\nmessage = \"Ask Ada\\u0007.\"\n",
    );
    push(&world, MAIN, true);
    commit(&world, "a.py", &leak("a"));
    push(&world, MAIN, false).says("remote: Ask Ada\\u{7}.");
    world.write("../own.toml", "[hook]\nmessage = \"Ask Cy.\"\n");
    let own = world.path("../own.toml");
    let pushed = |more: &str| {
        fs::write(&own, format!("{more}\n{}", world.read("../own.toml"))).unwrap();
        let mut command = world.program("git");
        command.env("KEYATLAS_CONFIG", &own);
        let line = ["push", "--quiet", "origin", "main"];
        ran(command.args(line), &line, b"").keeps(&drawn("a"))
    };
    let stopped = pushed("").says("remote: Ask Cy.");
    assert_ne!(stopped.code, Some(0));
    // What could not be read is not let in, and that is said.
    let stopped = pushed("max-size = 9").says("not everything it brings could be read");
    assert_ne!(stopped.code, Some(0));
    pushed("exclude = [\"a.py\"]").code(0);
}

#[test]
fn a_push_that_brings_nothing_says_so() {
    let world = careful();
    let nothing = "keyatlas: nothing is pushed, so zero bytes were scanned";
    push(&world, MAIN, true).says(nothing);
    push(&world, &["origin", "main:refs/heads/other"], true).says("has all of it already");
    push(&world, &["origin", ":other"], true).says(nothing);
    commit(&world, "a.py", "clean\n");
    assert_eq!(push(&world, MAIN, true).err, "");
}

#[test]
fn a_push_by_address_knows_what_the_other_side_has() {
    let world = careful();
    commit(&world, "a.py", &leak("a"));
    world.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
    let url = format!("file://{}", world.path("../server.git").display());
    push(&world, &[&url, "main:refs/heads/by-address"], true);
    // A folder is another name for it, of which nothing is known but the ref itself.
    let folder = world.path("../server.git");
    let folder = folder.to_str().unwrap();
    push(&world, &[folder, "main:refs/heads/by-folder"], false);
    commit(&world, "b.py", "clean\n");
    push(&world, &[folder, "main"], true);
}

#[test]
fn what_the_other_side_has_and_this_has_not_is_no_obstacle() {
    let world = careful();
    world.git(&["clone", "--quiet", "../server.git", "../second"]);
    world.write("../second/c.txt", "theirs\n");
    world.git(&["-C", "../second", "add", "c.txt"]);
    world.git(&[
        "-C",
        "../second",
        "commit",
        "--quiet",
        "--message",
        "theirs",
    ]);
    world.git(&["-C", "../second", "push", "--quiet", "origin", "main"]);
    commit(&world, "a.py", &leak("a"));
    push(&world, &["--force", "origin", "main"], false).prints("a.py:1:13");
    commit(&world, "a.py", "clean\n");
    world.git(&["reset", "--quiet", "--soft", "HEAD~2"]);
    world.git(&["commit", "--quiet", "--message", "both"]);
    push(&world, &["--force", "origin", "main"], true);
}

#[test]
fn a_push_is_held_to_the_waivers_of_the_work_tree() {
    let world = careful();
    commit(&world, "a.py", &leak("a"));
    push(&world, MAIN, false);
    let line = ["baseline", "--reason", "invented", "--until", "2999-01-01"];
    world.run(&line).code(0);
    push(&world, MAIN, true);
    // A linked work tree has its own.
    let line = ["worktree", "add", "--quiet", "-b", "side", "../linked"];
    world.git(&line);
    world.write("../linked/b.py", leak("b"));
    world.git(&["-C", "../linked", "add", "b.py"]);
    world.git(&["-C", "../linked", "commit", "--quiet", "--message", "b"]);
    let send = ["-C", "../linked", "push", "--quiet", "origin", "side"];
    let stopped = world.try_git(&send).prints("b.py:1:13");
    assert_ne!(stopped.code, Some(0));
    let mut command = world.keyatlas();
    command.current_dir(world.path("../linked"));
    let line = ["baseline", "--reason", "invented", "--until", "2999-01-01"];
    ran(command.args(line), &line, b"").code(0);
    world.try_git(&send).code(0);
}

#[test]
fn input_that_git_does_not_write_is_refused() {
    let world = served();
    for kind in ["pre-push", "pre-receive"] {
        let ran = world.feed(&["hook", kind], b"main main\n");
        ran.refused("line 1 of standard input", "keyatlas scan --range");
        let ran = world.feed(&["hook", kind, "--show-secrets"], b"");
        ran.refused("--show-secrets is refused in hooks", "");
    }
    let absent = format!("{} {} refs/heads/x\n", "0".repeat(40), "1".repeat(40));
    let ran = world.feed(&["hook", "pre-receive"], absent.as_bytes());
    ran.refused("no commit is called `1111", "hint: ");
}

#[test]
fn the_name_of_a_new_ref_is_looked_at() {
    let world = served();
    let token = format!("{}{}", ["gl", "pat-"].concat(), &drawn("name")[..20]);
    let tip = world.git(&["rev-parse", "HEAD"]);
    let nothing = "0".repeat(40);
    let (name, known) = (format!("refs/heads/fix/{token}"), "refs/heads/fix/x");
    for (kind, new, moved, plain) in [
        (
            "pre-push",
            format!("HEAD {tip} {name} {nothing}"),
            format!("HEAD {tip} {name} {tip}"),
            format!("HEAD {tip} {known} {nothing}"),
        ),
        (
            "pre-receive",
            format!("{nothing} {tip} {name}"),
            format!("{tip} {tip} {name}"),
            format!("{nothing} {tip} {known}"),
        ),
    ] {
        let feed = |line: &str| world.feed(&["hook", kind], format!("{line}\n").as_bytes());
        let stopped = feed(&new).code(1).prints("refs/heads/fix/****");
        stopped.keeps(&token);
        feed(&moved).code(0).keeps(&token);
        feed(&plain).code(0);
    }
}

#[test]
fn what_the_pre_commit_framework_says_of_a_push_is_heard() {
    let world = served();
    let first = world.git(&["rev-parse", "HEAD"]);
    commit(&world, "a.py", &leak("a"));
    let tip = world.git(&["rev-parse", "HEAD"]);
    let remote = ("PRE_COMMIT_REMOTE_NAME", "origin");
    let (first, tip) = (first.as_str(), tip.as_str());
    let to = |it| ("PRE_COMMIT_TO_REF", it);
    let from = |it| ("PRE_COMMIT_FROM_REF", it);
    let branch = ("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main");
    for (variables, code) in [
        (&[remote, to(tip)][..], 1),
        (&[from(first), to(tip)], 1),
        (&[remote, branch], 1),
        (&[remote, from(tip), to(tip)], 0),
        (&[remote, to(first)], 0),
        (&[remote], 0),
    ] {
        let ran = world.run_with(variables, &["hook", "pre-push"]);
        ran.code(code);
    }
}

#[test]
fn hooks_are_set_up_where_they_would_run() {
    let world = served();
    let ran = world.run(&["hook", "install", "pre-commit", "pre-push", "pre-receive"]);
    let ran = ran.code(0).prints("hooks/pre-push");
    ran.prints("hooks/pre-receive");
    on_server(&world, &["hook", "install", "pre-commit"])
        .refused("would never run", "keyatlas hook install pre-receive");
    world.write("../server.git/hooks/pre-receive", "#!/bin/sh\n");
    on_server(&world, &["hook", "install"]).refused("another hook is there", "refs=$(cat)");
    // The line that is proposed works.
    let line =
        "#!/bin/sh\nrefs=$(cat); printf '%s\\n' \"$refs\" | keyatlas hook pre-receive || exit $?\n";
    world.write("../server.git/hooks/pre-receive", line);
    world.git(&[
        "config",
        "--file",
        "../server.git/config",
        "core.fileMode",
        "true",
    ]);
    make_executable(&world);
    commit(&world, "a.py", &leak("a"));
    push(&world, MAIN, false);
}

fn make_executable(world: &World) {
    let mut command = world.program("chmod");
    let line = ["+x", "../server.git/hooks/pre-receive"];
    ran(command.args(line), &line, b"").code(0);
}
