//! The one road of every front end: plan, scan, waive, assess, report, exit. A front end is a preset of
//! it, not a fork.

use super::args::{ReportArgs, Speech};
use super::clock;
use super::earlier::Earlier;
use super::exit::{self, Completeness, Exit};
use super::message::{Fault, note};
use super::output;
use super::plan::Plan;
use super::policies;
use super::progress;
use super::waive;
use crate::assess::waive::{Applied, Waivers, assign_ordinals};
use crate::assess::{self, Options, Scope};
use crate::inventory::Store;
use crate::ledger::{self, Cache};
use crate::model::coverage::{Coverage, Gap};
use crate::model::report::Report;
use crate::model::shelf::Shelf;
use crate::model::verdict::VerdictId;
use crate::report::Format;
use crate::scan::{self, Recalled};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whether values are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Values {
    Masked,
    Shown,
}

/// A report, and what the waivers had to say.
pub(super) struct Outcome {
    pub(super) report: Report,
    pub(super) applied: Applied,
    /// Verdicts that policies switched off.
    pub(super) off: BTreeMap<VerdictId, usize>,
}

/// Refuses what no run could answer, before anything is read.
pub(super) fn check(args: &ReportArgs) -> Result<(), Fault> {
    output::check(&args.formats)?;
    if args.show_secrets && args.formats.iter().any(|it| it.format == Format::Sarif) {
        return Err(Fault::new("--show-secrets is refused for sarif")
            .hint("SARIF files are uploaded and kept; use human, json or jsonl"));
    }
    Ok(())
}

/// Follows a plan to its end.
pub(super) fn follow(plan: &Plan, args: &ReportArgs, speech: &Speech) -> Result<Exit, Fault> {
    if args.show_plan {
        let text = plan.show()?;
        output::stdout(|out| out.write_all(text.as_bytes()))?;
        return Ok(Exit::Clean);
    }
    let started = Instant::now();
    let outcome = reported(plan, args, speech)?;
    output::reports(&outcome.report, &args.formats)?;
    totals(&outcome, started.elapsed(), speech);
    Ok(exit::of(&outcome.report, plan.fail_on, completeness(args)))
}

/// The code that the flags ask for.
pub(super) fn completeness(args: &ReportArgs) -> Completeness {
    if args.require_complete {
        Completeness::Required
    } else {
        Completeness::Told
    }
}

/// Scans and judges, with the repository's waivers and an earlier report, if one is named.
pub(super) fn reported(plan: &Plan, args: &ReportArgs, speech: &Speech) -> Result<Outcome, Fault> {
    let earlier = args.baseline.as_deref().map(Earlier::read).transpose()?;
    let waivers = waive::of(plan)?;
    if speech.verbose {
        plan.facts().iter().for_each(|it| note(it));
    }
    let values = if args.show_secrets {
        Values::Shown
    } else {
        Values::Masked
    };
    let mut outcome = judged(plan, &waivers, speech, values)?;
    if let Some(earlier) = earlier {
        earlier.mark(&mut outcome.report.findings);
    }
    Ok(outcome)
}

/// Scans and judges under the waivers given.
pub(super) fn judged(
    plan: &Plan,
    waivers: &Waivers,
    speech: &Speech,
    values: Values,
) -> Result<Outcome, Fault> {
    let cache = cache(plan, speech);
    let options = scan::Options {
        salt: waivers.salt().map(<[u8]>::to_vec),
        shelf: cache.clone().map(|it| it as Arc<dyn Shelf>),
        progress: progress::wanted(speech),
        ..plan.scan.clone()
    };
    let scanned = scan::run(&options, &plan.rules);
    progress::clear();
    let mut scanned = scanned?;
    if speech.verbose {
        let recalled = scanned.recalled.map(|it| recalled(&it));
        let faults = cache.iter().flat_map(|it| it.faults());
        recalled
            .into_iter()
            .chain(faults.map(|it| uncached(&it)))
            .for_each(|it| note(&it));
    }
    assign_ordinals(&mut scanned.findings);
    let today = clock::today();
    let applied = waivers.apply_with(&mut scanned.findings, &today, plan.comments);
    // Of a change only what lies in it is judged; most hold nothing, and a hook is waited for.
    let is_bare = scanned.findings.is_empty() && scanned.references.is_empty();
    let store = plan.store.as_ref();
    let asked = store.filter(|_| !is_bare || plan.scope != Scope::Change);
    let inventory = asked.map(Store::inventory).transpose()?;
    let options = Options {
        scope: plan.scope,
        now: clock::now(),
        stale_days: plan.ages.stale,
        stale_cloud_days: plan.ages.stale_cloud,
        expiring_days: plan.ages.expiring,
        policies: plan.policies.clone(),
    };
    let assessed = assess::assess(
        &mut scanned.findings,
        &scanned.references,
        inventory.as_ref(),
        &options,
    );
    let report = Report {
        rules: (*plan.rules).clone(),
        findings: scanned.findings,
        references: scanned.references,
        resolved: assessed.resolved,
        map: assessed.map,
        verdicts: assessed.verdicts,
        has_inventory: store.is_some(),
        records: inventory.map(|it| it.records).unwrap_or_default(),
        coverage: scanned.coverage,
        repositories: scanned.repositories,
        claims: scanned.claims,
        show_secrets: values == Values::Shown,
        explain: speech.verbose,
        today,
    };
    Ok(Outcome {
        report,
        applied,
        off: assessed.off,
    })
}

/// What earlier scans kept. Without it a scan takes longer, and is the same.
fn cache(plan: &Plan, speech: &Speech) -> Option<Arc<Cache>> {
    match Cache::open(plan.cache.as_deref()?, ledger::LIMIT, clock::now()) {
        Ok(cache) => Some(Arc::new(cache)),
        Err(error) if speech.verbose => {
            note(&uncached(&error.to_string()));
            None
        }
        Err(_) => None,
    }
}

fn uncached(why: &str) -> String {
    format!("cache: {why}")
}

fn recalled(recalled: &Recalled) -> String {
    let Recalled {
        blobs,
        read,
        others,
    } = recalled;
    format!(
        "cache: {read} of {blobs} blobs and {others} other objects were read, the rest is known"
    )
}

/// What the report does not hold because it differs from run to run, and what the waivers need.
fn totals(outcome: &Outcome, took: Duration, speech: &Speech) {
    if speech.quiet {
        return;
    }
    let coverage = &outcome.report.coverage;
    note(&read(coverage, took));
    warn(&outcome.applied);
    if let Some(told) = policies::left_out(&outcome.off) {
        note(&told);
    }
    if speech.verbose {
        coverage.gaps.iter().for_each(|it| note(&left_out(it)));
    }
}

fn read(coverage: &Coverage, took: Duration) -> String {
    let mut parts = Vec::new();
    for (number, one, many) in [
        (coverage.files, "file", "files"),
        (coverage.blobs, "object", "objects"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {}", if number == 1 { one } else { many }));
        }
    }
    let what = if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(" and ")
    };
    let seconds = took.as_secs_f64();
    let megabytes = coverage.bytes as f64 / 1e6;
    let gaps = if coverage.is_complete() {
        ""
    } else {
        "; not everything could be read, the report says what"
    };
    format!("read {what}, {megabytes:.1} MB, in {seconds:.2} s{gaps}")
}

/// What the waiver file needs from its owner.
pub(super) fn warn(applied: &Applied) {
    for (count, one, many) in [
        (
            applied.expired.len(),
            "waiver has ended and accepts nothing",
            "waivers have ended and accept nothing",
        ),
        (
            applied.unaudited.len(),
            "waiver was written by a baseline and never looked at",
            "waivers were written by a baseline and never looked at",
        ),
        (
            applied.exceeded.len(),
            "waived secret lies in more places than were accepted",
            "waived secrets lie in more places than were accepted",
        ),
    ] {
        if count > 0 {
            note(&format!(
                "{count} {}; see `keyatlas waive list`",
                if count == 1 { one } else { many }
            ));
        }
    }
}

/// One place that was not read.
fn left_out(gap: &Gap) -> String {
    let detail = if gap.detail.is_empty() {
        String::new()
    } else {
        format!(": {}", gap.detail)
    };
    format!("not read: {} ({}){detail}", gap.path, gap.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::coverage::Reason;

    #[test]
    fn totals_say_what_was_read() {
        let mut coverage = Coverage {
            files: 1,
            blobs: 0,
            bytes: 1_240_000,
            ..Coverage::default()
        };
        let took = Duration::from_millis(120);
        assert_eq!(read(&coverage, took), "read 1 file, 1.2 MB, in 0.12 s");
        coverage.blobs = 20;
        assert_eq!(
            read(&coverage, took),
            "read 1 file and 20 objects, 1.2 MB, in 0.12 s"
        );
        let gap = |reason, detail: &str| Gap {
            path: "x".to_owned(),
            reason,
            detail: detail.to_owned(),
        };
        coverage.gaps = vec![gap(Reason::Io, "gone"), gap(Reason::Excluded, "")];
        assert!(read(&coverage, took).ends_with("the report says what"));
        let told: Vec<_> = coverage.gaps.iter().map(left_out).collect();
        assert_eq!(
            told,
            ["not read: x (io-error): gone", "not read: x (excluded)"]
        );
        assert!(read(&Coverage::default(), took).starts_with("read nothing"));
    }
}
