//! From a report to the plan for changing a secret, and to what somebody who left has touched.
//!
//! Not here: any judgement on its own; and nothing is changed by it. What is not known is said.

use crate::assess::case::day;
use crate::assess::pickup;
use crate::model::finding::Finding;
use crate::model::map::{Evidence, Hop, Use};
use crate::model::origin::{OriginKind, shown};
use crate::model::record::Record;
use crate::model::report::Report;
use crate::model::rotation::{Consumer, Exposure, Notice, Pickup, Remnant, Rotation, Shared};
use crate::model::rule::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// Places told of one consumer.
const PLACES: usize = 20;
/// Patterns that may mean a record, told one by one.
const PATTERNS: usize = 20;

/// The plan for a record. `has_history` tells whether the report covers git's history.
pub fn plan(report: &Report, record: &Record, asked: Option<u32>, has_history: bool) -> Rotation {
    let uses: Vec<&Use> = report
        .map
        .uses
        .iter()
        .filter(|it| it.record == record.name)
        .collect();
    let exposures = exposures(report, record);
    let mut unknown = unknown(report, record, &uses);
    if !has_history && !report.repositories.is_empty() {
        unknown.push(
            "History was not searched: values that were removed may still be in it.".to_owned(),
        );
    }
    Rotation {
        record: record.name.clone(),
        object: record.secret.to_string(),
        current: record.versions.last().map(|it| it.number),
        asked,
        keeps_data: keeps_data(record),
        tell: tell(report, record, &uses, &exposures),
        shared: shared(report, record),
        consumers: consumers(&uses, &exposures),
        exposures,
        unknown,
    }
}

/// Whether data is lost without it: a key that encrypts what is kept.
fn keeps_data(record: &Record) -> bool {
    const WORDS: [&str; 8] = [
        "encrypt", "backup", "restore", "recovery", "unseal", "master", "kek", "data-key",
    ];
    let name = record.secret.to_string().to_lowercase().replace('_', "-");
    let is_key = record.kind.is_none_or(|it| {
        matches!(
            it,
            Kind::SymmetricKey | Kind::PrivateKey | Kind::Generic | Kind::Password
        )
    });
    is_key && WORDS.iter().any(|it| name.contains(it))
}

/// Owners, then authors.
fn tell(report: &Report, record: &Record, uses: &[&Use], exposures: &[Exposure]) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    let mut add = |who: &str, why: String| {
        if who.is_empty() {
            return;
        }
        match notices
            .iter_mut()
            .find(|it| it.who.eq_ignore_ascii_case(who))
        {
            Some(known) if known.why.contains(&why) => {}
            Some(known) => known.why.push(why),
            None => notices.push(Notice {
                who: who.to_owned(),
                why: vec![why],
            }),
        }
    };
    for owner in &record.owners {
        add(owner, "owner".to_owned());
    }
    if let Some(reader) = &record.accessed_by {
        let when = record.accessed.map(|it| format!(" on {}", day(it)));
        add(
            reader,
            format!("last to read it{}", when.unwrap_or_default()),
        );
    }
    for exposure in exposures.iter().filter(|it| it.in_files) {
        let place = at(&exposure.hop);
        add(
            exposure.author.as_deref().unwrap_or_default(),
            format!("wrote the value into {place}"),
        );
    }
    // Where nobody is named, who claims the place is better than nobody.
    let unowned = uses.iter().filter(|_| record.owners.is_empty());
    for hop in unowned.filter_map(|it| it.chain.last()) {
        let (owners, file) = report.claimed(hop.repository.as_deref(), &hop.path);
        for owner in owners {
            add(
                owner,
                format!("code owner of {}, as {file} claims", at(hop)),
            );
        }
    }
    // Those who wrote the place itself, then those of whatever passes it on to there.
    let named = uses.iter().filter(|it| it.evidence != Evidence::Value);
    let last = named.clone().filter_map(|it| it.chain.last());
    let before = named.flat_map(|it| it.chain.iter().rev().skip(1));
    for hop in last.chain(before) {
        add(
            hop.author.as_deref().unwrap_or_default(),
            format!("author of {}", at(hop)),
        );
    }
    notices
}

/// `repository/path:line`.
fn at(hop: &Hop) -> String {
    format!(
        "{}:{}",
        shown(hop.repository.as_deref(), &hop.path),
        hop.line.max(1)
    )
}

/// Records whose current value is the same.
fn shared(report: &Report, record: &Record) -> Vec<Shared> {
    let Some(print) = record.versions.last().and_then(|it| it.fingerprint) else {
        return Vec::new();
    };
    let holds = |it: &&Record| {
        it.name != record.name
            && !it.gone
            && it.versions.last().and_then(|it| it.fingerprint) == Some(print)
    };
    let shared = report.records.iter().filter(holds).map(|it| Shared {
        record: it.name.clone(),
        owners: it.owners.clone(),
    });
    shared.collect()
}

/// What passes the value on, nearest to the store first; then what uses it, by how much there is to do.
fn consumers(uses: &[&Use], exposures: &[Exposure]) -> Vec<Consumer> {
    type Key = (Pickup, String, Option<String>);
    let mut found: BTreeMap<Key, (usize, BTreeSet<Hop>)> = BTreeMap::new();
    let mut add = |pickup, name: String, depth: usize, hop: &Hop| {
        let key = (pickup, name, hop.repository.clone());
        let known = found.entry(key).or_insert((depth, BTreeSet::new()));
        known.0 = known.0.min(depth);
        known.1.insert(hop.clone());
    };
    for it in uses {
        let Some(last) = it.chain.last() else {
            continue;
        };
        if it.evidence == Evidence::Value {
            // What history alone has is there to be removed, and takes no new value.
            let of_it = |other: &&Exposure| it.occurrence.as_ref() == Some(&other.occurrence);
            if exposures.iter().filter(of_it).any(|it| !it.in_files) {
                continue;
            }
            add(Pickup::Edit, last.path.clone(), 0, last);
            continue;
        }
        for (depth, pair) in it.chain.windows(2).enumerate() {
            if pickup::of(&pair[0].syntax) == Some(Pickup::Sync) {
                add(Pickup::Sync, pair[1].name.clone(), depth, &pair[0]);
            }
        }
        let ends_synced = it.chain.len() == 1 && pickup::of(&last.syntax) == Some(Pickup::Sync);
        let pickup = match ends_synced {
            true => Pickup::Sync,
            false => pickup::of_chain(it.chain.iter().map(|it| it.syntax.as_str())),
        };
        let name = it.consumer.clone().unwrap_or_else(|| last.path.clone());
        add(pickup, name, it.chain.len() - 1, last);
    }
    let consumers = found
        .into_iter()
        .map(|((pickup, name, repository), (depth, places))| Consumer {
            pickup,
            depth,
            name,
            repository,
            places: places.into_iter().take(PLACES).collect(),
        });
    let mut consumers: Vec<Consumer> = consumers.collect();
    consumers.sort();
    consumers
}

/// Places of any of its values.
fn exposures(report: &Report, record: &Record) -> Vec<Exposure> {
    let held = |it: &&Finding| {
        let managed = it.managed.as_ref();
        managed.is_some_and(|it| it.record == record.name)
            || it.fingerprint.is_some_and(|print| {
                record
                    .versions
                    .iter()
                    .any(|it| it.fingerprint == Some(print))
            })
    };
    let found = report
        .findings
        .iter()
        .filter(held)
        .map(|it| exposure(it, record));
    let mut found: Vec<Exposure> = found.collect();
    found.sort();
    found
}

fn exposure(finding: &Finding, record: &Record) -> Exposure {
    let mut versions = record.versions.iter().rev();
    let own = versions.find(|it| it.fingerprint.is_some() && it.fingerprint == finding.fingerprint);
    let current = record.versions.last().map(|it| it.number);
    let managed = finding.managed.as_ref().map(|it| it.version);
    let version = own.map(|it| it.number).or(managed).unwrap_or_default();
    let origins = &finding.origins;
    let introduced = origins.iter().find_map(|it| it.introduced.as_ref());
    let today = [OriginKind::File, OriginKind::Index, OriginKind::Stdin];
    Exposure {
        hop: Hop {
            repository: origins.first().and_then(|it| it.repository.clone()),
            path: finding.path.clone(),
            line: finding.place.line,
            syntax: finding.rule.clone(),
            name: record.name.clone(),
            author: introduced.map(|it| it.author.clone()),
            date: introduced.map(|it| it.seconds),
        },
        version,
        is_current: Some(version) == current,
        in_files: origins
            .iter()
            .any(|it| it.in_head || today.contains(&it.kind)),
        in_history: origins.iter().any(|it| !today.contains(&it.kind)),
        is_reachable: origins.iter().any(|it| it.reachable),
        author: introduced.map(|it| it.author.clone()),
        occurrence: finding.occurrence.to_string(),
        is_waived: finding.waived.is_some(),
    }
}

/// What the plan cannot know, and says.
fn unknown(report: &Report, record: &Record, uses: &[&Use]) -> Vec<String> {
    let mut unknown = Vec::new();
    let valued = record
        .versions
        .iter()
        .filter(|it| it.fingerprint.is_some())
        .count();
    if valued == 0 {
        unknown.push(
            "The inventory has no value of it: copies of the value cannot be recognised."
                .to_owned(),
        );
    } else if valued < record.versions.len() {
        let missing = record.versions.len() - valued;
        unknown.push(format!("Of {missing} of its versions the inventory has no value: copies of those cannot be recognised."));
    }
    let patterns = patterns(uses);
    for place in patterns.iter().take(PATTERNS) {
        unknown.push(place.clone());
    }
    if patterns.len() > PATTERNS {
        unknown.push(format!(
            "{} more names with a variable in them may mean it.",
            patterns.len() - PATTERNS
        ));
    }
    if let Some(reader) = &record.accessed_by
        && !uses
            .iter()
            .any(|it| it.consumer.as_deref().is_some_and(|it| is_like(it, reader)))
    {
        unknown.push(format!(
            "`{reader}` has read it, and no use seen here explains that."
        ));
    }
    if uses.is_empty() {
        unknown.push("No use of it was seen here: whoever uses it lies elsewhere, or names it in a way that is not read.".to_owned());
    }
    let gaps = report.coverage.gaps.iter();
    let gaps = gaps.filter(|it| !it.reason.is_by_choice()).count();
    if gaps > 0 {
        unknown.push(format!(
            "{gaps} place(s) could not be read: `--verbose` names them."
        ));
    }
    unknown
}

/// Places that name the record by a pattern that fits it.
fn patterns(uses: &[&Use]) -> Vec<String> {
    let uncertain = uses.iter().filter(|it| it.evidence == Evidence::Pattern);
    let places: BTreeSet<String> = uncertain
        .filter_map(|it| it.chain.iter().find(|it| it.name.contains('*')))
        .map(|it| format!("{} names `{}`, which may mean it.", at(it), it.name))
        .collect();
    places.into_iter().collect()
}

/// Whether two names of who uses something share their last word.
fn is_like(consumer: &str, reader: &str) -> bool {
    let last = |it: &str| it.rsplit(['/', ':']).next().unwrap_or(it).to_lowercase();
    last(consumer) == last(reader)
}

/// What is left of values up to a version: places in files and in history, names that pin one, and an
/// inventory that has nothing newer.
pub fn remnants(report: &Report, record: &Record, after: u32) -> Vec<Remnant> {
    let mut remnants = Vec::new();
    let mut add = |kind, text: String, occurrence| {
        remnants.push(Remnant {
            kind,
            text,
            occurrence,
        });
    };
    let current = record.versions.last().map_or(0, |it| it.number);
    if current <= after {
        let text = format!(
            "The inventory's current version is {current}: nothing newer than {after} has been imported."
        );
        add("version", text, None);
    }
    let versions = record.versions.iter();
    for it in versions.filter(|it| it.number <= after && it.fingerprint.is_none()) {
        let text = format!(
            "The inventory has no value of version {}: it cannot be recognised.",
            it.number
        );
        add("unknown", text, None);
    }
    let old = |it: &&Exposure| it.version <= after && !it.is_waived;
    for it in exposures(report, record).iter().filter(old) {
        let (place, version) = (at(&it.hop), it.version);
        let (kind, text) = match it.in_files {
            true => (
                "files",
                format!("Version {version} lies in the clear at {place}."),
            ),
            false => (
                "history",
                format!("Version {version} is still in git's history, at {place}."),
            ),
        };
        add(kind, text, Some(it.occurrence.clone()));
    }
    for (it, resolved) in report.references.iter().zip(&report.resolved) {
        let pinned = it.mention.name.version.as_deref();
        let pinned = pinned.and_then(|it| it.parse::<u32>().ok());
        if resolved.as_deref() == Some(record.name.as_str())
            && let Some(version) = pinned.filter(|it| *it <= after)
        {
            let path = shown(it.origin.repository.as_deref(), &it.path);
            let line = it.mention.place.line;
            add(
                "pinned",
                format!("{path}:{line} asks for version {version}."),
                None,
            );
        }
    }
    remnants.sort();
    remnants
}

/// Why a record concerns somebody who left, the gravest reason first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tie {
    /// Brought a value into the clear.
    Exposed,
    /// Owns it, and nobody else does.
    SoleOwner,
    /// Owns it.
    Owner,
    /// Has read its value.
    Read,
    /// Is or was of a team that owns or reads it.
    Team,
    /// Could read it.
    Reader,
    /// Wrote where it is used.
    Wrote,
}

impl Tie {
    /// In words, and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exposed => "put its value in the clear",
            Self::SoleOwner => "is its only owner",
            Self::Owner => "is an owner",
            Self::Read => "has read it",
            Self::Team => "is or was of its team",
            Self::Reader => "can read it",
            Self::Wrote => "wrote where it is used",
        }
    }
}

/// Every record that somebody owned, wrote or could read, with the reasons; the gravest first.
/// `is_team` tells their teams, those that they have moved from too.
pub fn ties<'r>(
    report: &'r Report,
    is_who: &dyn Fn(&str) -> bool,
    is_team: &dyn Fn(&str) -> bool,
) -> Vec<(&'r Record, Vec<Tie>)> {
    let mut ties: Vec<(&Record, Vec<Tie>)> = Vec::new();
    let mut by_record: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for it in &report.map.uses {
        by_record.entry(&it.record).or_default().push(it);
    }
    for record in &report.records {
        let uses = by_record
            .get(record.name.as_str())
            .map_or(&[][..], Vec::as_slice);
        let wrote = |evidence: Evidence| {
            let mut own = uses.iter().filter(|it| it.evidence == evidence);
            own.any(|it| {
                let mut authors = it.chain.iter().filter_map(|it| it.author.as_deref());
                authors.any(is_who)
            })
        };
        let owns = record.owners.iter().any(|it| is_who(it));
        let mut found = BTreeSet::new();
        if uses.iter().any(|it| it.evidence == Evidence::Value) {
            let exposures = exposures(report, record);
            let mut authors = exposures.iter().filter_map(|it| it.author.as_deref());
            if authors.any(is_who) {
                found.insert(Tie::Exposed);
            }
        }
        if owns {
            let others = record.owners.iter().any(|it| !is_who(it));
            found.insert(if others { Tie::Owner } else { Tie::SoleOwner });
        }
        let read = record.accesses.iter().map(|it| it.by.as_str());
        if read.chain(record.accessed_by.as_deref()).any(is_who) {
            found.insert(Tie::Read);
        }
        if record
            .owners
            .iter()
            .chain(&record.readers)
            .any(|it| is_team(it))
        {
            found.insert(Tie::Team);
        }
        if record.readers.iter().any(|it| is_who(it)) {
            found.insert(Tie::Reader);
        }
        if wrote(Evidence::Reference) || wrote(Evidence::Pattern) {
            found.insert(Tie::Wrote);
        }
        if !found.is_empty() {
            ties.push((record, found.into_iter().collect()));
        }
    }
    ties.sort_by(|one, other| (&one.1, &one.0.name).cmp(&(&other.1, &other.0.name)));
    ties
}
