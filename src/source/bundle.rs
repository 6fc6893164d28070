//! Git bundles: a pack in one file with the refs it is for. Read in memory, with the code that reads packs.
//!
//! Not here: what a scan makes of the texts. Formats: gitformat-bundle(5) and gitformat-pack(5) of git's
//! documentation.

use crate::model::blob::ObjectId;
use crate::model::coverage::Reason;
use crate::model::delta::Edit;
use crate::source::commits::RawId;
use crate::source::compare;
use crate::source::forest::{Forest, NONE};
use crate::source::pack::{Kind, Pack, Stored};
use crate::source::walk::{Failure, Limits, Take, Walk};
use crate::source::{Future, Kept, spelling};
use flate2::{Decompress, FlushDecompress, Status};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

/// Something a bundle holds, or why it was not read.
pub enum Part<'a> {
    /// A text and what it is called: a file of some commit, a commit, a tag, the names of refs.
    Text {
        /// A path, or `commits/ID`, `tags/ID`, `objects/ID`, `refs`, `names`.
        name: &'a str,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// What was not read.
    Gap {
        /// As above; `None` for the bundle itself.
        name: Option<&'a str>,
        /// Why.
        reason: Reason,
        /// A sentence.
        detail: String,
    },
}

/// Takes parts; whether more are wanted.
pub type Emit<'a> = dyn FnMut(Part<'_>) -> bool + 'a;

const SIGNATURES: [&[u8]; 2] = [b"# v2 git bundle\n", b"# v3 git bundle\n"];
/// Objects of one bundle.
const OBJECTS: u32 = 4 << 20;
/// A bundle may expand to this many times its size, counting every object; a small one to `ROOM`.
const RATIO: u64 = 100;
const ROOM: u64 = 64 << 20;
/// However large a bundle is, no more than this is inflated.
const MOST: u64 = 4 << 30;
/// Bytes of buffers.
const MEMORY: usize = 96 << 20;
/// Passes in search of bases that come as ids; git writes offsets.
const PASSES: usize = 4;
/// Folders within a folder.
const DEEPEST: usize = 1024;
/// Commits named in a sentence.
const NAMED: usize = 3;
/// A shorter name holds no secret.
const SHORTEST: usize = 10;

/// Whether the bytes are a bundle.
pub fn is(bytes: &[u8]) -> bool {
    SIGNATURES.iter().any(|it| bytes.starts_with(it))
}

/// Hands out everything a bundle holds: names of refs, commits and tags, file names, files. An error says
/// why there was nothing to read.
pub fn each(bytes: &[u8], emit: &mut Emit<'_>) -> Result<(), (Reason, String)> {
    let header = Header::parse(bytes)?;
    let refs = header.refs.join("\n");
    if !refs.is_empty() {
        emit(Part::Text {
            name: "refs",
            bytes: refs.as_bytes(),
        });
    }
    if let Some(filter) = &header.filter {
        emit(Part::Gap {
            name: None,
            reason: Reason::PartialClone,
            detail: format!(
                "the bundle was made with the filter {filter}: what that leaves out is not in it"
            ),
        });
    }
    let room = Room::of(bytes);
    let (pack, cut) = opened(header.pack, room)?;
    if let Some(detail) = cut {
        emit(gap(Reason::Damaged, detail));
    }
    let forest = Forest::of(&pack);
    header.tell_unmet(&forest, emit);
    let mut reader = Reader {
        pack: &pack,
        forest: &forest,
        above: vec![(NONE, NONE); pack.len() as usize],
        names: Names::default(),
        kind: Kind::Tree,
        room,
        is_over: false,
        emit,
    };
    reader.all();
    Ok(())
}

fn gap(reason: Reason, detail: String) -> Part<'static> {
    Part::Gap {
        name: None,
        reason,
        detail,
    }
}

fn damaged(detail: &str) -> (Reason, String) {
    (Reason::Damaged, detail.to_owned())
}

/// What stands before the pack.
struct Header<'a> {
    filter: Option<String>,
    /// Commits that whoever unbundles must have.
    prerequisites: Vec<String>,
    refs: Vec<String>,
    pack: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, (Reason, String)> {
        let mut header = Self {
            filter: None,
            prerequisites: Vec::new(),
            refs: Vec::new(),
            pack: &[],
        };
        let mut rest = &bytes[SIGNATURES[0].len()..];
        loop {
            let end =
                memchr::memchr(b'\n', rest).ok_or_else(|| damaged("its header is cut off"))?;
            let line = &rest[..end];
            rest = &rest[end + 1..];
            match line {
                [] => break,
                [b'@', capability @ ..] => header.capability(&spelling::text(capability))?,
                [b'-', needed @ ..] => {
                    let id = needed.split(|it| *it == b' ').next().unwrap_or_default();
                    header.prerequisites.push(spelling::text(id).into_owned());
                }
                _ => {
                    let name = line.splitn(2, |it| *it == b' ').nth(1);
                    let name = name.ok_or_else(|| damaged("a line of its header names no ref"))?;
                    header.refs.push(spelling::text(name).into_owned());
                }
            }
        }
        header.pack = rest;
        Ok(header)
    }

    fn capability(&mut self, capability: &str) -> Result<(), (Reason, String)> {
        let unsupported = |what: String| Err((Reason::Unsupported, what));
        match capability.split_once('=') {
            Some(("object-format", "sha1")) => Ok(()),
            Some(("object-format", format)) => unsupported(format!(
                "a bundle of the {format} object format is not read by this version"
            )),
            Some(("filter", filter)) => {
                self.filter = Some(filter.to_owned());
                Ok(())
            }
            _ => unsupported(format!(
                "a bundle that asks for `{capability}` is not read by this version"
            )),
        }
    }

    /// Tells of deltas whose bases are elsewhere, and of entries that are no objects.
    fn tell_unmet(&self, forest: &Forest, emit: &mut Emit<'_>) {
        let unmet: usize = forest
            .foreign
            .iter()
            .map(|it| forest.family(it.0).len())
            .sum();
        if unmet > 0 {
            let needs = self.prerequisites.iter().take(NAMED).cloned();
            let needs: Vec<String> = needs.collect();
            let needs = match needs[..] {
                [] => "objects".to_owned(),
                _ => format!("commit {}", needs.join(", ")),
            };
            emit(gap(
                Reason::MissingObject,
                format!(
                    "{unmet} object(s) are deltas: reading them needs {needs} that the bundle does not hold"
                ),
            ));
        }
        if let Some((_, why)) = forest.broken.first() {
            let count = forest.broken.len();
            emit(gap(
                Reason::CorruptObject,
                format!("{count} object(s) cannot be read: {why}"),
            ));
        }
    }
}

/// Bytes that may yet be inflated.
#[derive(Clone, Copy)]
struct Room(u64);

impl Room {
    fn of(bytes: &[u8]) -> Self {
        let room = (bytes.len() as u64).saturating_mul(RATIO);
        Self(room.clamp(ROOM, MOST))
    }

    /// Takes from it; false if there was not as much.
    fn take(&mut self, bytes: u64) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

const BEYOND: &str = "what the bundle expands to is beyond the limit; the rest was left alone";

/// The pack with the ids of its objects, and why it is not whole.
fn opened(bytes: &[u8], room: Room) -> Result<(Pack, Option<String>), (Reason, String)> {
    let version = bytes.get(4..8).unwrap_or_default();
    if !bytes.starts_with(b"PACK") || !matches!(version, [0, 0, 0, 2 | 3]) {
        return Err(damaged("what follows its header is no pack"));
    }
    let count = bytes.get(8..12).and_then(|it| it.first_chunk());
    let count = count.map_or(0, |it| u32::from_be_bytes(*it));
    if count > OBJECTS {
        return Err((
            Reason::LimitHit,
            format!("{count} objects are more than are read of a bundle"),
        ));
    }
    let whole = Pack::held(Vec::new(), bytes.to_vec(), bytes.len() as u64);
    let (offsets, end, cut) = offsets(&whole, count, room);
    let lost = || damaged("its pack cannot be held");
    let (_, held) = whole.into_held().ok_or_else(lost)?;
    let rows = offsets.iter().enumerate();
    let rows = rows.map(|(at, offset)| (unnamed(at), *offset)).collect();
    let mut pack = Pack::held(rows, held, end);
    for _ in 0..PASSES {
        let (found, is_done) = named(&pack, room);
        let (mut rows, held) = pack.into_held().ok_or_else(lost)?;
        let mut is_news = false;
        for (position, id) in found {
            is_news |= rows[position as usize].0 != id;
            rows[position as usize].0 = id;
        }
        pack = Pack::held(rows, held, end);
        if is_done || !is_news {
            break;
        }
    }
    Ok((pack, cut))
}

/// The ids of all objects whose bases are known, by position, and whether that is all of them.
fn named(pack: &Pack, room: Room) -> (Vec<(u32, RawId)>, bool) {
    let forest = Forest::of(pack);
    let mut namer = Namer {
        found: Vec::new(),
        kind: Kind::Blob,
        room,
    };
    let turn = Mutex::new(());
    let mut walk = Walk::new(pack, &forest, None, &[], limits(), &turn);
    for (slot, kind) in &forest.roots {
        namer.kind = *kind;
        walk.tree(*slot, None, &mut namer);
    }
    (namer.found, forest.foreign.is_empty())
}

fn limits() -> Limits {
    Limits::new(u64::MAX, MEMORY, 1)
}

/// What an object goes by until its id is known.
fn unnamed(at: usize) -> RawId {
    let mut id = [0xff; 20];
    id[12..].copy_from_slice(&(at as u64).to_be_bytes());
    id
}

/// Where each entry starts, where the last one ends, and why it is the last if it should not be.
fn offsets(pack: &Pack, count: u32, mut room: Room) -> (Vec<u64>, u64, Option<String>) {
    let mut offsets = Vec::new();
    let mut at = 12;
    let mut skipper = Skipper::new();
    for done in 0..count {
        let entry = pack.entry(at);
        let next = entry.and_then(|it| {
            let is_delta_of_nothing = matches!(it.stored, Stored::Offset(base) if base < 12);
            let body = pack.bytes(it.data, pack.end())?;
            let length = skipper
                .length(body, it.size)
                .filter(|_| !is_delta_of_nothing)?;
            Some((it.data + length, it.size))
        });
        let why = match next {
            Some((next, size)) if room.take(size) => {
                offsets.push(at);
                at = next;
                continue;
            }
            Some(_) => BEYOND.to_owned(),
            None => format!("it is damaged or cut off after {done} of {count} objects"),
        };
        return (offsets, at, Some(why));
    }
    (offsets, at, None)
}

/// Finds where compressed bytes end.
struct Skipper {
    inflater: Decompress,
    out: Vec<u8>,
}

impl Skipper {
    fn new() -> Self {
        Self {
            inflater: Decompress::new(true),
            out: vec![0; 64 << 10],
        }
    }

    /// How many bytes hold this many inflated ones; `None` if they do not.
    fn length(&mut self, body: &[u8], size: u64) -> Option<u64> {
        self.inflater.reset(true);
        loop {
            let before = (self.inflater.total_in(), self.inflater.total_out());
            let rest = body.get(usize::try_from(before.0).ok()?..)?;
            let status = self
                .inflater
                .decompress(rest, &mut self.out, FlushDecompress::None)
                .ok()?;
            let after = (self.inflater.total_in(), self.inflater.total_out());
            if status == Status::StreamEnd {
                return (after.1 == size).then_some(after.0);
            }
            if after == before || after.1 > size {
                return None;
            }
        }
    }
}

/// Tells the ids of objects.
struct Namer {
    /// By position.
    found: Vec<(u32, RawId)>,
    kind: Kind,
    room: Room,
}

impl Take for Namer {
    fn object(
        &mut self,
        position: u32,
        bytes: &[u8],
        _base: Option<(&Edit, &Kept)>,
        _future: Future,
    ) -> Option<Kept> {
        if self.room.take(bytes.len() as u64)
            && let Some(id) = id(self.kind, bytes)
        {
            self.found.push((position, id));
        }
        None
    }

    fn failed(&mut self, _position: u32, _failure: Failure) {
        // Met and told by whoever reads it.
    }

    fn goes_on(&self) -> bool {
        self.room.0 > 0
    }
}

fn id(kind: Kind, bytes: &[u8]) -> Option<RawId> {
    let mut hasher = gix_hash::hasher(gix_hash::Kind::Sha1);
    hasher.update(format!("{} {}\0", kind.name(), bytes.len()).as_bytes());
    hasher.update(bytes);
    hasher
        .try_finalize()
        .ok()?
        .as_slice()
        .first_chunk()
        .copied()
}

/// File names as numbers.
#[derive(Default)]
struct Names {
    numbers: HashMap<Box<[u8]>, u32>,
    texts: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(spelling::text(name).into_owned());
        self.numbers.insert(name.into(), number);
        number
    }

    /// Names that may hold something, one a line.
    fn told(&self) -> String {
        let long = self.texts.iter().filter(|it| it.len() >= SHORTEST);
        let names: BTreeSet<String> = long
            .map(|it| {
                String::from_utf8_lossy(&spelling::without_ending(it.as_bytes())).into_owned()
            })
            .collect();
        names.into_iter().collect::<Vec<_>>().join("\n")
    }
}

/// Reads the objects, type by type: folders for their names, then the words, then the files.
struct Reader<'a, 'e> {
    pack: &'a Pack,
    forest: &'a Forest,
    /// By position: a folder that names the object, and the number of the name.
    above: Vec<(u32, u32)>,
    names: Names,
    /// The type that is read.
    kind: Kind,
    room: Room,
    is_over: bool,
    emit: &'a mut Emit<'e>,
}

impl Reader<'_, '_> {
    fn all(&mut self) {
        self.each(Kind::Tree);
        let names = self.names.told();
        if !names.is_empty() {
            self.text("names", names.as_bytes());
        }
        for kind in [Kind::Commit, Kind::Tag, Kind::Blob] {
            self.each(kind);
        }
    }

    fn each(&mut self, kind: Kind) {
        self.kind = kind;
        let turn = Mutex::new(());
        let (pack, forest) = (self.pack, self.forest);
        let mut walk = Walk::new(pack, forest, None, &[], limits(), &turn);
        for (slot, _) in forest.roots.iter().filter(|it| it.1 == kind) {
            if self.goes_on() {
                walk.tree(*slot, None, self);
            }
        }
    }

    fn text(&mut self, name: &str, bytes: &[u8]) {
        self.is_over |= !(self.emit)(Part::Text { name, bytes });
    }

    fn folder(&mut self, position: u32, bytes: &[u8]) {
        for entry in compare::entries(bytes).filter(|it| !it.is_submodule()) {
            let name = self.names.number(entry.name);
            let id = ObjectId::from_bytes(entry.id);
            if let Some(below) = id.and_then(|it| self.pack.position(&it)) {
                let above = &mut self.above[below as usize];
                if above.0 == NONE {
                    *above = (position, name);
                }
            }
        }
    }

    /// What an object is called.
    fn name(&self, position: u32) -> String {
        let id = self
            .pack
            .id(position)
            .map_or_else(String::new, |it| it.to_string());
        match self.kind {
            Kind::Commit => return format!("commits/{id}"),
            Kind::Tag => return format!("tags/{id}"),
            Kind::Tree | Kind::Blob => {}
        }
        let mut parts: Vec<&str> = Vec::new();
        let mut at = position;
        while self.above[at as usize].0 != NONE && parts.len() < DEEPEST {
            let (folder, name) = self.above[at as usize];
            parts.push(&self.names.texts[name as usize]);
            at = folder;
        }
        if parts.is_empty() {
            return format!("objects/{id}");
        }
        parts.reverse();
        parts.join("/")
    }
}

impl Take for Reader<'_, '_> {
    fn object(
        &mut self,
        position: u32,
        bytes: &[u8],
        _base: Option<(&Edit, &Kept)>,
        _future: Future,
    ) -> Option<Kept> {
        if !self.room.take(bytes.len() as u64) {
            self.is_over = true;
            (self.emit)(gap(Reason::LimitHit, BEYOND.to_owned()));
        } else if self.kind == Kind::Tree {
            self.folder(position, bytes);
        } else {
            let name = self.name(position);
            self.text(&name, bytes);
        }
        None
    }

    fn failed(&mut self, position: u32, failure: Failure) {
        let (reason, detail) = match failure {
            Failure::TooLarge(size) => (Reason::TooLarge, format!("{size} bytes")),
            Failure::Corrupt(detail) => (Reason::CorruptObject, detail.to_owned()),
        };
        let name = self.name(position);
        (self.emit)(Part::Gap {
            name: Some(&name),
            reason,
            detail,
        });
    }

    fn goes_on(&self) -> bool {
        !self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        let hex = |it: Option<RawId>| {
            it.and_then(|it| git2::Oid::from_bytes(&it).ok())
                .unwrap()
                .to_string()
        };
        assert_eq!(
            hex(id(Kind::Blob, b"")),
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        );
        assert_eq!(
            hex(id(Kind::Tree, b"")),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
    }

    #[test]
    fn headers_are_read_or_refused_in_words() {
        let parse = |text: &str| {
            Header::parse(text.as_bytes()).map(|it| (it.prerequisites, it.refs, it.filter))
        };
        let id = "1".repeat(40);
        let (needs, refs, filter) =
            parse(&format!("# v3 git bundle\n@object-format=sha1\n@filter=blob:none\n-{id} words\n{id} refs/heads/a b\n\nPACK")).unwrap();
        assert_eq!((needs, refs), (vec![id], vec!["refs/heads/a b".to_owned()]));
        assert_eq!(filter.as_deref(), Some("blob:none"));
        for (text, reason, word) in [
            (
                "# v3 git bundle\n@object-format=sha256\n\n",
                Reason::Unsupported,
                "sha256",
            ),
            (
                "# v3 git bundle\n@later\n\n",
                Reason::Unsupported,
                "`later`",
            ),
            ("# v2 git bundle\nword\n\n", Reason::Damaged, "names no ref"),
            ("# v2 git bundle\n", Reason::Damaged, "cut off"),
        ] {
            let (found, detail) = parse(text).err().unwrap();
            assert_eq!(found, reason, "{text:?}");
            assert!(detail.contains(word), "{detail}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_without_a_panic(count in 0..9_u8, bytes: Vec<u8>) {
            let head = [b"# v2 git bundle\n\nPACK\0\0\0\x02\0\0\0", &[count][..]].concat();
            let whole = [head, bytes].concat();
            let _refused = each(&whole, &mut |_| true);
        }
    }
}
