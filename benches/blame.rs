//! Who wrote which line, against `git blame` itself, on a repository of yours: every answer, and the time both take.
//!
//!     cargo bench --bench blame -- REPOSITORY [--files 200] [--lines 5] [--seed 1] [--below FOLDER]
//!
//! Files of `HEAD` and lines of them are drawn by the seed. `git` is asked once a file, for these lines alone.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints, and fails by panicking"
)]

use keyatlas::source::blame::{Files, Lines, blame};
use keyatlas::source::history::{History, HistoryOptions};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Numbers that only the seed decides (splitmix64).
fn drawn(state: &mut u64, end: usize) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) % end.max(1) as u64) as usize
}

fn git(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(arguments);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null");
    let done = git.output().expect("git runs");
    assert!(done.status.success(), "git {arguments:?}");
    done.stdout
}

/// Lines of files, from 1.
fn asked(folder: &Path, [files, lines, seed]: [usize; 3], below: &str) -> Lines {
    let list = git(
        folder,
        &["ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD"],
    );
    let list = String::from_utf8_lossy(&list).into_owned();
    let plain = list.lines().filter_map(|it| it.strip_prefix("100644 "));
    let mut paths: Vec<&str> = plain.filter(|it| it.starts_with(below)).collect();
    let mut state = seed as u64;
    let mut asked = Lines::new();
    while asked.len() < files && !paths.is_empty() {
        let path = paths.swap_remove(drawn(&mut state, paths.len()));
        let text = git(folder, &["cat-file", "blob", &format!("HEAD:{path}")]);
        let count = text.split_inclusive(|it| *it == b'\n').count();
        if count > 0 && !text.contains(&0) && !path.starts_with('"') {
            let some = (0..lines).map(|_| 1 + drawn(&mut state, count) as u32);
            asked.insert(path.to_owned(), some.collect());
        }
    }
    asked
}

/// Commit and author of each line as git tells them.
fn by_git(folder: &Path, lines: &Lines) -> BTreeMap<(String, u32), (String, String)> {
    let mut told = BTreeMap::new();
    for (path, lines) in lines {
        let ranges = lines.iter().map(|it| format!("-L{it},{it}"));
        let ranges: Vec<String> = ranges.collect();
        let mut line = vec!["blame", "--line-porcelain"];
        line.extend(ranges.iter().map(String::as_str));
        line.extend(["HEAD", "--", path]);
        let text = git(folder, &line);
        let (mut commit, mut number, mut author) = (String::new(), 0, String::new());
        for line in String::from_utf8_lossy(&text).split('\n') {
            let words: Vec<&str> = line.split(' ').collect();
            if line.starts_with('\t') {
                let key = (path.clone(), number);
                told.insert(key, (commit.clone(), author.clone()));
            } else if let Some(name) = line.strip_prefix("author ") {
                name.clone_into(&mut author);
            } else if let [id, _, at, ..] = words[..]
                && id.len() == 40
            {
                id.clone_into(&mut commit);
                number = at.parse().expect("a line number");
            }
        }
    }
    told
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    let Some(folder) = words.first() else {
        println!("cargo bench --bench blame -- REPOSITORY: see benches/blame.rs");
        return;
    };
    let folder = Path::new(folder);
    let value = |name: &str| words.iter().skip_while(|it| *it != name).nth(1);
    let number =
        |name: &str, default| value(name).map_or(default, |it| it.parse().expect("a number"));
    let sizes = [("--files", 200), ("--lines", 5), ("--seed", 1)].map(|it| number(it.0, it.1));
    let below = value("--below").map_or("", String::as_str);
    let lines = asked(folder, sizes, below);
    let options = HistoryOptions {
        jobs: number("--jobs", 1),
        ..HistoryOptions::default()
    };
    let start = Instant::now();
    let history = History::open(folder).expect("a repository");
    let blamed = blame(&history, Files::Head, &lines, &options);
    let ours = start.elapsed();
    let start = Instant::now();
    let expected = by_git(folder, &lines);
    let theirs = start.elapsed();
    let mut equal = 0;
    for (at, (commit, author)) in &expected {
        let found = blamed.written.get(at);
        if found.is_some_and(|it| it.commit == *commit && it.author == *author) {
            equal += 1;
        } else {
            let found = found.map(|it| (&it.commit[..10], it.author.as_str()));
            println!(
                "{}:{}: {found:?}, git: {} {author}",
                at.0,
                at.1,
                &commit[..10]
            );
        }
    }
    blamed.gaps.iter().for_each(|it| println!("{it:?}"));
    println!(
        "{} files, {equal} of {} lines equal; {:.2} s, and git blame {:.2} s",
        lines.len(),
        expected.len(),
        ours.as_secs_f64(),
        theirs.as_secs_f64()
    );
}
