//! What one scan of history keeps for the next: the report must be the same with it and without, to the
//! byte, whatever happens to the repository in between; and little must be read where little is new.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its builder too"
)]

#[path = "../cli/world.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the binary, which use the rest"
)]
mod world;

mod chance;
mod file;
mod turns;

use world::{Ran, World, drawn};

const SCAN: &[&str] = &["scan", "--history", "--verbose", "--format", "json"];

/// An invented token of a known shape, which needs no name that it is assigned to.
fn token(name: &str) -> String {
    format!("{}{}", ["gl", "pat-"].concat(), &drawn(name)[..20])
}

/// A file of some lines, with a token in it.
fn file(name: &str) -> String {
    let lines = (0..40).map(|it| format!("line {it} of {name}\n"));
    format!("{}token = \"{}\"\n", lines.collect::<String>(), token(name))
}

/// What a scan says of its memory: blobs read, and blobs in all, and what else was read.
struct Read {
    ran: Ran,
    read: u64,
    all: u64,
    others: u64,
}

/// Scans with the cache, and holds the report to the one without.
#[track_caller]
fn scan(world: &World, more: &[&str]) -> Read {
    let ran = world.run(&[SCAN, more].concat());
    let anew = world.run(&[SCAN, &["--no-cache"], more].concat());
    assert_eq!(ran.out, anew.out, "with the cache, then without");
    assert_eq!(ran.code, anew.code);
    assert!(
        !anew.err.contains("other objects were read"),
        "{}",
        anew.err
    );
    let lines = ran.err.lines().filter_map(|it| it.strip_prefix("cache: "));
    let told = lines
        .filter_map(|it| it.strip_suffix(" other objects were read, the rest is known"))
        .next()
        .unwrap_or_else(|| panic!("{}", ran.err));
    let (blobs, others) = told.split_once(" blobs and ").unwrap();
    let (read, all) = blobs.split_once(" of ").unwrap();
    Read {
        read: read.parse().unwrap(),
        all: all.parse().unwrap(),
        others: others.parse().unwrap(),
        ran,
    }
}

impl Read {
    /// Holds it to how many blobs were read.
    #[track_caller]
    fn reads(self, read: u64) -> Self {
        assert_eq!((self.read, self.all), (read, self.all), "{}", self.ran.err);
        self
    }

    /// Holds it to how many commits, tags and trees were read.
    #[track_caller]
    fn meets(self, others: u64) -> Self {
        assert_eq!(self.others, others, "{}", self.ran.err);
        self
    }

    #[track_caller]
    fn reads_all(self) -> Self {
        let all = self.all;
        self.reads(all)
    }

    /// Holds it to whether a token is found in history.
    #[track_caller]
    fn finds(self, path: &str, expected: bool) -> Self {
        let document = self.ran.json();
        let findings = world::list(&document["findings"]).iter();
        let origins = findings.flat_map(|it| world::list(&it["origins"]));
        let past = origins.filter(|it| it["kind"] == "history");
        let paths: Vec<_> = past.map(|it| it["path"].as_str().unwrap()).collect();
        assert_eq!(paths.contains(&path), expected, "{path} in {paths:?}");
        self
    }
}

/// A repository with a few commits, a token in two files, and things that are no blobs.
fn begun() -> World {
    let world = World::committed();
    world.commit(
        &[("a.txt", &file("a")), ("plain/b.txt", "nothing\n")],
        "one",
    );
    world.commit(&[("a.txt", &format!("more\n{}", file("a")))], "two");
    world.commit(
        &[("deep/down/c.txt", &file("c")), ("d.txt", "d\n")],
        "three",
    );
    world.git(&["tag", "--annotate", "--message", "words", "v1"]);
    world
}
