//! CloudFormation and SAM: secrets and parameters that a template makes, and their rotation; the Serverless
//! Framework: variables and files.
//!
//! Resources: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html>;
//! variables: <https://www.serverless.com/framework/docs/providers/aws/guide/variables>. What a template reads
//! (`{{resolve:...}}`, `${ssm:...}`) is known in `cloud`.

use crate::model::reference::{Mention, Role, SecretName};
use crate::refer::table::{File, Row, extension, file_name, is_tree, name, read_rows, uses};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "AWS::SecretsManager::",
    "AWS::SSM::Parameter",
    "${env:",
    "${file(",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "infra/shop.yaml",
    "Resources:\n  Db:\n    Type: AWS::SecretsManager::Secret\n    Properties: {Name: shop/db}\n",
);

static ROWS: [Row; 2] = [
    uses(
        "serverless-env",
        is_serverless,
        &["${env:"],
        r"\$\{env:([A-Za-z_][A-Za-z0-9_]{0,127})",
        |_, id| Some(name::env(id, "").into()).filter(|_| name::looks_secret(id)),
    ),
    uses(
        "serverless-file",
        is_serverless,
        &["${file("],
        r"\$\{file\(([^()\n]{1,256})\)",
        |_, id| {
            let lower = id.to_ascii_lowercase();
            let is_secret =
                lower.contains("secret") || lower.contains("cred") || lower.contains(".env");
            Some(SecretName::new("file", id.trim_start_matches("./")).into()).filter(|_| is_secret)
        },
    ),
];

fn is_serverless(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("serverless.") || name.starts_with("serverless-")
}

pub(super) fn applies(path: &str) -> bool {
    is_tree(path) || extension(path) == "template" || is_serverless(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    if !file.has_any(&["AWS::SecretsManager::", "AWS::SSM::Parameter"]) {
        return;
    }
    let tree = file.tree();
    for root in tree.roots() {
        let resources = tree.get(*root, "Resources").or_else(|| {
            let resources = tree.get(*root, "resources")?;
            tree.get(resources, "Resources")
        });
        for (label, body) in resources.map(|it| tree.entries(it)).unwrap_or_default() {
            resource(file, tree, (*label, *body), emit);
        }
    }
}

fn resource(
    file: &File<'_>,
    tree: &Tree<'_>,
    (label, body): (NodeId, NodeId),
    emit: &mut dyn FnMut(Mention),
) {
    let Some(kind) = tree.text_at(body, &["Type"]) else {
        return;
    };
    let property = |field| tree.at(body, &["Properties", field]);
    let (syntax, node, parameter) = match kind {
        "AWS::SecretsManager::Secret" => ("cloudformation-secret", property("Name"), false),
        "AWS::SSM::Parameter" => ("cloudformation-secret", property("Name"), true),
        "AWS::SecretsManager::RotationSchedule" | "AWS::SecretsManager::SecretTargetAttachment" => {
            ("cloudformation-rotation", property("SecretId"), false)
        }
        _ => return,
    };
    let is_secret = syntax == "cloudformation-secret";
    // A parameter made here is never a SecureString; its name tells whether it holds a secret.
    let literal = node
        .and_then(|it| tree.text(it))
        .filter(|it| !it.is_empty());
    if parameter && !literal.is_some_and(|it| name::property_looks_secret(&it.replace('/', "_"))) {
        return;
    }
    // Without a name AWS makes one up: the logical id and random characters.
    let (name, node) = match (literal, node) {
        (Some(id), Some(node)) if parameter => (name::aws_parameter(id), node),
        (Some(id), Some(node)) if !id.starts_with("!") => (name::aws_secret(id), node),
        _ if is_secret => {
            let id = format!("{}-*", tree.text(label).unwrap_or(""));
            (SecretName::new("aws-secretsmanager", &id), label)
        }
        _ => return,
    };
    let role = match is_secret {
        true => Role::Definition,
        false => Role::Use,
    };
    emit(Mention {
        role,
        consumer: tree.text(label).map(|it| format!("{kind}/{it}")),
        ..file.mention_at(syntax, name, node)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn templates_make_secrets() {
        let text = "\
Resources:
  Db:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: !Sub shop/${Stage}/db
  Api:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {}}
  Turn:
    Type: AWS::SecretsManager::RotationSchedule
    Properties: {SecretId: shop/db}
  Key: {Type: 'AWS::SSM::Parameter', Properties: {Name: /shop/api_key, Type: String}}
  Url: {Type: 'AWS::SSM::Parameter', Properties: {Name: /shop/url, Type: String}}
";
        assert_eq!(
            told(read, "infra/shop.yaml", text),
            [
                "5 cloudformation-secret aws-secretsmanager:shop/*/db by AWS::SecretsManager::Secret/Db def ~",
                "6 cloudformation-secret aws-secretsmanager:Api-* by AWS::SecretsManager::Secret/Api def ~",
                "11 cloudformation-rotation aws-secretsmanager:shop/db by AWS::SecretsManager::RotationSchedule/Turn",
                "12 cloudformation-secret aws-ssm:shop/api_key by AWS::SSM::Parameter/Key def",
            ]
        );
    }

    #[test]
    fn serverless_variables() {
        let text = "a: ${env:API_KEY, ''}\nb: ${env:STAGE}\nc: ${file(./secrets.${self:stage}.yml):key}\nd: ${file(x.yml):y}\n# ${env:B_KEY}\n";
        assert_eq!(
            told(read, "serverless.yml", text),
            [
                "1 serverless-env env:API_KEY",
                "3 serverless-file file:secrets.*.yml ~"
            ]
        );
        assert!(told(read, "a.yml", text).is_empty());
    }
}
