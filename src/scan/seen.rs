//! Where blobs showed something, kept from one run to the next as places, and numbers that stand for what
//! was shown there: no value, no name, no text.
//!
//! What a number stands for is learnt anew in each run, from one blob for each number: those are read, and
//! the others that show the same are known by their places.

use super::collect::{Collector, Shown, Sighting};
use crate::model::blob::ObjectId;
use crate::model::finding::Candidate;
use crate::model::part::{Bond, PartFound, Whole};
use crate::model::span::Place;
use crate::model::tape::{Reel, Tape};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Stands for all that is told of a sighting but its places.
type Number = u32;
/// The places of a sighting: its own, that within a member, and those of its parts.
type Places = Vec<Place>;

/// The sightings of blobs, in the order in which they were seen.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<ObjectId, Vec<(Number, Places)>>);

impl Seen {
    /// From the sightings of a whole scan.
    pub(super) fn of(sightings: &[Sighting]) -> Self {
        let mut numbers = Numbers::default();
        let mut seen: BTreeMap<ObjectId, Vec<(Number, Places)>> = BTreeMap::new();
        for (id, of_blob) in by_blob(sightings) {
            let signs = signs(&of_blob);
            let rows = signs
                .into_iter()
                .map(|it| (numbers.of(it), places(it.sighting)));
            seen.insert(id, rows.collect());
        }
        Self(seen)
    }

    /// Which of these need not be read again: each number is shown by one that is.
    pub(super) fn resting(
        &self,
        flagged: impl Iterator<Item = (ObjectId, u32)>,
    ) -> HashMap<ObjectId, u32> {
        let known = flagged.filter_map(|it| Some((it, self.0.get(&it.0)?)));
        let mut known: Vec<((ObjectId, u32), HashSet<Number>)> = known
            .map(|(it, seen)| (it, seen.iter().map(|it| it.0).collect()))
            .collect();
        // Much for little first.
        known.sort_by_key(|((id, size), seen)| (size / seen.len().max(1) as u32, *id));
        let mut shown: HashSet<Number> = HashSet::new();
        let mut resting = HashMap::new();
        for ((id, size), seen) in known {
            let before = shown.len();
            shown.extend(seen);
            if shown.len() == before {
                resting.insert(id, size);
            }
        }
        resting
    }

    /// Adds the sightings of the resting to what was seen in the others. False if any of these is not what
    /// it was.
    pub(super) fn revive(
        &self,
        resting: &HashMap<ObjectId, u32>,
        collector: &Collector<'_>,
    ) -> bool {
        let mut sightings = collector.seen_so_far();
        let more = self.revived(resting, &sightings);
        let is_known = more.is_some();
        sightings.extend(more.into_iter().flatten());
        is_known
    }

    fn revived(
        &self,
        resting: &HashMap<ObjectId, u32>,
        sightings: &[Sighting],
    ) -> Option<Vec<Sighting>> {
        let mut shown: HashMap<Number, Sign<'_>> = HashMap::new();
        for (id, now) in by_blob(sightings) {
            let Some(before) = self.0.get(&id) else {
                continue;
            };
            let signs = signs(&now);
            let agrees = before.len() == signs.len()
                && before.iter().zip(signs).all(|((number, known), sign)| {
                    let first = shown.entry(*number).or_insert(sign);
                    first.is_same(&sign) && places(sign.sighting) == *known
                });
            agrees.then_some(())?;
        }
        let rows = resting.keys().flat_map(|id| {
            let rows = self.0.get(id).into_iter().flatten();
            rows.map(|row| (*id, row))
        });
        rows.map(|(id, (number, places))| placed(shown.get(number)?.sighting, id, places))
            .collect()
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut tape = Tape::default();
        tape.number(self.0.len() as u64);
        for (id, seen) in &self.0 {
            tape.raw(id.as_bytes());
            tape.number(seen.len() as u64);
            for (number, places) in seen {
                tape.number(u64::from(*number));
                tape.number(places.len() as u64);
                for place in places {
                    let Place {
                        line,
                        end_line,
                        column,
                        end_column,
                    } = *place;
                    for part in [line, end_line, column, end_column] {
                        tape.number(u64::from(part));
                    }
                }
            }
        }
        tape.into_bytes()
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reel = Reel::new(bytes);
        let mut all = BTreeMap::new();
        for _ in 0..reel.count()? {
            let id = ObjectId::from_bytes(&reel.raw::<20>()?)?;
            let rows = (0..reel.count()?).map(|_| row(&mut reel));
            let rows: Option<Vec<_>> = rows.collect();
            all.insert(id, rows?);
        }
        reel.is_over().then_some(Self(all))
    }
}

fn row(reel: &mut Reel<'_>) -> Option<(Number, Places)> {
    let number = reel.short()?;
    let mut places = Vec::new();
    for _ in 0..reel.count()? {
        places.push(Place {
            line: reel.short()?,
            end_line: reel.short()?,
            column: reel.short()?,
            end_column: reel.short()?,
        });
    }
    Some((number, places))
}

fn by_blob(sightings: &[Sighting]) -> HashMap<ObjectId, Vec<&Sighting>> {
    let mut by_blob: HashMap<ObjectId, Vec<&Sighting>> = HashMap::new();
    let blobs = sightings.iter().filter(|it| it.beside.is_none());
    for (id, it) in blobs.filter_map(|it| Some((it.id?, it))) {
        by_blob.entry(id).or_default().push(it);
    }
    by_blob
}

/// All places of a sighting.
fn places(sighting: &Sighting) -> Places {
    let of = |(place, within): &Shown| std::iter::once(*place).chain(*within);
    let own = of(&(sighting.place, sighting.within));
    own.chain(sighting.parts.iter().flat_map(of)).collect()
}

/// A sighting that is the same in another blob, at these places.
fn placed(model: &Sighting, id: ObjectId, places: &[Place]) -> Option<Sighting> {
    let mut places = places.iter().copied();
    let mut next = |like: &Shown| -> Option<Shown> {
        let place = places.next()?;
        match like.1 {
            Some(_) => Some((place, Some(places.next()?))),
            None => Some((place, None)),
        }
    };
    let (place, within) = next(&(model.place, model.within))?;
    let parts = model.parts.iter().map(&mut next).collect::<Option<_>>()?;
    places.next().is_none().then(|| Sighting {
        id: Some(id),
        place,
        within,
        parts,
        ..model.clone()
    })
}

/// A sighting, and whether what it is a part of was seen in the same blob.
#[derive(Clone, Copy)]
struct Sign<'s> {
    sighting: &'s Sighting,
    has_whole: bool,
}

/// Those of one blob.
fn signs<'s>(of_blob: &[&'s Sighting]) -> Vec<Sign<'s>> {
    let wholes = of_blob.iter().filter_map(|it| match &it.bond {
        Bond::Whole(whole) => Some(std::ptr::from_ref::<Whole>(whole)),
        Bond::Alone | Bond::Part(_) => None,
    });
    let wholes: HashSet<*const Whole> = wholes.collect();
    let sign = |it: &&'s Sighting| Sign {
        sighting: it,
        has_whole: match &it.bond {
            Bond::Part(whole) => wholes.contains(&std::ptr::from_ref::<Whole>(whole)),
            Bond::Alone | Bond::Whole(_) => false,
        },
    };
    of_blob.iter().map(sign).collect()
}

impl Sign<'_> {
    /// Whether two differ in their places only.
    fn is_same(&self, other: &Self) -> bool {
        let Sighting {
            path,
            id: _,
            candidate,
            place: _,
            via,
            member,
            within,
            bond,
            parts,
            beside,
        } = self.sighting;
        let their = other.sighting;
        let shape = |it: &[Shown]| it.iter().map(|it| it.1.is_some()).collect::<Vec<_>>();
        self.has_whole == other.has_whole
            && *path == their.path
            && is_same(candidate, &their.candidate)
            && *via == their.via
            && *member == their.member
            && within.is_some() == their.within.is_some()
            && is_bound_alike(bond, &their.bond)
            && shape(parts) == shape(&their.parts)
            && *beside == their.beside
    }
}

fn is_bound_alike(one: &Bond, other: &Bond) -> bool {
    match (one, other) {
        (Bond::Alone, Bond::Alone) => true,
        (Bond::Whole(one), Bond::Whole(other)) | (Bond::Part(one), Bond::Part(other)) => {
            let parts = one.parts.iter().zip(&other.parts);
            one.parts.len() == other.parts.len()
                && is_same(&one.candidate, &other.candidate)
                && parts.into_iter().all(|(one, other)| {
                    let PartFound {
                        which,
                        span: _,
                        secret,
                        written,
                    } = one;
                    *which == other.which
                        && *written == other.written
                        && secret.expose() == other.secret.expose()
                })
        }
        _ => false,
    }
}

/// Whether two candidates differ in their span only, which nobody asks for once it is a place.
fn is_same(one: &Candidate, other: &Candidate) -> bool {
    let Candidate {
        rule,
        span: _,
        secret,
        written,
        key,
        confidence,
        facts,
        purpose,
        inline,
        expires,
        details,
        content,
    } = one;
    *rule == other.rule
        && secret.expose() == other.secret.expose()
        && *written == other.written
        && *key == other.key
        && *confidence == other.confidence
        && *facts == other.facts
        && *purpose == other.purpose
        && *inline == other.inline
        && *expires == other.expires
        && *details == other.details
        && *content == other.content
}

/// A rule, and what it found.
type Value<'s> = (usize, &'s [u8]);

/// Numbers for sightings.
#[derive(Default)]
struct Numbers<'s> {
    by_value: HashMap<Value<'s>, Vec<(Number, Sign<'s>)>>,
    next: Number,
}

impl<'s> Numbers<'s> {
    fn of(&mut self, sign: Sign<'s>) -> Number {
        let candidate = &sign.sighting.candidate;
        let key = (candidate.rule, candidate.secret.expose());
        let known = self.by_value.entry(key).or_default();
        if let Some((number, _)) = known.iter().find(|it| it.1.is_same(&sign)) {
            return *number;
        }
        let number = self.next;
        self.next += 1;
        known.push((number, sign));
        number
    }
}
