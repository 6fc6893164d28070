//! The text of office documents: in their XML one word may be split over many runs, each with its own
//! tags. Paragraphs, rows and shared strings become lines.
//!
//! Formats: ECMA-376 (docx, xlsx, pptx); OpenDocument 1.3, part 3 (odt, ods, odp, and flat files).

use super::escape::Escape;
use super::view::{Hidden, Patch};
use crate::model::span::Span;

/// This much of a text tells what it is.
const PROBE: usize = 4096;
const NAMESPACES: &[&[u8]] = &[
    b"schemas.openxmlformats.org",
    b"purl.oclc.org/ooxml",
    b"urn:oasis:names:tc:opendocument",
];
/// Elements at whose end a line ends, by local name.
const LINES: &[&[u8]] = &[
    b"p",
    b"h",
    b"si",
    b"is",
    b"br",
    b"cr",
    b"row",
    b"table-row",
    b"line-break",
];

/// Calls `emit` with the text of a document.
pub(super) fn each(text: &[u8], entities: &Escape, emit: &mut dyn FnMut(Hidden)) {
    let probe = &text[..text.len().min(PROBE)];
    let is_document = probe.trim_ascii_start().starts_with(b"<")
        && NAMESPACES
            .iter()
            .any(|it| memchr::memmem::find(probe, it).is_some());
    if is_document {
        emit(joined(text, entities).hidden("office", None));
    }
}

fn joined(text: &[u8], entities: &Escape) -> Patch {
    let mut patch = Patch::default();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', &text[at..]) {
        let tag = at + found;
        node(text, Span::new(at, tag), entities, &mut patch);
        let Some(length) = memchr::memchr(b'>', &text[tag..]) else {
            return patch;
        };
        at = tag + length + 1;
        let inner = &text[tag + 1..at - 1];
        let span = Span::new(tag, at);
        let (is_end, inner) = match inner.strip_prefix(b"/") {
            Some(inner) => (true, inner),
            None => (inner.ends_with(b"/"), inner),
        };
        let end = inner
            .iter()
            .position(|it| it.is_ascii_whitespace() || *it == b'/');
        let name = &inner[..end.unwrap_or(inner.len())];
        let name = name.rsplit(|it| *it == b':').next().unwrap_or(name);
        match name {
            _ if !is_end => {}
            b"tab" | b"tc" => patch.replace(span, b"\t"),
            b"s" => patch.replace(span, b" "),
            _ if LINES.contains(&name) => patch.replace(span, b"\n"),
            _ => {}
        }
    }
    node(text, Span::new(at, text.len()), entities, &mut patch);
    patch
}

/// The text between two tags, without the indentation of pretty printers.
fn node(text: &[u8], span: Span, entities: &Escape, patch: &mut Patch) {
    let inner = &text[span.start..span.end];
    if inner.trim_ascii().is_empty() && inner.contains(&b'\n') {
        return;
    }
    let mut kept = span.start;
    let mut at = span.start;
    while let Some(found) = memchr::memchr(entities.lead, &text[at..span.end]) {
        at += found;
        let Some(undone) = (entities.undo)(&text[at..span.end]) else {
            at += 1;
            continue;
        };
        let escape = Span::new(at, at + undone.length);
        patch.keep(text, Span::new(kept, at));
        let mut utf8 = [0; 4];
        patch.replace(escape, undone.character.encode_utf8(&mut utf8).as_bytes());
        at = escape.end;
        kept = at;
    }
    patch.keep(text, Span::new(kept, span.end));
}
