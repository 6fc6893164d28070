//! Small texts looked at many at a time: a history has a hundred thousand messages and names, and hardly
//! one of them holds anything. What a batch shows something in is then looked at alone, so that what is
//! told of a text never depends on its neighbours.
//!
//! Not here: what is looked for, and how.

use crate::decode::charset;
use crate::model::origin::Aside;
use crate::model::span::Place;

/// Bytes of a batch.
const SIZE: usize = 256 << 10;
/// A longer text is looked at alone.
const LONGEST: usize = 32 << 10;
/// Blank lines between texts, so that none is on a line next to another's.
const BETWEEN: &[u8] = b"\n\n\n\n";

/// Texts, one below another.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: Vec<u8>,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    key: Aside,
    start: usize,
    end: usize,
    is_hit: bool,
}

/// Whether a text must be looked at alone: what it is depends on how it begins, or on its encoding.
pub(super) fn is_alone(text: &[u8]) -> bool {
    text.len() > LONGEST
        || matches!(text.trim_ascii_start().first(), Some(b'<' | b'{'))
        || memchr::memmem::find(text, b"=3D").is_some()
        || !charset::is_plain(text)
}

impl Batch {
    /// Adds a text. A batch that has no room for it is given back, to be looked at.
    pub(super) fn push(&mut self, key: Aside, text: &[u8]) -> Option<Self> {
        let is_full = self.text.len() + text.len() > SIZE;
        let full = is_full.then(|| std::mem::take(self));
        let start = self.text.len();
        self.text.extend_from_slice(text);
        self.items.push(Item {
            key,
            start,
            end: self.text.len(),
            is_hit: false,
        });
        self.text.extend_from_slice(BETWEEN);
        full
    }

    /// All of it.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Marks the text that has this byte.
    pub(super) fn hit(&mut self, offset: usize) {
        let at = self.items.partition_point(|it| it.start <= offset);
        if let Some(item) = at.checked_sub(1).and_then(|it| self.items.get_mut(it)) {
            item.is_hit = true;
        }
    }

    /// Marks the text that has this place.
    pub(super) fn hit_place(&mut self, place: Place) {
        let before = place.line.saturating_sub(1) as usize;
        let offset = match before.checked_sub(1) {
            None => 0,
            Some(nth) => memchr::memchr_iter(b'\n', &self.text)
                .nth(nth)
                .map_or(self.text.len(), |it| it + 1),
        };
        self.hit(offset);
    }

    /// Marks them all.
    pub(super) fn hit_all(&mut self) {
        self.items.iter_mut().for_each(|it| it.is_hit = true);
    }

    /// The marked texts.
    pub(super) fn hits(&self) -> impl Iterator<Item = (&Aside, &[u8])> {
        let marked = self.items.iter().filter(|it| it.is_hit);
        marked.map(|it| (&it.key, &self.text[it.start..it.end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::OriginKind;
    use crate::model::span::{LineIndex, Span};

    fn key(path: &str) -> Aside {
        Aside {
            kind: OriginKind::RefName,
            id: None,
            path: path.to_owned(),
        }
    }

    #[test]
    fn a_hit_marks_the_text_it_lies_in() {
        let texts = ["one", "two\nlines\n", "", "four"];
        for (at, text) in texts.iter().enumerate().filter(|it| !it.1.is_empty()) {
            let mut batch = Batch::default();
            for text in texts {
                assert!(batch.push(key(text), text.as_bytes()).is_none());
            }
            let offset = memchr::memmem::find(batch.text(), text.as_bytes()).unwrap();
            let last = offset + text.len() - 1;
            let place = LineIndex::new(batch.text()).place(Span::new(last, last));
            batch.hit_place(place);
            batch.hit(offset);
            let hits: Vec<_> = batch.hits().collect();
            assert_eq!(hits, [(&key(texts[at]), text.as_bytes())]);
        }
    }

    #[test]
    fn a_full_batch_is_given_back() {
        let mut batch = Batch::default();
        let text = [b'x'; LONGEST];
        let full: Vec<_> = (0..20).filter_map(|_| batch.push(key(""), &text)).collect();
        assert_eq!(full.len(), 2);
        assert!(full.iter().all(|it| it.text().len() <= SIZE + 4 * 8));
    }

    #[test]
    fn what_its_beginning_tells_is_looked_at_alone() {
        for (text, expected) in [
            (&b"Fix: a word"[..], false),
            (b" {\"cells\": []}", true),
            (b"\xff\xfea\0", true),
            (b"a=3Db", true),
            (b"", false),
        ] {
            assert_eq!(is_alone(text), expected, "{text:?}");
        }
    }
}
