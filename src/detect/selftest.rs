//! Runs the whole detector over a rule's examples and counter-examples: above the switchboard, which
//! uses nothing of it.

use super::{Detector, Found, Scratch, Seed, Texture, fill};
use crate::model::part::Bond;
use crate::model::rule::{Rule, RuleSet};
use std::sync::Arc;

/// Every example that stays silent and every counter-example that fires, as sentences.
pub fn faults(rules: &Arc<RuleSet>, seed: u64) -> Vec<String> {
    faults_of(rules, |_| true, seed)
}

/// The same for some of the rules; the others are there for their parts.
pub fn faults_of(rules: &Arc<RuleSet>, is_asked: impl Fn(&Rule) -> bool, seed: u64) -> Vec<String> {
    let mut test = Test {
        rules,
        detector: Detector::new(Arc::clone(rules)),
        scratch: Scratch::default(),
    };
    let mut faults = test.detector.check();
    let asked = rules.rules.iter().enumerate().filter(|it| is_asked(it.1));
    for (number, rule) in asked {
        let mut seed = Seed(seed ^ of_id(&rule.id));
        test.rule(number, rule, &mut seed, &mut faults);
        test.parts(number, rule, &mut seed, &mut faults);
    }
    faults
}

struct Test<'a> {
    rules: &'a RuleSet,
    detector: Detector,
    scratch: Scratch,
}

/// Each text with whether it is an example.
fn both<'a>(
    examples: &'a [String],
    counter_examples: &'a [String],
) -> impl Iterator<Item = (&'a String, bool)> {
    let examples = examples.iter().map(|it| (it, true));
    examples.chain(counter_examples.iter().map(|it| (it, false)))
}

impl Test<'_> {
    fn ids(&self, found: impl Iterator<Item = usize>) -> String {
        let ids: Vec<_> = found.map(|it| self.rules.rules[it].id.as_str()).collect();
        ids.join(", ")
    }

    fn rule(&mut self, number: usize, rule: &Rule, seed: &mut Seed, faults: &mut Vec<String>) {
        for (example, should_fire) in both(&rule.examples, &rule.counter_examples) {
            let text = match fill(example, seed) {
                Ok(text) => text,
                Err(fault) => {
                    faults.push(format!("rule `{}`: {fault}", rule.id));
                    continue;
                }
            };
            let text = text.as_bytes();
            let found = self
                .detector
                .matched(text, Texture::Text, &mut self.scratch);
            if found.contains(&number) == should_fire {
                continue;
            }
            let what = if should_fire {
                "does not fire on"
            } else {
                "fires on"
            };
            faults.push(format!(
                "rule `{}` {what} `{example}` (found: {})",
                rule.id,
                self.ids(found.into_iter())
            ));
        }
    }

    /// In an example every finding of the rule has the part; in a counter-example there is one without
    /// it, or none.
    fn parts(&mut self, number: usize, rule: &Rule, seed: &mut Seed, faults: &mut Vec<String>) {
        for (which, part) in rule.parts.iter().enumerate() {
            for (example, should_have) in both(&part.examples, &part.counter_examples) {
                let about = format!("rule `{}`, part `{}`", rule.id, part.name);
                let text = match fill(example, seed) {
                    Ok(text) => text,
                    Err(fault) => {
                        faults.push(format!("{about}: {fault}"));
                        continue;
                    }
                };
                let text = text.as_bytes();
                let found = self.detector.detect(text, Texture::Text, &mut self.scratch);
                let is_ours =
                    |it: &&Found| it.candidate.rule == number && !matches!(it.bond, Bond::Part(_));
                let ours = || found.iter().filter(is_ours);
                let have = ours().filter(|it| has(it, which)).count();
                let what = match should_have {
                    true if ours().count() == 0 => "no finding of the rule in",
                    true if have < ours().count() => "it is missing in",
                    false if have > 0 && have == ours().count() => "nothing lacks it in",
                    _ => continue,
                };
                let ids = self.ids(found.iter().map(|it| it.candidate.rule));
                faults.push(format!("{about}: {what} `{example}` (found: {ids})"));
            }
        }
    }
}

fn has(found: &Found, which: usize) -> bool {
    match &found.bond {
        Bond::Whole(whole) => whole.parts.iter().any(|it| it.which == which),
        Bond::Alone | Bond::Part(_) => false,
    }
}

/// A rule's own seed (FNV-1a), so that its examples are filled alike whatever rules are added around it.
fn of_id(id: &str) -> u64 {
    id.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
