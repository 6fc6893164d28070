//! `keyatlas map`: where records are used, by value and by reference, over the paths given.

use super::args::{Listing, MapArgs, Speech};
use super::environment::Environment;
use super::exit::Exit;
use super::inventory;
use super::message::Fault;
use super::output;
use super::plan::{self, Plan, Request};
use super::road::{self, Values};
use super::waive;
use crate::assess::Scope;
use crate::report;
use crate::scan::{Ground, Mode, Within};
use std::path::PathBuf;

/// Shows the map.
pub(super) fn map(
    args: &MapArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let request = Request {
        read: &args.read,
        rules: &args.rules,
        store: &args.store,
        fail_on: None,
        roots: if args.paths.is_empty() {
            vec![PathBuf::from(".")]
        } else {
            args.paths.clone()
        },
        mode: if args.history {
            Mode::History
        } else {
            Mode::Tree
        },
        within: Within::everything(),
        scope: Scope::Estate,
        ground: Ground::WorkTree,
    };
    let plan = plan::plan(request, environment)?;
    refuse_unknown(args.name.as_deref(), &plan)?;
    let waivers = waive::of(&plan)?;
    let report = road::judged(&plan, &waivers, speech, Values::Masked)?.report;
    let filter = args.name.as_deref();
    match args.listing.format {
        Listing::Json => output::document(|out| report::write_map(true, out, &report, filter))?,
        Listing::Human => output::stdout(|out| report::write_map(false, out, &report, filter))?,
    }
    Ok(if report.coverage.is_complete() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

/// Looks before the run: a map needs records, and one that the name fits.
fn refuse_unknown(name: Option<&str>, plan: &Plan) -> Result<(), Fault> {
    let Some(store) = &plan.store else {
        return Err(
            Fault::new("a map needs an inventory: it shows where its records are used")
                .hint("keyatlas inventory init, then keyatlas inventory import KIND FILE"),
        );
    };
    let records = store.inventory()?.records;
    match name {
        Some(name)
            if !records
                .iter()
                .any(|it| it.name.contains(name) || it.secret.to_string().contains(name)) =>
        {
            Err(inventory::no_such_record(name, &records))
        }
        _ => Ok(()),
    }
}
