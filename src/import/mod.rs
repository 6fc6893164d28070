//! Records out of an owner's list: exports on disk, and live servers behind the `live` feature.
//!
//! This page is the switchboard: what can be imported, by which name. Values are fingerprinted while
//! they are parsed; nothing here keeps or shows one. Keeping records is the work of `inventory`.

mod ansible;
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
mod cluster;
mod csv;
mod declared;
mod doppler;
mod dotenv;
pub mod evidence;
mod gcp;
mod github;
mod gitlab;
mod infisical;
mod intake;
mod json;
mod keystore;
mod kubernetes;
mod onepassword;
mod people;
mod provider;
mod radar;
mod rows;
mod sops;
mod terraform;
#[cfg(feature = "live")]
mod transport;
mod tree;
mod vault;
mod vault_audit;
#[cfg(feature = "live")]
mod vault_client;
mod vault_engines;
#[cfg(feature = "live")]
pub mod vault_live;

pub use intake::{Error, Options, Totals};
pub use people::EXAMPLE as PEOPLE_EXAMPLE;

use crate::model::fingerprint::Fingerprinter;
use crate::model::input::Input;
use crate::model::people::Entry;
use crate::model::record::Record;
use intake::Intake;
use std::fmt;

/// A format that records can be read from.
struct Format {
    /// Its name on the command line.
    name: &'static str,
    /// One line of help.
    help: &'static str,
    /// A small export, with invented values.
    example: &'static str,
    /// Which files of a folder are of this format; `None` where a folder makes no sense.
    folder: Option<Folder>,
    read: fn(&Input, &mut Intake<'_>) -> Result<(), Error>,
}

/// Which files of a folder are of a format.
struct Folder {
    /// By the path below the folder.
    applies: fn(&str) -> bool,
    /// By what the file holds.
    holds: fn(&[u8]) -> bool,
}

macro_rules! formats {
    (@folder $module:ident folder) => {
        Some(Folder { applies: $module::applies, holds: $module::holds })
    };
    (@folder $module:ident) => {
        None
    };
    ($($name:literal => $module:ident $($folder:ident)?),* $(,)?) => {
        &[$(Format {
            name: $name,
            help: $module::HELP,
            example: $module::EXAMPLE,
            folder: formats!(@folder $module $($folder)?),
            read: $module::read,
        }),*]
    };
}

const FORMATS: &[Format] = formats![
    "ansible-vault" => ansible folder,
    "aws" => aws,
    "azure" => azure,
    "csv" => csv,
    "doppler" => doppler folder,
    "dotenv" => dotenv folder,
    "gcp" => gcp,
    "github-secrets" => github folder,
    "gitlab-variables" => gitlab folder,
    "infisical" => infisical folder,
    "json" => json,
    "keystore" => keystore folder,
    "kubernetes" => kubernetes folder,
    "onepassword" => onepassword folder,
    "sops" => sops folder,
    "terraform-state" => terraform folder,
    "vault" => vault,
    "vault-radar" => radar,
];

/// One of the formats.
#[derive(Clone, Copy)]
pub struct Importer(&'static Format);

impl Importer {
    /// Every importer, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(Self)
    }

    /// The importer of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|it| it.name() == name)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// One line of help.
    pub fn help(self) -> &'static str {
        self.0.help
    }

    /// Whether a folder of such files can be read as one source.
    pub fn reads_folders(self) -> bool {
        self.0.folder.is_some()
    }

    /// Whether a file with this path below an imported folder may be of this format.
    pub fn applies(self, below: &str) -> bool {
        self.0.folder.as_ref().is_some_and(|it| (it.applies)(below))
    }

    /// A small export of this format, with invented values.
    pub fn example(self) -> &'static str {
        self.0.example
    }
}

impl fmt::Debug for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Importer({})", self.name())
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
    (importer.0.read)(input, &mut intake)?;
    Ok(intake.totals())
}

/// Reads a team file or a leavers list: lines about people, and no record.
pub fn people(input: &Input) -> Result<Vec<Entry>, Error> {
    let options = Options::default();
    let mut ignore = |_| {};
    people::read(
        input,
        &Intake::new(&input.name, None, &options, &mut ignore),
    )
}

/// Reads a file of a folder that is imported as one source; `below` is its path in there. `None` if it is of
/// another format.
pub fn read_within(
    importer: Importer,
    input: &Input,
    below: &str,
    seal: Option<&Fingerprinter>,
    options: &Options,
    emit: &mut dyn FnMut(Record),
) -> Result<Option<Totals>, Error> {
    let is_one = |it: &Folder| (it.applies)(below) && (it.holds)(&input.bytes);
    if !importer.0.folder.as_ref().is_some_and(is_one) {
        return Ok(None);
    }
    let mut intake = Intake::new(&input.name, seal, options, emit).below(below);
    (importer.0.read)(input, &mut intake)?;
    Ok(Some(intake.totals()))
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

    /// Formats whose exports hold no values, or sealed ones.
    const WITHOUT_VALUES: &[&str] = &["ansible-vault", "github-secrets", "sops", "vault-radar"];

    #[test]
    fn every_example_yields_records_with_values() {
        for importer in Importer::all() {
            let name = importer.name();
            let (records, result) =
                attempt(importer, importer.example().as_bytes(), &Options::default());
            let totals = result.unwrap();
            assert_eq!(totals.records, records.len(), "{name}");
            assert!(records.len() >= 2, "{name}: {}", records.len());
            let has_values = !WITHOUT_VALUES.contains(&name);
            assert_eq!(totals.values >= 2, has_values, "{name}");
            assert_eq!(Importer::named(name).map(Importer::name), Some(name));
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
    fn names_are_sorted_and_told_in_a_line() {
        assert!(FORMATS.windows(2).all(|it| it[0].name < it[1].name));
        for it in FORMATS {
            assert!(!it.help.is_empty() && it.help.len() < 120, "{}", it.name);
        }
    }

    #[test]
    fn names_only_and_no_seal_yield_no_fingerprint() {
        let names_only = Options {
            names_only: true,
            ..Options::default()
        };
        for importer in Importer::all() {
            let name = importer.name();
            let (whole, _) = attempt(importer, importer.example().as_bytes(), &Options::default());
            let (records, result) = attempt(importer, importer.example().as_bytes(), &names_only);
            assert_eq!(result.unwrap().values, 0, "{name}");
            let mut unsealed = Vec::new();
            let bytes = input(importer.example().as_bytes());
            read(importer, &bytes, None, &Options::default(), &mut |it| {
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
        for importer in Importer::all() {
            let example = importer.example().as_bytes();
            for length in 0..example.len() {
                let _ = attempt(importer, &example[..length], &Options::default());
            }
            for _ in 0..200 {
                let length = usize::try_from(random() % 300).unwrap();
                let noise: Vec<u8> = (0..length).map(|_| random().to_le_bytes()[3]).collect();
                let _ = attempt(importer, &noise, &Options::default());
                let mut bent = example.to_vec();
                for _ in 0..4 {
                    let at = usize::try_from(random()).unwrap_or(0) % bent.len();
                    bent[at] = random().to_le_bytes()[2];
                }
                let _ = attempt(importer, &bent, &Options::default());
            }
        }
    }

    #[test]
    fn faults_tell_the_place_and_never_the_value() {
        let planted = "Pl4nted-Value-9c1f27";
        let cases: &[(&str, String)] = &[
            ("dotenv", format!("A=\"{planted}\nB=2\n")),
            ("dotenv", format!("A=1\n{planted}\n")),
            ("csv", format!("name,value,rotated\nx,a,{planted}\n")),
            ("csv", format!("name,value\nx,\"{planted}\n")),
            ("csv", format!("name,value\nx,{planted},more\n")),
            (
                "kubernetes",
                format!("{{\"kind\": \"Secret\", \"data\": {{\"a\": \"{planted}"),
            ),
            (
                "kubernetes",
                format!("kind: Secret\nmetadata: {{name: x}}\ndata:\n  a: '{planted}!'\n"),
            ),
            (
                "kubernetes",
                format!("kind: Secret\ndata:\n  a: \"{planted}\n"),
            ),
            (
                "vault",
                format!("{{\"path\": \"kv/a\", \"data\": {{\"a\": \"{planted}\" x"),
            ),
            ("vault", format!("[{{\"data\": {{\"a\": \"{planted}\"}}}}]")),
            (
                "azure",
                format!("{{\"id\": \"{planted}\", \"value\": \"{planted}\"}}"),
            ),
            (
                "gcp",
                format!("{{\"name\": \"db\", \"value\": \"{planted}\"}}"),
            ),
            (
                "gcp",
                format!(
                    "{{\"name\": \"projects/p/secrets/a/versions/1\", \"payload\": {{\"data\": \"{planted}!\"}}}}"
                ),
            ),
            ("aws", format!("{{\"SecretString\": \"{planted}\"}}")),
            (
                "aws",
                format!("{{\"SecretValues\": [{{\"SecretString\": \"{planted}\"}}]}}"),
            ),
            (
                "aws",
                format!("{{\"Parameter\": {{\"Value\": \"{planted}\", \"Type\": \"String\"}}}}"),
            ),
        ];
        for (name, text) in cases {
            let importer = Importer::named(name).unwrap();
            let (_, result) = attempt(importer, text.as_bytes(), &Options::default());
            let told = match result {
                Ok(totals) => format!("{totals:?}"),
                Err(error) => format!("{error} {error:?} {:?}", error.hint()),
            };
            assert!(told.contains("export"), "{told}");
            assert!(!told.contains(planted), "{told}");
        }
    }
}
