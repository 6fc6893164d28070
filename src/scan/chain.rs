//! What is known of a plain blob when blobs come that are made out of it: joins the trail of its text with
//! the texts hidden in it.
//!
//! Whatever is known this way is exactly what a look at the whole blob would tell.

use crate::decode::{self, charset};
use crate::detect::{Detector, Found, Scratch, Texture, Trail};
use crate::model::coverage::Reason;
use crate::model::delta::Edit;
use crate::model::finding::Candidate;
use crate::model::span::{Place, Places, Span};
use std::cell::RefCell;
use std::sync::Arc;

/// What is known of a blob whose text is its bytes.
#[derive(Clone)]
pub(super) struct State {
    trail: Trail,
    /// Sorted.
    hidden: Vec<Hidden>,
}

/// A text hidden in the blob with those hidden in it, if anything was found in them.
#[derive(Clone)]
struct Hidden {
    span: Span,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    found: Vec<(Arc<Candidate>, Vec<&'static str>)>,
    gaps: Vec<(Reason, String)>,
}

/// Looks at a blob, or at what an edit changed where the blob it was made out of is known. `None` if the
/// blob must be looked at whole.
pub(super) fn state(
    bytes: &[u8],
    base: Option<(&Edit, &State)>,
    detector: &Detector,
    options: &decode::Options,
    scratch: &mut Scratch,
) -> Option<State> {
    let is_plain = match base {
        Some((edit, _)) => charset::stays_plain(bytes, edit),
        None => charset::is_plain(bytes),
    };
    if !is_plain || !decode::is_local(bytes.len(), options) {
        return None;
    }
    let known = base.map(|(edit, state)| (edit, &state.trail));
    let trail = detector.trace(bytes, known, scratch)?;
    let hidden = hidden(bytes, base, detector, options, scratch);
    Some(State { trail, hidden })
}

fn hidden(
    bytes: &[u8],
    base: Option<(&Edit, &State)>,
    detector: &Detector,
    options: &decode::Options,
    scratch: &mut Scratch,
) -> Vec<Hidden> {
    let met: RefCell<Vec<(Span, Inner)>> = RefCell::default();
    let emit = &mut |view: &decode::View<'_>| {
        let Some(span) = view.outer else { return };
        let mut met = met.borrow_mut();
        if met.last().is_none_or(|it| it.0 != span) {
            met.push((span, Inner::default()));
        }
        let found = detector.detect(&view.text, Texture::Text, scratch);
        let found = found.into_iter().map(|it| (it.candidate, view.via.clone()));
        if let Some((_, inner)) = met.last_mut() {
            inner.found.extend(found);
        }
    };
    // Limits are met only within a hidden text.
    let gap = &mut |reason, detail| {
        if let Some((_, inner)) = met.borrow_mut().last_mut() {
            inner.gaps.push((reason, detail));
        }
    };
    match base {
        Some((edit, _)) => decode::changed(bytes, edit, options, emit, gap),
        None => decode::each(bytes, options, emit, gap),
    }
    let met = met.into_inner().into_iter();
    let mut hidden: Vec<Hidden> = met
        .filter(|(_, it)| !it.found.is_empty() || !it.gaps.is_empty())
        .map(|(span, inner)| Hidden {
            span,
            inner: Arc::new(inner),
        })
        .collect();
    if let Some((edit, state)) = base {
        for known in &state.hidden {
            hidden.extend(decode::copied(known.span, edit).map(|shift| Hidden {
                span: Span::new(
                    known.span.start.saturating_add_signed(shift),
                    known.span.end.saturating_add_signed(shift),
                ),
                inner: Arc::clone(&known.inner),
            }));
        }
        hidden.sort_by_key(|it| it.span);
    }
    hidden
}

impl State {
    /// Gives its memory back for the next.
    pub(super) fn recycle(self, scratch: &mut Scratch) {
        scratch.reuse(self.trail);
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let candidates = self.hidden.iter().map(|it| it.inner.found.len());
        let each = size_of::<Candidate>() + size_of::<Hidden>();
        self.trail.size() + (candidates.sum::<usize>() + self.hidden.len()) * each
    }

    /// Limits that were met.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (Reason, String)> + '_ {
        self.hidden.iter().flat_map(|it| it.inner.gaps.clone())
    }

    /// Every candidate with its place, those of hidden texts after those of the blob's own.
    pub(super) fn each(
        &self,
        bytes: &[u8],
        detector: &Detector,
        mut emit: impl FnMut(Arc<Candidate>, Place, &[&'static str]),
    ) {
        let mut places = Places::new(bytes);
        for Found { span, candidate } in detector.settled(bytes, &self.trail) {
            emit(candidate, places.place(span), &[]);
        }
        let mut places = Places::new(bytes);
        for hidden in &self.hidden {
            let found = &hidden.inner.found;
            if !found.is_empty() {
                let place = places.place(hidden.span);
                let found = found.iter();
                found.for_each(|(it, via)| emit(Arc::clone(it), place, via));
            }
        }
    }
}
