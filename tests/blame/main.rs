//! Who wrote which line: every answer is held against `git blame`, line by line, over histories drawn from a seed
//! and over work trees that differ from what is committed.
//!
//! Not here: what reports make of it (see `tests/cli/map.rs`).
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

#[path = "../origins/script.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of origins, which use the rest"
)]
mod script;

mod random;
mod scripted;

use keyatlas::model::origin::Milestone;
use keyatlas::source::blame::{Blamed, Files, Lines, blame};
use keyatlas::source::history::{History, HistoryOptions};
use std::path::Path;
use world::World;

/// Commit, author and time of each line as git tells them; `None` for what is not committed.
fn by_git(world: &World, path: &str) -> Vec<Option<Milestone>> {
    let told = world
        .try_git(&["blame", "--line-porcelain", "--", path])
        .code(0)
        .out;
    let mut lines = Vec::new();
    let mut at = Milestone {
        seconds: 0,
        commit: String::new(),
        author: String::new(),
    };
    for line in told.split('\n') {
        if line.starts_with('\t') {
            let is_committed = !at.commit.bytes().all(|it| it == b'0');
            lines.push(is_committed.then(|| at.clone()));
        } else if let Some(name) = line.strip_prefix("author ") {
            name.clone_into(&mut at.author);
        } else if let Some(time) = line.strip_prefix("author-time ") {
            at.seconds = time.parse().unwrap();
        } else if let Some(id) = line.get(..40).filter(|it| is_id(it)) {
            id.clone_into(&mut at.commit);
        }
    }
    lines
}

fn is_id(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_hexdigit())
}

/// The same of all lines of some files, asked at once.
fn by_us(folder: &Path, lines: &Lines, jobs: usize) -> Blamed {
    let options = HistoryOptions {
        jobs,
        ..HistoryOptions::default()
    };
    blame(
        &History::open(folder).unwrap(),
        Files::WorkTree,
        lines,
        &options,
    )
}

/// Holds all lines of files against git, and says how many there were.
fn compare(world: &World, paths: &[String], what: &str) -> usize {
    let expected: Vec<_> = paths.iter().map(|it| by_git(world, it)).collect();
    let mut lines = Lines::new();
    for (path, told) in paths.iter().zip(&expected) {
        lines.insert(path.clone(), (1..=told.len() as u32).collect());
    }
    let mut count = 0;
    for jobs in [1, 3] {
        let blamed = by_us(&world.path("."), &lines, jobs);
        assert_eq!(blamed.gaps, [], "{what}");
        for (path, told) in paths.iter().zip(&expected) {
            for (line, told) in (1..).zip(told) {
                let found = blamed.written.get(&(path.clone(), line));
                assert_eq!(found, told.as_ref(), "{what}: {path}:{line}");
                count += 1;
            }
        }
    }
    count / 2
}
