//! Views of a blob: its text in UTF-8, and texts hidden in encodings within it, with limits on depth,
//! size and ratio. Containers will join the same recursion.

pub mod charset;
mod encoding;

use crate::model::coverage::Reason;
use crate::model::delta::Edit;
use crate::model::span::Span;
use std::borrow::Cow;

/// Limits of the recursion.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Encodings within encodings.
    pub max_depth: usize,
    /// Bytes of one decoded text.
    pub max_size: usize,
    /// All decoded bytes together, as a multiple of the blob's own.
    pub max_ratio: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_depth: 4,
            max_size: 64 << 20,
            max_ratio: 16,
        }
    }
}

/// One text of a blob.
#[derive(Debug)]
pub struct View<'a> {
    /// UTF-8 text, or text runs of a binary.
    pub text: Cow<'a, [u8]>,
    /// Encodings undone, outermost first.
    pub via: Vec<&'static str>,
    /// For a text inside another: where its encoding lies in the root text.
    pub outer: Option<Span>,
    /// Whether the blob is binary, so that only its text runs remain.
    pub is_binary: bool,
}

/// Calls `emit` for the root text first, then for each text hidden in it, depth first; `gap` for limits.
pub fn each<'a>(
    bytes: &'a [u8],
    options: &Options,
    emit: &mut dyn FnMut(&View<'a>),
    gap: &mut dyn FnMut(Reason, String),
) {
    let root = charset::root(bytes);
    emit(&root);
    let mut budget = bytes.len().saturating_mul(options.max_ratio).max(1 << 16);
    hidden(&root, options, 0, &mut budget, emit, gap);
}

/// Whether each encoding in a plain text of this size is undone for itself, whatever stands elsewhere in
/// the text: no limit binds that its root text shares.
pub fn is_local(size: usize, options: &Options) -> bool {
    // Base64 holds three quarters of its length, so all levels together hold less than three times it.
    options.max_depth > 0 && size <= options.max_size && options.max_ratio >= 3
}

/// The same as [`each`] for a plain text that an edit makes out of another, without the root text and
/// with only those hidden texts whose encoding the edit may have changed.
pub fn changed<'a>(
    bytes: &'a [u8],
    edit: &Edit,
    options: &Options,
    emit: &mut dyn FnMut(&View<'a>),
    gap: &mut dyn FnMut(Reason, String),
) {
    let root = View {
        text: Cow::Borrowed(bytes),
        via: Vec::new(),
        outer: None,
        is_binary: false,
    };
    let mut found = Vec::new();
    encoding::touching(bytes, edit.gaps(), &mut |name, span, text| {
        found.push((name, span, text))
    });
    let mut budget = bytes.len().saturating_mul(options.max_ratio).max(1 << 16);
    undone(&root, found, options, 0, &mut budget, emit, gap);
}

/// Whether an encoding that stands here was copied by an edit, with what bounds it; then by how much it
/// moved.
pub fn copied(span: Span, edit: &Edit) -> impl Iterator<Item = isize> {
    edit.copied().iter().filter_map(move |copied| {
        let shift = copied.shift();
        let (start, end) = (span.start as isize + shift, span.end as isize + shift);
        edit.reach(*copied)
            .holds(start - 1, end + 1)
            .then_some(shift)
    })
}

fn hidden<'a>(
    view: &View<'a>,
    options: &Options,
    depth: usize,
    budget: &mut usize,
    emit: &mut dyn FnMut(&View<'a>),
    gap: &mut dyn FnMut(Reason, String),
) {
    let mut found = Vec::new();
    encoding::each(&view.text, &mut |name, span, text| {
        found.push((name, span, text))
    });
    undone(view, found, options, depth, budget, emit, gap);
}

fn undone<'a>(
    view: &View<'a>,
    found: Vec<(&'static str, Span, Vec<u8>)>,
    options: &Options,
    depth: usize,
    budget: &mut usize,
    emit: &mut dyn FnMut(&View<'a>),
    gap: &mut dyn FnMut(Reason, String),
) {
    for (name, span, text) in found {
        if depth >= options.max_depth {
            gap(
                Reason::LimitHit,
                format!(
                    "an encoding nested deeper than {} was left alone",
                    options.max_depth
                ),
            );
            return;
        }
        if text.len() > options.max_size || text.len() > *budget {
            gap(
                Reason::LimitHit,
                "decoded text beyond the size or ratio limit was left alone".to_owned(),
            );
            return;
        }
        *budget -= text.len();
        let mut via = view.via.clone();
        via.push(name);
        let inner = View {
            text: Cow::Owned(text),
            via,
            outer: Some(view.outer.unwrap_or(span)),
            is_binary: false,
        };
        emit(&inner);
        hidden(&inner, options, depth + 1, budget, emit, gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, BASE64URL_NOPAD};

    fn texts(bytes: &[u8]) -> Vec<(Vec<&'static str>, String)> {
        let mut seen = Vec::new();
        each(
            bytes,
            &Options::default(),
            &mut |view| {
                seen.push((
                    view.via.clone(),
                    String::from_utf8_lossy(&view.text).into_owned(),
                ))
            },
            &mut |_, _| {},
        );
        seen
    }

    #[test]
    fn base64_is_undone_also_nested() {
        let inner = BASE64.encode(b"password = \"q8Zk27xPw0LmN4tYb6Rc\"\n");
        let outer = BASE64URL_NOPAD.encode(format!("data: {inner}").as_bytes());
        let seen = texts(format!("x: {outer}\n").as_bytes());
        assert!(
            seen.iter()
                .any(|(via, text)| via == &["base64", "base64"] && text.contains("q8Zk27xP")),
            "{seen:?}"
        );
    }

    #[test]
    fn every_charset_gives_the_same_text() {
        let text = "clé = wert\npassword = äöü";
        let wide: Vec<u16> = text.encode_utf16().collect();
        let le: Vec<u8> = wide.iter().flat_map(|it| it.to_le_bytes()).collect();
        let be: Vec<u8> = wide.iter().flat_map(|it| it.to_be_bytes()).collect();
        let utf32: Vec<u8> = text
            .chars()
            .flat_map(|it| (it as u32).to_le_bytes())
            .collect();
        let with = |bom: &[u8], body: &[u8]| [bom, body].concat();
        let latin: Vec<u8> = text.chars().map(|it| it as u8).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            with(b"\xEF\xBB\xBF", text.as_bytes()),
            with(b"\xFF\xFE", &le),
            with(b"\xFE\xFF", &be),
            le.clone(),
            be.clone(),
            with(b"\xFF\xFE\0\0", &utf32),
            utf32.clone(),
            latin,
        ] {
            assert_eq!(texts(&bytes)[0].1, text);
        }
    }

    #[test]
    fn binaries_keep_their_text_runs_in_place() {
        let bytes = b"\0\x01\x02\x7fELF password=secretword\0\x03\xff\xfe";
        let mut seen = Vec::new();
        each(
            bytes,
            &Options::default(),
            &mut |view| seen.push((view.is_binary, view.text.to_vec())),
            &mut |_, _| {},
        );
        assert!(seen[0].0);
        assert_eq!(seen[0].1.len(), bytes.len());
        assert!(seen[0].1.windows(19).any(|it| it == b"password=secretword"));
    }

    #[test]
    fn depth_is_bounded_and_told() {
        let mut text = b"the innermost text is plain words here".to_vec();
        for _ in 0..8 {
            text = BASE64.encode(&text).into_bytes();
        }
        let mut told = 0;
        each(&text, &Options::default(), &mut |_| {}, &mut |reason, _| {
            told += usize::from(reason == Reason::LimitHit)
        });
        assert_eq!(told, 1);
    }
}
