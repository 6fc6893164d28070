//! What a look at a text is told, and what it needs beside the text. Not here: the look.

use super::trail::{Lists, Trail};
use crate::model::finding::Candidate;
use crate::syntax::literals::Seen;

/// Memory that one thread reuses from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) trail: Trail,
    pub(crate) lists: Lists,
    pub(crate) values: Vec<Candidate>,
    pub(crate) seen: Seen,
}

impl Scratch {
    /// Which of the watched literals stand in the text that was last looked at whole.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Takes back a trail, for its memory.
    pub fn reuse(&mut self, trail: Trail) {
        self.trail = trail;
    }
}

/// Whether assignments mean anything in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Texture {
    /// Text.
    Text,
    /// Runs of text in a binary: only unmistakable shapes count.
    Binary,
}
