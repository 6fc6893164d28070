//! Blobs from somewhere: folders, history, a change, standard input.

use crate::model::blob::Blob;
use crate::model::coverage::Gap;

/// Takes what a source reads. Called from several threads at once.
pub trait Sink: Sync {
    /// One blob; its bytes live only for this call.
    fn blob(&self, blob: Blob<'_>);
    /// One place that was not read.
    fn gap(&self, gap: Gap);
}
