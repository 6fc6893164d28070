//! Nomad and Consul: variables and keys that templates ask for, and the role a job has in Vault.
//!
//! <https://developer.hashicorp.com/nomad/docs/job-specification/template>. `{{ with secret ... }}` is read in
//! `vault`.

use crate::model::reference::{Mention, SecretName};
use crate::refer::table::{File, Row, declares, extension, has_extension, name, read_rows, uses};

pub(super) const ANCHORS: &[&str] = &[
    "nomadVar",
    "{{ key \"",
    "{{key \"",
    "keyOrDefault",
    "vault {",
    "nomad var ",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "jobs/shop.nomad",
    "template { data = \"{{ with nomadVar \\\"nomad/jobs/shop\\\" }}{{ .db_password }}{{ end }}\" }\n",
);

static ROWS: [Row; 4] = [
    uses(
        "nomad-variable",
        is_template,
        &["nomadVar"],
        r#"\bnomadVar\s+\\?["'`]([^"'`\\\n]{1,256})"#,
        |_, id| Some(SecretName::new("nomad", id).into()),
    ),
    uses(
        "nomad-variable",
        |path| has_extension(path, &["sh", "bash", "yml", "yaml", "mk", "md"]),
        &["nomad var "],
        r#"\bnomad\s+var\s+(?:get|put|init|purge)\s+(?:-\S+\s+){0,6}["']?([A-Za-z0-9_$][A-Za-z0-9_/${}.-]{1,255})"#,
        |_, id| Some(SecretName::new("nomad", id).into()).filter(|_| id.contains('/')),
    ),
    uses(
        "consul-key",
        is_template,
        &["{{ key \"", "{{key \"", "keyOrDefault"],
        r#"\{\{-?\s*(?:key|keyOrDefault)\s+\\?["'`]([^"'`\\\n]{1,256})"#,
        |_, id| {
            let last = id.rsplit('/').next().unwrap_or(id);
            Some(SecretName::new("consul", id).into()).filter(|_| name::property_looks_secret(last))
        },
    ),
    declares(
        "nomad-vault-role",
        is_template,
        &["vault {"],
        r#"(?m)^[ \t]*vault\s*\{[^{}]{0,300}?\b(?:role|policies)\s*=\s*\[?\s*"([^"\n]{1,128})""#,
        |_, id| Some(SecretName::new("vault", &format!("role/{id}")).into()),
    ),
];

fn is_template(path: &str) -> bool {
    matches!(
        extension(path),
        "nomad" | "hcl" | "ctmpl" | "tpl" | "tmpl" | "j2"
    )
}

pub(super) fn applies(path: &str) -> bool {
    is_template(path) || has_extension(path, &["sh", "bash", "yml", "yaml", "mk", "md"])
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn jobs_ask_for_variables_and_roles() {
        let text = "\
job \"shop\" {
  vault {
    role = \"shop\"
  }
  # {{ key \"shop/old_password\" }}
  template {
    data = <<EOH
{{ with nomadVar \"nomad/jobs/shop\" }}{{ .db_password }}{{ end }}
{{ key \"shop/api_key\" }} {{ key \"shop/url\" }}
EOH
  }
}
";
        assert_eq!(
            told(read, "shop.nomad", text),
            [
                "8 nomad-variable nomad:nomad/jobs/shop",
                "9 consul-key consul:shop/api_key",
                "3 nomad-vault-role vault:role/shop decl",
            ]
        );
        assert_eq!(
            told(
                read,
                "a.sh",
                "nomad var put -force nomad/jobs/shop db_password=x\nnomad var list\n"
            ),
            ["1 nomad-variable nomad:nomad/jobs/shop"]
        );
        assert!(!applies("a.py"));
    }
}
