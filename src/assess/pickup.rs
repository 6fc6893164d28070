//! How each way of naming a secret comes to a new value.
//!
//! Facts, from the documentation of whoever reads the reference. Variables of a process and of a container are
//! fixed at its start (<https://kubernetes.io/docs/concepts/configuration/secret/>); mounted secrets are
//! replaced under it (same page); operators sync at an interval
//! (<https://external-secrets.io/latest/api/externalsecret/>); jobs of CI systems are given their secrets when
//! they start (<https://docs.github.com/en/actions/concepts/security/secrets>).

use crate::model::rotation::Pickup;

/// By what the name of a syntax is, or begins or ends with.
const TABLE: &[(Pickup, &[&str])] = &[
    (
        Pickup::Sync,
        &[
            "external-secret*",
            "push-secret",
            "vault-secret*",
            "infisical-secret",
            "doppler-secret",
            "onepassword-item",
            "secret-store",
        ],
    ),
    (
        Pickup::Reload,
        &[
            "secret-volume",
            "secret-provider-class",
            "vault-injector*",
            "vault-pki-template",
            "consul-template",
            "compose-secret",
            "run-secret",
            "ingress-tls",
            "gateway-certificate",
            "nginx-key",
            "apache-key",
            "haproxy-key",
            "tls-key-file",
            "ssl-key",
        ],
    ),
    (
        Pickup::Redeploy,
        &[
            "secret-key-ref",
            "env-from",
            "env-file",
            "image-pull-secret",
            "service-account-secret",
            "compose-environment",
            "compose-env-file",
            "ecs-secret",
            "azure-app-setting",
            "container-app*",
            "key-store",
            "java-keystore",
            "spring-*",
            "nomad-*",
            "worker-env",
            "helm-*",
            "symfony-*",
            "rails-credentials",
            "laravel-config",
            "dotnet-*",
        ],
    ),
    (
        Pickup::Apply,
        &[
            "terraform-*",
            "pulumi-*",
            "cloudformation-*",
            "cdk-secret",
            "serverless-*",
            "ansible-*",
            "chef-*",
            "puppet-*",
            "salt-*",
            "hiera-*",
            "arm-parameter",
            "bicep-secret",
            "vals-reference",
            "argo-vault-path",
            "kustomize-*",
            "sealed-secret",
        ],
    ),
    (
        Pickup::NextRun,
        &[
            "actions-*",
            "vault-action",
            "gitlab-*",
            "circleci-*",
            "jenkins-*",
            "azure-pipeline*",
            "azure-key-vault-task",
            "azure-variable-group",
            "ci-variable",
            "drone-secret",
            "travis-secure",
            "cloud-build-secret",
            "airflow-*",
            "dbt-env",
            "*-cli",
            "op-reference",
        ],
    ),
    (
        Pickup::Live,
        &[
            "*-sdk",
            "vault-api",
            "aws-extension",
            "aws-arn",
            "gcp-resource",
            "azure-uri",
            "databricks-secret",
            "snowflake-secret",
        ],
    ),
    (
        Pickup::Rebuild,
        &["docker-build*", "docker-mount", "docker-variable"],
    ),
];

/// The way of one syntax; `None` where it takes what another place gave it and so has none of its own.
pub(super) fn of(syntax: &str) -> Option<Pickup> {
    if syntax == "env-accessor" {
        return None;
    }
    let fits = |pattern: &&str| match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => syntax.starts_with(start),
        (_, Some(end)) => syntax.ends_with(end),
        _ => *pattern == syntax,
    };
    let row = TABLE.iter().find(|it| it.1.iter().any(&fits));
    Some(row.map_or(Pickup::Unknown, |it| it.0))
}

/// Of a chain: what its last step needs that does not follow by itself. A variable that nothing is known to
/// set is one that a start sets.
pub(super) fn of_chain<'s>(syntaxes: impl Iterator<Item = &'s str>) -> Pickup {
    let ways = syntaxes.filter_map(of);
    ways.filter(|it| *it != Pickup::Sync)
        .max_by_key(|it| TOIL.iter().position(|known| known == it))
        .unwrap_or(Pickup::Redeploy)
}

/// From what needs nothing to what needs most.
const TOIL: &[Pickup] = &[
    Pickup::Live,
    Pickup::Reload,
    Pickup::NextRun,
    Pickup::Unknown,
    Pickup::Apply,
    Pickup::Redeploy,
    Pickup::Rebuild,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_as_slow_as_its_slowest_step() {
        for (chain, expected) in [
            (
                &["external-secret", "secret-key-ref", "env-accessor"][..],
                Pickup::Redeploy,
            ),
            (&["external-secret", "secret-volume"], Pickup::Reload),
            (&["vault-sdk"], Pickup::Live),
            (&["actions-secret", "env-accessor"], Pickup::NextRun),
            (&["terraform-data", "ecs-secret"], Pickup::Redeploy),
            (&["env-accessor"], Pickup::Redeploy),
            (&["of-tomorrow"], Pickup::Unknown),
            (&["aws-cli"], Pickup::NextRun),
        ] {
            assert_eq!(of_chain(chain.iter().copied()), expected, "{chain:?}");
        }
        assert_eq!(of("external-secret-find"), Some(Pickup::Sync));
    }
}
