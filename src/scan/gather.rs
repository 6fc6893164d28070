//! Sightings to findings: path facts, identity, one finding per place with all its origins.

use super::collect::Sighting;
use super::identity::Identity;
use super::pair::pair;
use super::parts::{self, Wholes};
use crate::decode;
use crate::detect::{Judgement, weigh};
use crate::model::blob::ObjectId;
use crate::model::details::Details;
use crate::model::finding::Finding;
use crate::model::fingerprint::{Fingerprinter, Occurrence};
use crate::model::level::{Confidence, Level};
use crate::model::origin::Origin;
use crate::model::rule::{Matcher, Rule, RuleSet};
use crate::model::span::Place;
use crate::source::history::{Contents, Lives};
use rayon::prelude::*;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// A sighting with the origins its bytes have.
pub(super) struct Traced {
    pub(super) sighting: Sighting,
    /// Shared by all sightings in the same bytes.
    pub(super) origins: Arc<[Origin]>,
    /// Where the whole history was read.
    pub(super) trace: Option<Trace>,
    /// Whether it lies in the work tree, the index or HEAD, so that its line numbers are the ones to show.
    pub(super) is_current: bool,
}

/// What a history tells of places.
#[derive(Clone)]
pub(super) struct Trace {
    pub(super) lives: Arc<Lives>,
    /// By origin; what no commit has lies at none.
    pub(super) places: Arc<[Option<u32>]>,
}

/// What findings need besides bytes.
pub(super) struct Context<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) identity: Identity,
    pub(super) fingerprinter: Option<&'a Fingerprinter>,
    pub(super) min_confidence: Confidence,
}

/// Sorted findings, each with every origin of its value at its path.
pub(super) fn findings(mut traced: Vec<Traced>, context: &Context<'_>) -> Vec<Finding> {
    // The first of a group is the one whose place is shown.
    traced.sort_by(|a, b| {
        let rank = |it: &Traced| (!it.is_current, it.sighting.place, it.sighting.id);
        rank(a)
            .cmp(&rank(b))
            .then_with(|| way(&a.sighting).cmp(&way(&b.sighting)))
    });
    let groups = groups(&traced, context);
    let mut findings: Vec<Finding> = groups
        .into_par_iter()
        .filter(|it| !it.is_part)
        .map(|it| finding(&it, &traced, context))
        .collect();
    let repository = |it: &Finding| it.origins.first().and_then(|it| it.repository.clone());
    findings.sort_by(|a, b| {
        let way = |it: &Finding| (it.container.clone(), it.within);
        (
            repository(a),
            &a.path,
            a.place,
            way(a),
            &a.rule,
            &a.via,
            &a.key,
        )
            .cmp(&(
                repository(b),
                &b.path,
                b.place,
                way(b),
                &b.rule,
                &b.via,
                &b.key,
            ))
    });
    pair(&mut findings);
    findings
}

/// How a sighting was come by.
fn way(it: &Sighting) -> (&[&'static str], &Option<String>, Option<Place>) {
    (&it.via, &it.member, it.within)
}

/// Sightings that are one finding, and the origins among theirs that lie at its path.
struct Group {
    /// The best sighting.
    first: usize,
    judgement: Judgement,
    /// Whether the best sighting is a part of something that is shown.
    is_part: bool,
    /// Sighting, and which of its origins.
    origins: Vec<(u32, u32)>,
}

/// Repository and path, rule, value, assigned name, and which copy of them. All but the rule are numbers
/// that stand for the text: a large history has millions of sightings and few texts.
type PlaceKey = (u32, usize, u32, u32, u32);
/// The version of a file, then as above without the copy.
type CopyKey = (Option<ObjectId>, u32, usize, u32, u32);

/// Numbers for equal things.
struct Numbers<T>(HashMap<T, u32>);

impl<T: Eq + Hash> Numbers<T> {
    fn of(&mut self, it: T) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(it).or_insert(next)
    }
}

/// Versions of one file in history hold the same value at moved lines: the k-th copy of a value in one
/// version is the k-th copy in another.
fn groups(traced: &[Traced], context: &Context<'_>) -> Vec<Group> {
    let mut paths = Numbers(HashMap::new());
    let mut values = Numbers(HashMap::new());
    let mut keys = Numbers(HashMap::new());
    let mut copies: HashMap<CopyKey, u32> = HashMap::new();
    let mut numbers: HashMap<PlaceKey, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let wholes = Wholes::of(traced.iter().map(|it| &it.sighting));
    let is_known = |it: &Traced| {
        let rule = &context.rules.rules[it.sighting.candidate.rule];
        rule.matcher == Matcher::Known
    };
    // What a rule shows is told as that rule tells it; known values come last, where they are news.
    let mut shown: HashMap<(u32, Option<ObjectId>, u32), Vec<usize>> = HashMap::new();
    let has_known = traced.iter().any(is_known);
    // A value of the inventory in another spelling is no second secret.
    let place = |it: &Traced| (it.sighting.id, it.sighting.path.clone(), it.sighting.place);
    let spelled: HashMap<_, _> = traced
        .iter()
        .filter(|it| is_known(it))
        .map(|it| (place(it), it.sighting.candidate.secret.expose()))
        .collect();
    let is_respelled = |it: &Traced| {
        let known = (!spelled.is_empty())
            .then(|| spelled.get(&place(it)))
            .flatten();
        known.is_some_and(|known| *known != it.sighting.candidate.secret.expose())
    };
    let by_rules = traced
        .iter()
        .enumerate()
        .filter(|it| !is_known(it.1) && !is_respelled(it.1));
    let by_value = traced.iter().enumerate().filter(|it| is_known(it.1));
    for (
        at,
        Traced {
            sighting, origins, ..
        },
    ) in by_rules.chain(by_value)
    {
        let candidate = &sighting.candidate;
        let rule = &context.rules.rules[candidate.rule];
        let value = values.of(candidate.secret.expose());
        let key = keys.of(candidate.key.as_deref());
        // The group at each path of these bytes; they have few.
        let mut here: Vec<(u32, Option<usize>)> = Vec::new();
        for (which, origin) in origins.iter().enumerate() {
            let path = paths.of((origin.repository.as_deref(), origin.path.as_str()));
            let group = match here.iter().find(|it| it.0 == path) {
                Some(known) => known.1,
                None => {
                    let others = shown.get(&(path, sighting.id, value));
                    let is_news = rule.matcher != Matcher::Known
                        || !others.into_iter().flatten().any(|it| {
                            let other = &traced[*it].sighting;
                            overlap(other, sighting)
                        });
                    let judgement = weighed(rule, sighting, &origin.path)
                        .filter(|it| is_news && it.confidence >= context.min_confidence);
                    if has_known && judgement.is_some() {
                        let others = shown.entry((path, sighting.id, value)).or_default();
                        others.push(at);
                    }
                    let group = judgement.map(|judgement| {
                        let copy = copies
                            .entry((sighting.id, path, candidate.rule, value, key))
                            .or_default();
                        *copy += 1;
                        *numbers
                            .entry((path, candidate.rule, value, key, *copy))
                            .or_insert_with(|| {
                                groups.push(Group {
                                    first: at,
                                    judgement,
                                    is_part: is_part(sighting, &origin.path, &wholes, context),
                                    origins: Vec::new(),
                                });
                                groups.len() - 1
                            })
                    });
                    here.push((path, group));
                    group
                }
            };
            if let Some(group) = group {
                groups[group].origins.push((at as u32, which as u32));
            }
        }
    }
    groups
}

/// Whether two sightings of one blob share a place.
fn overlap(one: &Sighting, other: &Sighting) -> bool {
    let place = |it: &Sighting| it.within.unwrap_or(it.place);
    let start = |it: &Sighting| (place(it).line, place(it).column);
    let end = |it: &Sighting| (place(it).end_line, place(it).end_column);
    let is_whole = |it: &Sighting| start(it) == end(it);
    let touch = start(one) < end(other) && start(other) < end(one);
    one.member == other.member && (touch || is_whole(one) && start(one) == start(other))
}

/// Whether the sighting is a part of one that is shown at this path.
fn is_part(sighting: &Sighting, path: &str, wholes: &Wholes, context: &Context<'_>) -> bool {
    wholes.of_part(sighting).is_some_and(|whole| {
        let rule = &context.rules.rules[whole.candidate.rule];
        weighed(rule, &whole, path).is_some_and(|it| it.confidence >= context.min_confidence)
    })
}

/// The confidence at a path, with what belongs to the candidate there.
fn weighed(rule: &Rule, sighting: &Sighting, path: &str) -> Option<Judgement> {
    let own = sighting.candidate.confidence;
    let mut judgement = by_path(rule, sighting, path)?;
    let (with_parts, fact) = parts::weighed(rule, sighting, path, own);
    let by_path = judgement.confidence;
    // What lowers it counts, whatever else raises it.
    judgement.confidence = if by_path < own || with_parts < own {
        by_path.min(with_parts)
    } else {
        by_path.max(with_parts)
    };
    judgement.facts.extend(fact);
    Some(judgement)
}

/// The path facts of a member are those of its own name, within the path it lies under.
fn by_path(rule: &Rule, sighting: &Sighting, path: &str) -> Option<Judgement> {
    let candidate = &sighting.candidate;
    let Some(member) = &sighting.member else {
        return weigh(rule, candidate, path);
    };
    let whole = decode::joined(path, member).replace('!', "/");
    if rule.paths.is_empty() {
        return weigh(rule, candidate, &whole);
    }
    let inner = member.rsplit('!').next().filter(|it| !it.is_empty());
    let by_name = inner.and_then(|it| weigh(rule, candidate, it));
    by_name.or_else(|| weigh(rule, candidate, &whole))
}

/// What is there now first, then the earliest introduction; one origin a kind and path. A value lives in
/// many blobs, and its history is that of all together.
fn origins(group: &Group, traced: &[Traced]) -> Vec<Origin> {
    let mut kept: Vec<(Origin, Option<&Lives>, Vec<u32>)> = Vec::new();
    for (at, which) in &group.origins {
        let Traced { origins, trace, .. } = &traced[*at as usize];
        let origin = &origins[*which as usize];
        let place = trace.as_ref().and_then(|it| it.places[*which as usize]);
        let lives = trace.as_ref().map(|it| &*it.lives);
        let is_same = |it: &Origin| {
            it.kind == origin.kind && it.path == origin.path && it.repository == origin.repository
        };
        let at = kept.iter().position(|it| is_same(&it.0));
        let at = at.unwrap_or_else(|| {
            kept.push((origin.clone(), lives, Vec::new()));
            kept.len() - 1
        });
        let known = &mut kept[at];
        known.0.in_head |= origin.in_head;
        known.0.reachable |= origin.reachable;
        if origin.introduced < known.0.introduced {
            known.0.introduced.clone_from(&origin.introduced);
        }
        known.2.extend(place);
    }
    let whole = kept.into_iter().map(|(origin, lives, mut places)| {
        places.sort_unstable();
        places.dedup();
        lives.map_or_else(
            || origin.clone(),
            |it| it.origin(&origin, &places, Contents::Whole),
        )
    });
    let mut whole: Vec<Origin> = whole.collect();
    let rank = |it: &Origin| (it.kind, it.introduced.is_some());
    whole.sort_by(|a, b| {
        rank(a)
            .cmp(&rank(b))
            .then_with(|| (&a.path, &a.introduced).cmp(&(&b.path, &b.introduced)))
    });
    whole
}

fn finding(group: &Group, traced: &[Traced], context: &Context<'_>) -> Finding {
    let sighting = &traced[group.first].sighting;
    let candidate = &sighting.candidate;
    let rule = &context.rules.rules[candidate.rule];
    let value = candidate.secret.expose();
    let origins = origins(group, traced);
    let path = origins
        .first()
        .map_or_else(String::new, |it| it.path.clone());
    let container = sighting.member.as_ref();
    Finding {
        rule: rule.id.clone(),
        place: sighting.place,
        key: candidate.key.clone(),
        masked: candidate.secret.masked(&rule.prefix),
        secret: candidate.secret.clone(),
        fingerprint: context.fingerprinter.map(|it| match &candidate.content {
            Some(content) => it.of_content(content),
            None => it.fingerprint(value),
        }),
        occurrence: Occurrence {
            base: context.identity.base(
                value,
                candidate.content.as_ref(),
                candidate.key.as_deref(),
            ),
            ordinal: 1,
        },
        via: sighting.via.clone(),
        container: container.map(|it| decode::joined(&path, it)),
        within: sighting.within,
        confidence: group.judgement.confidence,
        facts: facts(&candidate.facts, &group.judgement.facts),
        level: level(
            rule.severity.level(),
            group.judgement.confidence,
            &candidate.details,
        ),
        managed: None,
        waived: None,
        inline: candidate.inline.clone(),
        expires: candidate.expires,
        details: candidate.details.clone(),
        parts: parts::parts(rule, sighting, &path, context.fingerprinter),
        in_baseline: None,
        path,
        origins,
    }
}

/// What the bytes say of a match, then what its path says.
fn facts(own: &[&'static str], of_path: &[&'static str]) -> Vec<&'static str> {
    let by_shape: &[&str] = if own.is_empty() && !of_path.is_empty() {
        &["+ its shape"]
    } else {
        own
    };
    [by_shape, of_path].concat()
}

/// A weak sign is a note, whatever the damage would be; so is a key that needs a passphrase, and a token
/// that anybody can write.
fn level(level: Level, confidence: Confidence, details: &Details) -> Level {
    let is_harmless = details.is_encrypted() || details.is_unsigned();
    if confidence == Confidence::Low || is_harmless {
        Level::Note
    } else {
        level
    }
}
