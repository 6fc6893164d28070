//! `keyatlas inventory`: make it, fill it, look into it, seal it anew.
//!
//! Not here: how records are told (`records`), and what an import means (`inventory/merge`).

use super::args::{ImportArgs, ImportKind, InventoryCommand, StoreArgs};
use super::clock;
use super::environment::Environment;
use super::evidence;
use super::exit::Exit;
use super::inputs;
use super::message::{Fault, safe};
use super::output;
use super::plan::{self, Whereabouts};
use super::records;
use super::remote;
use super::status;
use crate::import::{self, Totals};
use crate::inventory::{Merge, Store};
use crate::model::fingerprint::Fingerprinter;
use crate::model::people::People;
use crate::model::record::{CompleteScope, Record};
use crate::settings;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Runs one of the inventory's commands.
pub(super) fn run(command: &InventoryCommand, environment: &Environment) -> Result<Exit, Fault> {
    match command {
        InventoryCommand::Init { store } => init(store, environment),
        InventoryCommand::Import(args) => import(args, environment),
        InventoryCommand::People { file, store } => people(file, &mut open(store, environment)?),
        InventoryCommand::List { listing, store } => {
            let inventory = open(store, environment)?.inventory()?;
            records::list(&inventory.records, listing.format)
        }
        InventoryCommand::Show {
            name,
            listing,
            store,
        } => show(name, listing.format, &open(store, environment)?),
        InventoryCommand::Status { listing, store } => {
            status::status(&mut open(store, environment)?, listing.format)
        }
        InventoryCommand::Forget { name, store } => forget(name, &mut open(store, environment)?),
        InventoryCommand::Rekey {
            new_key_file,
            store,
        } => rekey(new_key_file.as_deref(), store, environment),
    }
}

fn open(args: &StoreArgs, environment: &Environment) -> Result<Store, Fault> {
    plan::open(&plan::whereabouts(args, environment)?)
}

fn init(args: &StoreArgs, environment: &Environment) -> Result<Exit, Fault> {
    let Whereabouts {
        inventory,
        key_file,
        ..
    } = plan::whereabouts(args, environment)?;
    let had_key = key_file.exists();
    Store::create(&inventory, &key_file)?;
    output::stdout(|out| {
        writeln!(out, "inventory  {}", inventory.display())?;
        writeln!(
            out,
            "key        {}{}",
            key_file.display(),
            if had_key { " (was there already)" } else { "" }
        )?;
        writeln!(
            out,
            "Keep a copy of the key file, apart from the inventory: without it no value is recognised any more."
        )?;
        writeln!(out, "Next: keyatlas inventory import KIND FILE")
    })?;
    Ok(Exit::Clean)
}

/// The address of a running server, from its flag or in place of a file.
fn address(args: &ImportArgs) -> Option<String> {
    let is_url = |it: &&str| it.starts_with("https://") || it.starts_with("http://");
    let in_place = args.file.as_deref().and_then(Path::to_str).filter(is_url);
    args.addr.clone().or_else(|| in_place.map(str::to_owned))
}

fn import(args: &ImportArgs, environment: &Environment) -> Result<Exit, Fault> {
    let address = address(args);
    let has_remote_flag = args.mount.is_some()
        || args.namespace.is_some()
        || args.region.is_some()
        || args.ca_cert.is_some()
        || args.plain_http;
    if address.is_none() && has_remote_flag {
        return Err(Fault::new(
            "--mount, --namespace, --region, --ca-cert and --plain-http are for a running server",
        )
        .hint("name it with --addr URL"));
    }
    let importer = match args.kind {
        ImportKind::Records(importer) => importer,
        ImportKind::Evidence(kind) => return evidence::import(kind, args, environment),
    };
    let complete = args
        .complete
        .iter()
        .map(|it| scope(it))
        .collect::<Result<Vec<_>, _>>()?;
    let mut store = open(&args.store, environment)?;
    let seal = seal(&store, args, environment)?;
    let options = import::Options {
        names_only: args.names_only,
        all_values: args.all_values,
        environment: args.environment.clone(),
        passwords: inputs::passwords(args.password_file.as_deref())?,
        ..import::Options::default()
    };
    let mut records: Vec<Record> = Vec::new();
    let mut take = |it: Record| records.push(it);
    let (source, totals) = match address {
        Some(address) => {
            remote::read(&address, importer, args, seal.as_ref(), &options, &mut take)?
        }
        None => {
            let path = args.file.as_deref().unwrap_or(Path::new("-"));
            inputs::read(path, importer, seal.as_ref(), &options, &mut take)?
        }
    };
    let merge = store.import(&source, records, &complete, clock::now())?;
    status::note_today(&mut store)?;
    output::stdout(|out| tell(out, &totals, &merge))?;
    Ok(Exit::Clean)
}

/// Team files and leavers lists.
fn people(file: &Path, store: &mut Store) -> Result<Exit, Fault> {
    let input = inputs::input(file)?;
    let entries = import::people(&input)?;
    let before = store.import_people(&input.name, &entries, clock::now())?;
    let people = People::of(&entries);
    let leavers = people.iter().filter(|it| it.left.is_some()).count();
    output::stdout(|out| {
        writeln!(
            out,
            "{} lines read about {} people, {leavers} of whom leave or have left",
            entries.len(),
            people.iter().count()
        )?;
        writeln!(out, "{before} lines of an earlier import replaced")
    })?;
    Ok(Exit::Clean)
}

/// What makes fingerprints; needed unless only names are wanted.
fn seal(
    store: &Store,
    args: &ImportArgs,
    environment: &Environment,
) -> Result<Option<Fingerprinter>, Fault> {
    let seal = store.fingerprinter();
    if seal.is_none() && !args.names_only {
        let key = plan::whereabouts(&args.store, environment)?.key_file;
        return Err(Fault::new(format!(
            "{}: the inventory's key is not there, so values cannot be fingerprinted",
            key.display()
        ))
        .hint("name it with --key-file, or take in names only with --names-only"));
    }
    Ok(seal)
}

/// `PROVIDER[:PREFIX]`.
fn scope(text: &str) -> Result<CompleteScope, Fault> {
    let (provider, prefix) = text.split_once(':').unwrap_or((text, ""));
    if provider.is_empty() {
        return Err(
            Fault::new(format!("--complete {text}: there is no provider"))
                .hint("write PROVIDER or PROVIDER:PREFIX, as in vault:kv/shop/"),
        );
    }
    Ok(CompleteScope {
        provider: provider.to_owned(),
        prefix: prefix.to_owned(),
    })
}

fn tell(out: &mut dyn Write, totals: &Totals, merge: &Merge) -> io::Result<()> {
    writeln!(
        out,
        "{} records read, {} with a value, {} values fingerprinted",
        totals.records, totals.with_value, totals.values
    )?;
    let (added, changed, gone) = (merge.added.len(), merge.changed.len(), merge.gone.len());
    writeln!(
        out,
        "{added} added, {changed} changed, {} unchanged, {gone} gone",
        merge.unchanged
    )?;
    for it in &totals.skipped {
        writeln!(out, "left out: {}", safe(it))?;
    }
    totals
        .notes
        .iter()
        .try_for_each(|it| writeln!(out, "note: {}", safe(it)))
}

/// That no record bears this name, and which name is near.
pub(super) fn no_such_record(name: &str, records: &[Record]) -> Fault {
    let hint = match settings::nearest(name, records.iter().map(|it| it.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`keyatlas inventory list` names them all".to_owned(),
    };
    Fault::new(format!("the inventory has no record `{name}`")).hint(hint)
}

fn show(name: &str, format: super::args::Listing, store: &Store) -> Result<Exit, Fault> {
    let inventory = store.inventory()?;
    match inventory.records.iter().find(|it| it.name == name) {
        Some(record) => records::show(record, format),
        None => Err(no_such_record(name, &inventory.records)),
    }
}

fn forget(name: &str, store: &mut Store) -> Result<Exit, Fault> {
    if !store.forget(name)? {
        return Err(no_such_record(name, &store.inventory()?.records));
    }
    output::stdout(|out| writeln!(out, "forgotten: {}", safe(name)))?;
    Ok(Exit::Clean)
}

fn rekey(
    new_key_file: Option<&Path>,
    args: &StoreArgs,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let whereabouts = plan::whereabouts(args, environment)?;
    let mut store = Store::open(&whereabouts.inventory, Some(&whereabouts.key_file))?;
    let path = match new_key_file {
        Some(path) => {
            store.rekey(path)?;
            path.to_path_buf()
        }
        None => {
            in_place(&mut store, &whereabouts.key_file)?;
            whereabouts.key_file
        }
    };
    output::stdout(|out| {
        writeln!(out, "sealed anew; the key is {}", path.display())?;
        writeln!(
            out,
            "Copies of the old key open older copies of the inventory: destroy both."
        )
    })?;
    Ok(Exit::Clean)
}

/// The new key is on disk before the store needs it, and takes the old one's place after.
fn in_place(store: &mut Store, key_file: &Path) -> Result<(), Fault> {
    let mut name = key_file
        .file_name()
        .map_or_else(|| OsString::from("key"), OsString::from);
    name.push(".new");
    let fresh: PathBuf = key_file.with_file_name(name);
    if fresh.exists() {
        return Err(Fault::new(format!("{}: an earlier rekey was not finished", fresh.display()))
            .hint("try this key with --key-file; if it opens the inventory, move it over the old one, else remove it"));
    }
    store.rekey(&fresh)?;
    fs::rename(&fresh, key_file).map_err(|it| {
        Fault::at(key_file, &it).hint(format!(
            "the inventory is sealed under {} now: move it there yourself",
            fresh.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_scopes_have_a_provider() {
        for (text, expected) in [
            ("vault", Some(("vault", ""))),
            ("vault:kv/shop/", Some(("vault", "kv/shop/"))),
            ("github-actions:", Some(("github-actions", ""))),
            (":kv", None),
            ("", None),
        ] {
            let found = scope(text).ok().map(|it| (it.provider, it.prefix));
            assert_eq!(
                found,
                expected.map(|(a, b)| (a.to_owned(), b.to_owned())),
                "{text}"
            );
        }
    }
}
