//! Private keys and keystores that settings name by path.
//!
//! The path is kept as it is written, without `./`, `classpath:` and `file:`; whether such a file lies in the
//! repository is for whoever joins the names. Directives: <https://nginx.org/en/docs/http/ngx_http_ssl_module.html>,
//! <https://httpd.apache.org/docs/current/mod/mod_ssl.html>, <https://man.openbsd.org/ssh_config>.

use crate::model::reference::{Mention, SecretName};
use crate::refer::table::{File, Named, Row, any, has_extension, read_rows, uses};

pub(super) const ANCHORS: &[&str] = &[
    "ssl_certificate_key",
    "SSLCertificateKeyFile",
    "IdentityFile",
    "key-store",
    "keystoreFile",
    "javax.net.ssl.keyStore",
    "ssl_key_file",
    "client-key:",
    "ssl-key",
    "key_file",
    ".pem\")",
    ".key\")",
    ".p12\")",
    " crt /",
];

pub(super) const EXAMPLE: (&str, &str) =
    ("nginx/shop.conf", "ssl_certificate_key /etc/tls/web.key;\n");

static ROWS: [Row; 9] = [
    uses(
        "nginx-key",
        any,
        &["ssl_certificate_key"],
        r#"(?m)^[ \t]*ssl_certificate_key[ \t]+["']?([^\s;"']{1,256})"#,
        path,
    ),
    uses(
        "apache-key",
        any,
        &["SSLCertificateKeyFile"],
        r#"(?m)^[ \t]*SSLCertificateKeyFile[ \t]+["']?([^\s"']{1,256})"#,
        path,
    ),
    uses(
        "ssh-identity",
        |path| !has_extension(path, &["c", "h", "go", "rs", "md", "rst"]),
        &["IdentityFile"],
        r#"\bIdentityFile[ =]["']?([~/.%$A-Za-z0-9][^\s"',;]{1,255})"#,
        path,
    ),
    uses(
        "java-keystore",
        |path| {
            has_extension(
                path,
                &["properties", "yml", "yaml", "xml", "conf", "sh", "env"],
            )
        },
        &["key-store", "keystoreFile", "javax.net.ssl.keyStore"],
        r#"(?:\bssl\.key-store[ \t]*[=:][ \t]*|(?m:^[ \t]*key-store:[ \t]+)|\bkeystoreFile="|\bcertificateKeystoreFile="|-Djavax\.net\.ssl\.keyStore=)["']?([^\s"';<>]{1,256})"#,
        path,
    ),
    uses(
        "database-key",
        |path| has_extension(path, &["conf", "cnf", "ini", "yml", "yaml", "toml", "sh"]),
        &["ssl_key_file", "ssl-key"],
        r#"(?m)^[ \t]*(?:ssl_key_file|ssl-key)[ \t]*[=:][ \t]*["']?([^\s"';#]{1,256})"#,
        path,
    ),
    uses(
        "kubeconfig-key",
        |path| !has_extension(path, &["go", "rs", "md"]),
        &["client-key:"],
        r#"(?m)^[ \t]*client-key:[ \t]+["']?([^\s"']{1,256})"#,
        path,
    ),
    uses(
        "tls-key-file",
        |path| {
            has_extension(
                path,
                &["hcl", "toml", "yml", "yaml", "conf", "ini", "json", "tf"],
            )
        },
        &["key_file"],
        r#"(?:^|[\s"'{,])(?:tls_)?(?:private_)?key_file["']?[ \t]*[=:][ \t]*["']?([^\s"',;]{1,256})"#,
        path,
    ),
    uses(
        "terraform-key-file",
        |path| has_extension(path, &["tf", "tofu", "hcl", "tfvars"]),
        &[".pem\")", ".key\")", ".p12\")"],
        r#"\b(?:private_key|key|client_key|tls_key|certificate_p12)\w*\s*=\s*(?:base64encode\(|filebase64\(|file\(|pathexpand\(){1,3}"([^"\n]{1,256}\.(?:pem|key|p12|pfx))""#,
        path,
    ),
    uses(
        "haproxy-key",
        |path| has_extension(path, &["cfg", "conf"]),
        &[" crt /"],
        r"\bbind\b[^\n]{0,200}?\bcrt[ \t]+(/[^\s]{1,256})",
        path,
    ),
];

fn path(_: &regex::Captures<'_>, id: &str) -> Option<Named> {
    let path = id
        .trim_start_matches("classpath:")
        .trim_start_matches("file:");
    let path = path.trim_start_matches("./");
    let is_path = path.contains(['/', '.', '\\']) && !path.starts_with("data:");
    is_path.then(|| SecretName::new("file", path).into())
}

pub(super) fn applies(path: &str) -> bool {
    any(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn directives_name_files() {
        for (path, text, expected) in [
            (
                "shop.conf",
                "  ssl_certificate_key /etc/tls/web.key;",
                "1 nginx-key file:/etc/tls/web.key",
            ),
            (
                "httpd.conf",
                "SSLCertificateKeyFile \"conf/web.key\"",
                "1 apache-key file:conf/web.key",
            ),
            (
                ".ssh/config",
                "  IdentityFile ~/.ssh/deploy",
                "1 ssh-identity file:~/.ssh/deploy",
            ),
            (
                "application.properties",
                "server.ssl.key-store=classpath:k.p12",
                "1 java-keystore file:k.p12",
            ),
            (
                "server.xml",
                "<Certificate certificateKeystoreFile=\"conf/k.jks\"/>",
                "1 java-keystore file:conf/k.jks",
            ),
            (
                "postgresql.conf",
                "ssl_key_file = 'server.key'",
                "1 database-key file:server.key",
            ),
            (
                "kube.yaml",
                "    client-key: certs/admin.key",
                "1 kubeconfig-key file:certs/admin.key",
            ),
            (
                "vault.hcl",
                "tls_key_file = \"/etc/vault/tls.key\"",
                "1 tls-key-file file:/etc/vault/tls.key",
            ),
            (
                "a.tf",
                "private_key = file(\"keys/deploy.pem\")",
                "1 terraform-key-file file:keys/deploy.pem",
            ),
            (
                "haproxy.cfg",
                "bind :443 ssl crt /etc/tls/web.pem",
                "1 haproxy-key file:/etc/tls/web.pem",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for (path, text) in [
            (
                "shop.conf",
                "# ssl_certificate_key /etc/tls/old.key;\nssl_certificate /etc/tls/web.crt;",
            ),
            ("ssh.c", "case IdentityFile /x/y"),
            ("a.yaml", "key_file: none\nclient-key-data: x"),
            ("a.txt", "The IdentityFile is read."),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
