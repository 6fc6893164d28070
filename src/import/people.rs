//! Team files and leavers lists: tables with named columns, one line a person and team, or a person who leaves.
//!
//! Yields no record. Joining lines into persons is the work of `model/people.rs`.

use crate::import::intake::{self, Error, Intake};
use crate::import::rows::{self, Row};
use crate::model::input::Input;
use crate::model::people::Entry;

/// A small team file and leavers list in one.
pub const EXAMPLE: &str = "\
person,team,e-mail,until,left,aliases
Ann Lee,team-shop,ann@shop.example,,,alee
Ann Lee,team-pay,ann@shop.example,2026-03-01,,
Bob Roy,team-shop,bob@shop.example,,2025-12-31,broy;bob-shop
";

const HINT: &str = "the first line names the columns: person,team,email,until for teams; person,left,aliases for those who leave";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Person,
    Alias,
    Team,
    Until,
    Left,
    /// Anything else about a person is nobody's business here.
    Other,
}

const COLUMNS: &[(Column, &[&str])] = &[
    (
        Column::Person,
        &["person", "name", "full_name", "employee", "member", "who"],
    ),
    (
        Column::Alias,
        &[
            "alias", "aliases", "email", "e_mail", "mail", "emails", "login", "logins", "user",
            "username", "github", "gitlab",
        ],
    ),
    (Column::Team, &["team", "group", "squad", "department"]),
    (Column::Until, &["until", "end", "ends", "member_until"]),
    (
        Column::Left,
        &[
            "left",
            "leaves",
            "left_at",
            "left_date",
            "leaving_date",
            "last_day",
            "left_on",
        ],
    ),
];

pub(super) fn read(input: &Input, intake: &Intake<'_>) -> Result<Vec<Entry>, Error> {
    let mut rows = rows::rows(&input.bytes, intake)?.into_iter();
    let Some(header) = rows.next() else {
        return Err(intake.shape("the table is empty", HINT));
    };
    let columns: Vec<(Column, &str)> = header
        .cells
        .iter()
        .map(|it| (column(it), it.trim()))
        .collect();
    let has = |wanted: Column| columns.iter().any(|(it, _)| *it == wanted);
    if !has(Column::Person) && !has(Column::Alias) {
        return Err(intake.shape("the header has no column `person`", HINT));
    }
    if !has(Column::Team) && !has(Column::Left) {
        return Err(intake.shape("the header has neither a column `team` nor `left`", HINT));
    }
    rows.map(|row| entry(&row, &columns, &input.name, intake))
        .collect()
}

fn column(title: &str) -> Column {
    let name = title.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let found = COLUMNS
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()));
    found.map_or(Column::Other, |(column, _)| *column)
}

fn entry(
    row: &Row,
    columns: &[(Column, &str)],
    source: &str,
    intake: &Intake<'_>,
) -> Result<Entry, Error> {
    let line = u64::from(row.line);
    if row.cells.len() > columns.len() {
        let what = format!(
            "this row has {} cells, the header {}",
            row.cells.len(),
            columns.len()
        );
        return Err(intake.syntax(line, 1, &what));
    }
    let mut entry = Entry {
        source: source.to_owned(),
        line: row.line,
        ..Entry::default()
    };
    for ((column, title), cell) in columns.iter().zip(&row.cells) {
        let text = cell.trim();
        let date = || {
            let what = "this is no date: write YYYY-MM-DD";
            let moment = intake::moment(text).ok_or_else(|| intake.cell(line, title, what))?;
            Ok(end_of_day(moment, text))
        };
        match column {
            _ if text.is_empty() || text == "-" => {}
            Column::Person => text.clone_into(&mut entry.name),
            Column::Alias => entry.aliases.extend(intake::people(text)),
            Column::Team => entry.team = Some(text.to_owned()),
            Column::Until => entry.until = Some(date()?),
            Column::Left => entry.left = Some(date()?),
            Column::Other => {}
        }
    }
    if entry.name.is_empty() {
        // An address is a name too.
        if entry.aliases.is_empty() {
            return Err(intake.cell(
                line,
                columns.first().map_or("person", |it| it.1),
                "this row names nobody",
            ));
        }
        entry.name = entry.aliases.remove(0);
    }
    Ok(entry)
}

/// A day without a time is over at its end.
fn end_of_day(moment: i64, text: &str) -> i64 {
    const DAY: i64 = 86_400;
    let is_day = text.len() == 10 && moment.rem_euclid(DAY) == 0;
    if is_day { moment + DAY - 1 } else { moment }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::Options;

    fn import(text: &str) -> Result<Vec<Entry>, Error> {
        let options = Options::default();
        let mut ignore = |_| {};
        let intake = Intake::new("people.csv", None, &options, &mut ignore);
        let input = Input {
            name: "people.csv".to_owned(),
            bytes: text.as_bytes().to_vec().into(),
        };
        read(&input, &intake)
    }

    #[test]
    fn teams_and_leavers_are_read() {
        let entries = import(EXAMPLE).unwrap();
        assert_eq!(entries.len(), 3);
        let [one, two, three] = &entries[..] else {
            panic!("{entries:?}");
        };
        assert_eq!(
            (one.name.as_str(), one.team.as_deref()),
            ("Ann Lee", Some("team-shop"))
        );
        assert_eq!(one.aliases, ["ann@shop.example", "alee"]);
        assert_eq!(two.until, Some(1_772_409_599), "the end of the day");
        assert_eq!(three.left, Some(1_767_225_599));
        assert_eq!(three.aliases, ["bob@shop.example", "broy", "bob-shop"]);
        assert_eq!((three.source.as_str(), three.line), ("people.csv", 4));
        let leavers =
            import("E-Mail;Left\nann@shop.example;2026-01-31T12:00:00Z\nbob@shop.example;\n")
                .unwrap();
        assert_eq!(
            (leavers[0].name.as_str(), leavers[0].left),
            ("ann@shop.example", Some(1_769_860_800))
        );
        assert_eq!(leavers[1].left, None);
    }

    #[test]
    fn faults_name_line_and_column() {
        for (text, expected) in [
            ("person,left\nann,soon\n", "people.csv:2: column `left`"),
            (
                "person,team\n,pay\n",
                "people.csv:2: column `person`: this row names nobody",
            ),
            (
                "person,team\nann,pay,x\n",
                "people.csv:2:1: this row has 3 cells",
            ),
            (
                "person,colour\nann,blue\n",
                "neither a column `team` nor `left`",
            ),
            ("colour,team\nblue,pay\n", "no column `person`"),
            ("", "the table is empty"),
        ] {
            let error = import(text).unwrap_err();
            assert!(error.to_string().contains(expected), "{text:?}: {error}");
            assert!(error.hint().is_some());
        }
        for length in 0..EXAMPLE.len() {
            let _ = import(&EXAMPLE[..length]);
        }
    }
}
