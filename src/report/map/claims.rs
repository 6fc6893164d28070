//! Whom CODEOWNERS files name for the places of a record's uses: claims of the scanned trees, told as a hint.
//!
//! Not here: how such a file is read; that is a noun.

use super::subject::Entry;
use crate::model::origin::shown;
use crate::model::report::Report;
use crate::report::text::Redactor;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Somebody, and the places they are claimed to answer for.
#[derive(Serialize)]
pub(super) struct ClaimOut {
    pub(super) who: String,
    places: Vec<String>,
}

/// Who is named, by repository and path.
type Named<'r> = HashMap<(Option<&'r str>, &'r str), Vec<&'r str>>;

/// The claims of a report; each path is asked for once.
pub(super) struct Claims<'r> {
    report: &'r Report,
    known: RefCell<Named<'r>>,
}

impl<'r> Claims<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        Self {
            report,
            known: RefCell::default(),
        }
    }

    /// On the last places of the uses.
    pub(super) fn on(&self, text: &Redactor, entry: &Entry<'r>) -> Vec<ClaimOut> {
        if self.report.claims.is_empty() {
            return Vec::new();
        }
        let mut known = self.known.borrow_mut();
        let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for hop in entry.uses.iter().filter_map(|it| it.chain.last()) {
            let repository = hop.repository.as_deref();
            let named = known
                .entry((repository, &hop.path))
                .or_insert_with(|| self.report.claimed(repository, &hop.path).0);
            for who in named {
                let place = text.clean(&shown(repository, &hop.path));
                let place = format!("{place}:{}", hop.line.max(1));
                found.entry(who).or_default().insert(place);
            }
        }
        let out = |(who, places): (&str, BTreeSet<String>)| ClaimOut {
            who: text.clean(who),
            places: places.into_iter().collect(),
        };
        found.into_iter().map(out).collect()
    }
}
