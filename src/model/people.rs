//! People: who is behind the spellings that owners, authors and accessors go by, and who has left.
//!
//! Not here: where the list comes from. It is the owner's word; what a scanned tree says of people
//! (CODEOWNERS, names in commits) is a claim and makes nobody.

use std::collections::HashMap;

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// The name people use.
    pub name: String,
    /// Other spellings: addresses, handles.
    pub aliases: Vec<String>,
    /// The team, as owners of records spell it.
    pub team: Option<String>,
    /// When the person left, seconds since the epoch; `None` for those who are there.
    pub left: Option<i64>,
}

impl Person {
    /// Whether the person has left by `now`.
    pub fn has_left(&self, now: i64) -> bool {
        self.left.is_some_and(|it| it <= now)
    }

    fn spellings(&self) -> impl Iterator<Item = String> {
        let all = std::iter::once(&self.name).chain(&self.aliases);
        all.map(|it| plain(it)).filter(|it| !it.is_empty())
    }

    fn has_address(&self) -> bool {
        self.aliases.iter().any(|it| is_address(it))
    }

    /// Whether two entries of lists speak of one person: they share an address or handle, or a name that
    /// one of them has no address to tell apart by.
    fn is_same(&self, other: &Self) -> bool {
        let shares_alias = self.aliases.iter().any(|it| {
            let alias = plain(it);
            other.aliases.iter().any(|it| plain(it) == alias)
        });
        let shares_name = plain(&self.name) == plain(&other.name);
        shares_alias || shares_name && !(self.has_address() && other.has_address())
    }

    fn take_over(&mut self, other: Self) {
        for alias in other.aliases {
            if !self.aliases.contains(&alias) {
                self.aliases.push(alias);
            }
        }
        if self.name != other.name && !self.aliases.contains(&other.name) {
            self.aliases.push(other.name);
        }
        self.team = self.team.take().or(other.team);
        self.left = self.left.or(other.left);
    }
}

/// All people known, found by any spelling.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct People {
    persons: Vec<Person>,
    /// Places in `persons`; `None` where two persons share a spelling, so that it names neither.
    spellings: HashMap<String, Option<usize>>,
    /// Places in `persons`, by team.
    teams: HashMap<String, Vec<usize>>,
}

impl People {
    /// Makes the index. Entries of one person are joined, as several lists tell of the same one.
    pub fn new(entries: Vec<Person>) -> Self {
        let persons = joined(entries);
        let mut spellings: HashMap<String, Option<usize>> = HashMap::new();
        for (index, person) in persons.iter().enumerate() {
            for spelling in person.spellings() {
                let place = spellings.entry(spelling).or_insert(Some(index));
                if *place != Some(index) {
                    *place = None;
                }
            }
        }
        let mut teams: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, person) in persons.iter().enumerate() {
            if let Some(team) = &person.team {
                teams.entry(plain(team)).or_default().push(index);
            }
        }
        Self {
            persons,
            spellings,
            teams,
        }
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// Everybody.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.persons.iter()
    }

    /// The person of a spelling: a name, an address, a handle with or without `@`, or `Name <address>`.
    /// Case does not count.
    pub fn find(&self, spelling: &str) -> Option<&Person> {
        let parts = match spelling.split_once('<') {
            Some((name, rest)) => [rest.split('>').next().unwrap_or(rest), name],
            None => [spelling, ""],
        };
        let mut places = parts.iter().map(|it| self.spellings.get(&plain(it)));
        let place = places.find_map(|it| it.copied())?;
        self.persons.get(place?)
    }

    /// The people of a team.
    pub fn members(&self, team: &str) -> impl Iterator<Item = &Person> {
        let places = self.teams.get(&plain(team)).into_iter().flatten();
        places.filter_map(|it| self.persons.get(*it))
    }
}

/// One entry for each person. Only those that share a spelling are compared.
fn joined(entries: Vec<Person>) -> Vec<Person> {
    let mut persons: Vec<Person> = Vec::new();
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for entry in entries {
        let spellings: Vec<String> = entry.spellings().collect();
        let near = spellings.iter().filter_map(|it| places.get(it)).flatten();
        let same = near
            .copied()
            .find(|it| persons.get(*it).is_some_and(|it| it.is_same(&entry)));
        let place = same.unwrap_or(persons.len());
        match persons.get_mut(place) {
            Some(known) => known.take_over(entry),
            None => persons.push(entry),
        }
        for spelling in spellings {
            places.entry(spelling).or_default().push(place);
        }
    }
    persons
}

/// A spelling as it is compared.
fn plain(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('@').unwrap_or(text).to_lowercase()
}

fn is_address(text: &str) -> bool {
    text.trim().find('@').is_some_and(|it| it > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, aliases: &[&str], team: Option<&str>, left: Option<i64>) -> Person {
        Person {
            name: name.to_owned(),
            aliases: aliases.iter().map(|it| (*it).to_owned()).collect(),
            team: team.map(str::to_owned),
            left,
        }
    }

    #[test]
    fn every_spelling_finds_the_person() {
        let people = People::new(vec![
            person(
                "Ada Example",
                &["ada@shop.example", "@ada"],
                Some("@shop/api"),
                None,
            ),
            person("Bo Example", &["bo@shop.example"], None, Some(7)),
        ]);
        for (spelling, expected) in [
            ("ada example", Some("Ada Example")),
            ("ADA@shop.example", Some("Ada Example")),
            ("ada", Some("Ada Example")),
            ("@Ada", Some("Ada Example")),
            ("A. E. <ada@shop.example>", Some("Ada Example")),
            ("Bo Example <bo@home.example>", Some("Bo Example")),
            (" bo example ", Some("Bo Example")),
            ("Bo", None),
            ("", None),
        ] {
            let found = people.find(spelling).map(|it| it.name.as_str());
            assert_eq!(found, expected, "{spelling}");
        }
        let members: Vec<_> = people.members("Shop/API").map(|it| &*it.name).collect();
        assert_eq!(members, ["Ada Example"]);
        assert!(people.iter().any(|it| it.has_left(7)) && !people.iter().any(|it| it.has_left(6)));
    }

    #[test]
    fn lists_that_tell_of_one_person_are_joined_and_namesakes_kept_apart() {
        let people = People::new(vec![
            person("Ada Example", &["ada@shop.example"], Some("api"), None),
            person("ada example", &[], None, Some(9)),
            person("A. Example", &["ADA@shop.example", "ada-x"], None, None),
        ]);
        let ada = people.find("ada-x").unwrap();
        assert_eq!((people.iter().count(), ada.left), (1, Some(9)));
        assert_eq!(people.find("a. example"), Some(ada));
        let namesakes = People::new(vec![
            person("Kim Example", &["kim@shop.example"], None, None),
            person("Kim Example", &["kim2@shop.example"], None, Some(9)),
        ]);
        assert_eq!(namesakes.iter().count(), 2);
        assert_eq!(namesakes.find("Kim Example"), None, "which of them?");
        let second = namesakes.find("Kim Example <kim2@shop.example>");
        assert_eq!(second.and_then(|it| it.left), Some(9));
    }
}
