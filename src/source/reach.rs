//! A set difference: what some revisions reach and others do not. Parents count alike; none is the first.
//!
//! Not here: what the commits that are left bring in.

use crate::source::error::Error;
use crate::source::{repository, spelling};
use git2::{Object, ObjectType, Oid, Repository, Revwalk};
use std::collections::HashSet;
use std::path::Path;

/// What is wanted, and what is left out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Revisions: of a commit its history, of a tag what it says and names, or a folder or file itself.
    pub wanted: Vec<String>,
    /// What these reach is left out.
    pub without: Vec<Without>,
    /// Names of refs that are new, which are texts themselves.
    pub names: Vec<String>,
}

/// One side that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Without {
    /// A revision, which must be there.
    Revision(String),
    /// An object by its id, if it is there: the other side of a push may have what this side has not.
    IfHere(String),
    /// All refs whose full names start so.
    Refs(String),
}

impl Difference {
    /// What `tip` reaches and `base` does not; without a base, all that `tip` reaches.
    pub fn between(base: Option<&str>, tip: &str) -> Self {
        Self {
            wanted: vec![tip.to_owned()],
            without: base
                .map(|it| Without::Revision(it.to_owned()))
                .into_iter()
                .collect(),
            names: Vec::new(),
        }
    }
}

/// What is left.
#[derive(Default, Debug)]
pub(crate) struct Reach {
    pub(crate) commits: Vec<Oid>,
    /// Annotated tags, tags of tags too.
    pub(crate) tags: Vec<Oid>,
    /// Folders and files that a ref or a tag names by itself.
    pub(crate) loners: Vec<(Oid, ObjectType)>,
}

/// Works the difference out. A shallow clone that cannot answer is refused: an answer from half of history
/// would call unread commits clean.
pub(crate) fn reach(
    path: &Path,
    repository: &Repository,
    difference: &Difference,
) -> Result<Reach, Error> {
    let asked = Asked {
        path,
        repository,
        boundary: repository::shallow_boundary(repository),
    };
    let mut walk = repository.revwalk().map_err(|it| asked.fault(&it, ""))?;
    let left_out = asked.hide(&mut walk, &difference.without)?;
    let mut reach = Reach::default();
    for revision in &difference.wanted {
        asked.want(revision, &left_out, &mut walk, &mut reach)?;
    }
    let last = difference.wanted.last().map_or("", String::as_str);
    let commits: Result<Vec<Oid>, git2::Error> = walk.collect();
    reach.commits = commits.map_err(|it| asked.fault(&it, last))?;
    match reach.commits.iter().find(|it| asked.boundary.contains(it)) {
        Some(end) => Err(asked.shallow(&end.to_string())),
        None => Ok(reach),
    }
}

/// A repository that is asked.
struct Asked<'a> {
    path: &'a Path,
    repository: &'a Repository,
    /// Where a shallow clone ends.
    boundary: Vec<Oid>,
}

impl<'a> Asked<'a> {
    fn shallow(&self, revision: &str) -> Error {
        Error::Shallow {
            path: spelling::shown(self.path),
            revision: revision.to_owned(),
        }
    }

    fn fault(&self, error: &git2::Error, revision: &str) -> Error {
        if self.boundary.is_empty() {
            repository::translated(self.path, error)
        } else {
            self.shallow(revision)
        }
    }

    fn unknown(&self, revision: &str) -> Error {
        if !self.boundary.is_empty() {
            return self.shallow(revision);
        }
        Error::NoSuchRevision {
            path: spelling::shown(self.path),
            revision: revision.to_owned(),
        }
    }

    fn object(&self, revision: &str) -> Result<Object<'a>, Error> {
        let found = self.repository.revparse_single(revision);
        found.map_err(|_| self.unknown(revision))
    }

    /// Hides what is left out; tells the objects that were named for it.
    fn hide(&self, walk: &mut Revwalk<'_>, without: &[Without]) -> Result<HashSet<Oid>, Error> {
        let mut named = HashSet::new();
        for side in without {
            match side {
                Without::Revision(revision) => {
                    let object = self.object(revision)?;
                    let commit = object
                        .peel_to_commit()
                        .map_err(|_| self.unknown(revision))?;
                    named.insert(object.id());
                    walk.hide(commit.id())
                        .map_err(|it| self.fault(&it, revision))?;
                }
                Without::IfHere(id) => {
                    // What is not here cannot be left out, and then more is read, not less.
                    let here = Oid::from_str(id).ok();
                    if let Some(id) = here.filter(|id| walk.hide(*id).is_ok()) {
                        named.insert(id);
                    }
                }
                Without::Refs(prefix) => named.extend(self.hide_refs(walk, prefix)?),
            }
        }
        Ok(named)
    }

    fn hide_refs(&self, walk: &mut Revwalk<'_>, prefix: &str) -> Result<Vec<Oid>, Error> {
        let refs = self
            .repository
            .references_glob(&format!("{prefix}*"))
            .map_err(|it| self.fault(&it, prefix))?;
        let mut targets: Vec<Oid> = refs.flatten().filter_map(|it| it.target()).collect();
        targets.sort_unstable();
        targets.dedup();
        for target in &targets {
            // A ref to a folder, a file or to nothing hides no commit.
            let _no_commit = walk.hide(*target);
        }
        Ok(targets)
    }

    /// Adds what a revision names, and what the tags on the way say.
    fn want(
        &self,
        revision: &str,
        left_out: &HashSet<Oid>,
        walk: &mut Revwalk<'_>,
        reach: &mut Reach,
    ) -> Result<(), Error> {
        let mut object = self.object(revision)?;
        while let Some(tag) = object.as_tag() {
            if left_out.contains(&tag.id()) || reach.tags.contains(&tag.id()) {
                return Ok(());
            }
            reach.tags.push(tag.id());
            let target = tag.target().map_err(|it| self.fault(&it, revision))?;
            object = target;
        }
        let id = object.id();
        match object.kind() {
            Some(ObjectType::Commit) => {
                walk.push(id).map_err(|it| self.fault(&it, revision))?;
            }
            Some(kind) if !left_out.contains(&id) => reach.loners.push((id, kind)),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Repo;

    fn asked(repo: &Repo, difference: &Difference) -> Reach {
        let repository = repository::open(repo.path()).unwrap();
        reach(repo.path(), &repository, difference).unwrap()
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    /// As git itself answers it.
    fn oracle(repo: &Repo, arguments: &[&str]) -> Vec<String> {
        let text = repo.git(&[&["rev-list"], arguments].concat());
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn commits(reach: &Reach) -> Vec<String> {
        let mut ids: Vec<String> = reach.commits.iter().map(Oid::to_string).collect();
        ids.sort();
        ids
    }

    /// Two lines of history that cross, and a third that knows neither.
    fn crossed() -> Repo {
        let repo = Repo::new();
        repo.commit(&[("a", "1")], "one");
        repo.git(&["checkout", "-q", "-b", "side"]);
        repo.commit(&[("b", "1")], "two");
        repo.git(&["checkout", "-q", "main"]);
        repo.commit(&[("c", "1")], "three");
        repo.git(&["merge", "-q", "--no-edit", "side"]);
        repo.git(&["checkout", "-q", "side"]);
        repo.commit(&[("b", "2")], "four");
        repo.git(&["merge", "-q", "--no-edit", "main"]);
        repo.git(&["checkout", "-q", "--orphan", "third"]);
        repo.commit(&[("d", "1")], "five");
        repo.git(&["update-ref", "refs/remotes/o/x", "main"]);
        repo
    }

    #[test]
    fn several_sides_are_answered_as_git_answers_them() {
        let repo = crossed();
        let main = repo.git(&["rev-parse", "main"]);
        let revision = |it: &str| Without::Revision(it.to_owned());
        let refs = |it: &str| Without::Refs(it.to_owned());
        for (wanted, without, arguments) in [
            (&["side"][..], vec![], &["side"][..]),
            (&["side"], vec![revision("main")], &["side", "^main"]),
            (
                &["side", "third"],
                vec![revision("main~1")],
                &["side", "third", "^main~1"],
            ),
            (
                &["side", "third"],
                vec![refs("refs/remotes/o/")],
                &["side", "third", "--not", "--remotes=o"],
            ),
            (
                &["side"],
                vec![Without::IfHere(main.clone())],
                &["side", "^main"],
            ),
            (
                &["third"],
                vec![Without::IfHere("1".repeat(40)), revision("side^2~1")],
                &["third"],
            ),
            (&["side", "third"], vec![refs("refs/")], &["HEAD", "^HEAD"]),
        ] {
            let difference = Difference {
                wanted: owned(wanted),
                without,
                names: Vec::new(),
            };
            assert_eq!(
                commits(&asked(&repo, &difference)),
                oracle(&repo, arguments),
                "{difference:?}"
            );
        }
    }

    #[test]
    fn tags_folders_and_files_are_wanted_by_themselves() {
        let repo = crossed();
        repo.git(&["tag", "-a", "-m", "one", "v1", "side"]);
        repo.git(&["tag", "-a", "-m", "two", "v2", "v1"]);
        repo.git(&["tag", "-a", "-m", "tree", "folder", "side^{tree}"]);
        let id = |it: &str| Oid::from_str(&repo.git(&["rev-parse", it])).unwrap();
        let found = asked(
            &repo,
            &Difference {
                wanted: owned(&["v2", "v1", "folder", "side:a"]),
                without: vec![Without::Revision("side".to_owned())],
                names: Vec::new(),
            },
        );
        assert_eq!(found.commits, []);
        assert_eq!(found.tags, [id("v2"), id("v1"), id("folder")]);
        let loners = [
            (id("folder^{tree}"), ObjectType::Tree),
            (id("side:a"), ObjectType::Blob),
        ];
        assert_eq!(found.loners, loners);
        // What the other side has by that very ref is no news.
        let known = Difference {
            wanted: owned(&["v2", "folder"]),
            without: vec![Without::Refs("refs/tags/".to_owned())],
            names: Vec::new(),
        };
        let found = asked(&repo, &known);
        assert!(found.tags.is_empty() && found.loners.is_empty());
    }
}
