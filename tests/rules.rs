//! Every rule proves itself: its examples fire, its counter-examples stay silent, under several seeds.
//! And the catalogue is whole: `rules/formats.tsv` names every kind of secret that is known, and each
//! one is covered by a rule or declined in `rules/declined.tsv` with its reason.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use keyatlas::detect::selftest;
use keyatlas::model::part::PartRule;
use keyatlas::model::rule::{Matcher, RuleSet};
use keyatlas::ruleset::{Options, load};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn rules() -> RuleSet {
    load(&Options::default()).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn every_rule_keeps_its_word() {
    let rules = Arc::new(rules());
    assert!(rules.rules.len() >= 650, "{} rules", rules.rules.len());
    for seed in [20_260_101, 7, 4_711] {
        let faults = selftest::faults(&rules, seed);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[test]
fn every_rule_says_how_to_rotate_and_has_examples_of_both_kinds() {
    let poor: Vec<_> = rules()
        .rules
        .iter()
        .filter(|it| {
            // The examples of known values are in `tests/known.rs`: they need an inventory.
            let is_known = it.matcher == Matcher::Known;
            let has_both = it.examples.len() >= 2 && it.counter_examples.len() >= 2;
            it.rotation.is_empty() || !(has_both || is_known)
        })
        .map(|it| it.id.clone())
        .collect();
    assert!(poor.is_empty(), "{poor:?}");
}

/// Whoever adds a pair raises the count.
#[test]
fn every_part_has_examples_of_both_kinds() {
    let rules = rules().rules;
    let with_parts = rules.iter().filter(|it| !it.parts.is_empty());
    assert_eq!(with_parts.clone().count(), 152);
    let is_poor = |it: &&PartRule| it.examples.is_empty() || it.counter_examples.is_empty();
    let poor: Vec<_> = with_parts
        .flat_map(|rule| {
            let poor = rule.parts.iter().filter(is_poor);
            poor.map(|it| format!("{} {}", rule.id, it.name))
        })
        .collect();
    assert!(poor.is_empty(), "{poor:?}");
}

/// One row of `rules/formats.tsv`.
struct Format {
    has_prefix: bool,
    is_low: bool,
    needs_context: bool,
}

/// The rows of a table below its heading, each cut at its tabs. A table is sorted by its first column,
/// every row has as many cells as the heading, and no cell has space at its ends.
fn table(name: &str, heading: &[&str]) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("rules")
        .join(name);
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.ends_with('\n') && !text.contains('\r'),
        "{name}: ends of lines"
    );
    let mut rows: Vec<Vec<String>> = text
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect();
    assert_eq!(rows.remove(0), heading, "{name}: heading");
    for row in &rows {
        assert_eq!(row.len(), heading.len(), "{name}: {row:?}");
        assert!(row.iter().all(|it| it.trim() == it), "{name}: {row:?}");
        assert!(!row[0].is_empty(), "{name}: {row:?}");
    }
    let unsorted: Vec<_> = rows
        .windows(2)
        .filter(|it| it[0][0] >= it[1][0])
        .map(|it| &it[1][0])
        .collect();
    assert!(
        unsorted.is_empty(),
        "{name}: not sorted, or twice: {unsorted:?}"
    );
    rows
}

fn formats() -> BTreeMap<String, Format> {
    let heading = ["id", "provider", "kind", "prefix", "severity", "context"];
    table("formats.tsv", &heading)
        .into_iter()
        .map(|row| {
            let format = Format {
                has_prefix: !row[3].is_empty(),
                is_low: row[4] == "low",
                needs_context: row[5] == "yes",
            };
            (row[0].clone(), format)
        })
        .collect()
}

fn covered() -> BTreeSet<String> {
    let rules = rules().rules;
    rules.iter().flat_map(|it| it.formats.clone()).collect()
}

fn declined() -> BTreeSet<String> {
    let rows = table("declined.tsv", &["id", "reason"]);
    for row in &rows {
        let kinds = [
            "public key: ",
            "identifier: ",
            "not a secret: ",
            "shape too loose: ",
            "faulty row: ",
            "duplicate of ",
            "out of reach: ",
        ];
        assert!(kinds.iter().any(|it| row[1].starts_with(it)), "{row:?}");
    }
    rows.into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn rules_and_refusals_name_known_formats_and_never_the_same() {
    let (formats, covered, declined) = (formats(), covered(), declined());
    let known: BTreeSet<String> = formats.keys().cloned().collect();
    let unknown: Vec<_> = covered
        .union(&declined)
        .filter(|it| !known.contains(*it))
        .collect();
    assert!(unknown.is_empty(), "no such format: {unknown:?}");
    let both: Vec<_> = covered.intersection(&declined).collect();
    assert!(both.is_empty(), "covered and declined: {both:?}");
}

#[test]
fn every_format_is_covered_or_declined() {
    let (formats, covered, declined) = (formats(), covered(), declined());
    let open: Vec<_> = formats
        .keys()
        .filter(|id| !covered.contains(*id) && !declined.contains(*id))
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

/// What the catalogue covers; whoever adds a rule raises a count here.
#[test]
fn the_catalogue_only_grows() {
    let (formats, covered) = (formats(), covered());
    let count = |keep: &dyn Fn(&Format) -> bool| {
        let all = formats.iter().filter(|(_, it)| keep(it));
        let (mut known, mut found) = (0, 0);
        for (id, _) in all {
            known += 1;
            found += usize::from(covered.contains(id));
        }
        (found, known)
    };
    assert_eq!(count(&|_| true), (1371, 1566), "all");
    assert_eq!(
        count(&|it| it.has_prefix && !it.is_low),
        (449, 475),
        "with a prefix, above low"
    );
    assert_eq!(
        count(&|it| it.needs_context && !it.has_prefix && !it.is_low),
        (895, 939),
        "without a prefix, above low, known by their context"
    );
}
