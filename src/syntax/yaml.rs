//! YAML (and with it JSON) as a flat tree whose every node knows its byte span.
//!
//! What a key means is not known here. Aliases are kept as links and never copied, so a small text
//! cannot grow into a large tree; nodes are stored in document order, so that a walk is a loop and
//! not a recursion.

use crate::model::span::Span;
use granit_parser::{Event, Parser, ScalarStyle, options};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Collections within collections.
const MAX_DEPTH: usize = 128;
/// Nodes of one text; a file of 10 MB of ordinary YAML has about a million.
const MAX_NODES: usize = 4_000_000;
/// Aliases to aliases, and merge keys within merged mappings.
const MAX_LINKS: usize = 8;

/// Keys of one mapping that are looked at when one is asked for; a thousand links to one huge mapping
/// must not cost a thousand times its size.
const MAX_KEYS: usize = 1_000;

/// The number of a node within its [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(u32);

/// What a node is.
#[derive(Debug)]
pub enum Content<'a> {
    /// Text; numbers and booleans stay as written.
    Scalar(Cow<'a, str>),
    /// A list.
    Sequence(Vec<NodeId>),
    /// Keys with values, in the order written.
    Mapping(Vec<(NodeId, NodeId)>),
    /// A link to an anchored node of the same document; `None` where the anchor is still open.
    Alias(Option<NodeId>),
}

/// One node.
#[derive(Debug)]
pub struct Node<'a> {
    /// What it is.
    pub content: Content<'a>,
    /// Its bytes: a scalar's text without quotes or block header.
    pub span: Span,
    /// Whether [`Node::span`] holds exactly the bytes of the scalar's text.
    pub verbatim: bool,
    /// The key it stands under, if it is a mapping's value.
    pub label: Option<NodeId>,
    /// The collection it stands in.
    pub parent: Option<NodeId>,
    end: u32,
}

/// Why reading stopped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The text is not YAML from here on.
    #[error("line {line}: not readable as YAML: {reason}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// The parser's words; they hold a bracket or one character of the input at most.
        reason: String,
    },
    /// Too deep or too many nodes.
    #[error("line {line}: nested too deep or too large; what follows is read as plain text")]
    Limit {
        /// Line, from 1.
        line: usize,
    },
}

/// The documents of one text.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    roots: Vec<NodeId>,
    /// Why and where reading stopped early.
    pub fault: Option<Fault>,
    /// All documents that end before this offset are in the tree.
    pub read_to: usize,
}

impl<'a> Tree<'a> {
    /// Reads all documents. A fault keeps the documents before it.
    pub fn read(text: &'a str) -> Self {
        Self::read_within(text, Span::new(0, text.len()))
    }

    /// Reads YAML that stands within a text, for instance in a block scalar; spans count from the
    /// start of the whole text.
    pub fn read_within(text: &'a str, span: Span) -> Self {
        let Some(part) = text.get(span.start..span.end) else {
            return Self::default();
        };
        let mut builder = Builder {
            text: part,
            base: span.start,
            tree: Tree::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
        };
        builder.run();
        builder.tree
    }

    /// The top node of each document.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id.0 as usize]
    }

    /// The node and all below it, in document order; aliases are not followed.
    pub fn walk(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        let range: Range<u32> = id.0..self.node(id).end;
        range.map(NodeId)
    }

    /// Every node of every document, in document order.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// The node an alias stands for, else the node itself.
    pub fn follow(&self, mut id: NodeId) -> NodeId {
        for _ in 0..MAX_LINKS {
            match self.node(id).content {
                Content::Alias(Some(target)) => id = target,
                _ => break,
            }
        }
        id
    }

    /// A scalar's text.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        match &self.node(self.follow(id)).content {
            Content::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The value under a key of a mapping, also through merge keys; mappings are searched up to a
    /// bound of 1,000 keys.
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.look_up(id, key, MAX_LINKS)
    }

    fn look_up(&self, id: NodeId, key: &str, links: usize) -> Option<NodeId> {
        let entries = self.entries(id);
        let named = |name: &str| {
            entries
                .iter()
                .take(MAX_KEYS)
                .find(|(label, _)| self.text(*label) == Some(name))
                .map(|(_, value)| *value)
        };
        named(key).or_else(|| {
            let merged = (links > 0).then(|| named("<<")).flatten()?;
            match self.items(merged) {
                [] => self.look_up(merged, key, links - 1),
                // A list of merged mappings is not searched further than one level: no fan-out.
                several => several
                    .iter()
                    .take(MAX_LINKS)
                    .find_map(|it| self.look_up(*it, key, 0)),
            }
        })
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, id: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter().try_fold(id, |id, key| self.get(id, key))
    }

    /// The scalar at the end of a path of keys, if it is not empty.
    pub fn text_at(&self, id: NodeId, path: &[&str]) -> Option<&str> {
        self.text(self.at(id, path)?)
            .filter(|text| !text.is_empty())
    }

    /// Keys and values of a mapping; nothing for other nodes.
    pub fn entries(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match &self.node(self.follow(id)).content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a sequence; nothing for other nodes.
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.node(self.follow(id)).content {
            Content::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text of the key a node stands under.
    pub fn label(&self, id: NodeId) -> Option<&str> {
        self.text(self.node(id).label?)
    }
}

struct Open {
    id: NodeId,
    key: Option<NodeId>,
}

struct Builder<'a> {
    text: &'a str,
    base: usize,
    tree: Tree<'a>,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
}

impl<'a> Builder<'a> {
    fn run(&mut self) {
        let options = options! { emit_comments: false, flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        while let Some(next) = parser.next_event() {
            match next {
                Ok((event, span)) => self.take(event, &span),
                Err(error) => {
                    self.tree.fault = Some(Fault::Syntax {
                        line: error.marker().line(),
                        reason: error.info(),
                    });
                }
            }
            if self.tree.fault.is_some() {
                return self.drop_open();
            }
        }
        self.tree.read_to = self.base + self.text.len();
    }

    /// Takes back the document that was not read to its end.
    fn drop_open(&mut self) {
        if let (Some(first), Some(root)) = (self.open.first(), self.tree.roots.last())
            && first.id == *root
        {
            self.tree.nodes.truncate(root.0 as usize);
            self.tree.roots.pop();
        }
        self.open.clear();
    }

    fn take(&mut self, event: Event<'a>, span: &granit_parser::Span) {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let (span, verbatim) = self.inner(span, style, &text);
                self.add(Content::Scalar(text), span, verbatim, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                let span = self.outer(span);
                self.begin(Content::Sequence(Vec::new()), span, anchor);
            }
            Event::MappingStart(_, anchor, _) => {
                let span = self.outer(span);
                self.begin(Content::Mapping(Vec::new()), span, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => self.finish(span),
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                // A collection that holds itself would make every walk through links endless.
                let target = target.filter(|id| self.open.iter().all(|open| open.id != *id));
                let span = self.outer(span);
                self.add(Content::Alias(target), span, false, 0);
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                self.tree.read_to = self.outer(span).end;
            }
            _ => {}
        }
    }

    fn begin(&mut self, content: Content<'a>, span: Span, anchor: usize) {
        if let Some(id) = self.add(content, span, false, anchor) {
            if self.open.len() >= MAX_DEPTH {
                self.limit(span);
            }
            self.open.push(Open { id, key: None });
        }
    }

    fn finish(&mut self, span: &granit_parser::Span) {
        let end = self.outer(span).end;
        if let Some(open) = self.open.pop() {
            let count = self.tree.nodes.len() as u32;
            let node = &mut self.tree.nodes[open.id.0 as usize];
            node.end = count;
            node.span.end = end.max(node.span.end);
        }
    }

    fn add(
        &mut self,
        content: Content<'a>,
        span: Span,
        verbatim: bool,
        anchor: usize,
    ) -> Option<NodeId> {
        let id = NodeId(u32::try_from(self.tree.nodes.len()).ok()?);
        if self.tree.nodes.len() >= MAX_NODES {
            self.limit(span);
            return None;
        }
        let label = self.attach(id);
        self.tree.nodes.push(Node {
            content,
            span,
            verbatim,
            label,
            parent: self.open.last().map(|open| open.id),
            end: id.0 + 1,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        Some(id)
    }

    /// Hangs a node into the innermost open collection; gives the key it stands under.
    fn attach(&mut self, id: NodeId) -> Option<NodeId> {
        let Some(open) = self.open.last_mut() else {
            self.tree.roots.push(id);
            return None;
        };
        match &mut self.tree.nodes[open.id.0 as usize].content {
            Content::Sequence(items) => items.push(id),
            Content::Mapping(entries) => match open.key.take() {
                Some(key) => {
                    entries.push((key, id));
                    return Some(key);
                }
                None => open.key = Some(id),
            },
            _ => {}
        }
        None
    }

    fn limit(&mut self, span: Span) {
        let before = &self.text.as_bytes()[..(span.start - self.base).min(self.text.len())];
        self.tree.fault = Some(Fault::Limit {
            line: memchr::memchr_iter(b'\n', before).count() + 1,
        });
    }

    fn outer(&self, span: &granit_parser::Span) -> Span {
        let last = self.text.len();
        let start = span.start.byte_offset().unwrap_or(0).min(last);
        let end = span.end.byte_offset().unwrap_or(start).clamp(start, last);
        Span::new(self.base + start, self.base + end)
    }

    /// A scalar's own bytes, without quotes or block header.
    fn inner(&self, span: &granit_parser::Span, style: ScalarStyle, value: &str) -> (Span, bool) {
        let outer = self.outer(span);
        let Some(raw) = self
            .text
            .get(outer.start - self.base..outer.end - self.base)
        else {
            return (outer, false);
        };
        let mut inner = outer;
        match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if raw.len() >= 2 => {
                inner = Span::new(outer.start + 1, outer.end - 1);
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                if raw.starts_with(['|', '>']) {
                    inner.start += memchr::memchr(b'\n', raw.as_bytes()).map_or(0, |at| at + 1);
                }
                // From the start of a line, so that all lines are indented alike.
                let before = &self.text.as_bytes()[..inner.start - self.base];
                let indent = before.iter().rev().take_while(|it| **it == b' ').count();
                inner.start -= indent;
            }
            _ => inner.end -= raw.len() - raw.trim_end().len(),
        }
        let bytes = self
            .text
            .get(inner.start - self.base..inner.end - self.base);
        (inner, bytes == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice<'t>(text: &'t str, tree: &Tree<'_>, id: NodeId) -> &'t str {
        let span = tree.node(id).span;
        &text[span.start..span.end]
    }

    #[test]
    fn scalars_know_their_own_bytes() {
        let text = "# c\na: plain  # note\nb: 'sing''le'\n\"ü\": \"dou\\tble\"\nd: |\n  line one\n  line two\ne: [x, \"y\"]\n";
        let tree = Tree::read(text);
        assert_eq!(tree.fault, None);
        let root = tree.roots()[0];
        for (key, value, raw) in [
            ("a", "plain", "plain"),
            ("b", "sing'le", "sing''le"),
            ("ü", "dou\tble", "dou\\tble"),
        ] {
            let id = tree.get(root, key).unwrap();
            assert_eq!(tree.text(id), Some(value));
            assert_eq!(slice(text, &tree, id), raw);
            assert_eq!(tree.node(id).verbatim, value == raw, "{key}");
            assert_eq!(tree.label(id), Some(key));
        }
        let block = tree.get(root, "d").unwrap();
        assert!(slice(text, &tree, block).starts_with("  line one\n  line two"));
        let list = tree.items(tree.get(root, "e").unwrap());
        assert_eq!(slice(text, &tree, list[1]), "y");
    }

    #[test]
    fn json_with_tabs_is_read() {
        let text = "{\n\t\"secrets\": [\n\t\t{\"name\": \"A\",\"valueFrom\":\"b/c\"}\n\t],\n\t\"n\": 1\n}\n";
        let tree = Tree::read(text);
        assert_eq!(tree.fault, None);
        let item = tree.items(tree.get(tree.roots()[0], "secrets").unwrap())[0];
        let value = tree.get(item, "valueFrom").unwrap();
        assert_eq!(slice(text, &tree, value), "b/c");
    }

    #[test]
    fn long_strings_in_json_are_read() {
        let long = "x".repeat(5_000);
        let text = format!("{{\"a\": \"{long}\", \"b\": [\"{long}\", 1], \"c\":{{\"d\":\"e\"}}}}");
        let tree = Tree::read(&text);
        assert_eq!(tree.fault, None);
        assert_eq!(tree.text_at(tree.roots()[0], &["c", "d"]), Some("e"));
    }

    #[test]
    fn documents_before_a_fault_are_kept() {
        let text = "a: 1\n---\nb: {{ .Values.x }}-y\nc: ]\n";
        let tree = Tree::read(text);
        assert!(tree.fault.is_some());
        assert_eq!(tree.roots().len(), 1);
        assert_eq!(tree.text_at(tree.roots()[0], &["a"]), Some("1"));
        assert!(text[..tree.read_to].starts_with("a: 1\n"));
        assert!(!text[..tree.read_to].contains("b:"));
    }

    #[test]
    fn yaml_in_a_block_scalar_keeps_its_place() {
        let text = "objects: |\n  - name: shop\n    key: password\n";
        let tree = Tree::read(text);
        let block = tree.get(tree.roots()[0], "objects").unwrap();
        let within = Tree::read_within(text, tree.node(block).span);
        let item = within.items(within.roots()[0])[0];
        let key = within.get(item, "key").unwrap();
        assert_eq!(within.node(key).span.start, text.find("password").unwrap());
    }

    #[test]
    fn aliases_and_merges_are_links() {
        let text = "base: &b {mount: kv}\nuse:\n  <<: *b\n  path: shop\nagain: *b\n";
        let tree = Tree::read(text);
        let root = tree.roots()[0];
        assert_eq!(tree.text_at(root, &["use", "mount"]), Some("kv"));
        assert_eq!(tree.text_at(root, &["again", "mount"]), Some("kv"));
    }

    #[test]
    fn hostile_texts_end_soon() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for n in 1..60 {
            let last = format!("*a{}", n - 1);
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![last; 9].join(","));
        }
        let tree = Tree::read(&bomb);
        assert!(tree.all().count() < 2000);
        for text in [
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "- ".repeat(100_000),
            (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect(),
        ] {
            assert!(Tree::read(&text).fault.is_some());
        }
        let own = Tree::read("a: &a\n  b: *a\n  <<: *a\n");
        assert_eq!(own.text_at(own.roots()[0], &["a", "c"]), None);
    }
}
