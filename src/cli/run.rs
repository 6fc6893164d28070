//! The one road of every front end: scan, waive, assess, report, exit.

use super::args::{Common, Output, When};
use super::exit::Exit;
use super::message::{Fault, note};
use super::plan::Plan;
use crate::assess::waive::{Applied, Waivers, assign_ordinals};
use crate::assess::{self, Options};
use crate::model::level::Level;
use crate::model::report::Report;
use crate::report::{self, Format};
use crate::scan;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

/// The waiver file of a repository.
pub(super) const WAIVERS: &str = ".keyatlas-waivers";

/// Reads the waiver file below a folder; an absent file waives nothing.
pub(super) fn waivers(home: &Path) -> Result<Waivers, Fault> {
    let path = home.join(WAIVERS);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Waivers::parse(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Waivers::default()),
        Err(error) => Err(Fault::new(format!("{}: {error}", path.display()))),
    }
}

/// Seconds since the epoch.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Today in UTC, so that one estate has one day.
pub(super) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

static BAR: OnceLock<indicatif::ProgressBar> = OnceLock::new();

fn progress(done: u64, bytes: u64) {
    if let Some(bar) = BAR.get() {
        bar.set_message(format!("{done} files and blobs, {} MB", bytes >> 20));
        bar.tick();
    }
}

/// Scans and judges; what the waiver file did comes beside the report.
pub(super) fn report(plan: &mut Plan, common: &Common) -> Result<(Report, Applied), Fault> {
    let waivers = waivers(&plan.home)?;
    plan.scan.salt = waivers.salt().map(<[u8]>::to_vec);
    let wants_progress = common.progress == When::Always || (common.progress == When::Auto && io::stderr().is_terminal() && !common.quiet);
    if wants_progress {
        BAR.get_or_init(indicatif::ProgressBar::new_spinner);
        plan.scan.progress = Some(progress);
    }
    let scanned = scan::run(&plan.scan, &plan.rules);
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
    let mut scanned = scanned?;
    assign_ordinals(&mut scanned.findings);
    let applied = waivers.apply(&mut scanned.findings, &today());
    let inventory = plan.store.as_ref().map(crate::inventory::Store::inventory).transpose()?;
    let options = Options {
        scope: plan.scope,
        now: now(),
        stale_days: plan.settings.stale_days.unwrap_or(365),
        stale_cloud_days: plan.settings.stale_cloud_days.unwrap_or(90),
        expiring_days: plan.settings.expiring_days.unwrap_or(30),
    };
    let assessed = assess::assess(&mut scanned.findings, &scanned.references, inventory.as_ref(), &options);
    let report = Report {
        rules: (*plan.rules).clone(),
        findings: scanned.findings,
        references: scanned.references,
        resolved: assessed.resolved,
        map: assessed.map,
        verdicts: assessed.verdicts,
        records: inventory.map(|it| it.records).unwrap_or_default(),
        coverage: scanned.coverage,
        repositories: scanned.repositories,
        has_inventory: plan.store.is_some(),
        show_secrets: common.show_secrets,
        today: today(),
    };
    Ok((report, applied))
}

/// Whether a write failed only because the reader went away.
fn unless_closed(result: io::Result<()>) -> Result<(), Fault> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Fault::new(format!("the report could not be written: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Writes to standard output; styles reach terminals only.
pub(super) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fault> {
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    unless_closed(write(&mut out).and_then(|()| out.flush()))
}

fn to_file(path: &Path, format: Format, report: &Report) -> Result<(), Fault> {
    let fault = |it: io::Error| Fault::new(format!("{}: {it}", path.display())).hint("choose another file with --format NAME=FILE");
    let file = fs::File::create(path).map_err(fault)?;
    let mut out = io::BufWriter::new(file);
    let mut text = Vec::new();
    report::write(format, &mut text, report).map_err(fault)?;
    let plain = anstream::adapter::strip_bytes(&text).into_vec();
    let whole = if format == Format::Human { &plain } else { &text };
    out.write_all(whole).and_then(|()| out.flush()).map_err(fault)
}

/// Writes every report that was asked for; `human` without any.
pub(super) fn write(report: &Report, outputs: &[Output]) -> Result<(), Fault> {
    let human = [Output { format: Format::Human, file: None }];
    for output in if outputs.is_empty() { &human[..] } else { outputs } {
        match &output.file {
            Some(path) => to_file(path, output.format, report)?,
            None => to_stdout(|out| report::write(output.format, out, report))?,
        }
    }
    Ok(())
}

/// The code that tells findings from faults.
pub(super) fn exit(report: &Report, fail_on: Level, require_complete: bool) -> Exit {
    let complete = report.coverage.is_complete();
    let found = report.worst().is_some_and(|it| it >= fail_on);
    match (found, complete) {
        (_, false) if require_complete => Exit::Incomplete,
        (true, _) => Exit::Findings,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Incomplete,
    }
}

/// Totals with time, and what the waiver file needs, on standard error.
pub(super) fn totals(report: &Report, applied: &Applied, started: Instant) {
    let coverage = &report.coverage;
    let waived = report.findings.iter().filter(|it| it.waived.is_some()).count();
    note(&format!(
        "{} findings ({waived} waived) in {} files and {} blobs, {:.1} MB, {:.2} s",
        report.findings.len(), coverage.files, coverage.blobs, coverage.bytes as f64 / 1e6, started.elapsed().as_secs_f64(),
    ));
    for (list, what) in [
        (&applied.expired, "waivers have ended and waive nothing"),
        (&applied.unaudited, "waivers were written by a baseline and never audited"),
        (&applied.exceeded, "waived secrets lie at more places than were accepted"),
    ] {
        if !list.is_empty() {
            note(&format!("{} {what}; `keyatlas waive list` names them", list.len()));
        }
    }
}
