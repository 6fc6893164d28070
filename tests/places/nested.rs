//! Repositories within repositories: submodules, as git keeps them today and as it kept them once, and others.

use crate::world::{World, each, list};
use crate::{HISTORY, PLAIN, Place, commit, hold, secret};
use std::collections::BTreeSet;
use std::fs;

/// A repository beside this one, whose only commit has the text.
fn inner(world: &World, name: &str, text: &str) {
    world.git(&["init", "--quiet", "--template=", name]);
    world.write(&format!("{name}/a.txt"), text);
    world.git(&["-C", name, "add", "--all"]);
    world.git(&["-C", name, "commit", "--quiet", "--message", "in"]);
}

/// Takes the file out again, so that only history has it.
fn take_out(world: &World, name: &str) {
    world.git(&["-C", name, "rm", "--quiet", "a.txt"]);
    world.git(&[
        "-C",
        name,
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "out",
    ]);
}

fn submodule(world: &World, folder: &str, from: &str, path: &str) {
    let from = world.path(from);
    let line = ["submodule", "--quiet", "add", from.to_str().unwrap(), path];
    let allow = ["-C", folder, "-c", "protocol.file.allow=always"];
    world.git(&[&allow[..], &line].concat());
    world.git(&["-C", folder, "commit", "--quiet", "--message", "module"]);
}

/// A submodule whose history has the text.
fn with_submodule(world: &World, secret: &str) {
    inner(world, "../inner", secret);
    take_out(world, "../inner");
    submodule(world, ".", "../inner", "sub");
}

#[test]
fn the_history_of_what_lies_within_is_read() {
    hold(&[
        Place {
            name: "submodule",
            build: |world, secret| {
                inner(world, "../inner", secret);
                submodule(world, ".", "../inner", "sub");
            },
            found: &["file a.txt", "history a.txt"],
            ..PLAIN
        },
        Place {
            name: "submodule, its history",
            build: with_submodule,
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "submodule by its path",
            build: with_submodule,
            scan: &["--history", "sub"],
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "submodule that was removed",
            build: |world, secret| {
                with_submodule(world, secret);
                world.git(&["rm", "--quiet", "sub"]);
                world.git(&["commit", "--quiet", "--message", "gone"]);
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "submodule that was never fetched",
            build: |world, secret| {
                with_submodule(world, secret);
                world.git(&["clone", "--quiet", ".", "../other"]);
            },
            scan: &["--history", "../other"],
            code: 0,
            told: &["sub nested-repository"],
            ..PLAIN
        },
        Place {
            name: "submodules of a bare repository",
            build: |world, secret| {
                with_submodule(world, secret);
                world.git(&["clone", "--quiet", "--bare", ".", "../other.git"]);
            },
            scan: &["--history", "../other.git"],
            code: 0,
            told: &["sub nested-repository"],
            ..PLAIN
        },
        Place {
            name: "submodule of a submodule",
            build: |world, secret| {
                inner(world, "../inner", secret);
                take_out(world, "../inner");
                inner(world, "../middle", "clean\n");
                submodule(world, "../middle", "../inner", "deep");
                submodule(world, ".", "../middle", "sub");
                let allow = ["-C", "sub", "-c", "protocol.file.allow=always"];
                let line = ["submodule", "--quiet", "update", "--init"];
                world.git(&[&allow[..], &line].concat());
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "submodule with a git folder of its own",
            build: |world, secret| {
                inner(world, "sub", secret);
                take_out(world, "sub");
                world.git(&["add", "sub"]);
                world.git(&["commit", "--quiet", "--message", "link"]);
                assert!(world.path("sub/.git").is_dir());
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "nested repository",
            build: |world, secret| {
                inner(world, "inner", secret);
                take_out(world, "inner");
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "nested repository that cannot be opened",
            build: |world, secret| {
                let odd = [
                    "init",
                    "--quiet",
                    "--template=",
                    "--object-format=sha256",
                    "odd",
                ];
                world.git(&odd);
                world.write("odd/a.txt", secret);
            },
            found: &["file a.txt"],
            told: &["odd unsupported"],
            ..PLAIN
        },
        Place {
            name: "linked work tree within",
            build: |world, secret| {
                commit(world, "a.txt", secret);
                let line = ["worktree", "add", "--quiet", "--detach", "linked", "HEAD~1"];
                world.git(&line);
                world.git(&["rm", "--quiet", "a.txt"]);
                world.git(&["commit", "--quiet", "--message", "out"]);
            },
            found: &["history a.txt"],
            ..PLAIN
        },
    ]);
}

#[test]
fn each_finding_names_the_repository_that_it_lies_in() {
    let world = World::committed();
    let secret = secret("named");
    commit(&world, "a.txt", "clean");
    inner(&world, "../inner", &secret);
    inner(&world, "../middle", &secret);
    submodule(&world, "../middle", "../inner", "deep");
    submodule(&world, ".", "../middle", "sub");
    let allow = ["-C", "sub", "-c", "protocol.file.allow=always"];
    let line = ["submodule", "--quiet", "update", "--init"];
    world.git(&[&allow[..], &line].concat());
    submodule(&world, ".", "../inner", "x/gone");
    world.git(&["rm", "--quiet", "x/gone"]);
    world.git(&["commit", "--quiet", "--message", "gone"]);
    inner(&world, "nested", &secret);
    let place = |document: &serde_json::Value| -> BTreeSet<(String, String)> {
        let findings = list(&document["findings"]).iter();
        let origins = findings.flat_map(|it| list(&it["origins"]).to_vec());
        let text = |it: &serde_json::Value| it.as_str().unwrap().to_owned();
        origins
            .map(|it| (text(&it["repository"]), text(&it["kind"])))
            .collect()
    };
    let document = world.scan(HISTORY);
    assert_eq!(document["complete"], true, "{}", document["coverage"]);
    let expected = [
        (".git/modules/x/gone", "history"),
        ("nested", "file"),
        ("nested", "history"),
        ("sub", "file"),
        ("sub", "history"),
        ("sub/deep", "file"),
        ("sub/deep", "history"),
    ];
    let expected: BTreeSet<(String, String)> = expected
        .iter()
        .map(|it| (it.0.to_owned(), it.1.to_owned()))
        .collect();
    assert_eq!(place(&document), expected);
    assert_eq!(each(&document["findings"], "path"), ["a.txt"; 4]);
    // Side by side with others, the name of the repository around comes first.
    fs::create_dir(world.path("../estate")).unwrap();
    fs::rename(world.path("."), world.path("../estate/one")).unwrap();
    fs::create_dir(world.path(".")).unwrap();
    let document = world.scan(&["--history", "../estate"]);
    let names: BTreeSet<String> = place(&document).into_iter().map(|it| it.0).collect();
    let expected = [
        "one/.git/modules/x/gone",
        "one/nested",
        "one/sub",
        "one/sub/deep",
    ];
    assert_eq!(
        names.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}
