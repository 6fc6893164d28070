//! What is true of the estate, as `fixtures/estate/truth` says, brought to the form of what the program tells.

use crate::world::{World, table};
use std::collections::{BTreeMap, BTreeSet};

/// The family of a value in the clear.
pub(crate) const VALUE: &str = "value";

/// A place that names a secret, or holds a value.
pub(crate) struct Place {
    /// The number of a family of `docs/references.md`, or [`VALUE`].
    pub(crate) family: String,
    repository: String,
    path: String,
    line: u64,
    syntax: String,
    name: String,
    role: String,
}

impl Place {
    /// As a step of a use: `repository/path:line syntax name`.
    pub(crate) fn hop(&self) -> String {
        hop(
            &self.repository,
            &self.path,
            self.line,
            &self.syntax,
            &self.name,
        )
    }

    /// `repository/path:line`.
    pub(crate) fn spot(&self) -> String {
        format!("{}/{}:{}", self.repository, self.path, self.line)
    }

    /// Whether it reads something, and is no manual.
    pub(crate) fn is_used(&self) -> bool {
        self.role == "use"
    }

    /// As an entry of `references`, which names no repository: `path:line syntax role certainty`.
    pub(crate) fn mention(&self) -> String {
        let (role, certainty) = match self.role.as_str() {
            "example" => ("use", "example"),
            role => {
                let open = self.name.contains('*');
                (role, if open { "pattern" } else { "literal" })
            }
        };
        format!(
            "{}:{} {} {role} {certainty}",
            self.path, self.line, self.syntax
        )
    }
}

/// A step of a use; what lies there as a value is told by its place alone.
pub(crate) fn hop(repository: &str, path: &str, line: u64, syntax: &str, name: &str) -> String {
    format!("{repository}/{path}:{line} {syntax} {name}")
}

/// A use in a line.
pub(crate) fn edge(record: &str, evidence: &str, hops: &[String]) -> String {
    format!("{record} {evidence}: {}", hops.join(" > "))
}

/// Places by their names in the truth.
pub(crate) struct Truth {
    pub(crate) places: BTreeMap<String, Place>,
}

impl Truth {
    pub(crate) fn new(world: &World) -> Self {
        let mut places = BTreeMap::new();
        for row in table("truth/places.txt") {
            let cell = |at: usize| row.get(at).cloned().unwrap_or_default();
            let (repository, path) = row[1].split_once(':').unwrap();
            let place = Place {
                family: cell(3),
                repository: repository.to_owned(),
                path: path.to_owned(),
                line: world.line(repository, path, &row[2]),
                syntax: cell(4),
                name: cell(5),
                role: Some(cell(6))
                    .filter(|it| !it.is_empty())
                    .unwrap_or("use".to_owned()),
            };
            let former = places.insert(row[0].clone(), place);
            assert!(
                former.is_none(),
                "places.txt: {} stands there twice",
                row[0]
            );
        }
        Self { places }
    }

    fn place(&self, id: &str) -> &Place {
        let known = self.places.get(id);
        known.unwrap_or_else(|| panic!("uses.txt: places.txt has no `{id}`"))
    }

    /// Every use, with the families of its steps.
    pub(crate) fn edges(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut edges = BTreeMap::new();
        for row in table("truth/uses.txt") {
            let chain: Vec<&Place> = row[2].split(" > ").map(|it| self.place(it)).collect();
            let is_value = row[1] == VALUE;
            let step = |it: &&Place| if is_value { it.spot() } else { it.hop() };
            let hops: Vec<String> = chain.iter().map(step).collect();
            let families = chain.iter().map(|it| it.family.clone()).collect();
            let former = edges.insert(edge(&row[0], &row[1], &hops), families);
            assert!(former.is_none(), "uses.txt: {row:?} stands there twice");
        }
        edges
    }

    /// Every place that names a secret, with its family; those that are alike are counted.
    pub(crate) fn mentions(&self) -> Vec<(String, String)> {
        let named = self.places.values().filter(|it| it.family != VALUE);
        named.map(|it| (it.mention(), it.family.clone())).collect()
    }

    /// Every verdict: its id, and its record or place.
    pub(crate) fn verdicts(&self) -> BTreeSet<(String, String)> {
        let rows = table("truth/verdicts.txt").into_iter();
        rows.map(|row| (row[0].clone(), row[1].clone())).collect()
    }
}
