//! Where the paths of a SARIF log begin, and how a path or a remote's address is written as a URI.
//!
//! Not here: what is said at a path.

use crate::model::report::Report;
use crate::report::text::{Redactor, percent};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The base of the one repository or folder, or of the folder around several repositories.
pub(crate) const ROOT: &str = "SRCROOT";

/// The id of the base that paths of a repository are relative to.
pub(crate) fn base(text: &Redactor, repository: Option<&str>) -> String {
    match repository {
        Some(name) if name != "." => format!("{ROOT}:{}", text.uri(name)),
        _ => ROOT.to_owned(),
    }
}

/// Every base in use: the root, and each repository that lies below it.
pub(crate) fn bases(report: &Report, text: &Redactor) -> Value {
    let mut bases = json!({
        ROOT: {"description": {"text": "The root of the scanned repository or folder."}}
    });
    let of_findings = report.findings.iter().flat_map(|it| &it.origins);
    let of_uses = report.map.uses.iter().flat_map(|it| &it.chain);
    let names: BTreeSet<&str> = of_findings
        .filter_map(|it| it.repository.as_deref())
        .chain(of_uses.filter_map(|it| it.repository.as_deref()))
        .chain(
            report
                .verdicts
                .iter()
                .filter_map(|it| it.repository.as_deref()),
        )
        .chain(report.repositories.iter().map(|it| it.name.as_str()))
        .filter(|it| *it != ".")
        .collect();
    for name in names {
        bases[base(text, Some(name))] = json!({
            "uri": format!("{}/", text.uri(&relative(&text.redact(name)))),
            "uriBaseId": ROOT,
            "description": {"text": format!("The root of the repository {}.", text.clean(name))},
        });
    }
    bases
}

/// A path as code scanning takes it: relative, without `.` and `..`, never empty. Of an absolute path
/// only the file name stays, of a URL what follows the scheme.
pub(crate) fn relative(path: &str) -> String {
    let path = path.split_once("://").map_or(path, |(_, rest)| {
        rest.split(['?', '#']).next().unwrap_or(rest)
    });
    let drive = path.as_bytes().get(1) == Some(&b':')
        && path.as_bytes().get(2).is_some_and(|it| b"/\\".contains(it));
    let path = if path.starts_with('/') || drive {
        path.rsplit(['/', '\\']).next().unwrap_or(path)
    } else {
        path
    };
    let parts: Vec<_> = path
        .split('/')
        .filter(|it| !matches!(*it, "" | "." | ".."))
        .collect();
    if parts.is_empty() {
        "inventory".to_owned()
    } else {
        parts.join("/")
    }
}

/// A remote's URL as an absolute URI: `host:path` becomes `ssh://host/path`, other characters are encoded.
pub(crate) fn absolute(url: &str) -> String {
    let url = match (url.contains("://"), url.split_once(':')) {
        (false, Some((host, path))) => format!("ssh://{host}/{}", path.trim_start_matches('/')),
        (false, None) => format!("file:///{}", url.trim_start_matches('/')),
        (true, _) => url.to_owned(),
    };
    url.split(':').map(percent).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::Repository;

    #[test]
    fn paths_become_relative() {
        assert_eq!(relative("./a/../b"), "a/b");
        assert_eq!(relative("/srv/x/export.json"), "export.json");
        assert_eq!(relative("C:\\x\\export.json"), "export.json");
        assert_eq!(relative("https://vault.example/kv?x=1"), "vault.example/kv");
        assert_eq!(relative(""), "inventory");
        assert_eq!(absolute("host.test:a b.git"), "ssh://host.test/a%20b.git");
        assert_eq!(
            absolute("https://host.test:8/a.git"),
            "https://host.test:8/a.git"
        );
    }

    #[test]
    fn each_repository_has_a_base_of_its_own() {
        let repository = |name: &str| Repository {
            name: name.to_owned(),
            url: None,
            head: None,
            branch: None,
        };
        let mut report = Report {
            repositories: vec![repository(".")],
            ..Report::default()
        };
        let text = Redactor::new(&report);
        let of = |report: &Report| bases(report, &Redactor::new(report));
        let names =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(names(&of(&report)), ["SRCROOT"]);
        report.repositories = vec![repository("shop api"), repository("web")];
        let told = of(&report);
        assert_eq!(
            names(&told),
            ["SRCROOT", "SRCROOT:shop%20api", "SRCROOT:web"]
        );
        assert_eq!(told["SRCROOT:shop%20api"]["uri"], "shop%20api/");
        assert_eq!(told["SRCROOT:web"]["uriBaseId"], "SRCROOT");
        for (name, expected) in [
            (None, "SRCROOT"),
            (Some("."), "SRCROOT"),
            (Some("shop api"), "SRCROOT:shop%20api"),
        ] {
            assert_eq!(base(&text, name), expected);
        }
    }
}
