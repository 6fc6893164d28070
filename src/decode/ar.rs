//! ar archives: Debian packages and static libraries.
//!
//! Format: ar(5) of FreeBSD, which tells the GNU and BSD ways to write long names.

use super::member::{Fault, Members, Outcome, name};

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// The magic.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads every member.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    let mut at = MAGIC.len();
    let mut long_names: &[u8] = b"";
    while at < bytes.len() {
        let Some(header) = bytes.get(at..at + HEADER).filter(|it| it.ends_with(b"`\n")) else {
            return Err(Fault::damaged("a member's header is broken"));
        };
        let size = number(&header[48..58]).ok_or_else(|| Fault::damaged("a size is no number"))?;
        let start = at + HEADER;
        let end = start.saturating_add(size);
        let mut data = bytes.get(start..end.min(bytes.len())).unwrap_or_default();
        let raw = header[..16].trim_ascii_end();
        at = end.saturating_add(size & 1);
        match raw {
            b"/" | b"/SYM64/" | b"__.SYMDEF" => continue,
            b"//" => {
                long_names = data;
                continue;
            }
            _ => {}
        }
        let mut called = raw.strip_suffix(b"/").unwrap_or(raw);
        if let Some(offset) = raw.strip_prefix(b"/").and_then(number) {
            let rest = long_names.get(offset..).unwrap_or_default();
            let end = rest.iter().position(|it| matches!(it, b'/' | b'\n' | 0));
            called = &rest[..end.unwrap_or(rest.len())];
        } else if let Some(length) = raw.strip_prefix(b"#1/").and_then(number) {
            let (inner, rest) = data.split_at(length.min(data.len()));
            called = inner.split(|it| *it == 0).next().unwrap_or_default();
            data = rest;
        }
        if !members.member(&name(called), &mut &*data) {
            return Ok(());
        }
        if end > bytes.len() {
            return Err(Fault::damaged("the last member is cut off"));
        }
    }
    Ok(())
}

fn number(raw: &[u8]) -> Option<usize> {
    std::str::from_utf8(raw).ok()?.trim().parse().ok()
}
