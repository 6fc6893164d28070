//! Views of a blob: its text in UTF-8, texts hidden in encodings within it, and the same of every member
//! of the containers it is or holds, with limits on depth, size, ratio and number. Nothing is written to
//! disk, and no name of a member is ever opened.
//!
//! A format is one file and one row in a table here: `CONTAINERS` for what has members, `RUNS` and
//! `ESCAPES` for encodings within a text, `documents` for texts that hold other texts.

mod ar;
mod backslash;
mod base64;
mod bzip2;
pub mod charset;
mod cover;
mod cpio;
mod entity;
mod escape;
mod gzip;
mod hex;
mod keystore;
mod mail;
mod markup;
mod member;
mod notebook;
mod pdf;
mod percent;
mod quoted;
mod readable;
mod rpm;
mod run;
mod sevenz;
mod sqlite;
mod tar;
mod unread;
mod view;
mod walk;
mod xz;
mod zip;
mod zstd;

pub use cover::Covers;
pub use member::{Fault, Members, Outcome};
pub use view::{Member, START, View};

use crate::model::coverage::Reason;
use std::io::Read;
use view::Hidden;

/// Limits of the recursion.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Encodings and containers within one another.
    pub max_depth: usize,
    /// Bytes of one decoded text or member.
    pub max_size: usize,
    /// All decoded bytes of one text together, as a multiple of its own.
    pub max_ratio: usize,
    /// All bytes that come out of the containers of a blob, as a multiple of its own.
    pub max_expansion: usize,
    /// Members of all containers of a blob.
    pub max_members: usize,
    /// Containers that the caller knows how to open, before those of this folder.
    pub more: &'static [Container],
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_depth: 4,
            max_size: 64 << 20,
            max_ratio: 16,
            max_expansion: 100,
            max_members: 100_000,
            more: &[],
        }
    }
}

/// Something with members.
#[derive(Clone, Copy, Debug)]
pub struct Container {
    /// The name in `via`, and in messages.
    name: &'static str,
    /// Tells it by its first bytes (and, for archives behind a program, its last).
    is: fn(&[u8]) -> bool,
    /// Reads its members.
    each: fn(&[u8], &mut dyn Members) -> Outcome,
    /// Whether its own bytes hold text that no member shows.
    keeps_text: bool,
}

impl Container {
    /// One that another folder knows how to read.
    pub const fn new(
        name: &'static str,
        is: fn(&[u8]) -> bool,
        each: fn(&[u8], &mut dyn Members) -> Outcome,
    ) -> Self {
        container(name, is, each)
    }
}

const fn container(
    name: &'static str,
    is: fn(&[u8]) -> bool,
    each: fn(&[u8], &mut dyn Members) -> Outcome,
) -> Container {
    Container {
        name,
        is,
        each,
        keeps_text: false,
    }
}

const fn with_text(container: Container) -> Container {
    Container {
        keeps_text: true,
        ..container
    }
}

/// Every container; the first that knows the bytes opens them.
const CONTAINERS: &[Container] = &[
    container("gzip", gzip::is, gzip::each),
    container("zip", zip::is, zip::each),
    container("bzip2", bzip2::is, bzip2::each),
    container("xz", xz::is, xz::each),
    container("zstd", zstd::is, zstd::each),
    container("7z", sevenz::is, sevenz::each),
    container("ar", ar::is, ar::each),
    container("rpm", rpm::is, rpm::each),
    container("cpio", cpio::is, cpio::each),
    container("tar", tar::is, tar::each),
    with_text(container("pdf", pdf::is, pdf::each)),
    with_text(container("sqlite", sqlite::is, sqlite::each)),
    with_text(container("keystore", keystore::is, keystore::each)),
    with_text(container("archive", unread::is, unread::each)),
];

/// Encodings of letters and digits without a break.
const RUNS: &[(&str, run::Decode)] = &[("hex", hex::decoded), ("base64", base64::decoded)];

/// Encodings of single characters.
const ESCAPES: [escape::Escape; 3] = [percent::ESCAPE, backslash::ESCAPE, entity::ESCAPE];

fn recognised(bytes: &[u8], options: &Options) -> Option<&'static Container> {
    let mut all = options.more.iter().chain(CONTAINERS);
    all.find(|it| (it.is)(bytes))
}

/// Whether the bytes are those of a container, which has more to tell than its own text.
pub fn is_container(bytes: &[u8], options: &Options) -> bool {
    recognised(bytes, options).is_some()
}

/// Reads the members of an archive as it comes.
type Stream = fn(&mut dyn Read, &mut dyn Members) -> Outcome;

/// Streams that may hold an archive at any length are read without being held.
fn streamed(head: &[u8]) -> Option<Stream> {
    if tar::is(head) {
        Some(tar::stream)
    } else if cpio::is(head) {
        Some(cpio::stream)
    } else {
        None
    }
}

/// Calls `emit` for every text hidden in a text by an encoding.
fn hidden(view: &View<'_>, emit: &mut dyn FnMut(Hidden)) {
    run::each(&view.text, RUNS, emit);
    // Between bytes that are no text, what looks like an escape is chance.
    if !view.is_binary {
        escape::each(&view.text, &ESCAPES, emit);
    }
}

/// Calls `emit` for every text that the text of a blob or member, being a document, holds.
fn documents(text: &[u8], emit: &mut dyn FnMut(Hidden)) {
    mail::each(text, emit);
    quoted::each(text, emit);
    markup::each(text, &entity::ESCAPE, emit);
    notebook::each(text, emit);
}

/// Calls `emit` for the root text first, then for each text hidden in it or in a member, depth first. A
/// container's own bytes come last, and only where they may tell more. `gap` takes the name of the member
/// (none for the blob itself) that was not read or not in full.
pub fn each(
    bytes: &[u8],
    options: &Options,
    emit: &mut dyn FnMut(&View<'_>),
    gap: &mut dyn FnMut(Option<&str>, Reason, String),
) {
    walk::each(bytes, options, emit, gap);
}

/// Calls `emit` with the view that a plain text is itself, and no other.
pub fn root(text: &[u8], emit: &mut dyn FnMut(&View<'_>)) {
    walk::root(text, emit);
}

/// The name of a member with that of what it lies in: `a.zip!x/a.env`. The content of a stream that has
/// no name of its own is called as the stream is, without the ending.
pub fn joined(outer: &str, inner: &str) -> String {
    const ENDINGS: &[&str] = &[".gz", ".bz2", ".xz", ".lz", ".zst"];
    let (first, rest) = match inner.find('!') {
        Some(at) => inner.split_at(at),
        None => (inner, ""),
    };
    if !first.is_empty() {
        return format!("{outer}!{inner}");
    }
    let last = outer.rsplit(['!', '/']).next().unwrap_or(outer);
    let stem = ENDINGS.iter().find_map(|it| last.strip_suffix(it));
    format!(
        "{outer}!{}{rest}",
        stem.filter(|it| !it.is_empty()).unwrap_or("content")
    )
}

#[cfg(test)]
mod tests;
