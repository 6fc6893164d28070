//! The program: parse, run, exit.

fn main() -> std::process::ExitCode {
    keyatlas::cli::main()
}
