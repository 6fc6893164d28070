//! What a text is for, where that is something else than being run or read by machines: a value in a
//! test or in a manual is there to be seen.

/// What a piece of text, or a file, is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// A file that tests, or that tests read.
    TestFile,
    /// The code of a test.
    TestCode,
    /// A manual, a page to be read.
    Manual,
    /// A program or a configuration that shows how a thing is used.
    Example,
    /// A file that collects examples.
    Examples,
    /// Documentation within code.
    DocComment,
    /// A setting that a comment takes out of force.
    Comment,
    /// A text within code, as its own syntax tells.
    Inset,
    /// The address of a badge: a picture that a page shows to everybody.
    Badge,
    /// Under a name that says that it is none.
    Name,
    /// Beside a host or an address that is kept for documentation (RFC 2606, RFC 5737).
    ExampleHost,
}

impl Purpose {
    /// The fact that it is.
    pub fn fact(self) -> &'static str {
        match self {
            Self::TestFile => "- in a file for tests",
            Self::TestCode => "- in the code of a test",
            Self::Manual => "- in a manual",
            Self::Example => "- in an example",
            Self::Examples => "- in a file of examples",
            Self::DocComment => "- in documentation within code",
            Self::Comment => "- in a comment",
            Self::Badge => "- in the address of a badge",
            Self::Name => "- its name says that it is none",
            Self::Inset => "- in a text within code",
            Self::ExampleHost => "- beside a host that is kept for documentation",
        }
    }
}
