//! What one scan of a repository's history leaves for the next: which blobs need not be read, and what the
//! survey of the rest found. Whatever does not agree is read again.
//!
//! Not here: where pages are kept, and what stands in the parts of one (`seen`, and `past` and `record` of
//! `source`).

use super::collect::Collector;
use super::seen::Seen;
use super::{Error, Options, road};
use crate::detect::Detector;
use crate::model::blob::ObjectId;
use crate::model::shelf::{PageKey, Shelf};
use crate::source::history::{Fresh, History, HistoryOptions, HistoryTotals, Legacy, Past, Survey};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// Drawn from all sources of this build: see `build.rs`.
const BUILD: &str = include_str!(concat!(env!("OUT_DIR"), "/build.txt"));

/// The parts of a page.
const HEAD: u8 = 0;
const CLEAN: u8 = 1;
const SEEN: u8 = 2;
const SURVEY: u8 = 3;
const ROSTER: u8 = 4;
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
    /// What the survey left.
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
            let key = key(history, options, detector);
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
            past.recall(history, || page.part(CLEAN), || page.part(ROSTER));
            let survey = (!past.is_blank()).then(|| page.part(SURVEY)).flatten();
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

    /// Everything that is no blob, with what the survey of an earlier run left, if that still holds.
    pub(super) fn survey<'s>(
        &'s self,
        history: &History,
        limits: &HistoryOptions,
        flagged: &HashSet<ObjectId>,
        collector: &Collector<'_>,
    ) -> Survey<'s> {
        let open = self.open.as_ref();
        let again = open.and_then(|it| {
            let record = it.survey.as_deref()?;
            history.survey_again(limits, &it.past, record, collector)
        });
        let past = open.map(|it| &it.past);
        again.unwrap_or_else(|| history.survey(limits, past, flagged, collector))
    }

    /// Writes the page, if there is anything new to it.
    pub(super) fn keep(
        self,
        seen: &Seen,
        flagged: &HashSet<ObjectId>,
        troubled: &HashSet<ObjectId>,
        survey: Option<Legacy>,
    ) {
        let Some(open) = self.open else { return };
        let Open { page, past, .. } = open;
        if past.is_same() && survey.is_none() {
            let others = [CLEAN, SEEN, SURVEY, ROSTER].map(|it| page.part(it));
            if !past.is_settled()
                && let [Some(clean), Some(seen), Some(survey), Some(roster)] = &others
            {
                page.keep(&[&past.renewed(), clean, seen, survey, roster]);
            }
            return;
        }
        let parts = match past.is_same() {
            true => page.part(CLEAN).map(|it| [past.renewed(), it]),
            false => past.page(open.fresh, flagged, troubled, &open.resting),
        };
        if let Some([head, clean]) = parts {
            let Legacy { record, roster } = survey.unwrap_or_default();
            page.keep(&[&head, &clean, &seen.write(), &record, &roster]);
        }
    }
}

/// What a page goes by: everything that has a say in what is found in a blob, and the repository. The least
/// confidence is not part of it, since weaker findings are left out later. The values that are looked for are:
/// an inventory that has one more has another page, and what was read for the page before is read again,
/// once. To know which parts of a page hold would take what was found for each value, and a page tells
/// nothing of values.
fn key(history: &History, options: &Options, detector: &Detector) -> PageKey {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(BUILD.as_bytes());
    add(detector.digest().as_bytes());
    add(&options.max_size.to_le_bytes());
    add(&(options.max_depth as u64).to_le_bytes());
    add(detector.known_values());
    let folder = history.folder();
    for path in std::iter::once(&folder).chain(&options.objects) {
        add(path.as_os_str().as_encoded_bytes());
    }
    hash.finalize().into()
}
