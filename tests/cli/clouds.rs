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
        Importer::named("aws").unwrap(),
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
        Importer::named("gcp").unwrap(),
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
        Importer::named("azure").unwrap(),
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
    for importer in [
        Importer::named("aws").unwrap(),
        Importer::named("gcp").unwrap(),
        Importer::named("azure").unwrap(),
    ] {
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

#[test]
fn a_running_aws_is_asked_with_credentials_of_the_environment_alone() {
    let world = World::new().with_inventory();
    let id = ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    let secret = ("AWS_SECRET_ACCESS_KEY", "hidden-secret-99");
    let region = ("AWS_REGION", "eu-west-1");
    let wrong = ("AWS_REGION", "eu west");
    let bundle = ("AWS_CA_BUNDLE", "none.pem");
    // Nobody listens at the first port.
    let address = "http://127.0.0.1:1";
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (
            &[],
            &["--addr", address],
            "there are no credentials for AWS",
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            &[id],
            &["--addr", address],
            "there are no credentials for AWS",
            "AWS_SECRET_ACCESS_KEY",
        ),
        (&[id, secret], &[address], "there is no region", "--region"),
        (
            &[id, secret, wrong],
            &[address],
            "this is no region",
            "eu-west-1",
        ),
        (
            &[id, secret, region, bundle],
            &[address],
            "none.pem",
            "error: ",
        ),
        (
            &[id, secret, region],
            &[address],
            "127.0.0.1:1",
            "nothing was imported",
        ),
        (
            &[id, secret],
            &[address, "--region", "eu-west-1"],
            "127.0.0.1:1",
            "nothing was imported",
        ),
        (
            &[id, secret, region],
            &["http://aws.example"],
            "in the clear",
            "write https://HOST",
        ),
        (
            &[id, secret, region],
            &[address, "--mount", "s3"],
            "no service `s3`",
            "secretsmanager",
        ),
        (
            &[id, secret, region],
            &["export.json", "--region", "x"],
            "--region",
            "--addr URL",
        ),
    ];
    for (variables, line, what, next) in cases {
        let all = [&["inventory", "import", "aws"], *line].concat();
        world
            .run_with(variables, &all)
            .refused(what, next)
            .keeps("hidden-secret-99");
    }
    world
        .run(&["inventory", "import", "gcp", "--addr", address])
        .refused("can be read as vault or aws, not as gcp", "save an export");
}
