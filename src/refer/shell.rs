//! Environment variables that a shell script reads and does not set itself; only names that look like a
//! secret's.
//!
//! Here a chain ends: nothing is yielded. Who sets the variable is read by the other families.

use crate::model::reference::Mention;
use crate::refer::file::{File, Pattern, extension, group, name};
use std::collections::BTreeSet;

/// Hardly a script has no variable: the path alone decides.
pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = ("bin/deploy.sh", "curl -H \"X-Key: $API_KEY\" $URL\n");

static VARIABLE: Pattern = Pattern::new(r"\$(?:\{[!#]?)?([A-Za-z_][A-Za-z0-9_]{1,127})");

static ASSIGNMENT: Pattern = Pattern::new(
    r"(?m)^[ \t]*(?:(?:export|local|readonly|declare|typeset)[ \t]+(?:-\w+[ \t]+)?)?([A-Za-z_][A-Za-z0-9_]{1,127})=([^\n;]{0,200})|\bread[ \t]+(?:-\w+[ \t]+)*([A-Za-z_][A-Za-z0-9_]{1,127})|\bfor[ \t]+([A-Za-z_][A-Za-z0-9_]{1,127})[ \t]+in\b",
);

pub(super) fn applies(path: &str) -> bool {
    matches!(extension(path), "sh" | "bash" | "zsh" | "ksh" | "bats")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let mut own = None;
    file.each(&VARIABLE, |captures| {
        let Some((variable, span)) = group(captures, 1) else {
            return;
        };
        let before = captures.get(0).map_or("", |it| &file.text[..it.start()]);
        if !name::looks_secret(variable) || before.ends_with('\\') {
            return;
        }
        // Most scripts have no such variable.
        let own = own.get_or_insert_with(|| assigned(file));
        if !own.contains(variable) {
            emit(file.mention("env-accessor", name::env(variable, ""), span));
        }
    });
}

/// Variables that a script sets itself; not those it only gives a default (`X=${X:-...}`).
fn assigned<'a>(file: &File<'a>) -> BTreeSet<&'a str> {
    let mut own = BTreeSet::new();
    file.each(&ASSIGNMENT, |captures| {
        let value = captures.get(2).map_or("", |it| it.as_str());
        let Some((variable, _)) = [1, 3, 4].iter().find_map(|it| group(captures, *it)) else {
            return;
        };
        let is_default =
            value.contains(&format!("${{{variable}")) || value.contains(&format!("${variable}"));
        if !is_default {
            own.insert(variable);
        }
    });
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new("a.sh", text), &mut |it| {
            assert!(it.yields.is_none() && !it.dynamic);
            found.push(format!(
                "{}:{} {}",
                it.place.line, it.place.column, it.name.path
            ));
        });
        found
    }

    #[test]
    fn a_script_reads_its_environment() {
        assert_eq!(names("curl -H \"X: ${API_KEY:-}\""), ["1:15 API_KEY"]);
    }

    #[test]
    fn other_names_and_own_variables_are_silent() {
        for text in [
            "TOKENIZER=1; echo $MONKEY $PWD \\$API_KEY",
            "API_KEY=$(op read x)\necho $API_KEY\n",
        ] {
            assert!(names(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_default_still_reads_the_environment() {
        assert_eq!(
            names("API_KEY=${API_KEY:-none}\necho $A_TOKEN$B_TOKEN\n"),
            ["1:11 API_KEY", "2:7 A_TOKEN", "2:15 B_TOKEN"]
        );
    }
}
