//! People who own, write and read secrets: their names, teams, and whether they have left.
//!
//! What is known of them comes from the owner's own lists. Not here: what a repository claims of itself.

use std::collections::HashMap;

/// One line of a team file or a leavers list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// As the list writes it.
    pub name: String,
    /// Addresses, logins and other names.
    pub aliases: Vec<String>,
    /// The team this line is about.
    pub team: Option<String>,
    /// When that membership ends or has ended, seconds since the epoch.
    pub until: Option<i64>,
    /// When the person leaves or has left.
    pub left: Option<i64>,
    /// The list.
    pub source: String,
    /// Its line, from 1.
    pub line: u32,
}

/// A membership.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Membership {
    /// The team.
    pub team: String,
    /// When it ends or has ended; `None` if nobody says so.
    pub until: Option<i64>,
}

/// A person, of all lists together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// The name of the first line about them.
    pub name: String,
    /// What else they are called, sorted.
    pub aliases: Vec<String>,
    /// Teams, sorted.
    pub teams: Vec<Membership>,
    /// When they leave or have left.
    pub left: Option<i64>,
    /// The first line about them: list and number.
    pub place: (String, u32),
}

impl Person {
    /// Whether they have left by then. The last day is a day of work.
    pub fn has_left(&self, now: i64) -> bool {
        self.left.is_some_and(|it| it < now)
    }

    /// The teams they are in at that time; none once they have left.
    pub fn teams_at(&self, now: i64) -> impl Iterator<Item = &str> {
        let is_here = !self.has_left(now);
        let current = move |it: &&Membership| is_here && it.until.is_none_or(|end| end >= now);
        self.teams.iter().filter(current).map(|it| it.team.as_str())
    }
}

/// Everybody, found by any of their names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct People {
    persons: Vec<Person>,
    by_handle: HashMap<String, usize>,
    by_team: HashMap<String, Vec<usize>>,
}

impl People {
    /// Joins lines that share a name or an alias into persons.
    pub fn of(entries: &[Entry]) -> Self {
        let mut people = Self::default();
        // Which entry stands for each; a line may join two that were apart.
        let mut heads: Vec<usize> = (0..entries.len()).collect();
        let mut first: HashMap<String, usize> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            for handle in names(entry).flat_map(handles) {
                let other = *first.entry(handle).or_insert(at);
                let (one, two) = (head(&heads, at), head(&heads, other));
                heads[one.max(two)] = one.min(two);
            }
        }
        let mut places: HashMap<usize, usize> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let place = *places.entry(head(&heads, at)).or_insert_with(|| {
                people.persons.push(Person {
                    name: entry.name.clone(),
                    place: (entry.source.clone(), entry.line),
                    ..Person::default()
                });
                people.persons.len() - 1
            });
            people.add(place, entry);
        }
        for person in &mut people.persons {
            person.aliases.sort();
            person.aliases.dedup();
            person.teams.sort();
            person.teams.dedup();
        }
        for (place, person) in people.persons.iter().enumerate() {
            for it in &person.teams {
                let members = people.by_team.entry(it.team.to_lowercase()).or_default();
                if members.last() != Some(&place) {
                    members.push(place);
                }
            }
        }
        people
    }

    fn add(&mut self, place: usize, entry: &Entry) {
        for handle in names(entry).flat_map(handles) {
            self.by_handle.insert(handle, place);
        }
        let Some(person) = self.persons.get_mut(place) else {
            return;
        };
        let others = names(entry).filter(|it| **it != person.name);
        let others: Vec<String> = others.cloned().collect();
        person.aliases.extend(others);
        person
            .teams
            .extend(entry.team.iter().map(|team| Membership {
                team: team.clone(),
                until: entry.until,
            }));
        person.left = person.left.max(entry.left);
    }

    /// Everybody, in the order of the lists.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.persons.iter()
    }

    /// Whether no list was given.
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// The person of that name, address or login, without regard to case; `Ann Lee <ann@shop.example>` is either.
    pub fn find(&self, who: &str) -> Option<&Person> {
        let place = handles(who)
            .into_iter()
            .find_map(|it| self.by_handle.get(&it).copied());
        self.persons.get(place?)
    }

    /// Everybody who is or was in a team.
    pub fn members(&self, team: &str) -> impl Iterator<Item = &Person> {
        let places = self.by_team.get(&team.to_lowercase());
        places
            .into_iter()
            .flatten()
            .filter_map(|it| self.persons.get(*it))
    }

    /// The people in a team at that time.
    pub fn of_team<'a>(&'a self, team: &'a str, now: i64) -> impl Iterator<Item = &'a Person> {
        let is_in = move |it: &&Person| it.teams_at(now).any(|it| it.eq_ignore_ascii_case(team));
        self.persons.iter().filter(is_in)
    }
}

fn head(heads: &[usize], mut at: usize) -> usize {
    while let Some(next) = heads.get(at).filter(|it| **it != at) {
        at = *next;
    }
    at
}

fn names(entry: &Entry) -> impl Iterator<Item = &String> {
    std::iter::once(&entry.name)
        .chain(&entry.aliases)
        .filter(|it| !it.is_empty())
}

/// What a name is known by: itself, or name and address apart.
fn handles(name: impl AsRef<str>) -> Vec<String> {
    let name = name.as_ref();
    let plain = |it: &str| it.trim().trim_start_matches('@').to_lowercase();
    let parts = match name.split_once('<') {
        Some((before, address)) => vec![plain(address.trim_end_matches('>')), plain(before)],
        None => vec![plain(name)],
    };
    parts.into_iter().filter(|it| !it.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(
        name: &str,
        aliases: &[&str],
        team: &str,
        until: Option<i64>,
        left: Option<i64>,
    ) -> Entry {
        Entry {
            name: name.to_owned(),
            aliases: aliases.iter().map(|it| (*it).to_owned()).collect(),
            team: Some(team.to_owned()).filter(|it| !it.is_empty()),
            until,
            left,
            source: "people.csv".to_owned(),
            line: 2,
        }
    }

    #[test]
    fn lines_about_one_person_are_joined_by_any_name() {
        let people = People::of(&[
            entry("Ann Lee", &["ann@shop.example"], "pay", None, None),
            entry("Bob", &["bob@shop.example"], "pay", Some(100), None),
            entry("ann", &["ANN@shop.example", "alee"], "shop", None, None),
            entry("A. Lee", &["alee"], "", None, Some(500)),
            entry("Bob", &[], "ops", None, None),
        ]);
        let names: Vec<_> = people.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["Ann Lee", "Bob"]);
        for who in [
            "ann lee",
            "@alee",
            "A. Lee",
            "Somebody <Ann@Shop.example>",
            "Ann Lee <other@x>",
        ] {
            assert_eq!(
                people.find(who).map(|it| it.name.as_str()),
                Some("Ann Lee"),
                "{who}"
            );
        }
        assert!(
            people.find("carl").is_none()
                && people.find("").is_none()
                && people.find("<>").is_none()
        );
        let ann = people.find("ann").unwrap();
        assert!(ann.has_left(501) && !ann.has_left(500));
        assert_eq!(ann.teams_at(500).collect::<Vec<_>>(), ["pay", "shop"]);
        assert_eq!(ann.teams_at(501).count(), 0);
        let of_pay = |now: i64| {
            people
                .of_team("PAY", now)
                .map(|it| it.name.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(of_pay(100), ["Ann Lee", "Bob"]);
        assert_eq!(of_pay(101), ["Ann Lee"]);
        assert_eq!(of_pay(501), [""; 0]);
    }

    #[test]
    fn a_line_can_join_two_that_were_apart() {
        let people = People::of(&[
            entry("Ann", &[], "", None, None),
            entry("alee", &[], "", None, None),
            entry("x", &["ann", "ALEE"], "", None, Some(7)),
        ]);
        assert_eq!(people.iter().count(), 1);
        assert_eq!(people.find("alee").unwrap().left, Some(7));
    }
}
