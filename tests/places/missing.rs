//! What is not there, or damaged: told, never passed for clean.

use crate::world::{World, list};
use crate::{PLAIN, Place, commit, hold};
use std::fs;
use std::path::PathBuf;

fn loose(world: &World, revision: &str) -> PathBuf {
    let id = world.git(&["rev-parse", revision]);
    world.path(".git/objects").join(&id[..2]).join(&id[2..])
}

fn lose(world: &World, revision: &str) {
    let path = loose(world, revision);
    fs::remove_file(path).unwrap();
}

fn damage(world: &World, revision: &str) {
    let path = loose(world, revision);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
}

/// A file in a folder, taken out again.
fn deep(world: &World, secret: &str) {
    commit(world, "deep/a.txt", secret);
    world.git(&["rm", "--quiet", "-r", "deep"]);
    world.git(&["commit", "--quiet", "--message", "out"]);
}

fn partial(world: &World, secret: &str) {
    deep(world, secret);
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", world.path(".").display());
    let line = [
        "clone",
        "--quiet",
        "--bare",
        "--filter=blob:none",
        &url,
        "other.git",
    ];
    world.git(&line);
}

const OTHER: &[&str] = &["--history", "other.git"];

#[test]
fn what_history_names_and_has_not_is_told() {
    hold(&[
        Place {
            name: "missing blob",
            build: |world, secret| {
                deep(world, secret);
                lose(world, "HEAD~1:deep/a.txt");
            },
            code: 3,
            told: &["deep/a.txt missing-object"],
            ..PLAIN
        },
        Place {
            name: "missing tree",
            build: |world, secret| {
                deep(world, secret);
                lose(world, "HEAD~1:deep");
            },
            found: &["history objects/* lost"],
            told: &["deep missing-object"],
            ..PLAIN
        },
        Place {
            name: "missing root tree",
            build: |world, secret| {
                deep(world, secret);
                lose(world, "HEAD~1:");
            },
            found: &["history objects/* lost"],
            told: &["commits/* missing-object"],
            ..PLAIN
        },
        Place {
            name: "missing parent",
            build: |world, _| {
                commit(world, "a.txt", "1");
                commit(world, "a.txt", "2");
                lose(world, "HEAD~1");
            },
            code: 3,
            told: &["commits/* missing-object"],
            ..PLAIN
        },
        Place {
            name: "missing tip",
            build: |world, _| {
                world.git(&["checkout", "--quiet", "-b", "side"]);
                commit(world, "a.txt", "1");
                world.git(&["checkout", "--quiet", "main"]);
                lose(world, "side");
            },
            code: 3,
            told: &["refs/heads/side missing-object"],
            ..PLAIN
        },
    ]);
}

#[test]
fn what_is_damaged_is_told() {
    hold(&[
        Place {
            name: "damaged blob",
            build: |world, secret| {
                deep(world, secret);
                damage(world, "HEAD~1:deep/a.txt");
            },
            code: 3,
            told: &["/* corrupt-object"],
            ..PLAIN
        },
        Place {
            name: "damaged tree",
            build: |world, _| {
                deep(world, "clean");
                damage(world, "HEAD~1:deep");
            },
            code: 3,
            told: &["/* corrupt-object"],
            ..PLAIN
        },
        Place {
            name: "damaged commit",
            build: |world, _| {
                deep(world, "clean");
                damage(world, "HEAD~1");
            },
            code: 3,
            told: &["/* corrupt-object"],
            ..PLAIN
        },
    ]);
}

#[test]
fn clones_that_are_not_whole_say_what_they_lack() {
    hold(&[
        Place {
            name: "shallow clone",
            build: |world, secret| {
                deep(world, secret);
                let url = format!("file://{}", world.path(".").display());
                world.git(&["clone", "--quiet", "--bare", "--depth=1", &url, "other.git"]);
            },
            scan: OTHER,
            code: 3,
            told: &[". shallow-clone"],
            ..PLAIN
        },
        Place {
            name: "partial clone",
            build: partial,
            scan: OTHER,
            code: 3,
            told: &[". partial-clone"],
            ..PLAIN
        },
        Place {
            name: "partial clone that forgot its promisor",
            build: |world, secret| {
                partial(world, secret);
                world.git(&["-C", "other.git", "remote", "remove", "origin"]);
                let line = [
                    "-C",
                    "other.git",
                    "config",
                    "--unset",
                    "extensions.partialClone",
                ];
                world.try_git(&line);
            },
            scan: OTHER,
            code: 3,
            told: &["README missing-object", "deep/a.txt missing-object"],
            ..PLAIN
        },
    ]);
}

#[test]
fn many_missing_objects_are_counted() {
    let world = World::committed();
    for at in 0..130 {
        world.write(&format!("many/{at}.txt"), format!("text {at}\n"));
    }
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "many"]);
    for at in 0..130 {
        lose(&world, &format!("HEAD:many/{at}.txt"));
    }
    let document = world
        .run(&["scan", "--history", "--format", "json"])
        .code(3)
        .json();
    let told = list(&document["coverage"]["unreadable"]);
    assert_eq!(told.len(), 101);
    let last = told.iter().find(|it| it["path"] == "objects").unwrap();
    assert!(last["detail"].as_str().unwrap().starts_with("30 more"));
    let first = told.iter().find(|it| it["path"] != "objects").unwrap();
    assert!(
        first["path"].as_str().unwrap().starts_with("many/"),
        "{first}"
    );
}
