//! Where blobs showed something, kept from one run to the next as places, and numbers that stand for what
//! was shown there: no value, no text, and no name but those of members of containers.
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

/// Stands for all that is told of a sighting but where it is.
type Number = u32;

/// Opening a container costs about so many times what reading its bytes as text does.
const OPENING: u64 = 8;

/// A sighting: what it shows, and where.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    number: Number,
    /// The member of a container it lies in.
    member: Option<String>,
    /// Its own place, and those of its parts.
    places: Vec<Shown>,
}

/// The sightings of blobs, in the order in which they were seen.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<ObjectId, Vec<Row>>);

impl Seen {
    /// From the sightings of a whole scan. A name that `shows` something is not kept: what lies in a member
    /// of that name is told by opening the container again.
    pub(super) fn of(sightings: &[Sighting], mut shows: impl FnMut(&str) -> bool) -> Self {
        let mut numbers = Numbers::default();
        let mut seen: BTreeMap<ObjectId, Vec<Row>> = BTreeMap::new();
        for (id, of_blob) in by_blob(sightings) {
            let rows = signs(&of_blob).into_iter().map(|it| {
                let member = it.sighting.member.as_deref();
                let is_told = member.is_none_or(|it| !shows(it));
                Row {
                    number: if is_told {
                        numbers.of(it)
                    } else {
                        numbers.alone()
                    },
                    member: member.filter(|_| is_told).map(str::to_owned),
                    places: places(it.sighting),
                }
            });
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
        let mut known: Vec<(u64, (ObjectId, u32), HashSet<Number>)> = known
            .map(|((id, size), seen)| {
                let is_container = seen.iter().any(|it| it.is_within());
                let cost = u64::from(size) * if is_container { OPENING } else { 1 };
                let numbers: HashSet<Number> = seen.iter().map(|it| it.number).collect();
                (cost / seen.len().max(1) as u64, (id, size), numbers)
            })
            .collect();
        // Much for little first.
        known.sort_by_key(|(cost, (id, _), _)| (*cost, *id));
        let mut shown: HashSet<Number> = HashSet::new();
        let mut resting = HashMap::new();
        for (_, (id, size), seen) in known {
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
                && before.iter().zip(signs).all(|(row, sign)| {
                    let first = shown.entry(row.number).or_insert(sign);
                    let member = &sign.sighting.member;
                    let is_there = row.member.is_none() || row.member == *member;
                    first.is_same(&sign) && is_there && places(sign.sighting) == row.places
                });
            agrees.then_some(())?;
        }
        let rows = resting.keys().flat_map(|id| {
            let rows = self.0.get(id).into_iter().flatten();
            rows.map(|row| (*id, row))
        });
        rows.map(|(id, row)| placed(shown.get(&row.number)?.sighting, id, row))
            .collect()
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut tape = Tape::default();
        tape.number(self.0.len() as u64);
        for (id, seen) in &self.0 {
            tape.raw(id.as_bytes());
            tape.number(seen.len() as u64);
            for row in seen {
                row.write(&mut tape);
            }
        }
        tape.into_bytes()
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reel = Reel::new(bytes);
        let mut all = BTreeMap::new();
        for _ in 0..reel.count()? {
            let id = ObjectId::from_bytes(&reel.raw::<20>()?)?;
            let rows = (0..reel.count()?).map(|_| Row::read(&mut reel));
            let rows: Option<Vec<_>> = rows.collect();
            all.insert(id, rows?);
        }
        reel.is_over().then_some(Self(all))
    }
}

impl Row {
    fn is_within(&self) -> bool {
        self.member.is_some() || self.places.iter().any(|it| it.1.is_some())
    }

    fn write(&self, tape: &mut Tape) {
        tape.number(u64::from(self.number));
        tape.bytes(self.member.as_deref().unwrap_or_default().as_bytes());
        tape.number(self.places.len() as u64);
        for (place, within) in &self.places {
            tape.byte(u8::from(within.is_some()));
            write(tape, *place);
            within.iter().for_each(|it| write(tape, *it));
        }
    }

    fn read(reel: &mut Reel<'_>) -> Option<Self> {
        let number = reel.short()?;
        let member = String::from_utf8(reel.bytes()?.to_vec()).ok()?;
        let mut places = Vec::new();
        for _ in 0..reel.count()? {
            let is_within = reel.byte()? == 1;
            let place = read(reel)?;
            let within = match is_within {
                true => Some(read(reel)?),
                false => None,
            };
            places.push((place, within));
        }
        Some(Self {
            number,
            member: Some(member).filter(|it| !it.is_empty()),
            places,
        })
    }
}

fn write(tape: &mut Tape, place: Place) {
    let Place {
        line,
        end_line,
        column,
        end_column,
    } = place;
    for part in [line, end_line, column, end_column] {
        tape.number(u64::from(part));
    }
}

fn read(reel: &mut Reel<'_>) -> Option<Place> {
    Some(Place {
        line: reel.short()?,
        end_line: reel.short()?,
        column: reel.short()?,
        end_column: reel.short()?,
    })
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
fn places(sighting: &Sighting) -> Vec<Shown> {
    let own = (sighting.place, sighting.within);
    let parts = sighting.parts.iter().copied();
    std::iter::once(own).chain(parts).collect()
}

/// A sighting that is the same in another blob, there.
fn placed(model: &Sighting, id: ObjectId, row: &Row) -> Option<Sighting> {
    let ((place, within), parts) = row.places.split_first()?;
    (parts.len() == model.parts.len()).then(|| Sighting {
        id: Some(id),
        place: *place,
        within: *within,
        parts: parts.into(),
        member: row.member.clone(),
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
    /// Whether two differ in where they are only.
    fn is_same(&self, other: &Self) -> bool {
        let Sighting {
            path,
            id: _,
            candidate,
            place: _,
            via,
            member: _,
            within: _,
            bond,
            parts,
            beside,
        } = self.sighting;
        let their = other.sighting;
        self.has_whole == other.has_whole
            && *path == their.path
            && is_same(candidate, &their.candidate)
            && *via == their.via
            && is_bound_alike(bond, &their.bond)
            && parts.len() == their.parts.len()
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

    /// One that stands for a single sighting.
    fn alone(&mut self) -> Number {
        self.next += 1;
        self.next - 1
    }
}
