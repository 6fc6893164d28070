//! The invented shop, end to end through the built binary: an inventory, a scan of three repositories
//! with their histories, the map, and every report format.
//!
//! What the fixture plants is told in `fixtures/shop/build`; here stands what the tool must say of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The shop in a folder of its own, with an inventory imported from its table.
struct Shop {
    dir: TempDir,
}

impl Shop {
    /// Builds the shop as of today, so that ages and ends hold whenever the test runs.
    fn build() -> Self {
        let dir = TempDir::new().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop/build");
        let now = jiff::Timestamp::now().to_string();
        let built = python()
            .arg(script)
            .arg(dir.path().join("shop"))
            .args(["--today", &now[..10]])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", told(&built));
        Self { dir }
    }

    fn with_inventory() -> Self {
        let shop = Self::build();
        shop.succeed(&["inventory", "init"]);
        let table = shop.path("shop/inventory/inventory.csv");
        let table = table.to_str().unwrap();
        shop.succeed(&[
            "inventory",
            "import",
            "csv",
            table,
            "--complete",
            "github-actions",
        ]);
        shop
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// The program, in the folder of the three repositories, with nobody's settings.
    fn keyatlas(&self) -> Command {
        let home = self.path("home");
        fs::create_dir_all(&home).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyatlas"));
        command
            .current_dir(self.path("shop/estate"))
            .env_remove("KEYATLAS_CONFIG")
            .env("KEYATLAS_INVENTORY", self.path("inventory.db"))
            .env("KEYATLAS_KEY_FILE", self.path("keys/estate.key"));
        for variable in [
            "HOME",
            "USERPROFILE",
            "APPDATA",
            "LOCALAPPDATA",
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
        ] {
            command.env(variable, &home);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.keyatlas();
        if arguments.first() == Some(&"scan") && !self.path("inventory.db").exists() {
            command.env_remove("KEYATLAS_INVENTORY");
        }
        command.args(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            told(&output)
        );
        output
    }

    /// The document that a scan of the estate prints; there is something to report, so the code is 1.
    fn scan(&self, extra: &[&str]) -> Value {
        let output = self.run(
            &[
                &["scan", "--history", "--estate", "--format", "json"],
                extra,
            ]
            .concat(),
        );
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn planted(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("shop/planted")).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn python() -> Command {
    let works = |name: &&str| {
        let probe = Command::new(name)
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"])
            .output();
        probe.is_ok_and(|it| it.status.success())
    };
    let name = ["python3", "python"].into_iter().find(works);
    Command::new(name.expect("these tests need Python 3.8 or newer on the PATH"))
}

fn told(output: &Output) -> String {
    format!(
        "code {:?}\nstdout:\n{}\nstderr:\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `repository/path:line record@version state`, one for each finding.
fn findings(document: &Value) -> BTreeSet<String> {
    let tell = |finding: &Value| {
        let origin = &finding["origins"][0];
        let managed = &finding["managed"];
        let state = match (managed.is_null(), managed["current"].as_bool()) {
            (true, _) => text(&finding["rule"]),
            (_, Some(true)) => format!("{} current", text(&managed["record"])),
            _ => format!("{} earlier", text(&managed["record"])),
        };
        let in_head = list(&finding["origins"])
            .iter()
            .any(|it| it["in_head"] == true || it["kind"] == "file");
        let place = if in_head { "" } else { ", history only" };
        format!(
            "{}/{}:{} {state}{place}",
            text(&origin["repository"]),
            text(&finding["path"]),
            finding["line"]
        )
    };
    list(&document["findings"]).iter().map(tell).collect()
}

/// Records by verdict id.
fn judged(document: &Value, id: &str) -> BTreeSet<String> {
    let verdicts = list(&document["verdicts"]).iter();
    verdicts
        .filter(|it| it["id"] == id)
        .map(|it| text(&it["record"]))
        .collect()
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn each_planted_value_is_found_where_it_lies_and_nothing_else() {
    let document = Shop::with_inventory().scan(&[]);
    assert_eq!(document["version"], 1);
    assert_eq!(document["complete"], true, "{}", document["coverage"]);
    let mut found = findings(&document);
    // Public certificates have a test of their own.
    found.retain(|it| !it.contains("/tls/"));
    assert_eq!(
        found,
        set(&[
            "shop-api/config/settings.py:10 kv/shop/mail#smtp_password current, history only",
            "shop-api/config/settings.py:19 kv/shop/db#password current",
            "shop-api/config/webhooks.yaml:3 kv/shop/webhooks#signing_secret current",
            "shop-deploy/docker-compose.yml:7 kv/shop/db#password earlier",
            "shop-web/src/checkout.ts:3 stripe-live-key",
        ])
    );
}

#[test]
fn each_finding_names_who_brought_it() {
    let document = Shop::with_inventory().scan(&[]);
    let author = |path: &str, line: u64| {
        let finding = list(&document["findings"])
            .iter()
            .find(|it| it["path"] == path && it["line"] == line)
            .unwrap();
        let history = list(&finding["origins"])
            .iter()
            .find(|it| it["kind"] == "history");
        let origin = history.unwrap_or_else(|| panic!("no history: {finding}"));
        assert_eq!(origin["reachable"], true);
        (
            text(&origin["author"]),
            text(&origin["date"])[..10].to_owned(),
        )
    };
    let who = |name: &str, date: &str| (name.to_owned(), date.to_owned());
    assert_eq!(
        author("config/settings.py", 10),
        who("Bo Example", "2024-09-12")
    );
    assert_eq!(
        author("config/settings.py", 19),
        who("Bo Example", "2026-09-02")
    );
    // Neither parent of the merge has this value.
    assert_eq!(
        author("config/webhooks.yaml", 3),
        who("Cy Example", "2025-05-09")
    );
    assert_eq!(
        author("src/checkout.ts", 3),
        who("Di Example", "2025-11-18")
    );
    assert_eq!(
        author("docker-compose.yml", 7),
        who("Ada Example", "2026-03-10")
    );
}

#[test]
fn the_verdicts_tell_the_whole_story() {
    let document = Shop::with_inventory().scan(&[]);
    let cases: &[(&str, &[&str])] = &[
        (
            "exposed",
            &[
                "kv/shop/db#password",
                "kv/shop/mail#smtp_password",
                "kv/shop/webhooks#signing_secret",
            ],
        ),
        ("unmanaged", &["-"]),
        ("rotated-but-exposed", &["kv/shop/db#password"]),
        ("stale", &["kv/shop/mail#api_key"]),
        ("expiring", &["-", "kv/shop/tls/api#certificate"]),
        (
            "unused",
            &[
                "kv/shop/crm#api_key",
                "kv/shop/fax#token",
                "kv/shop/ftp#password",
            ],
        ),
    ];
    for (id, records) in cases {
        assert_eq!(judged(&document, id), set(records), "{id}");
    }
    let expired = judged(&document, "expired");
    assert!(
        expired.contains("kv/shop/tls/www#certificate"),
        "{expired:?}"
    );
    assert!(
        !expired.contains("kv/shop/tls/admin#certificate"),
        "{expired:?}"
    );
    let of_the_file = list(&document["verdicts"])
        .iter()
        .find(|it| it["id"] == "expired" && it.to_string().contains("tls/old.crt"));
    assert!(of_the_file.is_some(), "{}", document["verdicts"]);
    for verdict in list(&document["verdicts"]) {
        for field in ["level", "message", "next"] {
            assert!(
                verdict[field].as_str().is_some_and(|it| !it.is_empty()),
                "{field}: {verdict}"
            );
        }
    }
}

/// `verdict path record` of each judgement on a certificate.
fn ends(document: &Value) -> BTreeSet<String> {
    let verdicts = list(&document["verdicts"]).iter();
    let told =
        verdicts.filter(|it| it.to_string().contains("/tls") || it.to_string().contains("-tls-"));
    told.map(|it| {
        format!(
            "{} {} {}",
            text(&it["id"]),
            text(&it["path"]),
            text(&it["record"])
        )
    })
    .collect()
}

#[test]
fn certificates_are_judged_by_their_end_and_never_exposed() {
    let shop = Shop::build();
    let of_files = ["expired tls/old.crt -", "expiring tls/api.crt -"];
    assert_eq!(ends(&shop.scan(&[])), set(&of_files));
    // The inventory knows two of the three by their values.
    shop.succeed(&["inventory", "init"]);
    let export = shop.path("shop/inventory/secrets.json");
    let export = export.to_str().unwrap();
    shop.succeed(&["inventory", "import", "kubernetes", export]);
    let document = shop.scan(&[]);
    let managed: BTreeSet<String> = list(&document["findings"])
        .iter()
        .filter(|it| it["rule"] == "certificate")
        .map(|it| format!("{} {}", text(&it["path"]), text(&it["managed"]["record"])))
        .collect();
    assert_eq!(
        managed,
        set(&[
            "tls/api.crt shop/shop-tls-api#tls.crt",
            "tls/old.crt -",
            "tls/www.crt shop/shop-tls-www#tls.crt",
        ])
    );
    let mut judged = ends(&document);
    judged.retain(|it| !it.starts_with("unused"));
    assert_eq!(
        judged,
        set(&[
            "expired tls/old.crt -",
            "expiring tls/api.crt shop/shop-tls-api#tls.crt",
            &format!(
                "expiring {} shop/shop-tls-api#tls.crt",
                export.replace('\\', "/")
            ),
        ])
    );
}

#[test]
fn one_value_under_two_records_is_reused() {
    let document = Shop::with_inventory().scan(&[]);
    let reused: Vec<&Value> = list(&document["verdicts"])
        .iter()
        .filter(|it| it["id"] == "reused")
        .collect();
    let all = reused.iter().map(|it| it.to_string()).collect::<String>();
    for record in ["kv/shop/payments#api_key", "kv/staging/payments#api_key"] {
        assert!(all.contains(record), "{record}: {all}");
    }
    assert!(!all.contains("kv/shop/db"), "{all}");
}

#[test]
fn a_name_that_a_complete_inventory_lacks_is_broken() {
    let document = Shop::with_inventory().scan(&[]);
    let broken: Vec<&Value> = list(&document["verdicts"])
        .iter()
        .filter(|it| it["id"] == "broken-reference")
        .collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    let told = broken[0].to_string();
    assert!(told.contains("OLD_DEPLOY_TOKEN"), "{told}");
    assert!(told.contains(".github/workflows/deploy.yml"), "{told}");
}

/// Every object of a document that has a list under this name.
fn with_list<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            if members.get(name).is_some_and(Value::is_array) {
                found.push(value);
            }
            members.values().for_each(|it| with_list(it, name, found));
        }
        Value::Array(items) => items.iter().for_each(|it| with_list(it, name, found)),
        _ => {}
    }
}

#[test]
fn the_map_follows_the_chain_from_the_inventory_to_the_code() {
    let shop = Shop::with_inventory();
    let output = shop.succeed(&["map", "shop/db", "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut uses = Vec::new();
    with_list(&document, "chain", &mut uses);
    let hops = |it: &&Value| -> Vec<(String, String)> {
        let hop = |hop: &Value| (text(&hop["syntax"]), text(&hop["path"]));
        list(&it["chain"]).iter().map(hop).collect()
    };
    let expected = [
        ("external-secret", "k8s/external-secrets.yaml"),
        ("secret-key-ref", "k8s/shop-api.yaml"),
        ("env-accessor", "app/db.py"),
    ]
    .map(|(syntax, path)| (syntax.to_owned(), path.to_owned()));
    let chain = uses.iter().find(|it| hops(it) == expected);
    let chain = chain.unwrap_or_else(|| panic!("no such chain: {document:#}"));
    assert_eq!(chain["evidence"], "reference");
    assert_eq!(chain["consumer"], "Deployment/shop-api");
    let records: BTreeSet<String> = list(&document["records"])
        .iter()
        .map(|it| text(&it["record"]))
        .collect();
    assert_eq!(records, set(&["kv/shop/db#password"]));
    let by_value: BTreeSet<String> = uses
        .iter()
        .filter(|it| it["evidence"] == "value")
        .filter_map(|it| list(&it["chain"]).last().map(|hop| text(&hop["path"])))
        .collect();
    assert!(by_value.contains("config/settings.py"), "{by_value:?}");
}

#[test]
fn sarif_has_the_chain_as_a_code_flow() {
    let shop = Shop::with_inventory();
    let output = shop.run(&["scan", "--history", "--estate", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let mut flows = Vec::new();
    with_list(&log, "threadFlows", &mut flows);
    let places = |flow: &&Value| -> Vec<String> {
        let steps = list(&flow["threadFlows"][0]["locations"]).iter();
        let uri = |it: &Value| text(&it["location"]["physicalLocation"]["artifactLocation"]["uri"]);
        steps.map(uri).collect()
    };
    let expected = [
        "k8s/external-secrets.yaml",
        "k8s/shop-api.yaml",
        "app/db.py",
    ];
    let is_chain = |flow: &&Value| {
        let places = places(flow);
        let mut rest = places.iter();
        expected
            .iter()
            .all(|it| rest.by_ref().any(|place| place.ends_with(it)))
    };
    assert!(flows.iter().any(is_chain), "{flows:?}");
    let ids: BTreeSet<String> = list(&log["runs"][0]["results"])
        .iter()
        .map(|it| text(&it["ruleId"]))
        .collect();
    assert!(ids.contains("stripe-live-key"), "{ids:?}");
    assert!(
        !log.to_string().contains("@shop.example>"),
        "an author's address"
    );
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn holds(bytes: &[u8], planted: &[String]) -> Option<String> {
    let forms = |value: &String| {
        let encoded = data_encoding::BASE64_NOPAD.encode(value.as_bytes());
        [value.clone(), encoded]
    };
    let has = |form: &String| memchr::memmem::find(bytes, form.as_bytes()).is_some();
    // The name of the value would do, but the test may show what the tool may not.
    planted.iter().flat_map(forms).find(has)
}

#[test]
fn no_planted_value_leaves_by_any_road() {
    let shop = Shop::with_inventory();
    let planted = shop.planted();
    let scan = ["scan", "--history", "--estate"];
    let mut outputs = vec![
        ("list", shop.run(&["inventory", "list"])),
        (
            "show",
            shop.run(&["inventory", "show", "kv/shop/db#password"]),
        ),
        ("status", shop.run(&["inventory", "status"])),
        ("map", shop.run(&["map"])),
        ("map json", shop.run(&["map", "--format", "json"])),
    ];
    for format in ["human", "json", "jsonl", "sarif"] {
        outputs.push((
            format,
            shop.run(&[&scan[..], &["--format", format]].concat()),
        ));
    }
    for (name, output) in &outputs {
        assert!(!output.stdout.is_empty(), "{name}: {}", told(output));
        for bytes in [&output.stdout, &output.stderr] {
            assert_eq!(holds(bytes, &planted), None, "{name}");
        }
    }
    // Everything the tool wrote: the store, its journal, the key, whatever it left in the home folder.
    for path in files(shop.dir.path()) {
        if !path.starts_with(shop.path("shop")) {
            let bytes = fs::read(&path).unwrap();
            assert_eq!(holds(&bytes, &planted), None, "{}", path.display());
        }
    }
    let store = fs::read(shop.path("inventory.db")).unwrap();
    assert!(memchr::memmem::find(&store, b"kv/shop/db").is_some());
}

#[test]
fn a_value_is_shown_where_the_caller_asks_and_never_in_sarif() {
    let shop = Shop::with_inventory();
    let planted = shop.planted();
    let shown = shop.run(&["scan", "--format", "json", "--show-secrets"]);
    assert!(holds(&shown.stdout, &planted).is_some(), "{}", told(&shown));
    let refused = shop.run(&["scan", "--format", "sarif", "--show-secrets"]);
    assert_eq!(holds(&refused.stdout, &planted), None);
}

#[test]
fn the_same_bytes_come_out_whatever_the_number_of_threads() {
    let shop = Shop::with_inventory();
    for format in ["human", "json", "jsonl", "sarif"] {
        let run = |jobs: &str| {
            let scan = [
                "scan",
                "--history",
                "--estate",
                "--no-cache",
                "--format",
                format,
                "--jobs",
                jobs,
            ];
            shop.run(&scan).stdout
        };
        let (one, two) = (run("1"), run("4"));
        assert!(!one.is_empty());
        assert_eq!(
            String::from_utf8_lossy(&one),
            String::from_utf8_lossy(&two),
            "{format}"
        );
    }
}

#[test]
fn without_history_only_the_work_trees_speak() {
    let shop = Shop::with_inventory();
    let output = shop.run(&["scan", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = findings(&document);
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|it| !it.contains("history only")),
        "{found:?}"
    );
    assert!(judged(&document, "unused").is_empty());
}

#[test]
fn without_an_inventory_every_value_is_unmanaged() {
    let shop = Shop::build();
    let document = shop.scan(&[]);
    assert!(judged(&document, "exposed").is_empty());
    let unmanaged = list(&document["verdicts"])
        .iter()
        .filter(|it| it["id"] == "unmanaged");
    assert!(unmanaged.count() >= 5);
    assert!(
        list(&document["findings"])
            .iter()
            .all(|it| it["managed"].is_null())
    );
}

#[test]
fn exports_of_other_systems_recognise_the_same_values() {
    for (kind, export, record) in [
        ("vault", "vault.json", "kv/shop/db#password"),
        ("kubernetes", "secrets.json", "shop-db"),
        ("dotenv", "inventory.env", "DB_PASSWORD"),
    ] {
        let shop = Shop::build();
        shop.succeed(&["inventory", "init"]);
        let export = shop.path("shop/inventory").join(export);
        shop.succeed(&["inventory", "import", kind, export.to_str().unwrap()]);
        let document = shop.scan(&[]);
        let managed = list(&document["findings"])
            .iter()
            .find(|it| it["path"] == "config/settings.py" && it["line"] == 19)
            .map(|it| text(&it["managed"]["record"]));
        assert!(
            managed.as_ref().is_some_and(|it| it.contains(record)),
            "{kind}: {managed:?}"
        );
    }
}

#[test]
fn an_inventory_of_another_key_is_refused_in_words() {
    let shop = Shop::with_inventory();
    let mut other = shop.keyatlas();
    other.env("KEYATLAS_INVENTORY", shop.path("other.db"));
    other.env("KEYATLAS_KEY_FILE", shop.path("keys/other.key"));
    assert!(
        other
            .args(["inventory", "init"])
            .output()
            .unwrap()
            .status
            .success()
    );
    let before = fs::read(shop.path("inventory.db")).unwrap();
    let mut scan = shop.keyatlas();
    scan.env("KEYATLAS_KEY_FILE", shop.path("keys/other.key"));
    let output = scan.args(["scan", "--history"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(output.stdout.is_empty(), "{}", told(&output));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("key"),
        "{}",
        told(&output)
    );
    assert_eq!(before, fs::read(shop.path("inventory.db")).unwrap());
}
