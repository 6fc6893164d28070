//! Every rule proves itself: its examples fire, its counter-examples stay silent, under several seeds.

use keyatlas::detect::selftest;
use keyatlas::ruleset::{Options, load};
use std::sync::Arc;

#[test]
fn every_rule_keeps_its_word() {
    let rules = Arc::new(load(&Options::default()).unwrap_or_else(|fault| panic!("{fault}")));
    assert!(rules.rules.len() >= 400, "{} rules", rules.rules.len());
    let faults = selftest::faults(&rules, 20_260_101);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_rule_says_how_to_rotate_and_has_examples_of_both_kinds() {
    let rules = load(&Options::default()).unwrap_or_else(|fault| panic!("{fault}"));
    let poor: Vec<_> = rules
        .rules
        .iter()
        .filter(|it| {
            it.rotation.is_empty() || it.examples.len() < 2 || it.counter_examples.len() < 2
        })
        .map(|it| it.id.as_str())
        .collect();
    assert!(poor.is_empty(), "{poor:?}");
}
