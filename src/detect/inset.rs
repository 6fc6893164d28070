//! Pieces of a text that are there to be seen, where only the whole text tells: modules of tests, and long
//! documentation between triple quotes. Asked when candidates are settled, which sees whole texts.
//!
//! Not here: what stands near a value (`exhibit`).

use super::exhibit::is_docstring;
use crate::model::purpose::Purpose;
use crate::model::span::Span;
use memchr::memmem;

/// The pieces, in no order.
pub(crate) fn of_whole(text: &[u8]) -> Vec<(Span, Purpose)> {
    let mut found = Vec::new();
    for quote in [&b"\"\"\""[..], b"'''"] {
        docstrings(text, quote, &mut found);
    }
    test_modules(text, &mut found);
    found
}

/// Triple quotes open and close by turns; what opens as documentation does is documentation.
fn docstrings(text: &[u8], quote: &[u8], out: &mut Vec<(Span, Purpose)>) {
    let mut quotes = memmem::find_iter(text, quote);
    while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
        let start = memchr::memrchr(b'\n', &text[..open]).map_or(0, |it| it + 1);
        let line = text[start..close].split(|it| *it == b'\n').next();
        let line = line.unwrap_or_default().trim_ascii();
        let below_head = line == quote && text[..start].trim_ascii_end().ends_with(b":");
        if below_head || is_docstring(line) {
            out.push((Span::new(open, close), Purpose::DocComment));
        }
    }
}

/// `#[cfg(test)]` and the module below it, to the brace that closes at its depth.
fn test_modules(text: &[u8], out: &mut Vec<(Span, Purpose)>) {
    let mut at = 0;
    while let Some(found) = memmem::find(&text[at..], b"#[cfg(") {
        let start = at + found;
        at = start + 6;
        let is_test = text[at..].starts_with(b"test)") || text[at..].starts_with(b"all(test");
        let line = memchr::memrchr(b'\n', &text[..start]).map_or(0, |it| it + 1);
        let indent = &text[line..start];
        if !is_test || !indent.iter().all(|it| matches!(it, b' ' | b'\t')) {
            continue;
        }
        let Some(open) = block(&text[start..]) else {
            continue;
        };
        let close = [b"\n", indent, b"}"].concat();
        let rest = &text[start + open..];
        let end = start + open + memmem::find(rest, &close).unwrap_or(rest.len());
        out.push((Span::new(start, end), Purpose::TestCode));
        at = end;
    }
}

/// Where the module below an attribute opens its brace.
fn block(text: &[u8]) -> Option<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(text: &str) -> Option<Purpose> {
        let at = text.find("VALUE").unwrap();
        let pieces = of_whole(text.as_bytes());
        pieces
            .into_iter()
            .find(|(it, _)| it.contains(Span::new(at, at + 5)))
            .map(|it| it.1)
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
