//! Git bundles as containers: `source` knows packs, `decode` keeps the limits, and here they meet.
//!
//! Not here: the format.

use crate::decode::{Container, Fault, Members, Outcome};
use crate::source::bundle::{self, Part};

/// For the options of a decoding.
pub(super) const CONTAINERS: &[Container] = &[Container::new("git-bundle", bundle::is, each)];

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
