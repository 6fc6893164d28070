//! Git bundles as containers: `source` knows packs, `decode` keeps the limits, and here they meet.
//!
//! Not here: the format.

use crate::decode::{Container, Fault, Members, Outcome};
use crate::source::bundle::{self, Part};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that tell a bundle.
const START: u64 = 64;

/// For the options of a decoding.
pub(super) const CONTAINERS: &[Container] = &[Container::new("git-bundle", bundle::is, each)];

/// Whether a file is a repository in one file, so that its history is read with it.
pub(super) fn is_whole(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|it| it.take(START).read_to_end(&mut start));
    read.is_ok() && bundle::is(&start)
}

fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    let emit = &mut |part: Part<'_>| match part {
        Part::Text { name, mut bytes } => members.member(name, &mut bytes),
        Part::Gap {
            name,
            reason,
            detail,
        } => {
            members.gap(name, reason, detail);
            true
        }
    };
    bundle::each(bytes, emit).map_err(|(reason, detail)| Fault { reason, detail })
}
