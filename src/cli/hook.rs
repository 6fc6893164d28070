//! `keyatlas hook`: the presets of a scan that git runs, and setting them up beside what is there.

use super::args::{HookCommand, HookKind, PreCommitArgs, Speech};
use super::change;
use super::environment::Environment;
use super::exit::{self, Exit};
use super::message::{Fault, note};
use super::output;
use super::plan::{self, Plan, Request};
use super::road::{self, Outcome};
use crate::assess::Scope;
use crate::scan::Mode;
use crate::source::change as source;
use std::fs;
use std::path::{Path, PathBuf};

/// How a hook that we wrote is known.
const MARK: &str = "Written by `keyatlas hook install`";

/// Runs as a hook, or sets hooks up.
pub(super) fn run(
    command: &HookCommand,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    match command {
        HookCommand::PreCommit(args) => pre_commit(args, speech, environment),
        HookCommand::Install { kinds, force } => install(kinds, *force, environment),
    }
}

/// The index, judged as a change, always masked; silent when there is nothing to say.
fn pre_commit(
    args: &PreCommitArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    if args.report.show_secrets {
        return Err(Fault::new("--show-secrets is refused in hooks")
            .hint("hooks speak into logs; use `keyatlas scan --staged --show-secrets`"));
    }
    road::check(&args.report)?;
    let (root, within) = change::target(&args.files, environment)?;
    let request = Request {
        read: &args.read,
        rules: &args.rules,
        store: &args.store,
        fail_on: args.report.fail_on,
        roots: vec![root],
        mode: Mode::Staged,
        within,
        scope: Scope::Change,
    };
    let plan = plan::plan(request, environment)?;
    if args.report.show_plan {
        return road::follow(&plan, &args.report, speech);
    }
    let outcome = road::reported(&plan, &args.report, speech)?;
    let exit = exit::of(
        &outcome.report,
        plan.fail_on,
        road::completeness(&args.report),
    );
    if exit != Exit::Clean || !args.report.formats.is_empty() {
        output::reports(&outcome.report, &args.report.formats)?;
    }
    if !speech.quiet {
        say_if_nothing(&plan, args)?;
        road::warn(&outcome.applied);
        advise(exit, &outcome);
    }
    Ok(exit)
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

fn advise(exit: Exit, outcome: &Outcome) {
    match exit {
        Exit::Findings => {
            let open = outcome
                .report
                .findings
                .iter()
                .find(|it| it.waived.is_none());
            let example =
                open.map_or_else(|| "OCCURRENCE".to_owned(), |it| it.occurrence.to_string());
            note(
                "keyatlas stopped this commit. Take the secret out and rotate it if it was ever shared; or, if it is none:",
            );
            note(&format!(
                "  keyatlas waive {example} --until YYYY-MM-DD --reason TEXT"
            ));
        }
        Exit::Incomplete => note(
            "keyatlas stopped this commit: not everything staged could be read; the report says what",
        ),
        Exit::Clean | Exit::WrongRequest => {}
    }
}

/// A hook's name and text.
fn script(kind: HookKind) -> (&'static str, String) {
    let name = match kind {
        HookKind::PreCommit => "pre-commit",
    };
    (
        name,
        format!(
            "#!/bin/sh\n# {MARK}; remove this file to switch it off.\nexec keyatlas hook {name} </dev/null\n"
        ),
    )
}

fn install(kinds: &[HookKind], force: bool, environment: &Environment) -> Result<Exit, Fault> {
    let folder = hooks_folder(environment)?;
    for kind in kinds {
        let (name, text) = script(*kind);
        let path = folder.join(name);
        let kept = make_room(&path, name, force)?;
        write(&path, &text)?;
        output::stdout(|out| {
            writeln!(out, "{}", path.display())?;
            kept.iter().try_for_each(|it| {
                writeln!(out, "the hook that was there is kept as {}", it.display())
            })
        })?;
    }
    Ok(Exit::Clean)
}

/// Where git looks for hooks: `core.hooksPath`, else `hooks` beside the objects.
fn hooks_folder(environment: &Environment) -> Result<PathBuf, Fault> {
    let refused = |it: git2::Error| {
        Fault::new(format!(
            "{}: {}",
            environment.folder.display(),
            it.message()
        ))
        .hint("run it inside the repository that the hook is for")
    };
    let start = environment.git_dir.as_ref().unwrap_or(&environment.folder);
    let repository = git2::Repository::discover(start).map_err(refused)?;
    let configured = repository
        .config()
        .and_then(|it| it.get_path("core.hooksPath"))
        .ok();
    let top = repository.workdir().unwrap_or_else(|| repository.path());
    let Some(path) = configured else {
        return Ok(repository.commondir().join("hooks"));
    };
    let path = top.join(path);
    if !path.starts_with(top) && !path.starts_with(repository.commondir()) {
        note(&format!(
            "core.hooksPath is {}: this hook will run in every repository that uses it",
            path.display()
        ));
    }
    Ok(path)
}

/// Ours is renewed; another is kept, or moved aside when that was asked for.
fn make_room(path: &Path, name: &str, force: bool) -> Result<Option<PathBuf>, Fault> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    let is_ours = fs::read(path).is_ok_and(|it| String::from_utf8_lossy(&it).contains(MARK));
    if is_ours {
        return Ok(None);
    }
    if !force {
        return Err(Fault::new(format!("{}: another hook is there", path.display()))
            .hint(format!("add this line to it: keyatlas hook {name} || exit $?\n        or replace it with --force, which keeps a copy")));
    }
    let aside = (0..).map(|it| {
        path.with_file_name(format!(
            "{name}.before-keyatlas{}",
            if it == 0 {
                String::new()
            } else {
                format!(".{it}")
            }
        ))
    });
    let aside = aside
        .into_iter()
        .find(|it| fs::symlink_metadata(it).is_err())
        .unwrap_or_else(|| path.with_extension("before-keyatlas"));
    fs::rename(path, &aside).map_err(|it| Fault::at(path, &it))?;
    Ok(Some(aside))
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let fault = |it: std::io::Error| Fault::at(path, &it).hint("the hook was not set up");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fault)?;
    }
    fs::write(path, text).map_err(fault)?;
    make_executable(path).map_err(fault)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
