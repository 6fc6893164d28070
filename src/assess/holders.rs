//! Verdicts on who answers for a secret and who has had it: `orphaned`, `key-person`, `known-to-leaver`.
//!
//! Only over a declared estate: elsewhere the uses seen are not all there are. Not here: who people are; that
//! is the owner's word. Whom nobody's list names is not judged to have left.

use crate::assess::case::{
    Case, Scope, about_record, changed, day, is_certificate, is_setting, owned_by, place_of,
};
use crate::model::finding::Finding;
use crate::model::map::Use;
use crate::model::origin::{Origin, shown};
use crate::model::people::{Membership, Person};
use crate::model::record::Record;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Uses by one author from which on they hang on that author.
const USES: usize = 2;
/// Places listed as evidence.
const PLACES: usize = 20;

/// Judges every record that is there.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if case.options.scope != Scope::Estate {
        return;
    }
    let roll = Roll::new(case);
    for record in case.records.iter().filter(|it| !it.gone) {
        let owner = roll.ownership(record);
        verdicts.extend(roll.orphaned(record, &owner));
        verdicts.extend(roll.key_person(record, &owner));
        verdicts.extend(roll.known_to_leaver(record));
    }
}

/// Who answers for a record.
enum Ownership {
    /// Nobody is named.
    Nobody,
    /// All that are named have left.
    Left(Vec<String>),
    /// One person who is there.
    One(String),
    /// A team, several, or somebody no list knows.
    Others,
}

/// What an owner's name stands for.
enum Standing {
    Left(String),
    Person(String),
    Team,
    Unknown,
}

/// Who did what, looked up once.
struct Roll<'a> {
    case: &'a Case<'a>,
    /// Findings by occurrence: who brought them is told by their origins.
    findings: HashMap<String, &'a Finding>,
    /// Findings of current values, by record.
    exposures: HashMap<&'a str, Vec<&'a Finding>>,
    /// Everybody who wrote anything seen, in lower case.
    authors: BTreeSet<String>,
}

impl<'a> Roll<'a> {
    fn new(case: &'a Case<'a>) -> Self {
        let findings = case.findings.iter();
        let mut exposures: HashMap<&str, Vec<&Finding>> = HashMap::new();
        for finding in case.findings.iter().filter(|it| !is_certificate(it)) {
            if let Some(managed) = finding.managed.as_ref().filter(|it| it.current) {
                exposures.entry(&managed.record).or_default().push(finding);
            }
        }
        let brought = findings.clone().flat_map(|it| authors(&it.origins));
        let wrote = case.references.iter();
        let wrote = wrote.filter_map(|it| Some(it.origin.introduced.as_ref()?.author.as_str()));
        Self {
            case,
            authors: brought.chain(wrote).map(str::to_lowercase).collect(),
            findings: findings.map(|it| (it.occurrence.to_string(), it)).collect(),
            exposures,
        }
    }

    fn now(&self) -> i64 {
        self.case.options.now
    }

    fn standing(&self, owner: &str) -> Standing {
        if let Some(person) = self.case.people.find(owner) {
            return if person.has_left(self.now()) {
                Standing::Left(person.name.clone())
            } else {
                Standing::Person(person.name.clone())
            };
        }
        let members: Vec<&Person> = self.case.people.members(owner).collect();
        if members.is_empty() {
            // Whoever commits under that name is a person.
            let is_author = self.authors.contains(&owner.to_lowercase());
            return if is_author {
                Standing::Person(owner.to_owned())
            } else {
                Standing::Unknown
            };
        }
        if members.iter().all(|it| it.has_left(self.now())) {
            Standing::Left(format!("everybody of {owner}"))
        } else {
            Standing::Team
        }
    }

    fn ownership(&self, record: &Record) -> Ownership {
        let standings: Vec<Standing> = record.owners.iter().map(|it| self.standing(it)).collect();
        let left = |it: &Standing| match it {
            Standing::Left(name) => Some(name.clone()),
            _ => None,
        };
        let gone: Vec<String> = standings.iter().filter_map(left).collect();
        let mut people = standings.iter().filter_map(|it| match it {
            Standing::Person(name) => Some(name),
            _ => None,
        });
        let is_clear = !standings
            .iter()
            .any(|it| matches!(it, Standing::Team | Standing::Unknown));
        match (people.next(), people.next()) {
            _ if standings.is_empty() => Ownership::Nobody,
            (None, _) if is_clear => Ownership::Left(gone),
            (Some(one), None) if is_clear => Ownership::One(one.clone()),
            _ => Ownership::Others,
        }
    }

    /// Who wrote all the uses of a record, and how many; `None` if it was several, or one is not known.
    fn only_author(&self, record: &Record) -> Option<(String, Vec<&'a Use>)> {
        let uses = self.case.uses.get(record.name.as_str())?;
        let mut names = BTreeSet::new();
        for it in uses {
            let known = it.occurrence.as_ref().and_then(|it| self.findings.get(it));
            let brought = known.and_then(|it| authors(&it.origins).next());
            let author = it.author.as_deref().or(brought)?;
            let person = self.case.people.find(author);
            names.insert(person.map_or(author, |it| &it.name).to_owned());
        }
        let only = names
            .pop_first()
            .filter(|it| names.is_empty() && !is_bot(it))?;
        Some((only, uses.clone()))
    }

    fn orphaned(&self, record: &Record, ownership: &Ownership) -> Option<Verdict> {
        let (who, evidence) = match ownership {
            Ownership::Left(names) => {
                let who = format!("`{}` is owned by {}", record.name, names.join(", "));
                (format!("{who}; all have left"), Vec::new())
            }
            Ownership::Nobody => {
                let (author, uses) = self.only_author(record)?;
                let person = self.case.people.find(&author)?;
                let left = person.left.filter(|_| person.has_left(self.now()))?;
                let who = format!(
                    "`{}` names no owner, and {author}, who alone wrote its uses, left on {}",
                    record.name,
                    day(left)
                );
                (who, places(&uses))
            }
            Ownership::One(_) | Ownership::Others => return None,
        };
        let next = format!(
            "Find who answers for `{0}` now (`keyatlas map {0}` shows its consumers), name them in its store, and rotate it.",
            record.name
        );
        let message = format!("{who}.");
        let verdict = about_record(VerdictId::Orphaned, record, message, next);
        Some(with(verdict, evidence))
    }

    fn key_person(&self, record: &Record, ownership: &Ownership) -> Option<Verdict> {
        let (message, evidence) = match ownership {
            Ownership::One(name) => (format!("{name} alone owns `{}`.", record.name), Vec::new()),
            Ownership::Nobody => {
                let (author, uses) = self.only_author(record)?;
                let person = self.case.people.find(&author);
                let is_there = person.is_none_or(|it| !it.has_left(self.now()));
                if !is_there || uses.len() < USES {
                    return None;
                }
                let message = format!(
                    "`{}` names no owner, and {author} alone wrote its {} uses.",
                    record.name,
                    uses.len()
                );
                (message, places(&uses))
            }
            Ownership::Left(_) | Ownership::Others => return None,
        };
        let next = format!(
            "Name a team or a second person for `{}`, and have them rotate it once.",
            record.name
        );
        let verdict = about_record(VerdictId::KeyPerson, record, message, next);
        Some(with(verdict, evidence))
    }

    fn known_to_leaver(&self, record: &Record) -> Option<Verdict> {
        if record.dynamic || is_setting(record) {
            return None;
        }
        let mut leavers: BTreeMap<&str, (i64, BTreeSet<String>)> = BTreeMap::new();
        let mut evidence = BTreeSet::new();
        for (person, how, place) in self.acquainted(record) {
            let Some(left) = person.left.filter(|_| person.has_left(self.now())) else {
                continue;
            };
            // A value that came after they left is not the one they knew.
            if changed(record).is_some_and(|it| it > left) {
                continue;
            }
            let row = leavers
                .entry(&person.name)
                .or_insert((left, BTreeSet::new()));
            row.1.insert(how.to_owned());
            evidence.extend(place);
        }
        for (person, left, how) in self.movers(record) {
            if changed(record).is_none_or(|it| it <= left) {
                let row = leavers
                    .entry(&person.name)
                    .or_insert((left, BTreeSet::new()));
                row.1.insert(how);
            }
        }
        let say = |(name, (left, how)): (&&str, &(i64, BTreeSet<String>))| {
            let how: Vec<&str> = how.iter().map(String::as_str).collect();
            format!("{name} (left on {}; {})", day(*left), how.join(", "))
        };
        let names: Vec<String> = leavers.iter().map(say).collect();
        if names.is_empty() {
            return None;
        }
        let since = match changed(record) {
            Some(time) => format!("it has not changed since {}", day(time)),
            None => "nothing tells that it changed since".to_owned(),
        };
        let message = format!(
            "`{}`{} is known to {}, and {since}.",
            record.name,
            owned_by(record),
            names.join(" and ")
        );
        let next = format!(
            "Rotate it: `keyatlas map {}` lists what uses it.",
            record.name
        );
        let verdict = about_record(VerdictId::KnownToLeaver, record, message, next);
        Some(with(verdict, evidence.into_iter().take(PLACES).collect()))
    }

    /// People who are there and no longer of any team that owns or reads it, when the last such time ended, and how.
    fn movers<'b>(
        &'b self,
        record: &'b Record,
    ) -> impl Iterator<Item = (&'b Person, i64, String)> + 'b {
        let now = self.now();
        let people = self.case.people;
        let names = || record.owners.iter().chain(&record.readers);
        let mut ends: BTreeMap<&str, (&Person, i64, &str)> = BTreeMap::new();
        for team in names() {
            for person in people.members(team).filter(|it| !it.has_left(now)) {
                let of_it = |it: &&Membership| it.team.eq_ignore_ascii_case(team);
                let until = person.teams.iter().filter(of_it).filter_map(|it| it.until);
                if let Some(end) = until.max() {
                    let known = ends.entry(&person.name).or_insert((person, end, team));
                    if end > known.1 {
                        *known = (person, end, team);
                    }
                }
            }
        }
        ends.into_values().filter_map(move |(person, end, team)| {
            let is_in = |it: &String| {
                let mut teams = person.teams_at(now);
                people.find(it) == Some(person) || teams.any(|team| team.eq_ignore_ascii_case(it))
            };
            let is_entitled = names().any(is_in);
            (!is_entitled).then(|| (person, end, format!("moved from {team}")))
        })
    }

    /// People who have had the value, how, and the place that tells it.
    fn acquainted<'b>(
        &'b self,
        record: &'b Record,
    ) -> impl Iterator<Item = (&'b Person, &'static str, Option<String>)> + 'b {
        let people = self.case.people;
        let find = move |who: &String, how| people.find(who).map(|it| (it, how, None));
        let owners = record.owners.iter();
        let teams = owners
            .clone()
            .flat_map(move |it| people.members(it))
            .map(|it| (it, "of the team that owns it", None));
        let owned = owners.filter_map(move |it| find(it, "owned it"));
        let readers = record.readers.iter();
        let groups = readers
            .clone()
            .flat_map(move |it| people.members(it))
            .map(|it| (it, "of a team that could read it", None));
        let read = readers.filter_map(move |it| find(it, "could read it"));
        let accesses = record.accesses.iter().map(|it| &it.by);
        let accesses = accesses.chain(&record.accessed_by);
        let accessed = accesses.filter_map(move |it| find(it, "has read it"));
        let exposures = self.exposures.get(record.name.as_str());
        let exposed = exposures.into_iter().flatten().flat_map(move |finding| {
            finding.origins.iter().filter_map(move |origin| {
                let author = &origin.introduced.as_ref()?.author;
                let place = place_of(origin, &finding.path, finding.place.line);
                Some((
                    people.find(author)?,
                    "wrote it into a repository",
                    Some(place),
                ))
            })
        });
        owned
            .chain(teams)
            .chain(groups)
            .chain(read)
            .chain(accessed)
            .chain(exposed)
    }
}

fn authors(origins: &[Origin]) -> impl Iterator<Item = &str> {
    origins
        .iter()
        .filter_map(|it| Some(it.introduced.as_ref()?.author.as_str()))
}

/// Programs that commit under a name of their own.
fn is_bot(author: &str) -> bool {
    let author = author.to_lowercase();
    author.ends_with("[bot]") || author.ends_with("-bot") || author.ends_with(" bot")
}

fn places(uses: &[&Use]) -> Vec<String> {
    let place = |it: &&Use| {
        let hop = it.chain.last()?;
        let path = shown(hop.repository.as_deref(), &hop.path);
        Some(format!("{path}:{}", hop.line))
    };
    let places: BTreeSet<String> = uses.iter().filter_map(place).collect();
    places.into_iter().take(PLACES).collect()
}

fn with(mut verdict: Verdict, evidence: Vec<String>) -> Verdict {
    verdict.evidence.extend(evidence);
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::tests::{DAY, NOW, codes, finding, inventory, record, reference, verdicts};
    use crate::model::access::Access;
    use crate::model::origin::Milestone;
    use crate::model::people::{Entry, People};
    use crate::model::record::Inventory;

    /// Ada (team api) and Cy are there; Bo left 40 days ago, and so did everybody of the team fax.
    fn people() -> People {
        let person = |name: &str, team: Option<&str>, left: Option<i64>| Entry {
            name: name.to_owned(),
            aliases: vec![format!("{}@shop.example", name.to_lowercase())],
            team: team.map(str::to_owned),
            left: left.map(|days| NOW - days * DAY),
            ..Entry::default()
        };
        People::of(&[
            person("Ada", Some("api"), None),
            person("Bo", Some("api"), Some(40)),
            person("Cy", None, None),
            person("Di", Some("fax"), Some(400)),
        ])
    }

    fn known(change: impl Fn(&mut Record)) -> Inventory {
        let mut it = record("kv/shop/db", &[1]);
        it.versions[0].created = None;
        it.rotated = Some(NOW - 50 * DAY);
        change(&mut it);
        Inventory {
            people: people(),
            ..inventory(&[it])
        }
    }

    fn owners(names: &[&str]) -> Vec<String> {
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    fn judged(known: &Inventory, authors: &[&str]) -> Vec<&'static str> {
        let uses: Vec<_> = (0_u32..)
            .zip(authors)
            .map(|(line, author)| {
                let mut it = reference("shop", "a.hcl", "vault:kv/shop/db", "");
                it.mention.place.line = line + 1;
                let introduced = it.origin.introduced.as_mut().unwrap();
                (*author).clone_into(&mut introduced.author);
                it
            })
            .collect();
        for scope in [Scope::Folder, Scope::Change] {
            assert!(verdicts(&mut [], &uses, known, scope).is_empty());
        }
        let mut found = codes(&verdicts(&mut [], &uses, known, Scope::Estate));
        found.retain(|it| *it != "unused");
        found
    }

    #[test]
    fn what_only_leavers_own_is_orphaned_and_what_one_owns_hangs_on_them() {
        for (names, expected) in [
            (&["Bo"][..], vec!["orphaned", "known-to-leaver"]),
            (
                &["bo@shop.example", "fax"],
                vec!["orphaned", "known-to-leaver"],
            ),
            (&["Ada"], vec!["key-person"]),
            (&["Ada", "Bo"], vec!["known-to-leaver", "key-person"]),
            (&["Ada", "Cy"], vec![]),
            (&["cy", "sales"], vec![]),
            (&["sales"], vec![]),
            (&["Bo", "sales"], vec!["known-to-leaver"]),
        ] {
            let known = known(|it| it.owners = owners(names));
            assert_eq!(judged(&known, &["Eve", "Fay"]), expected, "{names:?}");
        }
    }

    #[test]
    fn who_moves_away_is_a_leaver_of_the_team() {
        let membership = |team: &str, until: Option<i64>| Entry {
            name: "Finn".to_owned(),
            team: Some(team.to_owned()),
            until: until.map(|days| NOW - days * DAY),
            ..Entry::default()
        };
        let fires = vec!["known-to-leaver"];
        for (teams, owner, reader, rotated, expected) in [
            (
                &[("pay", Some(45)), ("web", None)][..],
                "pay",
                "",
                50,
                fires.clone(),
            ),
            (&[("pay", Some(45)), ("web", None)], "pay", "", 40, vec![]),
            (&[("pay", Some(45)), ("web", None)], "web", "", 50, vec![]),
            (
                &[("pay", Some(45)), ("web", None)],
                "pay",
                "web",
                50,
                vec![],
            ),
            (
                &[("pay", Some(45)), ("web", None)],
                "web",
                "pay",
                50,
                vec![],
            ),
            (
                &[("pay", Some(45)), ("web", None)],
                "ops",
                "pay",
                50,
                fires.clone(),
            ),
            (&[("pay", Some(45)), ("pay", None)], "pay", "", 50, vec![]),
            (&[("pay", Some(-45))], "pay", "", 50, vec![]),
        ] {
            let entries: Vec<Entry> = teams
                .iter()
                .map(|(team, until)| membership(team, *until))
                .chain([Entry {
                    name: "Eve".to_owned(),
                    team: Some("pay".to_owned()),
                    ..Entry::default()
                }])
                .collect();
            let mut known = known(|it| {
                it.owners = owners(&[owner]);
                it.readers = owners(&[reader]);
                it.rotated = Some(NOW - rotated * DAY);
            });
            known.people = People::of(&entries);
            let found = judged(&known, &["Gus", "Hal"]);
            assert_eq!(found, expected, "{teams:?} {owner} {reader} {rotated}");
        }
    }

    #[test]
    fn without_an_owner_the_authors_of_its_uses_count() {
        let unowned = known(|_| {});
        for (authors, expected) in [
            (&["Bo", "bo"][..], vec!["orphaned"]),
            (&["Bo"], vec!["orphaned"]),
            (&["Ada", "Ada"], vec!["key-person"]),
            (&["Eve", "Eve"], vec!["key-person"]),
            (&["Ada"], vec![]),
            (&["Ada", "Bo"], vec![]),
            (&["renovate[bot]", "renovate[bot]"], vec![]),
            (&[], vec![]),
        ] {
            assert_eq!(judged(&unowned, authors), expected, "{authors:?}");
        }
        let owned = known(|it| it.owners = owners(&["sales"]));
        assert!(judged(&owned, &["Bo", "Bo"]).is_empty());
    }

    #[test]
    fn a_leaver_knows_what_they_owned_read_or_could_read_until_it_changes() {
        let read = |who: &str| Access {
            by: who.to_owned(),
            first: 0,
            last: NOW - 60 * DAY,
            count: 3,
        };
        type Change<'a> = &'a dyn Fn(&mut Record);
        let cases: [(&str, Change<'_>, bool); 9] = [
            (
                "reader",
                &|it| it.readers = owners(&["bo@shop.example"]),
                true,
            ),
            (
                "reader who is there",
                &|it| it.readers = owners(&["Ada"]),
                false,
            ),
            ("accessor", &|it| it.accesses = vec![read("Bo")], true),
            (
                "last accessor",
                &|it| it.accessed_by = Some("BO".to_owned()),
                true,
            ),
            (
                "a workload",
                &|it| it.accesses = vec![read("shop-api")],
                false,
            ),
            ("team", &|it| it.owners = owners(&["api", "sales"]), true),
            (
                "changed since",
                &|it| {
                    it.readers = owners(&["Bo"]);
                    it.rotated = Some(NOW - 39 * DAY);
                },
                false,
            ),
            (
                "no dates",
                &|it| {
                    it.readers = owners(&["Bo"]);
                    it.rotated = None;
                },
                true,
            ),
            (
                "dynamic",
                &|it| {
                    it.readers = owners(&["Bo"]);
                    it.dynamic = true;
                },
                false,
            ),
        ];
        for (what, change, fires) in cases {
            let found = judged(&known(change), &["Eve", "Fay"]);
            assert_eq!(found.contains(&"known-to-leaver"), fires, "{what}");
        }
    }

    #[test]
    fn a_leaver_knows_what_they_wrote_into_a_repository() {
        for (author, value, fires) in [("Bo", 2, true), ("Bo", 1, false), ("Ada", 2, false)] {
            let known = known(|it| it.versions = record("x", &[1, 2]).versions);
            let mut known = known;
            known.records[0].rotated = Some(NOW - 50 * DAY);
            let mut findings = [finding("a.env", value)];
            findings[0].origins[0].introduced = Some(Milestone {
                seconds: NOW - 45 * DAY,
                commit: "c0ffee".to_owned(),
                author: author.to_owned(),
            });
            let found = verdicts(&mut findings, &[], &known, Scope::Estate);
            let told = found.iter().find(|it| it.id == VerdictId::KnownToLeaver);
            assert_eq!(told.is_some(), fires, "{author} {value}");
            let evidence = told.map(|it| it.evidence.clone());
            assert!(evidence.is_none_or(|it| it == ["kv/shop/db", "a.env:3"]));
        }
    }
}
