//! Where the objects of a repository lay when they were read: packs and loose objects by name, size and time.
//! What stands as it stood then need not be read again.
//!
//! Not here: what the objects are. A file that was touched since is compared by its checksum, which git put
//! at its end; one that does not agree with it is told to be another.

use crate::model::blob::ObjectId;
use crate::model::tape::{Reel, Tape};
use crate::source::commits::RawId;
use crate::source::loose;
use gix_hash::Kind::Sha1;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Size, time of the last change of the bytes, and of the file's own record, as far as a system tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Stamp {
    size: u64,
    changed: i64,
    noted: i64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let changed = metadata.modified().ok();
        let changed = changed.and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        Self {
            size: metadata.len(),
            changed: changed.map_or(0, |it| it.as_nanos() as i64),
            noted: noted(metadata),
        }
    }

    fn write(&self, tape: &mut Tape) {
        tape.number(self.size);
        tape.whole(self.changed);
        tape.whole(self.noted);
    }

    fn read(reel: &mut Reel<'_>) -> Option<Self> {
        Some(Self {
            size: reel.number()?,
            changed: reel.whole()?,
            noted: reel.whole()?,
        })
    }
}

#[cfg(unix)]
fn noted(metadata: &Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt;
    metadata
        .ctime()
        .wrapping_mul(1_000_000_000)
        .wrapping_add(metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn noted(_metadata: &Metadata) -> i64 {
    0
}

/// A pack: the checksums at the ends of its two files, and their stamps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct PackStamp {
    ends: [RawId; 2],
    stamps: [Stamp; 2],
}

impl PackStamp {
    fn of(index: &Path) -> io::Result<Self> {
        let (index, index_stamp) = end(index)?;
        Ok(Self {
            ends: [index.0, index_stamp.0],
            stamps: [index.1, index_stamp.1],
        })
    }

    fn is_alike(&self, other: &Self) -> bool {
        let sizes = |it: &Self| it.stamps.map(|it| it.size);
        self.ends == other.ends && sizes(self) == sizes(other)
    }
}

type End = (RawId, Stamp);

/// The ends of an index and of its pack.
fn end(index: &Path) -> io::Result<(End, End)> {
    let one = |path: &Path| -> io::Result<End> {
        let mut file = File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        let mut end = [0; 20];
        file.seek(SeekFrom::End(-20))?;
        file.read_exact(&mut end)?;
        Ok((end, stamp))
    };
    Ok((one(index)?, one(&index.with_extension("pack"))?))
}

/// Whether both files of a pack are what the checksums at their ends say.
fn is_sound(index: &Path) -> bool {
    let agrees = |path: &Path| -> io::Result<bool> {
        let mut file = File::open(path)?;
        let mut left = file.metadata()?.len().saturating_sub(20);
        let mut hash = gix_hash::hasher(Sha1);
        let mut buffer = vec![0; 1 << 16];
        while left > 0 {
            let most = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let count = file.read(&mut buffer[..most])?;
            if count == 0 {
                return Ok(false);
            }
            hash.update(&buffer[..count]);
            left -= count as u64;
        }
        let mut end = [0; 20];
        file.read_exact(&mut end)?;
        Ok(hash.try_finalize().is_ok_and(|it| it.as_bytes() == end))
    };
    let paths = [index.to_owned(), index.with_extension("pack")];
    paths.iter().all(|it| agrees(it).unwrap_or(false))
}

/// Where all objects lie.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    packs: Vec<PackStamp>,
    loose: BTreeMap<(u32, ObjectId), Stamp>,
}

/// What became of an earlier standing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Everything lies as it lay.
    Same,
    /// What was read may lie elsewhere, new objects may have come and others gone. These loose objects are
    /// not known to be what they were.
    Moved(HashSet<ObjectId>),
    /// A file is not what it says it is: nothing of before counts.
    Doubtful,
}

impl Standing {
    /// Looks at files of packs and folders of objects; `None` where one of them cannot be looked at.
    pub(crate) fn of(indexes: &[PathBuf], folders: &[PathBuf]) -> Option<Self> {
        let packs = indexes.iter().map(|it| PackStamp::of(it).ok());
        let mut standing = Self {
            packs: packs.collect::<Option<_>>()?,
            loose: BTreeMap::new(),
        };
        for (number, folder) in (0_u32..).zip(folders) {
            for id in loose::ids(folder).ok()? {
                let metadata = fs::symlink_metadata(loose::path(folder, &id)).ok()?;
                standing.loose.insert((number, id), Stamp::of(&metadata));
            }
        }
        Some(standing)
    }

    /// What has changed since an earlier one. `indexes` and `folders` are those that this was made of.
    pub(crate) fn since(&self, earlier: &Self, indexes: &[PathBuf], folders: &[PathBuf]) -> Turn {
        for (pack, index) in self.packs.iter().zip(indexes) {
            // Packs that are new or were touched are read in full only where they are needed, so that
            // whether they are whole must be asked.
            if !earlier.packs.contains(pack) && !is_sound(index) {
                return Turn::Doubtful;
            }
        }
        let is_known = |it: &PackStamp| earlier.packs.iter().any(|known| it.is_alike(known));
        let is_there = |it: &PackStamp| self.packs.iter().any(|known| it.is_alike(known));
        let same_packs = self.packs.iter().all(is_known) && earlier.packs.iter().all(is_there);
        // git touches an object that it would write and that is there.
        let is_known = |(key, stamp): (&(u32, ObjectId), &Stamp)| {
            earlier.loose.get(key).is_some_and(|it| {
                it == stamp
                    || it.size == stamp.size
                        && folders
                            .get(key.0 as usize)
                            .is_some_and(|folder| loose::is_sound(folder, &key.1))
            })
        };
        let doubted: HashSet<ObjectId> = self
            .loose
            .iter()
            .filter(|it| !is_known(*it))
            .map(|it| it.0.1)
            .collect();
        let is_same = same_packs && doubted.is_empty() && self.loose.len() == earlier.loose.len();
        match is_same {
            true => Turn::Same,
            false => Turn::Moved(doubted),
        }
    }

    pub(crate) fn write(&self, tape: &mut Tape) {
        tape.number(self.packs.len() as u64);
        for pack in &self.packs {
            pack.ends.iter().for_each(|it| tape.raw(it));
            pack.stamps.iter().for_each(|it| it.write(tape));
        }
        tape.number(self.loose.len() as u64);
        for ((folder, id), stamp) in &self.loose {
            tape.number(u64::from(*folder));
            tape.raw(id.as_bytes());
            stamp.write(tape);
        }
    }

    pub(crate) fn read(reel: &mut Reel<'_>) -> Option<Self> {
        let mut standing = Self::default();
        for _ in 0..reel.count()? {
            standing.packs.push(PackStamp {
                ends: [reel.raw()?, reel.raw()?],
                stamps: [Stamp::read(reel)?, Stamp::read(reel)?],
            });
        }
        for _ in 0..reel.count()? {
            let folder = reel.short()?;
            let id = ObjectId::from_bytes(&reel.raw::<20>()?)?;
            standing.loose.insert((folder, id), Stamp::read(reel)?);
        }
        Some(standing)
    }
}
