//! The join: findings to records by fingerprint, references to records through chains of names. Yields
//! the map; judging it is the work of the verdict files.

use crate::model::finding::{Finding, Managed};
use crate::model::map::{Evidence, Hop, Map, Use};
use crate::model::record::{Inventory, Record};
use crate::model::reference::{Reference, SecretName};
use std::collections::{BTreeSet, HashMap};

/// Longer chains are circles in all but name.
const MAX_CHAIN: usize = 16;
/// Uses of one record; beyond this a map helps nobody.
const MAX_USES: usize = 10_000;

/// Tells each finding which record and version its value is. The current version wins over an old one.
pub(super) fn by_value(findings: &mut [Finding], inventory: &Inventory) {
    let mut known: HashMap<_, Managed> = HashMap::new();
    for record in inventory.records.iter().filter(|it| !it.gone) {
        let current = record.versions.last().map(|it| it.number);
        for version in &record.versions {
            let Some(fingerprint) = version.fingerprint else {
                continue;
            };
            let managed = Managed {
                record: record.name.clone(),
                version: version.number,
                current: Some(version.number) == current,
            };
            let slot = known.entry(fingerprint).or_insert_with(|| managed.clone());
            if managed.current && !slot.current {
                *slot = managed;
            }
        }
    }
    for finding in findings {
        finding.managed = finding.fingerprint.and_then(|it| known.get(&it).cloned());
    }
}

/// The map, and for each reference the record it leads to.
pub(super) fn map(
    findings: &[Finding],
    references: &[Reference],
    inventory: &Inventory,
) -> (Map, Vec<Option<String>>) {
    let graph = Graph::new(references);
    let mut uses = Vec::new();
    let mut resolved = vec![None; references.len()];
    for record in inventory.records.iter().filter(|it| !it.gone) {
        graph.follow(record, &mut uses, &mut resolved);
    }
    uses.extend(findings.iter().filter_map(value_use));
    uses.sort();
    uses.dedup();
    (Map { uses }, resolved)
}

fn value_use(finding: &Finding) -> Option<Use> {
    let managed = finding.managed.as_ref()?;
    let origin = finding.origins.first();
    let introduced = finding.origins.iter().find_map(|it| it.introduced.as_ref());
    Some(Use {
        record: managed.record.clone(),
        evidence: Evidence::Value,
        chain: vec![Hop {
            repository: origin.and_then(|it| it.repository.clone()),
            path: finding.path.clone(),
            line: finding.place.line,
            syntax: finding.rule.clone(),
            name: finding.key.clone().unwrap_or_default(),
        }],
        consumer: Some(finding.path.clone()),
        author: introduced.map(|it| it.author.clone()),
        date: introduced.map(|it| it.seconds),
        occurrence: Some(finding.occurrence.to_string()),
    })
}

/// The form in which two spellings of one path are equal.
fn canonical(name: &SecretName) -> (String, String) {
    let path = name.path.trim_matches('/');
    let path = match name.provider.as_str() {
        "vault" => path
            .replacen("/data/", "/", 1)
            .replacen("/metadata/", "/", 1),
        "github-actions" => path.to_uppercase(),
        "azure-keyvault" => path.to_lowercase(),
        _ => path.to_owned(),
    };
    (name.provider.clone(), path)
}

/// Whether two names of one provider and path mean the same object: scope and key must agree where both
/// have one.
fn agree(a: &SecretName, b: &SecretName) -> bool {
    let scopes = a.provider == "env"
        || a.scope.is_empty()
        || b.scope.is_empty()
        || a.scope.eq_ignore_ascii_case(&b.scope);
    let keys = match (&a.key, &b.key) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    scopes && keys
}

struct Graph<'a> {
    references: &'a [Reference],
    by_name: HashMap<(String, String), Vec<usize>>,
    env_by_consumer: HashMap<String, BTreeSet<String>>,
}

impl<'a> Graph<'a> {
    fn new(references: &'a [Reference]) -> Self {
        let mut by_name: HashMap<_, Vec<usize>> = HashMap::new();
        let mut env_by_consumer: HashMap<String, BTreeSet<String>> = HashMap::new();
        for (number, reference) in references.iter().enumerate() {
            by_name
                .entry(canonical(&reference.mention.name))
                .or_default()
                .push(number);
            if let Some(name) = reference
                .mention
                .yields
                .as_ref()
                .filter(|it| it.provider == "env")
            {
                env_by_consumer
                    .entry(name.path.clone())
                    .or_default()
                    .insert(name.scope.clone());
            }
        }
        Self {
            references,
            by_name,
            env_by_consumer,
        }
    }

    fn follow(&self, record: &Record, uses: &mut Vec<Use>, resolved: &mut [Option<String>]) {
        let mut seen = BTreeSet::new();
        let mut open: Vec<(SecretName, Vec<usize>)> = vec![(record.secret.clone(), Vec::new())];
        while let Some((name, chain)) = open.pop() {
            for number in self.named(&name, chain.last().copied()) {
                if chain.len() >= MAX_CHAIN
                    || uses.len() > MAX_USES
                    || chain.contains(&number)
                    || !seen.insert((number, chain.last().copied()))
                {
                    continue;
                }
                let mut chain = chain.clone();
                chain.push(number);
                resolved[number].get_or_insert_with(|| record.name.clone());
                if let Some(yields) = self.passed_on(&name, number) {
                    open.push((yields, chain.clone()));
                }
                uses.push(self.use_of(record, &chain));
            }
        }
        drop_prefixes(uses, &record.name);
    }

    /// References that name exactly this object and can see it.
    fn named(&self, name: &SecretName, from: Option<usize>) -> Vec<usize> {
        let found = self
            .by_name
            .get(&canonical(name))
            .into_iter()
            .flatten()
            .copied();
        found
            .filter(|it| {
                agree(name, &self.references[*it].mention.name) && self.sees(name, *it, from)
            })
            .collect()
    }

    /// Code that reads an environment variable belongs to the workload that is given it: same repository,
    /// or named alike, or the only workload that has such a variable.
    fn sees(&self, name: &SecretName, reader: usize, from: Option<usize>) -> bool {
        let Some(from) = from.filter(|_| name.provider == "env" && !name.scope.is_empty()) else {
            return true;
        };
        let (giver, reader) = (&self.references[from], &self.references[reader]);
        let repository = reader.origin.repository.as_deref().unwrap_or(".");
        if giver.origin.repository == reader.origin.repository && giver.path == reader.path {
            return true;
        }
        let workload = name
            .scope
            .rsplit('/')
            .next()
            .unwrap_or(&name.scope)
            .split('#')
            .next()
            .unwrap_or("");
        let home = if repository == "." {
            reader.path.split('/').next().unwrap_or("")
        } else {
            repository
        };
        let home = home
            .rsplit('/')
            .next()
            .unwrap_or(home)
            .trim_end_matches(".git");
        let alike = !home.is_empty()
            && (workload == home || workload.contains(home) || home.contains(workload));
        let only = self
            .env_by_consumer
            .get(&name.path)
            .is_some_and(|it| it.len() == 1);
        alike || only
    }

    /// What the place passes the object on as; `*` keeps the key's own name.
    fn passed_on(&self, name: &SecretName, number: usize) -> Option<SecretName> {
        let mut yields = self.references[number].mention.yields.clone()?;
        if let Some(prefix) = yields.path.strip_suffix('*').map(str::to_owned) {
            let key = name
                .key
                .clone()
                .or_else(|| self.references[number].mention.name.key.clone())?;
            yields.path = format!("{prefix}{key}");
        }
        if yields.key.is_none() && yields.provider == "kubernetes" {
            yields.key = name.key.clone();
        }
        Some(yields)
    }

    fn use_of(&self, record: &Record, chain: &[usize]) -> Use {
        let hop = |number: &usize| {
            let it = &self.references[*number];
            Hop {
                repository: it.origin.repository.clone(),
                path: it.path.clone(),
                line: it.mention.place.line,
                syntax: it.mention.syntax.to_owned(),
                name: it.mention.name.to_string(),
            }
        };
        let last = chain.last().map(|it| &self.references[*it]);
        let consumer = chain
            .iter()
            .rev()
            .find_map(|it| self.references[*it].mention.consumer.clone());
        let introduced = last.and_then(|it| it.origin.introduced.as_ref());
        Use {
            record: record.name.clone(),
            evidence: Evidence::Reference,
            chain: chain.iter().map(hop).collect(),
            consumer: consumer.or_else(|| last.map(|it| it.path.clone())),
            author: introduced.map(|it| it.author.clone()),
            date: introduced.map(|it| it.seconds),
            occurrence: None,
        }
    }
}

/// A chain that another one continues is told by the longer one.
fn drop_prefixes(uses: &mut Vec<Use>, record: &str) {
    let longer: Vec<Vec<Hop>> = uses
        .iter()
        .filter(|it| it.record == record && it.chain.len() > 1)
        .map(|it| it.chain[..it.chain.len() - 1].to_vec())
        .collect();
    uses.retain(|it| it.record != record || !longer.contains(&it.chain));
}
