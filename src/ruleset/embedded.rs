//! The rules of `rules/`, turned at build time into a text that needs no parser (`build.rs` says how).
//! Making rules of it is the work of `parse`.

/// Every rule file.
pub(super) const TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.txt"));

/// A field of a rule: its name and its items.
pub(super) type Field<'a> = (&'a str, std::str::Split<'a, char>);

/// The files: name, and the fields of each rule.
pub(super) fn files<'a>() -> impl Iterator<Item = (&'a str, impl Iterator<Item = Vec<Field<'a>>>)> {
    TEXT.split('\x1c').map(|file| {
        let mut parts = file.split('\x1d');
        let name = parts.next().unwrap_or_default();
        (name, parts.map(fields))
    })
}

fn fields(rule: &str) -> Vec<Field<'_>> {
    rule.split('\x1e')
        .map(|field| {
            let mut items = field.split('\x1f');
            (items.next().unwrap_or_default(), items)
        })
        .collect()
}
