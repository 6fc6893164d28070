//! `keyatlas hook`: the presets of a scan that git runs, and what they say when they stop something.
//!
//! Not here: what a push brings (see `push`), and setting hooks up (see `install`).

use super::args::{ReportArgs, Speech};
use super::change;
use super::environment::Environment;
use super::exit::{self, Exit};
use super::hook_args::{HookArgs, HookCommand, PreCommitArgs};
use super::install;
use super::message::{Fault, note};
use super::output;
use super::plan::{self, Plan, Request};
use super::push;
use super::road::{self, Outcome};
use crate::assess::Scope;
use crate::scan::{Ground, Mode, Within};
use crate::source::change as source;
use std::path::{Path, PathBuf};

/// Lines of a report that a hook shows where nobody chose a format; a push may bring thousands.
const LINES: usize = 60;

/// What a hook says when it stops something.
pub(super) struct Words {
    /// Because of findings; how to waive them follows.
    pub(super) stopped: &'static str,
    /// Because not everything could be read.
    pub(super) unread: &'static str,
    /// Said behind how to waive.
    pub(super) after: Option<&'static str>,
}

const COMMIT: Words = Words {
    stopped: "keyatlas stopped this commit. Take the secret out and rotate it if it was ever shared; or, if it is none:",
    unread: "keyatlas stopped this commit: not everything staged could be read; the report says what",
    after: None,
};

/// What one hook reads, and how it speaks.
pub(super) struct Preset {
    pub(super) mode: Mode,
    pub(super) root: PathBuf,
    pub(super) within: Within,
    pub(super) ground: Ground,
    pub(super) words: &'static Words,
}

/// What a hook did.
pub(super) struct Ran {
    pub(super) exit: Exit,
    plan: Plan,
    /// None where only the plan was asked for.
    outcome: Option<Outcome>,
}

impl Ran {
    /// Whether there was nothing to look at.
    pub(super) fn is_empty(&self) -> bool {
        let coverage = self.outcome.as_ref().map(|it| &it.report.coverage);
        coverage.is_some_and(|it| it.bytes == 0 && it.files == 0 && it.gaps.is_empty())
    }
}

/// Runs as a hook, or sets hooks up.
pub(super) fn run(
    command: &HookCommand,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    match command {
        HookCommand::PreCommit(args) => pre_commit(args, speech, environment),
        HookCommand::PrePush(args) => push::pre_push(args, speech, environment),
        HookCommand::PreReceive(args) => push::pre_receive(args, speech, environment),
        HookCommand::Install { kinds, force } => install::install(kinds, *force, environment),
    }
}

/// Refuses what no hook does, before anything is read.
pub(super) fn check(args: &ReportArgs) -> Result<(), Fault> {
    if args.show_secrets {
        return Err(Fault::new("--show-secrets is refused in hooks")
            .hint("hooks speak into logs; use `keyatlas scan --staged --show-secrets`"));
    }
    road::check(args)
}

/// The index, judged as a change.
fn pre_commit(
    args: &PreCommitArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    check(&args.hook.report)?;
    let (root, within) = change::target(&args.files, environment)?;
    let preset = Preset {
        mode: Mode::Staged,
        root,
        within,
        ground: Ground::WorkTree,
        words: &COMMIT,
    };
    let ran = scan(preset, &args.hook, speech, environment)?;
    if !speech.quiet && ran.outcome.is_some() {
        say_if_nothing(&ran.plan, args)?;
    }
    Ok(ran.exit)
}

/// Scans a change, always masked; silent when there is nothing to say.
pub(super) fn scan(
    preset: Preset,
    args: &HookArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Ran, Fault> {
    let request = Request {
        read: &args.read,
        rules: &args.rules,
        store: &args.store,
        fail_on: args.report.fail_on,
        roots: vec![preset.root],
        mode: preset.mode,
        within: preset.within,
        scope: Scope::Change,
        ground: preset.ground,
    };
    let plan = plan::plan(request, environment)?;
    if args.report.show_plan {
        let exit = road::follow(&plan, &args.report, speech)?;
        return Ok(Ran {
            exit,
            plan,
            outcome: None,
        });
    }
    let outcome = road::reported(&plan, &args.report, speech)?;
    let exit = exit::of(
        &outcome.report,
        plan.fail_on,
        road::completeness(&args.report),
    );
    if !args.report.formats.is_empty() {
        output::reports(&outcome.report, &args.report.formats)?;
    } else if exit != Exit::Clean {
        output::brief(&outcome.report, LINES)?;
    }
    if !speech.quiet {
        road::warn(&outcome.applied);
        let own = args.message.as_ref().or(plan.message.as_ref());
        advise(exit, &outcome, preset.words, own);
    }
    Ok(Ran {
        exit,
        plan,
        outcome: Some(outcome),
    })
}

/// A hook that looked at nothing must not pass for one that found nothing.
fn say_if_nothing(plan: &Plan, args: &PreCommitArgs) -> Result<(), Fault> {
    let root = plan
        .scan
        .roots
        .first()
        .map_or(Path::new("."), PathBuf::as_path);
    let changes = source::staged(root, plan.scan.index_file.as_deref())?;
    if changes
        .items
        .iter()
        .any(|it| plan.scan.within.holds(&it.path))
    {
        return Ok(());
    }
    match args.files.len() {
        0 => note("keyatlas: nothing is staged, so zero bytes were scanned"),
        _ => note(
            "keyatlas: none of the files named is staged, so zero bytes were scanned; `keyatlas scan` reads files as they are",
        ),
    }
    Ok(())
}

fn advise(exit: Exit, outcome: &Outcome, words: &Words, own: Option<&String>) {
    match exit {
        Exit::Findings => {
            let open = outcome
                .report
                .findings
                .iter()
                .find(|it| it.waived.is_none());
            let example =
                open.map_or_else(|| "OCCURRENCE".to_owned(), |it| it.occurrence.to_string());
            note(words.stopped);
            note(&format!(
                "  keyatlas waive {example} --until YYYY-MM-DD --reason TEXT"
            ));
            words.after.into_iter().for_each(note);
        }
        Exit::Incomplete => note(words.unread),
        Exit::Clean | Exit::WrongRequest => return,
    }
    own.into_iter().for_each(|it| note(it));
}
