//! `keyatlas hook install`: hooks set up beside what is there.
//!
//! Not here: what a hook does when git runs it.

use super::environment::Environment;
use super::exit::Exit;
use super::hook_args::HookKind;
use super::message::{Fault, note};
use super::output;
use std::fs;
use std::path::{Path, PathBuf};

/// How a hook that we wrote is known.
const MARK: &str = "Written by `keyatlas hook install`";

/// A hook's name and text. One that git tells something on standard input keeps it.
fn script(kind: HookKind) -> (&'static str, String) {
    let (name, rest) = match kind {
        HookKind::PreCommit => ("pre-commit", " </dev/null"),
        HookKind::PrePush => ("pre-push", " \"$@\""),
        HookKind::PreReceive => ("pre-receive", ""),
    };
    (
        name,
        format!(
            "#!/bin/sh\n# {MARK}; remove this file to switch it off.\nexec keyatlas hook {name}{rest}\n"
        ),
    )
}

/// The line that does the same in a hook of somebody else.
fn line(kind: HookKind) -> &'static str {
    match kind {
        HookKind::PreCommit => "keyatlas hook pre-commit || exit $?",
        HookKind::PrePush => {
            "refs=$(cat); printf '%s\\n' \"$refs\" | keyatlas hook pre-push \"$@\" || exit $?"
        }
        HookKind::PreReceive => {
            "refs=$(cat); printf '%s\\n' \"$refs\" | keyatlas hook pre-receive || exit $?"
        }
    }
}

/// Sets hooks up.
pub(super) fn install(
    kinds: &[HookKind],
    force: bool,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let repository = repository(environment)?;
    let usual = [match repository.is_bare() {
        true => HookKind::PreReceive,
        false => HookKind::PreCommit,
    }];
    let kinds = if kinds.is_empty() { &usual } else { kinds };
    if repository.is_bare() && kinds.contains(&HookKind::PreCommit) {
        return Err(Fault::new(format!(
            "{}: nobody commits in a bare repository, so pre-commit would never run",
            repository.path().display()
        ))
        .hint("keyatlas hook install pre-receive"));
    }
    let folder = hooks_folder(&repository);
    for kind in kinds {
        let (name, text) = script(*kind);
        let path = folder.join(name);
        let kept = make_room(&path, *kind, force)?;
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

fn repository(environment: &Environment) -> Result<git2::Repository, Fault> {
    let start = environment.git_dir.as_ref().unwrap_or(&environment.folder);
    git2::Repository::discover(start).map_err(|it| {
        Fault::new(format!(
            "{}: {}",
            environment.folder.display(),
            it.message()
        ))
        .hint("run it inside the repository that the hook is for")
    })
}

/// Where git looks for hooks: `core.hooksPath`, else `hooks` beside the objects.
fn hooks_folder(repository: &git2::Repository) -> PathBuf {
    let configured = repository
        .config()
        .and_then(|it| it.get_path("core.hooksPath"))
        .ok();
    let top = repository.workdir().unwrap_or_else(|| repository.path());
    let Some(path) = configured else {
        return repository.commondir().join("hooks");
    };
    let path = top.join(path);
    if !path.starts_with(top) && !path.starts_with(repository.commondir()) {
        note(&format!(
            "core.hooksPath is {}: this hook will run in every repository that uses it",
            path.display()
        ));
    }
    path
}

/// Ours is renewed; another is kept, or moved aside when that was asked for.
fn make_room(path: &Path, kind: HookKind, force: bool) -> Result<Option<PathBuf>, Fault> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    let is_ours = fs::read(path).is_ok_and(|it| String::from_utf8_lossy(&it).contains(MARK));
    if is_ours {
        return Ok(None);
    }
    if !force {
        return Err(
            Fault::new(format!("{}: another hook is there", path.display())).hint(format!(
                "add this line to it: {}\n        or replace it with --force, which keeps a copy",
                line(kind)
            )),
        );
    }
    let name = script(kind).0;
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
