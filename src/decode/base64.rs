//! Texts hidden in base64 (RFC 4648, standard and URL-safe alphabets), told from random text by what they
//! decode to. Lines of one length that follow one another are one text, as `base64` and MIME wrap them.

use super::readable::is_readable;
use super::run::Run;
use crate::model::span::Span;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding};
use std::borrow::Cow;

/// This much of a run must decode to something readable before the whole is decoded.
const PROBE: usize = 32;
/// Nobody wraps shorter lines.
const LINE: usize = 48;
/// More white space does not stand before a line that goes on.
const INDENT: usize = 64;

/// What the run, with the lines that go on from it, decodes to.
pub(super) fn decoded(text: &[u8], run: Span) -> Run {
    let nothing = |seen| Run { found: None, seen };
    let bytes = &text[run.start..run.end];
    // Digits to the base of 16 alone are a hash, or were read as what they are.
    if bytes.iter().take(PROBE).all(u8::is_ascii_hexdigit) {
        return nothing(run.end);
    }
    let is_url = bytes.iter().any(|it| matches!(it, b'-' | b'_'));
    let spec = if is_url {
        BASE64URL_NOPAD
    } else {
        BASE64_NOPAD
    };
    let head = &bytes[..bytes.len().min(PROBE) / 4 * 4];
    let mut probe = [0; PROBE / 4 * 3];
    let length = spec.decode_mut(head, &mut probe[..head.len() / 4 * 3]);
    if !length.is_ok_and(|it| is_readable(&probe[..it])) {
        return nothing(run.end);
    }
    let Lines { span, whole, seen } = lines(text, run, &spec);
    // A last odd character cannot be base64; trailing bits that are not zero are forgiven.
    let whole = &whole[..whole.len() - usize::from(whole.len() % 4 == 1)];
    let full = spec
        .decode(whole)
        .or_else(|_| spec.decode(&whole[..whole.len() / 4 * 4]));
    match full {
        Ok(full) if is_readable(&full) => Run {
            found: Some((span, full)),
            seen,
        },
        _ => nothing(seen),
    }
}

/// A run and the lines that go on from it.
struct Lines<'t> {
    span: Span,
    whole: Cow<'t, [u8]>,
    /// Nothing from here on was looked at.
    seen: usize,
}

fn lines<'t>(text: &'t [u8], run: Span, spec: &Encoding) -> Lines<'t> {
    let first = Cow::Borrowed(&text[run.start..run.end]);
    if run.len() < LINE || !run.len().is_multiple_of(4) {
        return Lines {
            span: run,
            whole: first,
            seen: run.end,
        };
    }
    let is_inside = |it: &u8| it.is_ascii_alphanumeric() || b"+/-_".contains(it);
    let mut whole = first;
    let mut end = run.end;
    loop {
        let rest = &text[end..];
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let Some(rest) = rest.strip_prefix(b"\n") else {
            break;
        };
        let indent = rest
            .iter()
            .take(INDENT)
            .take_while(|it| matches!(it, b' ' | b'\t' | b'#' | b'>'));
        let rest = &rest[indent.count()..];
        let length = rest
            .iter()
            .take(run.len() + 1)
            .take_while(|it| is_inside(it))
            .count();
        // A last line may be shorter; one that is longer, or that goes on, is another text.
        let ends = rest[length..]
            .first()
            .is_none_or(|it| matches!(it, b'\r' | b'\n' | b'=' | b'"' | b'\'' | b' '));
        if length == 0 || length > run.len() || !ends {
            break;
        }
        let line = &rest[..length];
        if spec.decode(&line[..length / 4 * 4]).is_err() {
            break;
        }
        whole.to_mut().extend(line);
        end = text.len() - rest.len() + length;
        if length < run.len() {
            break;
        }
    }
    Lines {
        span: Span::new(run.start, end),
        whole,
        // An end of line, what stands before the next, as much of it as the first has, and two bytes.
        seen: end + 2 + INDENT + run.len() + 2,
    }
}
