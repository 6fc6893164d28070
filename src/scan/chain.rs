//! Blobs that are made out of others: what was found in the base, and that nothing is hidden there, is
//! inherited where the edit left it alone.
//!
//! Not here: what is found, and what a base holds that is not handed on: documents, containers, binaries and
//! blobs in wide characters are looked at whole, each time.

use super::collect::{Collector, locked};
use super::known::Known;
use crate::decode::charset::{self, Wide};
use crate::decode::{self, Covers};
use crate::detect::{Scratch, Trail};
use crate::model::blob::Blob;
use crate::model::delta::Edit;
use crate::source::{Future, Kept};
use std::borrow::Cow;

/// What is kept of a blob for those that are made out of it.
pub(super) struct Past {
    trail: Trail,
    /// `None` where it had to be looked at whole.
    covers: Option<Covers>,
    /// `None` where its text is its bytes.
    wide: Option<Wide>,
}

impl Past {
    fn size(&self) -> usize {
        self.trail.size()
            + self.covers.as_ref().map_or(0, Covers::size)
            + self.wide.as_ref().map_or(0, Wide::size)
    }
}

type Base<'b> = Option<(&'b Edit, &'b Past)>;

/// The text of a blob, and how the base's text becomes it, where both are in the same characters.
struct Text<'b> {
    bytes: Cow<'b, [u8]>,
    wide: Option<Wide>,
    base: Option<(Cow<'b, Edit>, &'b Past)>,
}

impl<'b> Text<'b> {
    /// `None` for what is neither UTF-8 nor in single bytes.
    fn of(bytes: &'b [u8], base: Base<'b>) -> Option<Self> {
        let plain = base.filter(|it| it.1.wide.is_none());
        let is_plain = match plain {
            Some((edit, _)) => charset::stays_plain(bytes, edit),
            None => charset::is_plain(bytes),
        };
        if is_plain {
            return Some(Self {
                bytes: Cow::Borrowed(bytes),
                wide: None,
                base: plain.map(|(edit, past)| (Cow::Borrowed(edit), past)),
            });
        }
        let (text, wide) = charset::latin(bytes)?;
        let base = base.and_then(|(edit, past)| {
            let edit = charset::translated(edit, past.wide.as_ref()?, &wide);
            Some((Cow::Owned(edit), past))
        });
        Some(Self {
            bytes: Cow::Owned(text),
            wide: Some(wide),
            base,
        })
    }
}

impl Collector<'_> {
    /// Looks at a blob by way of its base, and tells what is to be kept of it.
    pub(super) fn chain(
        &self,
        blob: Blob<'_>,
        base: Base<'_>,
        future: Future,
        scratch: &mut Scratch,
    ) -> Option<Kept> {
        let is_container = decode::is_container(blob.bytes, &self.options);
        let text = Text::of(blob.bytes, base).filter(|_| !is_container);
        let Some((text, trail)) = text.and_then(|it| {
            let trail = self.trail(&it, scratch)?;
            Some((it, trail))
        }) else {
            self.whole(blob, None, scratch);
            return None;
        };
        let covers = self.covers(&text, scratch);
        if covers.as_ref().is_some_and(Covers::are_quiet) {
            self.plain(blob, &text.bytes, &trail);
        } else {
            self.whole(blob, Some(&trail), scratch);
        }
        if future != Future::Base {
            scratch.reuse(trail);
            return None;
        }
        let past = Past {
            // A copy has no spare room.
            trail: trail.clone(),
            covers,
            wide: text.wide,
        };
        scratch.reuse(trail);
        Some(Kept {
            size: past.size(),
            state: Box::new(past),
        })
    }

    /// `None` if the blob must be looked at whole.
    fn trail(&self, text: &Text<'_>, scratch: &mut Scratch) -> Option<Trail> {
        let base = text.base.as_ref();
        let base = base.map(|(edit, past)| (&**edit, &past.trail));
        self.detector.trace(&text.bytes, base, scratch)
    }

    /// What encodings may hide. Where a base is looked at whole, so is most likely what is made out of it.
    fn covers(&self, text: &Text<'_>, scratch: &mut Scratch) -> Option<Covers> {
        let base = match &text.base {
            Some((edit, past)) => Some((&**edit, past.covers.as_ref()?)),
            None => None,
        };
        let shows = &mut |view: &decode::View<'_>| !self.detected(view, scratch).is_empty();
        Covers::of(&text.bytes, base, &self.options, shows)
    }

    /// Looks at a blob whose text hides nothing.
    fn plain(&self, blob: Blob<'_>, text: &[u8], trail: &Trail) {
        let found = self.detector.settled(text, trail);
        if found.is_empty() {
            return;
        }
        let mut seen = Vec::new();
        decode::root(text, &mut |view| {
            let found = found.clone();
            self.view(view, blob, found, &mut seen, &mut Known::default());
        });
        locked(&self.sightings).append(&mut seen);
    }
}
