//! The graph as text that other programs draw: DOT (Graphviz) and Mermaid.
//!
//! Sources: the grammar of DOT, <https://graphviz.org/doc/info/lang.html>; Mermaid's flowcharts,
//! <https://mermaid.js.org/syntax/flowchart.html>.

use super::graph::{Edge, Graph, NodeKind};
use std::io::{self, Write};

/// Shape in Graphviz, and the brackets around a label in Mermaid.
fn shape(kind: NodeKind) -> (&'static str, [&'static str; 2]) {
    match kind {
        NodeKind::Record => ("cylinder", ["[(", ")]"]),
        NodeKind::Stray => ("octagon", ["{{", "}}"]),
        NodeKind::KubernetesSecret | NodeKind::CiSecret | NodeKind::Object => {
            ("box3d", ["[[", "]]"])
        }
        NodeKind::Environment => ("cds", [">", "]"]),
        NodeKind::Place => ("plaintext", ["[", "]"]),
        NodeKind::Workload => ("component", ["([", "])"]),
        NodeKind::File => ("note", ["[/", "/]"]),
    }
}

/// What is written beside an edge.
fn words(edge: &Edge) -> String {
    match (&edge.path, edge.line) {
        (Some(path), Some(line)) => format!("{} {path}:{line}", edge.by),
        _ => edge.by.clone(),
    }
}

/// A label with the repository it lies in.
fn label(graph: &Graph, at: usize) -> String {
    let node = &graph.nodes[at];
    match &node.repository {
        Some(repository) => format!("{} ({repository})", node.label),
        None => node.label.clone(),
    }
}

pub(super) fn dot(out: &mut dyn Write, graph: &Graph) -> io::Result<()> {
    // In a quoted string only the quote and the backslash mean something.
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    writeln!(out, "digraph keyatlas {{")?;
    writeln!(out, "  rankdir=LR;")?;
    for (at, node) in graph.nodes.iter().enumerate() {
        let text = quoted(&label(graph, at));
        let (shape, _) = shape(node.kind);
        writeln!(
            out,
            "  n{at} [shape={shape}, class=\"{}\", label={text}];",
            node.kind.name()
        )?;
    }
    for edge in &graph.edges {
        let Edge { from, to, .. } = edge;
        let style = if edge.evidence == "value" {
            ", style=bold"
        } else {
            ""
        };
        writeln!(
            out,
            "  n{from} -> n{to} [label={}{style}];",
            quoted(&words(edge))
        )?;
    }
    writeln!(out, "}}")
}

pub(super) fn mermaid(out: &mut dyn Write, graph: &Graph) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for (at, node) in graph.nodes.iter().enumerate() {
        let (_, [open, close]) = shape(node.kind);
        writeln!(
            out,
            "  n{at}{open}\"{}\"{close}",
            entities(&label(graph, at))
        )?;
    }
    for edge in &graph.edges {
        let Edge { from, to, .. } = edge;
        let arrow = if edge.evidence == "value" {
            "==>"
        } else {
            "-->"
        };
        writeln!(
            out,
            "  n{from} {arrow}|\"{}\"| n{to}",
            entities(&words(edge))
        )?;
    }
    Ok(())
}

/// Characters that mean something to Mermaid or to the page around it, as its numbered entities.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '`' | ';' | '\\' => {
                out.push_str(&format!("#{};", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out
}
