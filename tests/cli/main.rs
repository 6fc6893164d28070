//! The binary from outside: flags, exit codes, messages. What a rule finds, what a verdict means and
//! how a document looks are proven in lower tests; here is only whether the wires reach.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its builder too"
)]

mod authors;
mod clouds;
mod codes;
mod evidence;
mod formats;
mod git;
mod hook;
mod inventory;
mod known;
mod map;
mod parts;
mod push;
mod rotate;
mod rules;
mod settings;
mod speech;
mod waive;
mod world;
