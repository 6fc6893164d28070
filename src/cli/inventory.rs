//! `keyatlas inventory` and `keyatlas map`.

use super::args::{Common, ImportArgs, InventoryCommand, MapArgs, StoreArgs};
use super::exit::Exit;
use super::message::Fault;
use super::{default_common, plan, run};
use crate::assess::Scope;
use crate::import;
use crate::inventory::Store;
use crate::model::input::Input;
use crate::model::record::{CompleteScope, Record};
use crate::report;
use crate::scan::Mode;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(super) fn run(command: InventoryCommand) -> Result<Exit, Fault> {
    match command {
        InventoryCommand::Init(args) => init(&args),
        InventoryCommand::Import(args) => import(args),
        InventoryCommand::List(args) => list(&args),
        InventoryCommand::Show { name, store } => show(&name, &store),
        InventoryCommand::Status(args) => status(&args),
        InventoryCommand::Forget { name, store } => {
            let gone = open(&store)?.forget(&name)?;
            if !gone {
                return Err(Fault::new(format!("{name}: no such record"))
                    .hint("`keyatlas inventory list` names them all"));
            }
            Ok(Exit::Clean)
        }
    }
}

fn paths(args: &StoreArgs) -> (PathBuf, PathBuf) {
    (
        args.inventory.clone().unwrap_or_else(plan::default_store),
        args.key_file.clone().unwrap_or_else(plan::default_key),
    )
}

fn open(args: &StoreArgs) -> Result<Store, Fault> {
    let (path, _) = paths(args);
    plan::store(Some(&path), args.key_file.as_deref())?.ok_or_else(|| Fault::new("no inventory"))
}

fn init(args: &StoreArgs) -> Result<Exit, Fault> {
    let (path, key) = paths(args);
    Store::create(&path, &key)?;
    run::to_stdout(|out| {
        writeln!(
            out,
            "inventory {}\nkey       {} (keep a copy apart: without it the fingerprints are lost)",
            path.display(),
            key.display()
        )
    })?;
    Ok(Exit::Clean)
}

fn input(file: &Path) -> Result<Input, Fault> {
    let mut bytes = Zeroizing::new(Vec::new());
    let fault = |it: std::io::Error| Fault::new(format!("{}: {it}", file.display()));
    if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(fault)?;
    } else {
        std::fs::File::open(file)
            .and_then(|mut it| it.read_to_end(&mut bytes))
            .map_err(fault)?;
    }
    Ok(Input {
        name: file.to_string_lossy().replace('\\', "/"),
        bytes,
    })
}

fn import(args: ImportArgs) -> Result<Exit, Fault> {
    let mut store = open(&args.store)?;
    let seal = store.fingerprinter();
    if seal.is_none() && !args.names_only {
        return Err(Fault::new("the inventory's key is not at hand")
            .hint("name it with --key-file, or import with --names-only"));
    }
    let options = import::Options {
        names_only: args.names_only,
        environment: args.environment,
        ..import::Options::default()
    };
    let mut records: Vec<Record> = Vec::new();
    let (source, totals) = match (&args.addr, &args.file) {
        (Some(addr), _) => (
            addr.clone(),
            live(
                addr,
                args.mount.as_deref(),
                &options,
                seal.as_ref(),
                &mut records,
            )?,
        ),
        (None, file) => {
            let input = input(file.as_deref().unwrap_or(Path::new("-")))?;
            let totals = import::read(args.kind, &input, seal.as_ref(), &options, &mut |it| {
                records.push(it)
            })?;
            (input.name.clone(), totals)
        }
    };
    let complete: Vec<CompleteScope> = args.complete.iter().map(|it| scope(it)).collect();
    let merge = store.import(&source, records, &complete, run::now())?;
    let report = |out: &mut dyn Write| {
        writeln!(
            out,
            "{} records, {} with a value: {} added, {} changed, {} unchanged, {} gone",
            totals.records,
            totals.with_value,
            merge.added.len(),
            merge.changed.len(),
            merge.unchanged,
            merge.gone.len()
        )?;
        totals
            .skipped
            .iter()
            .try_for_each(|it| writeln!(out, "left out: {it}"))
    };
    run::to_stdout(report)?;
    Ok(Exit::Clean)
}

fn scope(text: &str) -> CompleteScope {
    let (provider, prefix) = text.split_once(':').unwrap_or((text, ""));
    CompleteScope {
        provider: provider.to_owned(),
        prefix: prefix.to_owned(),
    }
}

#[cfg(feature = "live")]
fn live(
    addr: &str,
    mount: Option<&str>,
    options: &import::Options,
    seal: Option<&crate::model::fingerprint::Fingerprinter>,
    records: &mut Vec<Record>,
) -> Result<import::Totals, Fault> {
    let token = ["VAULT_TOKEN", "BAO_TOKEN"]
        .iter()
        .find_map(|it| std::env::var(it).ok());
    let token = Zeroizing::new(
        token.ok_or_else(|| Fault::new("no token").hint("set VAULT_TOKEN or BAO_TOKEN"))?,
    );
    let token = crate::model::secret::Secret::new(token.as_bytes());
    let server = import::vault_live::Server {
        address: addr,
        token: &token,
        mount,
        namespace: None,
        authorities: None,
        plain_http: import::vault_live::PlainHttp::default(),
    };
    Ok(import::vault_live::fetch(
        &server,
        seal,
        options,
        &mut |it| records.push(it),
    )?)
}

#[cfg(not(feature = "live"))]
fn live(
    _addr: &str,
    _mount: Option<&str>,
    _options: &import::Options,
    _seal: Option<&crate::model::fingerprint::Fingerprinter>,
    _records: &mut Vec<Record>,
) -> Result<import::Totals, Fault> {
    Err(Fault::new("this build has no network client").hint("build with the feature `live`"))
}

fn day(seconds: Option<i64>) -> String {
    let text = seconds
        .and_then(|it| jiff::Timestamp::from_second(it).ok())
        .map(|it| it.strftime("%Y-%m-%d").to_string());
    text.unwrap_or_else(|| "-".to_owned())
}

fn list(args: &StoreArgs) -> Result<Exit, Fault> {
    let inventory = open(args)?.inventory()?;
    run::to_stdout(|out| {
        inventory.records.iter().try_for_each(|it| {
            let gone = if it.gone { "  gone" } else { "" };
            writeln!(
                out,
                "{}  {}  rotated {}  {}{gone}",
                it.name,
                it.secret.provider,
                day(it.rotated),
                it.owners.join(", ")
            )
        })
    })?;
    Ok(Exit::Clean)
}

fn show(name: &str, args: &StoreArgs) -> Result<Exit, Fault> {
    let inventory = open(args)?.inventory()?;
    let found = inventory.records.iter().find(|it| it.name == name);
    let record = found.ok_or_else(|| {
        Fault::new(format!("{name}: no such record"))
            .hint("`keyatlas inventory list` names them all")
    })?;
    run::to_stdout(|out| {
        writeln!(out, "{}\n  object       {}", record.name, record.secret)?;
        let owners = record.owners.join(", ");
        let environment = record.environment.clone().unwrap_or_else(|| "-".to_owned());
        let (created, rotated, accessed, expires) = (
            day(record.created),
            day(record.rotated),
            day(record.accessed),
            day(record.expires),
        );
        writeln!(
            out,
            "  environment  {environment}\n  owners       {owners}\n  created      {created}\n  rotated      {rotated}\n  accessed     {accessed}\n  expires      {expires}"
        )?;
        writeln!(out, "  source       {}", record.source)?;
        record.versions.iter().try_for_each(|it| {
            let value = if it.fingerprint.is_some() {
                "fingerprint kept"
            } else {
                "no value"
            };
            writeln!(
                out,
                "  version {}    {}  {value}",
                it.number,
                day(it.created)
            )
        })
    })?;
    Ok(Exit::Clean)
}

fn status(args: &StoreArgs) -> Result<Exit, Fault> {
    let status = open(args)?.status()?;
    run::to_stdout(|out| {
        writeln!(
            out,
            "records        {} ({} gone)\nwith value     {}\nwithout value  {}",
            status.records, status.gone, status.with_value, status.without_value
        )?;
        writeln!(
            out,
            "fingerprints   {}\nkey            {}",
            status.fingerprints,
            if status.unlocked {
                "at hand"
            } else {
                "not at hand"
            }
        )?;
        status
            .providers
            .iter()
            .try_for_each(|(name, count)| writeln!(out, "provider       {name}: {count}"))?;
        status.sources.iter().try_for_each(|it| {
            writeln!(
                out,
                "source         {}: {} records, imported {}",
                it.name,
                it.records,
                day(Some(it.imported))
            )
        })
    })?;
    Ok(Exit::Clean)
}

/// Where secrets are used, over the paths given.
pub(super) fn map(args: MapArgs) -> Result<Exit, Fault> {
    let common = Common {
        inventory: args.store.inventory,
        key_file: args.store.key_file,
        quiet: true,
        ..default_common()
    };
    let mode = if args.history {
        Mode::History
    } else {
        Mode::Tree
    };
    let mut plan = plan::merge(&common, args.paths, mode, Scope::Estate)?;
    if plan.store.is_none() {
        return Err(Fault::new("a map needs an inventory")
            .hint("`keyatlas inventory init`, then `keyatlas inventory import`"));
    }
    let (report, _) = run::report(&mut plan, &common)?;
    run::to_stdout(|out| {
        report::write_map(args.format == "json", out, &report, args.name.as_deref())
    })?;
    Ok(if report.coverage.is_complete() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}
