//! `keyatlas hook install`: writes the pre-commit hook beside what is there.

use super::exit::Exit;
use super::message::Fault;
use super::run;
use std::fs;

const MARK: &str = "# written by keyatlas hook install";

/// Writes the hook where git looks for it.
pub(super) fn install(force: bool) -> Result<Exit, Fault> {
    let repository = git2::Repository::discover(".")
        .map_err(|it| Fault::new(format!("no repository here: {}", it.message())))?;
    let configured = repository
        .config()
        .ok()
        .and_then(|it| it.get_path("core.hooksPath").ok());
    let folder = match (configured, repository.workdir()) {
        (Some(path), Some(root)) => root.join(path),
        (Some(path), None) => path,
        (None, _) => repository.commondir().join("hooks"),
    };
    let path = folder.join("pre-commit");
    let fault = |it: std::io::Error| Fault::new(format!("{}: {it}", path.display()));
    if let Ok(text) = fs::read_to_string(&path) {
        if !text.contains(MARK) && !force {
            return Err(Fault::new(format!("{}: another hook is there", path.display()))
                .hint("add the line `keyatlas hook pre-commit || exit $?` to it, or replace it with --force"));
        }
    }
    fs::create_dir_all(&folder).map_err(fault)?;
    fs::write(
        &path,
        format!("#!/bin/sh\n{MARK}\nexec keyatlas hook pre-commit\n"),
    )
    .map_err(fault)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(fault)?;
    }
    run::to_stdout(|out| writeln!(out, "{}", path.display()))?;
    Ok(Exit::Clean)
}
