//! From lines of a commit's files down to the commits that wrote them, as `git blame` tells it: a line belongs to
//! the newest commit in which it differs from all parents.
//!
//! Not here: which lines, and who wrote a commit. All files go down together, each commit is met once, and what
//! lies in a folder that the first parent has too goes to it as a whole, however much it is.

use crate::model::blob::ObjectId;
use crate::model::coverage::Reason;
use crate::source::compare;
use crate::source::hunks;
use crate::source::lineage::Lineage;
use crate::source::nest::{Line, Name, Nest};
use crate::source::pack::Kind;
use crate::source::reader::Reader;
use crate::source::renamed::{self, Come, Gone};
use std::collections::HashMap;
use std::rc::Rc;

/// What became of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// The commit at this place wrote it.
    Written(u32),
    /// What came before is not to be had.
    Lost(Reason),
}

/// One way down.
pub(crate) struct Descent<'a, 'b> {
    pub(crate) lineage: &'a Lineage,
    pub(crate) reader: Reader<'b>,
    /// Bytes of texts that may yet be compared.
    pub(crate) budget: u64,
    pub(crate) answers: Vec<Option<Answer>>,
}

/// A file in a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) blob: ObjectId,
    pub(crate) is_regular: bool,
}

/// What a parent has at the path of a file.
#[derive(Clone, Copy)]
enum Other {
    /// Nothing, or a folder.
    Absent,
    /// A link for a file, or the other way round.
    Unlike,
    File(ObjectId),
}

/// A file that the first parent has not, or has otherwise.
struct Changed {
    path: Vec<Name>,
    file: File,
    lines: Vec<Line>,
    /// By parent.
    others: Vec<Other>,
}

/// A folder in a commit and in its parents.
struct Level {
    own: ObjectId,
    others: Vec<Option<ObjectId>>,
}

/// An entry of a tree.
#[derive(Clone, Copy)]
enum Entry {
    Folder(ObjectId),
    File(File),
    /// A commit of another repository.
    Module,
}

/// What a commit has under a name, and what its parents have.
type Found = (Option<Entry>, Vec<Option<Entry>>);

impl Descent<'_, '_> {
    /// Follows what is asked of commits, by their places, until all is answered.
    pub(crate) fn follow(&mut self, asked: HashMap<usize, Nest>) {
        let mut pending = asked;
        // Children stand before their parents, so that none is met before all of its lines are there.
        for place in 0..self.lineage.all.len() {
            if let Some(nest) = pending.remove(&place) {
                self.commit(place, nest, &mut pending);
            }
            if pending.is_empty() {
                break;
            }
        }
    }

    fn commit(&mut self, place: usize, nest: Nest, pending: &mut HashMap<usize, Nest>) {
        let lineage = self.lineage;
        let commit = lineage.all[place];
        let parents = lineage.parents(place);
        let trees = parents.iter().map(|it| lineage.all[*it as usize].tree());
        let level = commit.tree().map(|own| Level {
            own,
            others: trees.collect(),
        });
        let Some(level) = level.filter(|_| !parents.is_empty()) else {
            return nest.each_line(&mut |it| self.settle(place, it));
        };
        let mut passed: Vec<Nest> = parents.iter().map(|_| Nest::default()).collect();
        let mut changed = Vec::new();
        self.folder(&level, nest, &mut Vec::new(), &mut passed, &mut changed);
        let mut gone: Vec<Option<Vec<Gone>>> = parents.iter().map(|_| None).collect();
        for it in changed {
            self.file(place, &level, it, &mut gone, &mut passed);
        }
        for (parent, nest) in parents.iter().zip(passed) {
            if !nest.is_empty() {
                let waiting = pending.entry(*parent as usize).or_default();
                waiting.merge(nest);
            }
        }
    }

    /// A line that no parent has.
    fn settle(&mut self, place: usize, (_, number): Line) {
        let answer = match self.lineage.all[place].cut {
            None => Answer::Written(place as u32),
            Some(reason) => Answer::Lost(reason),
        };
        self.answer(number, answer);
    }

    /// Lines of which no more can be told.
    pub(crate) fn lose(&mut self, lines: impl IntoIterator<Item = Line>, reason: Reason) {
        for (_, number) in lines {
            self.answer(number, Answer::Lost(reason));
        }
    }

    fn answer(&mut self, number: u32, answer: Answer) {
        if let Some(slot) = self.answers.get_mut(number as usize) {
            *slot = Some(answer);
        }
    }

    /// Passes on what did not change, and notes what did.
    fn folder(
        &mut self,
        level: &Level,
        nest: Nest,
        path: &mut Vec<Name>,
        passed: &mut [Nest],
        changed: &mut Vec<Changed>,
    ) {
        if level.others.first() == Some(&Some(level.own)) {
            return passed[0].merge(nest);
        }
        let names: Vec<Name> = nest
            .folders
            .keys()
            .chain(nest.files.keys())
            .cloned()
            .collect();
        let found = match self.entries(level, names) {
            Ok(found) => found,
            Err(reason) => return nest.each_line(&mut |it| self.lose([it], reason)),
        };
        for (name, below) in nest.folders {
            let (own, others) = &found[&name];
            let Some(Entry::Folder(own)) = *own else {
                below.each_line(&mut |it| self.lose([it], Reason::MissingObject));
                continue;
            };
            let folder = |it: &Option<Entry>| match it {
                Some(Entry::Folder(id)) => Some(*id),
                _ => None,
            };
            let others: Vec<_> = others.iter().map(folder).collect();
            let below_level = Level { own, others };
            let mut onwards: Vec<Nest> = passed.iter().map(|_| Nest::default()).collect();
            path.push(Rc::clone(&name));
            self.folder(&below_level, below, path, &mut onwards, changed);
            path.pop();
            for (nest, below) in passed.iter_mut().zip(onwards) {
                if !below.is_empty() {
                    nest.folders.insert(Rc::clone(&name), below);
                }
            }
        }
        for (name, lines) in nest.files {
            let (own, others) = &found[&name];
            let Some(Entry::File(file)) = *own else {
                self.lose(lines, Reason::MissingObject);
                continue;
            };
            let others: Vec<Other> = others.iter().map(|it| other(file, *it)).collect();
            let same = |it: &Other| matches!(it, Other::File(id) if *id == file.blob);
            if let Some(at) = others.iter().position(same) {
                passed[at].files.insert(name, lines);
                continue;
            }
            path.push(name);
            changed.push(Changed {
                path: path.clone(),
                file,
                lines,
                others,
            });
            path.pop();
        }
    }

    /// Of each name what the commit has, and what its parents have.
    fn entries(&mut self, level: &Level, names: Vec<Name>) -> Result<HashMap<Name, Found>, Reason> {
        let mut names = names;
        names.sort_unstable();
        let mut found: Vec<Found> = Vec::new();
        found.resize_with(names.len(), || (None, vec![None; level.others.len()]));
        self.tree(level.own, &names, &mut |at, it| found[at].0 = Some(it))?;
        for (parent, tree) in level.others.iter().enumerate() {
            if let Some(tree) = tree {
                self.tree(*tree, &names, &mut |at, it| found[at].1[parent] = Some(it))?;
            }
        }
        Ok(names.into_iter().zip(found).collect())
    }

    /// The entries of a tree that bear one of some sorted names.
    fn tree(
        &mut self,
        id: ObjectId,
        names: &[Name],
        emit: &mut dyn FnMut(usize, Entry),
    ) -> Result<(), Reason> {
        let tree = self.reader.read(&id, Kind::Tree)?;
        for it in compare::entries(&tree.bytes) {
            let Ok(at) = names.binary_search_by(|name| (**name).cmp(it.name)) else {
                continue;
            };
            if let Some(id) = ObjectId::from_bytes(it.id) {
                emit(
                    at,
                    match (it.is_tree(), it.is_submodule()) {
                        (true, _) => Entry::Folder(id),
                        (_, true) => Entry::Module,
                        _ => Entry::File(File {
                            blob: id,
                            is_regular: renamed::is_regular(it.mode()),
                        }),
                    },
                );
            }
        }
        Ok(())
    }

    /// What is asked of a file: what a parent has goes to the first that has it, the rest was written here.
    fn file(
        &mut self,
        place: usize,
        level: &Level,
        it: Changed,
        gone: &mut [Option<Vec<Gone>>],
        passed: &mut [Nest],
    ) {
        let mut earlier: Vec<Option<(Vec<Name>, ObjectId)>> = Vec::new();
        for other in &it.others {
            let has = |id: &ObjectId| earlier.iter().flatten().any(|it| it.1 == *id);
            earlier.push(match other {
                Other::File(id) if !has(id) => Some((it.path.clone(), *id)),
                _ => None,
            });
        }
        for (parent, other) in it.others.iter().enumerate() {
            let (Other::Absent, Some(tree)) = (other, level.others[parent]) else {
                continue;
            };
            let Some((path, blob)) = self.renamed(level.own, tree, &it, &mut gone[parent]) else {
                continue;
            };
            if blob == it.file.blob {
                return passed[parent].add(&path, it.lines);
            }
            let before = earlier[..parent].iter().flatten();
            if !before.clone().any(|it| it.1 == blob) {
                earlier[parent] = Some((path, blob));
            }
        }
        let mut lines = it.lines;
        for (parent, found) in earlier.into_iter().enumerate() {
            let Some((path, blob)) = found else {
                continue;
            };
            match self.parted(&blob, &it.file.blob, lines) {
                Ok(parted) => {
                    if !parted.passed.is_empty() {
                        passed[parent].add(&path, parted.passed);
                    }
                    lines = parted.stayed;
                }
                Err((left, reason)) => return self.lose(left, reason),
            }
            if lines.is_empty() {
                return;
            }
        }
        lines.into_iter().for_each(|it| self.settle(place, it));
    }

    /// What a file was called in a parent.
    fn renamed(
        &mut self,
        own: ObjectId,
        parent: ObjectId,
        it: &Changed,
        gone: &mut Option<Vec<Gone>>,
    ) -> Option<(Vec<Name>, ObjectId)> {
        if gone.is_none() {
            // Where that cannot be told, it was called nothing.
            let found = renamed::gone(&mut self.reader, parent, Some(own));
            *gone = Some(found.unwrap_or_default());
        }
        let come = Come {
            name: it.path.last()?,
            blob: it.file.blob,
            is_regular: it.file.is_regular,
        };
        let found = renamed::source(&mut self.reader, gone.as_mut()?, &come)?;
        Some((found.path.clone(), found.blob))
    }

    /// Parts lines between two versions; gives them back with the reason if that cannot be done.
    fn parted(
        &mut self,
        before: &ObjectId,
        after: &ObjectId,
        mut lines: Vec<Line>,
    ) -> Result<hunks::Parted, (Vec<Line>, Reason)> {
        lines.sort_unstable();
        let read = |this: &mut Self| {
            let before = this.reader.read(before, Kind::Blob)?;
            let after = this.reader.read(after, Kind::Blob)?;
            let size = (before.bytes.len() + after.bytes.len()) as u64;
            this.budget = this.budget.checked_sub(size).ok_or(Reason::LimitHit)?;
            hunks::part(&before.bytes, &after.bytes, &lines).ok_or(Reason::TooLarge)
        };
        read(self).map_err(|it| (lines, it))
    }
}

/// What an entry of a parent is to a file.
fn other(file: File, entry: Option<Entry>) -> Other {
    match entry {
        None | Some(Entry::Folder(_)) => Other::Absent,
        Some(Entry::File(it)) if it.is_regular == file.is_regular => Other::File(it.blob),
        Some(Entry::File(_) | Entry::Module) => Other::Unlike,
    }
}
