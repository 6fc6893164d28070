//! Single objects by their ids, in whatever order they are asked for.
//!
//! Not here: reading all objects once (see `objects` and `walk`), which is far cheaper for many. A reader keeps
//! what it made lately, up to a budget, so that versions of one file, which packs store as deltas over each
//! other, cost a delta each and no chain.

use crate::model::blob::ObjectId;
use crate::model::coverage::Reason;
use crate::model::delta::Edit;
use crate::source::delta;
use crate::source::loose::{self, Loose};
use crate::source::objects::Objects;
use crate::source::pack::{Kind, Pack, Stored};
use libdeflater::Decompressor;
use std::collections::HashMap;
use std::rc::Rc;

/// An object.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// Where an object is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Spot {
    Packed(usize, u64),
    Loose(ObjectId),
}

/// Reads objects, one thread's.
pub(crate) struct Reader<'a> {
    packs: Vec<&'a Pack>,
    objects: &'a Objects,
    largest: u64,
    kept: Kept,
    inflater: Decompressor,
    loose: loose::Reader,
    delta: Vec<u8>,
    edit: Edit,
}

/// How far one delta may stand on another; git makes chains of 50, and refuses to make them longer than 4095.
const DEEPEST: usize = 4096;

/// What was made lately: of two generations, the older goes when the younger is full.
struct Kept {
    budget: usize,
    size: usize,
    young: HashMap<Spot, Rc<Object>>,
    old: HashMap<Spot, Rc<Object>>,
}

impl Kept {
    fn find(&mut self, spot: Spot) -> Option<Rc<Object>> {
        if let Some(found) = self.young.get(&spot) {
            return Some(Rc::clone(found));
        }
        let found = self.old.remove(&spot)?;
        self.keep(spot, Rc::clone(&found));
        Some(found)
    }

    fn keep(&mut self, spot: Spot, object: Rc<Object>) {
        self.size += object.bytes.len() + size_of::<Spot>();
        self.young.insert(spot, object);
        if self.size > self.budget / 2 {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
    }
}

impl<'a> Reader<'a> {
    /// Of objects up to a size, with a budget of bytes for what it keeps.
    pub(crate) fn new(objects: &'a Objects, largest: u64, budget: usize) -> Self {
        Self {
            packs: objects.packs().collect(),
            objects,
            largest,
            kept: Kept {
                budget,
                size: 0,
                young: HashMap::new(),
                old: HashMap::new(),
            },
            inflater: Decompressor::new(),
            loose: loose::Reader::new(),
            delta: Vec::new(),
            edit: Edit::default(),
        }
    }

    /// An object of a type; else why it cannot be had.
    pub(crate) fn read(&mut self, id: &ObjectId, kind: Kind) -> Result<Rc<Object>, Reason> {
        let object = self.object(id, 0)?;
        match object.kind == kind {
            true => Ok(object),
            false => Err(Reason::CorruptObject),
        }
    }

    fn object(&mut self, id: &ObjectId, depth: usize) -> Result<Rc<Object>, Reason> {
        let mut failure = Reason::MissingObject;
        for at in 0..self.packs.len() {
            let Some(position) = self.packs[at].position(id) else {
                continue;
            };
            match self.packed(at, self.packs[at].offset(position), depth) {
                Ok(object) => return Ok(object),
                // Another copy may be sound.
                Err(reason) => failure = reason,
            }
        }
        self.loose(id).map_err(|it| match it {
            Reason::MissingObject => failure,
            other => other,
        })
    }

    /// The entry at an offset: what it stands on is looked for downwards, then it is made upwards.
    fn packed(&mut self, at: usize, offset: u64, depth: usize) -> Result<Rc<Object>, Reason> {
        let pack = self.packs[at];
        let mut chain = Vec::new();
        let mut offset = offset;
        let mut object = loop {
            let spot = Spot::Packed(at, offset);
            if let Some(found) = self.kept.find(spot) {
                break found;
            }
            if chain.len() + depth > DEEPEST {
                return Err(Reason::CorruptObject);
            }
            let entry = pack.entry(offset).ok_or(Reason::CorruptObject)?;
            match entry.stored {
                Stored::Whole(kind) => {
                    let bytes = self.inflated(pack, entry.data, entry.size)?;
                    break self.keep(spot, Object { kind, bytes });
                }
                Stored::Offset(base) => {
                    chain.push((spot, entry));
                    offset = base;
                }
                Stored::Id(base) => {
                    chain.push((spot, entry));
                    break self.object(&base, depth + chain.len())?;
                }
            }
        };
        for (spot, entry) in chain.into_iter().rev() {
            let delta = std::mem::take(&mut self.delta);
            self.delta = self.inflated_into(delta, pack, entry.data, entry.size)?;
            let bytes = self.over(&object.bytes)?;
            let kind = object.kind;
            object = self.keep(spot, Object { kind, bytes });
        }
        Ok(object)
    }

    fn over(&mut self, base: &[u8]) -> Result<Vec<u8>, Reason> {
        let sizes = delta::sizes(&self.delta).ok_or(Reason::CorruptObject)?;
        if sizes.result > self.largest {
            return Err(Reason::TooLarge);
        }
        let mut bytes = Vec::new();
        delta::apply(base, &self.delta, sizes, &mut bytes, &mut self.edit)
            .ok_or(Reason::CorruptObject)?;
        Ok(bytes)
    }

    fn keep(&mut self, spot: Spot, object: Object) -> Rc<Object> {
        let object = Rc::new(object);
        self.kept.keep(spot, Rc::clone(&object));
        object
    }

    fn inflated(&mut self, pack: &Pack, data: u64, size: u64) -> Result<Vec<u8>, Reason> {
        self.inflated_into(Vec::new(), pack, data, size)
    }

    fn inflated_into(
        &mut self,
        mut out: Vec<u8>,
        pack: &Pack,
        data: u64,
        size: u64,
    ) -> Result<Vec<u8>, Reason> {
        if size > self.largest {
            return Err(Reason::TooLarge);
        }
        let compressed = pack.bytes(data, pack.end()).ok_or(Reason::CorruptObject)?;
        // Deflate cannot expand by more than 1032 to 1: a larger claim is a lie meant to take memory.
        if size / 1032 > compressed.len() as u64 {
            return Err(Reason::CorruptObject);
        }
        out.clear();
        out.resize(size as usize, 0);
        match self.inflater.zlib_decompress(compressed, &mut out) {
            Ok(length) if length == out.len() => Ok(out),
            _ => Err(Reason::CorruptObject),
        }
    }

    fn loose(&mut self, id: &ObjectId) -> Result<Rc<Object>, Reason> {
        let spot = Spot::Loose(*id);
        if let Some(found) = self.kept.find(spot) {
            return Ok(found);
        }
        let mut failure = Reason::MissingObject;
        for folder in self.objects.whereabouts().1 {
            for kind in [Kind::Commit, Kind::Tree, Kind::Blob] {
                match self.loose.read(folder, id, &[kind], self.largest) {
                    Loose::Object(bytes) => {
                        let bytes = bytes.to_vec();
                        return Ok(self.keep(spot, Object { kind, bytes }));
                    }
                    Loose::OtherKind => {}
                    Loose::TooLarge(_) => failure = Reason::TooLarge,
                    Loose::Corrupt => failure = Reason::CorruptObject,
                    Loose::Io(error) if error.kind() == std::io::ErrorKind::NotFound => break,
                    Loose::Io(_) => failure = Reason::Io,
                }
            }
        }
        Err(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Repo;
    use std::collections::BTreeMap;

    fn read(repo: &Repo, ids: &[ObjectId], budget: usize) -> Vec<Vec<u8>> {
        let objects = Objects::open(&repo.path().join(".git/objects"));
        let mut reader = Reader::new(&objects, 1 << 20, budget);
        let blob = |id: &ObjectId| reader.read(id, Kind::Blob).unwrap().bytes.clone();
        ids.iter().map(blob).collect()
    }

    /// Versions of a file that packs store as deltas.
    fn versions(repo: &Repo) -> BTreeMap<ObjectId, Vec<u8>> {
        let mut text: Vec<String> = (0..200).map(|it| format!("line {it}")).collect();
        for at in 0..30 {
            text[at * 6] = format!("changed {at}");
            repo.commit(&[("a", &text.join("\n"))], "next");
        }
        Repo::oracle(repo.path(), "blob")
    }

    #[test]
    fn objects_are_what_git_says_loose_packed_and_in_several_packs() {
        let repo = Repo::new();
        let mut expected = versions(&repo);
        for step in 0..3 {
            for budget in [0, 4000, 1 << 20] {
                let ids: Vec<ObjectId> = expected.keys().copied().collect();
                let found = read(&repo, &ids, budget);
                assert_eq!(found, expected.values().cloned().collect::<Vec<_>>());
            }
            match step {
                0 => drop(repo.git(&["repack", "-adq", "--depth=50", "--window=50"])),
                _ => {
                    repo.commit(&[("b", "another")], "more");
                    repo.git(&["repack", "-dq"]);
                    expected = Repo::oracle(repo.path(), "blob");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_had_is_told_apart() {
        let repo = Repo::new();
        let commit = crate::source::testing::id(&repo.commit(&[("a", "some text")], "one"));
        let objects = Objects::open(&repo.path().join(".git/objects"));
        let mut reader = Reader::new(&objects, 8, 0);
        let absent = ObjectId::from_bytes(&[7; 20]).unwrap();
        let mut reason = |id| reader.read(&id, Kind::Blob).unwrap_err();
        assert_eq!(reason(absent), Reason::MissingObject);
        assert_eq!(reason(repo.blob_id("some text")), Reason::TooLarge);
        let mut reader = Reader::new(&objects, 1 << 20, 0);
        assert_eq!(
            reader.read(&commit, Kind::Blob).unwrap_err(),
            Reason::CorruptObject
        );
        assert!(reader.read(&commit, Kind::Commit).is_ok());
    }
}
