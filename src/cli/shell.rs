//! What a shell and a manual reader need: completion scripts and pages, made from the flags themselves.

use super::args::Cli;
use super::exit::Exit;
use super::message::Fault;
use super::output;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use std::fs;
use std::path::Path;

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keyatlas", &mut script);
    output::document(|out| out.write_all(&script))?;
    Ok(Exit::Clean)
}

/// Prints the manual page, or writes a page for each command into a folder.
pub(super) fn man(folder: Option<&Path>) -> Result<Exit, Fault> {
    let Some(folder) = folder else {
        output::document(|mut out| Man::new(Cli::command()).render(&mut out))?;
        return Ok(Exit::Clean);
    };
    fs::create_dir_all(folder).map_err(|it| Fault::at(folder, &it))?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(|it| Fault::at(folder, &it))?;
    Ok(Exit::Clean)
}
