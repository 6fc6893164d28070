//! Whose a value is that one record has of another: a Kubernetes secret that an operator fills from Vault.
//!
//! Not here: which references fill what; that is `join`.

use crate::model::finding::Finding;
use crate::model::fingerprint::Fingerprint;
use crate::model::record::Record;
use std::collections::HashMap;

/// Copies of copies that are followed.
const COPIES: usize = 16;

/// A value that one record has of another is told as the other's: there it is rotated.
pub(super) fn tell_sources(
    findings: &mut [Finding],
    records: &[Record],
    filled: &HashMap<usize, usize>,
) {
    if filled.is_empty() {
        return;
    }
    let index = |name: &str| {
        records
            .binary_search_by(|it| it.name.as_str().cmp(name))
            .ok()
    };
    let holds = |at: usize, print: Fingerprint| {
        let version = records[at].versions.last()?;
        (version.fingerprint == Some(print)).then_some(version.number)
    };
    for finding in findings {
        let (Some(print), Some(managed)) = (finding.fingerprint, &mut finding.managed) else {
            continue;
        };
        let mut at = index(&managed.record).filter(|_| managed.current);
        for _ in 0..COPIES {
            let source = at.and_then(|it| filled.get(&it).copied());
            let Some((source, version)) = source.and_then(|it| Some((it, holds(it, print)?)))
            else {
                break;
            };
            managed.record.clone_from(&records[source].name);
            managed.version = version;
            at = Some(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::assess::case::Scope;
    use crate::assess::tests::{finding, inventory, name, record, reference, verdicts};

    #[test]
    fn a_value_that_was_copied_is_told_of_its_source() {
        let mut copy = record("a/shop-db#password", &[1]);
        copy.secret = name("kubernetes:shop/db#password");
        let known = inventory(&[copy, record("kv/shop/db#password", &[7, 1])]);
        let filled = reference(
            "deploy",
            "es.yaml",
            "vault:kv/shop/db#password",
            "kubernetes:shop/db#password",
        );
        for (references, expected) in [
            (vec![filled], "kv/shop/db#password"),
            (vec![], "a/shop-db#password"),
        ] {
            let mut findings = [finding("a.env", 1)];
            verdicts(&mut findings, &references, &known, Scope::Folder);
            let managed = findings[0].managed.as_ref().unwrap();
            assert_eq!(managed.record, expected);
            let current = if references.is_empty() { 1 } else { 2 };
            assert_eq!((managed.version, managed.current), (current, true));
        }
    }
}
