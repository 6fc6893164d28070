//! One text under reading, and what every reader needs of it: places, patterns, its tree, its comments.
//!
//! Knows no reference syntax. It carries `name` along, so that readers import one sibling.

pub(super) use crate::refer::name;

use crate::model::reference::{Mention, Role, SecretName};
use crate::model::span::{LineIndex, Place, Span};
use crate::syntax::comments::Comments;
use crate::syntax::literals::Seen;
use crate::syntax::template::{is_template, masked};
use crate::syntax::yaml::{NodeId, Tree};
use regex::{Captures, Match, Regex};
use std::cell::OnceCell;
use std::sync::OnceLock;

/// A pattern that is compiled when it is first needed.
pub(super) struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern in the syntax of the `regex` crate.
    pub(super) const fn new(source: &'static str) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }

    /// The expression; `None` if the source is not valid, which the tests rule out.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| Regex::new(&lean(self.source)).ok())
            .as_ref()
    }
}

/// Repetitions that may go on for longer than this are not counted.
const COUNTED: usize = 60;

/// The same pattern as an automaton of a tenth of the size: white space, digits and word boundaries are
/// those of ASCII (a boundary of Unicode makes the search give up at the first byte beyond), and
/// `{1,256}` is `+`. Whoever takes the mentions drops those that are too long.
fn lean(source: &str) -> String {
    let mut out = String::with_capacity(source.len() * 2);
    let mut in_class = false;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let escape = rest.strip_prefix('\\').and_then(|it| it.chars().next());
        let (written, read): (&str, usize) = match (escape, in_class) {
            (Some('s'), true) => (r" \t\r\n", 2),
            (Some('s'), false) => (r"[ \t\r\n]", 2),
            (Some('S'), false) => (r"[^ \t\r\n]", 2),
            (Some('w'), true) => ("A-Za-z0-9_", 2),
            (Some('w'), false) => ("[A-Za-z0-9_]", 2),
            (Some('d'), true) => ("0-9", 2),
            (Some('d'), false) => ("[0-9]", 2),
            (Some('b'), false) => (r"(?-u:\b)", 2),
            (Some(escaped), _) => (&rest[..1 + escaped.len_utf8()], 1 + escaped.len_utf8()),
            (None, false) => match uncounted(rest) {
                Some(found) => found,
                None => (&rest[..c.len_utf8()], c.len_utf8()),
            },
            (None, true) => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        if escape.is_none() {
            in_class = (in_class || c == '[') && c != ']';
        }
        out.push_str(written);
        rest = &rest[read..];
    }
    out
}

/// `{1,256}` and `{0,256}` at the start of a text, and what is written instead; lazy ones stay, since they
/// say how far a pattern may look.
fn uncounted(text: &str) -> Option<(&'static str, usize)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find('}')?;
    let (least, most) = inner[..end].split_once(',')?;
    let most: usize = most.parse().ok()?;
    let is_lazy = inner[end + 1..].starts_with('?');
    let sign = match least {
        "0" => "*",
        "1" => "+",
        _ => return None,
    };
    (most >= COUNTED && !is_lazy).then_some((sign, end + 2))
}

static EXPANSION: Pattern = Pattern::new(r"\$\{?([A-Za-z_][A-Za-z0-9_]{0,127})");

/// A text with its path.
pub(super) struct File<'a> {
    /// Path, forward slashes.
    pub(super) path: &'a str,
    /// The whole text.
    pub(super) text: &'a str,
    seen: Seen,
    /// The text with its templates overwritten, if it is no YAML before.
    masked: &'a OnceCell<String>,
    lines: OnceCell<LineIndex<'a>>,
    tree: OnceCell<Tree<'a>>,
    comments: Comments<'a>,
}

impl<'a> File<'a> {
    /// A text that nobody has searched for anchors.
    #[cfg(test)]
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Self::searched(path, text, Seen::ALL, Box::leak(Box::default()))
    }

    /// A text of which it is known which anchors stand in it, and room for a second one.
    pub(super) fn searched(
        path: &'a str,
        text: &'a str,
        seen: Seen,
        masked: &'a OnceCell<String>,
    ) -> Self {
        Self {
            path,
            text,
            seen,
            masked,
            lines: OnceCell::new(),
            tree: OnceCell::new(),
            comments: Comments::new(path, text),
        }
    }

    /// Whether one of these anchors stands in the text, as far as that is known.
    pub(super) fn has_any(&self, anchors: &[&str]) -> bool {
        anchors.iter().any(|it| super::has(self.seen, it))
    }

    /// Lines and columns of a span.
    pub(super) fn place(&self, span: Span) -> Place {
        self.lines
            .get_or_init(|| LineIndex::new(self.text.as_bytes()))
            .place(span)
    }

    /// The text as YAML, read once for all readers. Of a template that is none, what it would be with a
    /// dollar sign for every byte that is filled in, if that reads further.
    pub(super) fn tree(&self) -> &Tree<'a> {
        self.tree.get_or_init(|| {
            let tree = Tree::read(self.text);
            if tree.fault.is_none() || !is_template(self.text) {
                return tree;
            }
            let masked = Tree::read(self.masked.get_or_init(|| masked(self.text)));
            match masked.read_to > tree.read_to {
                true => masked,
                false => tree,
            }
        })
    }

    /// What stands at a scalar of [`File::tree`] as the file writes it, templates and all.
    pub(super) fn written(&self, node: NodeId) -> &'a str {
        let tree = self.tree();
        let span = tree.node(tree.follow(node)).span;
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// Why the text is not the YAML it was taken for, if a reader asked.
    pub(super) fn fault(&self) -> Option<String> {
        self.tree.get()?.fault.as_ref().map(ToString::to_string)
    }

    /// A mention of `name` at `span`; in a dotenv file it yields the variable of its line. What is filled
    /// in at run time becomes `*`.
    pub(super) fn mention(
        &self,
        syntax: &'static str,
        mut name: SecretName,
        span: Span,
    ) -> Mention {
        if self.goes_on(span.end) {
            // The slash of `"kv/" + stage` is gone from the name.
            if self.text[..span.end].ends_with('/') && !name.path.ends_with('/') {
                name.path.push('/');
            }
            name.path.push('*');
        }
        if self.went_before(span.start) {
            name.path.insert(0, '*');
        }
        let mut dynamic = false;
        let parts = [
            Some(&mut name.path),
            Some(&mut name.scope),
            name.key.as_mut(),
        ];
        for part in parts.into_iter().flatten() {
            if name::is_open(part) {
                *part = name::pattern(part);
                dynamic = true;
            }
        }
        Mention {
            dynamic,
            yields: self
                .assigned(span.start)
                .map(|variable| name::env(variable, "")),
            name,
            syntax,
            consumer: None,
            place: self.place(span),
            role: Role::Use,
            example: is_documentation(self.path) || self.comments.documents(span.start),
        }
    }

    /// Whether code adds something behind the literal that ends here: `"kv/" + stage`.
    fn goes_on(&self, end: usize) -> bool {
        let rest = self.text.as_bytes().get(end..).unwrap_or_default();
        let [b'"' | b'\'' | b'`', rest @ ..] = rest else {
            return false;
        };
        let spaces = rest.iter().take_while(|it| **it == b' ').count();
        matches!(&rest[spaces..], [b'+', next, ..] if !matches!(next, b'=' | b'+'))
    }

    /// Whether code adds something before the literal that begins here: `stage + "/db"`.
    fn went_before(&self, start: usize) -> bool {
        let before = self.text.as_bytes().get(..start).unwrap_or_default();
        let [before @ .., b'"' | b'\'' | b'`'] = before else {
            return false;
        };
        let spaces = before.iter().rev().take_while(|it| **it == b' ').count();
        before[..before.len() - spaces].ends_with(b"+")
    }

    /// The same at a scalar of [`File::tree`].
    pub(super) fn mention_at(
        &self,
        syntax: &'static str,
        name: SecretName,
        node: NodeId,
    ) -> Mention {
        let tree = self.tree();
        self.mention(syntax, name, tree.node(tree.follow(node)).span)
    }

    /// Calls `take` for each match that does not stand in a comment line.
    pub(super) fn each(&self, pattern: &Pattern, mut take: impl FnMut(&Captures<'a>)) {
        let Some(regex) = pattern.regex() else { return };
        for captures in regex.captures_iter(self.text) {
            let at = captures.get(0).map_or(0, |it| it.start());
            if !self.is_comment(at) {
                take(&captures);
            }
        }
    }

    /// Calls `take` for each variable (`$X`, `${X}`) that stands within, none of comments.
    pub(super) fn each_variable(&self, within: Span, take: &mut dyn FnMut(&'a str, Span)) {
        let (Some(regex), Some(text)) =
            (EXPANSION.regex(), self.text.get(within.start..within.end))
        else {
            return;
        };
        for found in regex.captures_iter(text).filter_map(|it| it.get(1)) {
            let at = within.start + found.start();
            let is_escaped = self.text[..at].trim_end_matches('{').ends_with("$$");
            if !is_escaped && !self.is_comment(at) {
                let span = Span::new(at, at + found.len());
                take(&self.text[span.start..span.end], span);
            }
        }
    }

    /// Whether this offset stands in a comment.
    pub(super) fn is_comment(&self, offset: usize) -> bool {
        self.comments.holds(offset)
    }

    /// What stands on the line before an offset; `None` if the line is too long to look.
    pub(super) fn line_before(&self, offset: usize) -> Option<&'a str> {
        self.comments.line_before(offset)
    }

    /// In a dotenv file, the variable that the line of this offset assigns.
    fn assigned(&self, offset: usize) -> Option<&'a str> {
        if !is_dotenv(self.path) {
            return None;
        }
        let before = self.line_before(offset)?.trim_start();
        let before = before
            .strip_prefix("export ")
            .unwrap_or(before)
            .trim_start();
        let (variable, _) = before.split_once('=')?;
        let variable = variable.trim_end();
        is_variable(variable).then_some(variable)
    }
}

/// The mention with a `*` for what templates fill in, also in what it passes on and who uses it.
pub(super) fn settled(mut mention: Mention) -> Mention {
    let is_filled = |it: &str| it.contains("$$") || it.contains("{{");
    let settle = |text: &mut String| {
        if is_filled(text) {
            *text = name::pattern(text);
        }
    };
    mention.consumer.iter_mut().for_each(settle);
    if let Some(name) = &mut mention.yields {
        settle(&mut name.path);
        settle(&mut name.scope);
        name.key.iter_mut().for_each(settle);
    }
    mention
}

/// A group of a match with its span.
pub(super) fn group<'a>(captures: &Captures<'a>, index: usize) -> Option<(&'a str, Span)> {
    captures.get(index).map(spanned)
}

/// The text of a match with its span.
pub(super) fn spanned(found: Match<'_>) -> (&str, Span) {
    (found.as_str(), Span::new(found.start(), found.end()))
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What follows the last dot of the file name, empty without one.
pub(super) fn extension(path: &str) -> &str {
    file_name(path).rsplit_once('.').map_or("", |(_, it)| it)
}

/// Whether what lies here is there to be read by people: manuals, examples.
pub(super) fn is_documentation(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_prose = matches!(
        extension(name),
        "md" | "mdx" | "markdown" | "rst" | "adoc" | "asciidoc" | "tex" | "html" | "htm"
    );
    let is_manual = |it: &str| {
        matches!(
            it,
            "doc"
                | "docs"
                | "documentation"
                | "example"
                | "examples"
                | "sample"
                | "samples"
                | "website"
        )
    };
    is_prose || name.starts_with("README") || folders.split('/').any(is_manual)
}

/// Whether the name says YAML or JSON.
pub(super) fn is_tree(path: &str) -> bool {
    matches!(extension(path), "yaml" | "yml" | "json")
}

/// Whether the name is one of the dotenv family.
pub(super) fn is_dotenv(path: &str) -> bool {
    let name = file_name(path);
    name == ".env" || name == ".envrc" || name.starts_with(".env.") || name.ends_with(".env")
}

/// Whether this can be the name of an environment variable.
pub(super) fn is_variable(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_made_lean() {
        for (source, expected) in [
            (r"\ba\s{1,256}", r"(?-u:\b)a[ \t\r\n]+"),
            (r"[^\s]{0,127}x{1,3}", r"[^ \t\r\n]*x{1,3}"),
            (r"a{0,200}?\\\n", r"a{0,200}?\\\n"),
            (r"\{a\}[{}]{1,64}\w", r"\{a\}[{}]+[A-Za-z0-9_]"),
        ] {
            assert_eq!(lean(source), expected);
        }
    }

    #[test]
    fn documentation_is_known_by_its_path() {
        for path in [
            "README",
            "a/README.md",
            "docs/x.py",
            "examples/a/x.tf",
            "x.rst",
        ] {
            assert!(is_documentation(path), "{path}");
        }
        for path in ["doctor.py", "src/docs.py", "app/x.tf", "exampled/x"] {
            assert!(!is_documentation(path), "{path}");
        }
    }

    #[test]
    fn what_is_filled_in_is_a_star() {
        let text =
            "get(\"kv/\" + stage) get(\"kv/%s/db\" % stage) get(\"kv/a\") get(base + \"kv/b\")";
        let file = File::new("a.py", text);
        let found: Vec<_> = text
            .match_indices("kv/")
            .map(|(start, _)| {
                let end = start + text[start..].find('"').unwrap();
                let span = Span::new(start, end);
                let it = file.mention("x", SecretName::new("vault", &text[start..end]), span);
                (it.name.path, it.dynamic)
            })
            .collect();
        let expected = [
            ("kv/*", true),
            ("kv/*/db", true),
            ("kv/a", false),
            ("*kv/b", true),
        ];
        assert_eq!(
            found,
            expected.map(|(path, dynamic)| (path.to_owned(), dynamic))
        );
    }

    #[test]
    fn dotenv_lines_yield_their_variable() {
        let text = "export A_B = op://x\n1C=op://y\n";
        let file = File::new("shop/.env.prod", text);
        assert_eq!(file.assigned(text.find("op://x").unwrap()), Some("A_B"));
        assert_eq!(file.assigned(text.find("op://y").unwrap()), None);
        assert_eq!(File::new("a.yaml", text).assigned(15), None);
    }
}
