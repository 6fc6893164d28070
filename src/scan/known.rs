//! What the views of one blob have shown, so that nothing is shown twice: asked by place and by value, as a
//! file may hold thousands of secrets and as many encodings.

use super::collect::Sighting;
use crate::decode;
use crate::model::finding::Candidate;
use crate::model::span::Place;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Columns that are one stretch of a line.
const STRETCH: u32 = 256;
/// Stands for the whole line, for what begins and ends on it.
const ANY: u32 = u32::MAX;
/// The same for what goes on beyond it.
const BEYOND: u32 = u32::MAX - 1;

/// The sightings of one blob by rule and place, and by rule and value.
#[derive(Default)]
pub(super) struct Known {
    /// How many are listed.
    listed: usize,
    by_place: HashMap<(usize, u32, u32), Vec<usize>>,
    /// By a hash of the value, under a key of this table's own.
    by_value: HashMap<(usize, u64), Vec<usize>>,
    hasher: RandomState,
}

impl Known {
    /// Whether one of the sightings, in the order they are always given in, has shown this.
    pub(super) fn has(
        &mut self,
        seen: &[Sighting],
        view: &decode::View<'_>,
        candidate: &Candidate,
        shown: Place,
    ) -> bool {
        for (number, it) in seen.iter().enumerate().skip(self.listed) {
            self.list(number, it);
        }
        self.listed = self.listed.max(seen.len());
        let is = |it: &usize| is_known(&seen[*it], view, candidate, shown);
        if view.is_residue {
            let value = self.hasher.hash_one(candidate.secret.expose());
            let same = self.by_value.get(&(candidate.rule, value));
            return same.is_some_and(|it| it.iter().any(is));
        }
        let at = |line: u32, stretch: u32| {
            let here = self.by_place.get(&(candidate.rule, line, stretch));
            here.is_some_and(|it| it.iter().any(is))
        };
        if shown.line == shown.end_line {
            at(shown.line, BEYOND) || stretches(shown).any(|it| at(shown.line, it))
        } else {
            (shown.line..=shown.end_line).any(|line| at(line, BEYOND) || at(line, ANY))
        }
    }

    fn list(&mut self, number: usize, it: &Sighting) {
        let rule = it.candidate.rule;
        let value = self.hasher.hash_one(it.candidate.secret.expose());
        self.by_value.entry((rule, value)).or_default().push(number);
        let place = it.within.unwrap_or(it.place);
        let mut add = |line: u32, stretch: u32| {
            let here = self.by_place.entry((rule, line, stretch)).or_default();
            here.push(number);
        };
        if place.line == place.end_line {
            add(place.line, ANY);
            stretches(place).for_each(|it| add(place.line, it));
        } else {
            (place.line..=place.end_line).for_each(|line| add(line, BEYOND));
        }
    }
}

/// The stretches that a place on one line touches.
fn stretches(place: Place) -> std::ops::RangeInclusive<u32> {
    place.column / STRETCH..=place.end_column / STRETCH
}

/// Whether a view shows once more what another has shown: the same value at the same place; what is left
/// of a container whose members were read; or what a rule has found there before escapes were undone.
fn is_known(
    known: &Sighting,
    view: &decode::View<'_>,
    candidate: &Candidate,
    shown: Place,
) -> bool {
    if known.candidate.rule != candidate.rule {
        return false;
    }
    let is_same = || known.candidate.secret.expose() == candidate.secret.expose();
    if view.is_residue {
        return is_same();
    }
    let place = known.within.unwrap_or(known.place);
    let start = |it: Place| (it.line, it.column);
    let end = |it: Place| (it.end_line, it.end_column);
    let overlaps = start(place) < end(shown) && start(shown) < end(place);
    let is_part = view.is_patched() && view.via.starts_with(&known.via);
    overlaps && is_around(known, view) && (is_part || is_same())
}

/// Whether the view and the sighting lie in the same bytes, or one in a part of the other with a name of
/// its own.
fn is_around(known: &Sighting, view: &decode::View<'_>) -> bool {
    let begins = |long: &str, short: &str| {
        let rest = long.strip_prefix(short);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('!'))
    };
    match (&known.member, view.member) {
        (None, None) => true,
        (None, Some(it)) => it.place.is_none(),
        (Some(_), None) => known.within.is_none(),
        (Some(one), Some(other)) => begins(one, &other.name) || begins(&other.name, one),
    }
}
