//! What an earlier pass over the blobs of a repository left: which showed nothing, which showed something,
//! and which could not be read whole. From it, which must be read now.
//!
//! Not here: what was seen in blobs, and where pages are kept. Nothing of what blobs say is written: their
//! ids, their sizes, and hashes of ids under a key drawn for each page, so that no two ids can be made
//! that share one. A blob is known by its id, as git knows it; see `standing` for files that lie.

use crate::model::blob::ObjectId;
use crate::model::tape::{Reel, Tape};
use crate::source::digest::Digest;
use crate::source::history::{History, HistoryTotals};
use crate::source::standing::{Standing, Turn};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Blobs that showed nothing: hashes of their ids, sorted, and their sizes.
#[derive(Default, Debug)]
struct Clean(Vec<(u64, u32)>);

impl Clean {
    fn position(&self, hash: u64) -> Option<usize> {
        self.0.binary_search_by_key(&hash, |it| it.0).ok()
    }

    fn write(&self) -> Vec<u8> {
        let mut tape = Tape::default();
        tape.number(self.0.len() as u64);
        for (hash, size) in &self.0 {
            tape.raw(&hash.to_le_bytes());
            tape.number(u64::from(*size));
        }
        tape.into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reel = Reel::new(bytes);
        let mut clean = Vec::with_capacity(reel.clone().count()?);
        for _ in 0..reel.count()? {
            clean.push((u64::from_le_bytes(reel.raw()?), reel.short()?));
        }
        (reel.is_over() && clean.is_sorted_by(|a, b| a.0 < b.0)).then_some(Self(clean))
    }
}

/// An earlier pass, seen from now.
#[derive(Debug)]
pub struct Past {
    digest: Digest,
    standing: Standing,
    /// As it was written; `None` without an earlier pass that counts.
    earlier: Option<Standing>,
    turn: Turn,
    clean: Clean,
    /// How many there are, and their bytes.
    sum: HistoryTotals,
    /// Blobs that showed something, with their sizes.
    flagged: HashMap<ObjectId, u32>,
    /// Blobs that could not be read whole.
    troubled: HashSet<ObjectId>,
}

/// What the pass of now has read.
#[derive(Default, Debug)]
pub struct Fresh {
    /// Hashes of ids, with sizes.
    pub(crate) read: Vec<(u64, u32)>,
    /// What could not be read, at least in one copy.
    pub(crate) failed: HashSet<ObjectId>,
    /// Which of the clean ones are still there.
    present: Vec<bool>,
}

impl Past {
    /// Compares what lies there with a page; `None` if what lies there cannot even be looked at, so that
    /// nothing is to be kept either.
    pub fn of(history: &History, head: Option<&[u8]>) -> Option<Self> {
        let (indexes, folders) = history.objects().whereabouts();
        let indexes: Vec<PathBuf> = indexes.map(PathBuf::from).collect();
        let standing = Standing::of(&indexes, folders)?;
        let mut past = Self {
            digest: Digest::new(),
            turn: Turn::Doubtful,
            earlier: None,
            standing,
            clean: Clean::default(),
            sum: HistoryTotals::default(),
            flagged: HashMap::new(),
            troubled: HashSet::new(),
        };
        if let Some(earlier) = head.and_then(|it| past.read(it)) {
            past.turn = past.standing.since(&earlier, &indexes, folders);
            past.earlier = Some(earlier);
        }
        if past.turn == Turn::Doubtful {
            past.forget();
        }
        Some(past)
    }

    /// Nothing of before counts.
    pub fn forget(&mut self) {
        self.turn = Turn::Doubtful;
        self.earlier = None;
        self.sum = HistoryTotals::default();
        self.clean = Clean::default();
        self.flagged.clear();
        self.troubled.clear();
    }

    /// Whether everything lies as it lay.
    pub fn is_same(&self) -> bool {
        self.turn == Turn::Same
    }

    /// Whether nothing of before counts.
    pub fn is_blank(&self) -> bool {
        self.turn == Turn::Doubtful
    }

    /// Whether even the times of files are what they were.
    pub fn is_settled(&self) -> bool {
        self.is_same() && self.earlier.as_ref() == Some(&self.standing)
    }

    /// Takes the second part of the page, where that is needed.
    pub fn recall(&mut self, clean: impl FnOnce() -> Option<Vec<u8>>) {
        if let Turn::Moved(_) = self.turn {
            match clean().and_then(|it| Clean::read(&it)) {
                Some(clean) => self.clean = clean,
                None => self.forget(),
            }
        }
    }

    /// Blobs that showed something and are still there, and are what they were.
    pub fn flagged<'h>(&'h self, history: &'h History) -> impl Iterator<Item = (ObjectId, u32)> {
        let loose = match self.turn {
            Turn::Moved(_) => history.objects().loose(),
            _ => HashSet::new(),
        };
        let is_there = move |id: &ObjectId| match &self.turn {
            Turn::Same => true,
            Turn::Moved(doubted) => {
                !doubted.contains(id) && (loose.contains(id) || history.objects().is_packed(id))
            }
            Turn::Doubtful => false,
        };
        let flagged = self.flagged.iter().map(|(id, size)| (*id, *size));
        flagged.filter(move |it| is_there(&it.0))
    }

    /// What to read where all lies as it lay: these, and what could not be read whole.
    pub(crate) fn only(&self, again: &HashSet<ObjectId>) -> Option<HashSet<ObjectId>> {
        self.is_same()
            .then(|| again.union(&self.troubled).copied().collect())
    }

    /// Whether a blob must be read. `resting` are those that showed something and are not to be read again.
    pub(crate) fn wants(&self, id: &ObjectId, resting: &HashMap<ObjectId, u32>) -> bool {
        let Turn::Moved(doubted) = &self.turn else {
            return true;
        };
        let is_known = || resting.contains_key(id) || self.clean.position(self.hash(id)).is_some();
        doubted.contains(id) || !is_known()
    }

    pub(crate) fn hash(&self, id: &ObjectId) -> u64 {
        self.digest.of(id.as_bytes())
    }

    /// How much is there that need not be read, but for the resting.
    pub(crate) fn unread(&self, history: &History, fresh: &mut Fresh) -> HistoryTotals {
        let Turn::Moved(doubted) = &self.turn else {
            return self.sum;
        };
        let mut sum = HistoryTotals::default();
        fresh.present = vec![false; self.clean.0.len()];
        history.objects().each_id(&mut |id| {
            let at = self.clean.position(self.hash(&id));
            if let Some(at) = at.filter(|it| !fresh.present[*it] && !doubted.contains(&id)) {
                fresh.present[at] = true;
                sum.blobs += 1;
                sum.bytes += u64::from(self.clean.0[at].1);
            }
        });
        sum
    }

    /// Both parts of the page that the next run may start from. `flagged` are all blobs that showed
    /// something, `troubled` those of which a part was not read; `resting` as above.
    pub fn page(
        &self,
        fresh: Fresh,
        flagged: &HashSet<ObjectId>,
        troubled: &HashSet<ObjectId>,
        resting: &HashMap<ObjectId, u32>,
    ) -> Option<[Vec<u8>; 2]> {
        let troubled: HashSet<ObjectId> = troubled.union(&fresh.failed).copied().collect();
        let special = flagged.union(&troubled).map(|it| (self.hash(it), *it));
        let special: HashMap<u64, ObjectId> = special.collect();
        let mut sizes: HashMap<ObjectId, u32> = resting.clone();
        let mut clean: Vec<(u64, u32)> = Vec::with_capacity(fresh.read.len());
        for (hash, size) in fresh.read {
            match special.get(&hash) {
                Some(id) => drop(sizes.insert(*id, size)),
                None => clean.push((hash, size)),
            }
        }
        let kept = self.clean.0.iter().zip(&fresh.present);
        clean.extend(kept.filter(|it| *it.1).map(|it| *it.0));
        clean.sort_unstable();
        clean.dedup();
        let seen: Option<Vec<(ObjectId, u32)>> = flagged
            .difference(&troubled)
            .map(|it| Some((*it, *sizes.get(it)?)))
            .collect();
        let mut seen = seen?;
        seen.sort_unstable();
        let clean = Clean(clean);
        let sum = HistoryTotals {
            blobs: clean.0.len() as u64,
            bytes: clean.0.iter().map(|it| u64::from(it.1)).sum(),
        };
        Some([self.head(sum, &seen, &troubled), clean.write()])
    }

    /// The first part anew, where all is as it was but the times of files.
    pub fn renewed(&self) -> Vec<u8> {
        let mut seen: Vec<_> = self.flagged.iter().map(|it| (*it.0, *it.1)).collect();
        seen.sort_unstable();
        self.head(self.sum, &seen, &self.troubled)
    }

    fn head(
        &self,
        sum: HistoryTotals,
        seen: &[(ObjectId, u32)],
        troubled: &HashSet<ObjectId>,
    ) -> Vec<u8> {
        let mut tape = Tape::default();
        self.standing.write(&mut tape);
        for key in self.digest.keys() {
            tape.raw(&key.to_le_bytes());
        }
        tape.number(sum.blobs);
        tape.number(sum.bytes);
        tape.number(seen.len() as u64);
        for (id, size) in seen {
            tape.raw(id.as_bytes());
            tape.number(u64::from(*size));
        }
        let mut troubled: Vec<_> = troubled.iter().collect();
        troubled.sort_unstable();
        tape.number(troubled.len() as u64);
        troubled.iter().for_each(|it| tape.raw(it.as_bytes()));
        tape.into_bytes()
    }

    fn read(&mut self, head: &[u8]) -> Option<Standing> {
        let mut reel = Reel::new(head);
        let standing = Standing::read(&mut reel)?;
        let mut keys = [0; 3];
        for key in &mut keys {
            *key = u64::from_le_bytes(reel.raw()?);
        }
        self.digest = Digest::with(keys);
        self.sum = HistoryTotals {
            blobs: reel.number()?,
            bytes: reel.number()?,
        };
        for _ in 0..reel.count()? {
            let id = ObjectId::from_bytes(&reel.raw::<20>()?)?;
            self.flagged.insert(id, reel.short()?);
        }
        for _ in 0..reel.count()? {
            self.troubled
                .insert(ObjectId::from_bytes(&reel.raw::<20>()?)?);
        }
        reel.is_over().then_some(standing)
    }
}
