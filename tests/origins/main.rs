//! Who brought a secret, who had it last, who took it away, and which refs have it: every answer of a scan
//! of a history is held against brute force, `git ls-tree -r` over every commit there is.
//!
//! Not here: where secrets may lie beside files of commits (see `tests/places`). Histories are written by a
//! script, or drawn from a seed, and built by `git fast-import`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its builder too"
)]

#[path = "../cli/world.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the binary, which use the rest"
)]
mod world;

mod oracle;
mod random;
mod script;
mod scripted;
mod spoken;

use world::drawn;

/// An invented token of a known shape, which needs no name that it is assigned to.
fn secret(number: usize) -> String {
    let drawn = drawn(&format!("origin {number}"));
    format!("{}{}", ["gl", "pat-"].concat(), &drawn[..20])
}
