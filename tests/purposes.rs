//! What a value is there for, from bytes and a path to a confidence with its facts: values that people make
//! up say little in tests, manuals and examples; random ones, and those of a provider's own shape, are
//! still told.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use keyatlas::detect::{Detector, Judgement, Scratch, Texture, weigh};
use keyatlas::model::level::Confidence::{self, High, Low, Medium};
use keyatlas::ruleset::{Options, load};
use std::sync::Arc;

/// The surest judgement of what is found in the text at the path.
fn judged(detector: &Scanner, path: &str, text: &str) -> Option<Judgement> {
    let mut scratch = Scratch::default();
    let found = detector
        .detector
        .detect(text.as_bytes(), Texture::Text, &mut scratch);
    found
        .iter()
        .filter_map(|it| {
            let rule = &detector.rules.rules[it.candidate.rule];
            weigh(rule, &it.candidate, path)
        })
        .max_by_key(|it| it.confidence)
}

struct Scanner {
    rules: Arc<keyatlas::model::rule::RuleSet>,
    detector: Detector,
}

impl Scanner {
    fn new() -> Self {
        let rules = Arc::new(load(&Options::default()).unwrap());
        Self {
            detector: Detector::new(Arc::clone(&rules)),
            rules,
        }
    }
}

/// Letters and digits as a generator draws them, in parts so that no file holds them whole.
fn random() -> String {
    ["q8Zk27xP", "w0LmN4tY", "b6RcV9sJ"].concat()
}

#[test]
fn the_place_lowers_what_people_make_up() {
    let scanner = Scanner::new();
    let random = random();
    let made_up = "password = \"Blauwal-garten7\"\n";
    let drawn = format!("client_secret = \"{random}\"\n");
    let key = ["id = AK", "IAQ3XWZ7LM", "2RTV5YBN\n"].concat();
    let cases: &[(&str, &str, Option<Confidence>, &str)] = &[
        ("src/config.rs", made_up, Some(High), ""),
        ("deploy/app.ini", made_up, Some(High), ""),
        (
            "tests/login.rs",
            made_up,
            Some(Low),
            "- in a file for tests",
        ),
        (
            "app/LoginTest.java",
            made_up,
            Some(Low),
            "- in a file for tests",
        ),
        ("README.md", made_up, Some(Low), "- in a manual"),
        ("examples/get.py", made_up, Some(Low), "- in an example"),
        ("src/config.rs", &drawn, Some(High), ""),
        (
            "tests/login.rs",
            &drawn,
            Some(Medium),
            "- in a file for tests",
        ),
        ("README.md", &drawn, Some(Medium), "- in a manual"),
        (
            "api/iam.examples.json",
            &drawn,
            Some(Low),
            "- in a file of examples",
        ),
        ("tests/login.rs", &key, Some(High), ""),
    ];
    for (path, text, confidence, fact) in cases {
        let judgement = judged(&scanner, path, text);
        assert_eq!(
            judgement.as_ref().map(|it| it.confidence),
            *confidence,
            "{path}: {text}"
        );
        let facts = judgement.map(|it| it.facts).unwrap_or_default();
        assert_eq!(facts.first().copied().unwrap_or_default(), *fact, "{path}");
    }
}

#[test]
fn the_text_lowers_what_people_make_up() {
    let scanner = Scanner::new();
    for (text, fact) in [
        (
            "/// let it = login(password = \"Blauwal-garten7\");\n",
            "- in documentation within code",
        ),
        (
            "#[test]\nfn opens() {\n    let password = \"Blauwal-garten7\";\n",
            "- in the code of a test",
        ),
        (
            "user = 'ann@example.com', password = 'Blauwal-garten7'\n",
            "- beside a host that is kept for documentation",
        ),
        ("// password = \"Blauwal-garten7\"\n", "- in a comment"),
        (
            "let dummy_password = \"Blauwal-garten7\";\n",
            "- its name says that it is none",
        ),
    ] {
        let judgement = judged(&scanner, "src/login.rs", text).unwrap();
        assert_eq!(judgement.confidence, Low, "{text}");
        assert_eq!(judgement.facts[0], fact, "{text}");
    }
}

#[test]
fn a_setting_out_of_force_loses_one_step() {
    let scanner = Scanner::new();
    let text = "# password = \"Blauwal-garten7\"\n";
    let judgement = judged(&scanner, "deploy/app.ini", text).unwrap();
    assert_eq!(judgement.confidence, Medium);
    let text = format!("# client_secret = \"{}\"\n", random());
    assert_eq!(
        judged(&scanner, "deploy/app.ini", &text)
            .unwrap()
            .confidence,
        High
    );
}

#[test]
fn yaml_in_a_text_of_python_is_documentation() {
    let scanner = Scanner::new();
    let text = format!("    client_secret: \"{}\"\n", random());
    assert_eq!(
        judged(&scanner, "plugins/get.py", &text)
            .unwrap()
            .confidence,
        Low
    );
    assert_eq!(
        judged(&scanner, "deploy/get.yml", &text)
            .unwrap()
            .confidence,
        High
    );
}

#[test]
fn logins_hashes_and_tokens_are_samples_where_they_are_shown() {
    let scanner = Scanner::new();
    let hash = format!("$6$Hu7Wq2Zx${}", random().repeat(4));
    let hash = format!("root:{}:19000\n", &hash[..98]);
    let url = "amqp://shop:Xk4tW9bq@queue.shop.io/main\n";
    let paseto = format!("token = \"v4.local.{}\"\n", random().repeat(3));
    for text in [&hash, url, &paseto] {
        assert!(
            judged(&scanner, "deploy/app.ini", text).unwrap().confidence >= Medium,
            "{text}"
        );
        assert_eq!(
            judged(&scanner, "tests/app.ini", text).unwrap().confidence,
            Low,
            "{text}"
        );
    }
}

#[test]
fn a_name_in_its_own_path_is_a_default() {
    let scanner = Scanner::new();
    for value in ["zabbix", "Zabbix#123", "z4bbix1"] {
        let text = format!("password: '{value}'\n");
        let at = |path: &str| judged(&scanner, path, &text).map(|it| it.confidence);
        assert_eq!(at("roles/zabbix/main.yml"), Some(Low), "{value}");
    }
    let text = format!("password: '{}2031!'\n", "Zabbix");
    assert_eq!(
        judged(&scanner, "roles/zabbix/main.yml", &text)
            .unwrap()
            .confidence,
        High
    );
}

#[test]
fn what_is_no_secret_is_silent_anywhere() {
    let scanner = Scanner::new();
    let fingerprint = "0123456789ABCDEF".repeat(3);
    for text in [
        "logln(\"PASS: \"+caseString+\" match.\");\n",
        "f_with_password(\"path/to/archive.zip\", \"out\")\n",
        "PASSWORD = \"_SA_{0F3A1B2C-0000-4E61-8D0C-7F6A5B4C3D2E}\"\n",
        "self.passphrase = self.passphrase.encode('ascii')\n",
        "{token : \"xml-pe.xml\", regex : \"x\"},\n",
        "'password' => [\n 'type' => 'text',\n]\n",
        "host_key = \"ssh-rsa,ssh-ed25519\"\n",
        "password: _DBC_DBPASS_\n",
        "cert-key-password = [\"dep:pkcs8\"]\n",
        "user_pass_1 = \"user_pass_2\"\n",
        &format!("GPG_KEY={}\n", &fingerprint[4..44]),
    ] {
        assert_eq!(judged(&scanner, "src/a.ini", text), None, "{text}");
    }
}
