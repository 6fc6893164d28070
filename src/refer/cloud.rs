//! Secrets of the clouds in any text: AWS Secrets Manager and Parameter Store, Google Secret Manager,
//! Azure Key Vault; by resource name, dynamic reference, command line and SDK call.
//!
//! Terraform, External Secrets and CI files that name the same secrets have families of their own.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, Pattern, extension, group, is_tree, name};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    ":secretsmanager:",
    ":parameter/",
    "{{resolve:",
    "secret-id",
    "SecretId",
    "secretId",
    "get-parameter",
    "/parameters/get",
    "get_secret_value",
    "etSecretValue",
    "${ssm",
    "get_parameter",
    "GetParameter",
    "getParameter",
    "secretsmanager",
    "parameterstore:",
    "fromSecretName",
    "secretsManager(",
    "/secrets/",
    "gcloud secrets",
    "-secrets=",
    ".vault.azure.",
    ".vault.usgov",
    "@Microsoft.KeyVault(",
    "az keyvault",
    "sm://",
    "ref+",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "infra/task.json",
    "{\"family\": \"shop\", \"containerDefinitions\": [{\"secrets\": [{\"name\": \"DB_PASSWORD\", \"valueFrom\": \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123:password::\"}]}]}\n",
);

/// A pattern whose first group is an id, what it is called, what must stand in the text, and how the id
/// becomes a name.
struct Syntax {
    name: &'static str,
    /// Of the anchors, those of which one stands where it matches.
    anchors: &'static [&'static str],
    pattern: Pattern,
    secret: fn(&Captures<'_>, &str) -> Option<SecretName>,
}

const fn syntax(
    name: &'static str,
    anchors: &'static [&'static str],
    source: &'static str,
    secret: fn(&Captures<'_>, &str) -> Option<SecretName>,
) -> Syntax {
    Syntax {
        name,
        anchors,
        pattern: Pattern::new(source),
        secret,
    }
}

static SYNTAXES: [Syntax; 21] = [
    syntax(
        "aws-arn",
        &[":secretsmanager:"],
        r"\b(arn:aws[a-z-]{0,20}:secretsmanager:[^\s:]{0,40}:[^\s:]{0,40}:secret:[A-Za-z0-9/_+=.@!?*-]{1,512}(?::[A-Za-z0-9_.-]*(?::[A-Za-z0-9_.-]*(?::[A-Za-z0-9_.-]*)?)?)?)",
        |_, id| Some(name::aws_secret(id)),
    ),
    syntax(
        "aws-arn",
        &[":parameter/"],
        r"\b(arn:aws[a-z-]{0,20}:ssm:[^\s:]{0,40}:[^\s:]{0,40}:parameter/[A-Za-z0-9/_.*-]{1,512})",
        |_, id| Some(name::aws_parameter(id)),
    ),
    syntax(
        "cloudformation-resolve",
        &["{{resolve:"],
        r"\{\{resolve:secretsmanager:([^:{}\s]{1,256})(?::SecretString(?::([^:{}\s]{0,128}))?(?::([^:{}\s]{0,64}))?)?",
        |it, id| {
            let name = name::keyed(name::aws_secret(id), text(it, 2));
            (id != "arn").then(|| name::pinned(name, text(it, 3)))
        },
    ),
    syntax(
        "cloudformation-resolve",
        &["{{resolve:"],
        r"\{\{resolve:ssm(?:-secure)?:([^{}\s]{1,256})\}\}",
        |_, id| Some(name::aws_parameter(id)),
    ),
    syntax(
        "aws-cli",
        &["secret-id"],
        r#"--secret-id(?:[ =]|\s*\\\n\s*)["']?([^\s"'\\;)]{1,512})"#,
        |_, id| (!id.starts_with("arn:")).then(|| name::aws_secret(id)),
    ),
    syntax(
        "aws-sdk",
        &["SecretId", "secretId"],
        r#"(?:\bSecretId["']?\s*[:=]\s*(?:aws\.String\(\s*)?[fFrRuU]{0,2}|\.secretId\(\s*|\bwithSecretId\(\s*)["'`]([^"'`\n]{1,512})"#,
        |_, id| (!id.starts_with("arn:")).then(|| name::aws_secret(id)),
    ),
    syntax(
        "aws-extension",
        &["secretsmanager"],
        r"/secretsmanager/get\?secretId=([A-Za-z0-9/_+=.@-]{1,256})",
        |_, id| Some(name::aws_secret(id)),
    ),
    syntax(
        "aws-extension",
        &["/parameters/get"],
        r"/systemsmanager/parameters/get/?\?name=([A-Za-z0-9/_.%-]{1,256})",
        |_, id| Some(name::aws_parameter(&id.replace("%2F", "/"))),
    ),
    syntax(
        "aws-sdk",
        &["get_secret_value", "etSecretValue"],
        r"(?:\bget_secret_value\(\s*SecretId\s*=\s*|\bGetSecretValueCommand\(\s*\{\s*SecretId\s*:\s*|\bgetSecretValue\(\s*\{\s*SecretId\s*:\s*)([A-Za-z_][A-Za-z0-9_.]{0,80})\s*[,)}+]",
        |_, id| Some(SecretName::new("aws-secretsmanager", &format!("${{{id}}}"))),
    ),
    syntax(
        "aws-cli",
        &["get-parameter"],
        r#"\bssm\s+get-parameters?(?:-by-path)?\b(?:[^\n;|]|\\\n){0,200}?--(?:names?|path)(?:[ =]|\s*\\\n\s*)["']?([^\s"'\\;)]{1,512})"#,
        |it, id| {
            let by_path = it.get(0)?.as_str().contains("by-path");
            Some(match by_path {
                true => name::aws_parameter(&below(&format!("{id}/"))),
                false => name::aws_parameter(id),
            })
        },
    ),
    syntax(
        "aws-sdk",
        &["get_parameter", "GetParameter", "getParameter"],
        r#"\b(?:get_parameters?|[gG]etParameters?(?:Command|Input)?)\s*[({][^;)]{0,120}?\bNames?["']?\s*[:=]\s*(?:aws\.String\(\s*)?\[?\s*["'`]([^"'`\n]{1,512})"#,
        |_, id| Some(name::aws_parameter(id)),
    ),
    syntax(
        "serverless-ssm",
        &["${ssm"],
        r"\$\{ssm(?:\([a-z0-9-]{1,30}\))?:((?:[A-Za-z0-9/_.-]|\$\{[^{}\s]+\})+)",
        |_, id| Some(name::aws_parameter(id)),
    ),
    syntax(
        "spring-aws",
        &["secretsmanager"],
        r"\baws-secretsmanager:(/?[A-Za-z0-9/_.-]{1,256})",
        |_, id| Some(name::aws_secret(id)),
    ),
    syntax(
        "spring-aws",
        &["parameterstore:"],
        r"\baws-parameterstore:(/?[A-Za-z0-9/_.-]{1,256})",
        |_, id| Some(name::aws_parameter(&below(id))),
    ),
    syntax(
        "cdk-secret",
        &["fromSecretName", "secretsManager("],
        r#"\b(?:fromSecretNameV2\([^,()\n]{1,80},[^,()\n]{1,80},\s*|SecretValue\.secretsManager\(\s*)["'`]([^"'`\n]{1,256})"#,
        |_, id| Some(name::aws_secret(id)),
    ),
    syntax(
        "gcp-resource",
        &["/secrets/"],
        r"\b(projects/[A-Za-z0-9_${}.-]{1,64}(?:/locations/[a-z0-9-]{1,40})?/secrets/[A-Za-z0-9_${}-]{1,255}(?:/versions/[A-Za-z0-9_-]{1,64})?)",
        |_, id| Some(name::google(id, "", None)),
    ),
    syntax(
        "gcloud-cli",
        &["gcloud secrets"],
        r#"\bgcloud\s+secrets\s+versions\s+access\s+["']?(?:[A-Za-z0-9_-]{1,64})["']?(?:[^\n;|]|\\\n){0,200}?--secret(?:[ =]|\s*\\\n\s*)["']?([^\s"'\\;)]{1,255})"#,
        |_, id| Some(name::google(id, "", None)),
    ),
    syntax(
        "azure-uri",
        &[".vault.azure.", ".vault.usgov"],
        r"\bhttps://([A-Za-z0-9-]{1,64}\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)/secrets/[A-Za-z0-9-]{1,127}(?:/[0-9a-f]{32})?)",
        |_, id| {
            let mut parts = id.split('/');
            Some(name::azure(parts.next()?, parts.nth(1)?, parts.next()))
        },
    ),
    syntax(
        "azure-app-setting",
        &["@Microsoft.KeyVault("],
        r"@Microsoft\.KeyVault\(\s*VaultName\s*=\s*([^;)\s]{1,64})\s*;\s*SecretName\s*=\s*([^;)\s]{1,127})(?:\s*;\s*SecretVersion\s*=\s*([^;)\s]{1,64}))?",
        |it, id| Some(name::azure(id, text(it, 2)?, text(it, 3))),
    ),
    syntax(
        "spring-gcp",
        &["sm://"],
        r"\bsm://([A-Za-z0-9_./-]{1,256})",
        |_, id| {
            let (project, secret) = id.rsplit_once('/').unwrap_or(("", id));
            Some(name::google(secret, project, None)).filter(|_| !id.starts_with("projects/"))
        },
    ),
    syntax(
        "vals-reference",
        &["ref+"],
        r"\bref\+((?:awssecrets|awsssm|gcpsecrets|azurekeyvault)://[A-Za-z0-9_./-]{1,256})(?:\?([^\s#]{0,100}))?(?:#/?([A-Za-z0-9_./-]{1,128}))?",
        |it, id| {
            let (system, path) = id.split_once("://")?;
            let (head, tail) = path.split_once('/').unwrap_or(("", path));
            let name = match system {
                "awssecrets" => name::aws_secret(path),
                "awsssm" => name::aws_parameter(path),
                "gcpsecrets" => name::google(tail, head, None),
                _ => name::azure(head, tail, None),
            };
            let version =
                text(it, 2).and_then(|it| it.split('&').find_map(|it| it.strip_prefix("version=")));
            let name = match version {
                Some(version) => name::pinned(name, Some(version)),
                None => name,
            };
            Some(name::keyed(name, text(it, 3)))
        },
    ),
];

static SET_SECRETS: Pattern = Pattern::new(r#"--(?:set|update)-secrets[ =]["']?([^\s"']{1,1000})"#);
static AZ: Pattern =
    Pattern::new(r"\baz\s+keyvault\s+secret\s+(?:show|download|set)\b((?:[^\n;|\\]|\\\n){1,300})");
static AZ_VAULT: Pattern = Pattern::new(r#"--vault-name[ =]\s*["']?([^\s"']{1,64})"#);
static AZ_NAME: Pattern = Pattern::new(r#"(?:--name|\s-n)[ =]\s*["']?([^\s"')]{1,127})"#);

/// All parameters of a folder.
fn below(path: &str) -> String {
    match path.strip_suffix('/') {
        Some(folder) => format!("{}/*", folder.trim_end_matches('/')),
        None => path.to_owned(),
    }
}

fn text<'t>(captures: &Captures<'t>, index: usize) -> Option<&'t str> {
    captures
        .get(index)
        .map(|it| it.as_str())
        .filter(|it| !it.is_empty())
}

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let stands = |it: &&Syntax| file.has_any(it.anchors);
    for syntax in SYNTAXES.iter().filter(stands) {
        file.each(&syntax.pattern, |captures| {
            let Some((id, span)) = group(captures, 1) else {
                return;
            };
            if let Some(name) = (syntax.secret)(captures, id).filter(|it| !it.path.is_empty()) {
                emit(file.mention(syntax.name, name, span));
            }
        });
    }
    if file.has_any(&["-secrets="]) {
        file.each(&SET_SECRETS, |it| set_secrets(file, it, emit));
    }
    if file.has_any(&["az keyvault"]) {
        file.each(&AZ, |it| azure_command(file, it, emit));
    }
    let is_template = extension(file.path) == "template";
    if (is_tree(file.path) || is_template)
        && file.text.contains("alueFrom")
        && file.text.contains("arn:aws")
    {
        task_definition(file, emit);
    }
}

/// `--set-secrets=DB_PASSWORD=db-pass:latest,KEY=...`.
fn set_secrets(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((list, at)) = group(captures, 1) else {
        return;
    };
    let mut start = at.start;
    for item in list.split(',') {
        if let Some((variable, source)) = item.split_once('=') {
            let (secret, version) = source
                .split_once(':')
                .map_or((source, None), |(a, b)| (a, Some(b)));
            let from = start + variable.len() + 1;
            let span = Span::new(from, from + secret.len());
            let mention = file.mention("gcloud-cli", name::google(secret, "", version), span);
            // A path on the left is a file to mount.
            let yields = (!variable.starts_with('/')).then(|| name::env(variable, ""));
            emit(Mention { yields, ..mention });
        }
        start += item.len() + 1;
    }
}

/// `az keyvault secret show --vault-name V --name N`, in any order.
fn azure_command(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((options, at)) = group(captures, 1) else {
        return;
    };
    let find = |pattern: &Pattern| {
        pattern
            .regex()
            .and_then(|it| it.captures(options))
            .and_then(|it| group(&it, 1))
    };
    let vault = find(&AZ_VAULT).map_or("", |it| it.0);
    if let Some((secret, span)) = find(&AZ_NAME) {
        let span = Span::new(at.start + span.start, at.start + span.end);
        emit(file.mention("azure-cli", name::azure(vault, secret, None), span));
    }
}

/// ECS: `{"name": "DB_PASSWORD", "valueFrom": "arn:..."}` in a list `secrets`.
fn task_definition(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    let family = |id| {
        tree.text_at(id, &["family"])
            .or_else(|| tree.text_at(id, &["Family"]))
    };
    let consumer = tree
        .all()
        .find_map(family)
        .map(|it| format!("TaskDefinition/{it}"));
    for id in tree
        .all()
        .filter(|id| matches!(tree.label(*id), Some("valueFrom" | "ValueFrom")))
    {
        let (Some(source), Some(item)) = (tree.text(id), tree.node(id).parent) else {
            continue;
        };
        let variable = tree
            .text_at(item, &["name"])
            .or_else(|| tree.text_at(item, &["Name"]));
        let name = if source.contains(":secretsmanager:") {
            name::aws_secret(source)
        } else if source.starts_with("arn:") || source.starts_with('/') {
            name::aws_parameter(source)
        } else {
            continue;
        };
        let yields = variable.map(|it| name::env(it, consumer.as_deref().unwrap_or("")));
        emit(Mention {
            yields,
            consumer: consumer.clone(),
            ..file.mention_at("ecs-secret", name, id)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new(path, text), &mut |it| {
            let yields = it.yields.map(|it| format!(" -> {it}")).unwrap_or_default();
            let mark = if it.dynamic { " ~" } else { "" };
            found.push(format!(
                "{}:{} {}{yields}{mark}",
                it.place.line, it.place.column, it.name
            ));
        });
        found
    }

    #[test]
    fn each_way_to_name_a_cloud_secret() {
        let aws = "aws-secretsmanager:123456789012/eu-west-1";
        for (path, text, expected) in [
            (
                "p.json",
                "\"Resource\": \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-??????\"",
                format!("1:14 {aws}/shop/db"),
            ),
            (
                ".env",
                "DB_ID=arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123",
                format!("1:7 {aws}/shop/db -> env:DB_ID"),
            ),
            (
                "a.tf",
                "x = \"arn:aws:ssm:eu-west-1:123456789012:parameter/shop/key\"",
                "1:6 aws-ssm:123456789012/eu-west-1/shop/key".to_owned(),
            ),
            (
                "a.yaml",
                "p: '{{resolve:secretsmanager:shop/db:SecretString:password:AWSCURRENT}}'",
                "1:30 aws-secretsmanager:shop/db#password".to_owned(),
            ),
            (
                "a.yaml",
                "p: '{{resolve:ssm-secure:/shop/key:3}}'",
                "1:26 aws-ssm:shop/key@3".to_owned(),
            ),
            (
                "a.sh",
                "aws secretsmanager get-secret-value --secret-id shop/db --query x",
                "1:49 aws-secretsmanager:shop/db".to_owned(),
            ),
            (
                "a.sh",
                "aws secretsmanager get-secret-value \\\n  --secret-id \"$ID\"",
                "2:16 aws-secretsmanager:* ~".to_owned(),
            ),
            (
                "a.py",
                "c.get_secret_value(SecretId=\"shop/db\")",
                "1:30 aws-secretsmanager:shop/db".to_owned(),
            ),
            (
                "a.ts",
                "new GetSecretValueCommand({ SecretId: 'shop/db' })",
                "1:40 aws-secretsmanager:shop/db".to_owned(),
            ),
            (
                "a.go",
                "in := &sm.GetSecretValueInput{SecretId: aws.String(\"shop/db\")}",
                "1:53 aws-secretsmanager:shop/db".to_owned(),
            ),
            (
                "a.sh",
                "aws ssm get-parameter --with-decryption --name /shop/key",
                "1:48 aws-ssm:shop/key".to_owned(),
            ),
            (
                "a.py",
                "ssm.get_parameter(Name='/shop/key', WithDecryption=True)",
                "1:25 aws-ssm:shop/key".to_owned(),
            ),
            (
                "serverless.yml",
                "k: ${ssm:/shop/key}",
                "1:10 aws-ssm:shop/key".to_owned(),
            ),
            (
                "a.ts",
                "Secret.fromSecretNameV2(this, 'S', 'shop/db')",
                "1:37 aws-secretsmanager:shop/db".to_owned(),
            ),
            (
                "a.py",
                "n = \"projects/shop-prod/secrets/db-pass/versions/latest\"",
                "1:6 gcp-secretmanager:shop-prod/db-pass".to_owned(),
            ),
            (
                "a.sh",
                "gcloud secrets versions access latest --secret=db-pass",
                "1:48 gcp-secretmanager:db-pass".to_owned(),
            ),
            (
                "a.sh",
                "gcloud run deploy --set-secrets=DB_PASSWORD=db-pass:7",
                "1:45 gcp-secretmanager:db-pass@7 -> env:DB_PASSWORD".to_owned(),
            ),
            (
                "a.cs",
                "\"https://ShopKV.vault.azure.net/secrets/Db-Pass\"",
                "1:10 azure-keyvault:shopkv/db-pass".to_owned(),
            ),
            (
                "s.json",
                "\"v\": \"@Microsoft.KeyVault(VaultName=ShopKV;SecretName=db-pass)\"",
                "1:37 azure-keyvault:shopkv/db-pass".to_owned(),
            ),
            (
                "a.sh",
                "az keyvault secret show --name db-pass --vault-name shopkv",
                "1:32 azure-keyvault:shopkv/db-pass".to_owned(),
            ),
            (
                "v.yaml",
                "p: ref+awssecrets://shop/db#/password",
                "1:8 aws-secretsmanager:shop/db#password".to_owned(),
            ),
        ] {
            assert_eq!(names(path, text), [expected], "{text}");
        }
    }

    #[test]
    fn task_definitions_yield_variables() {
        let (path, text) = EXAMPLE;
        let found = names(path, text);
        assert!(
            found.contains(&"1:96 aws-secretsmanager:123456789012/eu-west-1/shop/db#password -> env:TaskDefinition/shop/DB_PASSWORD".to_owned()),
            "{found:?}"
        );
        // The door keeps the mention that tells more.
        assert_eq!(
            crate::refer::read(
                path,
                text.as_bytes(),
                crate::syntax::literals::Seen::ALL,
                &mut |it| panic!("{it}")
            )
            .len(),
            1
        );
    }

    #[test]
    fn what_is_no_secret() {
        for text in [
            "# aws ssm get-parameter --name /x",
            "arn:aws:iam::123456789012:role/shop",
            "https://shopkv.vault.azure.net/keys/k",
            "SecretIdentity = \"x\"",
            "/secrets/x",
        ] {
            assert!(names("a.sh", text).is_empty(), "{text}");
        }
    }
}
