//! rpm packages: past the lead and the two headers lies a compressed cpio archive.
//!
//! Format: "RPM V4 Package format" of the rpm documentation (rpm.org).

use super::member::{Fault, Members, Outcome};

const LEAD: usize = 96;
const HEADER: &[u8] = &[0x8e, 0xad, 0xe8, 1];

/// The magic of the lead.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xed, 0xab, 0xee, 0xdb])
}

/// Where the payload begins.
fn payload(bytes: &[u8]) -> Option<usize> {
    let signature = after(bytes, LEAD)?;
    after(bytes, signature.next_multiple_of(8))
}

fn after(bytes: &[u8], at: usize) -> Option<usize> {
    let header = bytes.get(at..)?;
    let number = |at: usize| Some(u32::from_be_bytes(*header.get(at..)?.first_chunk()?) as usize);
    let (entries, size) = (number(8)?, number(12)?);
    header.starts_with(HEADER).then_some(())?;
    at.checked_add(16)?
        .checked_add(entries.checked_mul(16)?)?
        .checked_add(size)
}

/// Reads the payload.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    let payload = payload(bytes).and_then(|it| bytes.get(it..));
    match payload.filter(|it| !it.is_empty()) {
        Some(payload) if members.layer(payload) => Ok(()),
        Some(_) => Err(Fault::unsupported(
            "its payload is compressed in a way that is not read",
        )),
        None => Err(Fault::damaged("its headers are cut off")),
    }
}
