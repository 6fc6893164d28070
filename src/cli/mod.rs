//! The front: the only place that knows flags, terminals, the environment and exit codes.

/// Runs the program on the process's arguments.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
