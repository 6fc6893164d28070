//! How bad (severity), how loud (level), how sure (confidence): three questions kept apart.

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }
        impl $name {
            /// Every value, weakest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The name in flags, rules and JSON.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
            /// The value with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named! {
    /// What a reader of a report is told to do: nothing, look, act.
    Level {
        /// Worth knowing; never fails a run by default.
        Note = "note",
        /// Should be looked at.
        Warning = "warning",
        /// Act now.
        Error = "error",
    }
}

named! {
    /// The damage if the value is misused.
    Severity {
        /// Little or none alone.
        Low = "low",
        /// Limited.
        Medium = "medium",
        /// Serious.
        High = "high",
        /// The whole account or estate.
        Critical = "critical",
    }
}

named! {
    /// How sure we are that this is a real secret.
    Confidence {
        /// A weak sign.
        Low = "low",
        /// More likely than not.
        Medium = "medium",
        /// Shape, checksum or name leave little doubt.
        High = "high",
    }
}

impl Confidence {
    /// One step less sure.
    pub fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

impl Severity {
    /// Critical and high are errors, medium warns, low is a note.
    pub fn level(self) -> Level {
        match self {
            Self::Critical | Self::High => Level::Error,
            Self::Medium => Level::Warning,
            Self::Low => Level::Note,
        }
    }

    /// GitHub's `security-severity`: over 9.0 critical, 7.0 high, 4.0 medium
    /// (docs.github.com, "SARIF support for code scanning").
    pub fn score(self) -> &'static str {
        match self {
            Self::Critical => "9.5",
            Self::High => "8.0",
            Self::Medium => "5.5",
            Self::Low => "2.0",
        }
    }
}
