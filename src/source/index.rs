//! The index file, read for one question: which entries differ from HEAD's tree?
//!
//! Not here: anything about the work tree. git's library answers too, but reads and hashes every entry;
//! a hook in a repository of 100,000 files must not. Folders whose tree the index remembers (`TREE`
//! extension) are passed over whole. What this file does not understand it leaves to the library.

use crate::source::compare;
use std::borrow::Cow;
use std::collections::HashMap;

type RawId = [u8; 20];

/// One entry.
#[derive(Clone, Copy)]
struct Row {
    /// Where it starts in the file.
    at: u32,
    name: u32,
    name_length: u32,
    /// `git add --intent-to-add`: a name without content.
    is_intent: bool,
}

/// A folder whose tree the index remembers, or an outdated memory of one.
struct Folder {
    name: Vec<u8>,
    /// Entries below it and its tree; `None` once something below it changed.
    known: Option<(usize, RawId)>,
    folders: Vec<Folder>,
}

/// A parsed index file.
pub(crate) struct IndexFile<'a> {
    bytes: &'a [u8],
    names: Cow<'a, [u8]>,
    rows: Vec<Row>,
    root: Option<Folder>,
}

/// A path with what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Side {
    pub(crate) path: Vec<u8>,
    pub(crate) id: RawId,
    /// As git writes it.
    pub(crate) mode: u32,
}

/// How the index differs from a tree.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Entries that are new or changed, with what the tree has at their path. Conflicting sides are here
    /// too, so that a path may come several times.
    pub(crate) changed: Vec<(Side, Option<RawId>)>,
    /// What only the tree has.
    pub(crate) gone: Vec<Side>,
}

/// Reads the bytes of a tree object.
pub(crate) type ReadTree<'a> = dyn Fn(&RawId) -> Option<Vec<u8>> + 'a;

const FIXED: usize = 62;
const TRAILER: usize = 20;
const TYPE: u32 = 0o170000;
const TREE: u32 = 0o040000;
/// Deeper nesting than any file system allows is a hostile file.
const DEPTH: usize = 1024;

impl<'a> IndexFile<'a> {
    /// Parses an index file of version 2, 3 or 4; `None` if it is damaged or uses what is not known here.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.len().checked_sub(TRAILER)?;
        if u32::try_from(bytes.len()).is_err() || bytes.get(..4)? != b"DIRC" {
            return None;
        }
        let (version, count) = (number(bytes, 4)?, number(bytes, 8)?);
        let mut file = Self {
            bytes,
            names: Cow::Borrowed(bytes),
            rows: Vec::new(),
            root: None,
        };
        // An entry takes more than 62 bytes, so a false count cannot take much memory.
        file.rows
            .reserve(bytes.len().min(count as usize * FIXED) / FIXED);
        let at = match version {
            2 | 3 => file.plain_rows(count, end)?,
            4 => file.packed_rows(count, end)?,
            _ => return None,
        };
        file.extensions(at, end)?;
        Some(file)
    }

    fn plain_rows(&mut self, count: u32, end: usize) -> Option<usize> {
        let mut at = 12;
        for _ in 0..count {
            let (row, name) = self.row(at)?;
            let length = match usize::from(self.flags(at)? & 0xfff) {
                0xfff => memchr::memchr(0, self.bytes.get(name..end)?)?,
                length => length,
            };
            self.rows.push(Row {
                name: name as u32,
                name_length: length as u32,
                ..row
            });
            // Entries are padded with one to eight NULs to a multiple of eight.
            at += (name - at + length + 8) & !7;
            if at > end {
                return None;
            }
        }
        Some(at)
    }

    /// Version 4 writes of each name only what differs from the name before.
    fn packed_rows(&mut self, count: u32, end: usize) -> Option<usize> {
        let mut names: Vec<u8> = Vec::with_capacity(self.bytes.len());
        let (mut at, mut last) = (12, 0..0);
        for _ in 0..count {
            let (row, start) = self.row(at)?;
            let (strip, start) = varint(self.bytes, start)?;
            let suffix = self.bytes.get(start..end)?;
            let suffix = &suffix[..memchr::memchr(0, suffix)?];
            let keep = last.len().checked_sub(strip)?;
            let name = names.len();
            names.extend_from_within(last.start..last.start + keep);
            names.extend_from_slice(suffix);
            last = name..names.len();
            let length = u32::try_from(last.len()).ok()?;
            self.rows.push(Row {
                name: u32::try_from(name).ok()?,
                name_length: length,
                ..row
            });
            at = start + suffix.len() + 1;
        }
        self.names = Cow::Owned(names);
        Some(at)
    }

    /// What stands before an entry's name, and where the name starts.
    fn row(&self, at: usize) -> Option<(Row, usize)> {
        let flags = self.flags(at)?;
        let extended = flags & 0x4000 != 0;
        let more = if extended {
            self.bytes.get(at + FIXED..at + FIXED + 2)?
        } else {
            &[0, 0]
        };
        let row = Row {
            at: u32::try_from(at).ok()?,
            name: 0,
            name_length: 0,
            is_intent: more[0] & 0x20 != 0,
        };
        Some((row, at + FIXED + if extended { 2 } else { 0 }))
    }

    fn flags(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at + 60..at + FIXED)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn extensions(&mut self, mut at: usize, end: usize) -> Option<()> {
        while at < end {
            let signature = self.bytes.get(at..at + 4)?;
            let size = number(self.bytes, at + 4)? as usize;
            let body = self
                .bytes
                .get(at + 8..at.checked_add(8)?.checked_add(size)?)?;
            match signature {
                b"TREE" => self.root = folder(&mut { body }, 0),
                b"sdir" => {}
                // A small letter marks what a reader must understand.
                other if !other.first()?.is_ascii_uppercase() => return None,
                _ => {}
            }
            at += 8 + size;
        }
        (at == end).then_some(())
    }

    fn name(&self, row: &Row) -> Option<&[u8]> {
        let start = row.name as usize;
        self.names.get(start..start + row.name_length as usize)
    }

    fn side(&self, row: &Row) -> Option<Side> {
        let at = row.at as usize;
        let id = self.bytes.get(at + 40..at + 60)?.first_chunk()?;
        Some(Side {
            path: self.name(row)?.to_vec(),
            id: *id,
            mode: number(self.bytes, at + 24)?,
        })
    }

    /// Compares with a tree; `None` for no tree at all. The answer is `None` if the file is not
    /// consistent, or a tree cannot be read.
    pub(crate) fn differences(
        &self,
        tree: Option<&RawId>,
        read: &ReadTree<'_>,
    ) -> Option<Differences> {
        let mut out = Differences::default();
        let mut comparison = Comparison {
            file: self,
            read,
            out: &mut out,
        };
        comparison.folder(0, 0..self.rows.len(), self.root.as_ref(), tree, 0)?;
        Some(out)
    }
}

struct Comparison<'a> {
    file: &'a IndexFile<'a>,
    read: &'a ReadTree<'a>,
    out: &'a mut Differences,
}

impl Comparison<'_> {
    /// Compares the rows of one folder, whose names share their first `prefix` bytes.
    fn folder(
        &mut self,
        prefix: usize,
        rows: std::ops::Range<usize>,
        known: Option<&Folder>,
        tree: Option<&RawId>,
        depth: usize,
    ) -> Option<()> {
        let same = known
            .and_then(|it| it.known)
            .zip(tree)
            .is_some_and(|(it, tree)| it.1 == *tree);
        if same || depth > DEPTH {
            return same.then_some(());
        }
        let bytes = tree.map_or(Some(Vec::new()), |it| (self.read)(it))?;
        let mut theirs: HashMap<&[u8], (compare::RawEntry<'_>, bool)> = compare::entries(&bytes)
            .map(|it| (it.name, (it, false)))
            .collect();
        let mut at = rows.start;
        while at < rows.end {
            let row = self.file.rows[at];
            let name = self.file.name(&row)?;
            let local = name.get(prefix..)?;
            let Some(slash) = memchr::memchr(b'/', local).filter(|it| it + 1 < local.len()) else {
                self.entry(&row, local, &mut theirs)?;
                at += 1;
                continue;
            };
            let (local, inner) = (&local[..slash], prefix + slash + 1);
            let below = known.and_then(|it| it.folders.iter().find(|it| it.name == local));
            let end = match below.and_then(|it| it.known) {
                Some((count, _)) => at
                    .checked_add(count)
                    .filter(|it| *it <= rows.end && count > 0)?,
                None => at + self.shared(at, rows.end, &name[..inner])?,
            };
            if !self
                .file
                .name(self.file.rows.get(end - 1)?)?
                .starts_with(&name[..inner])
            {
                return None;
            }
            let their = theirs.get_mut(local).filter(|it| it.0.is_tree());
            let tree = their.and_then(|it| {
                it.1 = true;
                it.0.id.first_chunk::<20>()
            });
            self.folder(inner, at..end, below, tree, depth + 1)?;
            at = end;
        }
        let folder = self
            .file
            .rows
            .get(rows.start)
            .and_then(|it| self.file.name(it))
            .unwrap_or_default();
        let folder = folder.get(..prefix)?.to_vec();
        for (entry, seen) in theirs.into_values() {
            if !seen {
                self.gone(&folder, &entry, depth)?;
            }
        }
        Some(())
    }

    /// How many rows from `at` on start with this.
    fn shared(&self, at: usize, end: usize, start: &[u8]) -> Option<usize> {
        let rows = self.file.rows.get(at..end)?;
        Some(rows.partition_point(|it| self.file.name(it).is_some_and(|it| it.starts_with(start))))
    }

    fn entry(
        &mut self,
        row: &Row,
        local: &[u8],
        theirs: &mut HashMap<&[u8], (compare::RawEntry<'_>, bool)>,
    ) -> Option<()> {
        let side = self.file.side(row)?;
        let is_folder = side.mode & TYPE == TREE;
        let local = if is_folder {
            local.strip_suffix(b"/")?
        } else {
            local
        };
        let their = theirs
            .get_mut(local)
            .filter(|it| it.0.is_tree() == is_folder);
        let before = their.and_then(|it| {
            it.1 = true;
            Some((*it.0.id.first_chunk()?, it.0.is_submodule()))
        });
        if is_folder {
            // A folder kept out of a sparse checkout stands for HEAD's own tree; else ask the library.
            return (before.map(|it| it.0) == Some(side.id)).then_some(());
        }
        if !row.is_intent && before.map(|it| it.0) != Some(side.id) {
            self.out
                .changed
                .push((side, before.filter(|it| !it.1).map(|it| it.0)));
        }
        Some(())
    }

    fn gone(&mut self, folder: &[u8], entry: &compare::RawEntry<'_>, depth: usize) -> Option<()> {
        let path = [folder, entry.name].concat();
        let id = *entry.id.first_chunk()?;
        if !entry.is_tree() {
            self.out.gone.push(Side {
                path,
                id,
                mode: entry.mode()?,
            });
            return Some(());
        }
        if depth > DEPTH {
            return None;
        }
        let bytes = (self.read)(&id)?;
        let below = [&path, &b"/"[..]].concat();
        compare::entries(&bytes).try_for_each(|it| self.gone(&below, &it, depth + 1))
    }
}

/// A folder of the `TREE` extension: name NUL count SP folders LF, its id, then its folders.
fn folder(rest: &mut &[u8], depth: usize) -> Option<Folder> {
    let name = until(rest, 0)?.to_vec();
    let count = until(rest, b' ')?;
    let folders = std::str::from_utf8(until(rest, b'\n')?)
        .ok()?
        .parse::<usize>()
        .ok()?;
    let known = match std::str::from_utf8(count).ok()?.parse::<i64>().ok()? {
        count if count < 0 => None,
        count => {
            let (id, after) = rest.split_first_chunk()?;
            *rest = after;
            Some((usize::try_from(count).ok()?, *id))
        }
    };
    if depth > DEPTH || folders > rest.len() {
        return None;
    }
    let folders = (0..folders)
        .map(|_| folder(rest, depth + 1))
        .collect::<Option<_>>()?;
    Some(Folder {
        name,
        known,
        folders,
    })
}

fn until<'a>(rest: &mut &'a [u8], byte: u8) -> Option<&'a [u8]> {
    let end = memchr::memchr(byte, rest)?;
    let found = &rest[..end];
    *rest = &rest[end + 1..];
    Some(found)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|it| u32::from_be_bytes(*it))
}

/// The variable-length number of version 4: as in offset deltas, each continuation adds one.
fn varint(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    at += 1;
    while byte & 0x80 != 0 {
        byte = *bytes.get(at)?;
        value = value.checked_add(1)?.checked_mul(128)? + usize::from(byte & 0x7f);
        at += 1;
    }
    Some((value, at))
}
