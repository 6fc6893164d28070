//! Where texts that are no blobs came from: the best commit with a message or header, the paths a name
//! has.
//!
//! Not here: the texts themselves. A text that came many times was handed out once, with whichever commit
//! was read first; which commit is told must not depend on that.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::model::origin::{Aside, Life, Milestone, Origin, OriginKind};
use crate::model::refs::RefSet;
use crate::source::commits::Gathered;
use crate::source::graph::{Graph, Reach};
use crate::source::history::History;
use crate::source::lives::{Contents, Lives};
use crate::source::objects::Visit;
use crate::source::origins::{self, Choice, Place, Witness};
use crate::source::pack::Kind;
use crate::source::said::said;
use crate::source::trees::Each;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What tells origins.
pub(crate) struct Asides<'a> {
    pub(crate) history: &'a History,
    pub(crate) each: &'a Each<'a>,
    pub(crate) gathered: &'a Gathered,
    /// Of the blobs that bear the names, among others.
    pub(crate) places: &'a [Place],
    pub(crate) lives: &'a Lives,
    pub(crate) witness: &'a Witness<'a>,
}

impl Asides<'_> {
    /// The origins of each text, sorted.
    pub(crate) fn origins(self, asides: &HashSet<Aside>) -> HashMap<Aside, Vec<Origin>> {
        let mut asides: Vec<&Aside> = asides.iter().collect();
        asides.sort();
        let sayers = self.sayers(&asides);
        let mut found = HashMap::new();
        for aside in asides {
            let origins = match (aside.kind, aside.id) {
                (OriginKind::CommitMessage, Some(id)) => vec![self.message(id)],
                (OriginKind::Header, Some(id)) => {
                    let best = sayers.get(aside).copied().unwrap_or(id);
                    vec![self.object(OriginKind::Header, best)]
                }
                (kind, Some(id)) => vec![self.object(kind, id)],
                (OriginKind::FileName, None) => self.names(&aside.path),
                (kind, None) => vec![Origin::plain(kind, &aside.path, here())],
            };
            found.insert(aside.clone(), origins);
        }
        self.add_reached(&mut found);
        found
    }

    /// Of all commits with the message of this one, the best.
    fn message(&self, id: ObjectId) -> Origin {
        let commits = &self.gathered.commits;
        let own = commits.position(id.as_bytes()).map(|it| commits.all[it]);
        let text = |id: &ObjectId| {
            self.history
                .object(id)
                .map(|it| said(&it.1).message.to_vec())
        };
        let wanted = text(&id);
        let mut choices: Vec<Choice> = own
            .iter()
            .flat_map(|it| commits.alike(it))
            .filter_map(|it| self.choice(&it.id()?))
            .collect();
        choices.sort_unstable();
        let best = choices.into_iter().find(|it| text(&it.commit) == wanted);
        self.object(OriginKind::CommitMessage, best.map_or(id, |it| it.commit))
    }

    /// A part of a commit or tag.
    fn object(&self, kind: OriginKind, id: ObjectId) -> Origin {
        let commits = &self.gathered.commits;
        let commit = commits.position(id.as_bytes()).map(|it| commits.all[it]);
        let (path, introduced, reachable) = match (commit, self.gathered.tag(&id)) {
            (Some(commit), _) => {
                let introduced = self.milestone(&id);
                (format!("commits/{id}"), Some(introduced), commit.reachable)
            }
            (None, Some(tag)) => {
                let introduced = Milestone {
                    seconds: tag.seconds,
                    commit: id.to_string(),
                    author: self.witness.people.name(&tag.tagger),
                };
                (format!("tags/{id}"), Some(introduced), tag.reachable)
            }
            (None, None) => (format!("objects/{id}"), None, false),
        };
        Origin {
            introduced,
            reachable,
            ..Origin::plain(kind, &path, here())
        }
    }

    fn choice(&self, commit: &ObjectId) -> Option<Choice> {
        let graph = self.witness.graph;
        Choice::of(graph, graph.find(commit)?)
    }

    fn milestone(&self, commit: &ObjectId) -> Milestone {
        origins::milestone(commit, self.gathered, self.witness.people)
    }

    /// Tells of the words of commits and tags, which do not change, which refs lead there.
    fn add_reached(&self, found: &mut HashMap<Aside, Vec<Origin>>) {
        let Witness { graph, holders, .. } = self.witness;
        let origins = found.values_mut().flatten();
        let said = origins.filter(|it| it.kind != OriginKind::FileName);
        let told = said.filter_map(|it| Some((it.introduced.as_ref().and_then(id)?, it)));
        let told: Vec<(ObjectId, &mut Origin)> = told.collect();
        let ages: Vec<Option<u32>> = told.iter().map(|it| graph.find(&it.0)).collect();
        let commits: Vec<u32> = ages.iter().flatten().copied().collect();
        let classes = holders.reached(graph, &commits);
        let mut number = 0;
        for ((id, origin), age) in told.into_iter().zip(ages) {
            let mut members = holders.through(&id);
            if age.is_some() {
                classes.add(number, &mut members);
                number += 1;
            }
            origin.life = Some(Arc::new(Life {
                reached: RefSet::new(Arc::clone(&holders.all), members),
                ..Life::default()
            }));
        }
    }

    /// The paths at which a name is met, each with what happened to what lies there.
    fn names(&self, name: &str) -> Vec<Origin> {
        let mut paths: BTreeMap<&str, (Vec<u32>, Contents)> = BTreeMap::new();
        for place in self.places {
            if let Some(path) = up_to(&place.path, name) {
                let known = paths.entry(path).or_insert((Vec::new(), Contents::Whole));
                known.0.push(place.number);
                if place.path != path {
                    known.1 = Contents::Part;
                }
            }
        }
        let origins = paths.into_iter().map(|(path, (mut places, contents))| {
            places.sort_unstable();
            let here = Origin::plain(OriginKind::FileName, path, here());
            self.lives.origin(&here, &places, contents)
        });
        let mut origins: Vec<Origin> = origins.collect();
        if origins.is_empty() {
            origins.push(Origin {
                reachable: false,
                ..Origin::plain(OriginKind::FileName, name, here())
            });
        }
        origins
    }

    /// For each header, the best commit or tag that has it.
    fn sayers<'t>(&self, asides: &[&'t Aside]) -> HashMap<&'t Aside, ObjectId> {
        let headers = asides.iter().filter(|it| it.kind == OriginKind::Header);
        let text = |it: &Aside| {
            let (_, bytes) = self.history.object(&it.id?)?;
            said(&bytes).part(&it.path).map(<[u8]>::to_vec)
        };
        let texts: HashMap<&Aside, Vec<u8>> =
            headers.filter_map(|it| Some((*it, text(it)?))).collect();
        if texts.is_empty() {
            return HashMap::new();
        }
        let sayers = Sayers {
            texts: texts.values().map(Vec::as_slice).collect(),
            gathered: self.gathered,
            graph: self.witness.graph,
            best: Mutex::default(),
        };
        (self.each)(&[Kind::Commit, Kind::Tag], &sayers);
        let best = sayers
            .best
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        texts
            .iter()
            .filter_map(|(aside, text)| Some((*aside, best.get(text)?.commit)))
            .collect()
    }
}

fn id(milestone: &Milestone) -> Option<ObjectId> {
    let id = git2::Oid::from_str(&milestone.commit).ok()?;
    ObjectId::from_bytes(id.as_bytes())
}

fn here() -> Option<String> {
    Some(".".to_owned())
}

/// The path up to the component with this name.
fn up_to<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let mut start = 0;
    for part in path.split('/') {
        let end = start + part.len();
        if part == name {
            return path.get(..end);
        }
        start = end + 1;
    }
    None
}

/// Finds who has one of some headers.
struct Sayers<'a> {
    texts: HashSet<&'a [u8]>,
    gathered: &'a Gathered,
    graph: &'a Graph<'a>,
    best: Mutex<HashMap<Vec<u8>, Choice>>,
}

impl Visit for Sayers<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let said = said(bytes);
        for text in said.headers().filter(|it| self.texts.contains(it)) {
            let commit = self.graph.find(&id).map(|it| self.graph.reach(it));
            let reach = commit.unwrap_or(match self.gathered.tag(&id) {
                Some(tag) if tag.reachable => Reach::Cloned,
                _ => Reach::Lost,
            });
            let choice = Choice {
                reach,
                order: said.seconds,
                commit: id,
            };
            let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
            let known = best.entry(text.to_vec()).or_insert(choice);
            *known = choice.min(*known);
        }
    }

    fn failed(&self, _gap: Gap) {
        // Met and told by the first pass.
    }
}

#[cfg(test)]
mod tests {
    use super::up_to;

    #[test]
    fn a_name_is_a_whole_component() {
        for (path, name, expected) in [
            ("a/b/c", "b", Some("a/b")),
            ("a/b/c", "c", Some("a/b/c")),
            ("ab/b", "b", Some("ab/b")),
            ("ab/c", "b", None),
            ("", "b", None),
        ] {
            assert_eq!(up_to(path, name), expected, "{path} {name}");
        }
    }
}
