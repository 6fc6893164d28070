//! `keyatlas scan`: from what was typed to a request; the road does the rest.

use super::args::{ScanArgs, Speech};
use super::change;
use super::environment::Environment;
use super::exit::Exit;
use super::fetch;
use super::message::{Fault, note};
use super::plan::{self, Request};
use super::road;
use crate::assess::Scope;
use crate::scan::{Ground, Mode, Within};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Scans what was asked for.
pub(super) fn scan(
    args: &ScanArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    road::check(&args.report)?;
    let (roots, mode, within) = target(args, environment)?;
    let scope = match mode {
        Mode::Staged | Mode::Range(_) => Scope::Change,
        _ if args.estate => Scope::Estate,
        _ => Scope::Folder,
    };
    let request = Request {
        read: &args.read,
        rules: &args.rules,
        store: &args.store,
        fail_on: args.report.fail_on,
        roots,
        mode,
        within,
        scope,
        ground: Ground::WorkTree,
    };
    let mut plan = plan::plan(request, environment)?;
    if let Mode::Stdin(bytes) = &mut plan.scan.mode {
        *bytes = standard_input(plan.scan.max_size)?;
    }
    if args.fetch_missing && !args.report.show_plan {
        fetch::missing(&plan)?;
    }
    road::follow(&plan, &args.report, speech)
}

/// Where to look, how, and which paths of a change are meant.
fn target(
    args: &ScanArgs,
    environment: &Environment,
) -> Result<(Vec<PathBuf>, Mode, Within), Fault> {
    let is_change = args.staged || args.range.is_some() || args.since.is_some();
    if args.paths.iter().any(|it| it == Path::new("-")) {
        if args.paths.len() > 1 || args.history || args.estate || is_change {
            return Err(Fault::new(
                "`-` stands alone: standard input has no history, no index and no neighbours",
            )
            .hint("to scan a file of that name, write ./-"));
        }
        return Ok((Vec::new(), Mode::Stdin(Vec::new()), Within::everything()));
    }
    if is_change {
        return changed(args, environment);
    }
    let mode = if args.history {
        Mode::History
    } else {
        Mode::Tree
    };
    let roots = if args.paths.is_empty() {
        vec![PathBuf::from(".")]
    } else {
        args.paths.clone()
    };
    Ok((roots, mode, Within::everything()))
}

fn changed(
    args: &ScanArgs,
    environment: &Environment,
) -> Result<(Vec<PathBuf>, Mode, Within), Fault> {
    plan::refuse_missing(&args.paths)?;
    let (root, within) = change::target(&args.paths, environment)?;
    let mode = match (&args.range, &args.since) {
        (Some(range), _) => change::range(range, &root)?,
        (None, Some(base)) => change::since(base, &root)?,
        (None, None) => Mode::Staged,
    };
    Ok((vec![root], mode, within))
}

/// Reads standard input to its end; refuses more than the limit, since half an answer would pass for one.
fn standard_input(max_size: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let input = std::io::stdin().lock();
    input
        .take(max_size.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|it| Fault::at(Path::new("standard input"), &it))?;
    if bytes.len() as u64 > max_size {
        return Err(
            Fault::new(format!("standard input has more than {max_size} bytes"))
                .hint("raise --max-size, or scan a file"),
        );
    }
    if bytes.is_empty() {
        note("standard input is empty: zero bytes were scanned");
    }
    Ok(bytes)
}
