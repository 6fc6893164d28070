//! The front: the only place that knows flags, terminals, the environment and exit codes.

mod args;
mod baseline;
mod exit;
mod hook;
mod inventory;
mod message;
mod plan;
mod rules;
mod run;
mod scan;

use args::{Cli, Command, Common, HookCommand, When};
use clap::{CommandFactory, Parser};
use exit::Exit;
use message::Fault;
use std::process::ExitCode;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                Exit::WrongRequest
            } else {
                Exit::Clean
            };
            let _closed = error.print();
            return code.into();
        }
    };
    match cli.color {
        When::Auto => anstream::ColorChoice::Auto,
        When::Always => anstream::ColorChoice::Always,
        When::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    match dispatch(cli.command) {
        Ok(exit) => exit.into(),
        Err(fault) => {
            message::print(&fault);
            Exit::WrongRequest.into()
        }
    }
}

fn dispatch(command: Command) -> Result<Exit, Fault> {
    match command {
        Command::Scan(args) => scan::scan(args),
        Command::Hook(HookCommand::PreCommit { files, common }) => {
            scan::pre_commit(&files, &common)
        }
        Command::Hook(HookCommand::Install { force }) => hook::install(force),
        Command::Inventory(command) => inventory::run(command),
        Command::Map(args) => inventory::map(args),
        Command::Waive(args) => baseline::waive(args),
        Command::Baseline(args) => baseline::baseline(args),
        Command::Rules(command) => rules::run(command),
        Command::Explain { id } => rules::explain(&id),
        Command::Completions { shell } => {
            run::to_stdout(|out| {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Cli::command(), "keyatlas", &mut script);
                out.write_all(&script)
            })?;
            Ok(Exit::Clean)
        }
        Command::Man => {
            run::to_stdout(|mut out| clap_mangen::Man::new(Cli::command()).render(&mut out))?;
            Ok(Exit::Clean)
        }
    }
}

/// What commands without scan flags of their own go by.
fn default_common() -> Common {
    Common {
        formats: Vec::new(),
        inventory: None,
        key_file: None,
        config: std::env::var_os("KEYATLAS_CONFIG").map(Into::into),
        rules: Vec::new(),
        baseline: None,
        min_confidence: None,
        fail_on: None,
        show_secrets: false,
        jobs: None,
        max_size: None,
        max_depth: None,
        no_ignore: false,
        require_complete: false,
        show_plan: false,
        quiet: true,
        verbose: false,
        progress: When::Never,
    }
}
