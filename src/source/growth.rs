//! The table of an earlier survey, carried on with the trees that came later.
//!
//! Not here: what came later, and whether it may be carried on: only if nothing of before is gone, and what is
//! flagged now and was not then came later too.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::source::compare::{self, Entry};
use crate::source::fold::fold;
use crate::source::objects::Visit;
use crate::source::origins::Table;
use crate::source::pack::Kind;
use crate::source::trees::Each;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// The table with the trees that came later, and those of them that could not be read.
pub(crate) fn grown(mut table: Table, each: &Each<'_>, question: &Growth<'_>) -> (Table, Vec<Gap>) {
    table.reopen();
    let grower = Grower {
        question,
        kept: Mutex::new((table, Vec::new())),
    };
    each(&[Kind::Tree], &grower);
    let (mut table, gaps) = grower
        .kept
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    fold(&mut table);
    (table, gaps)
}

/// What is looked for in trees that came later.
pub(crate) struct Growth<'a> {
    pub(crate) flagged: &'a HashSet<ObjectId>,
    /// Trees that are named and not there: they are looked for as blobs are.
    pub(crate) absent: &'a HashSet<ObjectId>,
    /// What came later.
    pub(crate) newcomers: &'a HashSet<ObjectId>,
    /// Of a tree that was there, what stands for it in the table, if anything is flagged below it.
    pub(crate) stand: &'a (dyn Fn(&ObjectId) -> Option<u32> + Sync),
}

/// Keeps the flagged entries of trees that came later, and those that may turn out to be.
struct Grower<'a> {
    question: &'a Growth<'a>,
    kept: Mutex<(Table, Vec<Gap>)>,
}

impl Visit for Grower<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let Growth {
            flagged,
            absent,
            newcomers,
            stand,
        } = self.question;
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let table = &mut guard.0;
        let mut kept: Vec<Entry<u32, u32>> = Vec::new();
        for entry in compare::entries(bytes).filter(|it| !it.is_submodule()) {
            let Some(id) = ObjectId::from_bytes(entry.id) else {
                continue;
            };
            let is_tree = entry.is_tree() && !absent.contains(&id);
            let number = match is_tree {
                true if !newcomers.contains(&id) => stand(&id),
                true => Some(table.number(id)),
                false => flagged.contains(&id).then(|| table.number(id)),
            };
            if let Some(number) = number {
                kept.push((table.name(entry.name), number, is_tree).into());
            }
        }
        table.keep(id, kept);
    }

    fn failed(&self, gap: Gap) {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.push(gap);
    }
}
