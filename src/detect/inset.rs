//! Pieces of a text that are there to be seen, where only the whole text tells: modules of tests, and long
//! documentation between triple quotes. Asked when candidates are settled, which sees whole texts.
//!
//! Not here: what stands near a value (`exhibit`).

use super::exhibit::is_docstring;
use super::trail::Found;
use crate::model::purpose::Purpose;
use crate::model::span::Span;
use memchr::memmem;
use std::sync::Arc;

/// How far before a mark its line is looked for.
const LINE: usize = 200;

/// Pieces of a text. Those of one kind are sorted and lie apart.
pub(crate) struct Insets {
    kinds: [(Vec<Span>, Purpose); 3],
}

impl Insets {
    /// The pieces of a whole text.
    pub(crate) fn new(text: &[u8]) -> Self {
        Self {
            kinds: [
                (test_modules(text), Purpose::TestCode),
                (docstrings(text, b"\"\"\""), Purpose::DocComment),
                (docstrings(text, b"'''"), Purpose::DocComment),
            ],
        }
    }

    /// What the piece around a place is for.
    pub(crate) fn purpose(&self, place: Span) -> Option<Purpose> {
        self.kinds.iter().find_map(|(pieces, purpose)| {
            let behind = pieces.partition_point(|it| it.start <= place.start);
            let piece = pieces.get(behind.checked_sub(1)?)?;
            piece.contains(place).then_some(*purpose)
        })
    }
}

/// Where the line begins in which a mark stands; lines of code are short.
fn line_of(text: &[u8], mark: usize) -> usize {
    let floor = mark.saturating_sub(LINE);
    memchr::memrchr(b'\n', &text[floor..mark]).map_or(floor, |it| floor + it + 1)
}

/// Triple quotes open and close by turns; what opens as documentation does is documentation.
fn docstrings(text: &[u8], quote: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut quotes = memmem::find_iter(text, quote);
    while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
        let start = line_of(text, open);
        let end = close.min(open + LINE);
        let line = text[start..end].split(|it| *it == b'\n').next();
        let line = line.unwrap_or_default().trim_ascii();
        let above = &text[start.saturating_sub(LINE)..start];
        let below_head = line == quote && above.trim_ascii_end().ends_with(b":");
        if below_head || is_docstring(line) {
            found.push(Span::new(open, close));
        }
    }
    found
}

/// `#[cfg(test)]` and the module below it, to the brace that closes at its depth.
fn test_modules(text: &[u8]) -> Vec<Span> {
    let mut modules = Vec::new();
    let mut at = 0;
    while let Some(found) = memmem::find(&text[at..], b"#[cfg(") {
        let start = at + found;
        at = start + 6;
        let is_test = text[at..].starts_with(b"test)") || text[at..].starts_with(b"all(test");
        let indent = &text[line_of(text, start)..start];
        if !is_test || !indent.iter().all(|it| matches!(it, b' ' | b'\t')) {
            continue;
        }
        let Some(open) = block(&text[start..]) else {
            continue;
        };
        let close = [b"\n", indent, b"}"].concat();
        let rest = &text[start + open..];
        let end = start + open + memmem::find(rest, &close).unwrap_or(rest.len());
        modules.push(Span::new(start, end));
        at = end;
    }
    modules
}

/// Where the module below an attribute opens its brace.
fn block(text: &[u8]) -> Option<usize> {
    let text = &text[..text.len().min(6 * LINE)];
    let mut at = 0;
    for line in text.split(|it| *it == b'\n').take(6) {
        let said = line.trim_ascii();
        let module = [&b"pub(crate) "[..], b"pub(super) ", b"pub "]
            .iter()
            .find_map(|it| said.strip_prefix(*it))
            .unwrap_or(said);
        if module.starts_with(b"mod ") {
            return said.ends_with(b"{").then_some(at + line.len());
        }
        if !said.starts_with(b"#[") && !said.starts_with(b"//") {
            return None;
        }
        at += line.len() + 1;
    }
    None
}

/// Tells of the candidates about which their surroundings say nothing what the whole text says of them.
pub(super) fn show(text: &[u8], found: &mut [Found]) {
    let is_told = |it: &Found| {
        let purpose = it.candidate.purpose;
        matches!(purpose, Some(Purpose::DocComment | Purpose::TestCode))
    };
    if found.iter().all(is_told) {
        return;
    }
    let insets = Insets::new(text);
    for it in found {
        if let (false, Some(purpose)) = (is_told(it), insets.purpose(it.span)) {
            Arc::make_mut(&mut it.candidate).purpose = Some(purpose);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(text: &str) -> Option<Purpose> {
        let at = text.find("VALUE").unwrap();
        Insets::new(text.as_bytes()).purpose(Span::new(at, at + 5))
    }

    #[test]
    fn whole_pieces_are_known() {
        let far = "    // more\n".repeat(200);
        for (before, after, expected) in [
            (
                "x\n\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n",
                "    T = \"VALUE\";\n}\n",
                Some(Purpose::TestCode),
            ),
            ("#[cfg(test)]\nmod tests {\n", "}\n\nT = \"VALUE\";\n", None),
            ("#[cfg(test)]\nmod tests;\n", "T = \"VALUE\";\n", None),
            (
                "EXAMPLES = r'''\n",
                "- password: VALUE\n'''\n",
                Some(Purpose::DocComment),
            ),
            (
                "def f():\n    \"\"\"\n",
                "    f(VALUE)\n    \"\"\"\n",
                Some(Purpose::DocComment),
            ),
            ("CONFIG = '''\n", "password: VALUE\n'''\n", None),
            ("EXAMPLES = r'''\n", "'''\npassword = 'VALUE'\n", None),
        ] {
            let text = format!("{before}{far}{after}");
            assert_eq!(purpose(&text), expected, "{before}{after}");
        }
    }
}
