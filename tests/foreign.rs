//! The import of rules, on the rules that gitleaks ships: read out of its released program, which
//! `tests/run` fetches. Nothing of them is kept here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

use keyatlas::detect::{Detector, Scratch, Texture};
use keyatlas::ruleset::{Options, RuleFile, import, load};
use std::sync::Arc;

/// The rule file inside the program, which embeds it as text.
fn shipped() -> String {
    let program = std::env::var_os("KEYATLAS_TEST_GITLEAKS")
        .expect("KEYATLAS_TEST_GITLEAKS is not set: run tests/run, which fetches the program");
    let bytes = std::fs::read(program).unwrap();
    let title = b"title = \"gitleaks config\"";
    let start = memchr::memmem::find(&bytes, title).expect("no rule file in the program");
    let is_text = |it: &u8| matches!(it, b'\t' | b'\n' | b'\r' | b' '..=b'~') || *it >= 0x80;
    let length = bytes[start..].iter().take_while(|it| is_text(it)).count();
    let text = String::from_utf8_lossy(&bytes[start..start + length]).into_owned();
    // Another text may follow without a byte between: the file ends where it stops being one.
    let ends = text.match_indices('\n').map(|(at, _)| at + 1).rev();
    let end = ends
        .into_iter()
        .find(|end| text[..*end].parse::<toml::Table>().is_ok());
    text[..end.expect("the rule file cannot be read")].to_owned()
}

#[test]
fn the_rules_that_gitleaks_ships_are_carried() {
    let theirs = shipped();
    let written = theirs.matches("[[rules]]").count();
    let imported = import(&theirs).unwrap();
    let left: Vec<_> = imported
        .notes
        .iter()
        .filter(|it| it.contains("not carried"))
        .collect();
    // Every rule is carried or named.
    assert_eq!(imported.count + left.len(), written, "{left:#?}");
    assert!(left.len() <= 5, "{left:#?}");

    let file = RuleFile {
        name: "imported.toml".to_owned(),
        text: imported.text,
    };
    let rules = Arc::new(
        load(&Options {
            extra: vec![file],
            ..Options::default()
        })
        .unwrap(),
    );
    let detector = Detector::new(Arc::clone(&rules));
    assert_eq!(detector.check(), Vec::<String>::new());

    // An invented value of a kind that theirs know; and a text in which nobody sees anything.
    let found = |text: &str| {
        let found = detector.detect(text.as_bytes(), Texture::Text, &mut Scratch::default());
        let ids: Vec<_> = found
            .iter()
            .map(|it| rules.rules[it.candidate.rule].id.clone())
            .collect();
        ids
    };
    let digits = "8f14e45fceea167a5a36dedd4bea2543";
    assert!(!found(&format!("freemius_secret = '{digits}'\n")).is_empty());
    assert!(found("nothing = 'to see'\n").is_empty());
}
