//! Who brought something and when, who took it away, which refs have it: in words, and on the wire.
//!
//! Not here: how that is found out. Names of refs are cut short, since a repository may have thousands; how
//! many there are is always told.

use crate::model::origin::{Life, Milestone, Origin};
use crate::model::refs::RefSet;
use crate::report::text::{Redactor, day, rfc3339};
use serde::Serialize;

/// Names told of one list on the wire.
const NAMES: usize = 10;
/// Branches named in words.
const BRANCHES: usize = 3;
/// Tags named in words; of more, only their number is told.
const TAGS: usize = 2;
/// Kinds of other refs named in words.
const OTHERS: usize = 5;

/// What a history tells of something, on the wire.
#[derive(Serialize)]
pub(crate) struct LifeOut {
    last: Option<MilestoneOut>,
    removed: Option<MilestoneOut>,
    branches: NamesOut,
    tags: NamesOut,
    contained_in: ContainedOut,
}

#[derive(Serialize)]
struct MilestoneOut {
    commit: String,
    author: String,
    date: Option<String>,
}

/// The first names of a list, and how long it is.
#[derive(Serialize)]
struct NamesOut {
    count: usize,
    names: Vec<String>,
}

#[derive(Serialize)]
struct ContainedOut {
    branches: NamesOut,
    tags: NamesOut,
    others: Vec<String>,
}

impl LifeOut {
    /// For the wire.
    pub(crate) fn of(text: &Redactor, it: &Life) -> Self {
        let milestone = |it: &Milestone| MilestoneOut {
            commit: it.commit.clone(),
            author: text.clean(&it.author),
            date: rfc3339(it.seconds),
        };
        Self {
            last: it.last.as_ref().map(milestone),
            removed: it.removed.as_ref().map(milestone),
            branches: names(text, it.held.branches()),
            tags: names(text, it.held.tags()),
            contained_in: ContainedOut {
                branches: names(text, it.reached.branches()),
                tags: names(text, it.reached.tags()),
                others: it.reached.others().map(|it| text.clean(it)).collect(),
            },
        }
    }
}

fn names<'a>(text: &Redactor, all: impl Iterator<Item = &'a str>) -> NamesOut {
    let mut out = NamesOut {
        count: 0,
        names: Vec::new(),
    };
    for name in all {
        out.count += 1;
        if out.names.len() < NAMES {
            out.names.push(text.clean(name));
        }
    }
    out
}

/// Lines for people on something with these origins.
pub(crate) fn lines(text: &Redactor, origins: &[&Origin]) -> Vec<String> {
    let mut lines = Vec::new();
    let is_past = is_past(origins);
    let introduced = origins.iter().filter_map(|it| it.introduced.as_ref());
    if let Some(it) = introduced.min() {
        let removed = origins
            .iter()
            .filter_map(|it| it.life.as_ref()?.removed.as_ref());
        let gone = removed.max().filter(|_| is_past);
        let gone = gone.map(|it| format!(", gone in {}", short(&it.commit)));
        let held = all(text, origins, |it| &it.held);
        lines.push(format!(
            "since {} by {} (commit {}){}{}",
            day(it.seconds),
            text.clean(&it.author),
            short(&it.commit),
            gone.unwrap_or_default(),
            held.words()
                .map(|it| format!("; in {it}"))
                .unwrap_or_default(),
        ));
    }
    lines.extend(past(text, origins));
    lines
}

/// How far something is from people's eyes that `HEAD` has not; `None` for anything else.
pub(crate) fn past(text: &Redactor, origins: &[&Origin]) -> Option<String> {
    if !is_past(origins) {
        return None;
    }
    if !origins.iter().any(|it| it.reachable) {
        return Some("only in history: no ref reaches it".to_owned());
    }
    if !all(text, origins, |it| &it.held).is_empty() {
        return Some("not in HEAD".to_owned());
    }
    let reached = all(text, origins, |it| &it.reached);
    let (count, others) = reached.first(OTHERS, |it| Box::new(it.others()));
    let words = reached.words().map(|it| format!(" of {it}"));
    let only = (count > 0).then(|| format!(": only {others} has it"));
    let whose = words.or(only).unwrap_or_default();
    Some(format!("only in history{whose}"))
}

fn is_past(origins: &[&Origin]) -> bool {
    let is_past = |it: &&Origin| it.kind.is_past() && !it.in_head;
    !origins.is_empty() && origins.iter().all(is_past)
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

/// Refs of one repository or several.
struct All<'a> {
    text: &'a Redactor,
    /// Where there are several, names tell in which repository.
    sets: Vec<(&'a str, RefSet)>,
}

/// The refs of all origins, each once.
fn all<'a>(text: &'a Redactor, origins: &[&'a Origin], set: fn(&Life) -> &RefSet) -> All<'a> {
    let mut sets: Vec<(&str, RefSet)> = Vec::new();
    for origin in origins {
        let Some(life) = &origin.life else {
            continue;
        };
        let known = sets
            .iter_mut()
            .find_map(|it| Some((it.1.union(set(life))?, it)));
        match known {
            Some((both, it)) => it.1 = both,
            None => {
                let name = origin.repository.as_deref().unwrap_or(".");
                sets.push((name, set(life).clone()));
            }
        }
    }
    All { text, sets }
}

impl All<'_> {
    /// Whether no branch and no tag is there.
    fn is_empty(&self) -> bool {
        let first = |it: &RefSet| it.branches().next().or(it.tags().next()).is_some();
        !self.sets.iter().any(|it| first(&it.1))
    }

    /// How many there are, and the first names.
    fn first(&self, most: usize, of: for<'s> fn(&'s RefSet) -> Names<'s>) -> (usize, String) {
        let count = self.sets.iter().map(|it| of(&it.1).count()).sum();
        let names = self
            .sets
            .iter()
            .flat_map(|it| of(&it.1).map(|name| (it.0, name)));
        let names = names
            .take(most)
            .map(|(repository, name)| match self.sets.len() {
                1 => self.text.clean(name),
                _ => self.text.clean(&format!("{repository}:{name}")),
            });
        (count, names.collect::<Vec<_>>().join(", "))
    }

    /// `main, side and 2 more branches, 12 tags`; other refs are not told.
    fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        let (count, first) = self.first(BRANCHES, |it| Box::new(it.branches()));
        match count.saturating_sub(BRANCHES) {
            0 if first.is_empty() => {}
            0 => words.push(first),
            1 => words.push(format!("{first} and 1 more branch")),
            more => words.push(format!("{first} and {more} more branches")),
        }
        let (count, first) = self.first(TAGS, |it| Box::new(it.tags()));
        match count {
            0 => {}
            count if count <= TAGS => words.push(first),
            count => words.push(format!("{count} tags")),
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

type Names<'s> = Box<dyn Iterator<Item = &'s str> + 's>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::OriginKind;
    use crate::model::refs::{Ref, RefKind};
    use crate::model::report::Report;
    use std::sync::Arc;

    fn refs(names: &[&str]) -> RefSet {
        let named = |it: &&str| Ref {
            kind: match it {
                it if it.starts_with('v') => RefKind::Tag,
                it if it.starts_with("refs/") => RefKind::Other,
                _ => RefKind::Branch,
            },
            name: (*it).to_owned(),
        };
        RefSet::new(names.iter().map(named).collect(), [u64::MAX])
    }

    fn milestone(letter: &str) -> Milestone {
        Milestone {
            seconds: 1_700_000_000,
            commit: letter.repeat(40),
            author: "Ada".to_owned(),
        }
    }

    fn origin(in_head: bool, held: &[&str], reached: &[&str]) -> Origin {
        Origin {
            in_head,
            reachable: !reached.is_empty(),
            introduced: Some(milestone("a")),
            life: Some(Arc::new(Life {
                last: Some(milestone("b")),
                removed: (!in_head).then(|| milestone("c")),
                held: refs(held),
                reached: refs(reached),
            })),
            ..Origin::plain(OriginKind::History, "a.env", Some(".".to_owned()))
        }
    }

    fn said(origins: &[&Origin]) -> String {
        lines(&Redactor::new(&Report::default()), origins).join("\n")
    }

    #[test]
    fn who_has_it_is_told_in_words() {
        let since = "since 2023-11-14 by Ada (commit aaaaaaaa)";
        for (in_head, held, reached, expected) in [
            (
                true,
                &["main"][..],
                &["main"][..],
                format!("{since}; in main"),
            ),
            (
                true,
                &["main", "b", "c", "d", "v1", "v2", "v3"],
                &["main"],
                format!("{since}; in main, b, c and 1 more branch, 3 tags"),
            ),
            (
                false,
                &["old", "v1"],
                &["main", "old"],
                format!("{since}, gone in cccccccc; in old, v1\nnot in HEAD"),
            ),
            (
                false,
                &[],
                &["main", "v1"],
                format!("{since}, gone in cccccccc\nonly in history of main, v1"),
            ),
            (
                false,
                &[],
                &["refs/pull", "refs/stash"],
                format!(
                    "{since}, gone in cccccccc\nonly in history: only refs/pull, refs/stash has it"
                ),
            ),
            (
                false,
                &[],
                &[],
                format!("{since}, gone in cccccccc\nonly in history: no ref reaches it"),
            ),
        ] {
            assert_eq!(said(&[&origin(in_head, held, reached)]), expected);
        }
        // What is a file now is not past, whatever became of it in history.
        let file = Origin::plain(OriginKind::File, "a.env", None);
        let past = origin(false, &[], &["main"]);
        assert_eq!(said(&[&file, &past]), since);
        assert_eq!(said(&[&file]), "");
        let elsewhere = Origin {
            repository: Some("api".to_owned()),
            ..origin(true, &["main"], &["main"])
        };
        let here = origin(true, &["main"], &["main"]);
        assert_eq!(said(&[&here, &here.clone()]), format!("{since}; in main"));
        assert_eq!(
            said(&[&here, &elsewhere]),
            format!("{since}; in .:main, api:main")
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let many: Vec<String> = (0..NAMES + 5).map(|it| format!("v{it}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let it = origin(true, &many, &["main"]);
        let out = LifeOut::of(&Redactor::new(&Report::default()), &it.life.unwrap());
        assert_eq!((out.tags.count, out.tags.names.len()), (NAMES + 5, NAMES));
        assert_eq!(out.tags.names[0], "v0");
        assert_eq!(out.contained_in.branches.names, ["main"]);
    }
}
