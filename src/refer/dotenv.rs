//! Dotenv files: variables that hold secrets, and a variable made from another (`X=${Y}`).
//!
//! `.env.example` and its like declare names; other files give them values.
//! References in the syntax of a provider (`X=op://...`) are read by that provider's family, which
//! also notes the variable of the line.

use crate::model::reference::{Mention, Role};
use crate::refer::file::{File, Pattern, file_name, group, is_dotenv, name};

pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/.env.production",
    "SHOP_DB_PASSWORD=${DB_PASSWORD}\n",
);

static EXPANSION: Pattern = Pattern::new(r"\$\{?([A-Za-z_][A-Za-z0-9_]{0,127})");

static ASSIGNMENT: Pattern = Pattern::new(
    r"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]{0,127})[ \t]*=[ \t]*([^\n]{0,500})",
);

pub(super) fn applies(path: &str) -> bool {
    is_dotenv(path)
}

/// A file that is there to be copied and filled in.
fn is_sample(path: &str) -> bool {
    let name = file_name(path);
    let words = ["example", "sample", "template", "dist", "schema"];
    name.split(['.', '-', '_']).any(|it| words.contains(&it))
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    file.each(&ASSIGNMENT, |captures| {
        let Some((variable, span)) = group(captures, 1) else {
            return;
        };
        let value = captures.get(2).map_or("", |it| it.as_str().trim());
        // What comes from elsewhere is told by whoever reads the reference.
        let is_reference = value.contains('$')
            || ["op://", "ref+", "arn:aws:", "vault:"]
                .iter()
                .any(|it| value.contains(it));
        let is_vault = variable.starts_with("DOTENV_VAULT_");
        if is_reference || !(is_vault || name::looks_secret(variable)) {
            return;
        }
        let is_empty = value.trim_matches(['"', '\'']).is_empty() || value.starts_with('#');
        let role = match is_empty || is_sample(file.path) {
            true => Role::Declaration,
            false => Role::Definition,
        };
        emit(Mention {
            role,
            yields: None,
            ..file.mention("env-file", name::env(variable, ""), span)
        });
    });
    file.each(&EXPANSION, |captures| {
        let Some((variable, span)) = group(captures, 1) else {
            return;
        };
        let mention = file.mention("env-file", name::env(variable, ""), span);
        let to = mention.yields.as_ref().map(|it| it.path.as_str());
        let matters = name::looks_secret(variable) || to.is_some_and(name::looks_secret);
        if matters && to.is_some() && to != Some(variable) {
            emit(mention);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_define_or_declare() {
        let text =
            "HOST=x\nAPI_KEY=placeholder\nexport DB_PASSWORD=\nA_KEY=op://Shop/a/key\n# B_KEY=x\n";
        let told = |path| crate::refer::table::told(read, path, text);
        assert_eq!(
            told(".env"),
            [
                "2 env-file env:API_KEY def",
                "3 env-file env:DB_PASSWORD decl"
            ]
        );
        assert_eq!(
            told(".env.example"),
            [
                "2 env-file env:API_KEY decl",
                "3 env-file env:DB_PASSWORD decl"
            ]
        );
        assert_eq!(
            crate::refer::table::told(read, ".env.vault", "DOTENV_VAULT_PRODUCTION=\"b3BhcXVl\"\n"),
            ["1 env-file env:DOTENV_VAULT_PRODUCTION def"]
        );
    }

    #[test]
    fn expansions_yield_the_variable_of_the_line() {
        let text =
            "# A_KEY=${B_KEY}\nHOST=${NAME}\nAPI_KEY=$SHOP_KEY\nURL=https://u:${DB_PASSWORD}@db\n";
        let mut found = Vec::new();
        read(&File::new(".env", text), &mut |it| {
            found.push((it.name.path, it.yields.unwrap().path, it.place.line))
        });
        let expected = [("SHOP_KEY", "API_KEY", 3), ("DB_PASSWORD", "URL", 4)];
        assert_eq!(
            found,
            expected.map(|(a, b, line)| (a.to_owned(), b.to_owned(), line))
        );
    }
}
