//! The house rules that a machine can check: who imports whom, module docs, size of `main.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its own sources must fail"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Each folder of `src/` and the folders it may import, besides itself and `model`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("settings", &[]),
    ("ruleset", &[]),
    ("source", &["syntax"]),
    ("syntax", &[]),
    ("decode", &["syntax"]),
    ("detect", &["syntax"]),
    ("refer", &["syntax"]),
    ("import", &["syntax"]),
    ("inventory", &["syntax"]),
    ("ledger", &[]),
    ("assess", &["syntax"]),
    ("report", &["syntax"]),
    ("scan", &["source", "decode", "detect", "refer", "syntax"]),
    (
        "cli",
        &[
            "settings",
            "ruleset",
            "source",
            "syntax",
            "decode",
            "detect",
            "refer",
            "import",
            "inventory",
            "ledger",
            "assess",
            "report",
            "scan",
        ],
    ),
];

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    rust_files(&root)
        .into_iter()
        .map(|path| {
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The folders a line names through `crate::`, also in nested imports written one per line.
fn imported(line: &str) -> Vec<&str> {
    line.match_indices("crate::")
        .map(|(at, it)| {
            let rest = &line[at + it.len()..];
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            &rest[..end]
        })
        .filter(|it| !it.is_empty())
        .collect()
}

#[test]
fn folders_import_only_what_the_table_allows() {
    let mut faults = Vec::new();
    for (name, text) in sources() {
        let Some((folder, _)) = name.split_once('/') else {
            continue;
        };
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(it, _)| *it == folder) else {
            faults.push(format!("src/{name}: folder `{folder}` is not in the table"));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            if line.contains("crate::{") {
                faults.push(format!(
                    "src/{name}:{}: name one folder per import",
                    number + 1
                ));
            }
            for target in imported(line) {
                if target != folder && target != "model" && !allowed.contains(&target) {
                    faults.push(format!(
                        "src/{name}:{}: `{folder}` may not import `{target}`",
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "no module docs: {silent:?}");
}

#[test]
fn only_the_front_reads_the_environment_or_prints() {
    let mut faults = Vec::new();
    for (name, text) in sources() {
        if name.starts_with("cli/") || name == "main.rs" {
            continue;
        }
        let body = text.split("#[cfg(test)]").next().unwrap_or("");
        for word in [
            "std::env::var",
            "env::var(",
            "println!(",
            "eprintln!(",
            "process::exit",
            "SystemTime::now",
        ] {
            if let Some(at) = body.find(word) {
                let line = body[..at].lines().count().max(1);
                let text = body.lines().nth(line - 1).unwrap_or("");
                // Patterns and documentation may name the word they look for.
                if !text.contains('"') && !text.trim_start().starts_with("//") {
                    faults.push(format!("src/{name}:{line}: `{word}` belongs to cli/"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn main_is_small_and_files_are_not_huge() {
    let faults: Vec<_> = sources()
        .into_iter()
        .filter_map(|(name, text)| {
            let body = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or("")
                .lines()
                .count();
            let limit = if name == "main.rs" { 40 } else { 600 };
            (body > limit).then(|| format!("src/{name}: {body} lines, limit {limit}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The names in a section of the manifest, and whether the line before says that no code names it.
fn dependencies(manifest: &str, section: &str) -> Vec<(String, bool)> {
    let start = manifest.find(&format!("[{section}]\n")).unwrap();
    let lines: Vec<&str> = manifest[start..].lines().skip(1).collect();
    let end = lines.iter().position(|it| it.starts_with('['));
    let lines = &lines[..end.unwrap_or(lines.len())];
    let row = |(at, line): (usize, &&str)| {
        let (name, _) = line.split_once(" = ")?;
        let excused = at > 0 && lines[at - 1].starts_with("# Not named in code: ");
        (!name.starts_with('#')).then(|| (name.replace('-', "_"), excused))
    };
    lines.iter().enumerate().filter_map(row).collect()
}

#[test]
fn every_dependency_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let read = |folders: &[&str]| -> String {
        let files = folders.iter().flat_map(|it| rust_files(&root.join(it)));
        files.map(|it| fs::read_to_string(it).unwrap()).collect()
    };
    let mut idle = Vec::new();
    for (section, folders) in [
        ("dependencies", &["src"][..]),
        ("dev-dependencies", &["src", "tests", "benches"]),
    ] {
        let found = dependencies(&manifest, section);
        assert!(found.len() >= 3, "{found:?}");
        let code = read(folders);
        idle.extend(
            found
                .into_iter()
                .filter(|(name, excused)| !excused && !code.contains(&format!("{name}::")))
                .map(|(name, _)| format!("{section}: {name}")),
        );
    }
    assert!(idle.is_empty(), "nothing uses {idle:?}");
}
