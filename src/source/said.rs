//! What a commit or a tag says, taken apart: ids, people, dates, further headers, the message.
//!
//! Not here: what becomes of it. Formats: git-commit-tree(1), git-mktag(1) and "signature format" of git's
//! documentation.

use crate::model::blob::ObjectId;
use crate::source::commits::RawId;
use git2::Oid;

/// What an object is by its first line.
pub(crate) enum What {
    /// With its tree.
    Commit(RawId),
    /// With what it is a tag of.
    Tag(ObjectId),
}

/// Tells a commit from a tag; `None` for what is neither.
pub(crate) fn what(bytes: &[u8]) -> Option<What> {
    let line = bytes.split(|it| *it == b'\n').next()?;
    match line.strip_prefix(b"tree ") {
        Some(hex) => raw_id(hex).map(What::Commit),
        None => {
            let id = raw_id(line.strip_prefix(b"object ")?)?;
            ObjectId::from_bytes(&id).map(What::Tag)
        }
    }
}

/// The parts of a commit or tag above its message, as texts of the kind `Header` are called.
pub(crate) const AUTHOR: &str = "author";
pub(crate) const COMMITTER: &str = "committer";
pub(crate) const OTHERS: &str = "headers";

/// The text that was handed out of a commit or tag under the name of a part.
pub(crate) fn spoken(bytes: &[u8], part: &str) -> Option<Vec<u8>> {
    match what(bytes) {
        Some(_) if part.is_empty() => Some(said(bytes).message.to_vec()),
        Some(_) => said(bytes).part(part).map(<[u8]>::to_vec),
        None => part.is_empty().then(|| bytes.to_vec()),
    }
}

/// Bytes of an author's name and address that are kept.
const LONGEST: usize = 1000;

/// As much of an author's name and address as is kept.
pub(crate) fn kept(identity: &[u8]) -> Box<[u8]> {
    identity[..identity.len().min(LONGEST)].into()
}

/// What a commit or a tag says.
#[derive(Default)]
pub(crate) struct Said<'a> {
    pub(crate) parents: Vec<RawId>,
    /// Author or tagger, without the date.
    pub(crate) author: &'a [u8],
    pub(crate) seconds: i64,
    /// Date of the committer.
    pub(crate) committed: i64,
    /// Committer, without the date; empty if it is the author.
    pub(crate) committer: &'a [u8],
    /// Headers of other kinds, as they stand.
    pub(crate) others: Vec<u8>,
    pub(crate) message: &'a [u8],
}

/// Headers that are read apart, or whose value is an id or a word of git's own.
const KNOWN: [&[u8]; 7] = [
    b"tree",
    b"parent",
    b"author",
    b"committer",
    b"tagger",
    b"object",
    b"type",
];

/// Takes the bytes of a commit or a tag apart.
pub(crate) fn said(bytes: &[u8]) -> Said<'_> {
    let mut said = Said::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (line, after) = cut(rest, b'\n');
        if line.is_empty() {
            said.message = after;
            break;
        }
        let (key, value) = cut(line, b' ');
        let after = if KNOWN.contains(&key) {
            said.known(key, value);
            after
        } else {
            let (whole, after) = rest.split_at(whole_length(rest));
            if !is_signature(key, value) {
                said.others.extend_from_slice(whole);
            }
            after
        };
        rest = after;
    }
    if said.committer == said.author {
        said.committer = &[];
    }
    said
}

impl<'a> Said<'a> {
    /// A part by its name.
    pub(crate) fn part(&self, name: &str) -> Option<&[u8]> {
        match name {
            AUTHOR => Some(self.author),
            COMMITTER => Some(self.committer),
            OTHERS => Some(&self.others),
            _ => None,
        }
    }

    /// All parts above the message.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &[u8]> {
        [self.author, self.committer, &self.others].into_iter()
    }

    fn known(&mut self, key: &[u8], value: &'a [u8]) {
        match key {
            b"parent" => self.parents.extend(raw_id(value)),
            b"author" | b"tagger" => {
                self.author = identity(value);
                self.seconds = seconds(value).unwrap_or(0);
            }
            b"committer" => {
                self.committer = identity(value);
                self.committed = seconds(value).unwrap_or(0);
            }
            _ => {}
        }
    }
}

/// What stands before and after the first of a byte.
fn cut(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match memchr::memchr(at, bytes) {
        Some(found) => (&bytes[..found], &bytes[found + 1..]),
        None => (bytes, &[]),
    }
}

/// The length of a header with the lines that continue it, which begin with a blank.
fn whole_length(rest: &[u8]) -> usize {
    let mut ends = memchr::memchr_iter(b'\n', rest);
    let last = ends.find(|at| rest.get(at + 1) != Some(&b' '));
    last.map_or(rest.len(), |it| it + 1)
}

/// A signature is random by its nature: nothing in it is meant to be read.
fn is_signature(key: &[u8], value: &[u8]) -> bool {
    key.starts_with(b"gpgsig") && value.starts_with(b"-----BEGIN ")
}

/// Name and address, without the date.
fn identity(value: &[u8]) -> &[u8] {
    memchr::memrchr(b'>', value).map_or(value, |it| &value[..=it])
}

fn raw_id(hex: &[u8]) -> Option<RawId> {
    Oid::from_str(std::str::from_utf8(hex).ok()?)
        .ok()?
        .as_bytes()
        .first_chunk()
        .copied()
}

/// The date follows the last `>`: `Name <mail> 1700000000 +0100`.
fn seconds(identity: &[u8]) -> Option<i64> {
    let end = memchr::memrchr(b'>', identity)?;
    let date = std::str::from_utf8(&identity[end + 1..]).ok()?;
    date.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_taken_apart() {
        let text = format!(
            "tree {}\nparent {}\nparent {}\nauthor A > B <a@b> 1700000001 -0800\ncommitter C <c> 5 +0000\n\
             gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEz\n -----END PGP SIGNATURE-----\n\
             note one\n  two\nencoding latin-1\n\nparent x\n\nmore",
            "1".repeat(40),
            "2".repeat(40),
            "3".repeat(40)
        );
        assert!(matches!(what(text.as_bytes()), Some(What::Commit(it)) if it == [0x11; 20]));
        let said = said(text.as_bytes());
        assert_eq!(said.parents, [[0x22; 20], [0x33; 20]]);
        assert_eq!((said.seconds, said.committed), (1_700_000_001, 5));
        assert_eq!(said.author, b"A > B <a@b>");
        assert_eq!(said.committer, b"C <c>");
        assert_eq!(said.others, b"note one\n  two\nencoding latin-1\n");
        assert_eq!(said.message, b"parent x\n\nmore");
        assert!(what(b"tree short\n").is_none());
        assert!(what(b"").is_none());
    }

    #[test]
    fn a_tag_is_taken_apart() {
        let text = format!(
            "object {}\ntype commit\ntag v1\ntagger A B <a@b> 7 +0000\n\nwords\n",
            "4".repeat(40)
        );
        assert!(
            matches!(what(text.as_bytes()), Some(What::Tag(it)) if it.as_bytes() == [0x44; 20])
        );
        let said = said(text.as_bytes());
        assert_eq!((said.author, said.seconds), (&b"A B <a@b>"[..], 7));
        assert_eq!(said.others, b"tag v1\n");
        assert_eq!(said.message, b"words\n");
    }
}
