//! Evidence of access: who read which secret when, out of the logs of its store. Makes no records.
//!
//! This page is the switchboard for logs, as `mod.rs` is for exports. A log is read as it comes and may be
//! longer than memory; what it says of each secret and accessor is a row of times.

use crate::import::intake::Error;
use crate::import::{cloudtrail, vault_audit};
use crate::model::access::Reading;
use crate::model::reference::SecretName;
use flate2::bufread::MultiGzDecoder;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// A kind of log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Evidence {
    /// The audit log of Vault or OpenBao.
    VaultAudit,
    /// Events of AWS CloudTrail.
    CloudTrail,
}

impl Evidence {
    /// Every kind with its name on the command line and one line of help.
    pub const NAMES: &'static [(&'static str, &'static str, Self)] = &[
        (
            "vault-audit",
            "evidence of access: an audit log of Vault or OpenBao",
            Self::VaultAudit,
        ),
        (
            "cloudtrail",
            "evidence of access: CloudTrail files, or what `aws cloudtrail lookup-events` prints",
            Self::CloudTrail,
        ),
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(it, _, _)| *it == name)
            .map(|(_, _, evidence)| *evidence)
    }

    /// A small log of this kind, invented.
    pub fn example(self) -> &'static str {
        match self {
            Self::VaultAudit => vault_audit::EXAMPLE,
            Self::CloudTrail => cloudtrail::EXAMPLE,
        }
    }
}

/// What a log tells.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Told {
    /// Entries in it.
    pub entries: usize,
    /// Of these, successful reads of a secret's value.
    pub reads: usize,
    /// The reads, by secret and accessor, sorted.
    pub readings: Vec<Reading>,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// Reads a log, as it is or compressed with gzip. After an error nothing of it counts.
pub fn read(evidence: Evidence, name: &str, log: &mut dyn BufRead) -> Result<Told, Error> {
    let mut diary = Diary {
        name,
        told: Told::default(),
        readings: BTreeMap::new(),
    };
    let start = log.fill_buf().map_err(|it| diary.broken(&it.to_string()))?;
    // Trails are delivered so: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>
    if start.starts_with(&[0x1f, 0x8b]) {
        let mut plain = BufReader::new(MultiGzDecoder::new(log));
        read_plain(evidence, &mut plain, &mut diary)?;
    } else {
        read_plain(evidence, log, &mut diary)?;
    }
    if diary.told.entries == 0 {
        return Err(diary.broken("there is no entry in it"));
    }
    Ok(diary.told())
}

fn read_plain(
    evidence: Evidence,
    log: &mut dyn BufRead,
    diary: &mut Diary<'_>,
) -> Result<(), Error> {
    match evidence {
        Evidence::VaultAudit => vault_audit::read(log, diary),
        Evidence::CloudTrail => cloudtrail::read(log, diary),
    }
}

/// Longest name of an accessor that is kept whole.
const LONGEST: usize = 200;
/// Most bytes of one line or document.
pub(super) const MOST: u64 = 256 << 20;

/// What a log has told so far.
pub(super) struct Diary<'a> {
    name: &'a str,
    told: Told,
    readings: BTreeMap<(Vec<SecretName>, String), Vec<i64>>,
}

impl Diary<'_> {
    /// One more entry, of whatever kind.
    pub(super) fn entry(&mut self) {
        self.told.entries += 1;
    }

    /// Somebody read a secret.
    pub(super) fn read(&mut self, names: Vec<SecretName>, by: &str, time: i64) {
        let by: String = by.chars().take(LONGEST).collect();
        self.told.reads += 1;
        self.readings.entry((names, by)).or_default().push(time);
    }

    /// Notes what was left out; `what` must quote nothing of the log.
    pub(super) fn skip(&mut self, what: &str) {
        self.told.skipped.push(format!("{}: {what}", self.name));
    }

    /// The log breaks its grammar.
    pub(super) fn fault(&self, line: u64, column: u64, what: &str) -> Error {
        Error::Syntax {
            input: self.name.to_owned(),
            line,
            column: column.max(1),
            what: what.to_owned(),
        }
    }

    /// The log cannot be read, or is none.
    pub(super) fn broken(&self, what: &str) -> Error {
        Error::Shape {
            input: self.name.to_owned(),
            what: what.to_owned(),
            hint: "nothing was imported; give a log as the store wrote it, or compressed with gzip",
        }
    }

    fn told(self) -> Told {
        let reading = |((names, by), mut times): ((Vec<SecretName>, String), Vec<i64>)| {
            times.sort_unstable();
            Reading { names, by, times }
        };
        Told {
            readings: self.readings.into_iter().map(reading).collect(),
            ..self.told
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    pub(in crate::import) fn told(evidence: Evidence, log: &[u8]) -> Result<Told, Error> {
        read(evidence, "log", &mut &*log)
    }

    /// `NAME by WHO at TIMES`.
    pub(in crate::import) fn lines(told: &Told) -> Vec<String> {
        let line = |it: &Reading| {
            let names: Vec<_> = it.names.iter().map(ToString::to_string).collect();
            format!("{} by {} at {:?}", names.join(" or "), it.by, it.times)
        };
        told.readings.iter().map(line).collect()
    }

    #[test]
    fn every_example_tells_reads_plain_and_compressed() {
        for (name, _, evidence) in Evidence::NAMES {
            let example = evidence.example().as_bytes();
            let plain = told(*evidence, example).unwrap();
            assert!(
                plain.reads >= 2 && plain.entries > plain.reads,
                "{name}: {plain:?}"
            );
            assert!(
                plain
                    .readings
                    .iter()
                    .all(|it| !it.by.is_empty() && !it.times.is_empty())
            );
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(example).unwrap();
            let packed = encoder.finish().unwrap();
            assert_eq!(told(*evidence, &packed).unwrap(), plain, "{name}");
            assert!(
                told(*evidence, &packed[..packed.len() / 2]).is_err(),
                "{name}"
            );
            assert!(told(*evidence, b"").is_err(), "{name}");
            assert_eq!(Evidence::named(name), Some(*evidence));
        }
    }

    #[test]
    fn broken_logs_never_panic_and_tell_no_text() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for (_, _, evidence) in Evidence::NAMES {
            let example = evidence.example().as_bytes();
            for length in 0..example.len() {
                if let Err(error) = told(*evidence, &example[..length]) {
                    assert!(error.to_string().starts_with("log:"), "{error}");
                }
            }
            for _ in 0..300 {
                let mut bent = example.to_vec();
                for _ in 0..4 {
                    let at = usize::try_from(random()).unwrap_or(0) % bent.len();
                    bent[at] = random().to_le_bytes()[2];
                }
                let _ = told(*evidence, &bent);
            }
            let planted = "{\"a\": 1}\n{\"request\": \"Pl4nted-Value\" x}\n";
            let error = told(*evidence, planted.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("log:2:"), "{error}");
            assert!(
                !format!("{error} {error:?}").contains("Pl4nted"),
                "{error:?}"
            );
        }
    }
}
