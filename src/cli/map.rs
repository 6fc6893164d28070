//! `keyatlas map`: where records are used, by value and by reference, over the paths given.

use super::args::Speech;
use super::environment::Environment;
use super::exit::Exit;
use super::map_args::MapArgs;
use super::message::Fault;
use super::output;
use super::plan::{self, Request};
use super::road::{self, Values};
use super::subject;
use super::waive;
use crate::assess::Scope;
use crate::report::{self, MapFormat};
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
    output::check(&args.formats)?;
    let mut plan = plan::plan(request, environment)?;
    let subject = subject::named(&mut plan, args.name.as_deref())?;
    let waivers = waive::of(&plan)?;
    let report = road::judged(&plan, &waivers, speech, Values::Masked)?.report;
    output::each(&args.formats, MapFormat::Human, &|format, out| {
        report::write_map(format, out, &report, &subject)
    })?;
    Ok(if report.coverage.is_complete() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}
