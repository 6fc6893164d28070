//! Records out of an owner's list: exports on disk, and live servers behind the `live` feature.
//!
//! This page is the switchboard: what can be imported, by which name. Values are fingerprinted while
//! they are parsed; nothing here keeps or shows one. Keeping records is the work of `inventory`.

mod aws;
#[cfg(feature = "live")]
mod aws_client;
#[cfg(feature = "live")]
pub mod aws_live;
mod aws_parameters;
mod aws_report;
mod aws_secrets;
#[cfg(feature = "live")]
mod aws_sign;
mod azure;
mod cloud;
mod cloudtrail;
mod csv;
mod dotenv;
pub mod evidence;
mod gcp;
mod intake;
mod kubernetes;
mod provider;
mod rows;
#[cfg(feature = "live")]
mod transport;
mod tree;
mod vault;
mod vault_audit;
#[cfg(feature = "live")]
mod vault_client;
#[cfg(feature = "live")]
pub mod vault_live;

pub use intake::{Error, Options, Totals};

use crate::model::fingerprint::Fingerprinter;
use crate::model::input::Input;
use crate::model::record::Record;
use intake::Intake;

/// A format that records can be read from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Importer {
    /// `.env` files.
    Dotenv,
    /// A table with named columns.
    Csv,
    /// `kubectl get secret -A -o json`, or manifests.
    Kubernetes,
    /// Vault or OpenBao KV output, wrapped with paths.
    Vault,
    /// What the AWS command line prints.
    Aws,
    /// What `gcloud secrets` prints.
    Gcp,
    /// What `az keyvault` prints.
    Azure,
}

impl Importer {
    /// Every importer with its name on the command line and one line of help.
    pub const NAMES: &'static [(&'static str, &'static str, Self)] = &[
        (
            "dotenv",
            "a .env file: NAME=value, one a line",
            Self::Dotenv,
        ),
        (
            "csv",
            "a table with a header: name, key, provider, owner, created, rotated, expires, value, ...",
            Self::Csv,
        ),
        (
            "kubernetes",
            "`kubectl get secret -A -o json`, or YAML manifests",
            Self::Kubernetes,
        ),
        (
            "vault",
            "Vault or OpenBao KV exports: entries of path, metadata and data, as JSON or JSON Lines",
            Self::Vault,
        ),
        (
            "aws",
            "what `aws secretsmanager`, `aws ssm` and `aws iam get-credential-report` print as JSON, one after another",
            Self::Aws,
        ),
        (
            "gcp",
            "what `gcloud secrets` prints with --format=json, one after another",
            Self::Gcp,
        ),
        (
            "azure",
            "what `az keyvault secret`, `key` and `certificate` print as JSON, one after another",
            Self::Azure,
        ),
    ];

    /// The importer of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(it, _, _)| *it == name)
            .map(|(_, _, importer)| *importer)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, _, it)| *it == self)
            .map_or("", |(name, _, _)| name)
    }

    /// A small export of this format, with invented values.
    pub fn example(self) -> &'static str {
        match self {
            Self::Dotenv => dotenv::EXAMPLE,
            Self::Csv => csv::EXAMPLE,
            Self::Kubernetes => kubernetes::EXAMPLE,
            Self::Vault => vault::EXAMPLE,
            Self::Aws => aws::EXAMPLE,
            Self::Gcp => gcp::EXAMPLE,
            Self::Azure => azure::EXAMPLE,
        }
    }
}

/// Reads an export and hands each record to `emit`, in an order that the bytes alone decide.
///
/// Without a seal, and with [`Options::names_only`], no record carries a fingerprint. After an error the
/// records already emitted are not a whole import: store none of them.
pub fn read(
    importer: Importer,
    input: &Input,
    seal: Option<&Fingerprinter>,
    options: &Options,
    emit: &mut dyn FnMut(Record),
) -> Result<Totals, Error> {
    let mut intake = Intake::new(&input.name, seal, options, emit);
    match importer {
        Importer::Dotenv => dotenv::read(input, &mut intake)?,
        Importer::Csv => csv::read(input, &mut intake)?,
        Importer::Kubernetes => kubernetes::read(input, &mut intake)?,
        Importer::Vault => vault::read(input, &mut intake)?,
        Importer::Aws => aws::read(input, &mut intake)?,
        Importer::Gcp => gcp::read(input, &mut intake)?,
        Importer::Azure => azure::read(input, &mut intake)?,
    }
    Ok(intake.totals())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn input(bytes: &[u8]) -> Input {
        Input {
            name: "export".to_owned(),
            bytes: Zeroizing::new(bytes.to_vec()),
        }
    }

    fn attempt(
        importer: Importer,
        bytes: &[u8],
        options: &Options,
    ) -> (Vec<Record>, Result<Totals, Error>) {
        let seal = Fingerprinter::new([7; 32]);
        let mut records = Vec::new();
        let result = read(importer, &input(bytes), Some(&seal), options, &mut |it| {
            records.push(it)
        });
        (records, result)
    }

    #[test]
    fn every_example_yields_records_with_values() {
        for (name, _, importer) in Importer::NAMES {
            let (records, result) = attempt(
                *importer,
                importer.example().as_bytes(),
                &Options::default(),
            );
            let totals = result.unwrap();
            assert_eq!(totals.records, records.len(), "{name}");
            assert!(records.len() >= 2, "{name}: {}", records.len());
            assert!(totals.values >= 2, "{name}");
            assert_eq!(Importer::named(name), Some(*importer));
            let mut names: Vec<_> = records.iter().map(|it| &it.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), records.len(), "{name}: names are unique");
            for record in &records {
                assert_eq!(record.source, "export", "{name}");
                assert!(!record.secret.provider.is_empty(), "{name}: {record:?}");
                let numbers: Vec<_> = record.versions.iter().map(|it| it.number).collect();
                assert!(numbers.is_sorted(), "{name}: {numbers:?}");
            }
        }
    }

    #[test]
    fn names_only_and_no_seal_yield_no_fingerprint() {
        let names_only = Options {
            names_only: true,
            ..Options::default()
        };
        for (name, _, importer) in Importer::NAMES {
            let (whole, _) = attempt(
                *importer,
                importer.example().as_bytes(),
                &Options::default(),
            );
            let (records, result) = attempt(*importer, importer.example().as_bytes(), &names_only);
            assert_eq!(result.unwrap().values, 0, "{name}");
            let mut unsealed = Vec::new();
            let bytes = input(importer.example().as_bytes());
            read(*importer, &bytes, None, &Options::default(), &mut |it| {
                unsealed.push(it)
            })
            .unwrap();
            for list in [&records, &unsealed] {
                assert!(
                    list.iter()
                        .flat_map(|it| &it.versions)
                        .all(|it| it.fingerprint.is_none()),
                    "{name}"
                );
                let names: Vec<_> = list.iter().map(|it| &it.name).collect();
                assert_eq!(
                    names,
                    whole.iter().map(|it| &it.name).collect::<Vec<_>>(),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn broken_inputs_never_panic() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for (_, _, importer) in Importer::NAMES {
            let example = importer.example().as_bytes();
            for length in 0..example.len() {
                let _ = attempt(*importer, &example[..length], &Options::default());
            }
            for _ in 0..200 {
                let length = usize::try_from(random() % 300).unwrap();
                let noise: Vec<u8> = (0..length).map(|_| random().to_le_bytes()[3]).collect();
                let _ = attempt(*importer, &noise, &Options::default());
                let mut bent = example.to_vec();
                for _ in 0..4 {
                    let at = usize::try_from(random()).unwrap_or(0) % bent.len();
                    bent[at] = random().to_le_bytes()[2];
                }
                let _ = attempt(*importer, &bent, &Options::default());
            }
        }
    }

    #[test]
    fn faults_tell_the_place_and_never_the_value() {
        let planted = "Pl4nted-Value-9c1f27";
        let cases: &[(Importer, String)] = &[
            (Importer::Dotenv, format!("A=\"{planted}\nB=2\n")),
            (Importer::Dotenv, format!("A=1\n{planted}\n")),
            (
                Importer::Csv,
                format!("name,value,rotated\nx,a,{planted}\n"),
            ),
            (Importer::Csv, format!("name,value\nx,\"{planted}\n")),
            (Importer::Csv, format!("name,value\nx,{planted},more\n")),
            (
                Importer::Kubernetes,
                format!("{{\"kind\": \"Secret\", \"data\": {{\"a\": \"{planted}"),
            ),
            (
                Importer::Kubernetes,
                format!("kind: Secret\nmetadata: {{name: x}}\ndata:\n  a: '{planted}!'\n"),
            ),
            (
                Importer::Kubernetes,
                format!("kind: Secret\ndata:\n  a: \"{planted}\n"),
            ),
            (
                Importer::Vault,
                format!("{{\"path\": \"kv/a\", \"data\": {{\"a\": \"{planted}\" x"),
            ),
            (
                Importer::Vault,
                format!("[{{\"data\": {{\"a\": \"{planted}\"}}}}]"),
            ),
            (
                Importer::Azure,
                format!("{{\"id\": \"{planted}\", \"value\": \"{planted}\"}}"),
            ),
            (
                Importer::Gcp,
                format!("{{\"name\": \"db\", \"value\": \"{planted}\"}}"),
            ),
            (
                Importer::Gcp,
                format!(
                    "{{\"name\": \"projects/p/secrets/a/versions/1\", \"payload\": {{\"data\": \"{planted}!\"}}}}"
                ),
            ),
            (
                Importer::Aws,
                format!("{{\"SecretString\": \"{planted}\"}}"),
            ),
            (
                Importer::Aws,
                format!("{{\"SecretValues\": [{{\"SecretString\": \"{planted}\"}}]}}"),
            ),
            (
                Importer::Aws,
                format!("{{\"Parameter\": {{\"Value\": \"{planted}\", \"Type\": \"String\"}}}}"),
            ),
        ];
        for (importer, text) in cases {
            let (_, result) = attempt(*importer, text.as_bytes(), &Options::default());
            let told = match result {
                Ok(totals) => format!("{totals:?}"),
                Err(error) => format!("{error} {error:?} {:?}", error.hint()),
            };
            assert!(told.contains("export"), "{told}");
            assert!(!told.contains(planted), "{told}");
        }
    }
}
