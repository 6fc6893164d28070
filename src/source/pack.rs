//! One pack: its index, its data, and the entries at its offsets.
//!
//! Not here: how entries hang together (that is the forest) and what their bytes say.

use crate::model::blob::ObjectId;
use crate::source::commits::RawId;
use crate::source::spelling;
use gix_hash::Kind::Sha1;
use gix_pack::data::entry::Header;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The four types of git objects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    /// As git writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    /// As written before loose objects.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"commit" => Some(Self::Commit),
            b"tree" => Some(Self::Tree),
            b"blob" => Some(Self::Blob),
            b"tag" => Some(Self::Tag),
            _ => None,
        }
    }
}

/// How an entry is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stored {
    /// Whole.
    Whole(Kind),
    /// As a delta over the entry at this offset of the same pack.
    Offset(u64),
    /// As a delta over the object with this id.
    Id(ObjectId),
}

/// What stands before the compressed bytes of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) stored: Stored,
    /// Size of what the compressed bytes hold: the object, or the delta.
    pub(crate) size: u64,
    /// Where they start.
    pub(crate) data: u64,
}

/// A pack, mapped or held in memory.
pub(crate) struct Pack {
    store: Store,
    fan: OnceLock<Fan>,
    /// File name, for gaps.
    pub(crate) name: String,
    /// Where its index lies; empty if it is no file.
    pub(crate) index: PathBuf,
}

/// Each id with its offset, sorted.
pub(crate) type Rows = Vec<(RawId, u64)>;

enum Store {
    /// Two files, mapped.
    Mapped(Box<(gix_pack::index::File, gix_pack::data::File)>),
    /// Bytes that came without an index, what would stand in one, and where the last entry ends.
    Held(Rows, Vec<u8>, u64),
}

/// Where ids begin in the index by their first bits: finer than the table that the index brings, for
/// questions by the million.
struct Fan {
    bits: u32,
    starts: Vec<u32>,
}

/// Entries of the index behind one place of the fan, about, as a power of two.
const BEHIND: u32 = 2;

impl Fan {
    fn of(pack: &Pack) -> Self {
        let bits = (u32::BITS - pack.len().leading_zeros()).clamp(BEHIND + 1, 22) - BEHIND;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for position in 0..pack.len() {
            let place = pack.prefix(position) >> (u32::BITS - bits);
            while starts.len() <= place as usize {
                starts.push(position);
            }
        }
        starts.resize((1 << bits) + 1, pack.len());
        Self { bits, starts }
    }
}

impl Pack {
    /// Opens a pack by its index; a sentence says why not.
    pub(crate) fn open(index_path: &Path) -> Result<Self, String> {
        let data_path = index_path.with_extension("pack");
        let index = gix_pack::index::File::at(index_path, Sha1).map_err(|it| it.to_string())?;
        let data = gix_pack::data::File::at(&data_path, Sha1).map_err(|it| it.to_string())?;
        let name = data_path
            .file_name()
            .map(|it| spelling::text(it.as_encoded_bytes()).into_owned());
        Ok(Self {
            store: Store::Mapped(Box::new((index, data))),
            fan: OnceLock::new(),
            name: name.unwrap_or_default(),
            index: index_path.to_owned(),
        })
    }

    /// A pack that is no file, up to where its last entry ends.
    pub(crate) fn held(mut rows: Rows, bytes: Vec<u8>, end: u64) -> Self {
        rows.sort_unstable();
        Self {
            store: Store::Held(rows, bytes, end),
            fan: OnceLock::new(),
            name: String::new(),
            index: PathBuf::new(),
        }
    }

    /// The entries and bytes of a pack that is no file.
    pub(crate) fn into_held(self) -> Option<(Rows, Vec<u8>)> {
        match self.store {
            Store::Mapped(_) => None,
            Store::Held(rows, bytes, _) => Some((rows, bytes)),
        }
    }

    /// How many objects the index names.
    pub(crate) fn len(&self) -> u32 {
        match &self.store {
            Store::Mapped(files) => files.0.num_objects(),
            Store::Held(rows, ..) => rows.len() as u32,
        }
    }

    fn raw(&self, position: u32) -> &[u8] {
        match &self.store {
            Store::Mapped(files) => files.0.oid_at_index(position).as_bytes(),
            Store::Held(rows, ..) => &rows[position as usize].0,
        }
    }

    /// The id at a position of the index.
    pub(crate) fn id(&self, position: u32) -> Option<ObjectId> {
        if position >= self.len() {
            return None;
        }
        ObjectId::from_bytes(self.raw(position))
    }

    /// The offset at a position of the index.
    pub(crate) fn offset(&self, position: u32) -> u64 {
        match &self.store {
            Store::Mapped(files) => files.0.pack_offset_at_index(position),
            Store::Held(rows, ..) => rows[position as usize].1,
        }
    }

    /// The position of an id in the index.
    pub(crate) fn position(&self, id: &ObjectId) -> Option<u32> {
        match &self.store {
            Store::Mapped(files) => {
                let id = gix_hash::ObjectId::try_from(id.as_bytes()).ok()?;
                files.0.lookup(id)
            }
            Store::Held(rows, ..) => {
                let at = rows.binary_search_by(|it| it.0.as_slice().cmp(id.as_bytes()));
                Some(at.ok()? as u32)
            }
        }
    }

    fn prefix(&self, position: u32) -> u32 {
        let id = self.raw(position);
        id.first_chunk().map_or(0, |it| u32::from_be_bytes(*it))
    }

    /// Whether the index has this id; faster than `position` where many are asked for.
    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        let fan = self.fan.get_or_init(|| Fan::of(self));
        let Some(prefix) = id.as_bytes().first_chunk::<8>() else {
            return false;
        };
        let place = (u64::from_be_bytes(*prefix) >> (u64::BITS - fan.bits)) as usize;
        let (start, end) = (fan.starts[place], fan.starts[place + 1]);
        (start..end).any(|it| {
            // The first bytes tell nearly always.
            let raw = self.raw(it);
            raw.first_chunk() == Some(prefix) && raw == id.as_bytes()
        })
    }

    /// Where the last entry ends.
    pub(crate) fn end(&self) -> u64 {
        match &self.store {
            Store::Mapped(files) => files.1.pack_end() as u64,
            Store::Held(.., end) => *end,
        }
    }

    /// Reads the header at an offset.
    pub(crate) fn entry(&self, offset: u64) -> Option<Entry> {
        let bytes = self.bytes(offset, self.end())?;
        let entry = gix_pack::data::Entry::from_bytes(bytes, offset, Sha1).ok()?;
        let stored = match entry.header {
            Header::Commit => Stored::Whole(Kind::Commit),
            Header::Tree => Stored::Whole(Kind::Tree),
            Header::Blob => Stored::Whole(Kind::Blob),
            Header::Tag => Stored::Whole(Kind::Tag),
            Header::OfsDelta { base_distance } => Stored::Offset(
                offset
                    .checked_sub(base_distance)
                    .filter(|it| *it < offset)?,
            ),
            Header::RefDelta { base_id } => Stored::Id(ObjectId::from_bytes(base_id.as_slice())?),
        };
        Some(Entry {
            stored,
            size: entry.decompressed_size,
            data: entry.data_offset,
        })
    }

    /// The bytes of a range.
    pub(crate) fn bytes(&self, start: u64, end: u64) -> Option<&[u8]> {
        if start >= end || end > self.end() {
            return None;
        }
        match &self.store {
            Store::Mapped(files) => files.1.entry_slice(start..end),
            Store::Held(_, bytes, _) => {
                bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
            }
        }
    }
}
