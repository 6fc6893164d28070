//! The whole: a folder of files, and a repository with its history.

#![allow(clippy::unwrap_used, reason = "a bench has nobody to tell")]

#[path = "corpus.rs"]
mod corpus;

use divan::Bencher;
use divan::counter::BytesCount;
use keyatlas::model::level::Confidence;
use keyatlas::model::rule::RuleSet;
use keyatlas::ruleset;
use keyatlas::scan::{self, Mode, Options, Scanned, Within};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

fn main() {
    divan::main();
}

const FILES: usize = 200;
const SIZE: usize = 32 << 10;
/// Commits of the history; each changes every tenth file.
const COMMITS: usize = 50;

const JOBS: &[usize] = &[1, 2];

fn rules() -> Arc<RuleSet> {
    Arc::new(ruleset::load(&ruleset::Options::default()).unwrap())
}

fn run(root: &Path, mode: Mode, jobs: usize, rules: &Arc<RuleSet>) -> Scanned {
    let options = Options {
        roots: vec![root.to_owned()],
        mode,
        jobs,
        max_size: 100 << 20,
        max_depth: 4,
        no_ignore: false,
        whole_blobs: false,
        within: Within::everything(),
        exclude: Vec::new(),
        min_confidence: Confidence::Medium,
        references: true,
        estate: false,
        salt: None,
        fingerprinter: None,
        known: None,
        ground: scan::Ground::default(),
        index_file: None,
        objects: Vec::new(),
        shelf: None,
        progress: None,
    };
    scan::run(&options, rules).unwrap()
}

#[divan::bench(args = JOBS)]
fn folder(bencher: Bencher, jobs: usize) {
    let (folder, rules) = (TempDir::new().unwrap(), rules());
    for (path, bytes) in corpus::files(FILES, SIZE) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let read = run(folder.path(), Mode::Tree, jobs, &rules).coverage.bytes;
    bencher
        .counter(BytesCount::new(read))
        .bench(|| run(folder.path(), Mode::Tree, jobs, &rules));
}

#[divan::bench(args = JOBS)]
fn history(bencher: Bencher, jobs: usize) {
    let (repository, rules) = (repository(), rules());
    let read = run(repository.path(), Mode::History, jobs, &rules)
        .coverage
        .bytes;
    bencher
        .counter(BytesCount::new(read))
        .bench(|| run(repository.path(), Mode::History, jobs, &rules));
}

/// A repository whose objects lie in one pack, as deltas.
fn repository() -> TempDir {
    let folder = TempDir::new().unwrap();
    git(
        folder.path(),
        &["init", "--quiet", "--bare", "--template=", "."],
        &[],
    );
    let mut stream = Vec::new();
    let mut files = corpus::files(FILES, SIZE);
    for commit in 0..COMMITS {
        let head = format!(
            "commit refs/heads/main\nauthor A <a@shop.example> {0} +0000\ncommitter A <a@shop.example> {0} +0000\ndata 4\nstep\n",
            1_700_000_000 + commit * 3600
        );
        stream.extend(head.into_bytes());
        let touched = |number: usize| commit == 0 || number % 10 == commit % 10;
        for (_, (path, bytes)) in files
            .iter_mut()
            .enumerate()
            .filter(|(number, _)| touched(*number))
        {
            bytes.extend(format!("step {commit}\n").into_bytes());
            stream.extend(format!("M 100644 inline {path}\ndata {}\n", bytes.len()).into_bytes());
            stream.extend_from_slice(bytes);
            stream.push(b'\n');
        }
    }
    git(folder.path(), &["fast-import", "--quiet"], &stream);
    git(folder.path(), &["repack", "-a", "-d", "-f", "--quiet"], &[]);
    folder
}

fn git(folder: &Path, arguments: &[&str], input: &[u8]) {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env(
            "GIT_CONFIG_GLOBAL",
            if cfg!(windows) { "NUL" } else { "/dev/null" },
        )
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    assert!(child.wait().unwrap().success());
}
