//! Matching alone: texts already in UTF-8, the embedded rules, one thread.

#![allow(clippy::unwrap_used, reason = "a bench has nobody to tell")]

#[path = "corpus.rs"]
mod corpus;

use corpus::{KINDS, Kind, SEED};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use keyatlas::detect::{Detector, Scratch, Texture};
use keyatlas::ruleset;
use std::sync::Arc;

fn main() {
    divan::main();
}

const SIZE: usize = 1 << 20;

fn detector() -> Detector {
    Detector::new(Arc::new(
        ruleset::load(&ruleset::Options::default()).unwrap(),
    ))
}

#[divan::bench(args = KINDS)]
fn texts(bencher: Bencher, kind: &Kind) {
    let (detector, mut scratch) = (detector(), Scratch::default());
    let text = corpus::text(*kind, SIZE, SEED);
    let texture = if matches!(kind, Kind::Binary) {
        Texture::Binary
    } else {
        Texture::Text
    };
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| {
            detector
                .detect(black_box(&text), texture, &mut scratch)
                .len()
        });
}

/// What every start pays: reading the rules and building the keyword tables.
#[divan::bench]
fn start() -> Detector {
    detector()
}
