//! Secrets that three weak signs give away together: the provider's word in the name (or just before
//! it), a last word such as `key`, and a value of exactly the provider's alphabet and length. The names
//! of a text are parsed once and ask a hash table, so that such a rule costs nothing until its provider
//! is named.

use super::shape::Shape;
use crate::model::rule::{Matcher, Rule};
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

/// Words that may follow the name's last word and say which one it is: `DATADOG_API_KEY_PROD`.
const WHICH: &[&str] = &[
    "prod",
    "production",
    "live",
    "test",
    "testing",
    "dev",
    "development",
    "staging",
    "stage",
    "default",
    "value",
    "string",
    "str",
    "new",
    "old",
    "main",
    "global",
    "raw",
    "plain",
    "hex",
    "base64",
];
/// Words that make a name public, or speak of another kind of key.
const PUBLIC: &[&str] = &[
    "public",
    "publishable",
    "pub",
    "foreign",
    "primary",
    "partition",
    "sort",
    "cache",
    "csrf",
    "xsrf",
    "idempotency",
    "fake",
    "mock",
    "dummy",
    "invalid",
    "wrong",
    "bad",
    "without",
    "translation",
    "i18n",
    "fingerprint",
    "checksum",
    "commit",
    "sha",
    "sha1",
    "sha256",
    "md5",
    "digest",
    "hash",
];
/// Words that may be glued to the last one: `apikey`, `authtoken`.
const GLUED: &[&str] = &[
    "api",
    "access",
    "secret",
    "auth",
    "app",
    "client",
    "private",
    "license",
    "rest",
    "consumer",
    "account",
    "user",
    "server",
    "service",
    "personal",
    "oauth",
    "bearer",
    "apiaccess",
];
/// Most words that one owner or one name is written in.
const JOINED: usize = 4;

/// Every rule with [`Matcher::Named`], by owner.
#[derive(Debug, Default)]
pub(crate) struct Named {
    inside: HashMap<String, Vec<usize>>,
    before: HashMap<String, Vec<usize>>,
    entries: HashMap<usize, OnceLock<Entry>>,
}

/// What a rule asks of names and values, made ready when its owner is first seen.
#[derive(Debug)]
struct Entry {
    names: Vec<String>,
    shapes: Vec<Shape>,
}

/// What a name and a value were recognised as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owned {
    /// The rule's number.
    pub(crate) rule: usize,
    /// Whether the owner stands in the name itself.
    pub(crate) in_name: bool,
    /// Whether the shape is more than one run of an alphabet.
    pub(crate) structured: bool,
}

impl Named {
    /// Builds the table of owners.
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut this = Self::default();
        let named = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.matcher == Matcher::Named);
        for (number, rule) in named {
            for owner in &rule.owners {
                let owners = this.inside.entry(squeezed(owner)).or_default();
                owners.push(number);
            }
            for word in &rule.near {
                let words = this.before.entry(squeezed(word)).or_default();
                words.push(number);
            }
            this.entries.insert(number, OnceLock::new());
        }
        this
    }

    /// The ends of names at which a look is worth it: `key`, `token`, `secret`. An end that ends in
    /// another is left out.
    pub(crate) fn triggers(rules: &[Rule]) -> Vec<String> {
        let named = rules.iter().filter(|it| it.matcher == Matcher::Named);
        let names: BTreeSet<&String> = named.flat_map(|it| &it.names).collect();
        let ends: BTreeSet<String> = names.into_iter().map(|it| squeezed(it)).collect();
        let is_covered = |end: &String| {
            ends.iter()
                .any(|it| it.len() < end.len() && end.ends_with(it.as_str()))
        };
        ends.iter().filter(|it| !is_covered(it)).cloned().collect()
    }

    /// The rule whose owner, name and shape all fit. `before` are the words that stand before the name,
    /// asked only where no owner is part of it.
    pub(crate) fn find(
        &self,
        rules: &[Rule],
        words: &[String],
        before: impl FnOnce() -> Vec<String>,
        value: &[u8],
    ) -> Option<Owned> {
        self.in_name(rules, words, value)
            .or_else(|| self.before_name(rules, words, &before(), value))
    }

    fn in_name(&self, rules: &[Rule], words: &[String], value: &[u8]) -> Option<Owned> {
        for from in 0..words.len() {
            for to in from + 1..=words.len().min(from + JOINED) {
                let Some(owned) = self.inside.get(&words[from..to].concat()) else {
                    continue;
                };
                let rest: Vec<&str> = words[..from]
                    .iter()
                    .chain(&words[to..])
                    .map(String::as_str)
                    .collect();
                let after: Vec<&str> = words[to..].iter().map(String::as_str).collect();
                // `datadog_api_key`, or the other way round: `api_key_datadog`.
                let name = if after.is_empty() { &rest } else { &after };
                if let Some(found) = self.pick(rules, owned, words, name, value, true) {
                    return Some(found);
                }
            }
        }
        // Written as one word: `mailgunkey`.
        for (at, word) in words.iter().enumerate().filter(|(_, it)| it.len() >= 6) {
            for cut in (3..=word.len().saturating_sub(3)).rev() {
                let (Some(owner), Some(end)) = (word.get(..cut), word.get(cut..)) else {
                    continue;
                };
                let Some(owned) = self.inside.get(owner) else {
                    continue;
                };
                let name: Vec<&str> = std::iter::once(end)
                    .chain(words[at + 1..].iter().map(String::as_str))
                    .collect();
                if let Some(found) = self.pick(rules, owned, words, &name, value, true) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn before_name(
        &self,
        rules: &[Rule],
        words: &[String],
        before: &[String],
        value: &[u8],
    ) -> Option<Owned> {
        let name: Vec<&str> = words.iter().map(String::as_str).collect();
        // The nearest owner is the likeliest.
        for to in (1..=before.len()).rev() {
            for from in (to.saturating_sub(JOINED)..to).rev() {
                let Some(owned) = self.before.get(&before[from..to].concat()) else {
                    continue;
                };
                if let Some(found) = self.pick(rules, owned, words, &name, value, false) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn pick(
        &self,
        rules: &[Rule],
        owned: &[usize],
        words: &[String],
        name: &[&str],
        value: &[u8],
        in_name: bool,
    ) -> Option<Owned> {
        owned.iter().find_map(|number| {
            let entry = self.entries.get(number)?;
            let entry = entry.get_or_init(|| Entry::new(&rules[*number]));
            let end = ending(name, &entry.names)?;
            let is_public = words
                .iter()
                .any(|it| PUBLIC.contains(&it.as_str()) && !end.contains(it.as_str()));
            let shape = entry.shapes.iter().find(|it| it.holds(value))?;
            (!is_public).then_some(Owned {
                rule: *number,
                in_name,
                structured: shape.is_structured(),
            })
        })
    }
}

impl Entry {
    /// Faults of shapes are told by [`faults`].
    fn new(rule: &Rule) -> Self {
        let shapes = rule.values.iter().filter_map(|it| Shape::new(it).ok());
        Self {
            names: rule.names.iter().map(|it| squeezed(it)).collect(),
            shapes: shapes.collect(),
        }
    }
}

/// Every fault of the shapes of a rule.
pub(crate) fn faults(rule: &Rule) -> Vec<String> {
    let shapes = rule.values.iter();
    shapes.filter_map(|it| Shape::new(it).err()).collect()
}

/// Without case and punctuation.
fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|it| it.is_alphanumeric())
        .collect::<String>()
        .to_lowercase()
}

/// The rule's name in which these words end, whatever says which of several it is.
pub(crate) fn ending(words: &[&str], names: &[String]) -> Option<String> {
    let mut words = words;
    loop {
        for from in words.len().saturating_sub(JOINED)..words.len() {
            let joined = words[from..].concat();
            let bare = joined.trim_end_matches(|it: char| it.is_ascii_digit());
            let is_glued = |name: &str| {
                bare.strip_suffix(name)
                    .is_some_and(|it| GLUED.contains(&it))
            };
            if let Some(name) = names
                .iter()
                .find(|it| **it == joined || (!bare.is_empty() && *it == bare) || is_glued(it))
            {
                return Some(name.clone());
            }
        }
        let (last, rest) = words.split_last()?;
        let is_which = WHICH.contains(last) || last.bytes().all(|it| it.is_ascii_digit());
        if !is_which || rest.is_empty() {
            return None;
        }
        words = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_in_what_they_hold() {
        let names = ["key".to_owned(), "authtoken".to_owned()];
        for (words, expected) in [
            (&["api", "key"][..], true),
            (&["api", "key", "prod"], true),
            (&["api", "key", "2"], true),
            (&["api", "key2"], true),
            (&["auth", "token"], true),
            (&["apikey"], true),
            (&["monkey"], false),
            (&["token"], false),
            (&["api", "key", "id"], false),
            (&["api", "key", "file"], false),
            (&["keyboard"], false),
            (&["prod"], false),
        ] {
            assert_eq!(ending(words, &names).is_some(), expected, "{words:?}");
        }
    }
}
