//! Verdicts as users meet them: the page that explains them, and an estate for each.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod estate;
mod fires;
mod page;
mod people;
mod status;
