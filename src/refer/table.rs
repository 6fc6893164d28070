//! Reference syntaxes that a pattern tells: a table of rows, and one reader for all tables.
//!
//! Knows no syntax itself. It carries `file` along, so that readers import one sibling.

pub(super) use crate::refer::file::{
    File, Pattern, extension, file_name, group, is_dotenv, is_tree, is_variable, name, spanned,
};

use crate::model::reference::{Mention, Role, SecretName};
use regex::Captures;

/// What a match names: the secret, and the variable that it is handed on as.
#[derive(Default)]
pub(super) struct Named {
    pub(super) name: SecretName,
    pub(super) yields: Option<SecretName>,
}

impl From<SecretName> for Named {
    fn from(name: SecretName) -> Self {
        Self { name, yields: None }
    }
}

impl Named {
    /// The same, handed on as a variable, if there is one.
    pub(super) fn yielding(mut self, variable: Option<&str>) -> Self {
        self.yields = variable
            .filter(|it| is_variable(it))
            .map(|it| name::env(it, ""));
        self
    }
}

/// How a match becomes a name.
pub(super) type Reader = fn(&Captures<'_>, &str) -> Option<Named>;

/// A pattern whose group `id`, or else its first, is the id of a secret.
pub(super) struct Row {
    /// The syntax.
    pub(super) syntax: &'static str,
    /// Which files it is looked for in.
    pub(super) files: fn(&str) -> bool,
    /// Of the family's anchors, those of which one stands where it matches; none where the path decides.
    pub(super) anchors: &'static [&'static str],
    pub(super) pattern: Pattern,
    pub(super) role: Role,
    pub(super) read: Reader,
}

/// A row that reads secrets.
pub(super) const fn uses(
    syntax: &'static str,
    files: fn(&str) -> bool,
    anchors: &'static [&'static str],
    pattern: &'static str,
    read: Reader,
) -> Row {
    Row {
        syntax,
        files,
        anchors,
        pattern: Pattern::new(pattern),
        role: Role::Use,
        read,
    }
}

/// A row that makes secrets.
pub(super) const fn defines(
    syntax: &'static str,
    files: fn(&str) -> bool,
    anchors: &'static [&'static str],
    pattern: &'static str,
    read: Reader,
) -> Row {
    Row {
        syntax,
        files,
        anchors,
        pattern: Pattern::new(pattern),
        role: Role::Definition,
        read,
    }
}

/// A row that only tells names.
pub(super) const fn declares(
    syntax: &'static str,
    files: fn(&str) -> bool,
    anchors: &'static [&'static str],
    pattern: &'static str,
    read: Reader,
) -> Row {
    Row {
        syntax,
        files,
        anchors,
        pattern: Pattern::new(pattern),
        role: Role::Declaration,
        read,
    }
}

/// Every file.
pub(super) fn any(_path: &str) -> bool {
    true
}

/// Scripts, and what holds their commands: pipelines, make files, container files, manuals.
pub(super) fn commands(path: &str) -> bool {
    let by_extension = matches!(
        extension(path),
        "sh" | "bash"
            | "zsh"
            | "ksh"
            | "fish"
            | "ps1"
            | "bat"
            | "cmd"
            | "yml"
            | "yaml"
            | "mk"
            | "json"
            | "toml"
            | "md"
            | "rst"
            | "adoc"
            | "txt"
            | "py"
            | "rb"
            | "js"
            | "ts"
            | "go"
            | "groovy"
            | "env"
            | "just"
            | "nix"
            | "tf"
    );
    let name = file_name(path);
    by_extension
        || !name.contains('.')
        || name.starts_with("Dockerfile")
        || name.starts_with(".env")
}

/// Whether the extension is one of a language's.
pub(super) fn has_extension(path: &str, extensions: &[&str]) -> bool {
    extensions.contains(&extension(path))
}

/// A group of a match, if it took part and is not empty.
pub(super) fn text<'t>(captures: &Captures<'t>, index: usize) -> Option<&'t str> {
    captures
        .get(index)
        .map(|it| it.as_str())
        .filter(|it| !it.is_empty())
}

/// Reads all rows that fit the file.
pub(super) fn read_rows(file: &File<'_>, rows: &[Row], emit: &mut dyn FnMut(Mention)) {
    for row in rows {
        let stands = row.anchors.is_empty() || file.has_any(row.anchors);
        if !stands || !(row.files)(file.path) {
            continue;
        }
        file.each(&row.pattern, |captures| {
            let id = captures.name("id").or(captures.get(1));
            let Some((id, span)) = id.map(spanned) else {
                return;
            };
            let named = (row.read)(captures, id).filter(|it| !it.name.path.is_empty());
            let Some(Named { name, yields }) = named else {
                return;
            };
            let mention = file.mention(row.syntax, name, span);
            emit(Mention {
                yields: yields.or(mention.yields.clone()),
                role: row.role,
                ..mention
            });
        });
    }
}

/// What a reader says of a text, one line a mention: for tests.
#[cfg(test)]
pub(super) fn told(
    read: fn(&File<'_>, &mut dyn FnMut(Mention)),
    path: &str,
    text: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    read(&File::new(path, text), &mut |it| {
        let it = crate::refer::file::settled(it);
        let yields = it.yields.map(|it| format!(" -> {it}")).unwrap_or_default();
        let consumer = it
            .consumer
            .map(|it| format!(" by {it}"))
            .unwrap_or_default();
        let role = match it.role {
            Role::Use => "",
            Role::Definition => " def",
            Role::Declaration => " decl",
        };
        let dynamic = if it.dynamic { " ~" } else { "" };
        let example = if it.example { " ex" } else { "" };
        let line = it.place.line;
        found.push(format!(
            "{line} {} {}{yields}{consumer}{role}{dynamic}{example}",
            it.syntax, it.name
        ));
    });
    found
}
