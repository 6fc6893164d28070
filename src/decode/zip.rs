//! zip archives, and what is one under another name (jar, war, apk, docx, xlsx, odt, whl, nupkg): the
//! central directory, or the local headers where that is missing. Own code, because a reader that keys
//! members by name hides those that share one.
//!
//! Format: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.

use super::member::{Fault, Members, Outcome, name, u16_at, u32_at, u64_at};
use crate::model::coverage::Reason;
use std::io::{self, Cursor, Read};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LOCATOR: &[u8] = b"PK\x06\x07";
/// The end record may be followed by a comment of this length.
const COMMENT: usize = 0xffff;
const END_SIZE: usize = 22;
const LOCAL_SIZE: usize = 30;
const CENTRAL_SIZE: usize = 46;
/// Dictionaries of lzma members may take this much memory.
const MEMORY_KB: u32 = 64 << 10;

/// One member, by either kind of header.
struct Entry {
    name: String,
    is_encrypted: bool,
    method: usize,
    crc: u32,
    packed: u64,
    size: u64,
    /// Where the local header lies.
    at: u64,
}

/// A local header or an empty archive at the start; or, behind a program, an end record as the last bytes.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL)
        || bytes.starts_with(END)
        || bytes.starts_with(b"PK\x07\x08PK\x03\x04")
        || bytes
            .len()
            .checked_sub(END_SIZE)
            .is_some_and(|at| bytes[at..].starts_with(END) && central(bytes).is_some())
}

/// Reads every member.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    match central(bytes) {
        Some((start, count)) => by_directory(bytes, start, count, members),
        None => {
            by_headers(bytes, members);
            Err(Fault::damaged("the archive has no directory at its end"))
        }
    }
}

/// Where the directory begins, how far the archive is from the start of the file, and how many members
/// there should be.
fn central(bytes: &[u8]) -> Option<((usize, usize), u64)> {
    let from = bytes.len().saturating_sub(END_SIZE + COMMENT);
    let end = from + memchr::memmem::rfind(&bytes[from..], END)?;
    let (mut count, mut size, mut offset) = (
        u16_at(bytes, end + 10)? as u64,
        u64::from(u32_at(bytes, end + 12)?),
        u64::from(u32_at(bytes, end + 16)?),
    );
    let mut directory_end = end;
    let locator = end.checked_sub(20);
    if let Some(locator) = locator.filter(|at| bytes[*at..].starts_with(END_64_LOCATOR)) {
        // Behind a program the told offset is off; the record then lies right before its locator.
        let told = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
        let told =
            Some(told).filter(|at| bytes.get(*at..).is_some_and(|it| it.starts_with(END_64)));
        let at = told.or_else(|| locator.checked_sub(56))?;
        if bytes.get(at..)?.starts_with(END_64) {
            count = u64_at(bytes, at + 32)?;
            size = u64_at(bytes, at + 40)?;
            offset = u64_at(bytes, at + 48)?;
            directory_end = at;
        }
    }
    let start = directory_end.checked_sub(usize::try_from(size).ok()?)?;
    let shift = start.checked_sub(usize::try_from(offset).ok()?)?;
    let is_there = count == 0 || bytes[start..].starts_with(CENTRAL);
    is_there.then_some(((start, shift), count))
}

fn by_directory(
    bytes: &[u8],
    (mut at, shift): (usize, usize),
    count: u64,
    members: &mut dyn Members,
) -> Outcome {
    let mut seen = 0;
    // The count is 16 bits wide in old archives with more members than that.
    while bytes.get(at..).is_some_and(|it| it.starts_with(CENTRAL)) {
        let Some((entry, next)) = central_entry(bytes, at) else {
            return Err(Fault::damaged("the directory is cut off"));
        };
        seen += 1;
        at = next;
        let start = usize::try_from(entry.at)
            .ok()
            .and_then(|it| it.checked_add(shift))
            .and_then(|it| after_local(bytes, it));
        let Some(start) = start else {
            let detail = "the directory names a member that is not there".to_owned();
            members.gap(Some(&entry.name), Reason::Damaged, detail);
            continue;
        };
        if !one(bytes, start, &entry, members) {
            return Ok(());
        }
    }
    if seen & 0xffff == count & 0xffff {
        Ok(())
    } else {
        Err(Fault::damaged(format!(
            "the directory holds {seen} of {count} members"
        )))
    }
}

fn central_entry(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    let name_length = u16_at(bytes, at + 28)?;
    let extra_length = u16_at(bytes, at + 30)?;
    let extra_at = at + CENTRAL_SIZE + name_length;
    let next = extra_at + extra_length + u16_at(bytes, at + 32)?;
    let mut entry = Entry {
        name: name(bytes.get(at + CENTRAL_SIZE..extra_at)?),
        is_encrypted: u16_at(bytes, at + 8)? & 1 == 1,
        method: u16_at(bytes, at + 10)?,
        crc: u32_at(bytes, at + 16)?,
        packed: u64::from(u32_at(bytes, at + 20)?),
        size: u64::from(u32_at(bytes, at + 24)?),
        at: u64::from(u32_at(bytes, at + 42)?),
    };
    wide(&mut entry, bytes.get(extra_at..extra_at + extra_length)?);
    bytes.get(..next)?;
    Some((entry, next))
}

/// Sizes of archives beyond 4 GiB stand in the extra field, each only if its plain field is all ones.
fn wide(entry: &mut Entry, mut extra: &[u8]) {
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let Some(field) = extra.get(4..4 + length) else {
            return;
        };
        if id == 1 {
            let mut at = 0;
            for value in [&mut entry.size, &mut entry.packed, &mut entry.at] {
                if *value == u64::from(u32::MAX)
                    && let Some(it) = u64_at(field, at)
                {
                    *value = it;
                    at += 8;
                }
            }
        }
        extra = &extra[4 + length..];
    }
}

/// Where a member's data begins.
fn after_local(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.starts_with(LOCAL).then_some(())?;
    Some(at + LOCAL_SIZE + u16_at(bytes, at + 26)? + u16_at(bytes, at + 28)?)
}

/// What local headers alone tell: a truncated download, or an archive that was never finished.
fn by_headers(bytes: &[u8], members: &mut dyn Members) {
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&bytes[at..], LOCAL) {
        let header = at + found;
        at = header + LOCAL.len();
        let Some((entry, start)) = local_entry(bytes, header) else {
            continue;
        };
        if !one(bytes, start, &entry, members) {
            return;
        }
        let packed = usize::try_from(entry.packed).unwrap_or(usize::MAX);
        at = start.saturating_add(packed).clamp(at, bytes.len());
    }
}

fn local_entry(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    let flags = u16_at(bytes, at + 6)?;
    let start = after_local(bytes, at)?;
    let raw = bytes.get(at + LOCAL_SIZE..at + LOCAL_SIZE + u16_at(bytes, at + 26)?)?;
    // With the sizes behind the data, what follows is the limit.
    let is_open = flags & 8 != 0;
    let entry = Entry {
        name: name(raw),
        is_encrypted: flags & 1 == 1,
        method: u16_at(bytes, at + 8)?,
        crc: u32_at(bytes, at + 14)?,
        packed: u64::from(u32_at(bytes, at + 18)?),
        size: if is_open {
            u64::MAX
        } else {
            u64::from(u32_at(bytes, at + 22)?)
        },
        at: 0,
    };
    Some((entry, start))
}

/// Reads one member; whether more are wanted.
fn one(bytes: &[u8], start: usize, entry: &Entry, members: &mut dyn Members) -> bool {
    if entry.name.ends_with('/') && entry.size == 0 {
        return true;
    }
    let gap = |members: &mut dyn Members, reason, detail: &str| {
        members.gap(Some(&entry.name), reason, detail.to_owned());
        true
    };
    if entry.is_encrypted {
        return gap(members, Reason::Encrypted, "a password is needed");
    }
    let is_open = entry.size == u64::MAX;
    let rest = bytes.get(start..).unwrap_or_default();
    let packed = match usize::try_from(entry.packed) {
        Ok(packed) if packed <= rest.len() && !is_open => &rest[..packed],
        _ => rest,
    };
    let inner: Box<dyn Read + '_> = match entry.method {
        0 if is_open => {
            Box::new(&packed[..memchr::memmem::find(packed, b"PK").unwrap_or(packed.len())])
        }
        0 => Box::new(packed),
        8 => match at_once(packed, entry.size) {
            Some(bytes) => Box::new(Cursor::new(bytes)),
            None => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
        },
        12 => Box::new(bzip2::bufread::BzDecoder::new(packed)),
        14 => match lzma(packed, entry.size) {
            Ok(reader) => Box::new(reader),
            Err(error) => return gap(members, Reason::Damaged, &error.to_string()),
        },
        93 => match ruzstd::decoding::StreamingDecoder::new(packed) {
            Ok(reader) => Box::new(reader),
            Err(error) => return gap(members, Reason::Damaged, &error.to_string()),
        },
        95 => Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, MEMORY_KB)),
        other => {
            let detail = format!("compression method {other} is not read");
            return gap(members, Reason::Unsupported, &detail);
        }
    };
    let mut checked = Checked {
        inner,
        crc: libdeflater::Crc::new(),
        length: 0,
        expected: (!is_open).then_some((entry.crc, entry.size)),
    };
    members.member(&entry.name, &mut checked)
}

/// Members up to this many bytes are inflated at once.
const AT_ONCE: u64 = 4 << 20;
/// Deflate makes no more of a byte (RFC 1951: 258 bytes out of two bits).
const MOST_OF_A_BYTE: u64 = 1032;

/// A small member whose length is what its header says, in half the time that a stream takes. What is damaged
/// is left to the stream, which reads as far as it goes.
fn at_once(packed: &[u8], size: u64) -> Option<Vec<u8>> {
    if size > AT_ONCE || size > packed.len() as u64 * MOST_OF_A_BYTE {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(size).ok()?];
    let read = libdeflater::Decompressor::new().deflate_decompress(packed, &mut bytes);
    read.is_ok_and(|it| it == bytes.len()).then_some(bytes)
}

/// A two-byte version, the length of the properties, the properties, then the stream (section 5.8.8).
fn lzma(packed: &[u8], size: u64) -> io::Result<lzma_rust2::LzmaReader<&[u8]>> {
    let properties = packed.get(4..9).ok_or(io::ErrorKind::UnexpectedEof)?;
    let dictionary = u32_at(properties, 1).ok_or(io::ErrorKind::UnexpectedEof)?;
    if dictionary / 1024 > MEMORY_KB {
        return Err(io::Error::other("the dictionary is beyond the limit"));
    }
    lzma_rust2::LzmaReader::new_with_props(&packed[9..], size, properties[0], dictionary, None)
}

/// Says at the end whether length and checksum are those of the header.
struct Checked<'c> {
    inner: Box<dyn Read + 'c>,
    crc: libdeflater::Crc,
    length: u64,
    expected: Option<(u32, u64)>,
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.crc.update(&buffer[..read]);
        self.length += read as u64;
        match self.expected {
            Some((crc, size)) if read == 0 && !buffer.is_empty() => {
                if self.length != size {
                    return Err(io::Error::other("it is not as long as its header says"));
                }
                if self.crc.sum() != crc {
                    return Err(io::Error::other("its checksum is wrong"));
                }
                Ok(0)
            }
            _ => Ok(read),
        }
    }
}
