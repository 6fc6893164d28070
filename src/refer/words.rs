//! Whether a name is that of a secret, going by its words.
//!
//! Not here: which names mean the same object; that is `name`.

/// Whether a property of this name (`shop.db.password`, `Shop:ApiKey`) holds a secret.
pub(super) fn property_looks_secret(property: &str) -> bool {
    looks_secret(&property.replace(['.', ':', '-'], "_"))
}

const SECRET_WORDS: &[&str] = &[
    "PASS",
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
    "KEY",
    "KEYS",
    "CRED",
    "CREDS",
    "CREDENTIAL",
    "CREDENTIALS",
    "AUTH",
    "DSN",
    "PRIVATE",
    "PAT",
    "SALT",
    "PEPPER",
];
const SECRET_ENDS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "ACCESSKEY",
    "SECRETKEY",
    "PRIVATEKEY",
    "SIGNINGKEY",
    "ENCRYPTIONKEY",
    "CREDENTIALS",
    "DBPASS",
    "USERPASS",
];
const SECRET_PHRASES: &[&str] = &[
    "DATABASE_URL",
    "DATABASE_URI",
    "DB_URL",
    "DB_URI",
    "REDIS_URL",
    "REDIS_URI",
    "MONGO_URL",
    "MONGO_URI",
    "MONGODB_URL",
    "MONGODB_URI",
    "POSTGRES_URL",
    "POSTGRES_URI",
    "POSTGRESQL_URL",
    "MYSQL_URL",
    "AMQP_URL",
    "RABBITMQ_URL",
    "CELERY_BROKER_URL",
    "CONNECTION_STRING",
    "CONNECTIONSTRING",
    "WEBHOOK_URL",
    "ACCESS_KEY_ID",
    "SERVICE_ACCOUNT_JSON",
];
/// Words that, at the end, say that the variable tells something about a secret and is none.
const ABOUT: &[&str] = &[
    "URL",
    "URI",
    "HOST",
    "PORT",
    "SOCK",
    "DOMAIN",
    "PATH",
    "FILE",
    "DIR",
    "NAME",
    "NAMES",
    "ID",
    "IDS",
    "ALG",
    "ALGORITHM",
    "EXPIRY",
    "EXPIRES",
    "EXPIRATION",
    "TTL",
    "TIMEOUT",
    "LENGTH",
    "LEN",
    "SIZE",
    "ENABLED",
    "DISABLED",
    "TYPE",
    "ISSUER",
    "AUDIENCE",
    "LIMIT",
    "COUNT",
    "MODE",
    "METHOD",
    "REGION",
    "VERSION",
    "PREFIX",
    "SUFFIX",
    "FORMAT",
    "HEADER",
    "BITS",
    "ENDPOINT",
    "PROVIDER",
    "SERVER",
    "ARN",
    "USER",
    "USERNAME",
    "EMAIL",
    "SCOPE",
    "SCOPES",
    "SECONDS",
    "MINUTES",
    "DAYS",
    "HOURS",
    "MAX",
    "MIN",
    "REQUIRED",
    "STORE",
    "BACKEND",
    "DRIVER",
    "STRATEGY",
    "LIFETIME",
    "COMMAND",
    "INDEX",
];

/// Whether a variable of this name holds a secret, going by the words of the name.
pub(super) fn looks_secret(variable: &str) -> bool {
    let words = words(variable);
    let joined = words.join("_");
    if SECRET_PHRASES.iter().any(|it| joined.ends_with(it)) {
        return true;
    }
    let Some(last) = words.last() else {
        return false;
    };
    if ABOUT.contains(&last.as_str())
        || matches!(joined.as_str(), "PWD" | "OLD_PWD" | "PATH" | "KEY" | "KEYS")
    {
        return false;
    }
    let is_public = |it: &String| {
        matches!(
            it.as_str(),
            "PUBLIC" | "PUB" | "PUBLISHABLE" | "PRIMARY" | "FOREIGN"
        )
    };
    if words.iter().any(is_public) && !words.iter().any(|it| it == "SECRET" || it == "PASSWORD") {
        return false;
    }
    // Elsewhere `PWD` is the folder one is in.
    let is_folder = |word: &String| word == "PWD" && word != last;
    words.iter().filter(|it| !is_folder(it)).any(|word| {
        SECRET_WORDS.contains(&word.as_str()) || SECRET_ENDS.iter().any(|it| word.ends_with(it))
    })
}

/// `DB_PASSWORD`, `dbPassword` and `db.password` have the same words.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        let is_break = !c.is_ascii_alphanumeric();
        if (is_break || (was_lower && c.is_ascii_uppercase())) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !is_break {
            word.push(c.to_ascii_uppercase());
        }
        was_lower = c.is_ascii_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_other_names() {
        for yes in [
            "DB_PASSWORD",
            "apiKey",
            "PGPASSWORD",
            "DATABASE_URL",
            "SHOP_DATABASE_URL",
            "GITHUB_TOKEN",
            "AWS_ACCESS_KEY_ID",
            "JWT_PRIVATE_KEY",
            "SENTRY_DSN",
            "NPM_AUTH",
            "DB_PWD",
            "SHOP_APIKEY",
            "STRIPE_SECRET_KEY",
            "NEXT_PUBLIC_SECRET",
        ] {
            assert!(looks_secret(yes), "{yes}");
        }
        for no in [
            "PUBLIC_KEY",
            "SSH_PUB_KEY",
            "KEYBOARD",
            "TOKENIZER",
            "MONKEY",
            "monkey",
            "PATH",
            "PWD",
            "OLDPWD",
            "BYPASS",
            "SSH_AUTH_SOCK",
            "TOKEN_TTL",
            "AUTH_URL",
            "AUTHOR",
            "TOKENIZERS_PARALLELISM",
            "NODE_ENV",
            "FTP_PWD_STOP",
            "SECRET_NAME",
            "KEY_PATH",
            "PASSENGER",
            "COMPASS",
            "HOCKEY",
        ] {
            assert!(!looks_secret(no), "{no}");
        }
    }
}
