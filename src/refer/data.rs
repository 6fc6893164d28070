//! Data platforms: secret scopes of Databricks, connections and variables of Airflow, variables of dbt,
//! secrets of Snowflake.
//!
//! <https://docs.databricks.com/aws/en/security/secrets/>,
//! <https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html>,
//! <https://docs.getdbt.com/reference/dbt-jinja-functions/env_var>,
//! <https://docs.snowflake.com/en/sql-reference/sql/create-secret>.

use crate::model::reference::{Mention, SecretName};
use crate::refer::table::{File, Row, any, defines, has_extension, name, read_rows, text, uses};

pub(super) const ANCHORS: &[&str] = &[
    "dbutils.secrets",
    "{{secrets/",
    "BaseHook",
    "Variable.get(",
    "conn_id=",
    "env_var(",
    "_snowflake.get_",
    "CREATE SECRET",
    "REPLACE SECRET",
    "create secret",
    "SECRETS = (",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "jobs/load.py",
    "password = dbutils.secrets.get(scope=\"shop\", key=\"db\")\n",
);

static ROWS: [Row; 9] = [
    uses(
        "databricks-secret",
        |path| has_extension(path, &["py", "scala", "r", "R", "ipynb", "sql"]),
        &["dbutils.secrets"],
        r#"\bdbutils\.secrets\.get(?:Bytes)?\(\s*(?:scope\s*=\s*)?\\?["']([^"'\\\n]{1,128})\\?["']\s*,\s*(?:key\s*=\s*)?\\?["'](?P<id>[^"'\\\n]{1,128})"#,
        |it, id| Some(SecretName::new("databricks", &format!("{}/{id}", text(it, 1)?)).into()),
    ),
    uses(
        "databricks-secret",
        any,
        &["{{secrets/"],
        r"\{\{secrets/([A-Za-z0-9_.@-]{1,128}/[A-Za-z0-9_.@-]{1,128})\}\}",
        |_, id| Some(SecretName::new("databricks", id).into()),
    ),
    uses(
        "airflow-connection",
        is_python,
        &["BaseHook"],
        r#"\bBaseHook\.get_connection\(\s*(?:conn_id\s*=\s*)?["']([^"'\n]{1,128})"#,
        |_, id| Some(SecretName::new("airflow", &format!("connection/{id}")).into()),
    ),
    uses(
        "airflow-connection",
        is_python,
        &["conn_id="],
        r#"\b[a-z_]{0,40}conn_id=["']([A-Za-z0-9_.-]{1,128})["']"#,
        |_, id| Some(SecretName::new("airflow", &format!("connection/{id}")).into()),
    ),
    uses(
        "airflow-variable",
        is_python,
        &["Variable.get("],
        r#"\bVariable\.get\(\s*["']([^"'\n]{1,128})["']"#,
        |_, id| {
            let name = SecretName::new("airflow", &format!("variable/{id}"));
            Some(name.into()).filter(|_| name::property_looks_secret(id))
        },
    ),
    uses(
        "dbt-env",
        |path| has_extension(path, &["yml", "yaml", "sql", "md"]),
        &["env_var("],
        r#"\benv_var\(\s*\\?["']([A-Za-z_][A-Za-z0-9_]{0,127})"#,
        |_, id| Some(name::env(id, "").into()).filter(|_| name::looks_secret(id)),
    ),
    uses(
        "snowflake-secret",
        |path| has_extension(path, &["py", "sql", "java", "js"]),
        &["_snowflake.get_"],
        r#"\b_snowflake\.get_(?:generic_secret_string|username_password|oauth_access_token|secret_type)\(\s*["']([^"'\n]{1,128})"#,
        |_, id| Some(SecretName::new("snowflake", id).into()),
    ),
    uses(
        "snowflake-secret",
        |path| has_extension(path, &["sql", "py"]),
        &["SECRETS = ("],
        r"(?i)\bSECRETS\s*=\s*\(\s*'[^'\n]{1,128}'\s*=\s*([A-Za-z_][A-Za-z0-9_.]{0,255})",
        |_, id| Some(SecretName::new("snowflake", &id.to_ascii_lowercase()).into()),
    ),
    defines(
        "snowflake-secret",
        |path| has_extension(path, &["sql"]),
        &["CREATE SECRET", "REPLACE SECRET", "create secret"],
        r"(?i)\bCREATE\s+(?:OR\s+REPLACE\s+)?SECRET\s+(?:IF\s+NOT\s+EXISTS\s+)?([A-Za-z_][A-Za-z0-9_.]{0,255})\s+TYPE\b",
        |_, id| Some(SecretName::new("snowflake", &id.to_ascii_lowercase()).into()),
    ),
];

fn is_python(path: &str) -> bool {
    has_extension(path, &["py"])
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
    fn each_platform_names_secrets() {
        for (path, text, expected) in [
            (
                "a.py",
                "dbutils.secrets.get(scope=\"shop\", key=\"db\")",
                "1 databricks-secret databricks:shop/db",
            ),
            (
                "a.json",
                "\"spark.pw\": \"{{secrets/shop/db}}\"",
                "1 databricks-secret databricks:shop/db",
            ),
            (
                "a.py",
                "BaseHook.get_connection('shop_db')",
                "1 airflow-connection airflow:connection/shop_db",
            ),
            (
                "a.py",
                "PostgresHook(postgres_conn_id='shop_db')",
                "1 airflow-connection airflow:connection/shop_db",
            ),
            (
                "a.py",
                "Variable.get(\"shop_api_key\")",
                "1 airflow-variable airflow:variable/shop_api_key",
            ),
            (
                "a.yml",
                "password: \"{{ env_var('DB_PASSWORD') }}\"",
                "1 dbt-env env:DB_PASSWORD",
            ),
            (
                "a.py",
                "_snowflake.get_generic_secret_string('cred')",
                "1 snowflake-secret snowflake:cred",
            ),
            (
                "a.sql",
                "CREATE OR REPLACE SECRET shop_api TYPE = GENERIC_STRING",
                "1 snowflake-secret snowflake:shop_api def",
            ),
            (
                "a.sql",
                "SECRETS = ('cred' = Shop_Api)",
                "1 snowflake-secret snowflake:shop_api",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for (path, text) in [
            (
                "a.py",
                "Variable.get('batch_size')\n# BaseHook.get_connection('x')",
            ),
            ("a.yml", "x: \"{{ env_var('DBT_TARGET') }}\""),
            ("a.sql", "-- CREATE SECRET x TYPE = y"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
