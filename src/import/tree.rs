//! JSON and YAML exports as trees whose texts are overwritten when dropped.
//!
//! Knows no vendor's shape. Faults keep the place and drop the parser's own words, which may quote the
//! text around it.

use crate::import::intake::{Error, Intake};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::borrow::Cow;
use std::fmt;
use zeroize::Zeroizing;

/// A node of an export. No `Debug`: it holds values.
pub(super) enum Tree {
    /// `null`, `true` and the like carry no value; a number is kept as its text.
    Null,
    Text(Zeroizing<String>),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The member of that name.
    pub(super) fn member(&self, name: &str) -> Option<&Tree> {
        self.members()
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, tree)| tree)
    }

    /// The member at the end of a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, name| tree.member(name))
    }

    /// Members of a map; none of anything else.
    pub(super) fn members(&self) -> &[(String, Tree)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// Items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Tree] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The text, unless empty.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The text of the member of that name, unless empty.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Self::text)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// The bytes that stand for this node as a value: a text itself, anything deeper as compact JSON.
    pub(super) fn value(&self) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(Zeroizing::new(text.as_bytes().to_vec())),
            Self::List(_) | Self::Map(_) => {
                // Grown once, so that no outgrown buffer stays behind with parts of a value.
                let mut bytes = Zeroizing::new(Vec::with_capacity(self.room()));
                self.write(&mut bytes);
                Some(bytes)
            }
        }
    }

    /// An upper bound of the length `write` needs.
    fn room(&self) -> usize {
        match self {
            Self::Null => 4,
            Self::Text(text) => text.len() * 6 + 2,
            Self::List(items) => items.iter().map(|it| it.room() + 1).sum::<usize>() + 2,
            Self::Map(members) => {
                members
                    .iter()
                    .map(|(name, it)| name.len() * 6 + it.room() + 4)
                    .sum::<usize>()
                    + 2
            }
        }
    }

    fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::Null => into.extend_from_slice(b"null"),
            Self::Text(text) => quote(text, into),
            Self::List(items) => {
                into.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        into.push(b',');
                    }
                    item.write(into);
                }
                into.push(b']');
            }
            Self::Map(members) => {
                into.push(b'{');
                for (index, (name, item)) in members.iter().enumerate() {
                    if index > 0 {
                        into.push(b',');
                    }
                    quote(name, into);
                    into.push(b':');
                    item.write(into);
                }
                into.push(b'}');
            }
        }
    }
}

fn quote(text: &str, into: &mut Vec<u8>) {
    // Writing a string to memory cannot fail.
    let _ = serde_json::to_writer(into, text);
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON or YAML")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Tree, E> {
        Ok(text(it.to_string()))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Tree, E> {
        Ok(text(it.to_string()))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Tree, E> {
        Ok(text(it.to_string()))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Tree, E> {
        Ok(text(it.to_string()))
    }

    fn visit_str<E>(self, it: &str) -> Result<Tree, E> {
        Ok(text(it.to_owned()))
    }

    fn visit_string<E>(self, it: String) -> Result<Tree, E> {
        Ok(text(it))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), item)) = access.next_entry::<Name, Tree>()? {
            members.push((name, item));
        }
        Ok(Tree::Map(members))
    }
}

fn text(it: String) -> Tree {
    Tree::Text(Zeroizing::new(it))
}

/// A key of a map; YAML allows numbers and booleans there.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Tree::deserialize(deserializer)? {
            Tree::Text(text) => Ok(Self(text.to_string())),
            _ => Ok(Self(String::new())),
        }
    }
}

/// Objects out of JSON, wherever lists and members of these names hold them; of each only the members that are
/// wanted. The rest is passed over and never copied.
pub(super) struct Walk<'a> {
    pub(super) wanted: &'a [&'a str],
    /// Members that hold further objects.
    pub(super) nested: &'a [&'a str],
    /// Is handed each object that has a wanted member, or no nested one.
    pub(super) take: &'a mut dyn FnMut(Tree),
}

impl Walk<'_> {
    fn again(&mut self) -> Walk<'_> {
        Walk {
            wanted: self.wanted,
            nested: self.nested,
            take: self.take,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        while access.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let (mut members, mut is_wrapping) = (Vec::new(), false);
        while let Some(name) = access.next_key::<Cow<'_, str>>()? {
            if self.nested.contains(&&*name) {
                is_wrapping = true;
                access.next_value_seed(self.again())?;
            } else if self.wanted.contains(&&*name) {
                members.push((name.into_owned(), access.next_value()?));
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        if !members.is_empty() || !is_wrapping {
            (self.take)(Tree::Map(members));
        }
        Ok(())
    }
}

/// One object in JSON, of which only these members are wanted.
pub(super) fn picked(bytes: &[u8], wanted: &[&str]) -> Result<Tree, serde_json::Error> {
    let mut found = Tree::Null;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let walk = Walk {
        wanted,
        nested: &[],
        take: &mut |it| found = it,
    };
    walk.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// JSON documents one after another (one document, or JSON Lines), each with its line.
pub(super) fn json(bytes: &[u8], intake: &Intake<'_>) -> Result<Vec<(u32, Tree)>, Error> {
    documents(bytes).map_err(|(line, column, what)| intake.syntax(line, column, what))
}

/// Documents with the lines that they begin on.
type Documents = Vec<(u32, Tree)>;

/// The same; a fault is its line, its column and what is wrong.
pub(super) fn documents(bytes: &[u8]) -> Result<Documents, (u64, u64, &'static str)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut documents = Vec::new();
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Tree>();
    let (mut line, mut counted) = (1_u32, 0);
    loop {
        let rest = bytes.get(stream.byte_offset()..).unwrap_or_default();
        let start = bytes.len() - rest.trim_ascii_start().len();
        let passed = bytes.get(counted..start).unwrap_or_default();
        let lines = passed.iter().filter(|it| **it == b'\n').count();
        line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        counted = start;
        match stream.next() {
            None => return Ok(documents),
            Some(Ok(tree)) => documents.push((line, tree)),
            Some(Err(error)) => {
                let (line, column) = (error.line(), error.column().max(1));
                return Err((line as u64, column as u64, json_fault(&error)));
            }
        }
    }
}

fn json_fault(error: &serde_json::Error) -> &'static str {
    if error.is_eof() {
        "the JSON ends in the middle"
    } else {
        "this is not JSON"
    }
}

/// Documents of a YAML stream.
pub(super) fn yaml(bytes: &[u8], intake: &Intake<'_>) -> Result<Vec<Tree>, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let lines = bytes
            .iter()
            .take(error.valid_up_to())
            .filter(|it| **it == b'\n')
            .count();
        intake.syntax(lines as u64 + 1, 1, "this is not UTF-8")
    })?;
    serde_saphyr::from_multiple_with_options(text, yaml_options(text.len())).map_err(|error| {
        let place = error.location();
        let (line, column) = place.map_or((1, 1), |it| (it.line(), it.column()));
        intake.syntax(
            line.max(1),
            column.max(1),
            "this is not YAML, or it is nested or aliased too far",
        )
    })
}

/// An export is the owner's own and may be long; what its length cannot explain (aliases that multiply)
/// stays bounded.
fn yaml_options(length: usize) -> serde_saphyr::Options {
    let mut budget = serde_saphyr::budget::Budget::default();
    budget.max_events = budget.max_events.max(length * 2);
    budget.max_nodes = budget.max_nodes.max(length * 2);
    budget.max_documents = budget.max_documents.max(length / 4);
    budget.max_total_scalar_bytes = budget.max_total_scalar_bytes.max(length * 2);
    serde_saphyr::options! {
        budget: Some(budget),
        with_snippet: false,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::Options;

    fn with_intake<T>(act: impl FnOnce(&Intake<'_>) -> T) -> T {
        let options = Options::default();
        act(&Intake::new("x", None, &options, &mut |_| {}))
    }

    #[test]
    fn json_lines_carry_their_line() {
        let documents = with_intake(|it| json(b"\n{\"a\": 1}\n\n  {\"a\": \"b\"}\n", it)).unwrap();
        let seen: Vec<_> = documents
            .iter()
            .map(|(line, tree)| (*line, tree.text_at(&["a"]).unwrap()))
            .collect();
        assert_eq!(seen, [(2, "1"), (4, "b")]);
    }

    #[test]
    fn yaml_scalars_keep_their_text() {
        let text = "a: \"012\"\nb: |\n  one\n  two\n1: x\n---\nc: [1, ~]\n";
        let documents = with_intake(|it| yaml(text.as_bytes(), it)).unwrap();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0].text_at(&["a"]), Some("012"));
        assert_eq!(documents[0].text_at(&["b"]), Some("one\ntwo\n"));
        assert_eq!(documents[0].text_at(&["1"]), Some("x"));
        assert_eq!(documents[1].at(&["c"]).unwrap().items().len(), 2);
    }

    #[test]
    fn deep_values_become_compact_json() {
        let documents = with_intake(|it| json(br#"{"a": {"b": ["c\n", null]}}"#, it)).unwrap();
        let tree = documents[0].1.member("a").unwrap();
        let value = tree.value().unwrap();
        assert_eq!(value.as_slice(), br#"{"b":["c\n",null]}"#);
        assert!(tree.room() >= value.len());
    }

    #[test]
    fn deep_nesting_is_a_fault_and_no_overflow() {
        let deep = "[".repeat(100_000);
        assert!(with_intake(|it| json(deep.as_bytes(), it)).is_err());
        assert!(with_intake(|it| yaml(deep.as_bytes(), it)).is_err());
    }
}
