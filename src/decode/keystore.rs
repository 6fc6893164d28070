//! Keystores that a password seals (Java's JKS and JCEKS, PKCS#12): what can be told without it.
//!
//! Formats: `JavaKeyStore.java` of OpenJDK documents JKS in its comments; RFC 7292, section 4.

use super::member::{Fault, Members, Outcome, name};
use crate::model::coverage::Reason;

const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
const JCEKS: &[u8] = &[0xce, 0xce, 0xce, 0xce];
/// More names would tell nothing more.
const NAMES: usize = 20;

/// Either magic of Java with a known version; or the sequence and version that open a PFX.
pub(super) fn is(bytes: &[u8]) -> bool {
    let is_java = bytes.starts_with(JKS) || bytes.starts_with(JCEKS);
    is_java && matches!(bytes.get(4..8), Some([0, 0, 0, 1 | 2])) || is_pfx(bytes)
}

/// SEQUENCE { INTEGER 3, SEQUENCE { OBJECT IDENTIFIER pkcs-7 ... } }, with lengths of any form.
fn is_pfx(bytes: &[u8]) -> bool {
    let Some((0x30, inner)) = element(bytes) else {
        return false;
    };
    let is_content = |it: &[u8]| matches!(element(it), Some((0x30, it)) if it.starts_with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"));
    inner.strip_prefix(&[2, 1, 3]).is_some_and(is_content)
}

/// The tag of a DER element and what its content begins with.
fn element(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, length) = (*bytes.first()?, *bytes.get(1)?);
    let extra = if length & 0x80 == 0 {
        0
    } else {
        usize::from(length & 0x7f)
    };
    (extra <= 4).then_some((tag, bytes.get(2 + extra..)?))
}

/// Names what lies within, and says that it stays shut.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    if is_pfx(bytes) {
        let detail = "a PKCS#12 keystore, sealed by a password".to_owned();
        members.gap(None, Reason::Sealed, detail);
        return Ok(());
    }
    let (names, is_whole) = entries(bytes);
    let shown: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    let more = if names.len() > NAMES { " and more" } else { "" };
    let detail = format!(
        "a Java keystore, its keys sealed by a password; entries: {}{more}",
        shown.join(", ")
    );
    members.gap(None, Reason::Sealed, detail);
    match is_whole || bytes.starts_with(JCEKS) {
        true => Ok(()),
        false => Err(Fault::damaged("the keystore is cut off")),
    }
}

/// The aliases with their kinds, and whether all could be read (sealed objects of JCEKS have no length).
fn entries(bytes: &[u8]) -> (Vec<String>, bool) {
    let mut reader = Reader { bytes, at: 8 };
    let mut names = Vec::new();
    let is_whole = (|| {
        let has_types = bytes[7] == 2;
        for _ in 0..reader.number()? {
            let kind = reader.number()?;
            let alias = name(reader.short()?);
            reader.skip(8)?;
            match kind {
                1 => {
                    names.push(format!("{alias} (private key)"));
                    reader.long()?;
                    for _ in 0..reader.number()? {
                        reader.certificate(has_types)?;
                    }
                }
                2 => {
                    names.push(format!("{alias} (certificate)"));
                    reader.certificate(has_types)?;
                }
                _ => {
                    names.push(format!("{alias} (secret key)"));
                    return None;
                }
            }
        }
        Some(())
    })();
    (names, is_whole.is_some())
}

struct Reader<'r> {
    bytes: &'r [u8],
    at: usize,
}

impl<'r> Reader<'r> {
    fn skip(&mut self, count: usize) -> Option<&'r [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.skip(4)?.first_chunk()?))
    }

    fn short(&mut self) -> Option<&'r [u8]> {
        let length = u16::from_be_bytes(*self.skip(2)?.first_chunk()?);
        self.skip(usize::from(length))
    }

    fn long(&mut self) -> Option<&'r [u8]> {
        let length = self.number()?;
        self.skip(length as usize)
    }

    fn certificate(&mut self, has_type: bool) -> Option<()> {
        if has_type {
            self.short()?;
        }
        self.long().map(drop)
    }
}
