//! The table `day`: one row of counts for each day on which somebody looked, so that trends can be told.
//!
//! A later look on the same day replaces the row. Ten numbers a day: a century is smaller than one import.

use crate::inventory::health::{COUNTS, Day};
use rusqlite::{Connection, Result, Row, params_from_iter};

/// Notes a day.
pub(super) fn note(connection: &Connection, day: &Day) -> Result<()> {
    let places = vec!["?"; COUNTS.len() + 1].join(", ");
    let query = format!(
        "INSERT OR REPLACE INTO day (day, {}) VALUES ({places})",
        COUNTS.join(", ")
    );
    let counts = day
        .counts
        .iter()
        .map(|it| i64::try_from(*it).unwrap_or(i64::MAX));
    connection.execute(
        &query,
        params_from_iter(std::iter::once(day.day).chain(counts)),
    )?;
    Ok(())
}

/// All days, the first first.
pub(super) fn all(connection: &Connection) -> Result<Vec<Day>> {
    let query = format!("SELECT day, {} FROM day ORDER BY day", COUNTS.join(", "));
    connection.prepare(&query)?.query_map([], day)?.collect()
}

fn day(row: &Row<'_>) -> Result<Day> {
    let mut counts = [0; COUNTS.len()];
    for (count, column) in counts.iter_mut().zip(1..) {
        let number: i64 = row.get(column)?;
        *count = usize::try_from(number).unwrap_or(0);
    }
    Ok(Day {
        day: row.get(0)?,
        counts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::schema::MIGRATIONS;

    #[test]
    fn a_day_has_one_row_and_comes_back_as_it_was() {
        let connection = Connection::open_in_memory().unwrap();
        for step in MIGRATIONS {
            connection.execute_batch(step).unwrap();
        }
        let row = |day: i64, first: usize| {
            let mut counts = [0; COUNTS.len()];
            for (count, number) in counts.iter_mut().zip(first..) {
                *count = number;
            }
            Day { day, counts }
        };
        for it in [row(20_001, 5), row(20_000, 1), row(20_001, 7)] {
            note(&connection, &it).unwrap();
        }
        assert_eq!(all(&connection).unwrap(), [row(20_000, 1), row(20_001, 7)]);
    }
}
