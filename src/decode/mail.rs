//! Mail messages with their parts and attachments: what base64 and quoted-printable hide in them.
//!
//! Formats: RFC 5322; RFC 2045 and 2046 (MIME); RFC 2183 (names of attachments).

use super::view::{Hidden, Map, Patch};
use super::{member, quoted};
use crate::model::span::Span;
use data_encoding::BASE64_MIME_PERMISSIVE;

/// Headers that a message begins with.
const FIRST: &[&[u8]] = &[
    b"From",
    b"Return-Path",
    b"Received",
    b"Delivered-To",
    b"MIME-Version",
    b"Date",
    b"Subject",
    b"To",
    b"Message-ID",
    b"Content-Type",
    b"X-",
    b"DKIM-Signature",
    b"ARC-",
    b"Reply-To",
    b"Sender",
    b"Cc",
];
/// Headers take no more than this.
const HEADERS: usize = 64 << 10;
/// Parts within parts.
const DEEPEST: usize = 16;
/// Parts of one message; more are no message.
const PARTS: usize = 10_000;

/// Calls `emit` for each part that is encoded, with its name or number.
pub(super) fn each(text: &[u8], emit: &mut dyn FnMut(Hidden)) {
    if !is_message(text) {
        return;
    }
    let mut walk = Walk {
        text,
        count: 0,
        emit,
    };
    walk.entity(Span::new(0, text.len()), 0);
}

fn is_message(text: &[u8]) -> bool {
    if !text.first().is_some_and(u8::is_ascii_uppercase) {
        return false;
    }
    let is_name = |it: &&&[u8]| {
        let rest = text.get(it.len()..).filter(|_| text.starts_with(it));
        rest.is_some_and(|rest| {
            it.ends_with(b"-") || rest.starts_with(b":") || rest.starts_with(b" ")
        })
    };
    FIRST.iter().any(|it| is_name(&it)) && {
        let headers = headers(text, Span::new(0, text.len()));
        let value = |name| header(&text[headers.start..headers.end], name);
        value("content-type").is_some() || value("content-transfer-encoding").is_some()
    }
}

/// The span of the headers, up to the empty line.
fn headers(text: &[u8], entity: Span) -> Span {
    let end = entity.end.min(entity.start + HEADERS);
    let bytes = &text[entity.start..end];
    let empty = [&b"\n\n"[..], b"\n\r\n"]
        .iter()
        .filter_map(|it| memchr::memmem::find(bytes, it))
        .min();
    Span::new(entity.start, empty.map_or(end, |it| entity.start + it + 1))
}

/// The value of a header, its lines joined.
fn header(headers: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(headers);
    let mut lines = text.lines().skip_while(|line| {
        let before = line.split_once(':').map(|it| it.0);
        !before.is_some_and(|it| it.eq_ignore_ascii_case(name))
    });
    let mut value = lines.next()?.split_once(':')?.1.trim().to_owned();
    for line in lines.take_while(|it| it.starts_with([' ', '\t'])) {
        value.push(' ');
        value.push_str(line.trim());
    }
    Some(value)
}

/// A parameter of a header's value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|it| {
        let (key, value) = it.split_once('=')?;
        let value = value.trim().trim_matches('"');
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.to_owned())
    })
}

struct Walk<'w> {
    text: &'w [u8],
    count: usize,
    emit: &'w mut dyn FnMut(Hidden),
}

impl Walk<'_> {
    fn entity(&mut self, entity: Span, depth: usize) {
        let head = headers(self.text, entity);
        let headers = &self.text[head.start..head.end];
        let kind = header(headers, "content-type").unwrap_or_default();
        let lower = kind.to_ascii_lowercase();
        let body = Span::new(head.end, entity.end.max(head.end));
        if self.count > PARTS || depth > DEEPEST {
            return;
        }
        if lower.starts_with("multipart/")
            && let Some(boundary) = parameter(&kind, "boundary").filter(|it| !it.is_empty())
        {
            return self.parts(body, boundary.as_bytes(), depth);
        }
        self.count += 1;
        let encoding = header(headers, "content-transfer-encoding").unwrap_or_default();
        let name = header(headers, "content-disposition")
            .and_then(|it| parameter(&it, "filename"))
            .or_else(|| parameter(&kind, "name"))
            .unwrap_or_else(|| format!("part {}", self.count));
        let part = Some(member::name(name.as_bytes()));
        if encoding.trim().eq_ignore_ascii_case("base64") {
            let bytes = &self.text[body.start..body.end];
            let bytes = base64(bytes);
            (self.emit)(Hidden {
                name: "base64",
                part,
                bytes,
                map: Map::Whole(trimmed(self.text, body)),
            });
        } else if encoding.trim().eq_ignore_ascii_case("quoted-printable") {
            let patch: Patch = quoted::undone(self.text, body);
            (self.emit)(patch.hidden(quoted::NAME, part));
        } else if lower.starts_with("message/rfc822") {
            // Its own headers follow the empty line.
            let start = body.start + usize::from(self.text.get(body.start) == Some(&b'\r')) + 1;
            self.entity(Span::new(start.min(body.end), body.end), depth + 1);
        }
    }

    fn parts(&mut self, body: Span, boundary: &[u8], depth: usize) {
        let delimiter = [b"\n--", boundary].concat();
        let mut open: Option<usize> = None;
        // The line's end before the first delimiter may be that of the headers.
        let from = body.start.saturating_sub(1);
        let found: Vec<usize> = memchr::memmem::find_iter(&self.text[from..body.end], &delimiter)
            .take(PARTS)
            .map(|it| from + it)
            .collect();
        for at in found {
            // Of two delimiters in a row the second begins with the end of the first's line.
            if let Some(start) = open.filter(|it| *it < at) {
                self.entity(Span::new(start, at), depth + 1);
            }
            let after = at + delimiter.len();
            let rest = &self.text[after..body.end];
            open = match memchr::memchr(b'\n', rest) {
                Some(line) if !rest.starts_with(b"--") => Some(after + line + 1),
                _ => None,
            };
        }
        // A message that is cut off has no last delimiter.
        if let Some(start) = open.filter(|it| *it < body.end) {
            self.entity(Span::new(start, body.end), depth + 1);
        }
    }
}

/// What can be read of it: of a part that is cut off, all but its last characters.
fn base64(bytes: &[u8]) -> Vec<u8> {
    let kept: Vec<u8> = bytes
        .iter()
        .filter(|it| it.is_ascii_alphanumeric() || b"+/=".contains(it))
        .copied()
        .collect();
    BASE64_MIME_PERMISSIVE
        .decode(&kept)
        .or_else(|it| BASE64_MIME_PERMISSIVE.decode(&kept[..it.position / 4 * 4]))
        .unwrap_or_default()
}

fn trimmed(text: &[u8], span: Span) -> Span {
    let bytes = &text[span.start..span.end];
    let start = span.end - bytes.trim_ascii_start().len();
    Span::new(start, start + bytes.trim_ascii().len())
}
