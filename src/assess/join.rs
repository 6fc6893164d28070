//! Findings and references against records: by fingerprint, and by name through chains.
//!
//! Not here: any judgement. A chain starts at a record, follows what each place passes on, and ends
//! where nothing takes it up. Everything is found by hash, so that an estate's references join in one pass.

use crate::assess::copied;
use crate::assess::names::{Address, address, agree, lies_within, scopes_agree};
use crate::assess::patterns::{Patterns, says_something};
use crate::model::finding::{Finding, Managed};
use crate::model::fingerprint::Fingerprint;
use crate::model::map::{Evidence, Hop, Map, Use};
use crate::model::record::{Inventory, Record};
use crate::model::reference::{Reference, Role, SecretName};
use crate::model::span::Place;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// Hops of one chain at most; real chains have five.
const CHAIN: usize = 16;
/// Uses of one record by reference at most, so that a maze of references cannot fill the memory.
const USES_PER_RECORD: usize = 2_000;
/// Steps spent on one record at most.
const STEPS_PER_RECORD: usize = 200_000;
/// Words of a workload's name that are looked at.
const WORDS: usize = 8;
/// Uses in all.
const USES: usize = 200_000;

/// What the join tells, besides the findings' `managed`.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// Every use.
    pub(super) map: Map,
    /// The record behind each reference.
    pub(super) resolved: Vec<Option<String>>,
    /// Whether the reference names a record itself, and is not only reached by a chain.
    pub(super) direct: Vec<bool>,
    /// References, by index, that name what a complete inventory lacks and no other place provides.
    pub(super) missing: Vec<usize>,
    /// Pairs of record names where references copy one into the other.
    pub(super) copies: BTreeSet<(String, String)>,
}

/// Joins by value and by name.
pub(super) fn join(
    findings: &mut [Finding],
    references: &[Reference],
    inventory: &Inventory,
) -> Joined {
    let values = values(&inventory.records);
    let mut uses = Vec::new();
    for finding in findings.iter_mut() {
        by_value(finding, &values, &inventory.records, &mut uses);
    }
    let graph = Graph::new(references);
    let mut walk = Walk::new(&graph, inventory);
    for (index, record) in inventory.records.iter().enumerate() {
        walk.record(index, record);
    }
    uses.append(&mut walk.uses);
    uses.sort();
    uses.dedup();
    copied::tell_sources(findings, &inventory.records, &walk.filled);
    Joined {
        map: Map { uses },
        missing: missing(&graph, &walk.resolved, inventory),
        resolved: walk.resolved,
        direct: walk.direct,
        copies: walk.copies,
    }
}

fn missing(graph: &Graph, resolved: &[Option<String>], inventory: &Inventory) -> Vec<usize> {
    if inventory.complete.is_empty() {
        return Vec::new();
    }
    let provided = graph.provided();
    let is_missing = |(index, reference): (usize, &Reference)| {
        let name = &reference.mention.name;
        let mention = &reference.mention;
        let is_live = mention.role == Role::Use && !mention.example && !mention.dynamic;
        let asked = is_live && resolved[index].is_none() && !provided[index];
        let lacks = asked && inventory.complete.iter().any(|it| lies_within(name, it));
        lacks.then_some(index)
    };
    graph
        .references
        .iter()
        .enumerate()
        .filter_map(is_missing)
        .collect()
}

/// A value's place in the inventory: record index, version number, whether it is the current one.
type Holder = (usize, u32, bool);

fn values(records: &[Record]) -> HashMap<Fingerprint, Vec<Holder>> {
    let mut values: HashMap<Fingerprint, Vec<Holder>> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        // A value that came back is current, though an older version had it too: newest first.
        for (age, version) in record.versions.iter().rev().enumerate() {
            let Some(fingerprint) = version.fingerprint else {
                continue;
            };
            let holders = values.entry(fingerprint).or_default();
            if holders.last().is_none_or(|last| last.0 != index) {
                holders.push((index, version.number, age == 0));
            }
        }
    }
    values
}

fn by_value(
    finding: &mut Finding,
    values: &HashMap<Fingerprint, Vec<Holder>>,
    records: &[Record],
    uses: &mut Vec<Use>,
) {
    let holders = |it: Option<Fingerprint>| it.and_then(|it| values.get(&it)).map(Vec::as_slice);
    let own = holders(finding.fingerprint);
    finding.managed = own.and_then(|it| managed(it, records));
    by_holders(
        finding,
        own.unwrap_or_default(),
        finding.place,
        records,
        uses,
    );
    let mut parts = std::mem::take(&mut finding.parts);
    for part in &mut parts {
        let holders = holders(part.fingerprint);
        part.managed = holders.and_then(|it| managed(it, records));
        by_holders(
            finding,
            holders.unwrap_or_default(),
            part.place,
            records,
            uses,
        );
    }
    finding.parts = parts;
}

/// The best of those that hold a value.
fn managed(holders: &[Holder], records: &[Record]) -> Option<Managed> {
    let best = holders
        .iter()
        .min_by_key(|(index, _, current)| (!current, records[*index].gone, *index));
    best.map(|(index, version, current)| Managed {
        record: records[*index].name.clone(),
        version: *version,
        current: *current,
    })
}

/// A use for each that holds the value at a place of a finding.
fn by_holders(
    finding: &Finding,
    holders: &[Holder],
    place: Place,
    records: &[Record],
    uses: &mut Vec<Use>,
) {
    for (index, _, _) in holders {
        let origin = finding.origins.first();
        let introduced = origin.and_then(|it| it.introduced.as_ref());
        let name = &records[*index].name;
        uses.push(Use {
            record: name.clone(),
            evidence: Evidence::Value,
            chain: vec![Hop {
                repository: origin.and_then(|it| it.repository.clone()),
                path: finding.path.clone(),
                line: place.line,
                syntax: finding.rule.clone(),
                name: name.clone(),
                author: introduced.map(|it| it.author.clone()),
                date: introduced.map(|it| it.seconds),
            }],
            consumer: None,
            author: introduced.map(|it| it.author.clone()),
            date: introduced.map(|it| it.seconds),
            occurrence: Some(finding.occurrence.to_string()),
        });
    }
}

/// What a place passes on, with the field known so far.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Parcel {
    name: SecretName,
    repository: Option<String>,
}

/// By what a reader of a variable is found, so that no parcel looks at every reader of its name.
#[derive(PartialEq, Eq, Hash)]
enum Clue {
    Scope(String),
    Repository(Option<String>),
    /// A folder or the repository's name.
    Segment(String),
    /// The whole name of the repository or first folder.
    Whole(String),
    /// A part of it: `api` of `shop-api`.
    Part(String),
    Any,
}

/// The references, by the address they name.
struct Graph<'a> {
    references: &'a [Reference],
    named: HashMap<Address, Vec<usize>>,
    /// Readers of environment variables, and the folders and repository each lies in.
    readers: HashMap<(&'a str, Clue), Vec<usize>>,
    segments: HashMap<usize, Vec<String>>,
    /// Workloads that provide an environment variable: base names, and how many.
    providers: HashMap<&'a str, Workloads<'a>>,
}

#[derive(Default)]
struct Workloads<'a> {
    bases: HashSet<String>,
    places: HashSet<(Option<&'a str>, &'a str)>,
}

impl<'a> Graph<'a> {
    fn new(references: &'a [Reference]) -> Self {
        let mut graph = Self {
            references,
            named: HashMap::new(),
            readers: HashMap::new(),
            segments: HashMap::new(),
            providers: HashMap::new(),
        };
        for (index, reference) in references.iter().enumerate() {
            let mention = &reference.mention;
            // What makes a secret, or only tells its name, does not use it; nothing runs an example.
            let is_open = mention.dynamic && !says_something(&mention.name.path);
            if mention.role != Role::Use || mention.example || is_open {
                continue;
            }
            graph
                .named
                .entry(address(&mention.name))
                .or_default()
                .push(index);
            if mention.name.provider == "env" {
                graph.add_reader(index, reference);
            }
            if let Some(yields) = mention.yields.as_ref().filter(|it| it.provider == "env") {
                let workloads = graph.providers.entry(&yields.path).or_default();
                workloads.bases.insert(base(&yields.scope).to_lowercase());
                let repository = reference.origin.repository.as_deref();
                workloads.places.insert((repository, &yields.scope));
            }
        }
        graph
    }

    fn add_reader(&mut self, index: usize, reference: &'a Reference) {
        let name = &reference.mention.name;
        let mut clues = vec![Clue::Any];
        if name.scope.is_empty() {
            let segments = segments(reference);
            clues.push(Clue::Repository(reference.origin.repository.clone()));
            clues.extend(segments.iter().cloned().map(Clue::Segment));
            for whole in landmarks(reference) {
                clues.extend(spans(&whole).map(|it| Clue::Part(it.to_owned())));
                clues.push(Clue::Whole(whole));
            }
            self.segments.insert(index, segments);
        } else {
            clues.push(Clue::Scope(name.scope.to_lowercase()));
        }
        for clue in clues {
            self.readers
                .entry((&name.path, clue))
                .or_default()
                .push(index);
        }
    }

    /// The references that take a parcel up.
    fn takers(&self, parcel: &Parcel) -> Vec<usize> {
        if parcel.name.provider == "env" {
            return self.readers_of(parcel);
        }
        let indices = self.named.get(&address(&parcel.name));
        let taker = |index: &usize| agree(&parcel.name, &self.references[*index].mention.name);
        indices
            .into_iter()
            .flatten()
            .copied()
            .filter(taker)
            .collect()
    }

    /// The code that reads a variable in the workload that sets it. Code does not say where it runs, so
    /// the names of folders and repositories decide, and else the repository they share.
    fn readers_of(&self, parcel: &Parcel) -> Vec<usize> {
        let name = &parcel.name;
        let workloads = self.providers.get(name.path.as_str());
        let base = base(&name.scope).to_lowercase();
        let mut clues = vec![Clue::Repository(parcel.repository.clone())];
        if !name.scope.is_empty() {
            clues.push(Clue::Scope(name.scope.to_lowercase()));
            clues.push(Clue::Segment(base.clone()));
            clues.push(Clue::Part(base.clone()));
            clues.extend(spans(&base).map(|it| Clue::Whole(it.to_owned())));
            if workloads.is_some_and(|it| it.places.len() == 1) {
                clues.push(Clue::Any);
            }
        }
        let found = clues
            .into_iter()
            .filter_map(|it| self.readers.get(&(name.path.as_str(), it)));
        let indices: BTreeSet<usize> = found.flatten().copied().collect();
        let runs_there = |index: &usize| match self.segments.get(index) {
            None => scopes_agree(&name.scope, &self.references[*index].mention.name.scope),
            Some(segments) => {
                let elsewhere = workloads
                    .is_some_and(|it| segments.iter().any(|segment| it.bases.contains(segment)));
                segments.contains(&base) || !elsewhere
            }
        };
        indices.into_iter().filter(runs_there).collect()
    }

    /// Whether each reference's name is what another place passes on.
    fn provided(&self) -> Vec<bool> {
        let mut provided = vec![false; self.references.len()];
        let mentions = self.references.iter().map(|it| &it.mention);
        let yields = mentions.flat_map(|it| {
            let defined = (it.role == Role::Definition).then_some(&it.name);
            it.yields.iter().chain(defined)
        });
        for name in yields.collect::<HashSet<_>>() {
            for index in self.named.get(&address(name)).into_iter().flatten() {
                let taken = &self.references[*index].mention.name;
                provided[*index] |= name.provider == "env" || agree(name, taken);
            }
        }
        provided
    }
}

/// `shop-api` of `Deployment/shop-api`.
fn base(consumer: &str) -> &str {
    consumer.rsplit('/').next().unwrap_or(consumer)
}

/// The last part of the repository's name and the folders of the path, in lower case.
fn segments(reference: &Reference) -> Vec<String> {
    let repository = reference.origin.repository.as_deref().map(base);
    let folders = reference
        .path
        .rsplit_once('/')
        .map_or("", |(folders, _)| folders);
    repository
        .into_iter()
        .chain(folders.split('/'))
        .filter(|it| !it.is_empty() && *it != ".")
        .map(str::to_lowercase)
        .collect()
}

/// The names that tell what runs there: the repository's and the first folder's.
fn landmarks(reference: &Reference) -> Vec<String> {
    let repository = reference.origin.repository.as_deref().map(base);
    let folder = reference.path.split_once('/').map(|(folder, _)| folder);
    repository
        .into_iter()
        .chain(folder)
        .map(str::to_lowercase)
        .collect()
}

/// Runs of the words of a name, of three letters or more: `shop`, `shop-api`, `api`.
fn spans(name: &str) -> impl Iterator<Item = &str> {
    let is_joint = |it: char| !it.is_alphanumeric();
    let starts: Vec<usize> = name
        .match_indices(is_joint)
        .map(|(at, it)| at + it.len())
        .collect();
    let ends: Vec<usize> = name.match_indices(is_joint).map(|(at, _)| at).collect();
    let starts = std::iter::once(0).chain(starts).take(WORDS);
    starts.flat_map(move |start| {
        let ends = ends
            .iter()
            .copied()
            .chain(std::iter::once(name.len()))
            .take(WORDS);
        let spans = ends.filter_map(move |end| name.get(start..end).filter(|it| it.len() > 2));
        spans.collect::<Vec<_>>()
    })
}

/// One walk over the graph for all records.
struct Walk<'a> {
    graph: &'a Graph<'a>,
    records: &'a [Record],
    by_address: HashMap<Address, Vec<usize>>,
    patterns: Patterns<'a>,
    takers: HashMap<Parcel, Rc<[usize]>>,
    resolved: Vec<Option<String>>,
    direct: Vec<bool>,
    copies: BTreeSet<(String, String)>,
    /// Records that a reference fills from another, by index.
    filled: HashMap<usize, usize>,
    uses: Vec<Use>,
    steps: usize,
    limit: usize,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph<'a>, inventory: &'a Inventory) -> Self {
        let mut by_address: HashMap<Address, Vec<usize>> = HashMap::new();
        for (index, record) in inventory.records.iter().enumerate() {
            by_address
                .entry(address(&record.secret))
                .or_default()
                .push(index);
        }
        Self {
            graph,
            records: &inventory.records,
            by_address,
            patterns: Patterns::new(graph.references),
            takers: HashMap::new(),
            resolved: vec![None; graph.references.len()],
            direct: vec![false; graph.references.len()],
            copies: BTreeSet::new(),
            filled: HashMap::new(),
            uses: Vec::new(),
            steps: 0,
            limit: 0,
        }
    }

    fn record(&mut self, index: usize, record: &Record) {
        self.steps = 0;
        self.limit = USES.min(self.uses.len() + USES_PER_RECORD);
        let named = self.graph.named.get(&address(&record.secret));
        for start in named.into_iter().flatten() {
            let name = &self.graph.references[*start].mention.name;
            if !agree(&record.secret, name) || self.has_exact(index, name) {
                continue;
            }
            if !self.direct[*start] {
                self.direct[*start] = true;
                self.resolved[*start] = Some(record.name.clone());
            }
            let key = name.key.clone().or_else(|| record.secret.key.clone());
            self.follow(index, &mut vec![*start], key);
        }
        for start in self.patterns.of(&record.secret) {
            self.follow(index, &mut vec![start], record.secret.key.clone());
        }
    }

    /// Whether another record is exactly the field that the place names, while this one is the whole.
    fn has_exact(&self, index: usize, name: &SecretName) -> bool {
        self.records[index].secret.key.is_none()
            && name.key.is_some()
            && self
                .by_address
                .get(&address(name))
                .into_iter()
                .flatten()
                .any(|other| {
                    let secret = &self.records[*other].secret;
                    secret.key.is_some() && agree(secret, name)
                })
    }

    fn follow(&mut self, record: usize, chain: &mut Vec<usize>, key: Option<String>) {
        self.steps += 1;
        let Some(last) = chain.last().copied() else {
            return;
        };
        let mut ends = true;
        if let Some((parcel, takers)) = self.next(last, key.as_deref()) {
            self.note_copies(record, &parcel.name);
            for taker in takers.iter().copied() {
                if self.steps > STEPS_PER_RECORD || self.uses.len() >= self.limit {
                    return;
                }
                if chain.contains(&taker) || chain.len() >= CHAIN {
                    continue;
                }
                ends = false;
                let key = self.take(record, taker, &parcel);
                chain.push(taker);
                self.follow(record, chain, key);
                chain.pop();
            }
        }
        if ends && self.uses.len() < self.limit {
            let found = self.use_of(record, chain);
            self.uses.push(found);
        }
    }

    /// What the place passes on when this field reaches it.
    fn parcel(&self, index: usize, key: Option<&str>) -> Option<Parcel> {
        let reference = &self.graph.references[index];
        let mut name = reference.mention.yields.clone()?;
        if name.provider == "env" {
            if let Some(prefix) = name.path.strip_suffix('*') {
                name.path = format!("{prefix}{}", key?);
            }
            name.key = None;
        } else if name.key.as_deref().is_none_or(|it| it == "*") {
            name.key = key.map(str::to_owned);
        }
        Some(Parcel {
            name,
            repository: reference.origin.repository.clone(),
        })
    }

    /// Ties the taker to the record, and tells the field it goes on with.
    fn take(&mut self, record: usize, taker: usize, parcel: &Parcel) -> Option<String> {
        if self.resolved[taker].is_none() {
            self.resolved[taker] = Some(self.records[record].name.clone());
        }
        let taken = &self.graph.references[taker].mention.name;
        taken.key.clone().or_else(|| parcel.name.key.clone())
    }

    fn next(&mut self, index: usize, key: Option<&str>) -> Option<(Parcel, Rc<[usize]>)> {
        let parcel = self.parcel(index, key)?;
        let takers = match self.takers.get(&parcel) {
            Some(takers) => Rc::clone(takers),
            None => {
                let takers: Rc<[usize]> = self.graph.takers(&parcel).into();
                self.takers.insert(parcel.clone(), Rc::clone(&takers));
                takers
            }
        };
        Some((parcel, takers))
    }

    fn note_copies(&mut self, record: usize, name: &SecretName) {
        if name.provider == "env" {
            return;
        }
        for other in self.by_address.get(&address(name)).into_iter().flatten() {
            if *other != record && agree(&self.records[*other].secret, name) {
                self.filled.entry(*other).or_insert(record);
                let pair = [record, *other].map(|it| self.records[it].name.clone());
                let [one, two] = pair;
                self.copies
                    .insert((one.clone().min(two.clone()), one.max(two)));
            }
        }
    }

    fn use_of(&self, record: usize, chain: &[usize]) -> Use {
        let places = chain.iter().map(|it| &self.graph.references[*it]);
        let introduced = places
            .clone()
            .next_back()
            .and_then(|it| it.origin.introduced.as_ref());
        Use {
            record: self.records[record].name.clone(),
            evidence: match places.clone().any(|it| it.mention.dynamic) {
                true => Evidence::Pattern,
                false => Evidence::Reference,
            },
            consumer: places
                .clone()
                .rev()
                .find_map(|it| it.mention.consumer.clone()),
            author: introduced.map(|it| it.author.clone()),
            date: introduced.map(|it| it.seconds),
            occurrence: None,
            chain: places.map(hop).collect(),
        }
    }
}

fn hop(reference: &Reference) -> Hop {
    let introduced = reference.origin.introduced.as_ref();
    Hop {
        repository: reference.origin.repository.clone(),
        path: reference.path.clone(),
        line: reference.mention.place.line,
        syntax: reference.mention.syntax.to_owned(),
        name: reference.mention.name.to_string(),
        author: introduced.map(|it| it.author.clone()),
        date: introduced.map(|it| it.seconds),
    }
}
