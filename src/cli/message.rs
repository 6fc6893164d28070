//! How an error reaches a person: what happened, where, what to do next.

use std::io::Write;

/// An error with an optional next step.
#[derive(Debug)]
pub(super) struct Fault {
    /// What happened, and where.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Control characters of hostile names must not reach a terminal.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|it| {
            if it.is_control() && it != '\n' {
                it.escape_default().to_string()
            } else {
                it.to_string()
            }
        })
        .collect()
}

/// Prints to standard error; a closed standard error is nobody's loss.
pub(super) fn print(fault: &Fault) {
    let mut out = anstream::stderr().lock();
    let bold = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Red.into()));
    let _closed = writeln!(out, "{bold}error{bold:#}: {}", escaped(&fault.message));
    if let Some(hint) = &fault.hint {
        let _closed = writeln!(out, "  help: {}", escaped(hint));
    }
}

/// A remark on standard error.
pub(super) fn note(text: &str) {
    let _closed = writeln!(anstream::stderr().lock(), "{}", escaped(text));
}

macro_rules! from_hinted {
    ($($error:ty),+ $(,)?) => { $(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self { Self { hint: error.hint(), message: error.to_string() } }
        }
    )+ };
}

from_hinted!(
    crate::scan::Error,
    crate::settings::Error,
    crate::inventory::Error,
    crate::import::Error
);

impl From<crate::ruleset::Error> for Fault {
    fn from(error: crate::ruleset::Error) -> Self {
        Self::new(error.to_string()).hint("`keyatlas rules test FILE` checks a rule file")
    }
}

impl From<crate::assess::waive::Error> for Fault {
    fn from(error: crate::assess::waive::Error) -> Self {
        Self::new(error.to_string()).hint("mend the line, or remove it to take the waiver back")
    }
}
