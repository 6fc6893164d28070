//! Blobs from somewhere: folders, history, a change, standard input.
//!
//! Not here: what the bytes mean. Decoding, detection and judgement never look back at where a blob
//! came from; a source never looks into one.

use crate::model::blob::Blob;
use crate::model::coverage::Gap;

pub mod change;
pub mod error;
pub mod history;
pub mod tree;

mod commits;
mod compare;
mod delta;
mod exclude;
mod forest;
mod index;
mod loose;
mod objects;
mod origins;
mod pack;
mod range;
mod repository;
mod spelling;
mod staged;
#[cfg(test)]
mod testing;
mod walk;

/// Takes what a source reads. Called from several threads at once.
pub trait Sink: Sync {
    /// One blob; its bytes live only for this call.
    fn blob(&self, blob: Blob<'_>);
    /// One place that was not read.
    fn gap(&self, gap: Gap);
}
