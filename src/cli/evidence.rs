//! `keyatlas inventory import` of a log: who read which of the known records.
//!
//! Not here: what a log says (`import/evidence`), and what it means for a record (`inventory/evidence`).

use super::args::ImportArgs;
use super::environment::Environment;
use super::exit::Exit;
use super::message::{Fault, safe};
use super::output;
use super::plan;
use crate::import::evidence::{self, Evidence, Told};
use crate::inventory::Noted;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

/// Names that are told of those that no record has.
const FEW: usize = 5;
const BUFFER: usize = 1 << 20;

/// Notes what a log says; makes no record.
pub(super) fn import(
    kind: Evidence,
    args: &ImportArgs,
    environment: &Environment,
) -> Result<Exit, Fault> {
    refuse_what_is_for_records(args)?;
    let mut store = plan::open(&plan::whereabouts(&args.store, environment)?)?;
    let told = match args.file.as_deref() {
        None => return Err(no_server()),
        Some(path) if path == Path::new("-") => {
            evidence::read(kind, "standard input", &mut io::stdin().lock())?
        }
        Some(path) => {
            let fault = |it: io::Error| Fault::at(path, &it).hint("nothing was imported");
            let mut log: Box<dyn BufRead> = Box::new(BufReader::with_capacity(
                BUFFER,
                File::open(path).map_err(fault)?,
            ));
            evidence::read(kind, &path.to_string_lossy().replace('\\', "/"), &mut log)?
        }
    };
    let noted = store.note(&told.readings)?;
    output::stdout(|out| tell(out, &told, &noted))?;
    Ok(Exit::Clean)
}

fn no_server() -> Fault {
    Fault::new("a log is read from a file, not from a server")
        .hint("name the file, or `-` for standard input")
}

fn refuse_what_is_for_records(args: &ImportArgs) -> Result<(), Fault> {
    let is_url = |it: &Path| {
        let text = it.to_string_lossy();
        text.starts_with("https://") || text.starts_with("http://")
    };
    if args.addr.is_some() || args.file.as_deref().is_some_and(is_url) {
        return Err(no_server());
    }
    let is_given = !args.complete.is_empty()
        || args.environment.is_some()
        || args.names_only
        || args.all_values;
    if is_given {
        return Err(Fault::new(
            "--complete, --environment, --names-only and --all-values are for records",
        )
        .hint("a log brings none; leave them out"));
    }
    Ok(())
}

fn tell(out: &mut dyn Write, told: &Told, noted: &Noted) -> io::Result<()> {
    writeln!(
        out,
        "{} entries, {} reads of secrets",
        told.entries, told.reads
    )?;
    writeln!(
        out,
        "{} of known records; {} records changed",
        noted.known,
        noted.changed.len()
    )?;
    let unknown: usize = noted.unknown.values().sum();
    if unknown > 0 {
        let names: Vec<String> = noted.unknown.keys().take(FEW).map(|it| safe(it)).collect();
        let more = match noted.unknown.len().saturating_sub(FEW) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = names.join(", ");
        writeln!(out, "{unknown} of what no record is called: {names}{more}")?;
    }
    told.skipped
        .iter()
        .try_for_each(|it| writeln!(out, "left out: {}", safe(it)))
}
