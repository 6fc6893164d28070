//! References whose name is a pattern (`shop-*-db`), and the records that fit it.
//!
//! Not here: chains; that is `join`. A pattern that says next to nothing (`*`) fits nothing, unless its scope
//! is that of the record: a whole config of a secrets manager is used as such.

use crate::assess::names::{agree_within, canonical_path, is_one_scope, keys_agree};
use crate::model::reference::{Reference, Role, SecretName};
use std::collections::HashMap;

/// Letters and digits that a pattern must have to say anything.
const LETTERS: usize = 4;

/// A pattern, and the references that have it.
struct Pattern<'a> {
    name: &'a SecretName,
    path: String,
    references: Vec<usize>,
}

/// All patterns, by provider.
pub(super) struct Patterns<'a>(HashMap<&'a str, Vec<Pattern<'a>>>);

impl<'a> Patterns<'a> {
    /// Those of references that use something.
    pub(super) fn new(references: &'a [Reference]) -> Self {
        let mut found: HashMap<&SecretName, Vec<usize>> = HashMap::new();
        for (index, reference) in references.iter().enumerate() {
            let mention = &reference.mention;
            let is_live = mention.role == Role::Use && !mention.example && mention.dynamic;
            if is_live && mention.name.path.contains('*') && mention.name.provider != "env" {
                found.entry(&mention.name).or_default().push(index);
            }
        }
        let mut patterns: HashMap<&str, Vec<Pattern>> = HashMap::new();
        for (name, references) in found {
            let path = canonical_path(&name.provider, &name.path);
            patterns.entry(&name.provider).or_default().push(Pattern {
                name,
                path,
                references,
            });
        }
        Self(patterns)
    }

    /// The references that may mean this record, in their order.
    pub(super) fn of(&self, secret: &SecretName) -> Vec<usize> {
        let Some(patterns) = self.0.get(secret.provider.as_str()) else {
            return Vec::new();
        };
        let path = canonical_path(&secret.provider, &secret.path);
        let fitting = patterns.iter().filter(|it| it.fits(secret, &path));
        let mut found: Vec<usize> = fitting
            .flat_map(|it| it.references.iter().copied())
            .collect();
        found.sort_unstable();
        found
    }
}

impl Pattern<'_> {
    fn fits(&self, secret: &SecretName, path: &str) -> bool {
        let name = self.name;
        let keys = keys_agree(&name.provider, name.key.as_deref(), secret.key.as_deref());
        let scope = agree_within(&name.provider, &name.scope, &secret.scope);
        let is_own_scope = is_one_scope(&name.provider, &name.scope, &secret.scope);
        keys && scope && (says_something(&self.path) || is_own_scope) && fits(&self.path, path)
    }
}

/// Whether enough of a name is written out to tell it from others.
pub(super) fn says_something(pattern: &str) -> bool {
    pattern.chars().filter(|it| it.is_alphanumeric()).count() >= LETTERS
}

/// Whether a text is the pattern with something in place of each star. One pass: each part is looked for
/// behind the one before.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::tests::{inventory, options, record, reference};
    use crate::assess::{Scope, assess};
    use crate::model::map::Evidence;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("shop-*-db", "shop-prod-db", true),
            ("shop-*-db", "shop-db", false),
            ("shop/*", "shop/a/b", true),
            ("*/db", "kv/shop/db", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("shop", "shop", true),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        assert!(says_something("shop-*") && !says_something("*-db") && !says_something("*/*"));
    }

    #[test]
    fn a_pattern_is_a_use_of_less_certainty() {
        let known = inventory(&[record("kv/shop/prod/db", &[1]), record("kv/mail", &[2])]);
        for (named, expected) in [
            ("vault:kv/shop/*/db", &["kv/shop/prod/db"][..]),
            ("vault:kv/shop/*/search", &[]),
            ("vault:*", &[]),
        ] {
            let mut open = reference("shop", "a.tf", named, "");
            open.mention.dynamic = true;
            let assessed = assess(&mut [], &[open], Some(&known), &options(Scope::Folder));
            let uses: Vec<_> = assessed
                .map
                .uses
                .iter()
                .map(|it| it.record.as_str())
                .collect();
            assert_eq!(uses, expected, "{named}");
            assert!(
                assessed
                    .map
                    .uses
                    .iter()
                    .all(|it| it.evidence == Evidence::Pattern)
            );
        }
    }

    #[test]
    fn a_scope_may_be_open_or_spelled_in_two_ways() {
        let within = |provider: &str, scope: &str, path: &str| {
            let mut it = record("a", &[1]);
            it.secret = SecretName::new(provider, path).within(scope);
            it
        };
        for (owned, named, fits) in [
            (
                within("gcp-secretmanager", "shop-prod", "build-key"),
                SecretName::new("gcp-secretmanager", "build-key").within("*"),
                true,
            ),
            (
                within("infisical", "prod", "crm/KEY"),
                SecretName::new("infisical", "crm/*").within("shop/prod"),
                true,
            ),
            (
                within("infisical", "dev", "crm/KEY"),
                SecretName::new("infisical", "crm/*").within("shop/prod"),
                false,
            ),
        ] {
            let mut open = reference("shop", "a.yaml", "vault:x", "");
            open.mention.name = named;
            open.mention.dynamic = true;
            let known = inventory(&[owned]);
            let assessed = assess(&mut [], &[open], Some(&known), &options(Scope::Folder));
            assert_eq!(assessed.map.uses.len(), usize::from(fits), "{known:?}");
        }
    }

    #[test]
    fn definitions_and_examples_are_no_uses() {
        let known = inventory(&[record("kv/shop/db", &[1])]);
        let mut made = reference("shop", "a.tf", "vault:kv/shop/db", "");
        made.mention.role = Role::Definition;
        let mut example = reference("shop", "README.md", "vault:kv/shop/db", "");
        example.mention.example = true;
        let assessed = assess(
            &mut [],
            &[made, example],
            Some(&known),
            &options(Scope::Folder),
        );
        assert!(assessed.map.uses.is_empty(), "{:?}", assessed.map.uses);
    }
}
