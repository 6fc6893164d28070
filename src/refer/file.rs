//! One text under reading, and what every reader needs of it: places, patterns, its tree, its comments.
//!
//! Knows no reference syntax. It carries `name` along, so that readers import one sibling.

pub(super) use crate::refer::name;

use crate::model::reference::{Mention, SecretName};
use crate::model::span::{LineIndex, Place, Span};
use crate::syntax::literals::Seen;
use crate::syntax::yaml::{NodeId, Tree};
use regex::{Captures, Match, Regex};
use std::cell::OnceCell;
use std::sync::OnceLock;

/// How far back a line is looked at to tell whether it is a comment or an assignment.
const LINE_REACH: usize = 300;

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
            .get_or_init(|| {
                // A word boundary of Unicode makes the automaton give up at the first byte beyond ASCII.
                let ascii = self.source.replace(r"\b", r"(?-u:\b)");
                Regex::new(&ascii.replace(r"\w", "[A-Za-z0-9_]")).ok()
            })
            .as_ref()
    }
}

/// A text with its path.
pub(super) struct File<'a> {
    /// Path, forward slashes.
    pub(super) path: &'a str,
    /// The whole text.
    pub(super) text: &'a str,
    seen: Seen,
    lines: OnceCell<LineIndex<'a>>,
    tree: OnceCell<Tree<'a>>,
}

impl<'a> File<'a> {
    /// A text that nobody has searched for anchors.
    #[cfg(test)]
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Self::searched(path, text, Seen::ALL)
    }

    /// A text of which it is known which anchors stand in it.
    pub(super) fn searched(path: &'a str, text: &'a str, seen: Seen) -> Self {
        Self {
            path,
            text,
            seen,
            lines: OnceCell::new(),
            tree: OnceCell::new(),
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

    /// The text as YAML, read once for all readers.
    pub(super) fn tree(&self) -> &Tree<'a> {
        self.tree.get_or_init(|| Tree::read(self.text))
    }

    /// Why the text is not the YAML it was taken for, if a reader asked.
    pub(super) fn fault(&self) -> Option<String> {
        self.tree.get()?.fault.as_ref().map(ToString::to_string)
    }

    /// A mention of `name` at `span`; in a dotenv file it yields the variable of its line.
    pub(super) fn mention(&self, syntax: &'static str, name: SecretName, span: Span) -> Mention {
        let is_open = |text: &Option<String>| text.as_deref().is_some_and(name::is_open);
        Mention {
            dynamic: name::is_open(&name.path) || is_open(&name.key) || name::is_open(&name.scope),
            yields: self
                .assigned(span.start)
                .map(|variable| name::env(variable, "")),
            name,
            syntax,
            consumer: None,
            place: self.place(span),
        }
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

    /// Whether the line of this offset is a comment from its start.
    pub(super) fn is_comment(&self, offset: usize) -> bool {
        let Some(before) = self.line_before(offset) else {
            return false;
        };
        let line = before.trim_start();
        let word = |mark: &str| {
            line.strip_prefix(mark)
                .is_some_and(|it| !it.starts_with('!'))
        };
        word("#") || word("//") || word("/*") || word("* ") || word("<!--") || word(";")
    }

    /// What stands on the line before an offset; `None` if the line is too long to look.
    pub(super) fn line_before(&self, offset: usize) -> Option<&'a str> {
        let from = offset.saturating_sub(LINE_REACH);
        let start = match memchr::memrchr(b'\n', &self.text.as_bytes()[from..offset]) {
            Some(at) => from + at + 1,
            None if from == 0 => 0,
            None => return None,
        };
        self.text.get(start..offset)
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
    fn comment_lines_are_known() {
        let text = "#!/bin/sh\n  # a X\n// X\nX # X\n* X\n*X";
        let file = File::new("a.sh", text);
        let found: Vec<_> = text
            .match_indices('X')
            .map(|(at, _)| file.is_comment(at))
            .collect();
        assert_eq!(found, [true, true, false, false, true, false]);
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
