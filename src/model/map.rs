//! The map: where each record is used, by value and by reference, through chains.

use super::fingerprint::Fingerprint;

/// The kinds of evidence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Evidence {
    /// The value itself lies there.
    Value,
    /// The place names the secret, directly or through a chain.
    Reference,
    /// A place of the chain names it by a pattern that fits it: less certain.
    Pattern,
}

impl Evidence {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Reference => "reference",
            Self::Pattern => "pattern",
        }
    }
}

/// One step of a chain, from the inventory's side towards the consumer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hop {
    /// Repository, or `None` outside one.
    pub repository: Option<String>,
    /// Path.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Reference syntax, or the rule id for evidence by value.
    pub syntax: String,
    /// The name used here (`kubernetes:shop/shop-db#password`).
    pub name: String,
    /// Who wrote it, where known.
    pub author: Option<String>,
    /// When, seconds since the epoch, where known.
    pub date: Option<i64>,
}

/// A use: a place tied to a record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Use {
    /// Name of the record.
    pub record: String,
    /// The kind of evidence.
    pub evidence: Evidence,
    /// The chain; the last hop is the place itself.
    pub chain: Vec<Hop>,
    /// The workload, job or file that uses it.
    pub consumer: Option<String>,
    /// Who wrote the last hop, where known.
    pub author: Option<String>,
    /// When, seconds since the epoch, where known.
    pub date: Option<i64>,
    /// Occurrence id for evidence by value.
    pub occurrence: Option<String>,
}

/// Uses, sorted by record.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Map {
    /// All uses.
    pub uses: Vec<Use>,
}

/// What of a map is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// All of it.
    Everything,
    /// The record of this name, else those whose names hold it.
    Name(String),
    /// Whatever has this value.
    Value(Fingerprint),
    /// Whatever has the value of the occurrence whose id begins so.
    Occurrence(String),
}
