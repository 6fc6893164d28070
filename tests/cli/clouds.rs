//! Records of cloud exports and references in code meet under one name.

use crate::world::{World, each, list};
use keyatlas::import::Importer;

/// An importer, code that names some of the objects of its example, and what each place means.
fn joins(importer: Importer, code: &[(&str, &str, &str)]) {
    let world = World::new().with_inventory();
    let export = world.home("export.json");
    std::fs::write(&export, importer.example()).unwrap();
    let export = export.to_str().unwrap();
    world
        .run(&["inventory", "import", importer.name(), export])
        .code(0);
    for (path, text, _) in code {
        world.write(path, text);
    }
    let document = world.scan(&[]);
    let found: Vec<(&str, &str)> = list(&document["references"])
        .iter()
        .filter(|it| it["resolved"] == true)
        .map(|it| (it["path"].as_str().unwrap(), it["record"].as_str().unwrap()))
        .collect();
    let syntaxes = each(&document["references"], "syntax");
    for (path, _, record) in code {
        assert!(
            found.contains(&(path, record)),
            "{path}: {record} is not among {found:?}, {syntaxes:?}"
        );
    }
}

#[test]
fn references_to_aws_resolve() {
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123";
    joins(
        Importer::Aws,
        &[
            (
                "task.json",
                &format!(
                    "{{\"secrets\": [{{\"name\": \"A\", \"valueFrom\": \"{arn}:password::\"}}]}}\n"
                ),
                "shop/db#password",
            ),
            (
                "a.py",
                "client.get_secret_value(SecretId=\"shop/unread\")\n",
                "shop/unread",
            ),
            (
                "b.sh",
                "aws ssm get-parameter --name /shop/mail --with-decryption\n",
                "/shop/mail",
            ),
            (
                "c.tf",
                "x = \"arn:aws:ssm:eu-west-1:123456789012:parameter/shop/region\"\n",
                "/shop/region",
            ),
        ],
    );
}

#[test]
fn references_to_google_resolve() {
    joins(
        Importer::Gcp,
        &[
            (
                "run.yaml",
                "name: projects/shop-prod/secrets/shop-db/versions/latest\n",
                "shop-db",
            ),
            (
                "number.txt",
                "projects/123456789012/secrets/shop-mail/versions/1\n",
                "shop-mail",
            ),
            (
                "a.sh",
                "gcloud secrets versions access latest --secret=shop-mail\n",
                "shop-mail",
            ),
        ],
    );
}

#[test]
fn references_to_azure_resolve() {
    joins(
        Importer::Azure,
        &[
            (
                "a.txt",
                "https://ShopKV.vault.azure.net/secrets/SHOP-DB\n",
                "shop-db",
            ),
            (
                "appsettings.json",
                "{\"Db\": \"@Microsoft.KeyVault(VaultName=shopkv;SecretName=mail)\"}\n",
                "mail",
            ),
        ],
    );
}

#[test]
fn an_export_that_is_cut_off_changes_nothing() {
    for importer in [Importer::Aws, Importer::Gcp, Importer::Azure] {
        let world = World::new().with_inventory();
        let example = importer.example().trim_end();
        let import = ["inventory", "import", importer.name(), "export"];
        let list = ["inventory", "list", "--format", "json"];
        world.write("export", example);
        world.run(&import).code(0);
        let before = world.run(&list).code(0).out;
        for length in [example.len() / 3, example.len() / 2, example.len() - 1] {
            world.write("export", &example[..length]);
            world
                .run(&import)
                .refused("export:", "nothing was imported");
            assert_eq!(
                world.run(&list).code(0).out,
                before,
                "{importer:?} {length}"
            );
        }
    }
}
