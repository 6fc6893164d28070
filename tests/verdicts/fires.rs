//! For each verdict an estate where it fires, and its neighbour where it must not, through the program. What a
//! verdict needs that no table can tell (people, logs) is in `people.rs`.

use crate::estate::{Estate, drawn, told};

/// Files of one repository, each in a commit of its own: author, path, text.
type Files<'a> = &'a [(&'a str, &'a str, &'a str)];

/// Code that reads a record of Vault.
const READS: &str = "vault kv get -field=password kv/shop/db\n";
const ESTATE: &[&str] = &["scan", "--estate", "--format", "json"];
const HISTORY: &[&str] = &["scan", "--history", "--estate", "--format", "json"];

#[track_caller]
fn judged(rows: &[&str], files: Files<'_>, arguments: &[&str], expected: &[&str]) {
    let estate = Estate::new(rows);
    for (author, path, text) in files {
        estate.commit("shop", author, path, text);
    }
    assert_eq!(estate.verdicts(arguments), expected, "{rows:?}\n{files:?}");
}

/// A record of a database's password with these cells in front of its value, used by one script.
fn db(cells: &str) -> String {
    format!("kv/shop/db,password,vault,{cells},password,1,,{{value:db}}")
}

const SCRIPT: Files<'_> = &[("Ada", "bin/seed.sh", READS)];

#[test]
fn a_healthy_estate_is_silent() {
    judged(&[&db(",,{ago:9},{ago:1},,,")], SCRIPT, ESTATE, &[]);
}

#[test]
fn old_value_in_use() {
    let maps = |version: u32| {
        format!(
            "gcp-secretmanager,production,,{{ago:9}},{{ago:1}},,,,api-token,{version},,{{value:{version}}}"
        )
    };
    let (old, new) = (maps(1), maps(2));
    let rows = [&old, &new].map(|it| format!("projects/shop/secrets/maps,,{it}"));
    let rows = rows.each_ref().map(String::as_str);
    for (pin, expected) in [
        ("1", &["old-value-in-use projects/shop/secrets/maps"][..]),
        ("2", &[]),
        ("latest", &[]),
    ] {
        let line = format!("NAME = \"projects/shop/secrets/maps/versions/{pin}\"\n");
        judged(&rows, &[("Ada", "app/maps.py", &line)], ESTATE, expected);
    }
    // A copy in Kubernetes that the rotation did not reach.
    let copy = |value: &str| {
        format!(
            "shop/db,password,kubernetes,,,{{ago:9}},{{ago:1}},,,,password,1,,{{value:{value}}}"
        )
    };
    for (value, expected) in [
        ("old", &["old-value-in-use kv/shop/db#password"][..]),
        ("other", &[]),
    ] {
        let rows = [
            "kv/shop/db,password,vault,,,{ago:99},{ago:1},,,,password,1,,{value:old}",
            "kv/shop/db,password,vault,,,{ago:9},{ago:1},,,,password,2,,{value:new}",
            &copy(value),
        ];
        judged(&rows, &[], ESTATE, expected);
        judged(&rows, &[], &["scan", "--format", "json"], expected);
    }
}

#[test]
fn old_value_in_a_variable() {
    let version = |number: u32, value: &str| {
        let days = 100 - number * 40;
        format!(
            "kv/shop/db,password,vault,,,{{ago:{days}}},{{ago:1}},,,,password,{number},,{{value:{value}}}"
        )
    };
    let rows = [version(1, "old"), version(2, "new")];
    let rows = rows.each_ref().map(String::as_str);
    let rotated = "rotated-but-exposed kv/shop/db#password";
    let in_use = "old-value-in-use kv/shop/db#password";
    for (reads, value, expected) in [
        ("DB_PASSWORD", "old", &[in_use, rotated][..]),
        ("OTHER_PASSWORD", "old", &[rotated]),
        ("DB_PASSWORD", "new", &["exposed kv/shop/db#password"]),
    ] {
        let code = format!("import os\nPASSWORD = os.environ[\"{reads}\"]\n");
        let set = format!("DB_PASSWORD={{value:{value}}}\n");
        let files = [("Ada", "app/db.py", code.as_str()), ("Ada", ".env", &set)];
        judged(&rows, &files, ESTATE, expected);
    }
}

#[test]
fn exposed_unmanaged_and_rotated_but_exposed() {
    let rows = [
        "kv/shop/db,password,vault,,,{ago:50},{ago:1},,,,password,1,,{value:old}",
        "kv/shop/db,password,vault,,,{ago:9},{ago:1},,,,password,2,,{value:new}",
    ];
    for (value, expected) in [
        ("new", &["exposed kv/shop/db#password"][..]),
        ("old", &["rotated-but-exposed kv/shop/db#password"]),
        ("strange", &["unmanaged -"]),
    ] {
        let text = format!("password = \"{{value:{value}}}\"\n");
        judged(&rows, &[("Ada", "settings.py", &text)], ESTATE, expected);
    }
    judged(
        &rows,
        &[("Ada", "settings.py", "password = None\n")],
        ESTATE,
        &[],
    );
}

#[test]
fn a_known_value_in_another_spelling_is_one_secret() {
    let packed = data_encoding::BASE64.encode(drawn("db").as_bytes());
    let manifest = format!("kind: Secret\nmetadata: {{name: db}}\ndata:\n  password: {packed}\n");
    judged(
        &[&db(",,{ago:9},{ago:1},,,")],
        &[("Ada", "k8s/db.yaml", &manifest)],
        ESTATE,
        &["exposed kv/shop/db#password"],
    );
}

#[test]
fn stale_expired_and_expiring() {
    let name = "kv/shop/db#password";
    let told = |id: &str| vec![format!("{id} {name}")];
    for (rotated, expires, expected) in [
        (366, "", told("stale")),
        (364, "", vec![]),
        (9, "{ago:1}", told("expired")),
        (9, "{ago:-29}", told("expiring")),
        (9, "{ago:-32}", vec![]),
    ] {
        let row = format!(
            "{},{expires}",
            db(&format!(",,{{ago:{rotated}}},{{ago:1}},,,"))
        );
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        judged(&[&row], SCRIPT, ESTATE, &expected);
    }
}

#[test]
fn unused_and_broken_reference() {
    let idle = db(",,{ago:9},,,,");
    judged(&[&idle], &[], ESTATE, &["unused kv/shop/db#password"]);
    judged(&[&idle], &[], &["scan", "--format", "json"], &[]);
    judged(&[&idle], SCRIPT, ESTATE, &[]);
    for (complete, expected) in [("vault", &["broken-reference -"][..]), ("kubernetes", &[])] {
        let estate = Estate::new(&[&db(",,{ago:9},{ago:1},,,")]);
        let import = [
            "inventory",
            "import",
            "csv",
            "../table.csv",
            "--complete",
            complete,
        ];
        estate.succeed(&import);
        let reads = "vault kv get -field=password kv/shop/gone\n";
        estate.commit("shop", "Ada", "bin/seed.sh", reads);
        assert_eq!(estate.verdicts(ESTATE), expected, "{complete}");
    }
}

#[test]
fn crosses_environments() {
    let pay = |name: &str, environment: &str| {
        format!("{name},key,vault,{environment},,{{ago:9}},{{ago:1}},,,,api-token,1,,{{value:pay}}")
    };
    let production = pay("kv/pay", "production");
    for (other, expected) in [
        (
            "staging",
            &["crosses-environments kv/pay#key", "reused kv/pay#key"][..],
        ),
        ("prod", &["reused kv/pay#key"]),
    ] {
        judged(
            &[&production, &pay("kv/pay2", other)],
            &[],
            ESTATE,
            expected,
        );
    }
    for (path, expected) in [
        (
            "deploy/staging/seed.sh",
            &["crosses-environments kv/shop/db#password"][..],
        ),
        ("deploy/production/seed.sh", &[]),
    ] {
        let rows = [db("production,,{ago:9},{ago:1},,,")];
        judged(&[&rows[0]], &[("Ada", path, READS)], ESTATE, expected);
    }
}

#[test]
fn long_lived() {
    for (key, dynamic, expected) in [
        (
            "MYSQL_PASSWORD",
            "",
            &["long-lived kv/shop#MYSQL_PASSWORD"][..],
        ),
        ("MYSQL_PASSWORD", "true", &[]),
        ("SHOP_PASSWORD", "", &[]),
    ] {
        let row = format!(
            "kv/shop,{key},vault,,,{{ago:9}},{{ago:1}},,{dynamic},,password,1,,{{value:a}}"
        );
        judged(&[&row], &[], ESTATE, expected);
        judged(&[&row], &[], &["scan", "--format", "json"], expected);
    }
}

#[test]
fn human_credential() {
    let reads = "vault kv get -field=token kv/ci\n";
    for (account, text, expected) in [
        ("personal", reads, &["human-credential kv/ci#token"][..]),
        ("service", reads, &[]),
        ("personal", "echo hello\n", &[]),
    ] {
        let row = format!(
            "kv/ci,token,vault,,,{{ago:9}},{{ago:1}},,,,api-token,1,{account},{{value:ci}}"
        );
        judged(
            &[&row],
            &[("Ada", "bin/release.sh", text)],
            ESTATE,
            expected,
        );
    }
}

#[test]
fn key_person() {
    let leak = "password = \"{value:db}\"\n";
    let row = |owners: &str| db(&format!(",{owners},{{ago:9}},{{ago:1}},,,"));
    let by = |second: &'static str| {
        [
            ("Ada", "a/settings.py", leak),
            (second, "b/settings.py", leak),
        ]
    };
    let alone = &[
        "exposed kv/shop/db#password",
        "key-person kv/shop/db#password",
    ][..];
    let shared = &["exposed kv/shop/db#password"][..];
    for (owners, second, expected) in [
        ("", "Ada", alone),
        ("", "Bo", shared),
        ("team-shop", "Ada", shared),
        ("Ada", "Bo", alone),
    ] {
        judged(&[&row(owners)], &by(second), HISTORY, expected);
    }
    let folder = ["scan", "--history", "--format", "json"];
    judged(&[&row("")], &by("Ada"), &folder, shared);
}

#[test]
fn sole_copy() {
    let key = |name: &str| {
        format!(
            "kv/backup,{name},vault,,team,{{ago:9}},{{ago:1}},,,,symmetric-key,1,,{{value:key}}"
        )
    };
    let sole = &["sole-copy kv/backup#encryption_key"][..];
    judged(&[&key("encryption_key")], &[], ESTATE, sole);
    judged(&[&key("signing_key")], &[], ESTATE, &[]);
    judged(
        &[&key("encryption_key")],
        &[],
        &["scan", "--format", "json"],
        &[],
    );
    let second =
        "safe/backup,key,onepassword,,team,{ago:9},{ago:1},,,,symmetric-key,1,,{value:key}";
    let reused = &["reused kv/backup#encryption_key"][..];
    judged(&[&key("encryption_key"), second], &[], ESTATE, reused);
}

#[test]
fn unexplained_access() {
    let row = |who: &str| db(&format!(",,{{ago:9}},{{ago:1}},{who},,"));
    let fires = &["unexplained-access kv/shop/db#password"][..];
    judged(&[&row("mallory")], SCRIPT, ESTATE, fires);
    judged(&[&row("seed.sh")], SCRIPT, ESTATE, &[]);
    judged(
        &[&row("mallory")],
        SCRIPT,
        &["scan", "--format", "json"],
        &[],
    );
}

#[test]
fn the_map_tells_the_verdicts_of_an_estate() {
    let estate = Estate::new(&[&db(",,{ago:9},{ago:1},mallory,,")]);
    estate.commit("shop", "Ada", "bin/seed.sh", READS);
    let output = estate.run(&["map", "shop/db", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdict = &document["records"][0]["verdicts"][0];
    assert_eq!(verdict["id"], "unexplained-access", "{}", told(&output));
    assert_eq!(
        (&verdict["severity"], &verdict["level"]),
        (&"low".into(), &"note".into())
    );
}

#[test]
fn policies_change_what_is_told_and_say_so() {
    let row = db("production,,{ago:70},{ago:1},,,");
    let stale = |settings: &str| {
        let estate = Estate::new(&[&row]);
        estate.commit("shop", "Ada", "bin/seed.sh", READS);
        std::fs::write(estate.path("estate/keyatlas.toml"), settings).unwrap();
        let output = estate.run(ESTATE);
        let document: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_default();
        let levels = document["verdicts"].as_array().into_iter().flatten();
        let levels = levels
            .map(|it| format!("{} {}", it["id"], it["severity"]))
            .collect::<Vec<_>>();
        (levels.join(","), told(&output))
    };
    assert_eq!(stale("").0, "");
    let sixty =
        "[[policy]]\nenvironment = \"prod*\"\nmax-age-days = 60\nseverity.stale = \"high\"\n";
    assert_eq!(stale(sixty).0, "\"stale\" \"high\"");
    let off = format!(
        "{sixty}[[policy]]\nenvironment = \"prod*\"\nrecord = \"kv/shop/*\"\noff.stale = \"legacy\"\n"
    );
    let (verdicts, speech) = stale(&off);
    assert_eq!(verdicts, "", "{speech}");
    assert!(
        speech.contains("1 verdict is switched off by policies (stale: 1)"),
        "{speech}"
    );
    let tie = format!("{sixty}[[policy]]\nkind = \"password\"\nmax-age-days = 90\n");
    let (_, speech) = stale(&tie);
    assert!(speech.starts_with("code Some(2)"), "{speech}");
    assert!(speech.contains("keyatlas.toml:5: this policy and that of line 1 both say `max-age-days` of `kv/shop/db#password`"), "{speech}");
    let wrong = stale("[[policy]]\nmax-age-day = 3\n").1;
    assert!(
        wrong.contains(
            "keyatlas.toml:2:1: unknown key `policy.max-age-day`; did you mean `max-age-days`?"
        ),
        "{wrong}"
    );
}
