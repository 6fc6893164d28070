//! A text of a blob and where it lies: the way in (containers, encodings), and the places of its bytes in
//! the outer file. Not here: how a text comes out of another.

use crate::model::span::{Place, Span};
use std::borrow::Cow;

/// The place of whatever lies in a binary container: the beginning of the file.
pub const START: Place = Place {
    line: 1,
    end_line: 1,
    column: 1,
    end_column: 1,
};

/// What a text lies in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Names from the blob inwards, joined by `!`; a stream without a name has the empty one.
    pub name: String,
    /// Where the container lies in the outer file; `None` where the member's own text is part of it.
    pub place: Option<Place>,
}

/// Tells the place of a span of a text that has lines.
pub(super) type Ground<'g> = &'g dyn Fn(Span) -> Place;

/// One text of a blob.
pub struct View<'v> {
    /// UTF-8 text, or text runs of a binary.
    pub text: Cow<'v, [u8]>,
    /// Encodings undone, outermost first.
    pub via: Vec<&'static str>,
    /// The member of a container that the text lies in.
    pub member: Option<&'v Member>,
    /// Whether the bytes are binary, so that only their text runs remain.
    pub is_binary: bool,
    /// Whether other views have shown what these bytes hold, so that a value seen in one is no news here.
    pub is_residue: bool,
    pub(super) map: Map,
    pub(super) ground: Ground<'v>,
}

impl View<'_> {
    /// The place in the outer file.
    pub fn place(&self, span: Span) -> Place {
        match self.member.and_then(|it| it.place) {
            Some(place) => place,
            None => (self.ground)(self.map.outer(span)),
        }
    }

    /// The place within the member, where that is another.
    pub fn within(&self, span: Span) -> Option<Place> {
        self.member?.place?;
        Some((self.ground)(self.map.outer(span)))
    }

    /// Whether the text is another's with some of its characters undone, place for place.
    pub fn is_patched(&self) -> bool {
        matches!(self.map, Map::Pieces(_))
    }

    /// Whether this is the text of a blob or member itself.
    pub fn is_root(&self) -> bool {
        matches!(self.map, Map::Same)
    }
}

/// Where the bytes of a text lie in another.
#[derive(Clone, Debug)]
pub(super) enum Map {
    /// It is that text.
    Same,
    /// All within one span.
    Whole(Span),
    /// Piece by piece, in order.
    Pieces(Vec<Piece>),
}

/// A stretch of a text and where it lies outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Where it begins in the inner text.
    at: usize,
    outer: Span,
    /// Byte for byte the same, so that places within it can be told.
    is_literal: bool,
}

impl Map {
    /// The outer span of an inner one.
    pub(super) fn outer(&self, span: Span) -> Span {
        match self {
            Self::Same => span,
            Self::Whole(outer) => *outer,
            Self::Pieces(pieces) => {
                let start = piece(pieces, span.start).map_or(0, |it| match it.is_literal {
                    true => (it.outer.start + span.start - it.at).min(it.outer.end),
                    false => it.outer.start,
                });
                let last = span.end.max(span.start + 1) - 1;
                let end = piece(pieces, last).map_or(start, |it| match it.is_literal {
                    true => (it.outer.start + span.end.saturating_sub(it.at)).min(it.outer.end),
                    false => it.outer.end,
                });
                Span::new(start, end.max(start))
            }
        }
    }

    /// This map, of a text within another, as a map to what that other lies in.
    pub(super) fn within(self, other: &Map) -> Map {
        match (self, other) {
            (it, Map::Same) => it,
            (Map::Same, _) | (_, Map::Whole(_)) => other.clone(),
            (Map::Whole(span), Map::Pieces(_)) => Map::Whole(other.outer(span)),
            (Map::Pieces(pieces), Map::Pieces(_)) => {
                let moved = |it: &Piece| {
                    let outer = other.outer(it.outer);
                    Piece {
                        outer,
                        is_literal: it.is_literal && outer.len() == it.outer.len(),
                        ..*it
                    }
                };
                Map::Pieces(pieces.iter().map(moved).collect())
            }
        }
    }
}

fn piece(pieces: &[Piece], at: usize) -> Option<&Piece> {
    let after = pieces.partition_point(|it| it.at <= at);
    pieces.get(after.checked_sub(1)?)
}

/// A text hidden in another.
pub(super) struct Hidden {
    /// The encoding.
    pub(super) name: &'static str,
    /// A part of the outer text with a name of its own: a cell, an attachment.
    pub(super) part: Option<String>,
    /// The bytes that were hidden.
    pub(super) bytes: Vec<u8>,
    /// Where they lie in the outer text.
    pub(super) map: Map,
}

impl Hidden {
    /// The span it lies in, where its parts have no places of their own.
    pub(super) fn whole(&self) -> Option<Span> {
        match self.map {
            Map::Whole(span) => Some(span),
            _ => None,
        }
    }
}

/// A text made of pieces of another, and where each of them lies.
#[derive(Default)]
pub(super) struct Patch {
    /// The text so far.
    pub(super) text: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Patch {
    /// Takes over a span as it is.
    pub(super) fn keep(&mut self, outer: &[u8], span: Span) {
        if span.is_empty() {
            return;
        }
        self.push(span, true);
        self.text.extend(&outer[span.start..span.end]);
    }

    /// Puts other bytes in the place of a span.
    pub(super) fn replace(&mut self, span: Span, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.push(span, false);
        self.text.extend(bytes);
    }

    fn push(&mut self, outer: Span, is_literal: bool) {
        self.pieces.push(Piece {
            at: self.text.len(),
            outer,
            is_literal,
        });
    }

    /// The text under the name of its encoding.
    pub(super) fn hidden(self, name: &'static str, part: Option<String>) -> Hidden {
        Hidden {
            name,
            part,
            bytes: self.text,
            map: Map::Pieces(self.pieces),
        }
    }
}
