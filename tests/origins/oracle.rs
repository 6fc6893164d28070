//! Brute force: every commit's files by `git ls-tree -r`, every answer from sets of commits.

use crate::secret;
use crate::world::{World, list, ran};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A path and the number of a secret.
pub(crate) type Thing = (String, usize);

/// A commit as git tells.
struct Commit {
    parents: Vec<String>,
    committed: i64,
    /// Shown with a milestone: the author through the mail map, and the author date.
    author: String,
    written: i64,
    has: BTreeSet<Thing>,
}

/// A repository as git tells.
pub(crate) struct Oracle<'a> {
    world: &'a World,
    folder: &'a Path,
    commits: BTreeMap<String, Commit>,
    /// Commits by how far from people's eyes they are: 0, 1 or 2.
    tier: BTreeMap<String, u8>,
    /// Commit date, or a second more than that of the youngest parent.
    age: BTreeMap<String, i64>,
    in_head: BTreeSet<String>,
    head: Option<String>,
    /// Full names of branches and tags, and their commits.
    tips: BTreeMap<String, String>,
}

/// What is said of a thing.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) introduced: String,
    pub(crate) last: String,
    pub(crate) removed: Option<String>,
    pub(crate) reachable: bool,
    pub(crate) in_head: bool,
    /// Short names.
    pub(crate) branches: BTreeSet<String>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) in_branches: BTreeSet<String>,
    pub(crate) in_tags: BTreeSet<String>,
    pub(crate) others: BTreeSet<String>,
}

fn short(name: &str) -> String {
    let starts = ["refs/heads/", "refs/remotes/", "refs/tags/"];
    let rest = starts.iter().find_map(|it| name.strip_prefix(it));
    rest.unwrap_or(name).to_owned()
}

fn is_branch(name: &str) -> bool {
    name.starts_with("refs/heads/") || name.starts_with("refs/remotes/")
}

impl<'a> Oracle<'a> {
    /// Asks git about everything; secrets have numbers below `secrets`.
    pub(crate) fn new(world: &'a World, folder: &'a Path, secrets: usize) -> Self {
        let mut oracle = Self {
            world,
            folder,
            commits: BTreeMap::new(),
            tier: BTreeMap::new(),
            age: BTreeMap::new(),
            in_head: BTreeSet::new(),
            head: None,
            tips: BTreeMap::new(),
        };
        oracle.read_commits(secrets);
        let ids: Vec<String> = oracle.commits.keys().cloned().collect();
        for id in &ids {
            oracle.date(id);
        }
        let head = oracle.try_lines(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
        oracle.head = head.into_iter().next();
        let walk = |more: &[&str]| -> BTreeSet<String> {
            let line = [&["rev-list"], more].concat();
            oracle.lines(&line).into_iter().collect()
        };
        let is_born = oracle.head.is_some();
        let clone = ["--branches", "--remotes", "--tags", "HEAD"];
        let cloned = walk(&clone[..3 + usize::from(is_born)]);
        let referred = walk(&["--all"]);
        let in_head = if is_born {
            walk(&["HEAD"])
        } else {
            BTreeSet::new()
        };
        oracle.in_head = in_head;
        for id in ids {
            let tier = match (cloned.contains(&id), referred.contains(&id)) {
                (true, _) => 0,
                (_, true) => 1,
                _ => 2,
            };
            oracle.tier.insert(id, tier);
        }
        for name in oracle.refs(&[]) {
            if is_branch(&name) || name.starts_with("refs/tags/") {
                let tip = oracle.lines(&["rev-parse", &format!("{name}^{{commit}}")]);
                oracle.tips.insert(name, tip[0].clone());
            }
        }
        oracle
    }

    fn git(&self, arguments: &[&str], input: &str) -> crate::world::Ran {
        let mut git = self.world.program("git");
        git.args(arguments).current_dir(self.folder);
        ran(&mut git, arguments, input.as_bytes())
    }

    fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let out = self.git(arguments, "").code(0).out;
        out.lines().map(str::to_owned).collect()
    }

    /// Full names; a ref that stands for another is not one of its own.
    fn refs(&self, more: &[&str]) -> Vec<String> {
        let format = "--format=%(refname) %(symref)";
        let all = self.lines(&[&["for-each-ref", format], more].concat());
        all.iter()
            .filter_map(|it| it.strip_suffix(' '))
            .map(str::to_owned)
            .collect()
    }

    fn try_lines(&self, arguments: &[&str]) -> Vec<String> {
        let out = self.git(arguments, "").out;
        out.lines().map(str::to_owned).collect()
    }

    fn objects(&self, kind: &str) -> Vec<String> {
        let format = "--batch-check=%(objectname) %(objecttype)";
        let all = self.lines(&["cat-file", "--batch-all-objects", format]);
        let rows = all.iter().filter_map(|it| it.split_once(' '));
        rows.filter(|it| it.1 == kind)
            .map(|it| it.0.to_owned())
            .collect()
    }

    fn read_commits(&mut self, secrets: usize) {
        let mut held: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for blob in self.objects("blob") {
            let text = self.git(&["cat-file", "blob", &blob], "").code(0).out;
            let found = (0..secrets).filter(|it| text.contains(&secret(*it)));
            held.insert(blob, found.collect());
        }
        for id in self.objects("commit") {
            let format = "--format=%ct%n%at%n%aN%n%P";
            let told = self.lines(&["log", "-1", "--use-mailmap", format, &id]);
            let mut has = BTreeSet::new();
            for entry in self
                .git(&["ls-tree", "-r", "-z", &id], "")
                .code(0)
                .out
                .split('\0')
            {
                let Some((row, path)) = entry.split_once('\t') else {
                    continue;
                };
                let blob = row.rsplit(' ').next().unwrap();
                has.extend(held[blob].iter().map(|it| (path.to_owned(), *it)));
            }
            let parents = told.get(3).map_or("", String::as_str);
            let commit = Commit {
                committed: told[0].parse().unwrap(),
                written: told[1].parse().unwrap(),
                author: told[2].clone(),
                parents: parents.split_whitespace().map(str::to_owned).collect(),
                has,
            };
            self.commits.insert(id, commit);
        }
    }

    fn date(&mut self, id: &str) -> i64 {
        if let Some(known) = self.age.get(id) {
            return *known;
        }
        let commit = &self.commits[id];
        let mut date = commit.committed;
        for parent in commit.parents.clone() {
            date = date.max(self.date(&parent) + 1);
        }
        self.age.insert(id.to_owned(), date);
        date
    }

    /// Everything that was ever anywhere.
    pub(crate) fn things(&self) -> BTreeSet<Thing> {
        let all = self.commits.values().flat_map(|it| &it.has);
        all.cloned().collect()
    }

    fn order(&self, id: &str) -> (i64, String) {
        (self.age[id], id.to_owned())
    }

    pub(crate) fn answer(&self, thing: &Thing) -> Answer {
        let has = |id: &String| self.commits[id].has.contains(thing);
        let holders: Vec<&String> = self.commits.keys().filter(|it| has(it)).collect();
        let brought: Vec<&String> = holders
            .iter()
            .copied()
            .filter(|it| !self.commits[*it].parents.iter().any(has))
            .collect();
        let introduced = brought
            .iter()
            .min_by_key(|it| (self.tier[**it], self.order(it)));
        let last = holders
            .iter()
            .max_by_key(|it| (std::cmp::Reverse(self.tier[**it]), self.order(it)))
            .unwrap();
        let in_head = self.head.as_ref().is_some_and(has);
        let held = |wanted: fn(&str) -> bool| {
            let tips = self.tips.iter().filter(|it| wanted(it.0) && has(it.1));
            tips.map(|it| short(it.0)).collect()
        };
        let mut containing = BTreeSet::new();
        for commit in &brought {
            let contains = format!("--contains={commit}");
            containing.extend(self.refs(&[&contains]));
        }
        let is_tag = |it: &str| it.starts_with("refs/tags/");
        let contained = |wanted: fn(&str) -> bool| {
            let names = containing.iter().filter(|it| wanted(it));
            names.map(|it| short(it)).collect()
        };
        let others = containing.iter().filter(|it| !is_branch(it) && !is_tag(it));
        let kind = |it: &String| it.split('/').take(2).collect::<Vec<_>>().join("/");
        let mut others: BTreeSet<String> = others.map(kind).collect();
        let is_tip = |it: &String| self.tips.values().any(|tip| tip == it);
        let is_detached = self.head.as_ref().is_some_and(|it| !is_tip(it));
        if is_detached && brought.iter().any(|it| self.in_head.contains(*it)) {
            others.insert("HEAD".to_owned());
        }
        Answer {
            introduced: (*introduced.unwrap()).clone(),
            last: (*last).clone(),
            removed: if in_head {
                None
            } else {
                self.removed(thing, last)
            },
            reachable: self.tier[*introduced.unwrap()] < 2,
            in_head,
            branches: held(is_branch),
            tags: held(|it| it.starts_with("refs/tags/")),
            in_branches: contained(is_branch),
            in_tags: contained(|it| it.starts_with("refs/tags/")),
            others,
        }
    }

    fn removed(&self, thing: &Thing, last: &String) -> Option<String> {
        let has = |id: &String| self.commits[id].has.contains(thing);
        let took = |id: &&String| {
            let parents = &self.commits[*id].parents;
            !has(id) && !parents.is_empty() && parents.iter().all(has)
        };
        let best = self.commits.keys().filter(took).max_by_key(|it| {
            let tier = std::cmp::Reverse(self.tier[*it]);
            (self.in_head.contains(*it), tier, self.order(it))
        });
        let after = |id: &&String| {
            self.commits[*id].parents.contains(last) && self.tier[*id] == self.tier[last]
        };
        let child = || {
            self.commits
                .keys()
                .filter(after)
                .min_by_key(|it| self.order(it))
        };
        best.or_else(child).cloned()
    }

    /// Scans, and holds every history origin of every secret to what git tells; gives what was said.
    pub(crate) fn hold(&self, secrets: usize) -> BTreeMap<Thing, Answer> {
        let folder = self.folder.to_str().unwrap();
        let line = [
            "--history",
            "--show-secrets",
            "--min-confidence",
            "low",
            folder,
        ];
        let document = self.world.scan(&line);
        let mut said = BTreeMap::new();
        let mut faults = Vec::new();
        for finding in list(&document["findings"]) {
            let number = (0..secrets).find(|it| finding["secret"] == secret(*it).as_str());
            let Some(number) = number else {
                continue;
            };
            for origin in list(&finding["origins"])
                .iter()
                .filter(|it| it["kind"] == "history")
            {
                let thing = (text(&origin["path"]), number);
                let is_told = self.things().contains(&thing);
                if !is_told {
                    faults.push(format!("{thing:?} was never there"));
                    continue;
                }
                let expected = self.answer(&thing);
                let found = told(origin, &expected);
                if found != expected {
                    faults.push(format!(
                        "{thing:?}\n said     {found:?}\n expected {expected:?}"
                    ));
                }
                faults.extend(self.misnamed(origin));
                said.insert(thing, found);
            }
        }
        let missing: Vec<Thing> = self
            .things()
            .into_iter()
            .filter(|it| !said.contains_key(it))
            .collect();
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
        assert_eq!(missing, [], "not found at all");
        said
    }

    /// Milestones whose author or date is not that of the commit.
    fn misnamed(&self, origin: &Value) -> Option<String> {
        let milestones = [origin, &origin["last"], &origin["removed"]];
        let wrong = milestones.iter().find(|it| {
            let Some(commit) = it["commit"].as_str() else {
                return false;
            };
            let known = &self.commits[commit];
            let date: jiff::Timestamp = text(&it["date"]).parse().unwrap();
            it["author"] != known.author.as_str() || date.as_second() != known.written
        });
        wrong.map(|it| format!("not as git shows it: {it}"))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

/// What an origin says. Of a list that is cut, what is left out is taken from `expected` if the number fits.
fn told(origin: &Value, expected: &Answer) -> Answer {
    let names = |value: &Value, whole: &BTreeSet<String>| {
        let shown: BTreeSet<String> = list(&value["names"]).iter().map(text).collect();
        let count = value["count"].as_u64().unwrap() as usize;
        let is_cut = shown.len() == 10 && count == whole.len() && shown.is_subset(whole);
        if is_cut { whole.clone() } else { shown }
    };
    let contained = &origin["contained_in"];
    Answer {
        introduced: text(&origin["commit"]),
        last: text(&origin["last"]["commit"]),
        removed: origin["removed"]["commit"].as_str().map(str::to_owned),
        reachable: origin["reachable"] == true,
        in_head: origin["in_head"] == true,
        branches: names(&origin["branches"], &expected.branches),
        tags: names(&origin["tags"], &expected.tags),
        in_branches: names(&contained["branches"], &expected.in_branches),
        in_tags: names(&contained["tags"], &expected.in_tags),
        others: list(&contained["others"]).iter().map(text).collect(),
    }
}
