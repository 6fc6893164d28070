//! What belongs to a finding at its path: parts that count there, what they say of its confidence, and
//! sightings that are parts themselves and so no findings of their own.

use super::collect::Sighting;
use crate::detect::{counts, is_code, with_parts};
use crate::model::fingerprint::Fingerprinter;
use crate::model::level::Confidence;
use crate::model::part::{Bond, Part, PartFound, Whole};
use crate::model::rule::Rule;
use crate::model::secret::Worth;
use std::collections::HashSet;
use std::sync::Arc;

/// The confidence with its parts at this path, and the fact that they are.
pub(super) fn weighed(
    rule: &Rule,
    sighting: &Sighting,
    path: &str,
    confidence: Confidence,
) -> (Confidence, Option<&'static str>) {
    if rule.parts.is_empty() {
        return (confidence, None);
    }
    let parts: Vec<&PartFound> = here(sighting, path).map(|(_, it)| it).collect();
    with_parts(rule, confidence, &parts)
}

/// The parts that count at this path, with their numbers.
fn here<'a>(
    sighting: &'a Sighting,
    path: &str,
) -> impl Iterator<Item = (usize, &'a PartFound)> + use<'a> {
    let parts = match &sighting.bond {
        Bond::Whole(whole) => whole.parts.as_slice(),
        Bond::Alone | Bond::Part(_) => &[],
    };
    let is_code = is_code(name(sighting, path));
    let parts = parts.iter().enumerate();
    parts.filter(move |it| counts(it.1, is_code))
}

/// The file whose name tells how it is written: the member of a container, if it has a name.
fn name<'a>(sighting: &'a Sighting, path: &'a str) -> &'a str {
    let member = sighting.member.as_deref();
    let inner = member.and_then(|it| it.rsplit('!').next());
    inner.filter(|it| !it.is_empty()).unwrap_or(path)
}

/// The parts of a finding.
pub(super) fn parts(
    rule: &Rule,
    sighting: &Sighting,
    path: &str,
    fingerprinter: Option<&Fingerprinter>,
) -> Vec<Part> {
    let declared = |it: &PartFound| rule.parts.get(it.which);
    let told = here(sighting, path).filter_map(|(number, it)| {
        let (place, within) = *sighting.parts.get(number)?;
        let part = declared(it)?;
        Some(Part {
            name: part.name.clone(),
            is_secret: part.is_secret,
            fingerprint: fingerprinter
                .filter(|_| part.is_secret || Worth::of(it.secret.expose()) == Worth::Telling)
                .map(|to| to.fingerprint(it.secret.expose())),
            managed: None,
            secret: it.secret.clone(),
            place,
            within,
        })
    });
    told.collect()
}

/// The wholes that were seen, by their addresses: where only a change is scanned, a part may be new and
/// what it belongs to may not.
pub(super) struct Wholes(HashSet<*const Whole>);

impl Wholes {
    /// Those of the sightings.
    pub(super) fn of<'a>(sightings: impl Iterator<Item = &'a Sighting>) -> Self {
        let wholes = sightings.filter_map(|it| match &it.bond {
            Bond::Whole(whole) => Some(Arc::as_ptr(whole)),
            Bond::Alone | Bond::Part(_) => None,
        });
        Self(wholes.collect())
    }

    /// What a sighting is a part of, as far as it can be told without its place.
    pub(super) fn of_part(&self, sighting: &Sighting) -> Option<Sighting> {
        let Bond::Part(whole) = &sighting.bond else {
            return None;
        };
        self.0.contains(&Arc::as_ptr(whole)).then(|| Sighting {
            candidate: Arc::clone(&whole.candidate),
            bond: Bond::Whole(Arc::clone(whole)),
            ..sighting.clone()
        })
    }
}
