//! Properties that Spring puts into code: `@Value("${shop.api.key}")`.
//!
//! The settings files are read in `spring`.

use crate::model::reference::Mention;
use crate::refer::table::{File, Row, any, has_extension, name, read_rows, uses};

pub(super) const ANCHORS: &[&str] = &["@Value("];

pub(super) const EXAMPLE: (&str, &str) =
    ("src/Shop.java", "@Value(\"${shop.api.key}\") String key;\n");

static ROWS: [Row; 1] = [uses(
    "spring-value",
    any,
    &[],
    r#"@Value\(\s*(?:value\s*=\s*)?"\\?\$\{([A-Za-z_][A-Za-z0-9_.-]{1,127})"#,
    |_, id| name::property_looks_secret(id).then(|| name::env(&name::relaxed(id), "").into()),
)];

pub(super) fn applies(path: &str) -> bool {
    has_extension(path, &["java", "kt", "groovy", "scala"])
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn properties_are_variables() {
        let text = "@Value(\"${shop.api.key}\") String a;\n// @Value(\"${old.api.key}\")\n@Value(\"${shop.url}\") String b;\n@Value(value = \"\\${DB_PASSWORD:}\") val c: String\n";
        assert_eq!(
            told(read, "A.kt", text),
            [
                "1 spring-value env:SHOP_API_KEY",
                "4 spring-value env:DB_PASSWORD"
            ]
        );
    }
}
