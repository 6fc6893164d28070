//! Which bytes of a text are comments, by the language that its path tells.
//!
//! A line is looked at from its start with its quotes; blocks are found once for the whole text. No language
//! is parsed: a quote that goes over several lines may hide a mark or show one.

use crate::model::span::Span;
use std::cell::OnceCell;

/// How far back a line is looked at.
const LINE_REACH: usize = 300;

/// How a language writes comments.
#[derive(Debug)]
struct Style {
    /// What begins a comment that goes to the end of the line.
    marks: &'static [&'static str],
    /// Whether such a mark must begin a word: `a#b` is no comment in a shell.
    words: bool,
    /// Marks that count only as the first thing of a line.
    first: &'static [&'static str],
    /// What encloses a comment of several lines.
    block: Option<(&'static str, &'static str)>,
    /// Whether a string that begins a line is documentation.
    docstrings: bool,
}

const NONE: Style = Style {
    marks: &[],
    words: false,
    first: &[],
    block: None,
    docstrings: false,
};
const HASH: Style = Style {
    marks: &["#"],
    words: true,
    ..NONE
};
const SLASHES: Style = Style {
    marks: &["//"],
    block: Some(("/*", "*/")),
    ..NONE
};
const MARKUP: Style = Style {
    block: Some(("<!--", "-->")),
    ..NONE
};
const DASHES: Style = Style {
    marks: &["--"],
    words: true,
    block: Some(("/*", "*/")),
    ..NONE
};

/// The style by what follows the last dot, else by the whole name.
fn style(path: &str) -> Style {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map_or("", |(_, it)| it) {
        "py" | "pyi" => Style {
            docstrings: true,
            ..HASH
        },
        "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "m" | "mm" | "cs" | "java" | "kt"
        | "kts" | "scala" | "groovy" | "gradle" | "go" | "rs" | "js" | "jsx" | "mjs" | "cjs"
        | "ts" | "tsx" | "mts" | "cts" | "swift" | "dart" | "bicep" | "jsonc" | "json5" | "css"
        | "scss" | "less" | "proto" | "zig" | "sol" | "v" => SLASHES,
        "tf" | "tofu" | "hcl" | "tfvars" | "nomad" | "php" | "conf" | "sentinel" => Style {
            marks: &["#", "//"],
            words: true,
            block: Some(("/*", "*/")),
            ..NONE
        },
        "ps1" | "psm1" | "psd1" => Style {
            block: Some(("<#", "#>")),
            ..HASH
        },
        "jl" => Style {
            block: Some(("#=", "=#")),
            ..HASH
        },
        "md" | "mdx" | "html" | "htm" | "xml" | "csproj" | "config" | "svg" | "xhtml" | "props" => {
            MARKUP
        }
        "vue" | "svelte" | "astro" => Style {
            first: &["//"],
            ..MARKUP
        },
        "sql" => DASHES,
        "lua" => Style {
            block: Some(("--[[", "]]")),
            ..DASHES
        },
        "hs" | "elm" => Style {
            block: Some(("{-", "-}")),
            ..DASHES
        },
        "ini" | "properties" | "cfg" | "cnf" | "reg" => Style {
            first: &["#", ";", "!"],
            ..NONE
        },
        "vb" | "bas" => Style {
            marks: &["'"],
            words: true,
            ..NONE
        },
        "bat" | "cmd" => Style {
            first: &["rem ", "REM ", "::"],
            ..NONE
        },
        "tex" | "erl" | "hrl" => Style {
            first: &["%"],
            ..NONE
        },
        "clj" | "cljs" | "lisp" | "el" | "asm" => Style {
            first: &[";"],
            ..NONE
        },
        "json" | "ipynb" => Style {
            first: &["//", "#"],
            ..NONE
        },
        "j2" | "jinja" | "jinja2" => Style {
            block: Some(("{#", "#}")),
            ..HASH
        },
        "tpl" | "gotmpl" | "ctmpl" | "tmpl" => Style {
            block: Some(("{{/*", "*/}}")),
            ..HASH
        },
        "yaml" | "yml" | "sh" | "bash" | "zsh" | "ksh" | "fish" | "bats" | "rb" | "rake"
        | "toml" | "env" | "pl" | "pm" | "t" | "r" | "R" | "ex" | "exs" | "nix" | "mk" | "pp"
        | "eyaml" | "sls" | "cmake" | "gemspec" | "erb" | "cr" | "tcl" | "awk" | "sed"
        | "graphql" => HASH,
        _ if name == "Jenkinsfile" => SLASHES,
        _ => Style {
            first: &["# ", "#\t", "##", "//", "/*", "* ", "<!--", "; "],
            marks: &[],
            ..HASH
        },
    }
}

/// The comments of one text.
#[derive(Debug)]
pub struct Comments<'a> {
    text: &'a str,
    style: Style,
    blocks: OnceCell<Vec<Span>>,
    docstrings: OnceCell<Vec<Span>>,
}

impl<'a> Comments<'a> {
    /// Nothing is looked at before it is asked for.
    pub fn new(path: &str, text: &'a str) -> Self {
        Self {
            text,
            style: style(path),
            blocks: OnceCell::new(),
            docstrings: OnceCell::new(),
        }
    }

    /// Whether the byte at this offset stands in a comment.
    pub fn holds(&self, offset: usize) -> bool {
        self.in_line_comment(offset) || self.in_block(offset)
    }

    /// Whether it stands in a string that only documents the code around it.
    pub fn documents(&self, offset: usize) -> bool {
        self.style.docstrings
            && within(
                self.docstrings.get_or_init(|| docstrings(self.text)),
                offset,
            )
    }

    /// What stands on the line before an offset; `None` if the line is too long to look.
    pub fn line_before(&self, offset: usize) -> Option<&'a str> {
        let from = offset.saturating_sub(LINE_REACH);
        let start = match memchr::memrchr(b'\n', self.text.as_bytes().get(from..offset)?) {
            Some(at) => from + at + 1,
            None if from == 0 => 0,
            None => return None,
        };
        self.text.get(start..offset)
    }

    fn in_line_comment(&self, offset: usize) -> bool {
        let Some(before) = self.line_before(offset) else {
            return false;
        };
        let line = before.trim_start();
        if self.style.first.iter().any(|it| line.starts_with(it)) {
            return true;
        }
        !self.style.marks.is_empty() && self.mark_in(before).is_some()
    }

    /// Where a mark stands on a line outside of its quotes.
    fn mark_in(&self, line: &str) -> Option<usize> {
        let bytes = line.as_bytes();
        let mut quote = None;
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            let before = at.checked_sub(1).and_then(|it| bytes.get(it)).copied();
            let begins = before.is_none_or(|it| matches!(it, b' ' | b'\t' | b';' | b'('));
            match quote {
                Some(_) if byte == b'\\' => at += 1,
                Some(open) if byte == open => quote = None,
                Some(_) => {}
                None if self.is_mark(&bytes[at..], begins, before) => return Some(at),
                // An apostrophe within a word opens nothing.
                None if matches!(byte, b'"' | b'`' | b'\'')
                    && !before.is_some_and(|it| it.is_ascii_alphanumeric()) =>
                {
                    quote = Some(byte);
                }
                None => {}
            }
            at += 1;
        }
        None
    }

    fn is_mark(&self, rest: &[u8], begins: bool, before: Option<u8>) -> bool {
        let stands = |it: &&str| rest.starts_with(it.as_bytes());
        // `https://` is no comment; neither is the first line of a script.
        let closes = self
            .style
            .block
            .is_some_and(|(_, close)| rest.starts_with(close.as_bytes()));
        let is_mark = self.style.marks.iter().any(stands);
        is_mark
            && (begins || (!self.style.words && before != Some(b':')))
            && !rest.starts_with(b"#!")
            && !closes
    }

    fn in_block(&self, offset: usize) -> bool {
        let Some((open, close)) = self.style.block else {
            return false;
        };
        within(
            self.blocks.get_or_init(|| self.blocks_of(open, close)),
            offset,
        )
    }

    fn blocks_of(&self, open: &str, close: &str) -> Vec<Span> {
        let bytes = self.text.as_bytes();
        let finder = memchr::memmem::Finder::new(open);
        let mut blocks = Vec::new();
        let mut at = 0;
        while let Some(found) = finder.find(&bytes[at..]) {
            let start = at + found;
            at = start + open.len();
            if !self.opens(start) {
                continue;
            }
            let end = memchr::memmem::find(&bytes[at..], close.as_bytes());
            let end = end.map_or(bytes.len(), |it| at + it + close.len());
            blocks.push(Span::new(start, end));
            at = end;
        }
        blocks
    }

    /// Whether what opens a block does: not within quotes (`"src/*"`), nor behind a mark.
    fn opens(&self, start: usize) -> bool {
        let Some(before) = self.line_before(start) else {
            return true;
        };
        let odd = |quote: char| before.matches(quote).count() % 2 == 1;
        let is_quoted =
            odd('"') || odd('`') || (odd('\'') && !before.trim_start().starts_with('*'));
        !is_quoted && (self.style.marks.is_empty() || self.mark_in(before).is_none())
    }
}

fn within(spans: &[Span], offset: usize) -> bool {
    let behind = spans.partition_point(|it| it.start <= offset);
    behind > 0 && offset < spans[behind - 1].end
}

/// Strings in three quotes that begin their line.
fn docstrings(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = opening(text, at) {
        let quotes = &text[start..start + 3];
        let end = text[start + 3..].find(quotes);
        let end = end.map_or(text.len(), |it| start + 3 + it + 3);
        let line = text[..start].rsplit('\n').next().unwrap_or("");
        if line
            .trim_start_matches(['r', 'R', 'u', ' ', '\t'])
            .is_empty()
        {
            found.push(Span::new(start, end));
        }
        at = end;
    }
    found
}

fn opening(text: &str, from: usize) -> Option<usize> {
    let rest = &text.as_bytes()[from..];
    let double = memchr::memmem::find(rest, b"\"\"\"");
    let near = double.map_or(rest, |it| &rest[..it]);
    let single = memchr::memmem::find(near, b"'''");
    single.or(double).map(|it| from + it)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each `X` of a text: whether it stands in a comment.
    fn commented(path: &str, text: &str) -> Vec<bool> {
        let comments = Comments::new(path, text);
        text.match_indices('X')
            .map(|(at, _)| comments.holds(at))
            .collect()
    }

    #[test]
    fn each_language_has_its_marks() {
        for (path, text, expected) in [
            (
                "a.sh",
                "#!/bin/X\n  # a X\necho a#X \"# X\" X # X\n${#X}",
                &[false, true, false, false, false, true, false][..],
            ),
            (
                "a.yaml",
                "a: X # X\nb: it's # X\nc: 'x # X'\n",
                &[false, true, true, false],
            ),
            (
                "a.js",
                "X // X\n/* X\nX */ X\nf(\"http://X\", 'src/*', X)",
                &[false, true, true, true, false, false, false],
            ),
            ("a.c", "#define X\n/*\n * X\n */\n", &[false, true]),
            ("a.py", "'''\nX\n'''\ns = '''# X'''", &[false, false]),
            ("a.sql", "select X -- X\n# X", &[false, true, false]),
            ("a.tf", "x = X # X\n// X\n", &[false, true, true]),
            ("a.xml", "<a X/> <!-- X -->\n", &[false, true]),
            ("a.md", "# X\n", &[false]),
            ("a.ini", "; X\na = b ; X\n", &[true, false]),
            ("a.ps1", "<# X #> X\n", &[true, false]),
            ("a.tpl", "{{/* X */}} X\n", &[true, false]),
            ("a.lua", "--[[ X\n]] X -- X", &[true, false, true]),
            (
                "a.odd",
                "// X\n# X\n#X\n* X\nX # X",
                &[true, true, false, true, false, false],
            ),
        ] {
            assert_eq!(commented(path, text), expected, "{path} {text:?}");
        }
    }

    #[test]
    fn docstrings_document() {
        let text = "'''X'''\ndef f():\n    \"\"\"Set X.\n    X\n    \"\"\"\n    s = \"\"\"X\"\"\"\n    X\n";
        let comments = Comments::new("a.py", text);
        let found: Vec<_> = text
            .match_indices('X')
            .map(|(at, _)| comments.documents(at))
            .collect();
        assert_eq!(found, [true, true, true, false, false]);
    }

    #[test]
    fn hostile_texts_end_soon() {
        for seed in ["/*", "\"\"\"", "'''\n", "// /*\n", "\"/*\"", "*/"] {
            let text = seed.repeat(200_000 / seed.len());
            for path in ["a.js", "a.py"] {
                let comments = Comments::new(path, &text);
                let n = (0..text.len())
                    .step_by(50)
                    .filter(|at| comments.holds(*at) || comments.documents(*at))
                    .count();
                assert!(n <= text.len());
            }
        }
    }
}
