//! The map as a graph: things as nodes, and who passes a secret on to whom as edges.
//!
//! Not here: how either is drawn. Every text in it has been cleaned.

use super::subject::Selected;
use crate::model::finding::Finding;
use crate::model::map::{Evidence, Hop, Use};
use crate::report::text::{Redactor, rfc3339};
use serde::Serialize;
use std::collections::HashMap;

/// What a node stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NodeKind {
    /// A record of the inventory.
    Record,
    /// A value that no record has.
    Stray,
    /// A secret object in Kubernetes.
    KubernetesSecret,
    /// A secret of a CI system.
    CiSecret,
    /// A variable of an environment.
    Environment,
    /// An object of another store.
    Object,
    /// A line that uses it.
    Place,
    /// What runs that line.
    Workload,
    /// The file it stands in.
    File,
}

impl NodeKind {
    /// The name in every format.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Stray => "stray",
            Self::KubernetesSecret => "kubernetes-secret",
            Self::CiSecret => "ci-secret",
            Self::Environment => "environment",
            Self::Object => "object",
            Self::Place => "place",
            Self::Workload => "workload",
            Self::File => "file",
        }
    }

    /// By the provider of a name.
    fn of(name: &str) -> Self {
        match name.split(':').next() {
            Some("kubernetes") => Self::KubernetesSecret,
            Some("env") => Self::Environment,
            Some(provider) if CI.contains(&provider) => Self::CiSecret,
            _ => Self::Object,
        }
    }
}

/// Providers that are CI systems.
const CI: &[&str] = &[
    "github-actions",
    "gitlab-ci",
    "circleci",
    "jenkins",
    "azure-pipelines",
    "bitbucket-pipelines",
    "drone",
    "buildkite",
    "travis",
];

#[derive(Serialize)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) label: String,
    /// The repository it lies in, where it lies in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repository: Option<String>,
    #[serde(flatten)]
    pub(super) facts: Option<Facts>,
}

/// What is told of a record.
#[derive(Serialize)]
pub(super) struct Facts {
    pub(super) environment: Option<String>,
    pub(super) owners: Vec<String>,
    pub(super) rotated: Option<String>,
    pub(super) expires: Option<String>,
    /// Codes of verdicts with their levels, the worst first.
    pub(super) verdicts: Vec<(&'static str, &'static str)>,
}

/// From who gives to who takes.
#[derive(PartialEq, Eq, Hash, Clone, Serialize)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// How the two were joined: the syntax of the reference, the rule that saw the value, or `runs` and
    /// `in` for where a place belongs.
    pub(super) by: String,
    pub(super) evidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) occurrence: Option<String>,
}

/// Where a thing belongs, which no line says.
pub(super) const BELONGS: &str = "place";

/// A use as a way through the graph.
pub(super) struct Walk {
    /// The record, or the value that none has.
    pub(super) from: usize,
    /// Edges in their order; the last leads to a place.
    pub(super) edges: Vec<usize>,
    /// What runs that place.
    pub(super) workload: Option<usize>,
}

#[derive(Default, Serialize)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    #[serde(skip)]
    pub(super) walks: Vec<Walk>,
}

impl Graph {
    /// Of what is asked for; nodes and edges come in an order that the report alone decides.
    pub(super) fn of(selected: &Selected<'_>, text: &Redactor) -> Self {
        let mut builder = Builder {
            graph: Self::default(),
            text,
            nodes: HashMap::new(),
            edges: HashMap::new(),
        };
        for (name, entry) in &selected.entries {
            let record = builder.node(NodeKind::Record, text.clean(name), None);
            builder.graph.nodes[record].facts = Some(facts(text, entry));
            for it in &entry.uses {
                builder.add(record, it);
            }
        }
        for it in &selected.strays {
            builder.stray(it);
        }
        builder.graph
    }
}

fn facts(text: &Redactor, entry: &super::subject::Entry<'_>) -> Facts {
    let record = entry.record;
    let mut verdicts: Vec<_> = entry.verdicts.iter().filter(|it| !it.waived).collect();
    verdicts.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.id));
    verdicts.dedup_by_key(|it| it.id);
    Facts {
        environment: record.and_then(|it| Some(text.clean(it.environment.as_deref()?))),
        owners: record.map_or_else(Vec::new, |it| {
            it.owners.iter().map(|it| text.clean(it)).collect()
        }),
        rotated: record.and_then(|it| rfc3339(it.rotated?)),
        expires: record.and_then(|it| rfc3339(it.expires?)),
        verdicts: verdicts
            .iter()
            .map(|it| (it.id.code(), it.level().name()))
            .collect(),
    }
}

struct Builder<'a> {
    graph: Graph,
    text: &'a Redactor,
    nodes: HashMap<(NodeKind, String, Option<String>), usize>,
    edges: HashMap<Edge, usize>,
}

impl Builder<'_> {
    fn node(&mut self, kind: NodeKind, label: String, repository: Option<String>) -> usize {
        let next = self.graph.nodes.len();
        let key = (kind, label, repository);
        if let Some(known) = self.nodes.get(&key) {
            return *known;
        }
        let (_, label, repository) = key.clone();
        self.nodes.insert(key, next);
        self.graph.nodes.push(Node {
            kind,
            label,
            repository,
            facts: None,
        });
        next
    }

    fn edge(&mut self, edge: Edge) -> usize {
        let next = self.graph.edges.len();
        if let Some(known) = self.edges.get(&edge) {
            return *known;
        }
        self.edges.insert(edge.clone(), next);
        self.graph.edges.push(edge);
        next
    }

    /// The chain of a use: each hop leads to what the next one names, the last to its place.
    fn add(&mut self, record: usize, it: &Use) {
        let mut from = record;
        let mut edges = Vec::with_capacity(it.chain.len());
        for (at, hop) in it.chain.iter().enumerate() {
            let next = it.chain.get(at + 1);
            let to = match next {
                Some(next) => self.object(next),
                None => self.place(hop),
            };
            let edge = Edge {
                from,
                to,
                by: self.text.clean(&hop.syntax),
                evidence: it.evidence.name(),
                path: Some(self.path(hop)),
                line: Some(hop.line.max(1)),
                author: hop.author.as_deref().map(|it| self.text.clean(it)),
                date: hop.date.and_then(rfc3339),
                occurrence: it.occurrence.clone(),
            };
            edges.push(self.edge(edge));
            from = to;
        }
        if let Some(hop) = it.chain.last() {
            let workload = self.belongs(from, hop, it.consumer.as_deref());
            self.graph.walks.push(Walk {
                from: record,
                edges,
                workload,
            });
        }
    }

    /// Ties a place to what runs it, which comes back, and to its file.
    fn belongs(&mut self, place: usize, hop: &Hop, consumer: Option<&str>) -> Option<usize> {
        let repository = self.repository(hop);
        let path = self.text.clean(&hop.path);
        let tie = |this: &mut Self, kind, label: String, by: &str| {
            let to = this.node(kind, label, repository.clone());
            this.edge(Edge {
                from: place,
                to,
                by: by.to_owned(),
                evidence: BELONGS,
                path: None,
                line: None,
                author: None,
                date: None,
                occurrence: None,
            });
            to
        };
        let workload = consumer.filter(|it| *it != hop.path).map(|consumer| {
            let label = self.text.clean(consumer);
            tie(self, NodeKind::Workload, label, "runs")
        });
        tie(self, NodeKind::File, path, "in");
        workload
    }

    fn stray(&mut self, it: &Finding) {
        let label = format!(
            "{} {}",
            self.text.clean(&it.rule),
            self.text.clean(&it.masked)
        );
        let origin = it.origins.first();
        let introduced = origin.and_then(|it| it.introduced.as_ref());
        let from = self.node(NodeKind::Stray, label, None);
        let hop = Hop {
            repository: origin.and_then(|it| it.repository.clone()),
            path: it.path.clone(),
            line: it.place.line,
            syntax: it.rule.clone(),
            name: String::new(),
            author: introduced.map(|it| it.author.clone()),
            date: introduced.map(|it| it.seconds),
        };
        let to = self.place(&hop);
        let edge = Edge {
            from,
            to,
            by: self.text.clean(&it.rule),
            evidence: Evidence::Value.name(),
            path: Some(self.path(&hop)),
            line: Some(hop.line.max(1)),
            author: introduced.map(|it| self.text.clean(&it.author)),
            date: introduced.and_then(|it| rfc3339(it.seconds)),
            occurrence: Some(it.occurrence.to_string()),
        };
        let edges = vec![self.edge(edge)];
        self.belongs(to, &hop, None);
        self.graph.walks.push(Walk {
            from,
            edges,
            workload: None,
        });
    }

    /// What a hop names. A variable that no workload is said to have is one of its repository.
    fn object(&mut self, hop: &Hop) -> usize {
        let kind = NodeKind::of(&hop.name);
        let is_scoped = hop.name.contains('/');
        let repository = self
            .repository(hop)
            .filter(|_| kind == NodeKind::Environment && !is_scoped);
        self.node(kind, self.text.clean(&hop.name), repository)
    }

    fn place(&mut self, hop: &Hop) -> usize {
        let label = format!("{}:{}", self.text.clean(&hop.path), hop.line.max(1));
        let repository = self.repository(hop);
        self.node(NodeKind::Place, label, repository)
    }

    fn repository(&self, hop: &Hop) -> Option<String> {
        let name = hop.repository.as_deref().filter(|it| *it != ".");
        name.map(|it| self.text.clean(it))
    }

    /// The path with its repository.
    fn path(&self, hop: &Hop) -> String {
        let path = self.text.clean(&hop.path);
        match self.repository(hop) {
            Some(repository) => format!("{repository}/{path}"),
            None => path,
        }
    }
}
