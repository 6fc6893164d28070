//! Dotenv files: a variable made from another variable (`X=${Y}`).
//!
//! References in the syntax of a provider (`X=op://...`) are read by that provider's family, which
//! also notes the variable of the line.

use crate::model::reference::Mention;
use crate::refer::file::{File, Pattern, group, is_dotenv, name};

pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/.env.production",
    "SHOP_DB_PASSWORD=${DB_PASSWORD}\n",
);

static EXPANSION: Pattern = Pattern::new(r"\$\{?([A-Za-z_][A-Za-z0-9_]{0,127})");

pub(super) fn applies(path: &str) -> bool {
    is_dotenv(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
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
