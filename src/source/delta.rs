//! The delta format of git packs: copy this range of the base, insert these bytes.
//!
//! Not here: where base and delta come from. Every number in a delta is a claim to be checked.

use crate::model::delta::Edit;

/// The sizes a delta declares, and where its instructions start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sizes {
    /// Bytes its base must have.
    pub(crate) base: u64,
    /// Bytes the result has.
    pub(crate) result: u64,
    /// Offset of the first instruction.
    pub(crate) instructions: usize,
}

/// Reads the two sizes at the start of a delta.
pub(crate) fn sizes(delta: &[u8]) -> Option<Sizes> {
    let (base, at) = size(delta, 0)?;
    let (result, instructions) = size(delta, at)?;
    Some(Sizes {
        base,
        result,
        instructions,
    })
}

fn size(delta: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let byte = *delta.get(at)?;
        at += 1;
        let part = u64::from(byte & 0x7f);
        if shift > 63 || (part << shift) >> shift != part {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
        shift += 7;
    }
}

/// Puts the result of `delta` over `base` into `out`, and what it did into `edit`; `None` if the delta is
/// malformed. The caller has judged `sizes` already, so that memory for the result may be taken.
pub(crate) fn apply(
    base: &[u8],
    delta: &[u8],
    sizes: Sizes,
    out: &mut Vec<u8>,
    edit: &mut Edit,
) -> Option<()> {
    let result = usize::try_from(sizes.result).ok()?;
    if u64::try_from(base.len()) != Ok(sizes.base) {
        return None;
    }
    out.clear();
    out.reserve(result);
    edit.reset(base.len());
    let mut rest = delta.get(sizes.instructions..)?;
    while let Some((&code, tail)) = rest.split_first() {
        let part = if code & 0x80 != 0 {
            let (offset, length, after) = copy(code, tail)?;
            rest = after;
            edit.copy(offset, length);
            base.get(offset..offset.checked_add(length)?)?
        } else if code != 0 {
            let (part, after) = tail.split_at_checked(usize::from(code))?;
            rest = after;
            edit.insert(part.len());
            part
        } else {
            return None;
        };
        if part.len() > result - out.len() {
            return None;
        }
        out.extend_from_slice(part);
    }
    edit.finish();
    (out.len() == result).then_some(())
}

/// Offset and length of a copy instruction, and what follows it.
#[inline]
fn copy(code: u8, mut rest: &[u8]) -> Option<(usize, usize, &[u8])> {
    let (mut offset, mut length) = (0_usize, 0_usize);
    for bit in 0..4 {
        if code & (1 << bit) != 0 {
            let (&byte, tail) = rest.split_first()?;
            offset |= usize::from(byte) << (8 * bit);
            rest = tail;
        }
    }
    for bit in 0..3 {
        if code & (0x10 << bit) != 0 {
            let (&byte, tail) = rest.split_first()?;
            length |= usize::from(byte) << (8 * bit);
            rest = tail;
        }
    }
    Some((offset, if length == 0 { 0x10000 } else { length }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
        let mut out = b"stale".to_vec();
        apply(base, delta, sizes(delta)?, &mut out, &mut Edit::default()).map(|()| out)
    }

    #[test]
    fn copies_and_inserts() {
        let base = b"0123456789";
        for (delta, result) in [
            (&b"\x0a\x00"[..], Some(&b""[..])),
            (b"\x0a\x04\x90\x04", Some(b"0123")),
            (b"\x0a\x05\x91\x02\x03\x02xy", Some(b"234xy")),
            (b"\x0a\x04\x91\x08\x04", None),
            (b"\x0b\x04\x90\x04", None),
            (b"\x0a\x03\x90\x04", None),
            (b"\x0a\x05\x90\x04", None),
            (b"\x0a\x04\x00\x90\x04", None),
            (b"\x0a\x04\x05xy", None),
            (b"\x0a\x04\x91", None),
            (b"\x0a", None),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",
                None,
            ),
        ] {
            assert_eq!(applied(base, delta).as_deref(), result, "{delta:02x?}");
        }
    }

    #[test]
    fn a_copy_of_length_zero_means_64_kib() {
        let base: Vec<u8> = (0..0x1_0005_u32).map(|it| it as u8).collect();
        let delta = [0x85, 0x80, 0x04, 0x80, 0x80, 0x04, 0x81, 0x05];
        assert_eq!(applied(&base, &delta).unwrap(), base[5..]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_refused_or_applied_without_a_panic(base: Vec<u8>, mut delta: Vec<u8>) {
            if let Some(found) = sizes(&delta).filter(|it| it.result < 1 << 20) {
                apply(&base, &delta, found, &mut Vec::new(), &mut Edit::default());
                delta.truncate(delta.len() / 2);
                sizes(&delta);
            }
        }
    }
}
