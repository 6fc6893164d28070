//! What was expected against what was told: precision and recall, in all and by family, and every difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How often something is expected and told, and what it belongs to.
#[derive(Default)]
struct Entry {
    expected: usize,
    told: usize,
    families: BTreeSet<String>,
}

/// The comparison of two bags.
#[derive(Default)]
pub(crate) struct Score(BTreeMap<String, Entry>);

#[derive(Default)]
struct Tally {
    right: usize,
    told: usize,
    expected: usize,
}

impl Tally {
    fn add(&mut self, entry: &Entry) {
        self.right += entry.expected.min(entry.told);
        self.told += entry.told;
        self.expected += entry.expected;
    }

    fn print(&self, what: &str) {
        let share = |of: usize| self.right as f64 / of.max(1) as f64;
        println!(
            "{what:<24} precision {:.4} ({}/{}), recall {:.4} ({}/{})",
            share(self.told),
            self.right,
            self.told,
            share(self.expected),
            self.right,
            self.expected,
        );
    }
}

impl Score {
    /// This must be told, once for each call.
    pub(crate) fn expect<'a>(&mut self, what: &str, families: impl IntoIterator<Item = &'a str>) {
        let entry = self.0.entry(what.to_owned()).or_default();
        entry.expected += 1;
        entry
            .families
            .extend(families.into_iter().map(str::to_owned));
    }

    /// This was told.
    pub(crate) fn tell(&mut self, what: &str) {
        self.0.entry(what.to_owned()).or_default().told += 1;
    }

    /// Prints the numbers and fails on any difference.
    #[track_caller]
    pub(crate) fn close(self, what: &str) {
        let mut all = Tally::default();
        let mut by_family: BTreeMap<(usize, &str), Tally> = BTreeMap::new();
        let mut faults = String::new();
        for (name, entry) in &self.0 {
            all.add(entry);
            for family in &entry.families {
                let number = family.parse().unwrap_or(0);
                by_family.entry((number, family)).or_default().add(entry);
            }
            let (more, fewer) = (entry.told > entry.expected, entry.told < entry.expected);
            if more {
                writeln!(faults, "not true: {name}").unwrap();
            } else if fewer {
                writeln!(faults, "not told: {name}").unwrap();
            }
        }
        for ((_, family), tally) in by_family {
            tally.print(&format!("{what} {family}"));
        }
        all.print(&format!("all {what}"));
        assert!(faults.is_empty(), "{what}\n{faults}");
    }
}
