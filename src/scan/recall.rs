//! What one scan of a repository's history leaves for the next: which blobs need not be read, and where the
//! rest showed something.
//!
//! A page holds places, and numbers that stand for values: no value, no name, no text. Which value a number
//! stands for is learnt anew in each run, from one blob for each number: those are read, and the others
//! that show the same are known by their places. Whatever does not agree is read again.

use super::collect::{Collector, Sighting};
use super::{Error, Options, road};
use crate::detect::Detector;
use crate::model::blob::ObjectId;
use crate::model::finding::Candidate;
use crate::model::part::Bond;
use crate::model::shelf::{PageKey, Shelf};
use crate::model::span::Place;
use crate::model::tape::{Reel, Tape};
use crate::source::history::{Fresh, History, HistoryOptions, HistoryTotals, Past};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Drawn from all sources of this build: see `build.rs`.
const BUILD: &str = include_str!(concat!(env!("OUT_DIR"), "/build.txt"));
/// Values of an inventory that were looked for. None are, so far: what is kept holds for any inventory.
const KNOWN_VALUES: &[u8] = b"";

/// The parts of a page.
const HEAD: u8 = 0;
const CLEAN: u8 = 1;
const SEEN: u8 = 2;
const SURVEY: u8 = 3;
/// What all parts of one writing begin with.
type Mark = [u8; 16];

/// The memory of one repository under one set of rules; nothing where none is wanted.
pub(super) struct Recall<'a> {
    open: Option<Open<'a>>,
}

struct Open<'a> {
    page: Page<'a>,
    past: Past,
    seen: Seen,
    resting: HashMap<ObjectId, u32>,
    fresh: Fresh,
    /// What the survey left, where everything lies as it lay.
    survey: Option<Vec<u8>>,
}

/// A page, and the mark of its parts.
struct Page<'a> {
    shelf: &'a dyn Shelf,
    key: PageKey,
    mark: Option<Mark>,
}

impl Page<'_> {
    fn head(&mut self) -> Option<Vec<u8>> {
        let head = self.shelf.part(&self.key, HEAD)?;
        let (mark, head) = head.split_first_chunk::<16>()?;
        self.mark = Some(*mark);
        Some(head.to_vec())
    }

    /// A further part of the same writing.
    fn part(&self, number: u8) -> Option<Vec<u8>> {
        let part = self.shelf.part(&self.key, number)?;
        let (mark, rest) = part.split_first_chunk::<16>()?;
        (Some(mark) == self.mark.as_ref()).then(|| rest.to_vec())
    }

    fn keep(&self, parts: &[&[u8]]) {
        let mut mark: Mark = [0; 16];
        if getrandom::fill(&mut mark).is_err() {
            return;
        }
        let parts: Vec<Vec<u8>> = parts.iter().map(|it| [&mark[..], it].concat()).collect();
        self.shelf.keep(&self.key, &parts);
    }
}

/// What was read, and what is known without.
pub(super) struct Both {
    pub(super) read: HistoryTotals,
    pub(super) unread: HistoryTotals,
}

impl<'a> Recall<'a> {
    /// Looks for the page of a repository.
    pub(super) fn of(history: &'a History, options: &'a Options, detector: &Detector) -> Self {
        let open = options.shelf.as_deref().and_then(|shelf| {
            let key = key(history, options, detector.digest());
            let mut page = Page {
                shelf,
                key,
                mark: None,
            };
            let head = page.head();
            let mut past = Past::of(history, head.as_deref())?;
            let seen = page.part(SEEN).and_then(|it| Seen::read(&it));
            if seen.is_none() {
                past.forget();
            }
            past.recall(|| page.part(CLEAN));
            let survey = past.is_same().then(|| page.part(SURVEY)).flatten();
            Some(Open {
                past,
                seen: seen.unwrap_or_default(),
                resting: HashMap::new(),
                fresh: Fresh::default(),
                survey: survey.filter(|it| !it.is_empty()),
                page,
            })
        });
        Self { open }
    }

    /// Every blob, those that are known by what is known of them.
    pub(super) fn blobs<'d>(
        &mut self,
        history: &History,
        limits: &HistoryOptions,
        collector: &dyn Fn() -> Collector<'d>,
    ) -> Result<(Both, Collector<'d>), Error> {
        let mut fresh = collector();
        let Some(open) = &mut self.open else {
            let read = history.each_blob(limits, &fresh);
            let read = read.map_err(|it| road::source(&it))?;
            let unread = HistoryTotals::default();
            return Ok((Both { read, unread }, fresh));
        };
        open.resting = open.seen.resting(open.past.flagged(history));
        let (mut read, mut unread, mut notes) =
            history.each_new_blob(limits, &open.past, &open.resting, &fresh);
        if !open.seen.revive(&open.resting, &fresh) {
            // What the page says of a blob is not what the blob says.
            open.past.forget();
            open.survey = None;
            open.resting = HashMap::new();
            fresh = collector();
            (read, unread, notes) =
                history.each_new_blob(limits, &open.past, &open.resting, &fresh);
        }
        open.fresh = notes;
        Ok((Both { read, unread }, fresh))
    }

    /// Whether there is a memory, be it empty.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What the survey of an earlier run left, if it still holds.
    pub(super) fn survey(&self) -> Option<&[u8]> {
        self.open.as_ref()?.survey.as_deref()
    }

    /// Writes the page, if there is anything new to it.
    pub(super) fn keep(
        self,
        seen: &Seen,
        flagged: &HashSet<ObjectId>,
        troubled: &HashSet<ObjectId>,
        survey: Option<Vec<u8>>,
    ) {
        let Some(open) = self.open else { return };
        let Open { page, past, .. } = open;
        if past.is_same() && (open.survey.is_some() || survey.is_none()) {
            let others = [CLEAN, SEEN, SURVEY].map(|it| page.part(it));
            if !past.is_settled()
                && let [Some(clean), Some(seen), Some(survey)] = &others
            {
                page.keep(&[&past.renewed(), clean, seen, survey]);
            }
            return;
        }
        let parts = match past.is_same() {
            true => page.part(CLEAN).map(|it| [past.renewed(), it]),
            false => past.page(open.fresh, flagged, troubled, &open.resting),
        };
        if let Some([head, clean]) = parts {
            let survey = survey.unwrap_or_default();
            page.keep(&[&head, &clean, &seen.write(), &survey]);
        }
    }
}

/// What a page goes by: everything that has a say in what is found in a blob, and the repository. The least
/// confidence is not part of it, since weaker findings are left out later.
fn key(history: &History, options: &Options, rules: &str) -> PageKey {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(BUILD.as_bytes());
    add(rules.as_bytes());
    add(&options.max_size.to_le_bytes());
    add(&(options.max_depth as u64).to_le_bytes());
    add(KNOWN_VALUES);
    let folder = history.folder();
    for path in std::iter::once(&folder).chain(&options.objects) {
        add(path.as_os_str().as_encoded_bytes());
    }
    hash.finalize().into()
}

/// A number that stands for all that is told of a value but its place.
type Number = u32;

/// Where blobs showed something: numbers and places, in the order in which they were seen.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<ObjectId, Vec<(Number, Place)>>);

impl Seen {
    /// Of blobs all of whose sightings are plain: in their own text, without parts.
    pub(super) fn of(sightings: &[Sighting]) -> Self {
        let mut numbers = Numbers::default();
        let mut seen: BTreeMap<ObjectId, Vec<(Number, Place)>> = BTreeMap::new();
        let mut others = HashSet::new();
        for (id, it) in of_blobs(sightings) {
            if is_plain(it) {
                let number = numbers.of(&it.candidate);
                seen.entry(id).or_default().push((number, it.place));
            } else {
                others.insert(id);
            }
        }
        seen.retain(|id, _| !others.contains(id));
        Self(seen)
    }

    /// Which of these need not be read again: each number is shown by one that is.
    fn resting(&self, flagged: impl Iterator<Item = (ObjectId, u32)>) -> HashMap<ObjectId, u32> {
        let known = flagged.filter_map(|it| Some((it, self.0.get(&it.0)?)));
        let mut known: Vec<((ObjectId, u32), &Vec<(Number, Place)>)> = known.collect();
        // Much for little first.
        known.sort_by_key(|((id, size), seen)| (size / seen.len().max(1) as u32, *id));
        let mut shown: HashSet<Number> = HashSet::new();
        let mut resting = HashMap::new();
        for ((id, size), seen) in known {
            let before = shown.len();
            shown.extend(seen.iter().map(|it| it.0));
            if shown.len() == before {
                resting.insert(id, size);
            }
        }
        resting
    }

    /// Adds the sightings of the resting to what was seen in the others. False if any of these is not what
    /// it was.
    fn revive(&self, resting: &HashMap<ObjectId, u32>, collector: &Collector<'_>) -> bool {
        let mut sightings = collector.seen_so_far();
        let mut now: HashMap<ObjectId, Vec<&Sighting>> = HashMap::new();
        for (id, it) in of_blobs(&sightings) {
            now.entry(id).or_default().push(it);
        }
        let mut values: HashMap<Number, Arc<Candidate>> = HashMap::new();
        for (id, seen) in &now {
            let Some(before) = self.0.get(id) else {
                continue;
            };
            let agrees = before.len() == seen.len()
                && before.iter().zip(seen).all(|((number, place), it)| {
                    let known = values.entry(*number);
                    let known = known.or_insert_with(|| Arc::clone(&it.candidate));
                    is_plain(it) && it.place == *place && is_same(known, &it.candidate)
                });
            if !agrees {
                return false;
            }
        }
        let mut more = Vec::new();
        for id in resting.keys() {
            for (number, place) in self.0.get(id).into_iter().flatten() {
                let Some(candidate) = values.get(number) else {
                    return false;
                };
                more.push(plain(*id, Arc::clone(candidate), *place));
            }
        }
        sightings.extend(more);
        true
    }

    fn write(&self) -> Vec<u8> {
        let mut tape = Tape::default();
        tape.number(self.0.len() as u64);
        for (id, seen) in &self.0 {
            tape.raw(id.as_bytes());
            tape.number(seen.len() as u64);
            for (number, place) in seen {
                tape.number(u64::from(*number));
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
        tape.into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reel = Reel::new(bytes);
        let mut all = BTreeMap::new();
        for _ in 0..reel.count()? {
            let id = ObjectId::from_bytes(&reel.raw::<20>()?)?;
            let mut seen = Vec::with_capacity(reel.clone().count()?);
            for _ in 0..reel.count()? {
                let number = reel.short()?;
                let place = Place {
                    line: reel.short()?,
                    end_line: reel.short()?,
                    column: reel.short()?,
                    end_column: reel.short()?,
                };
                seen.push((number, place));
            }
            all.insert(id, seen);
        }
        reel.is_over().then_some(Self(all))
    }
}

fn of_blobs(sightings: &[Sighting]) -> impl Iterator<Item = (ObjectId, &Sighting)> {
    let blobs = sightings.iter().filter(|it| it.beside.is_none());
    blobs.filter_map(|it| Some((it.id?, it)))
}

/// Whether there is no more to a sighting than its place and its candidate.
fn is_plain(sighting: &Sighting) -> bool {
    let Sighting {
        path,
        id: _,
        candidate: _,
        place: _,
        via,
        member,
        within,
        bond,
        parts,
        beside,
    } = sighting;
    let is_alone = matches!(bond, Bond::Alone) && parts.is_empty() && beside.is_none();
    is_alone && path.is_empty() && via.is_empty() && member.is_none() && within.is_none()
}

/// A sighting with nothing more to it.
fn plain(id: ObjectId, candidate: Arc<Candidate>, place: Place) -> Sighting {
    Sighting {
        path: String::new(),
        id: Some(id),
        candidate,
        place,
        via: Vec::new(),
        member: None,
        within: None,
        bond: Bond::Alone,
        parts: Box::default(),
        beside: None,
    }
}

/// Numbers for candidates, by all that is told of them but where they stand.
#[derive(Default)]
struct Numbers<'s> {
    by_value: HashMap<(usize, &'s [u8]), Vec<(Number, &'s Candidate)>>,
    next: Number,
}

impl<'s> Numbers<'s> {
    fn of(&mut self, candidate: &'s Candidate) -> Number {
        let key = (candidate.rule, candidate.secret.expose());
        let known = self.by_value.entry(key).or_default();
        if let Some((number, _)) = known.iter().find(|it| is_same(it.1, candidate)) {
            return *number;
        }
        let number = self.next;
        self.next += 1;
        known.push((number, candidate));
        number
    }
}

/// Whether two candidates differ in their place only.
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
