//! Decoding alone: from bytes to texts, with what encodings hide.

#![expect(clippy::expect_used, reason = "a bench without its input says nothing")]

#[path = "corpus.rs"]
mod corpus;

use corpus::{Draw, KINDS, Kind, SEED};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use keyatlas::decode;
use std::io::Read;

fn main() {
    divan::main();
}

const SIZE: usize = 1 << 20;

fn run(bencher: Bencher, bytes: Vec<u8>) {
    let options = decode::Options::default();
    bencher.counter(BytesCount::new(bytes.len())).bench(|| {
        let mut length = 0;
        decode::each(
            black_box(&bytes),
            &options,
            &mut |view| length += view.text.len(),
            &mut |_, _, _| (),
        );
        length
    });
}

#[divan::bench(args = KINDS)]
fn texts(bencher: Bencher, kind: &Kind) {
    run(bencher, corpus::text(*kind, SIZE, SEED));
}

#[divan::bench]
fn utf_16(bencher: Bencher) {
    let text = corpus::text(Kind::Code, SIZE / 2, SEED);
    let text = String::from_utf8_lossy(&text);
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    run(bencher, [0xff, 0xfe].into_iter().chain(units).collect());
}

/// Settings within base64 within settings.
#[divan::bench]
fn nested_base64(bencher: Bencher) {
    let mut draw = Draw::new(SEED);
    let mut bytes = Vec::new();
    while bytes.len() < SIZE {
        let inner = corpus::text(Kind::Settings, 200 + draw.below(400), draw.next());
        let middle = format!("inner: {}\n", data_encoding::BASE64.encode(&inner));
        bytes.extend(
            format!(
                "data: {}\n",
                data_encoding::BASE64.encode(middle.as_bytes())
            )
            .into_bytes(),
        );
    }
    run(bencher, bytes);
}

/// A text in which each line has an escape of one kind.
#[divan::bench(args = ["%41", "\\u0041", "&#65;"])]
fn escapes(bencher: Bencher, escape: &str) {
    let text = corpus::text(Kind::Settings, SIZE, SEED);
    let text = String::from_utf8_lossy(&text).replace('\n', &format!(" {escape}\n"));
    run(bencher, text.into_bytes());
}

/// Files of a repository as `tar -cz` packs them; counted in packed bytes.
#[divan::bench]
fn tgz(bencher: Bencher) {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in corpus::files(40, 32 << 10) {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive
            .append_data(&mut header, path, &bytes[..])
            .expect("memory takes everything");
    }
    let plain = archive.into_inner().expect("memory takes everything");
    let mut packed = Vec::new();
    let level = flate2::Compression::default();
    flate2::bufread::GzEncoder::new(&plain[..], level)
        .read_to_end(&mut packed)
        .expect("memory gives everything");
    run(bencher, packed);
}
