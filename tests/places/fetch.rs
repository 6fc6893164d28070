//! `--fetch-missing`: what a partial clone lacks is fetched when that is asked for, and only then, and nothing
//! that the clone says is run.

use crate::world::{Ran, World, drawn, each};
use crate::{commit, secret};
use std::fs;

/// A bare partial clone of a repository whose history has a secret.
fn partial(filter: &str) -> World {
    let world = World::committed();
    commit(&world, "deep/a.txt", &secret("fetched"));
    world.git(&["rm", "--quiet", "-r", "deep"]);
    world.git(&["commit", "--quiet", "--message", "out"]);
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", world.path(".").display());
    let filter = format!("--filter={filter}");
    let line = ["clone", "--quiet", "--bare", &filter, &url, "../other.git"];
    world.git(&line);
    world
}

fn scan(world: &World, more: &[&str]) -> Ran {
    let line = [
        &["scan", "--history", "../other.git", "--format", "json"],
        more,
    ];
    let scratch = world.path("../scratch");
    fs::create_dir_all(&scratch).unwrap();
    let scratch_name = scratch.to_str().unwrap();
    let ran = world.run_with(&[("TMPDIR", scratch_name)], &line.concat());
    // Nothing is left behind, least of all an address.
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    ran.keeps(&secret("fetched"))
}

/// Refs, settings and whatever else lies beside objects.
fn rest(world: &World) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(world.path("../other.git")).unwrap().flatten();
    let mut rest: Vec<(String, Vec<u8>)> = entries
        .map(|it| {
            let name = it.file_name().into_string().unwrap();
            (name, fs::read(it.path()).unwrap_or_default())
        })
        .collect();
    rest.sort();
    let refs = world.git(&["--git-dir", "../other.git", "for-each-ref"]);
    rest.push(("refs".to_owned(), refs.into_bytes()));
    rest
}

fn configure(world: &World, name: &str, value: &str) {
    world.git(&["--git-dir", "../other.git", "config", name, value]);
}

#[test]
fn what_is_missing_is_fetched_and_nothing_else_changes() {
    for filter in ["blob:none", "tree:0"] {
        let world = partial(filter);
        let before = rest(&world);
        assert_eq!(scan(&world, &[]).json()["complete"], false, "{filter}");
        assert_eq!(rest(&world), before, "{filter}");
        let ran = scan(&world, &["--fetch-missing"]).code(1);
        let ran = ran.says("fetching ").says("object(s) that file://");
        assert_eq!(ran.json()["complete"], true, "{}", ran.out);
        assert_eq!(each(&ran.json()["findings"], "path"), ["deep/a.txt"]);
        assert_eq!(rest(&world), before, "{filter}");
        // It is there now, and there is nothing to ask for.
        scan(&world, &["--fetch-missing"]).code(1).keeps("fetching");
        world.git(&["--git-dir", "../other.git", "fsck", "--strict"]);
    }
}

#[test]
fn a_range_fetches_what_it_needs() {
    let world = partial("blob:none");
    let run = |more: &[&str]| {
        let mut command = world.keyatlas();
        command.current_dir(world.path("../other.git"));
        let line = [&["scan", "--range", "main~2..main~1"], more].concat();
        crate::world::ran(command.args(&line), &line, b"")
    };
    run(&[]).code(3);
    run(&["--fetch-missing"])
        .code(1)
        .says("fetching 1 object(s)");
    run(&[]).code(1);
    let refused = world.run(&["scan", "--fetch-missing"]);
    refused.refused("fetches objects of history", "--history");
}

#[test]
fn nothing_that_the_clone_says_is_run() {
    let world = partial("blob:none");
    let mark = world.path("../mark");
    let script = format!("touch {}; git-upload-pack", mark.display());
    for name in [
        "remote.origin.uploadpack",
        "core.sshCommand",
        "core.fsmonitor",
        "uploadpack.packObjectsHook",
        "alias.fetch",
    ] {
        configure(&world, name, &script);
    }
    for hook in ["reference-transaction", "post-fetch", "pre-auto-gc"] {
        let path = format!("../other.git/hooks/{hook}");
        world.write(&path, format!("#!/bin/sh\ntouch {}\n", mark.display()));
        let mut command = world.program("chmod");
        crate::world::ran(command.args(["+x", &path]), &[], b"").code(0);
    }
    let ran = scan(&world, &["--fetch-missing"]).code(1);
    assert_eq!(ran.json()["complete"], true);
    assert!(!mark.exists());
}

#[test]
fn what_cannot_be_fetched_is_told() {
    let world = partial("blob:none");
    let url = format!("file://{}", world.path(".").display());
    let marked = format!("ext::sh -c touch% {}", world.path("../mark").display());
    let password = drawn("remote");
    let hidden = format!("https://ada:{password}@127.0.0.1:9/x.git");
    for (url, word) in [
        (marked.as_str(), "not allowed"),
        ("file:///nowhere/at/all", "they could not be fetched"),
        ("http://127.0.0.1:9/x.git", "not allowed"),
        (&hidden, "they could not be fetched"),
        ("--upload-pack=touch", "they could not be fetched"),
    ] {
        configure(&world, "remote.origin.url", url);
        let ran = scan(&world, &["--fetch-missing"]).code(3).says(word);
        ran.keeps(&password);
        assert!(!world.path("../mark").exists());
    }
    // What the other side has lost does not keep the rest away.
    configure(&world, "remote.origin.url", &url);
    let id = world.git(&["rev-parse", "HEAD:README"]);
    let path = format!(".git/objects/{}/{}", &id[..2], &id[2..]);
    fs::remove_file(world.path(&path)).unwrap();
    let ran = scan(&world, &["--fetch-missing"]).code(1);
    let ran = ran.says("1 object(s) are not to be had");
    assert_eq!(ran.json()["complete"], false);
    assert_eq!(each(&ran.json()["findings"], "path"), ["deep/a.txt"]);
}
