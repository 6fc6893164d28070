//! The front: the only place that knows flags, terminals, the environment, the clock and exit codes.
//!
//! One thin file a command. All that scan walk the same road: `plan` makes a request complete, `road`
//! follows it. Not here: anything that a library user would want without a terminal.

mod args;
mod base;
mod change;
mod clock;
mod earlier;
mod environment;
mod evidence;
mod exit;
mod explain;
mod fetch;
mod hook;
mod hook_args;
mod inputs;
mod install;
mod inventory;
mod known;
mod map;
mod map_args;
mod memory;
mod message;
mod output;
mod plan;
mod plan_shown;
mod policies;
mod progress;
mod push;
mod records;
mod remote;
mod road;
mod rotate;
mod rules;
mod scan;
mod shell;
mod status;
mod subject;
mod waive;

use args::{Cli, Command, When};
use clap::Parser;
use environment::Environment;
use exit::Exit;
use message::Fault;
use std::process::ExitCode;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    memory::give_back_large_buffers();
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
    colours(cli.speech.color).write_global();
    match dispatch(&cli, &Environment::read()) {
        Ok(exit) => exit.into(),
        Err(fault) => {
            message::print(&fault);
            Exit::WrongRequest.into()
        }
    }
}

fn colours(when: When) -> anstream::ColorChoice {
    match when {
        When::Auto => anstream::ColorChoice::Auto,
        When::Always => anstream::ColorChoice::Always,
        When::Never => anstream::ColorChoice::Never,
    }
}

fn dispatch(cli: &Cli, environment: &Environment) -> Result<Exit, Fault> {
    let speech = &cli.speech;
    match &cli.command {
        Command::Scan(args) => scan::scan(args, speech, environment),
        Command::Hook(command) => hook::run(command, speech, environment),
        Command::Inventory(command) => inventory::run(command, environment),
        Command::Map(args) => map::map(args, speech, environment),
        Command::Rotate(args) => rotate::rotate(args, speech, environment),
        Command::Waive(args) => waive::waive(args, speech, environment),
        Command::Baseline(args) => waive::baseline(args, speech, environment),
        Command::Rules(command) => rules::run(command, environment),
        Command::Explain(args) => explain::explain(args, speech, environment),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man { dir } => shell::man(dir.as_deref()),
    }
}
