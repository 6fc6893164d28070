//! The map as a table (RFC 4180): one row for each hop of each use, so that chains can be followed by
//! number.

use super::subject::Selected;
use crate::report::text::{Redactor, rfc3339};
use std::io::{self, Write};

const HEAD: [&str; 14] = [
    "record",
    "environment",
    "owners",
    "use",
    "evidence",
    "hop",
    "hops",
    "syntax",
    "name",
    "repository",
    "path",
    "line",
    "consumer",
    "author",
];

pub(super) fn write(
    out: &mut dyn Write,
    selected: &Selected<'_>,
    text: &Redactor,
) -> io::Result<()> {
    row(
        out,
        HEAD.iter()
            .copied()
            .chain(["date", "occurrence"])
            .map(str::to_owned),
    )?;
    let mut number = 0;
    for (name, entry) in &selected.entries {
        let record = entry.record;
        let of = |it: Option<&str>| it.map(|it| text.clean(it)).unwrap_or_default();
        let environment = of(record.and_then(|it| it.environment.as_deref()));
        let owners = record.map_or_else(String::new, |it| text.clean(&it.owners.join("; ")));
        for it in &entry.uses {
            number += 1;
            for (at, hop) in it.chain.iter().enumerate() {
                let is_last = at + 1 == it.chain.len();
                let last = |it: Option<&str>| of(it.filter(|_| is_last));
                let date = hop.date.and_then(rfc3339);
                row(
                    out,
                    [
                        text.clean(name),
                        environment.clone(),
                        owners.clone(),
                        number.to_string(),
                        it.evidence.name().to_owned(),
                        (at + 1).to_string(),
                        it.chain.len().to_string(),
                        text.clean(&hop.syntax),
                        text.clean(&hop.name),
                        of(hop.repository.as_deref()),
                        text.clean(&hop.path),
                        hop.line.max(1).to_string(),
                        last(it.consumer.as_deref()),
                        of(hop.author.as_deref()),
                        date.unwrap_or_default(),
                        it.occurrence.clone().unwrap_or_default(),
                    ]
                    .into_iter(),
                )?;
            }
        }
    }
    Ok(())
}

fn row(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<String> = cells.map(|it| cell(&it)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// Quoted where that is needed. What a spreadsheet would take for a formula begins with a quote mark
/// (OWASP, CSV injection).
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_text_to_whoever_reads_them() {
        for (text, expected) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+2", "'=1+2"),
            ("@x,y", "\"'@x,y\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
