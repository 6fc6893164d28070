//! Bundles: a repository in one file, in a folder, in an archive, in history.

use crate::world::{World, list};
use crate::{HISTORY, PLAIN, Place, commit, hold, secret};
use std::fs;

const TREE: &[&str] = &["other"];

/// A file with the secret, taken out again, and all of it in a bundle beside an empty folder.
fn bundled(world: &World, secret: &str, more: &[&str]) {
    commit(world, "deep/a.txt", secret);
    world.git(&["rm", "--quiet", "-r", "deep"]);
    world.git(&["commit", "--quiet", "--message", "out"]);
    fs::create_dir(world.path("other")).unwrap();
    let line = [&["bundle", "create", "--quiet"], more].concat();
    world.git(&line);
}

#[test]
fn a_bundle_is_read_wherever_it_lies() {
    hold(&[
        Place {
            name: "bundle in a folder",
            build: |world, secret| bundled(world, secret, &["other/any.name", "--all"]),
            scan: TREE,
            found: &["file other/any.name"],
            ..PLAIN
        },
        Place {
            name: "bundle as a root, version 3",
            build: |world, secret| {
                bundled(world, secret, &["--version=3", "other/any.name", "--all"]);
            },
            scan: &["other/any.name"],
            found: &["file other/any.name"],
            ..PLAIN
        },
        Place {
            name: "bundle asked for its history",
            build: |world, secret| bundled(world, secret, &["../any.name", "--all"]),
            scan: &["--history", "../any.name"],
            found: &["file any.name"],
            ..PLAIN
        },
        Place {
            name: "bundle within a repository, asked for its history",
            build: |world, secret| {
                bundled(world, secret, &["../any.name", "--all"]);
                world.git(&["init", "--quiet", "--template=", "second"]);
                fs::rename(world.path("../any.name"), world.path("second/any.name")).unwrap();
            },
            scan: &["--history", "second/any.name"],
            found: &["file any.name"],
            ..PLAIN
        },
        Place {
            name: "message in a bundle",
            build: |world, secret| {
                let message = format!("Add\n\n{secret}");
                world.git(&["commit", "--quiet", "--allow-empty", "--message", &message]);
                bundled(world, "clean", &["other/any.name", "--all"]);
            },
            scan: TREE,
            found: &["file other/any.name"],
            ..PLAIN
        },
        Place {
            name: "names in a bundle",
            build: |world, secret| {
                commit(world, &format!("{secret}.txt"), "clean");
                world.git(&["branch", &format!("x/{secret}")]);
                bundled(world, "clean", &["other/any.name", "--all"]);
            },
            scan: TREE,
            found: &["file other/any.name", "file other/any.name"],
            ..PLAIN
        },
        Place {
            name: "bundle in history",
            build: |world, secret| {
                bundled(world, secret, &["other/any.name", "--all"]);
                world.git(&["checkout", "--quiet", "--orphan", "new"]);
                world.git(&["add", "--all"]);
                world.git(&["commit", "--quiet", "--message", "in"]);
                world.git(&["rm", "--quiet", "-r", "--force", "other"]);
                world.git(&["commit", "--quiet", "--message", "out"]);
                world.git(&["branch", "--quiet", "-D", "main"]);
            },
            scan: HISTORY,
            found: &["history deep/a.txt lost", "history other/any.name"],
            ..PLAIN
        },
        Place {
            name: "bundle on missing commits",
            build: |world, _| {
                let lines: Vec<String> = (0..400).map(|it| format!("line {}", it * 7919)).collect();
                let text = lines.join("\n");
                commit(world, "long.txt", &text);
                commit(world, "long.txt", &text.replace("line 7919\n", "another\n"));
                fs::create_dir(world.path("other")).unwrap();
                world.git(&[
                    "bundle",
                    "create",
                    "--quiet",
                    "other/any.name",
                    "HEAD~1..main",
                ]);
            },
            scan: TREE,
            code: 3,
            told: &["other/any.name missing-object"],
            ..PLAIN
        },
        Place {
            name: "bundle with a filter",
            build: |world, secret| {
                let line = [
                    "--version=3",
                    "other/any.name",
                    "--filter=blob:none",
                    "--all",
                ];
                bundled(world, secret, &line);
            },
            scan: TREE,
            code: 3,
            told: &["other/any.name partial-clone"],
            ..PLAIN
        },
        Place {
            name: "bundle that is cut off",
            build: |world, secret| {
                bundled(world, secret, &["other/any.name", "--all"]);
                let path = world.path("other/any.name");
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[..bytes.len() - 60]).unwrap();
            },
            scan: TREE,
            code: 3,
            told: &["other/any.name damaged"],
            ..PLAIN
        },
        Place {
            name: "bundle of sha256 objects",
            build: |world, _| {
                let line = [
                    "init",
                    "--quiet",
                    "--template=",
                    "--object-format=sha256",
                    "../odd",
                ];
                world.git(&line);
                world.git(&[
                    "-C",
                    "../odd",
                    "commit",
                    "--quiet",
                    "--allow-empty",
                    "--message",
                    "x",
                ]);
                fs::create_dir(world.path("other")).unwrap();
                let to = world.path("other/any.name");
                let to = to.to_str().unwrap();
                world.git(&["-C", "../odd", "bundle", "create", "--quiet", to, "--all"]);
            },
            scan: TREE,
            code: 3,
            told: &["other/any.name unsupported"],
            ..PLAIN
        },
    ]);
}

#[test]
fn what_lies_in_a_bundle_is_told_by_its_path_there() {
    let world = World::committed();
    let secret = secret("path");
    bundled(&world, &secret, &["other/any.name", "--all"]);
    let gzip = ["tar", "-czf", "other/x.tgz", "-C", "other", "any.name"];
    let mut tar = world.program(gzip[0]);
    crate::world::ran(tar.args(&gzip[1..]), &gzip, b"").code(0);
    let document = world
        .run(&["scan", "other", "--format", "json"])
        .code(1)
        .json();
    let containers = crate::world::each(&document["findings"], "container");
    assert_eq!(
        containers,
        [
            "other/any.name!deep/a.txt",
            "other/x.tgz!any.name!deep/a.txt"
        ]
    );
    let first = &list(&document["findings"])[0];
    assert_eq!(first["within"]["line"], 1);
    assert_eq!(document["complete"], true);
}
