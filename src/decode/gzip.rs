//! gzip streams, one or several after another; what follows the last is padding.
//!
//! Format: RFC 1952.

use super::member::{Members, Outcome, name};
use flate2::bufread::GzDecoder;
use std::io::{self, Read};

const MAGIC: &[u8] = &[0x1f, 0x8b, 8];
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;

/// The magic, and deflate as the method.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads the content.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    let name = name(original(bytes).unwrap_or_default());
    let mut streams = Streams(Some(GzDecoder::new(bytes)));
    members.content(&name, &mut streams);
    Ok(())
}

struct Streams<'s>(Option<GzDecoder<&'s [u8]>>);

impl Read for Streams<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(open) = &mut self.0 {
            let read = open.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let rest = self.0.take().map_or(&[][..], GzDecoder::into_inner);
            self.0 = rest.starts_with(MAGIC).then(|| GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// The file name in the header, if there is one.
fn original(bytes: &[u8]) -> Option<&[u8]> {
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & HAS_EXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    }
    let rest = bytes.get(at..).filter(|_| flags & HAS_NAME != 0)?;
    Some(&rest[..memchr::memchr(0, rest)?])
}
