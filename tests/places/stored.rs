//! Places where objects are stored.

use crate::world::World;
use crate::{HISTORY, PLAIN, Place, commit, hold};
use std::fs;

/// A second clone of the repository in a folder.
fn clone(world: &World, more: &[&str], to: &str) {
    let url = format!("file://{}", world.path(".").display());
    let line = [&["clone", "--quiet"], more, &[&url, to]].concat();
    world.git(&line);
}

/// Takes the file out again, so that only history has it.
fn removed(world: &World, path: &str) {
    world.git(&["rm", "--quiet", path]);
    world.git(&["commit", "--quiet", "--message", "out"]);
}

fn two_packs(world: &World, secret: &str) {
    commit(world, "a.txt", secret);
    world.git(&["repack", "--quiet", "-d"]);
    removed(world, "a.txt");
    world.git(&["repack", "--quiet", "-d"]);
    let packs = fs::read_dir(world.path(".git/objects/pack")).unwrap();
    let is_pack = |it: &fs::DirEntry| it.path().extension().is_some_and(|it| it == "pack");
    assert_eq!(packs.flatten().filter(is_pack).count(), 2);
}

#[test]
fn packs_and_loose_objects() {
    hold(&[
        Place {
            name: "several packs",
            build: two_packs,
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "multi-pack index",
            build: |world, secret| {
                two_packs(world, secret);
                world.git(&["multi-pack-index", "write"]);
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "cruft pack",
            build: |world, secret| {
                commit(world, "a.txt", secret);
                world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
                fs::remove_dir_all(world.path(".git/logs")).unwrap();
                world.git(&["repack", "--quiet", "--cruft", "-d"]);
                let packs = fs::read_dir(world.path(".git/objects/pack")).unwrap();
                let names = packs.flatten().map(|it| it.path());
                assert!(
                    names
                        .into_iter()
                        .any(|it| it.extension().is_some_and(|it| it == "mtimes"))
                );
            },
            found: &["history a.txt lost"],
            ..PLAIN
        },
        Place {
            name: "dangling blob",
            build: |world, secret| {
                world.write("../aside", secret);
                world.git(&["hash-object", "-w", "../aside"]);
            },
            found: &["history objects/* lost"],
            ..PLAIN
        },
        Place {
            name: "only staged",
            build: |world, secret| {
                world.write("a.txt", secret);
                world.git(&["add", "a.txt"]);
                world.write("a.txt", "clean\n");
            },
            found: &["history a.txt lost"],
            ..PLAIN
        },
    ]);
}

#[test]
fn repositories_of_other_layouts() {
    hold(&[
        Place {
            name: "bare",
            build: |world, secret| {
                commit(world, "a.txt", secret);
                removed(world, "a.txt");
                clone(world, &["--bare"], "other.git");
            },
            scan: &["--history", "other.git"],
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "mirror with refs/pull",
            build: |world, secret| {
                let id = commit(world, "a.txt", secret);
                world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
                world.git(&["update-ref", "refs/pull/1/head", &id]);
                clone(world, &["--mirror"], "other.git");
            },
            scan: &["--history", "other.git"],
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "alternates",
            build: |world, secret| {
                commit(world, "a.txt", secret);
                removed(world, "a.txt");
                world.git(&["clone", "--quiet", "--shared", "--bare", ".", "other.git"]);
            },
            scan: &["--history", "other.git"],
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "linked work tree, detached",
            build: |world, secret| {
                world.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
                world.write("../linked/a.txt", secret);
                world.git(&["-C", "../linked", "add", "a.txt"]);
                world.git(&["-C", "../linked", "commit", "--quiet", "--message", "in"]);
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "linked work tree, its index",
            build: |world, secret| {
                world.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
                world.write("../linked/a.txt", secret);
                world.git(&["-C", "../linked", "add", "a.txt"]);
                world.write("../linked/a.txt", "clean\n");
            },
            scan: &["--staged", "../linked"],
            found: &["index a.txt"],
            ..PLAIN
        },
    ]);
}

#[test]
fn branches_merges_and_what_git_keeps_aside() {
    hold(&[
        Place {
            name: "other branch",
            build: |world, secret| {
                world.git(&["checkout", "--quiet", "-b", "side"]);
                commit(world, "a.txt", secret);
                world.git(&["checkout", "--quiet", "main"]);
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "reset",
            build: |world, secret| {
                commit(world, "a.txt", secret);
                world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
            },
            found: &["history a.txt lost"],
            ..PLAIN
        },
        Place {
            name: "amended commit",
            build: |world, secret| {
                commit(world, "a.txt", secret);
                world.write("a.txt", "clean\n");
                let line = ["commit", "--quiet", "--all", "--amend", "--no-edit"];
                world.git(&line);
            },
            found: &["history a.txt lost"],
            ..PLAIN
        },
        Place {
            name: "stash that was dropped",
            build: |world, secret| {
                world.write("README", secret);
                world.git(&["stash", "--quiet"]);
                world.git(&["stash", "drop", "--quiet"]);
            },
            found: &["history README lost"],
            ..PLAIN
        },
        Place {
            name: "tag of a file",
            build: |world, secret| {
                world.write("../aside", secret);
                let id = world.git(&["hash-object", "-w", "../aside"]);
                world.git(&["tag", "--annotate", "--message", "x", "v1", &id]);
            },
            found: &["history objects/*"],
            ..PLAIN
        },
        Place {
            name: "evil merge",
            build: |world, secret| {
                world.git(&["checkout", "--quiet", "-b", "side"]);
                commit(world, "b.txt", "side");
                world.git(&["checkout", "--quiet", "main"]);
                commit(world, "c.txt", "main");
                world.git(&["merge", "--quiet", "--no-commit", "side"]);
                commit(world, "a.txt", secret);
                removed(world, "a.txt");
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "stash",
            build: |world, secret| {
                world.write("README", secret);
                world.git(&["stash", "--quiet"]);
            },
            found: &["history README"],
            ..PLAIN
        },
        Place {
            name: "stash of untracked files",
            build: |world, secret| {
                world.write("a.txt", secret);
                world.git(&["stash", "--quiet", "--include-untracked"]);
            },
            found: &["history a.txt"],
            ..PLAIN
        },
        Place {
            name: "replaced object",
            build: |world, secret| {
                let old = commit(world, "a.txt", secret);
                let new = commit(world, "a.txt", "clean");
                world.git(&["replace", &old, &new]);
            },
            found: &["history a.txt"],
            told: &["refs/replace not-followed"],
            ..PLAIN
        },
        Place {
            name: "grafts",
            build: |world, secret| {
                commit(world, "a.txt", secret);
                removed(world, "a.txt");
                let head = world.git(&["rev-parse", "HEAD"]);
                world.write(".git/info/grafts", format!("{head}\n"));
            },
            found: &["history a.txt"],
            told: &["info/grafts not-followed"],
            ..PLAIN
        },
    ]);
}

#[test]
fn formats_that_are_not_read_are_refused_in_words() {
    for (argument, word) in [
        ("--object-format=sha256", "the sha256 object format"),
        ("--ref-format=reftable", "the reftable ref format"),
    ] {
        let world = World::new();
        world.git(&["init", "--quiet", "--template=", argument]);
        let ran = world.run(&[&["scan"], HISTORY].concat());
        ran.refused(word, "clone it again");
    }
}

#[test]
fn a_push_in_quarantine_is_read_where_git_says_it_lies() {
    let world = World::committed();
    let base = world.git(&["rev-parse", "HEAD"]);
    world.git(&["clone", "--quiet", "--bare", ".", "../server.git"]);
    let secret = crate::secret("quarantine");
    let tip = commit(&world, "a.txt", &secret);
    // As git sets it for pre-receive: new objects in a folder of their own, the others as alternates.
    let quarantine = world.path("../server.git/objects/incoming");
    fs::create_dir_all(&quarantine).unwrap();
    fs::rename(world.path(".git/objects"), quarantine.join("all")).unwrap();
    let range = format!("{base}..{tip}");
    for scan in [&["--range", &range][..], &["--history"]] {
        let mut command = world.keyatlas();
        command
            .current_dir(world.path("../server.git"))
            .env("GIT_DIR", ".")
            .env("GIT_QUARANTINE_PATH", quarantine.join("all"))
            .env("GIT_OBJECT_DIRECTORY", quarantine.join("all"))
            .env(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                world.path("../server.git/objects"),
            );
        let line = [&["scan", "--format", "json"], scan].concat();
        let ran = crate::world::ran(command.args(&line), &line, b"").keeps(&secret);
        assert_eq!(ran.code, Some(1), "{} {}", ran.out, ran.err);
        let lost = match scan.len() {
            1 => " lost",
            _ => "",
        };
        assert_eq!(
            crate::origins(&ran.json()),
            [format!("history a.txt{lost}")]
        );
    }
}
