//! Encodings and containers, end to end: every file that `fixtures/encoded/build` makes, and what must be
//! told of each.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

struct Files {
    dir: TempDir,
}

impl Files {
    fn build() -> Self {
        let dir = TempDir::new().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/encoded/build");
        let mut python = Command::new(if cfg!(windows) { "python" } else { "python3" });
        let built = python
            .arg(script)
            .arg(dir.path().join("it"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", told(&built));
        Self { dir }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join("it").join(relative)
    }

    /// The lines of a list of the fixture.
    fn list(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let row = |it: &str| serde_json::from_str(it).unwrap();
        text.lines().map(row).collect()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path("files"));
        for variable in ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"] {
            command.env(variable, self.dir.path());
        }
        command
            .env("XDG_CONFIG_HOME", self.dir.path())
            .env("XDG_DATA_HOME", self.dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("KEYATLAS_CONFIG")
            .env_remove("KEYATLAS_INVENTORY");
        command
    }

    fn scan(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_keyatlas"));
        command.arg("scan").args(arguments).output().unwrap()
    }

    fn document(&self, arguments: &[&str]) -> Value {
        let all = [&["--format", "json", "--show-secrets"], arguments].concat();
        let output = self.scan(&all);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)))
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = self.command("git");
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "Ada Example")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.com");
        }
        let output = git.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
    }
}

fn told(output: &Output) -> String {
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

/// The findings at a path, each by the fields that tell its place.
fn at<'a>(document: &'a Value, path: &Value) -> Vec<&'a Value> {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().filter(|it| it["path"] == *path).collect()
}

fn gaps(document: &Value) -> BTreeSet<(String, String)> {
    let lists = ["skipped", "unreadable"].map(|it| document["coverage"][it].as_array().unwrap());
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    lists
        .into_iter()
        .flatten()
        .map(|it| (text(&it["path"]), text(&it["reason"])))
        .collect()
}

#[test]
fn every_hidden_value_is_found_once_where_it_is() {
    let files = Files::build();
    let document = files.document(&[]);
    let mut faults = Vec::new();
    for row in files.list("expected") {
        let found = at(&document, &row["path"]);
        let is_right = |it: &Value| {
            let fields = ["secret", "line", "column", "via", "container"];
            let within = &row["within"];
            fields.iter().all(|field| it[field] == row[field])
                && (within.is_null()
                    || it["within"]["line"] == within[0] && it["within"]["column"] == within[1])
        };
        if !matches!(&found[..], [it] if is_right(it)) {
            faults.push(format!("want {row}\n got {found:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_not_read_is_told_by_name_and_nothing_else_is() {
    let files = Files::build();
    let document = files.document(&[]);
    let told = gaps(&document);
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let mut wanted = BTreeSet::new();
    for row in files.list("gaps") {
        wanted.insert((text(&row["path"]), text(&row["reason"])));
    }
    let missing: Vec<_> = wanted.difference(&told).collect();
    assert!(missing.is_empty(), "not told: {missing:?}\ntold: {told:?}");
    assert_eq!(document["complete"], false);
    let good: BTreeSet<String> = files
        .list("expected")
        .iter()
        .map(|it| text(&it["path"]))
        .collect();
    let extra: Vec<_> = told
        .iter()
        .filter(|it| good.contains(it.0.split('!').next().unwrap()))
        .collect();
    assert!(extra.is_empty(), "told of what was read: {extra:?}");
}

#[test]
fn history_opens_the_same_containers() {
    let files = Files::build();
    files.git(&["init", "--quiet", "--template="]);
    files.git(&["add", "a.tgz", "b.jar", "without-extension", "unicode.json"]);
    files.git(&["commit", "--quiet", "--no-verify", "--message", "first"]);
    files.git(&["rm", "--quiet", "-r", "."]);
    files.git(&["commit", "--quiet", "--no-verify", "--message", "gone"]);
    let document = files.document(&["--history"]);
    for path in ["a.tgz", "b.jar", "without-extension", "unicode.json"] {
        let rows = files.list("expected");
        let row = rows.iter().find(|it| it["path"] == path).unwrap();
        let found = at(&document, &row["path"]);
        assert!(
            matches!(&found[..], [it] if it["container"] == row["container"]
                && it["secret"] == row["secret"]
                && it["origins"][0]["kind"] == "history"),
            "{path}: {found:?}"
        );
    }
}

#[test]
fn people_and_sarif_are_told_the_way_in() {
    let files = Files::build();
    let text = files.scan(&["deep.tgz"]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("deep.tgz:1:1"), "{text}");
    assert!(text.contains("in deep.tgz!b.zip!c.env:2:7"), "{text}");
    let sarif = files.scan(&["--format", "sarif", "deep.tgz"]);
    let sarif: Value = serde_json::from_slice(&sarif.stdout).unwrap();
    let location = &sarif["runs"][0]["results"][0]["locations"][0];
    assert_eq!(
        location["logicalLocations"][0]["fullyQualifiedName"],
        "deep.tgz!b.zip!c.env"
    );
    assert_eq!(
        location["physicalLocation"]["artifactLocation"]["uri"],
        "deep.tgz"
    );
}

/// A member is held to the limits that the command names.
#[test]
fn depth_and_size_are_as_asked() {
    let files = Files::build();
    let shallow = gaps(&files.document(&["--max-depth", "1", "deep.tgz"]));
    let wanted = ("deep.tgz!b.zip".to_owned(), "limit-hit".to_owned());
    assert!(shallow.contains(&wanted), "{shallow:?}");
    let small = gaps(&files.document(&["--max-size", "2K", "bomb.zip", "a.tar.xz"]));
    assert!(small.iter().all(|it| it.1 == "too-large"), "{small:?}");
}
