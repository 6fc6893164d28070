//! `keyatlas scan`, and the pre-commit preset of it.

use super::args::{Common, ScanArgs};
use super::exit::Exit;
use super::message::{Fault, note};
use super::plan::{self, Plan};
use super::run;
use crate::assess::Scope;
use crate::model::level::Level;
use crate::report::Format;
use crate::scan::Mode;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Scans what was asked for.
pub(super) fn scan(args: ScanArgs) -> Result<Exit, Fault> {
    let mode = mode(&args)?;
    let scope = match mode {
        Mode::Staged | Mode::Range { .. } => Scope::Change,
        _ if args.estate => Scope::Estate,
        _ => Scope::Folder,
    };
    let paths = if matches!(mode, Mode::Stdin(_)) {
        Vec::new()
    } else {
        args.paths
    };
    let plan = plan::merge(&args.common, paths, mode, scope)?;
    finish(plan, &args.common)
}

fn mode(args: &ScanArgs) -> Result<Mode, Fault> {
    if args.paths.iter().any(|it| it == Path::new("-")) {
        if args.paths.len() > 1
            || args.history
            || args.staged
            || args.range.is_some()
            || args.since.is_some()
        {
            return Err(Fault::new(
                "`-` stands alone: standard input has no history and no index",
            ));
        }
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|it| Fault::new(format!("standard input: {it}")))?;
        return Ok(Mode::Stdin(bytes));
    }
    Ok(match (&args.range, &args.since) {
        (Some(range), _) => {
            let (base, tip) = range.split_once("..").ok_or_else(|| {
                Fault::new(format!("`{range}` is no range"))
                    .hint("write A..B: what B has and A has not")
            })?;
            let tip = tip.trim_start_matches('.');
            let or_head = |text: &str| {
                if text.is_empty() {
                    "HEAD".to_owned()
                } else {
                    text.to_owned()
                }
            };
            Mode::Range {
                base: Some(or_head(base)),
                tip: or_head(tip),
            }
        }
        (None, Some(base)) => Mode::Range {
            base: Some(base.clone()),
            tip: "HEAD".to_owned(),
        },
        (None, None) if args.staged => Mode::Staged,
        (None, None) if args.history => Mode::History,
        (None, None) => Mode::Tree,
    })
}

fn finish(mut plan: Plan, common: &Common) -> Result<Exit, Fault> {
    if common.show_secrets && common.formats.iter().any(|it| it.format == Format::Sarif) {
        return Err(Fault::new("--show-secrets is refused for sarif")
            .hint("use it with the terminal, json or jsonl"));
    }
    if common.show_plan {
        run::to_stdout(|out| out.write_all(plan.show().as_bytes()))?;
        return Ok(Exit::Clean);
    }
    let started = Instant::now();
    let (mut report, applied) = run::report(&mut plan, common)?;
    if let Some(path) = &common.baseline {
        super::baseline::mark(&mut report.findings, path)?;
    }
    run::write(&report, &common.formats)?;
    if common.verbose {
        report.coverage.gaps.iter().for_each(|it| {
            note(&format!(
                "not read: {} ({}): {}",
                it.path, it.reason, it.detail
            ))
        });
    }
    if !common.quiet {
        run::totals(&report, &applied, started);
    }
    Ok(run::exit(&report, plan.fail_on, common.require_complete))
}

/// `hook pre-commit`: the index, the change only, masked always.
pub(super) fn pre_commit(files: &[PathBuf], common: &Common) -> Result<Exit, Fault> {
    if common.show_secrets {
        return Err(Fault::new("--show-secrets is refused in hooks"));
    }
    let mut plan = plan::merge(common, Vec::new(), Mode::Staged, Scope::Change)?;
    let (mut report, applied) = run::report(
        &mut plan,
        &Common {
            quiet: true,
            ..common.clone()
        },
    )?;
    if !files.is_empty() {
        let named: Vec<String> = files
            .iter()
            .map(|it| it.to_string_lossy().replace('\\', "/"))
            .collect();
        report.findings.retain(|it| named.contains(&it.path));
        report
            .verdicts
            .retain(|it| it.path.as_ref().is_none_or(|path| named.contains(path)));
    }
    if report.coverage.bytes == 0 {
        note("keyatlas: nothing is staged, so zero bytes were scanned");
    }
    let exit = run::exit(&report, plan.fail_on, common.require_complete);
    if exit != Exit::Clean || !common.formats.is_empty() {
        run::write(&report, &common.formats)?;
    }
    if exit == Exit::Findings {
        note(
            "The commit was stopped. Remove the secret, or accept it: keyatlas waive OCCURRENCE --until DATE --reason TEXT",
        );
        let open = report
            .findings
            .iter()
            .filter(|it| it.waived.is_none() && it.level >= Level::Warning);
        open.take(10).for_each(|it| {
            note(&format!(
                "  {}:{}  {}",
                it.path, it.place.line, it.occurrence.base
            ))
        });
    }
    if !applied.exceeded.is_empty() {
        note("A waived secret lies at more places than were accepted.");
    }
    Ok(exit)
}
