//! Whole documents of the invented shop, as they stand beside this file: every format and the map, to the
//! last byte. A change of words or of order shows up here, and is reviewed as code.
//!
//!     KEYATLAS_UPDATE_GOLDEN=1 cargo test --test golden     writes them anew
//!
//! Through the library, since the day is passed in. White space between the parts of JSON is not compared.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

use keyatlas::assess::waive::assign_ordinals;
use keyatlas::assess::{self, Scope};
use keyatlas::import::{self, Importer};
use keyatlas::inventory::Store;
use keyatlas::model::input::Input;
use keyatlas::model::level::Confidence;
use keyatlas::model::map::Subject;
use keyatlas::model::policy::Policies;
use keyatlas::model::record::CompleteScope;
use keyatlas::model::report::Report;
use keyatlas::report::{Format, MapFormat, write, write_map};
use keyatlas::ruleset;
use keyatlas::scan::{self, Mode, Within};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use zeroize::Zeroizing;

const UPDATE: &str = "KEYATLAS_UPDATE_GOLDEN";
const DAY: &str = "2026-11-24";

fn root(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The shop as of a fixed day.
fn shop() -> TempDir {
    let dir = TempDir::new().unwrap();
    let works = |name: &&str| {
        let probe = Command::new(name)
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"])
            .output();
        probe.is_ok_and(|it| it.status.success())
    };
    let python = ["python3", "python"].into_iter().find(works);
    let built = Command::new(python.expect("this test needs Python 3.8 or newer on the PATH"))
        .arg(root("fixtures/shop/build"))
        .arg(dir.path().join("shop"))
        .args(["--today", DAY])
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    dir
}

fn now() -> i64 {
    let midnight: jiff::Timestamp = format!("{DAY}T00:00:00Z").parse().unwrap();
    midnight.as_second()
}

/// An inventory of the shop's table.
fn store(dir: &Path) -> Store {
    let (path, key) = (dir.join("inventory.db"), dir.join("keys/estate.key"));
    Store::create(&path, &key).unwrap();
    let mut store = Store::open(&path, Some(&key)).unwrap();
    let table = fs::read(dir.join("shop/inventory/inventory.csv")).unwrap();
    let input = Input {
        name: "inventory/inventory.csv".to_owned(),
        bytes: Zeroizing::new(table),
    };
    let (seal, mut records) = (store.fingerprinter(), Vec::new());
    let options = import::Options::default();
    let csv = Importer::named("csv").unwrap();
    import::read(csv, &input, seal.as_ref(), &options, &mut |it| {
        records.push(it);
    })
    .unwrap();
    let complete = CompleteScope {
        provider: "github-actions".to_owned(),
        prefix: String::new(),
    };
    store
        .import(&input.name, records, &[complete], now())
        .unwrap();
    store
}

/// Everything there is to say of the shop's three repositories.
fn report(dir: &Path) -> Report {
    let store = store(dir);
    let rules = Arc::new(ruleset::load(&ruleset::Options::default()).unwrap());
    let options = scan::Options {
        roots: vec![dir.join("shop/estate")],
        mode: Mode::History,
        within: Within::everything(),
        jobs: 2,
        max_size: 1 << 20,
        max_depth: 4,
        no_ignore: false,
        whole_blobs: false,
        exclude: Vec::new(),
        min_confidence: Confidence::Medium,
        references: true,
        estate: true,
        salt: None,
        fingerprinter: store.fingerprinter(),
        known: None,
        ground: scan::Ground::default(),
        index_file: None,
        objects: Vec::new(),
        shelf: None,
        progress: None,
    };
    let mut scanned = scan::run(&options, &rules).unwrap();
    assign_ordinals(&mut scanned.findings);
    let inventory = store.inventory().unwrap();
    let judge = assess::Options {
        policies: Policies::default(),
        scope: Scope::Estate,
        now: now(),
        stale_days: 365,
        stale_cloud_days: 90,
        expiring_days: 30,
    };
    let assessed = assess::assess(
        &mut scanned.findings,
        &scanned.references,
        Some(&inventory),
        &judge,
    );
    Report {
        rules: (*rules).clone(),
        findings: scanned.findings,
        references: scanned.references,
        resolved: assessed.resolved,
        map: assessed.map,
        verdicts: assessed.verdicts,
        has_inventory: true,
        records: inventory.records,
        coverage: scanned.coverage,
        repositories: scanned.repositories,
        claims: scanned.claims,
        show_secrets: false,
        explain: false,
        today: DAY.to_owned(),
    }
}

/// Every document: its name and its text.
fn documents(report: &Report) -> Vec<(String, String)> {
    let mut documents = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>| {
        let plain = anstream::adapter::strip_bytes(&bytes).into_vec();
        documents.push((name, String::from_utf8(plain).unwrap()));
    };
    for (name, format) in Format::NAMES {
        let mut out = Vec::new();
        write(*format, &mut out, report).unwrap();
        add(format!("shop.{name}"), out);
    }
    for (name, format) in MapFormat::NAMES {
        let mut out = Vec::new();
        write_map(*format, &mut out, report, &Subject::Everything).unwrap();
        let name = match format {
            MapFormat::Human => "shop.map".to_owned(),
            _ => format!("shop.map.{name}"),
        };
        add(
            name,
            if *format == MapFormat::Html {
                data(out)
            } else {
                out
            },
        );
    }
    documents
}

/// Of a page, what is shown; not what shows it.
fn data(page: Vec<u8>) -> Vec<u8> {
    let page = String::from_utf8(page).unwrap();
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    format!("{data}\n").into_bytes()
}

/// What differs from build to build, or from key to key, by its name.
fn normalised(text: &str, report: &Report, dir: &Path) -> String {
    let place = dir.display().to_string().replace('\\', "/");
    let text = text
        .replace(&report.rules.digest, "[RULESET]")
        .replace(
            &format!("\"{}\"", env!("CARGO_PKG_VERSION")),
            "\"[VERSION]\"",
        )
        .replace(&place, "[ROOT]")
        .replace("\r\n", "\n");
    let mut parts = text.split("kf1:");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        assert!(part.as_bytes()[..64].iter().all(u8::is_ascii_hexdigit));
        out.push_str("kf1:[KEYED]");
        out.push_str(&part[64..]);
    }
    out
}

/// JSON with a line for each member, and the order as it was.
fn unfolded(json: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0_usize);
    let (mut in_text, mut is_escaped) = (false, false);
    let mut characters = json.trim_end().chars().peekable();
    while let Some(it) = characters.next() {
        if in_text || it == '"' {
            in_text = it != '"' || is_escaped || !in_text;
            is_escaped = it == '\\' && !is_escaped;
            out.push(it);
            continue;
        }
        let is_empty = matches!((it, characters.peek()), ('{', Some('}')) | ('[', Some(']')));
        match it {
            '{' | '[' if is_empty => {
                out.push(it);
                out.extend(characters.next());
                continue;
            }
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        match it {
            '}' | ']' => out.push_str(&format!("\n{}{it}", " ".repeat(depth))),
            '{' | '[' | ',' => out.push_str(&format!("{it}\n{}", " ".repeat(depth))),
            ':' => out.push_str(": "),
            '\n' => out.push_str("\n\n"),
            _ => out.push(it),
        }
    }
    out + "\n"
}

#[test]
fn unfolding_keeps_the_order_and_the_texts() {
    assert_eq!(
        unfolded("{\"b\":[1,{\"a, {\\\"\":[]}],\"a\":{}}\n"),
        "{\n \"b\": [\n  1,\n  {\n   \"a, {\\\"\": []\n  }\n ],\n \"a\": {}\n}\n"
    );
}

#[test]
fn the_documents_are_as_they_were() {
    let dir = shop();
    let report = report(dir.path());
    let mut faults = Vec::new();
    for (name, text) in documents(&report) {
        let text = normalised(&text, &report, dir.path());
        // The data of the page has a line for each row already.
        let is_json = text.starts_with('{') && !name.ends_with(".html");
        let text = if is_json { unfolded(&text) } else { text };
        let path = root("tests/golden").join(&name);
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&path, &text).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        let golden = golden.replace("\r\n", "\n");
        if text != golden {
            let pairs = || text.lines().zip(golden.lines());
            let at = pairs().take_while(|(one, other)| one == other).count();
            let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
            faults.push(format!(
                "{name}:{}:\n  was {}\n  is  {}",
                at + 1,
                line(&golden),
                line(&text)
            ));
        }
    }
    assert!(
        faults.is_empty(),
        "{}\nIf that is meant: {UPDATE}=1 cargo test --test golden, and review the difference",
        faults.join("\n")
    );
}
