//! The state of an inventory in numbers: how old, how well described, how near an end; and one line of it for
//! each day, so that later runs can tell what became better.
//!
//! Not here: judgements; a number here is no verdict, since nothing was scanned.

use crate::model::fingerprint::Fingerprint;
use crate::model::record::{Inventory, Record};
use std::collections::{BTreeMap, HashMap};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Upper ends of the bands of ages, in days; what is older comes behind them.
pub const AGES: [i64; 4] = [30, 90, 180, 365];
/// Upper ends of the bands of last reads, in days.
pub const READS: [i64; 3] = [30, 90, 365];
/// Ends within so many days are listed.
pub const ENDING: i64 = 90;
/// What was not read for longer is idle, in days.
const IDLE: i64 = 90;

/// Records by bands of days.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Bands {
    /// One for each upper end, and one for what lies beyond the last.
    pub counts: Vec<usize>,
    /// Records of which nothing is known.
    pub unknown: usize,
}

impl Bands {
    fn new(ends: &[i64], days: impl Iterator<Item = Option<i64>>) -> Self {
        let mut bands = Self {
            counts: vec![0; ends.len() + 1],
            unknown: 0,
        };
        for it in days {
            let band = it.map(|days| {
                ends.iter()
                    .position(|end| days <= *end)
                    .unwrap_or(ends.len())
            });
            match band.and_then(|it| bands.counts.get_mut(it)) {
                Some(count) => *count += 1,
                None => bands.unknown += 1,
            }
        }
        bands
    }

    /// Records beyond the last end.
    pub fn beyond(&self) -> usize {
        self.counts.last().copied().unwrap_or(0)
    }
}

/// A record near its end or past it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Its name.
    pub record: String,
    /// Its end, seconds since the epoch.
    pub expires: i64,
    /// Days left; negative once it is past.
    pub days: i64,
}

/// What can be told without a scan. Records that are gone do not count.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Health {
    /// Records.
    pub records: usize,
    /// Those that no source has any more.
    pub gone: usize,
    /// Those with an owner.
    pub owned: usize,
    /// Those whose current value is known by its fingerprint.
    pub valued: usize,
    /// Those with a date that tells when the value last changed.
    pub dated: usize,
    /// Those with a rotation policy of their own.
    pub governed: usize,
    /// Ages of values, in the bands of [`AGES`].
    pub ages: Bands,
    /// Times since the last read, in the bands of [`READS`].
    pub reads: Bands,
    /// Not read for 90 days, as far as reads are known.
    pub idle: usize,
    /// Past their end, or within [`ENDING`] days of it; the first end first.
    pub ending: Vec<Ending>,
    /// Values that several records have, plain ones left out.
    pub shared_values: usize,
    /// The records that have them.
    pub sharing: usize,
    /// Records by environment; none is an empty text.
    pub environments: BTreeMap<String, usize>,
}

impl Health {
    /// Looks at an inventory at `now`.
    pub fn of(inventory: &Inventory, now: i64) -> Self {
        let present: Vec<&Record> = inventory.records.iter().filter(|it| !it.gone).collect();
        let count = |is: &dyn Fn(&Record) -> bool| present.iter().filter(|it| is(it)).count();
        let since = |time: Option<i64>| time.map(|it| now.saturating_sub(it).max(0) / DAY);
        let (shared_values, sharing) = shared(inventory, &present);
        let mut environments = BTreeMap::new();
        for it in &present {
            let name = it.environment.clone().unwrap_or_default();
            *environments.entry(name).or_insert(0) += 1;
        }
        Self {
            records: present.len(),
            gone: inventory.records.len() - present.len(),
            owned: count(&|it| !it.owners.is_empty()),
            valued: count(&|it| value(it).is_some()),
            dated: count(&|it| changed(it).is_some()),
            governed: count(&|it| it.rotation_days.is_some()),
            ages: Bands::new(&AGES, present.iter().map(|it| since(changed(it)))),
            reads: Bands::new(&READS, present.iter().map(|it| since(it.accessed))),
            idle: count(&|it| since(it.accessed).is_some_and(|it| it > IDLE)),
            ending: ending(&present, now),
            shared_values,
            sharing,
            environments,
        }
    }

    /// How many are past their end.
    pub fn expired(&self) -> usize {
        self.ending.iter().filter(|it| it.days < 0).count()
    }

    /// The line that is kept of this day.
    pub fn day(&self, now: i64) -> Day {
        Day {
            day: now.div_euclid(DAY),
            counts: [
                self.records,
                self.gone,
                self.valued,
                self.records - self.owned,
                self.ages.beyond(),
                self.ending.len() - self.expired(),
                self.expired(),
                self.sharing,
                self.idle,
            ],
        }
    }
}

/// What is kept of each day, by name; the columns of the table `day` have these names.
pub const COUNTS: [&str; 9] = [
    "records", "gone", "valued", "unowned", "old", "ending", "expired", "sharing", "idle",
];

/// The numbers of one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    /// Days since the epoch, UTC.
    pub day: i64,
    /// In the order of [`COUNTS`].
    pub counts: [usize; COUNTS.len()],
}

impl Day {
    /// When it began, seconds since the epoch.
    pub fn start(&self) -> i64 {
        self.day.saturating_mul(DAY)
    }
}

fn value(record: &Record) -> Option<Fingerprint> {
    record.versions.last().and_then(|it| it.fingerprint)
}

fn changed(record: &Record) -> Option<i64> {
    let version = record.versions.last().and_then(|it| it.created);
    record.rotated.or(version).or(record.created)
}

fn ending(present: &[&Record], now: i64) -> Vec<Ending> {
    let near = |it: &&Record| {
        let expires = it.expires?;
        // Rounded down, so that an end one hour ago is past.
        let days = expires.saturating_sub(now).div_euclid(DAY);
        (days <= ENDING).then(|| Ending {
            record: it.name.clone(),
            expires,
            days,
        })
    };
    let mut ending: Vec<Ending> = present.iter().filter_map(near).collect();
    ending.sort_by(|one, other| (one.expires, &one.record).cmp(&(other.expires, &other.record)));
    ending
}

/// Values under several records, and those records.
fn shared(inventory: &Inventory, present: &[&Record]) -> (usize, usize) {
    let mut holders: HashMap<Fingerprint, usize> = HashMap::new();
    let telling = present.iter().filter_map(|it| value(it));
    for print in telling.filter(|it| !inventory.plain.contains(it)) {
        *holders.entry(print).or_default() += 1;
    }
    let many = || holders.values().filter(|it| **it > 1);
    (many().count(), many().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Version;

    const NOW: i64 = 20_000 * DAY + 3_600;

    fn record(name: &str, age: Option<i64>, value: Option<u8>) -> Record {
        Record {
            name: name.to_owned(),
            rotated: age.map(|it| NOW - it * DAY),
            versions: vec![Version {
                veil: None,
                number: 1,
                created: None,
                fingerprint: value.map(|it| Fingerprint::from_bytes([it; 32])),
            }],
            ..Record::default()
        }
    }

    fn example() -> Inventory {
        let mut a = record("a", Some(30), Some(1));
        a.owners = vec!["ada".to_owned()];
        a.environment = Some("production".to_owned());
        a.accessed = Some(NOW - 91 * DAY);
        a.expires = Some(NOW - 60);
        let mut b = record("b", Some(366), Some(1));
        b.expires = Some(NOW + 90 * DAY + 1);
        b.accessed = Some(NOW);
        b.rotation_days = Some(30);
        let mut c = record("c", None, Some(2));
        c.expires = Some(NOW + 91 * DAY);
        let mut gone = record("d", Some(1), Some(2));
        gone.gone = true;
        Inventory {
            records: vec![
                a,
                b,
                c,
                gone,
                record("e", Some(31), Some(3)),
                record("f", Some(0), Some(3)),
            ],
            plain: [Fingerprint::from_bytes([3; 32])].into(),
            ..Inventory::default()
        }
    }

    #[test]
    fn everything_is_counted_and_what_is_gone_is_not() {
        let health = Health::of(&example(), NOW);
        assert_eq!((health.records, health.gone), (5, 1));
        assert_eq!((health.owned, health.valued), (1, 5));
        assert_eq!((health.dated, health.governed), (4, 1));
        assert_eq!(
            (&health.ages.counts[..], health.ages.unknown),
            (&[2, 1, 0, 0, 1][..], 1)
        );
        assert_eq!(
            (&health.reads.counts[..], health.reads.unknown),
            (&[1, 0, 1, 0][..], 3)
        );
        assert_eq!(
            (health.shared_values, health.sharing),
            (1, 2),
            "plain and gone ones are left out"
        );
        let ends: Vec<_> = health
            .ending
            .iter()
            .map(|it| (&*it.record, it.days))
            .collect();
        assert_eq!(ends, [("a", -1), ("b", 90)]);
        let environments: Vec<_> = health.environments.iter().collect();
        assert_eq!(
            environments,
            [(&String::new(), &4), (&"production".to_owned(), &1)]
        );
    }

    #[test]
    fn a_day_is_one_line_of_it() {
        let day = Health::of(&example(), NOW).day(NOW);
        assert_eq!((day.day, day.start()), (20_000, NOW - 3_600));
        assert_eq!(day.counts, [5, 1, 5, 4, 1, 1, 1, 2, 1]);
    }
}
