//! Blobs from somewhere: folders, history, a change, standard input.
//!
//! Not here: what the bytes mean. Decoding, detection and judgement never look back at where a blob
//! came from; a source never looks into one.

use crate::model::blob::Blob;
use crate::model::coverage::Gap;
use crate::model::delta::Edit;
use crate::model::origin::OriginKind;
use std::any::Any;

pub mod base;
pub mod blame;
pub mod bundle;
pub mod change;
pub mod error;
pub mod head;
pub mod history;
pub mod modules;
pub mod promised;
pub mod tree;

mod asides;
mod commits;
mod compare;
mod delta;
mod descent;
mod digest;
mod exclude;
mod fold;
mod forest;
mod graph;
mod growth;
mod hashed;
mod holders;
mod hunks;
mod index;
mod layout;
mod lineage;
mod lives;
mod loose;
mod mailmap;
mod missing;
mod nest;
mod news;
mod objects;
mod origins;
mod pack;
mod past;
mod paths;
mod people;
mod range;
mod reach;
mod reader;
mod record;
mod refs;
mod renamed;
mod repository;
mod roster;
mod said;
mod sketch;
mod spelling;
mod staged;
mod standing;
mod story;
mod survey;
#[cfg(test)]
mod testing;
mod trees;
mod walk;
mod way;

/// What a sink wants to know again of a blob when blobs come that are made out of it.
pub struct Kept {
    /// The sink's own.
    pub state: Box<dyn Any + Send>,
    /// About how many bytes it takes.
    pub size: usize,
}

/// Whether blobs may come that are made out of a blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Future {
    /// None will come.
    Leaf,
    /// Some may.
    Base,
}

/// Takes what a source reads. Called from several threads at once.
pub trait Sink: Sync {
    /// One blob; its bytes live only for this call.
    fn blob(&self, blob: Blob<'_>);
    /// One blob of a chain. `base` tells how it is made out of another, and what the sink kept of that;
    /// what the sink gives back is kept as long as blobs may come that are made out of this one, and may
    /// be forgotten before.
    fn chained(
        &self,
        blob: Blob<'_>,
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        let _unused = (base, future);
        self.blob(blob);
        None
    }
    /// One text that is no blob: a message, a name, a log. `id` is the commit or tag it is part of; what
    /// is part of none goes by its path.
    fn beside(&self, kind: OriginKind, blob: Blob<'_>) {
        let _unused = kind;
        self.blob(blob);
    }
    /// One place that was not read.
    fn gap(&self, gap: Gap);
}
