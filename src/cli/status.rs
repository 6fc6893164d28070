//! `keyatlas inventory status`: the counts of the store, the dashboard, and the trend.
//!
//! Not here: what is counted; that is `inventory/health`. A look notes the day, so that a later one can tell
//! what has changed.

use super::args::Listing;
use super::clock::{self, day};
use super::exit::Exit;
use super::message::{Fault, safe};
use super::output;
use super::records;
use crate::inventory::{AGES, Bands, COUNTS, Day, ENDING, Health, READS, Status, Store};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Ends listed for people; the document has all.
const LISTED: usize = 20;
/// How far back the trend is told, in days: since the last look, a month ago, a quarter ago.
const BACK: [i64; 3] = [1, 30, 90];

/// Tells the state of the store.
pub(super) fn status(store: &mut Store, format: Listing) -> Result<Exit, Fault> {
    let health = note_today(store)?;
    let board = Board {
        status: store.status()?,
        health,
        days: store.days()?,
    };
    match format {
        Listing::Json => records::document(&board.document()),
        Listing::Human => {
            output::stdout(|out| board.write(out))?;
            Ok(Exit::Clean)
        }
    }
}

/// Keeps the counts of today.
pub(super) fn note_today(store: &mut Store) -> Result<Health, Fault> {
    let now = clock::now();
    let health = Health::of(&store.inventory()?, now);
    store.note_day(&health.day(now))?;
    Ok(health)
}

/// Everything there is to tell.
struct Board {
    status: Status,
    health: Health,
    days: Vec<Day>,
}

impl Board {
    fn document(&self) -> Value {
        let it = &self.health;
        let ending = it.ending.iter().map(
            |it| json!({"record": it.record, "expires": clock::moment(it.expires), "days": it.days}),
        );
        let more = json!({
            "described": {
                "owners": it.owned,
                "values": it.valued,
                "dates": it.dated,
                "rotation_policies": it.governed,
            },
            "ages": bands(&AGES, &it.ages),
            "accessed": bands(&READS, &it.reads),
            "idle": it.idle,
            "ending": {"days": ENDING, "expired": it.expired(), "records": ending.collect::<Vec<_>>()},
            "reuse": {"values": it.shared_values, "records": it.sharing},
            "environments": it.environments,
            "trend": self.days.iter().map(of_day).collect::<Vec<_>>(),
        });
        let mut all = records::state(&self.status);
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
        all
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        records::summary(out, &self.status)?;
        let it = &self.health;
        let of = |count: usize| format!("{count} of {}", it.records);
        let described = format!(
            "owners {}, values {}, dates {}, rotation policies {}",
            of(it.owned),
            of(it.valued),
            of(it.dated),
            of(it.governed)
        );
        let reuse = match it.shared_values {
            0 => "no value serves several records".to_owned(),
            1 => format!("1 value serves {} records", it.sharing),
            count => format!("{count} values serve {} records", it.sharing),
        };
        let unread = format!("{} for more than 90 days", it.idle);
        for (name, text) in [
            ("described", described),
            ("age in days", spoken(&AGES, &it.ages)),
            ("last read", spoken(&READS, &it.reads)),
            ("unread", unread),
            ("reuse", reuse),
            ("environment", environments(&it.environments)),
        ] {
            writeln!(out, "{name:<14}{}", safe(&text))?;
        }
        self.write_ends(out)?;
        BACK.iter()
            .filter_map(|it| self.since(*it))
            .try_for_each(|it| writeln!(out, "{:<14}{it}", "trend"))
    }

    fn write_ends(&self, out: &mut dyn Write) -> io::Result<()> {
        let ending = &self.health.ending;
        for it in ending.iter().take(LISTED) {
            let (name, left) = match it.days {
                ..0 => ("ended", format!("{} days ago", -it.days)),
                0 => ("ending", "today".to_owned()),
                1 => ("ending", "in 1 day".to_owned()),
                days => ("ending", format!("in {days} days")),
            };
            writeln!(
                out,
                "{name:<14}{}: {}, {left}",
                safe(&it.record),
                day(it.expires)
            )?;
        }
        match ending.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => writeln!(out, "{:<14}and {more} more", "ending"),
        }
    }

    /// What is different from the last look that is at least so many days back.
    fn since(&self, back: i64) -> Option<String> {
        let (today, former) = self.days.split_last()?;
        let is_old = |it: &&Day| today.day - it.day >= back;
        let earlier = former.iter().rev().find(is_old)?;
        // The nearest look for one distance may serve for a longer one too; it is told once.
        let is_told = BACK
            .iter()
            .any(|it| *it < back && self.day_before(*it) == Some(earlier.day));
        if is_told {
            return None;
        }
        let changes = COUNTS.iter().zip(today.counts).zip(earlier.counts);
        let told: Vec<String> = changes
            .filter(|((_, now), then)| now != then)
            .map(|((name, now), then)| format!("{name} {then} to {now}"))
            .collect();
        let told = if told.is_empty() {
            "nothing changed".to_owned()
        } else {
            told.join(", ")
        };
        Some(format!("since {}: {told}", day(earlier.start())))
    }

    fn day_before(&self, back: i64) -> Option<i64> {
        let (today, former) = self.days.split_last()?;
        let is_old = |it: &&Day| today.day - it.day >= back;
        former.iter().rev().find(is_old).map(|it| it.day)
    }
}

/// Each band with its upper end; the last has none, and what is not known stands behind.
fn bands(ends: &[i64], bands: &Bands) -> Value {
    let ends = ends.iter().map(|it| Some(*it)).chain([None]);
    let all = ends.zip(&bands.counts);
    let all = all.map(|(end, count)| json!({"days": end, "records": count}));
    json!({"bands": all.collect::<Vec<_>>(), "unknown": bands.unknown})
}

fn spoken(ends: &[i64], bands: &Bands) -> String {
    let within = ends.iter().zip(&bands.counts);
    let mut parts: Vec<String> = within
        .map(|(end, count)| format!("up to {end}: {count}"))
        .collect();
    parts.push(format!("more: {}", bands.beyond()));
    parts.push(format!("not known: {}", bands.unknown));
    parts.join(", ")
}

fn environments(counts: &BTreeMap<String, usize>) -> String {
    let name = |it: &String| match it.as_str() {
        "" => "none named".to_owned(),
        name => name.to_owned(),
    };
    let parts: Vec<String> = counts
        .iter()
        .map(|(it, count)| format!("{}: {count}", name(it)))
        .collect();
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(", ")
    }
}

fn of_day(it: &Day) -> Value {
    let counts = COUNTS.iter().zip(it.counts);
    let mut row: Map<String, Value> = counts
        .map(|(name, count)| ((*name).to_owned(), json!(count)))
        .collect();
    row.insert("day".to_owned(), json!(day(it.start())));
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::{Inventory, Record};

    fn board(days: &[(i64, usize)]) -> Board {
        let record = Record {
            name: "kv/a".to_owned(),
            expires: Some(5 * 86_400),
            ..Record::default()
        };
        let inventory = Inventory {
            records: vec![record],
            ..Inventory::default()
        };
        let mut counts = [0; COUNTS.len()];
        let days = days.iter().map(|(day, records)| {
            counts[0] = *records;
            Day { day: *day, counts }
        });
        Board {
            days: days.collect(),
            status: Status {
                records: 1,
                known: None,
                people: 0,
                leavers: 0,
                teams: 0,
                with_value: 0,
                without_value: 1,
                gone: 0,
                fingerprints: 0,
                providers: BTreeMap::new(),
                sources: Vec::new(),
                oldest_rotation: None,
                undated: 1,
                unlocked: true,
                layout: 1,
            },
            health: Health::of(&inventory, 0),
        }
    }

    #[test]
    fn trends_look_back_a_day_a_month_and_a_quarter() {
        let told = |days: &[(i64, usize)]| -> Vec<String> {
            let board = board(days);
            BACK.iter().filter_map(|it| board.since(*it)).collect()
        };
        assert!(
            told(&[(100, 3)]).is_empty(),
            "the first look has nothing to compare with"
        );
        assert_eq!(
            told(&[(99, 3), (100, 3)]),
            ["since 1970-04-10: nothing changed"]
        );
        assert_eq!(
            told(&[(5, 1), (60, 2), (99, 3), (100, 4)]),
            [
                "since 1970-04-10: records 3 to 4",
                "since 1970-03-02: records 2 to 4",
                "since 1970-01-06: records 1 to 4",
            ]
        );
        assert_eq!(
            told(&[(5, 1), (100, 4)]),
            ["since 1970-01-06: records 1 to 4"],
            "one look is told once"
        );
    }

    #[test]
    fn people_and_scripts_read_the_same_numbers() {
        let board = board(&[(0, 1)]);
        let mut out = Vec::new();
        board.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "described     owners 0 of 1, values 0 of 1, dates 0 of 1, rotation policies 0 of 1\n",
            "age in days   up to 30: 0, up to 90: 0, up to 180: 0, up to 365: 0, more: 0, not known: 1\n",
            "environment   none named: 1\n",
            "ending        kv/a: 1970-01-06, in 5 days\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        let document = board.document();
        assert_eq!(document["version"], 1);
        assert_eq!(document["ending"]["records"][0]["days"], 5);
        assert_eq!(document["ages"]["bands"][4]["days"], Value::Null);
        assert_eq!(document["trend"][0]["day"], "1970-01-01");
        assert_eq!(document["trend"][0]["records"], 1);
    }
}
