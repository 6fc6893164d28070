//! Kubernetes objects in a YAML tree: kind, name, namespace, and the node each starts at.
//!
//! What the objects mean is for the caller; `kind: List` is opened here.

use super::yaml::{NodeId, Tree};

/// One object.
#[derive(Debug)]
pub struct Object<'t> {
    /// `kind`, empty where the document has none (Helm values, overlays).
    pub kind: &'t str,
    /// `apiVersion`.
    pub version: &'t str,
    /// `metadata.name`, else `metadata.generateName`.
    pub name: &'t str,
    /// `metadata.namespace`, empty if not written.
    pub namespace: &'t str,
    /// Its mapping.
    pub node: NodeId,
}

impl Object<'_> {
    /// `Kind/name`; `None` without a kind.
    pub fn title(&self) -> Option<String> {
        (!self.kind.is_empty()).then(|| format!("{}/{}", self.kind, self.name))
    }
}

/// The objects of all documents.
pub fn objects<'t>(tree: &'t Tree<'_>) -> Vec<Object<'t>> {
    let mut found = Vec::new();
    for root in tree.roots() {
        let is_list = tree
            .text_at(*root, &["kind"])
            .is_some_and(|kind| kind.ends_with("List"));
        match tree.get(*root, "items") {
            Some(items) if is_list => {
                found.extend(tree.items(items).iter().map(|item| object(tree, *item)));
            }
            _ => found.push(object(tree, *root)),
        }
    }
    found
}

fn object<'t>(tree: &'t Tree<'_>, node: NodeId) -> Object<'t> {
    let node = tree.follow(node);
    let text = |path: &[&str]| tree.text_at(node, path).unwrap_or("");
    let name = match text(&["metadata", "name"]) {
        "" => text(&["metadata", "generateName"]),
        name => name,
    };
    Object {
        kind: text(&["kind"]),
        version: text(&["apiVersion"]),
        name,
        namespace: text(&["metadata", "namespace"]),
        node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_documents_are_opened() {
        let tree = Tree::read(
            "kind: Pod\nmetadata: {name: a, namespace: shop}\n---\nkind: List\nitems:\n- kind: Job\n  metadata: {name: b}\n- kind: Pod\n  metadata: {generateName: c-}\n---\nimage: x\n",
        );
        let titles: Vec<_> = objects(&tree)
            .iter()
            .map(|it| (it.title(), it.namespace))
            .collect();
        assert_eq!(
            titles,
            [
                (Some("Pod/a".to_owned()), "shop"),
                (Some("Job/b".to_owned()), ""),
                (Some("Pod/c-".to_owned()), ""),
                (None, ""),
            ]
        );
    }
}
