//! Configuration management: look-ups of Ansible, data bags of Chef, Hiera and Vault in Puppet, Salt's
//! modules.
//!
//! <https://docs.ansible.com/ansible/latest/collections/community/hashi_vault/index.html>,
//! <https://docs.chef.io/data_bags/>, <https://docs.saltproject.io/en/latest/ref/modules/all/salt.modules.vault.html>.
//! Files that these tools encrypt are read in `encrypted`.

use crate::model::reference::{Mention, SecretName};
use crate::refer::table::{
    File, Named, Row, extension, file_name, has_extension, name, read_rows, text, uses,
};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "lookup(",
    "query(",
    "with_env",
    "ansible_env",
    "vault_kv2_get",
    "data_bag_item(",
    "ChefVault::Item",
    "hiera_vault",
    "vault_lookup",
    "salt['vault",
    "salt[\"vault",
    "salt.vault",
    "sdb://",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "roles/db/tasks/main.yml",
    "- set_fact: {pw: \"{{ lookup('community.hashi_vault.hashi_vault', 'kv/data/shop/db:password') }}\"}\n",
);

static ROWS: [Row; 12] = [
    uses(
        "ansible-lookup",
        is_ansible,
        &["lookup(", "query("],
        r#"\b(?:lookup|query)\(\s*["'](?:community\.hashi_vault\.)?(?:hashi_vault|vault_read|vault_kv1_get)["']\s*,\s*["'](?:secret=)?([^"'\s\n]{1,256})"#,
        |_, id| {
            let (path, key) = id
                .split_once(':')
                .map_or((id, None), |it| (it.0, Some(it.1)));
            Some(name::vault(path, key).into())
        },
    ),
    uses(
        "ansible-lookup",
        is_ansible,
        &["vault_kv2_get"],
        r#"\bvault_kv2_get["']\s*,\s*["']([^"'\n]{1,256})["'](?:[^)]{0,200}?\bengine_mount_point\s*=\s*["']([^"'\n]{1,64}))?"#,
        |it, id| Some(name::vault_in(text(it, 2).unwrap_or("secret"), id, None).into()),
    ),
    uses(
        "ansible-lookup",
        is_ansible,
        &["lookup(", "query("],
        r#"\b(?:lookup|query)\(\s*["'](?:amazon\.aws\.|community\.aws\.)?(?:secretsmanager_secret|aws_secret)["']\s*,\s*["']([^"'\n]{1,512})"#,
        |_, id| Some(name::aws_secret(id).into()),
    ),
    uses(
        "ansible-lookup",
        is_ansible,
        &["lookup(", "query("],
        r#"\b(?:lookup|query)\(\s*["'](?:amazon\.aws\.|community\.aws\.)?(?:ssm_parameter|aws_ssm)["']\s*,\s*["']([^"'\n]{1,512})"#,
        |_, id| Some(name::aws_parameter(id).into()),
    ),
    uses(
        "ansible-lookup",
        is_ansible,
        &["lookup(", "query("],
        r#"\b(?:lookup|query)\(\s*["'](?:community\.general\.)?onepassword(?:_raw)?["']\s*,\s*["']([^"'\n]{1,128})["'](?:[^)]{0,200}?\bvault\s*=\s*["']([^"'\n]{1,64}))?"#,
        |it, id| {
            Some(
                SecretName::new("onepassword", id)
                    .within(text(it, 2).unwrap_or(""))
                    .into(),
            )
        },
    ),
    uses(
        "ansible-lookup",
        is_ansible,
        &["lookup(", "query("],
        r#"\b(?:lookup|query)\(\s*["'](?:ansible\.builtin\.)?env["']\s*,\s*["']([A-Za-z_][A-Za-z0-9_]{0,127})"#,
        |_, id| Some(name::env(id, "").into()).filter(|_| name::looks_secret(id)),
    ),
    uses(
        "ansible-lookup",
        is_ansible,
        &["ansible_env"],
        r"\bansible_env\.([A-Za-z_][A-Za-z0-9_]{0,127})",
        |_, id| Some(name::env(id, "").into()).filter(|_| name::looks_secret(id)),
    ),
    uses(
        "puppet-vault",
        |path| has_extension(path, &["pp", "yaml", "yml"]),
        &["vault_lookup"],
        r#"\bvault_lookup::lookup(?:["']\s*,\s*\[\s*|\(\s*)["']([^"'\n]{1,256})"#,
        |_, id| Some(name::vault(id, None).into()),
    ),
    uses(
        "salt-vault",
        |path| has_extension(path, &["sls", "jinja", "j2", "yml", "yaml", "conf"]),
        &["salt['vault", "salt[\"vault", "salt.vault"],
        r#"\bsalt(?:\[["']vault(?:\.read_secret)?["']\]|\.vault)(?:\.read_secret)?\(\s*["']([^"'\n]{1,256})["'](?:\s*,\s*(?:key\s*=\s*)?["']([^"'\n]{1,128}))?"#,
        |it, id| Some(name::vault(id, text(it, 2)).into()),
    ),
    uses(
        "salt-vault",
        |path| has_extension(path, &["sls", "jinja", "j2", "yml", "yaml", "conf"]),
        &["sdb://"],
        r#"\bsdb://[A-Za-z0-9_]{0,20}vault[A-Za-z0-9_]{0,20}/([^\s"'?]{1,256})(?:\?([A-Za-z0-9_.-]{1,128}))?"#,
        |it, id| Some(name::vault(id, text(it, 2)).into()),
    ),
    uses(
        "chef-vault",
        is_ruby,
        &["ChefVault::Item"],
        r#"\bChefVault::Item\.load\(\s*["']([^"'\n]{1,128})["']\s*,\s*["']([^"'\n]{1,128})"#,
        bag,
    ),
    uses(
        "chef-data-bag",
        is_ruby,
        &["data_bag_item("],
        r#"\b(?:chef_vault_item|encrypted_data_bag_item|data_bag_item)\(\s*["']([^"'\n]{1,128})["']\s*,\s*["']([^"'\n]{1,128})"#,
        bag,
    ),
];

fn bag(captures: &Captures<'_>, id: &str) -> Option<Named> {
    let item = text(captures, 2)?;
    Some(SecretName::new("chef", &format!("{id}/{item}")).into())
}

fn is_ansible(path: &str) -> bool {
    has_extension(path, &["yml", "yaml", "j2", "cfg"])
}

fn is_ruby(path: &str) -> bool {
    has_extension(path, &["rb", "erb"])
}

pub(super) fn applies(path: &str) -> bool {
    is_ansible(path) || is_ruby(path) || matches!(extension(path), "pp" | "sls" | "jinja" | "conf")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    // Hiera is told by its own file alone.
    if file_name(file.path) == "hiera.yaml" && file.has_any(&["hiera_vault"]) {
        hiera(file, emit);
    }
}

/// `mounts: {kv: [shop, common]}` of the back end: whatever lies there.
fn hiera(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for id in tree.all().filter(|id| tree.label(*id) == Some("mounts")) {
        for (mount, paths) in tree.entries(id) {
            let mount = tree.text(*mount).unwrap_or("");
            for path in tree.items(*paths) {
                let text = format!("{}/*", tree.text(*path).unwrap_or("").trim_matches('/'));
                emit(file.mention_at("hiera-vault", name::vault_in(mount, &text, None), *path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn each_tool_looks_up() {
        for (path, text, expected) in [
            (
                "a.yml",
                "x: \"{{ lookup('hashi_vault', 'secret=kv/data/shop/db:password token=t') }}\"",
                "1 ansible-lookup vault:kv/shop/db#password",
            ),
            (
                "a.yml",
                "x: \"{{ lookup('community.hashi_vault.vault_kv2_get', 'shop/db', engine_mount_point='kv') }}\"",
                "1 ansible-lookup vault:kv/shop/db",
            ),
            (
                "a.yml",
                "x: \"{{ lookup('amazon.aws.secretsmanager_secret', 'shop/db') }}\"",
                "1 ansible-lookup aws-secretsmanager:shop/db",
            ),
            (
                "a.yml",
                "x: \"{{ lookup('env', 'DB_PASSWORD') }}\"",
                "1 ansible-lookup env:DB_PASSWORD",
            ),
            (
                "a.rb",
                "data_bag_item('db', 'prod')",
                "1 chef-data-bag chef:db/prod",
            ),
            (
                "a.rb",
                "ChefVault::Item.load(\"db\", \"prod\")",
                "1 chef-vault chef:db/prod",
            ),
            (
                "a.pp",
                "vault_lookup::lookup('kv/data/shop/db')",
                "1 puppet-vault vault:kv/shop/db",
            ),
            (
                "a.sls",
                "{{ salt['vault'].read_secret('kv/shop/db', 'password') }}",
                "1 salt-vault vault:kv/shop/db#password",
            ),
            (
                "hiera.yaml",
                "hierarchy:\n- lookup_key: hiera_vault\n  options: {mounts: {kv: [shop]}}\n",
                "3 hiera-vault vault:kv/shop/* ~",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
    }

    #[test]
    fn other_lookups_are_silent() {
        for (path, text) in [
            (
                "a.yml",
                "x: \"{{ lookup('env', 'HOME') }}\"\ny: \"{{ lookup('file', 'a') }}\"",
            ),
            ("a.yml", "# lookup('hashi_vault', 'secret=kv/x')"),
            ("a.rb", "# data_bag_item('db', 'prod')"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
