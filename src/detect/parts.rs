//! Paired credentials: candidates of a text and what belongs to them become one.
//!
//! Why after everything is settled, and not where a candidate is judged? A candidate is inherited along
//! edits only if nothing within its reach has changed (`trail`); a part may stand farther off than that,
//! and whether an id is free for a secret depends on all other secrets around. What is settled is a pure
//! function of the text, and what is joined here is one of the text and of what is settled: so it is
//! the same whichever way that was come by. It costs nothing where a text has no candidate whose rule
//! asks for parts.
//!
//! Not here: what a path says of a part, and places as lines; those belong to `scan`.

use super::couple::{Distance, couple};
use super::nearby::{Nearby, Place};
use crate::detect::trail::Found;
use crate::model::finding::Written;
use crate::model::level::Confidence;
use crate::model::part::{Bond, Missing, PartFound, PartRule, Whole};
use crate::model::rule::{Matcher, Rule};
use crate::model::secret::Secret;
use crate::model::span::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Told of a secret that has a part beside it.
const PAIRED: &str = "+ stands with what belongs to it";
/// Told of a secret that lacks a part that it needs.
const LACKING: &str = "- without what must stand with it";

/// The parts of every rule, by the numbers of the rules.
#[derive(Debug)]
pub(crate) struct Parts(BTreeMap<usize, Vec<Nearby>>);

impl Parts {
    /// Those of the rules that have any.
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let with_parts = rules.iter().enumerate().filter(|it| !it.1.parts.is_empty());
        let compiled = with_parts.map(|(number, rule)| {
            let parts = rule.parts.iter().map(|it| Nearby::new(it, rules));
            (number, parts.collect())
        });
        Self(compiled.collect())
    }

    /// Every fault of the parts of a rule.
    pub(crate) fn faults(&self, number: usize, rule: &Rule) -> Vec<String> {
        let compiled = self.0.get(&number).into_iter().flatten();
        let parts = compiled.zip(&rule.parts);
        parts.flat_map(|(it, part)| it.faults(part)).collect()
    }

    /// Joins what was found with its parts; what lacks a part that it cannot be without is left out.
    pub(crate) fn join(&self, rules: &[Rule], text: &[u8], found: &mut Vec<Found>) {
        let mut by_rule: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, it) in found.iter().enumerate() {
            if self.0.contains_key(&it.candidate.rule) {
                by_rule.entry(it.candidate.rule).or_default().push(number);
            }
        }
        if by_rule.is_empty() {
            return;
        }
        let mut join = Join {
            rules,
            text,
            found,
            parts: vec![Vec::new(); found.len()],
            owner: vec![None; found.len()],
        };
        for (rule, secrets) in &by_rule {
            let parts = rules[*rule].parts.iter().zip(&self.0[rule]);
            let mut parts: Vec<_> = parts.enumerate().collect();
            // What serves one secret only may itself have been taken for one.
            parts.sort_by_key(|(_, (part, _))| part.is_shared);
            for (which, (part, nearby)) in parts {
                join.part(part, which, nearby, secrets);
            }
        }
        let (parts, owner) = (join.parts, join.owner);
        bind(found, parts, &owner);
        found.retain(|it| !is_dropped(&rules[it.candidate.rule], it));
    }
}

struct Join<'a> {
    rules: &'a [Rule],
    text: &'a [u8],
    found: &'a [Found],
    /// By number of what was found.
    parts: Vec<Vec<PartFound>>,
    /// Whose part it is.
    owner: Vec<Option<usize>>,
}

impl Join<'_> {
    /// One part of one rule, for all its secrets that are no parts themselves.
    fn part(&mut self, part: &PartRule, which: usize, nearby: &Nearby, secrets: &[usize]) {
        let secrets = secrets.iter().copied();
        let mut secrets: Vec<usize> = secrets.filter(|it| self.owner[*it].is_none()).collect();
        let Some(own) = secrets.first().map(|it| self.found[*it].candidate.rule) else {
            return;
        };
        let span = |it: &usize| self.found[*it].span;
        let spans: Vec<Span> = secrets.iter().map(span).collect();
        let is_weak = |it: &Found| {
            let rule = it.candidate.rule;
            rule == own || self.rules[rule].matcher == Matcher::Assignment
        };
        let mut places = nearby.places(part, self.text, self.found, &spans, is_weak);
        places.retain(|it| it.found.is_none_or(|number| self.is_free(number)));
        // An id that was taken for a secret of this rule is none.
        let ids: BTreeSet<usize> = places.iter().filter_map(|it| it.found).collect();
        secrets.retain(|it| !ids.contains(it));
        let spans: Vec<Span> = secrets.iter().map(span).collect();
        let spans_of_parts: Vec<Span> = places.iter().map(|it| it.span).collect();
        let distance = Distance {
            lines: part.lines,
            bytes: part.bytes,
        };
        let coupled = couple(self.text, &spans, &spans_of_parts, distance, part.is_shared);
        for (secret, place) in secrets.iter().zip(coupled) {
            let Some(place) = place.map(|it| places[it]) else {
                continue;
            };
            if let Some(number) = place.found {
                self.owner[number] = Some(*secret);
            }
            let found = PartFound {
                which,
                span: place.span,
                secret: self.value(place),
                written: place.written,
            };
            self.parts[*secret].push(found);
        }
    }

    fn is_free(&self, number: usize) -> bool {
        self.parts[number].is_empty() && self.owner[number].is_none()
    }

    fn value(&self, place: Place) -> Secret {
        match place.found {
            Some(number) => self.found[number].candidate.secret.clone(),
            None => Secret::new(&self.text[place.span.start..place.span.end]),
        }
    }
}

/// Tells each candidate of its parts, and each part of its whole.
fn bind(found: &mut [Found], parts: Vec<Vec<PartFound>>, owner: &[Option<usize>]) {
    let mut wholes: BTreeMap<usize, Arc<Whole>> = BTreeMap::new();
    for (number, mut parts) in parts.into_iter().enumerate() {
        if parts.is_empty() {
            continue;
        }
        parts.sort_by_key(|it| it.which);
        let whole = Arc::new(Whole {
            candidate: Arc::clone(&found[number].candidate),
            parts,
        });
        found[number].bond = Bond::Whole(Arc::clone(&whole));
        wholes.insert(number, whole);
    }
    for (number, owner) in owner.iter().enumerate() {
        if let Some(whole) = owner.and_then(|it| wholes.get(&it)) {
            found[number].bond = Bond::Part(Arc::clone(whole));
        }
    }
}

fn has(found: &Found, which: usize) -> bool {
    match &found.bond {
        Bond::Whole(whole) => whole.parts.iter().any(|it| it.which == which),
        Bond::Alone | Bond::Part(_) => false,
    }
}

fn is_dropped(rule: &Rule, found: &Found) -> bool {
    let mut parts = rule.parts.iter().enumerate();
    !matches!(found.bond, Bond::Part(_))
        && parts.any(|(which, it)| it.missing == Missing::Drops && !has(found, which))
}

/// The confidence of a secret with these parts, and the fact that changed it. A part raises what only a
/// name gave away, one step and never above what its rule says; a lack of one that is required says that
/// it is hardly a secret.
pub fn with_parts(
    rule: &Rule,
    confidence: Confidence,
    parts: &[&PartFound],
) -> (Confidence, Option<&'static str>) {
    let has = |which: usize| parts.iter().any(|it| it.which == which);
    let mut declared = rule.parts.iter().enumerate();
    if declared.any(|(which, it)| it.missing == Missing::Lowers && !has(which)) {
        return (Confidence::Low, Some(LACKING));
    }
    // Samples and tests have names beside their passwords, too: where the value itself is judged, company
    // says nothing.
    let is_judged = rule.matcher == Matcher::Assignment || rule.promise.is_some();
    if parts.is_empty() || is_judged {
        return (confidence, None);
    }
    let raised = match confidence {
        Confidence::Low => Confidence::Medium,
        Confidence::Medium | Confidence::High => Confidence::High,
    };
    (confidence.max(raised.min(rule.confidence)), Some(PAIRED))
}

/// Whether a part counts in a file of this kind: where an unquoted text is an expression, it names
/// something else.
pub fn counts(part: &PartFound, is_code: bool) -> bool {
    !(is_code && part.written == Written::Bare)
}
