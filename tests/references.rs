//! The 61 families of reference syntaxes: every mention in `fixtures/references` is expected, and every
//! expected one is found; `docs/references.md` tells the same.
//!
//! Each folder is a family, with files named as in reality. `expected.tsv` lists what must be read; a file
//! without a row is a near-miss and must stay silent. `KEYATLAS_UPDATE_GOLDEN=1` writes the lists anew, to be
//! reviewed as code.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use keyatlas::model::origin::{Origin, OriginKind};
use keyatlas::model::reference::{Mention, Reference};
use keyatlas::refer;
use keyatlas::syntax::literals::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const HEAD: &str = "path\tline\tsyntax\tname\trole\tcertainty\tyields\tconsumer";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/references")
}

/// Folders by their number and name.
fn families() -> Vec<(usize, String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(root())
        .unwrap()
        .map(|it| it.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let (number, title) = name.split_once('-').unwrap();
            (number.parse().unwrap(), title.to_owned(), path)
        })
        .collect();
    found.sort();
    found
}

fn files(dir: &Path, below: &str, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let relative = format!("{below}{name}");
        if path.is_dir() {
            files(&path, &format!("{relative}/"), found);
        } else if relative != "expected.tsv" {
            found.push((relative, path));
        }
    }
    found.sort();
}

/// What a search for the anchors tells.
fn search(text: &[u8]) -> Seen {
    let mut seen = Seen::default();
    for (number, anchor) in refer::anchors().iter().enumerate() {
        if text.windows(anchor.len()).any(|it| it == anchor.as_bytes()) {
            seen.add(number);
        }
    }
    seen
}

fn row(path: &str, it: &Mention) -> String {
    [
        path.to_owned(),
        it.place.line.to_string(),
        it.syntax.to_owned(),
        it.name.to_string(),
        it.role.name().to_owned(),
        it.certainty().to_owned(),
        it.yields
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        it.consumer.clone().unwrap_or_default(),
    ]
    .join("\t")
}

/// All rows that a folder yields, and its files.
fn read(dir: &Path) -> (Vec<String>, Vec<String>) {
    let mut paths = Vec::new();
    files(dir, "", &mut paths);
    let mut references = Vec::new();
    for (relative, path) in &paths {
        let text = fs::read(path).unwrap();
        for mention in refer::read(relative, &text, search(&text), &mut |_| {}) {
            references.push(Reference {
                path: relative.clone(),
                mention,
                origin: Origin::plain(OriginKind::File, relative, None),
            });
        }
    }
    refer::resolve_stores(&mut references);
    let rows = references
        .iter()
        .map(|it| row(&it.path, &it.mention))
        .collect();
    (rows, paths.into_iter().map(|it| it.0).collect())
}

fn expected(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("expected.tsv")).unwrap_or_default();
    text.lines().skip(1).map(str::to_owned).collect()
}

/// A column of all expected rows of a family.
fn column(dir: &Path, index: usize) -> BTreeSet<String> {
    let cell = |it: String| it.split('\t').nth(index).unwrap().to_owned();
    expected(dir).into_iter().map(cell).collect()
}

#[test]
fn every_family_is_read_and_nothing_else() {
    let update = std::env::var_os("KEYATLAS_UPDATE_GOLDEN").is_some();
    let (mut right, mut read_in_all, mut expected_in_all) = (0, 0, 0);
    let mut faults = Vec::new();
    for (_, _, dir) in families() {
        let (found, paths) = read(&dir);
        if update {
            let text = format!("{HEAD}\n{}\n", found.join("\n"));
            fs::write(dir.join("expected.tsv"), text).unwrap();
        }
        let wanted = expected(&dir);
        let mut left: BTreeMap<&str, i32> = BTreeMap::new();
        for it in &wanted {
            *left.entry(it).or_default() += 1;
        }
        for it in &found {
            match left.get_mut(it.as_str()) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    right += 1;
                }
                _ => faults.push(format!("{}: not expected: {it}", dir.display())),
            }
        }
        let missed = left.iter().filter(|it| *it.1 > 0);
        faults.extend(missed.map(|(it, _)| format!("{}: not read: {it}", dir.display())));
        read_in_all += found.len();
        expected_in_all += wanted.len();
        let named = column(&dir, 0);
        if wanted.is_empty() || paths.iter().all(|it| named.contains(it)) {
            faults.push(format!(
                "{}: wants an example and a near-miss",
                dir.display()
            ));
        }
    }
    println!(
        "precision {:.4} ({right}/{read_in_all}), recall {:.4} ({right}/{expected_in_all})",
        f64::from(right) / read_in_all as f64,
        f64::from(right) / expected_in_all as f64,
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn there_are_sixty_one_families() {
    let numbers: Vec<usize> = families().into_iter().map(|it| it.0).collect();
    assert_eq!(numbers, (1..=61).collect::<Vec<_>>());
}

/// Cells of a row of the table in the documentation.
fn documented() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/references.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text
        .lines()
        .filter(|it| it.starts_with("| ") && !it.starts_with("| #"));
    let cells = |row: &str| {
        row.trim_matches('|')
            .split(" | ")
            .map(|it| it.trim().to_owned())
            .collect()
    };
    rows.map(cells).collect()
}

#[test]
fn the_documentation_tells_what_is_read() {
    let rows = documented();
    let families = families();
    assert_eq!(rows.len(), families.len());
    for ((number, _, dir), row) in families.into_iter().zip(rows) {
        assert_eq!(row.len(), 7, "{row:?}");
        assert_eq!(row[0], number.to_string());
        assert!(row.iter().all(|it| !it.is_empty()), "{row:?}");
        let told = |cell: &str| -> BTreeSet<String> {
            cell.split(' ')
                .map(|it| it.trim_matches('`').to_owned())
                .collect()
        };
        assert_eq!(
            told(&row[5]),
            column(&dir, 2),
            "syntaxes of family {number}"
        );
        let names = column(&dir, 3);
        let providers = names
            .iter()
            .map(|it| it.split(':').next().unwrap().to_owned());
        assert_eq!(
            told(&row[6]),
            providers.collect(),
            "providers of family {number}"
        );
    }
}

#[test]
fn every_reader_is_tried() {
    let mut read = BTreeSet::new();
    for (_, _, dir) in families() {
        read.extend(column(&dir, 2));
    }
    for (name, path, text) in refer::families() {
        let seen = search(text.as_bytes());
        for mention in refer::read(path, text.as_bytes(), seen, &mut |_| {}) {
            assert!(read.contains(mention.syntax), "{name}: {}", mention.syntax);
        }
    }
}
