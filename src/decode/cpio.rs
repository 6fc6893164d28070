//! cpio archives in their portable forms, read as a stream: packages of rpm, and images of early boot.
//!
//! Formats: cpio(5) of FreeBSD, "New ASCII Format" and "Portable ASCII Format".

use super::member::{Fault, Members, Outcome, name};
use std::io::{self, Read};

const TRAILER: &[u8] = b"TRAILER!!!";
/// Longer names are a sign of damage.
const LONGEST: usize = 1 << 16;

/// A header of numbers, and a sensible length of the name.
pub(super) fn is(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    matches!(header(&mut rest), Ok(Some(it)) if it.name_length > 0 && it.name_length < LONGEST)
}

/// Reads every file.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    stream(&mut &*bytes, members)
}

struct Header {
    is_file: bool,
    name_length: usize,
    size: u64,
    /// Bytes that name and data each are filled up to, counted with the header.
    unit: u64,
    length: u64,
}

/// Reads every file of a stream.
pub(super) fn stream(mut bytes: &mut dyn Read, members: &mut dyn Members) -> Outcome {
    loop {
        let Some(header) = header(&mut bytes)? else {
            return Err(Fault::damaged("the archive has no end"));
        };
        if header.name_length == 0 || header.name_length >= LONGEST {
            return Err(Fault::damaged("a name is too long"));
        }
        let mut raw = vec![0; header.name_length];
        bytes.read_exact(&mut raw)?;
        raw.pop();
        skip(
            bytes,
            fill(header.length + header.name_length as u64, header.unit),
        )?;
        if raw == TRAILER {
            return Ok(());
        }
        let mut data = Read::take(&mut *bytes, header.size);
        let wanted = !header.is_file || members.member(&name(&raw), &mut data);
        if !wanted {
            return Ok(());
        }
        let left = data.limit();
        skip(bytes, left + fill(header.size, header.unit))?;
    }
}

/// The next header; `None` at the end of the bytes.
fn header(bytes: &mut dyn Read) -> io::Result<Option<Header>> {
    let mut magic = [0; 6];
    if bytes.read(&mut magic[..1])? == 0 {
        return Ok(None);
    }
    bytes.read_exact(&mut magic[1..])?;
    let field = |raw: &[u8], radix| {
        let text = std::str::from_utf8(raw).ok();
        let number = text.and_then(|it| u64::from_str_radix(it, radix).ok());
        number.ok_or_else(|| io::Error::other("a header holds no numbers"))
    };
    let (mode, length, size, unit, all) = match &magic {
        b"070701" | b"070702" => {
            let mut raw = [0; 104];
            bytes.read_exact(&mut raw)?;
            let at = |number: usize| field(&raw[number * 8..number * 8 + 8], 16);
            (at(1)?, at(11)?, at(6)?, 4, 110)
        }
        b"070707" => {
            let mut raw = [0; 70];
            bytes.read_exact(&mut raw)?;
            let mode = field(&raw[12..18], 8)?;
            (
                mode,
                field(&raw[53..59], 8)?,
                field(&raw[59..70], 8)?,
                1,
                76,
            )
        }
        _ => return Err(io::Error::other("a header has no magic")),
    };
    Ok(Some(Header {
        is_file: mode & 0o170_000 == 0o100_000,
        name_length: usize::try_from(length).unwrap_or(usize::MAX),
        size,
        unit,
        length: all,
    }))
}

fn fill(length: u64, unit: u64) -> u64 {
    (unit - length % unit) % unit
}

fn skip(bytes: &mut dyn Read, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut Read::take(bytes, count), &mut io::sink())?;
    if skipped < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
