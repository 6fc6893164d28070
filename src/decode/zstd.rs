//! Zstandard frames, one or several after another, skippable ones passed over.
//!
//! Format: RFC 8878, section 3.1.

use super::member::{Members, Outcome, u32_at};
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{self, Read};

const MAGIC: u32 = 0xfd2f_b528;
const SKIPPABLE: u32 = 0x184d_2a50;
/// Windows may take this much memory: what `zstd --long` asks for.
const WINDOW: u64 = 128 << 20;

/// A frame, skippable or not.
pub(super) fn is(bytes: &[u8]) -> bool {
    u32_at(bytes, 0).is_some_and(|it| it == MAGIC || it & !0xf == SKIPPABLE && has_frame(bytes))
}

/// Whether what follows the skippable frame is one too, so that four bytes alone decide nothing.
fn has_frame(bytes: &[u8]) -> bool {
    let length = u32_at(bytes, 4).map_or(usize::MAX, |it| it as usize);
    let next = length.checked_add(8).and_then(|it| u32_at(bytes, it));
    next == Some(MAGIC)
}

/// Reads the content.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    let mut frames = Frames {
        rest: bytes,
        open: None,
    };
    members.content("", &mut frames);
    Ok(())
}

struct Frames<'f> {
    rest: &'f [u8],
    open: Option<StreamingDecoder<&'f [u8], FrameDecoder>>,
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(open) = &mut self.open {
                let read = open.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
            }
            if let Some(done) = self.open.take() {
                let (rest, decoder) = done.into_parts();
                let told = decoder.get_checksum_from_data();
                if told.is_some() && told != decoder.get_calculated_checksum() {
                    return Err(io::Error::other("its checksum is wrong"));
                }
                self.rest = rest;
            }
            match u32_at(self.rest, 0) {
                None if self.rest.is_empty() => return Ok(0),
                Some(it) if it & !0xf == SKIPPABLE => {
                    let length = u32_at(self.rest, 4).map_or(usize::MAX, |it| it as usize);
                    let next = length.checked_add(8).and_then(|it| self.rest.get(it..));
                    self.rest = next.ok_or(io::ErrorKind::UnexpectedEof)?;
                }
                _ => {
                    let open = StreamingDecoder::new_with_max_window_size(self.rest, WINDOW);
                    self.open = Some(open.map_err(|it| match it {
                        FrameDecoderError::WindowSizeTooBig { .. } => {
                            io::Error::new(io::ErrorKind::OutOfMemory, it.to_string())
                        }
                        it => io::Error::other(it.to_string()),
                    })?);
                }
            }
        }
    }
}
