//! How an error reaches a person: what happened, where, why, what to do next.
//!
//! Hints come from the errors themselves, so that this file does not grow with every new one.

use anstyle::{AnsiColor, Style};
use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::Path;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// An error on its way to a person.
#[derive(Debug)]
pub(super) struct Fault {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Fault {
    /// What happened, and where.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// The file system refused something at a path.
    pub(super) fn at(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("{}: {}", path.display(), plain(error)))
    }

    /// The same with what to do next.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with the file it is about.
    pub(super) fn within(mut self, path: &Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    /// What happened, and where, without colours and advice.
    pub(super) fn what(&self) -> &str {
        &self.message
    }

    fn from_error(error: &dyn Error, hint: Option<String>) -> Self {
        let message = error.to_string();
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Most messages hold their cause already.
            if !message.contains(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        Self {
            message,
            causes,
            hint,
        }
    }
}

/// The system's words without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_lowercase()
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{ERROR}error{ERROR:#}: {}", safe(&self.message))?;
        for cause in &self.causes {
            writeln!(f, "  because: {}", safe(cause))?;
        }
        match &self.hint {
            Some(hint) => writeln!(f, "  {HINT}hint{HINT:#}: {}", safe(hint)),
            None => Ok(()),
        }
    }
}

/// Names of strange files must not steer a terminal: control characters are escaped, also those that
/// turn the direction of writing.
pub(super) fn safe(text: &str) -> String {
    let is_turning = |it: char| matches!(it, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if (character.is_control() && character != '\n') || is_turning(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// Prints an error to standard error; a closed standard error is nobody's loss.
pub(super) fn print(fault: &Fault) {
    let _closed = write!(anstream::stderr().lock(), "{fault}");
}

/// A remark on standard error.
pub(super) fn note(text: &str) {
    let _closed = writeln!(anstream::stderr().lock(), "{}", safe(text));
}

/// Errors that know what to do next.
macro_rules! hinted {
    ($($error:ty),+ $(,)?) => { $(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                let hint = error.hint();
                Self::from_error(&error, hint)
            }
        }
    )+ };
}

hinted!(
    crate::settings::Error,
    crate::scan::Error,
    crate::source::error::Error,
    crate::inventory::Error,
    crate::import::Error
);

impl From<crate::ruleset::Error> for Fault {
    fn from(error: crate::ruleset::Error) -> Self {
        Self::from_error(
            &error,
            Some("nothing was scanned; `keyatlas rules test FILE` checks a rule file".to_owned()),
        )
    }
}

impl From<crate::assess::waive::Error> for Fault {
    fn from(error: crate::assess::waive::Error) -> Self {
        Self::from_error(
            &error,
            Some("mend the line, or remove it to take the waiver back".to_owned()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    fn told(fault: &Fault) -> String {
        anstream::adapter::strip_str(&fault.to_string()).to_string()
    }

    #[test]
    fn three_parts_and_the_causes() {
        let fault = Fault::new("keyatlas.toml:1:2: no").hint("do this");
        assert_eq!(
            told(&fault),
            "error: keyatlas.toml:1:2: no\n  hint: do this\n"
        );
        let outer = Outer(io::Error::other("inner"));
        assert_eq!(
            told(&Fault::from_error(&outer, None)),
            "error: outer\n  because: inner\n"
        );
    }

    #[test]
    fn hostile_names_are_escaped() {
        for (text, expected) in [
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\rb\tc", "a\\rb\\tc"),
            ("txt\u{202e}cod.exe", "txt\\u{202e}cod.exe"),
            ("zwei\nZeilen ü", "zwei\nZeilen ü"),
        ] {
            assert_eq!(safe(text), expected);
        }
    }

    #[test]
    fn the_system_speaks_without_numbers() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        assert!(
            !Fault::at(Path::new("x"), &error)
                .message
                .contains("os error")
        );
    }
}
