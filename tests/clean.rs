//! The false-alarm budget: `fixtures/clean` must stay silent, as files and once committed.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn clean() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clean")
}

/// A scan of a copy, since this project's own ignore file and settings do not apply to strangers.
fn scan(folder: &Path, extra: &[&str]) -> (Option<i32>, Value) {
    let home = TempDir::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_keyatlas"))
        .current_dir(folder)
        .args(["scan", "--format", "json"])
        .args(extra)
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .env_remove("KEYATLAS_INVENTORY")
        .output()
        .unwrap();
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), document)
}

fn copy() -> TempDir {
    let folder = TempDir::new().unwrap();
    for entry in fs::read_dir(clean()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn told(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .map(|it| format!("{}:{} {} {}", it["path"], it["line"], it["rule"], it["key"]))
        .collect()
}

#[test]
fn clean_files_are_silent() {
    let folder = copy();
    let (code, document) = scan(folder.path(), &[]);
    assert_eq!(told(&document), Vec::<String>::new());
    assert_eq!(
        document["verdicts"].as_array().map(Vec::len),
        Some(0),
        "{document}"
    );
    assert_eq!(code, Some(0));
    let n_files = fs::read_dir(clean()).unwrap().count();
    assert!(n_files >= 25, "{n_files}");
    assert_eq!(document["coverage"]["files"].as_u64(), Some(n_files as u64));
}

#[test]
fn a_secret_among_them_is_still_found() {
    let folder = copy();
    let planted = ["sk_", "live_", "9fQm2Zt7Kx4Rw8Vb3Hn6Jd5Lp1Sg0Ty"].concat();
    fs::write(
        folder.path().join("late.py"),
        format!("key = \"{planted}\"\n"),
    )
    .unwrap();
    let (code, document) = scan(folder.path(), &[]);
    assert_eq!(code, Some(1));
    assert_eq!(told(&document).len(), 1, "{:?}", told(&document));
}
