//! Sightings to findings: path facts, identity, one finding per place with all its origins.

use super::collect::Sighting;
use super::identity::Identity;
use crate::detect::weigh;
use crate::model::finding::Finding;
use crate::model::fingerprint::{Fingerprinter, Occurrence};
use crate::model::level::{Confidence, Level};
use crate::model::origin::Origin;
use crate::model::rule::RuleSet;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A sighting with the origins its bytes have.
pub(super) struct Traced {
    pub(super) sighting: Sighting,
    pub(super) origins: Vec<Origin>,
    /// Whether it lies in the work tree, the index or HEAD, so that its line numbers are the ones to show.
    pub(super) is_current: bool,
}

/// What findings need besides bytes.
pub(super) struct Context<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) identity: Identity,
    pub(super) fingerprinter: Option<&'a Fingerprinter>,
    pub(super) min_confidence: Confidence,
}

/// Sorted findings, each with every origin of its value at its path.
pub(super) fn findings(traced: Vec<Traced>, context: &Context<'_>) -> Vec<Finding> {
    let mut found: Vec<(usize, Finding, bool)> = traced
        .into_par_iter()
        .flat_map_iter(|it| finding(it, context))
        .collect();
    let place = |it: &Finding| (it.path.clone(), it.place, it.rule.clone(), it.via.clone());
    found.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| place(&a.1).cmp(&place(&b.1))));
    merge(found)
}

/// Versions of one file in history hold the same value at moved lines: the k-th copy of a value in one
/// version is the k-th copy in another.
fn merge(found: Vec<(usize, Finding, bool)>) -> Vec<Finding> {
    let mut by_place: BTreeMap<(String, String, Vec<u8>, Option<String>, usize), Finding> =
        BTreeMap::new();
    let mut copies: BTreeMap<(usize, String, String, Vec<u8>, Option<String>), usize> =
        BTreeMap::new();
    for (version, finding, _) in found {
        let value = finding.secret.expose().to_vec();
        let repository = finding
            .origins
            .first()
            .and_then(|it| it.repository.clone())
            .unwrap_or_default();
        let path = format!("{repository}\0{}", finding.path);
        let copy = copies
            .entry((
                version,
                path.clone(),
                finding.rule.clone(),
                value.clone(),
                finding.key.clone(),
            ))
            .or_default();
        let key = (
            path,
            finding.rule.clone(),
            value,
            finding.key.clone(),
            *copy,
        );
        *copy += 1;
        match by_place.get_mut(&key) {
            Some(known) => known.origins.extend(finding.origins),
            None => {
                by_place.insert(key, finding);
            }
        }
    }
    let mut findings: Vec<Finding> = by_place.into_values().collect();
    for finding in &mut findings {
        order(&mut finding.origins);
    }
    let repository = |it: &Finding| it.origins.first().and_then(|it| it.repository.clone());
    findings.sort_by(|a, b| {
        (repository(a), &a.path, a.place, &a.rule).cmp(&(repository(b), &b.path, b.place, &b.rule))
    });
    findings
}

/// What is there now first, then the earliest introduction; one origin a kind and path.
fn order(origins: &mut Vec<Origin>) {
    origins.sort_by(|a, b| {
        let rank = |it: &Origin| {
            (
                it.introduced.is_some(),
                it.path.clone(),
                it.introduced.clone(),
            )
        };
        (a.kind, rank(a)).cmp(&(b.kind, rank(b)))
    });
    let mut kept: Vec<Origin> = Vec::new();
    for origin in origins.drain(..) {
        match kept.iter_mut().find(|it| {
            it.kind == origin.kind && it.path == origin.path && it.repository == origin.repository
        }) {
            Some(known) => {
                known.in_head |= origin.in_head;
                known.reachable |= origin.reachable;
            }
            None => kept.push(origin),
        }
    }
    *origins = kept;
}

fn finding(traced: Traced, context: &Context<'_>) -> Vec<(usize, Finding, bool)> {
    let Traced {
        sighting,
        origins,
        is_current,
    } = traced;
    let rule = &context.rules.rules[sighting.candidate.rule];
    let version = sighting.id.map_or(0, |id| {
        id.as_bytes().iter().fold(17, |hash: usize, byte| {
            hash.wrapping_mul(31).wrapping_add(usize::from(*byte))
        })
    });
    let mut by_path: BTreeMap<String, Vec<Origin>> = BTreeMap::new();
    for origin in origins {
        by_path.entry(origin.path.clone()).or_default().push(origin);
    }
    let weighed = by_path.into_iter().filter_map(|(path, origins)| {
        let confidence = weigh(rule, &sighting.candidate, &path)?;
        (confidence >= context.min_confidence).then_some((path, origins, confidence))
    });
    let weighed: Vec<_> = weighed.collect();
    if weighed.is_empty() {
        return Vec::new();
    }
    let value = sighting.candidate.secret.expose();
    let base = context
        .identity
        .base(value, sighting.candidate.key.as_deref());
    let fingerprint = context.fingerprinter.map(|it| it.fingerprint(value));
    let make = |(path, origins, confidence): (String, Vec<Origin>, Confidence)| Finding {
        rule: rule.id.clone(),
        place: sighting.place,
        key: sighting.candidate.key.clone(),
        masked: sighting.candidate.secret.masked(&rule.prefix),
        secret: sighting.candidate.secret.clone(),
        fingerprint,
        occurrence: Occurrence {
            base: base.clone(),
            ordinal: 1,
        },
        via: sighting.via.clone(),
        container: None,
        confidence,
        level: level(rule.severity.level(), confidence),
        managed: None,
        waived: None,
        inline: sighting.candidate.inline.clone(),
        expires: sighting.candidate.expires,
        in_baseline: None,
        path,
        origins,
    };
    weighed
        .into_iter()
        .map(|it| (version, make(it), is_current))
        .collect()
}

/// A weak sign is a note, whatever the damage would be.
fn level(level: Level, confidence: Confidence) -> Level {
    if confidence == Confidence::Low {
        Level::Note
    } else {
        level
    }
}
