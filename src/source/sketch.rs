//! Every tree in one pass, as far as origins need them: the folders that each holds, and what is flagged of
//! the rest. The table of what lies above flagged things is cut out of it.
//!
//! Not here: how one tree is read (see `layout`), and what the table is for (see `origins`). A history of
//! more folders than are kept is read again, for what is flagged alone (see `trees`).

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::model::delta::Edit;
use crate::source::compare::{self, Entry, RawEntry};
use crate::source::fold::fold;
use crate::source::layout::Layout;
use crate::source::news::News;
use crate::source::objects::Visit;
use crate::source::origins::Table;
use crate::source::pack::Kind;
use crate::source::trees::{Each, Marks};
use crate::source::{Future, Kept};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries that are kept at most, of eight bytes each.
const ROWS: usize = 4 << 20;

/// Set in the number of a name where the entry is a folder.
const FOLDER: u32 = 1 << 31;

/// An entry: the numbers of its name and of what it names.
#[derive(Clone, Copy)]
struct Row {
    name: u32,
    id: u32,
}

/// What trees hold.
#[derive(Default)]
pub(crate) struct Sketch {
    numbers: HashMap<ObjectId, u32>,
    ids: Vec<ObjectId>,
    name_numbers: HashMap<Box<[u8]>, u32>,
    names: Vec<Box<[u8]>>,
    /// Bytes of all names.
    spelled: usize,
    rows: Vec<Row>,
    /// By the number of a tree: its part of `rows`.
    ranges: Vec<(u32, u32)>,
    /// Whether there was more than is kept; then nothing is.
    is_cut: bool,
    /// Trees that could not be read, where nobody else is told.
    pub(crate) lost: Vec<Gap>,
}

impl Sketch {
    /// Reads all trees. `flagged` are blobs, and trees that are not there.
    pub(crate) fn of(
        each: &Each<'_>,
        flagged: &HashSet<ObjectId>,
        news: Option<&News<'_>>,
    ) -> Self {
        Self::within(ROWS, each, flagged, news)
    }

    fn within(
        room: usize,
        each: &Each<'_>,
        flagged: &HashSet<ObjectId>,
        news: Option<&News<'_>>,
    ) -> Self {
        let mut marks = Marks::default();
        for id in flagged {
            marks.insert(compare::prefix(id.as_bytes()));
        }
        let sketcher = Sketcher {
            room,
            flagged,
            marks,
            news,
            sketch: Mutex::default(),
        };
        each(&[Kind::Tree], &sketcher);
        let sketch = sketcher.sketch.into_inner();
        sketch.unwrap_or_else(PoisonError::into_inner)
    }

    /// The flagged entries of trees with something flagged below them; `None` if there was too much to keep.
    /// `absent` are trees that are not there, and flagged too.
    pub(crate) fn table(
        &self,
        flagged: &HashSet<ObjectId>,
        absent: &HashSet<ObjectId>,
    ) -> Option<Table> {
        if self.is_cut {
            return None;
        }
        let mut search = Search {
            sketch: self,
            ends: vec![None; self.ids.len()],
            holds: vec![None; self.ids.len()],
        };
        for (ids, end) in [(flagged, End::Flagged), (absent, End::Absent)] {
            for number in ids.iter().filter_map(|it| self.numbers.get(it)) {
                search.ends[*number as usize] = Some(end);
            }
        }
        let mut table = Table::default();
        for tree in 0..self.ids.len() as u32 {
            search.look(tree);
        }
        for (tree, id) in (0..).zip(&self.ids) {
            if search.holds[tree as usize] == Some(true) {
                let rows = self.of_tree(tree).iter();
                let kept = rows.filter_map(|it| Some((*it, search.goes_on(*it)?)));
                let kept: Vec<_> = kept
                    .map(|(row, is_tree)| Entry {
                        name: table.name(&self.names[(row.name & !FOLDER) as usize]),
                        id: table.number(self.ids[row.id as usize]),
                        is_tree,
                    })
                    .collect();
                table.keep(*id, kept);
            }
        }
        fold(&mut table);
        Some(table)
    }

    fn of_tree(&self, tree: u32) -> &[Row] {
        let range = self.ranges.get(tree as usize).copied();
        let (start, end) = range.unwrap_or_default();
        &self.rows[start as usize..end as usize]
    }

    fn number(&mut self, id: ObjectId) -> u32 {
        let next = self.ids.len() as u32;
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.ids.push(id);
        }
        number
    }

    fn name(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.name_numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.into());
        self.name_numbers.insert(name.into(), number);
        self.spelled += name.len();
        number
    }

    fn keep(&mut self, tree: ObjectId, rows: impl Iterator<Item = Row>, room: usize) {
        if self.is_cut {
            return;
        }
        let start = self.rows.len() as u32;
        self.rows.extend(rows);
        if self.rows.len() + self.spelled / size_of::<Row>() > room {
            *self = Self {
                is_cut: true,
                lost: std::mem::take(&mut self.lost),
                ..Self::default()
            };
            return;
        }
        let end = self.rows.len() as u32;
        if start < end {
            let tree = self.number(tree) as usize;
            let length = self.ranges.len().max(tree + 1);
            self.ranges.resize(length, (0, 0));
            self.ranges[tree] = (start, end);
        }
    }
}

/// Why the way ends at something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is flagged.
    Flagged,
    /// It is a tree, and not there.
    Absent,
}

/// Looks for trees with something flagged below them.
struct Search<'a> {
    sketch: &'a Sketch,
    /// By number.
    ends: Vec<Option<End>>,
    /// By number: whether something is below, once that is asked.
    holds: Vec<Option<bool>>,
}

impl Search<'_> {
    /// Looks into a tree after those below it.
    fn look(&mut self, root: u32) {
        let mut stack = vec![(root, false)];
        while let Some((tree, is_open)) = stack.pop() {
            let rows = self.sketch.of_tree(tree);
            if is_open {
                let holds = rows.iter().any(|it| self.goes_on(*it).is_some());
                self.holds[tree as usize] = Some(holds);
            } else if self.holds[tree as usize].is_none() {
                // A ring, which only a forged index can make, ends here.
                self.holds[tree as usize] = Some(false);
                stack.push((tree, true));
                let below = rows.iter().filter(|it| it.name & FOLDER != 0);
                let below = below.filter(|it| self.holds[it.id as usize].is_none());
                stack.extend(below.map(|it| (it.id, false)));
            }
        }
    }

    /// Whether the way goes on at a row, or ends; `None` if nothing flagged is there.
    fn goes_on(&self, row: Row) -> Option<bool> {
        let end = self.ends[row.id as usize];
        let goes_on = row.name & FOLDER != 0 && end != Some(End::Absent);
        let leads = match goes_on {
            true => self.holds[row.id as usize] == Some(true),
            false => end.is_some(),
        };
        leads.then_some(goes_on)
    }
}

/// Sketches every tree.
struct Sketcher<'a> {
    room: usize,
    flagged: &'a HashSet<ObjectId>,
    marks: Marks,
    news: Option<&'a News<'a>>,
    sketch: Mutex<Sketch>,
}

impl Sketcher<'_> {
    fn sketch(&self) -> MutexGuard<'_, Sketch> {
        self.sketch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(
        &self,
        id: ObjectId,
        bytes: &[u8],
        base: Option<(&Edit, &Layout<Row>)>,
        is_base: bool,
    ) -> Layout<Row> {
        if let Some(news) = self.news {
            news.meet(&id);
        }
        let layout = Layout::read(bytes, base, is_base, |entry, is_new| {
            if let Some(news) = self.news.filter(|_| is_new) {
                news.name(entry.name);
            }
            self.row(entry)
        });
        let rows = layout.made.iter().map(|it| it.1);
        self.sketch().keep(id, rows, self.room);
        layout
    }

    /// What is kept of an entry.
    fn row(&self, entry: &RawEntry<'_>) -> Option<Row> {
        let id = ObjectId::from_bytes(entry.id).filter(|_| !entry.is_submodule())?;
        let is_tree = entry.is_tree();
        // A folder that was met before was looked for then.
        let is_known = is_tree && self.sketch().numbers.contains_key(&id);
        let is_absent = !is_known && self.news.is_some_and(|it| it.is_absent(entry));
        let is_flagged = || self.marks.contains(entry.prefix()) && self.flagged.contains(&id);
        (is_tree || is_absent || is_flagged()).then(|| {
            let mut sketch = self.sketch();
            Row {
                name: sketch.name(entry.name) | if is_tree { FOLDER } else { 0 },
                id: sketch.number(id),
            }
        })
    }
}

impl Visit for Sketcher<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        self.look(id, bytes, None, false);
    }

    fn chained(
        &self,
        id: ObjectId,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        let base = base.and_then(|(edit, kept)| Some((edit, kept.state.downcast_ref()?)));
        let layout = self.look(id, bytes, base, future == Future::Base);
        (future == Future::Base).then(|| Kept {
            size: layout.size(),
            state: Box::new(layout),
        })
    }

    fn failed(&self, gap: Gap) {
        match self.news {
            Some(news) => news.lose(gap),
            None => self.sketch().lost.push(gap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::history::{History, HistoryOptions};
    use crate::source::origins::{self, Question};
    use crate::source::testing::Repo;
    use crate::source::trees;
    use proptest::prelude::*;

    const FOLDERS: [&str; 5] = ["", "a/", "a/b/", "c/", "c/a/b/"];

    /// Commits that add, change and take away files and folders: what is done, in which folder, to which file.
    fn repository(acts: &[(u8, usize, u8)]) -> Repo {
        let repo = Repo::new();
        for (round, (act, folder, file)) in acts.iter().enumerate() {
            let path = format!("{}file-{file}", FOLDERS[*folder]);
            if *act == 0 {
                repo.git(&["rm", "-r", "-q", "--ignore-unmatch", &path]);
                repo.git(&["commit", "-q", "--allow-empty", "-m", "less"]);
            } else {
                let text = format!("text of round {}\n", round % 12);
                repo.commit(&[(&path, &text)], "more");
            }
        }
        repo
    }

    /// The flagged below a tree, with their paths.
    fn below(table: &Table, tree: u32, path: &str) -> Vec<(String, ObjectId)> {
        let (start, end) = table.ranges.get(&tree).copied().unwrap_or_default();
        let entries = &table.entries[start as usize..end as usize];
        let each = entries.iter().flat_map(|it| {
            let path = format!("{path}/{}", table.names[it.name as usize]);
            match it.is_tree {
                true => below(table, it.id, &path),
                false => vec![(path, table.ids[it.id as usize])],
            }
        });
        let mut below: Vec<_> = each.collect();
        below.sort();
        below
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn the_table_is_that_of_passes_for_what_is_flagged_alone(
            acts in prop::collection::vec((0..5_u8, 0..FOLDERS.len(), 0..6_u8), 25..40),
            is_packed in any::<bool>(),
            step in 1..5_usize,
        ) {
            let options = HistoryOptions { jobs: 1, ..HistoryOptions::default() };
            let repo = repository(&acts);
            if is_packed {
                repo.git(&["gc", "-q", "--prune=now"]);
            }
            let history = History::open(repo.path()).unwrap();
            let each = |kinds: &'static [Kind], visit: &dyn Visit| {
                history.each(&options, kinds, visit);
            };
            let blobs = Repo::oracle(repo.path(), "blob");
            let flagged: HashSet<ObjectId> = blobs.into_keys().step_by(step).collect();
            let absent = HashSet::new();
            let marks = &trees::marks(&each, flagged.iter());
            let question = Question { flagged: &flagged, marks, absent: &absent };
            let (slow, lost) = origins::table(&each, &question);
            prop_assert_eq!(lost, vec![]);
            let sketch = Sketch::of(&each, &flagged, None);
            let quick = sketch.table(&flagged, &absent).unwrap();
            let mut count = 0;
            for tree in Repo::oracle(repo.path(), "tree").keys() {
                let of = |table: &Table| {
                    let number = table.numbers.get(tree);
                    number.map_or_else(Vec::new, |it| below(table, *it, ""))
                };
                let expected = of(&slow);
                count += expected.len();
                prop_assert_eq!(of(&quick), expected);
            }
            prop_assert!(count >= flagged.len(), "{} of {}", count, flagged.len());
            let cut = Sketch::within(sketch.rows.len() - 1, &each, &flagged, None);
            prop_assert!(cut.table(&flagged, &absent).is_none());
        }
    }
}
