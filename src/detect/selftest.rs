//! Runs the whole detector over a rule's examples and counter-examples: above the switchboard, which
//! uses nothing of it.

use super::{Detector, Scratch, Seed, Texture, fill};
use crate::model::rule::RuleSet;
use std::sync::Arc;

/// Every example that stays silent and every counter-example that fires, as sentences.
pub fn faults(rules: &Arc<RuleSet>, seed: u64) -> Vec<String> {
    let detector = Detector::new(Arc::clone(rules));
    let mut faults = detector.check();
    let mut scratch = Scratch::default();
    for (number, rule) in rules.rules.iter().enumerate() {
        let mut seed = Seed(seed ^ of_id(&rule.id));
        let examples = rule
            .examples
            .iter()
            .map(|it| (it, true))
            .chain(rule.counter_examples.iter().map(|it| (it, false)));
        for (example, should_fire) in examples {
            let text = match fill(example, &mut seed) {
                Ok(text) => text,
                Err(fault) => {
                    faults.push(format!("rule `{}`: {fault}", rule.id));
                    continue;
                }
            };
            let found = detector.matched(text.as_bytes(), Texture::Text, &mut scratch);
            let fired = found.contains(&number);
            if fired != should_fire {
                let others: Vec<_> = found
                    .iter()
                    .map(|it| rules.rules[*it].id.as_str())
                    .collect();
                let what = if should_fire {
                    "does not fire on"
                } else {
                    "fires on"
                };
                faults.push(format!(
                    "rule `{}` {what} `{example}` (found: {})",
                    rule.id,
                    others.join(", ")
                ));
            }
        }
    }
    faults
}

/// A rule's own seed (FNV-1a), so that its examples are filled alike whatever rules are added around it.
fn of_id(id: &str) -> u64 {
    id.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
