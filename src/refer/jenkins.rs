//! Jenkins: credentials by id in pipelines, secrets of Vault that a pipeline asks for, and the variables of
//! configuration as code.
//!
//! The bindings: <https://www.jenkins.io/doc/pipeline/steps/credentials-binding/>.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::table::{
    File, Named, Pattern, Row, extension, file_name, group, name, read_rows, text, uses,
};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "credentialsId",
    "credentials(",
    "vaultSecrets",
    "jenkins:",
    "usernamePassword(",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "Jenkinsfile",
    "pipeline { environment { DB_PASSWORD = credentials('shop-db') } }\n",
);

static ROWS: [Row; 2] = [
    uses(
        "jenkins-credential",
        is_pipeline,
        &["credentials("],
        r#"(?:\b([A-Za-z_][A-Za-z0-9_]*)\s*=\s*)?\bcredentials\(\s*["'](?P<id>[^"'\n]{1,128})["']"#,
        |it, id| Some(credential(id).yielding(text(it, 1))),
    ),
    uses(
        "jenkins-credential",
        is_pipeline,
        &["credentialsId"],
        r#"\bcredentialsId\s*[:=]\s*["']([^"'\n]{1,128})["'](?:[^()\[\]]{0,200}?\b(?:variable|passwordVariable|keyFileVariable|tokenVariable|secretKeyVariable|keystoreVariable)\s*:\s*["']([A-Za-z_][A-Za-z0-9_]*)["'])?"#,
        |it, id| Some(credential(id).yielding(text(it, 2))),
    ),
];

static VAULT: Pattern = Pattern::new(
    r#"\bpath:\s*["']([^"'\n]{1,256})["'][^\[\]]{0,200}\bsecretValues:\s*\[((?:[^\[\]]|\[[^\[\]]*\]){1,2000})\]"#,
);
static VALUE: Pattern =
    Pattern::new(r#"(?:\benvVar:\s*["'](\w+)["']\s*,\s*)?\bvaultKey:\s*["']([^"'\n]{1,128})["']"#);

fn credential(id: &str) -> Named {
    SecretName::new("jenkins", id).into()
}

fn is_pipeline(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("Jenkinsfile")
        || matches!(
            extension(path),
            "groovy" | "jenkinsfile" | "Jenkinsfile" | "jenkins"
        )
}

fn is_configuration(path: &str) -> bool {
    let name = file_name(path);
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    is_yaml && (name.starts_with("jenkins") || name.contains("casc") || path.contains("casc"))
}

pub(super) fn applies(path: &str) -> bool {
    is_pipeline(path) || is_configuration(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    if is_configuration(file.path) {
        configuration(file, emit);
        return;
    }
    let mut named = |it: Mention| {
        emit(Mention {
            consumer: Some(file.path.to_owned()),
            ..it
        });
    };
    read_rows(file, &ROWS, &mut named);
    if file.has_any(&["vaultSecrets"]) {
        file.each(&VAULT, |it| vault(file, it, &mut named));
    }
}

/// `[path: 'kv/shop/db', secretValues: [[envVar: 'DB_PASSWORD', vaultKey: 'password']]]`.
fn vault(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let (Some((path, _)), Some((values, at)), Some(regex)) =
        (group(captures, 1), group(captures, 2), VALUE.regex())
    else {
        return;
    };
    for value in regex.captures_iter(values) {
        if let Some((key, span)) = group(&value, 2) {
            let span = Span::new(at.start + span.start, at.start + span.end);
            let mention = file.mention("jenkins-vault", name::vault(path, Some(key)), span);
            let yields = text(&value, 1).map(|it| name::env(it, ""));
            emit(Mention { yields, ..mention });
        }
    }
}

/// `${VAR}` in configuration as code is read from the controller's environment or its secret sources.
fn configuration(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for id in tree.all().filter(|id| tree.text(*id).is_some()) {
        let span = tree.node(id).span;
        let braced = |at: usize| file.text[..at].ends_with("${");
        file.each_variable(span, &mut |variable, span| {
            if braced(span.start) && name::looks_secret(variable) {
                emit(file.mention("jenkins-configuration", name::env(variable, ""), span));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn pipelines_name_credentials() {
        let text = "\
pipeline {
  // environment { OLD = credentials('old') }
  environment { DB_PASSWORD = credentials('shop-db') }
  stages { steps {
    withCredentials([string(credentialsId: 'npm', variable: 'NPM_TOKEN'),
      usernamePassword(credentialsId: 'registry', usernameVariable: 'U', passwordVariable: 'P')]) { sh 'x' }
    git credentialsId: 'git-key', url: 'x'
    withVault([vaultSecrets: [[path: 'kv/shop/db', engineVersion: 2, secretValues: [
      [envVar: 'PW', vaultKey: 'password'], [vaultKey: 'user']]]]]) { sh 'x' }
  } }
}
";
        assert_eq!(
            told(read, "Jenkinsfile", text),
            [
                "3 jenkins-credential jenkins:shop-db -> env:DB_PASSWORD by Jenkinsfile",
                "5 jenkins-credential jenkins:npm -> env:NPM_TOKEN by Jenkinsfile",
                "6 jenkins-credential jenkins:registry -> env:P by Jenkinsfile",
                "7 jenkins-credential jenkins:git-key by Jenkinsfile",
                "9 jenkins-vault vault:kv/shop/db#password -> env:PW by Jenkinsfile",
                "9 jenkins-vault vault:kv/shop/db#user by Jenkinsfile",
            ]
        );
    }

    #[test]
    fn configuration_as_code_reads_variables() {
        let text =
            "jenkins:\n  x: ${JENKINS_HOME}\n  password: ${ADMIN_PASSWORD}\n  y: $ADMIN_PASSWORD\n";
        assert_eq!(
            told(read, "jenkins.yaml", text),
            ["3 jenkins-configuration env:ADMIN_PASSWORD"]
        );
    }

    #[test]
    fn other_groovy_is_silent() {
        for text in ["def credentials = load('x')", "println 'credentialsId'"] {
            assert!(told(read, "a.groovy", text).is_empty(), "{text}");
        }
    }
}
