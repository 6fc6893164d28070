//! tar archives, read as a stream: plain, or what a compressed stream turns out to hold.
//!
//! Format: POSIX.1-2017, pax interchange format; GNU tar manual, "Basic Tar Format".

use super::member::{Members, Outcome, name};
use std::io::Read;

const BLOCK: usize = 512;
/// The checksum field of a header.
const SUM: std::ops::Range<usize> = 148..156;

/// The magic of ustar and GNU tar; or, for older ones, a first block whose checksum is right.
pub(super) fn is(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..BLOCK) else {
        return false;
    };
    header[257..].starts_with(b"ustar") || header[0] != 0 && has_sum(header)
}

fn has_sum(header: &[u8]) -> bool {
    // Most texts are ruled out by the first byte of the field.
    let digits = header[SUM].iter().filter(|it| !matches!(it, 0 | b' '));
    let told = digits.copied().try_fold(0u32, |sum, it| {
        matches!(it, b'0'..=b'7').then(|| sum * 8 + u32::from(it - b'0'))
    });
    let blank = |(at, it): (usize, &u8)| u32::from(if SUM.contains(&at) { b' ' } else { *it });
    told == Some(header.iter().enumerate().map(blank).sum())
}

/// Reads every file.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    stream(&mut &*bytes, members)
}

/// Reads every file of a stream.
pub(super) fn stream(bytes: &mut dyn Read, members: &mut dyn Members) -> Outcome {
    let mut archive = tar::Archive::new(bytes);
    // Archives that were appended to one another are read to the end.
    archive.set_ignore_zeros(true);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            continue;
        }
        let name = name(&entry.path_bytes());
        let size = entry.size();
        let mut counted = Counted {
            inner: &mut entry,
            left: size,
        };
        if !members.member(&name, &mut counted) {
            return Ok(());
        }
    }
    Ok(())
}

/// A member that ends before its header says is cut off; the library passes that over.
struct Counted<'c> {
    inner: &'c mut dyn Read,
    left: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}
