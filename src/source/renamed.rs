//! What a file was called before a commit that brought it under a new name.
//!
//! Not here: lines. Told as `git blame` tells it (gitdiffcore: "detecting renames"): of the files that the commit
//! took away, one with the same bytes, else one of the same name that is alike by three quarters, else the one
//! most alike, by half at least. Nothing is followed to files that stayed: that would be a copy.

use crate::model::blob::ObjectId;
use crate::model::coverage::Reason;
use crate::source::compare;
use crate::source::nest::Name;
use crate::source::pack::Kind;
use crate::source::reader::Reader;
use std::collections::HashMap;
use std::rc::Rc;

/// A file that a commit took away.
pub(crate) struct Gone {
    pub(crate) path: Vec<Name>,
    pub(crate) blob: ObjectId,
    /// A link is like nothing but itself.
    is_regular: bool,
    spectrum: Option<Rc<Spectrum>>,
}

/// A file that came.
pub(crate) struct Come<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) blob: ObjectId,
    pub(crate) is_regular: bool,
}

/// Files that went with one commit and whose contents are looked at; of more, only the same bytes and the same name
/// are looked for.
const MOST: usize = 1000;

/// What a file must share with another to be it, in hundredths of the larger.
const ALIKE: u64 = 50;
/// The same, where it has the same name as one alone.
const ALIKE_BY_NAME: u64 = 75;

/// The files of `before` of whose paths `after` has none.
pub(crate) fn gone(
    reader: &mut Reader<'_>,
    before: ObjectId,
    after: Option<ObjectId>,
) -> Result<Vec<Gone>, Reason> {
    let mut found = Vec::new();
    add_gone(reader, (before, after), &mut Vec::new(), &mut found)?;
    Ok(found)
}

/// Deeper folders are nobody's.
const DEEPEST: usize = 512;

fn add_gone(
    reader: &mut Reader<'_>,
    (before, after): (ObjectId, Option<ObjectId>),
    folder: &mut Vec<Name>,
    found: &mut Vec<Gone>,
) -> Result<(), Reason> {
    if after == Some(before) || folder.len() > DEEPEST {
        return Ok(());
    }
    let after = after.map(|it| reader.read(&it, Kind::Tree)).transpose()?;
    let after = after.as_ref().map_or(&[][..], |it| &it.bytes);
    // Whether a folder has the name, and which.
    let kept: HashMap<&[u8], (bool, &[u8])> = compare::entries(after)
        .map(|it| (it.name, (it.is_tree(), it.id)))
        .collect();
    let before = reader.read(&before, Kind::Tree)?;
    for it in compare::entries(&before.bytes) {
        let same = kept.get(it.name);
        if same.is_some_and(|(is_tree, id)| (*is_tree, *id) == (it.is_tree(), it.id)) {
            continue;
        }
        let Some(id) = ObjectId::from_bytes(it.id) else {
            continue;
        };
        folder.push(it.name.into());
        if it.is_tree() {
            let same = same.filter(|same| same.0);
            let same = same.and_then(|same| ObjectId::from_bytes(same.1));
            add_gone(reader, (id, same), folder, found)?;
        } else if same.is_none_or(|same| same.0) && !it.is_submodule() {
            found.push(Gone {
                path: folder.clone(),
                blob: id,
                is_regular: is_regular(it.mode()),
                spectrum: None,
            });
        }
        folder.pop();
    }
    Ok(())
}

/// Whether a mode is that of a plain file.
pub(crate) fn is_regular(mode: Option<u32>) -> bool {
    mode.is_some_and(|it| it & 0o170_000 == 0o100_000)
}

/// Which of the files that went a file that came was.
pub(crate) fn source<'a>(
    reader: &mut Reader<'_>,
    gone: &'a mut [Gone],
    come: &Come<'_>,
) -> Option<&'a Gone> {
    let at = same(gone, come).or_else(|| alike(reader, gone, come))?;
    Some(&gone[at])
}

/// One with the same bytes, best one of the same name.
fn same(gone: &[Gone], come: &Come<'_>) -> Option<usize> {
    let is_same = |it: &Gone| it.blob == come.blob && it.is_regular == come.is_regular;
    let same = || (0..gone.len()).filter(|at| is_same(&gone[*at]));
    same()
        .find(|at| has_name(&gone[*at], come.name))
        .or_else(|| same().next())
}

fn has_name(it: &Gone, name: &[u8]) -> bool {
    it.path.last().is_some_and(|it| **it == *name)
}

fn alike(reader: &mut Reader<'_>, gone: &mut [Gone], come: &Come<'_>) -> Option<usize> {
    if !come.is_regular {
        return None;
    }
    let own = Spectrum::of(&reader.read(&come.blob, Kind::Blob).ok()?.bytes);
    let mut likeness = |it: &mut Gone, least| {
        if !it.is_regular {
            return 0;
        }
        let spectrum = match &it.spectrum {
            Some(known) => Rc::clone(known),
            None => {
                // One that cannot be read is like nothing.
                let Ok(blob) = reader.read(&it.blob, Kind::Blob) else {
                    return 0;
                };
                let spectrum = Rc::new(Spectrum::of(&blob.bytes));
                it.spectrum = Some(Rc::clone(&spectrum));
                spectrum
            }
        };
        own.likeness(&spectrum, least)
    };
    let mut named = (0..gone.len()).filter(|at| has_name(&gone[*at], come.name));
    if let (Some(at), None) = (named.next(), named.next())
        && likeness(&mut gone[at], ALIKE_BY_NAME) > 0
    {
        return Some(at);
    }
    if gone.len() > MOST {
        return None;
    }
    let mut best: Option<((u64, bool), usize)> = None;
    for (at, it) in gone.iter_mut().enumerate() {
        let found = (likeness(it, ALIKE), has_name(it, come.name));
        if found.0 > 0 && best.is_none_or(|it| found > it.0) {
            best = Some((found, at));
        }
    }
    best.map(|it| it.1)
}

/// How many bytes a text has in pieces of each kind: pieces are lines, and of long lines 64 bytes.
struct Spectrum {
    size: u64,
    /// By a hash of the piece, sorted.
    pieces: Vec<(u64, u64)>,
}

const PIECE: usize = 64;
/// Bytes that are looked at to tell a text from what is none.
const LOOKED_AT: usize = 8000;
/// Likeness is told in this many parts.
const WHOLE: u64 = 60_000;

impl Spectrum {
    fn of(text: &[u8]) -> Self {
        let is_text = memchr::memchr(0, &text[..text.len().min(LOOKED_AT)]).is_none();
        let mut pieces = Vec::new();
        let (mut hash, mut length) = (0_u64, 0_usize);
        let mut bytes = text.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            // To a text it is the same with other line ends.
            if is_text && byte == b'\r' && bytes.peek() == Some(&b'\n') {
                continue;
            }
            hash = (hash.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x517C_C1B7_2722_0A95);
            length += 1;
            if length == PIECE || byte == b'\n' {
                pieces.push((hash, length as u64));
                (hash, length) = (0, 0);
            }
        }
        if length > 0 {
            pieces.push((hash, length as u64));
        }
        pieces.sort_unstable();
        pieces.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 += later.1;
            }
            is_same
        });
        Self {
            size: text.len() as u64,
            pieces,
        }
    }

    /// The part that both share of the larger; 0 if it is less than `least` hundredths.
    fn likeness(&self, other: &Self, least: u64) -> u64 {
        let (most, fewest) = (self.size.max(other.size), self.size.min(other.size));
        if most == 0 || fewest * 100 < most * least {
            return 0;
        }
        let mut shared = 0;
        let mut others = other.pieces.iter().peekable();
        for (hash, bytes) in &self.pieces {
            while others.next_if(|it| it.0 < *hash).is_some() {}
            if let Some((_, other)) = others.next_if(|it| it.0 == *hash) {
                shared += bytes.min(other);
            }
        }
        let likeness = shared * WHOLE / most;
        if likeness * 100 < least * WHOLE {
            return 0;
        }
        likeness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(one: &str, other: &str, least: u64) -> u64 {
        let [one, other] = [one, other].map(|it| Spectrum::of(it.as_bytes()));
        assert_eq!(one.likeness(&other, least), other.likeness(&one, least));
        one.likeness(&other, least)
    }

    #[test]
    fn likeness_is_what_both_share_of_the_larger() {
        let text = "one\ntwo\nthree\nfour\n";
        for (other, expected) in [
            (text, 1000),
            ("four\nthree\ntwo\none\n", 1000),
            ("one\r\ntwo\r\nthree\r\nfour\r\n", 826),
            ("one\ntwo\n\n\n\n\n\n\n\n\n\n\n\n", 421),
            ("", 0),
            ("none\nof\nthem\nin it\n", 0),
        ] {
            let found = likeness(text, other, 1) * 1000 / WHOLE;
            assert_eq!(found, expected, "{other:?}");
        }
        assert_eq!(likeness(text, "one\ntwo\nand a lot else\n", 50), 0);
        assert_eq!(likeness("", "", 50), 0);
    }
}
