//! Loose objects: one zlib file each, in folders named by the first byte of the id.
//!
//! Not here: packs, and which copies are duplicates.

use crate::model::blob::ObjectId;
use crate::source::pack::Kind;
use flate2::read::ZlibDecoder;
use libdeflater::{DecompressionError, Decompressor};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What reading a loose object can end in.
#[derive(Debug)]
pub(crate) enum Loose<'a> {
    /// The object.
    Object(&'a [u8]),
    /// Of another type than asked for.
    OtherKind,
    /// Of the type asked for, but larger than allowed.
    TooLarge(u64),
    /// Damaged.
    Corrupt,
    /// Not readable.
    Io(io::Error),
}

/// Every loose object below an objects folder, sorted.
pub(crate) fn ids(objects: &Path) -> io::Result<Vec<ObjectId>> {
    let mut ids = Vec::new();
    for first in 0..=255_u8 {
        let entries = match fs::read_dir(objects.join(format!("{first:02x}"))) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            ids.extend(entry?.file_name().to_str().and_then(|rest| id(first, rest)));
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

fn id(first: u8, rest: &str) -> Option<ObjectId> {
    if rest.len() != 38 || !rest.is_ascii() {
        return None;
    }
    let mut bytes = [first; 20];
    for (at, byte) in bytes.iter_mut().skip(1).enumerate() {
        *byte = u8::from_str_radix(&rest[2 * at..2 * at + 2], 16).ok()?;
    }
    ObjectId::from_bytes(&bytes)
}

/// Where a loose object lies.
pub(crate) fn path(objects: &Path, id: &ObjectId) -> PathBuf {
    let hex = id.to_string();
    objects.join(&hex[..2]).join(&hex[2..])
}

/// Whether an object is what its name says.
pub(crate) fn is_sound(objects: &Path, id: &ObjectId) -> bool {
    let inflated = File::open(path(objects, id)).and_then(|file| {
        let mut reader = ZlibDecoder::new(file);
        let mut hash = gix_hash::hasher(gix_hash::Kind::Sha1);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(hash.try_finalize()),
                count => hash.update(&buffer[..count]),
            }
        }
    });
    matches!(inflated, Ok(Ok(it)) if it.as_bytes() == id.as_bytes())
}

/// Reads loose objects, with its buffers.
pub(crate) struct Reader {
    inflater: Decompressor,
    out: Vec<u8>,
}

/// Longest header: type, blank, twenty digits, NUL.
const HEADER: usize = 32;

impl Reader {
    pub(crate) fn new() -> Self {
        Self {
            inflater: Decompressor::new(),
            out: Vec::new(),
        }
    }

    /// Reads one object if it is of one of these types and at most of a size.
    pub(crate) fn read(
        &mut self,
        objects: &Path,
        id: &ObjectId,
        kinds: &[Kind],
        max_size: u64,
    ) -> Loose<'_> {
        let compressed = match fs::read(path(objects, id)) {
            Ok(bytes) => bytes,
            Err(error) => return Loose::Io(error),
        };
        let guess = (compressed.len().saturating_mul(4)).clamp(4096, 1 << 20);
        self.out.clear();
        self.out.resize(guess, 0);
        let first = self.inflater.zlib_decompress(&compressed, &mut self.out);
        // Where the guess was too small, what fits was written, and the header comes first.
        let Some((found, size, start)) = header(&self.out) else {
            return Loose::Corrupt;
        };
        if !kinds.contains(&found) {
            return Loose::OtherKind;
        }
        let Some(end) = usize::try_from(size)
            .ok()
            .and_then(|it| it.checked_add(start))
        else {
            return Loose::Corrupt;
        };
        let inflated = match first {
            Err(DecompressionError::InsufficientSpace) if size > max_size => {
                return Loose::TooLarge(size);
            }
            Err(DecompressionError::InsufficientSpace) if end / 1032 > compressed.len() => {
                return Loose::Corrupt;
            }
            Err(DecompressionError::InsufficientSpace) => {
                self.out.resize(end, 0);
                self.inflater.zlib_decompress(&compressed, &mut self.out)
            }
            other => other,
        };
        match inflated {
            Ok(length) if length == end && size > max_size => Loose::TooLarge(size),
            Ok(length) if length == end => Loose::Object(&self.out[start..end]),
            _ => Loose::Corrupt,
        }
    }
}

/// Type, size and length of the header `type SP size NUL`.
fn header(bytes: &[u8]) -> Option<(Kind, u64, usize)> {
    let head = &bytes[..bytes.len().min(HEADER)];
    let nul = memchr::memchr(0, head)?;
    let (name, digits) = std::str::from_utf8(&head[..nul]).ok()?.split_once(' ')?;
    Some((
        Kind::from_name(name.as_bytes())?,
        digits.parse().ok()?,
        nul + 1,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_or_refused() {
        for (bytes, found) in [
            (&b"blob 3\0abc"[..], Some((Kind::Blob, 3, 7))),
            (b"tree 0\0", Some((Kind::Tree, 0, 7))),
            (b"blob -3\0abc", None),
            (b"blub 3\0abc", None),
            (b"blob 3", None),
            (b"", None),
            (b"blob 99999999999999999999999999999999\0", None),
        ] {
            assert_eq!(header(bytes), found);
        }
    }

    #[test]
    fn file_names_that_are_no_ids_are_left_alone() {
        assert!(id(0xab, &"0".repeat(38)).is_some());
        assert!(id(0xab, &"g".repeat(38)).is_none());
        assert!(id(0xab, "tmp_obj_x").is_none());
    }

    #[test]
    fn large_objects_are_read_in_a_second_go() {
        let folder = tempfile::tempdir().unwrap();
        let text = vec![b'x'; 300_000];
        let mut raw = b"blob 300000\0".to_vec();
        raw.extend(&text);
        let mut deflater = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
        let mut compressed = vec![0; raw.len() + 100];
        let length = deflater.zlib_compress(&raw, &mut compressed).unwrap();
        let id = ObjectId::from_bytes(&[7; 20]).unwrap();
        fs::create_dir_all(path(folder.path(), &id).parent().unwrap()).unwrap();
        fs::write(path(folder.path(), &id), &compressed[..length]).unwrap();
        assert_eq!(ids(folder.path()).unwrap(), [id]);
        let mut reader = Reader::new();
        let read =
            |reader: &mut Reader, kind, max| match reader.read(folder.path(), &id, &[kind], max) {
                Loose::Object(bytes) => format!("object {}", bytes == text),
                other => format!("{other:?}"),
            };
        assert_eq!(read(&mut reader, Kind::Blob, 300_000), "object true");
        assert_eq!(read(&mut reader, Kind::Blob, 299_999), "TooLarge(300000)");
        assert_eq!(read(&mut reader, Kind::Tree, 300_000), "OtherKind");
        fs::write(path(folder.path(), &id), &compressed[..length / 2]).unwrap();
        assert_eq!(read(&mut reader, Kind::Blob, 300_000), "Corrupt");
    }
}
