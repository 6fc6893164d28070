//! What an earlier pass over the blobs of a repository left: which showed nothing, which showed something,
//! and which could not be read whole. From it, which must be read now.
//!
//! Not here: what was seen in blobs, and where pages are kept. Nothing of what blobs say is written: their
//! ids, their sizes, and hashes of ids under a key drawn for each page, so that no two ids can be made
//! that share one. A blob is known by its id, as git knows it; see `standing` for files that lie.

use crate::model::blob::ObjectId;
use crate::model::tape::{Reel, Tape};
use crate::source::digest::Digest;
use crate::source::hashed::Hashed;
use crate::source::history::{History, HistoryTotals};
use crate::source::roster::Roster;
use crate::source::standing::{Standing, Turn};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// An earlier pass, seen from now.
#[derive(Debug)]
pub struct Past {
    digest: Digest,
    standing: Standing,
    /// As it was written; `None` without an earlier pass that counts.
    earlier: Option<Standing>,
    turn: Turn,
    /// Blobs that showed nothing, with their sizes.
    clean: Hashed,
    /// How many there are, and their bytes.
    sum: HistoryTotals,
    /// Blobs that showed something, with their sizes.
    flagged: HashMap<ObjectId, u32>,
    /// Blobs that could not be read whole.
    troubled: HashSet<ObjectId>,
    /// What is no blob, where a survey noted all of it.
    roster: Option<Roster>,
    /// What is there now, where not everything lies as it lay.
    census: Census,
}

/// What is there, seen from what was there before.
#[derive(Default, Debug)]
struct Census {
    /// What was not met before, or is not known to be what it was; `None` if that is much.
    newcomers: Option<HashSet<ObjectId>>,
    /// Which of the clean blobs are still there.
    present: Vec<bool>,
    /// How many these are, and their bytes.
    unread: HistoryTotals,
    /// Whether everything that was met is still there, and what it was.
    is_whole: bool,
}

/// What the pass of now has read.
#[derive(Default, Debug)]
pub struct Fresh {
    /// Hashes of ids, with sizes.
    pub(crate) read: Vec<(u64, u32)>,
    /// What could not be read, at least in one copy.
    pub(crate) failed: HashSet<ObjectId>,
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
            clean: Hashed::default(),
            sum: HistoryTotals::default(),
            flagged: HashMap::new(),
            troubled: HashSet::new(),
            roster: None,
            census: Census::default(),
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
        self.clean = Hashed::default();
        self.flagged.clear();
        self.troubled.clear();
        self.roster = None;
        self.census = Census::default();
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

    /// Takes the further parts of the page where they are needed, and looks who is there.
    pub fn recall(
        &mut self,
        history: &History,
        clean: impl FnOnce() -> Option<Vec<u8>>,
        roster: impl FnOnce() -> Option<Vec<u8>>,
    ) {
        let Turn::Moved(_) = self.turn else {
            return;
        };
        let read = |it: Vec<u8>| Hashed::read(&mut Reel::new(&it));
        let Some(clean) = clean().and_then(read) else {
            return self.forget();
        };
        self.clean = clean;
        self.roster = roster().and_then(|it| Roster::read(&it));
        self.census = self.census(history);
    }

    fn census(&self, history: &History) -> Census {
        let Turn::Moved(doubted) = &self.turn else {
            return Census::default();
        };
        let mut census = Census {
            present: vec![false; self.clean.rows().len()],
            ..Census::default()
        };
        let mut newcomers = HashSet::new();
        let mut others = vec![false; self.roster.as_ref().map_or(0, Roster::len)];
        // Where more is new than was known, starting anew is as quick.
        let most = self.clean.rows().len() + others.len();
        let mut special: HashSet<ObjectId> = HashSet::new();
        history.objects().each_id(&mut |id| {
            let hash = self.hash(&id);
            let is_doubted = doubted.contains(&id);
            let roster = || self.roster.as_ref()?.position(hash);
            if let Some(at) = self.clean.position(hash).filter(|_| !is_doubted) {
                if !std::mem::replace(&mut census.present[at], true) {
                    census.unread.blobs += 1;
                    census.unread.bytes += u64::from(self.clean.rows()[at].1);
                }
            } else if let Some(at) = roster().filter(|_| !is_doubted) {
                others[at] = true;
            } else if !is_doubted && self.is_special(&id) {
                special.insert(id);
            } else if newcomers.len() <= most {
                newcomers.insert(id);
            }
        });
        census.newcomers = (newcomers.len() <= most).then_some(newcomers);
        let all = |it: &[bool]| it.iter().all(|it| *it);
        let is_special_there = special.len() == self.flagged.len() + self.troubled.len();
        census.is_whole = all(&census.present) && all(&others) && is_special_there;
        census
    }

    /// Whether a blob showed something or could not be read whole.
    fn is_special(&self, id: &ObjectId) -> bool {
        self.flagged.contains_key(id) || self.troubled.contains(id)
    }

    /// What was not met before, where an earlier survey can be carried on with it: nothing else has changed.
    pub(crate) fn newcomers(&self) -> Option<(&HashSet<ObjectId>, &Roster)> {
        let known = self.census.newcomers.as_ref().zip(self.roster.as_ref());
        known.filter(|_| self.census.is_whole)
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
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

    /// All that is to be read, if that is little: these, what could not be read whole, and what is new.
    pub(crate) fn only(&self, again: &HashSet<ObjectId>) -> Option<HashSet<ObjectId>> {
        let known = again.iter().chain(&self.troubled);
        match &self.turn {
            Turn::Same => Some(known.copied().collect()),
            Turn::Moved(_) => {
                let newcomers = self.census.newcomers.as_ref()?;
                Some(known.chain(newcomers).copied().collect())
            }
            Turn::Doubtful => None,
        }
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
    pub(crate) fn unread(&self) -> HistoryTotals {
        match self.turn {
            Turn::Moved(_) => self.census.unread,
            _ => self.sum,
        }
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
        let kept = self.clean.rows().iter().zip(&self.census.present);
        clean.extend(kept.filter(|it| *it.1).map(|it| *it.0));
        let seen: Option<Vec<(ObjectId, u32)>> = flagged
            .difference(&troubled)
            .map(|it| Some((*it, *sizes.get(it)?)))
            .collect();
        let mut seen = seen?;
        seen.sort_unstable();
        let clean = Hashed::of(clean);
        let sizes = clean.rows().iter().map(|it| u64::from(it.1));
        let sum = HistoryTotals {
            blobs: clean.rows().len() as u64,
            bytes: sizes.sum(),
        };
        let mut tape = Tape::default();
        clean.write(&mut tape);
        Some([self.head(sum, &seen, &troubled), tape.into_bytes()])
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
