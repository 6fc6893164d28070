//! Waivers: the text file `.keyatlas-waivers`, one accepted occurrence a line, made for merging (sorted,
//! no time stamps, no line numbers), and inline comments that accept one.

use crate::model::finding::{Finding, Inline, Waived};
use crate::model::level::Level;
use data_encoding::HEXLOWER;
use std::collections::{BTreeMap, BTreeSet};

/// Marks entries that a baseline wrote and nobody has looked at.
pub const UNAUDITED: &str = "unaudited";

/// A fault in a waiver file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("waiver file, line {line}: {what}")]
pub struct Error {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// One accepted occurrence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Occurrence base id (`ko1:...`).
    pub occurrence: String,
    /// How many places are accepted.
    pub count: u32,
    /// Last day, `YYYY-MM-DD`.
    pub until: String,
    /// Who accepted it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Where it was when it was accepted: hints, preferred when there are more places than accepted.
    pub paths: Vec<String>,
}

/// The waiver file.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Waivers {
    salt: Option<Vec<u8>>,
    entries: BTreeMap<String, Entry>,
}

/// What happened when waivers were applied: base ids to report.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Past their end: they waive nothing.
    pub expired: Vec<String>,
    /// Written by a baseline and never looked at.
    pub unaudited: Vec<String>,
    /// Nothing like it was found.
    pub dead: Vec<String>,
    /// More places than accepted.
    pub exceeded: Vec<String>,
}

/// Whether the text is a date `YYYY-MM-DD`.
pub fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

impl Waivers {
    /// An empty file with a random salt.
    pub fn with_salt(salt: [u8; 16]) -> Self {
        Self {
            salt: Some(salt.to_vec()),
            entries: BTreeMap::new(),
        }
    }

    /// Reads the file.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut this = Self::default();
        for (number, line) in text.lines().enumerate() {
            let fault = |what: &str| Error {
                line: number + 1,
                what: what.to_owned(),
            };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(salt) = line
                .strip_prefix("salt\t")
                .or_else(|| line.strip_prefix("salt "))
            {
                this.salt = Some(
                    HEXLOWER
                        .decode(salt.trim().as_bytes())
                        .map_err(|_| fault("the salt is not hexadecimal"))?,
                );
                continue;
            }
            let fields: Vec<&str> = line.split('\t').collect();
            let [occurrence, count, until, owner, reason, paths] = fields[..] else {
                return Err(fault(
                    "needs six fields separated by tabs: ko1, count, until, owner, reason, paths",
                ));
            };
            if !occurrence.starts_with("ko1:") {
                return Err(fault("the first field is no occurrence id (ko1:...)"));
            }
            let count = count
                .parse()
                .map_err(|_| fault("the count is no whole number"))?;
            if !is_date(until) {
                return Err(fault("the end date is not YYYY-MM-DD"));
            }
            let paths = paths
                .split(',')
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect();
            this.add(Entry {
                occurrence: occurrence.to_owned(),
                count,
                until: until.to_owned(),
                owner: owner.to_owned(),
                reason: reason.to_owned(),
                paths,
            });
        }
        Ok(this)
    }

    /// The file's text.
    pub fn render(&self) -> String {
        let mut text =
            "# Accepted occurrences: ko1, count, until, owner, reason, paths (tabs between).\n"
                .to_owned();
        if let Some(salt) = &self.salt {
            text.push_str(&format!("salt {}\n", HEXLOWER.encode(salt)));
        }
        for it in self.entries.values() {
            let flat = |text: &str| text.replace(['\t', '\n', '\r'], " ");
            let paths = it
                .paths
                .iter()
                .map(|path| flat(path).replace(',', "%2C"))
                .collect::<Vec<_>>()
                .join(",");
            text.push_str(&format!(
                "{}\t{}\t{}\t{}\t{}\t{paths}\n",
                it.occurrence,
                it.count,
                it.until,
                flat(&it.owner),
                flat(&it.reason)
            ));
        }
        text
    }

    /// The salt of occurrence ids.
    pub fn salt(&self) -> Option<&[u8]> {
        self.salt.as_deref()
    }

    /// Entries, sorted by id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Adds an entry, or replaces the one with the same id.
    pub fn add(&mut self, entry: Entry) {
        self.entries.insert(entry.occurrence.clone(), entry);
    }

    /// Removes what has ended or is no longer found; returns the removed ids.
    pub fn prune(&mut self, today: &str, live: &BTreeSet<String>) -> Vec<String> {
        let gone: Vec<String> = self
            .entries
            .values()
            .filter(|it| it.until.as_str() < today || !live.contains(&it.occurrence))
            .map(|it| it.occurrence.clone())
            .collect();
        gone.iter().for_each(|it| {
            self.entries.remove(it);
        });
        gone
    }

    /// Accepts everything found and not yet accepted; returns how many entries are new.
    pub fn baseline(
        &mut self,
        findings: &[Finding],
        owner: Option<&str>,
        reason: &str,
        until: &str,
    ) -> usize {
        let mut places: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings.iter().filter(|it| it.waived.is_none()) {
            places
                .entry(&finding.occurrence.base)
                .or_default()
                .push(finding);
        }
        let before = self.entries.len();
        for (base, group) in places {
            let paths: BTreeSet<String> = group.iter().map(|it| it.path.clone()).collect();
            self.add(Entry {
                occurrence: base.to_owned(),
                count: u32::try_from(
                    group
                        .iter()
                        .map(|it| it.occurrence.ordinal as usize)
                        .max()
                        .unwrap_or(1),
                )
                .unwrap_or(u32::MAX),
                until: until.to_owned(),
                owner: owner.unwrap_or(UNAUDITED).to_owned(),
                reason: reason.to_owned(),
                paths: paths.into_iter().collect(),
            });
        }
        self.entries.len() - before
    }

    /// Waives findings: as many places as were accepted, the listed paths first. Inline comments next.
    pub fn apply(&self, findings: &mut [Finding], today: &str) -> Applied {
        let mut applied = Applied::default();
        for entry in self.entries.values() {
            let mut places: Vec<usize> = (0..findings.len())
                .filter(|it| findings[*it].occurrence.base == entry.occurrence)
                .collect();
            if entry.owner == UNAUDITED {
                applied.unaudited.push(entry.occurrence.clone());
            }
            if places.is_empty() {
                applied.dead.push(entry.occurrence.clone());
                continue;
            }
            if entry.until.as_str() < today {
                applied.expired.push(entry.occurrence.clone());
                continue;
            }
            places.sort_by_key(|it| {
                (
                    !entry.paths.contains(&findings[*it].path),
                    findings[*it].occurrence.ordinal,
                )
            });
            if places.len() > entry.count as usize {
                applied.exceeded.push(entry.occurrence.clone());
            }
            for place in places.into_iter().take(entry.count as usize) {
                findings[place].waived = Some(Waived {
                    reason: entry.reason.clone(),
                    owner: entry.owner.clone(),
                    until: entry.until.clone(),
                });
            }
        }
        findings.iter_mut().for_each(|it| inline(it, today));
        applied
    }
}

/// Ours waives with an occurrence id, or with a rule id and an end date; another tool's lowers to note.
fn inline(finding: &mut Finding, today: &str) {
    let waived = match &finding.inline {
        Some(Inline::Foreign) => {
            finding.level = Level::Note;
            None
        }
        Some(Inline::Allow {
            what,
            until,
            reason,
        }) => {
            let by_id = *what == finding.occurrence.base;
            let end = until.clone().filter(|it| is_date(it));
            let in_time = end.as_deref().is_none_or(|it| it >= today);
            let by_rule = *what == finding.rule && end.is_some();
            ((by_id || by_rule) && in_time).then(|| Waived {
                reason: reason.clone(),
                owner: "inline comment".to_owned(),
                until: end.unwrap_or_default(),
            })
        }
        None => None,
    };
    if finding.waived.is_none() {
        finding.waived = waived;
    }
}

/// Numbers the places of each base id, by path and place. Findings must be sorted.
pub fn assign_ordinals(findings: &mut [Finding]) {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for finding in findings {
        let count = counts.entry(finding.occurrence.base.clone()).or_default();
        *count += 1;
        finding.occurrence.ordinal = *count;
    }
}
