//! The live importer against a real OpenBao, started here and ended here.
//!
//! `KEYATLAS_TEST_BAO` names the `bao` program. `KEYATLAS_TEST_BAO=none` says aloud that this part is not
//! tested; without either the tests fail, so that nobody believes in a test that did not run.

#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, its helpers too, and says what it left out"
)]

use keyatlas::import::evidence::{self, Evidence};
use keyatlas::import::vault_live::{PlainHttp, Server, fetch};
use keyatlas::import::{Error, Options, Totals};
use keyatlas::inventory::Store;
use keyatlas::model::fingerprint::Fingerprinter;
use keyatlas::model::record::Record;
use keyatlas::model::secret::Secret;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A development server with nothing in it but what a test writes.
struct Bao {
    child: Child,
    address: String,
    agent: ureq::Agent,
    home: tempfile::TempDir,
}

impl Drop for Bao {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bao {
    /// `None` only where the caller asked for it.
    fn start() -> Option<Self> {
        let program = std::env::var("KEYATLAS_TEST_BAO").unwrap_or_default();
        assert!(
            !program.is_empty(),
            "set KEYATLAS_TEST_BAO to the path of an OpenBao `bao` program, or to `none` to leave this out"
        );
        if program == "none" {
            println!("left out: KEYATLAS_TEST_BAO=none");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // Devices are declared, not made over HTTP: <https://openbao.org/docs/audit/>.
        let log = home.path().join("audit.log");
        let device = format!(
            "audit \"file\" \"log\" {{ options = {{ file_path = {:?} }} }}\n",
            log.to_str().unwrap()
        );
        let config = home.path().join("bao.hcl");
        fs::write(&config, device).unwrap();
        let child = Command::new(&program)
            .args([
                "server",
                "-dev",
                "-dev-root-token-id=root",
                "-dev-no-store-token",
            ])
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .arg(format!("-config={}", config.display()))
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(5)))
            .build();
        let mut bao = Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
            agent: config.into(),
            home,
        };
        bao.await_health();
        Some(bao)
    }

    fn await_health(&mut self) {
        let end = Instant::now() + Duration::from_secs(60);
        let url = format!("{}/v1/sys/health", self.address);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("bao ended: {status}");
            }
            if self
                .agent
                .get(&url)
                .call()
                .is_ok_and(|it| it.status() == 200)
            {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("bao did not answer within a minute");
    }

    /// Writes until the server takes it: a new KV mount refuses for a moment.
    fn write(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/v1/{path}", self.address);
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let mut answer = self
                .agent
                .post(&url)
                .header("X-Vault-Token", "root")
                .send(body.to_string())
                .unwrap();
            let text = answer.body_mut().read_to_string().unwrap();
            if answer.status().is_success() {
                return serde_json::from_str(&text).unwrap_or(Value::Null);
            }
            assert!(Instant::now() < end, "{path}: {} {text}", answer.status());
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    fn fill(&self) {
        self.write(
            "sys/mounts/kv",
            &json!({"type": "kv", "options": {"version": "2"}}),
        );
        self.write(
            "sys/mounts/old",
            &json!({"type": "kv", "options": {"version": "1"}}),
        );
        for password in ["first value 11", "second value 22", "third value 33"] {
            self.write(
                "kv/data/shop/db",
                &json!({"data": {"login": "shop_service_login", "password": password}}),
            );
        }
        self.write("kv/destroy/shop/db", &json!({"versions": [1]}));
        let custom = json!({"owner": "ann", "team": "team-shop", "environment": "production",
            "rotate_days": "90", "expires": "2027-01-01", "cost-centre": "4711"});
        self.write("kv/metadata/shop/db", &json!({"custom_metadata": custom}));
        self.write(
            "kv/data/shop/deep/a%20b/%C3%BC%25x",
            &json!({"data": {"token": "deep value 44\n", "port": 5432}}),
        );
        self.write(
            "kv/data/shop",
            &json!({"data": {"same": "name as a folder 55"}}),
        );
        self.write(
            "kv/data/gone",
            &json!({"data": {"old": "deleted value 66"}}),
        );
        self.write("kv/delete/gone", &json!({"versions": [1]}));
        self.write("old/mail", &json!({"password": "unversioned value 77"}));
    }

    fn audit_log(&self) -> PathBuf {
        self.home.path().join("audit.log")
    }

    /// Reads secrets as a person with a password of her own.
    fn read_as_ann(&self, paths: &[&str]) {
        let policy = r#"path "*" { capabilities = ["read"] }"#;
        self.write("sys/policies/acl/reader", &json!({"policy": policy}));
        self.write("sys/auth/userpass", &json!({"type": "userpass"}));
        let login = json!({"password": "not a real one 88", "token_policies": "reader"});
        self.write("auth/userpass/users/ann", &login);
        let answer = self.write("auth/userpass/login/ann", &login);
        let token = answer["auth"]["client_token"].as_str().unwrap();
        for path in paths {
            let url = format!("{}/v1/{path}", self.address);
            let answer = self.agent.get(url).header("X-Vault-Token", token).call();
            assert_eq!(answer.unwrap().status(), 200, "{path}");
        }
    }

    /// A token with one policy.
    fn token(&self, policy: &str) -> Secret {
        self.write("sys/policies/acl/limited", &json!({"policy": policy}));
        let answer = self.write("auth/token/create", &json!({"policies": ["limited"]}));
        Secret::new(answer["auth"]["client_token"].as_str().unwrap().as_bytes())
    }

    fn fetch(
        &self,
        token: &Secret,
        mount: Option<&str>,
        options: &Options,
    ) -> (Vec<Record>, Result<Totals, Error>) {
        let server = Server {
            address: &self.address,
            token,
            mount,
            namespace: None,
            authorities: None,
            plain_http: PlainHttp::Loopback,
        };
        let mut records = Vec::new();
        let result = fetch(&server, Some(&seal()), options, &mut |it| records.push(it));
        (records, result)
    }
}

fn seal() -> Fingerprinter {
    Fingerprinter::new([5; 32])
}

fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|it| it.name.as_str()).collect()
}

const ALL: &[&str] = &[
    "kv/gone",
    "kv/shop#same",
    "kv/shop/db#login",
    "kv/shop/db#password",
    "kv/shop/deep/a b/ü%x#port",
    "kv/shop/deep/a b/ü%x#token",
    "old/mail#password",
];

#[test]
fn a_server_gives_its_records_and_no_more_than_the_token_may() {
    let Some(bao) = Bao::start() else { return };
    bao.fill();
    everything_is_read(&bao);
    a_mount_and_a_folder_can_be_named(&bao);
    names_only_brings_no_value(&bao);
    a_token_without_data_brings_names(&bao);
    faults_are_clear_and_tell_no_secret(&bao);
}

fn everything_is_read(bao: &Bao) {
    let (records, result) = bao.fetch(&Secret::new(b"root"), None, &Options::default());
    let totals = result.unwrap();
    assert_eq!(names(&records), ALL);
    assert_eq!(
        (totals.records, totals.with_value, totals.skipped.len()),
        (7, 6, 0),
        "{totals:?}"
    );
    let password = &records[3];
    assert_eq!(password.secret.provider, "vault");
    assert_eq!(password.secret.path, "kv/shop/db");
    assert_eq!(password.secret.key.as_deref(), Some("password"));
    assert_eq!(password.owners, ["ann", "team-shop"]);
    assert_eq!(password.environment.as_deref(), Some("production"));
    assert_eq!(password.rotation_days, Some(90));
    assert_eq!(password.expires, Some(1_798_761_600));
    assert_eq!(
        password.tags.get("cost-centre").map(String::as_str),
        Some("4711")
    );
    assert_eq!(password.source, bao.address);
    let versions: Vec<_> = password
        .versions
        .iter()
        .map(|it| (it.number, it.fingerprint))
        .collect();
    assert_eq!(
        versions,
        [
            (1, None),
            (2, Some(seal().fingerprint(b"second value 22"))),
            (3, Some(seal().fingerprint(b"third value 33"))),
        ]
    );
    assert!(password.versions.iter().all(|it| it.created.is_some()));
    assert_eq!(password.rotated, password.versions[2].created);
    assert_eq!(
        records[2].rotated, records[2].versions[1].created,
        "the login is the same since version 2"
    );
    let deep = records[5].versions[0].fingerprint;
    assert_eq!(deep, Some(seal().fingerprint(b"deep value 44")));
    assert_eq!(
        records[4].versions[0].fingerprint,
        Some(seal().fingerprint(b"5432"))
    );
    assert_eq!(
        records[6].versions[0].fingerprint,
        Some(seal().fingerprint(b"unversioned value 77"))
    );
}

fn a_mount_and_a_folder_can_be_named(bao: &Bao) {
    let root = Secret::new(b"root");
    let (records, result) = bao.fetch(&root, Some("kv/"), &Options::default());
    result.unwrap();
    assert_eq!(names(&records), ALL[..6]);
    assert_eq!(records[0].source, format!("{}/kv", bao.address));
    let (records, result) = bao.fetch(&root, Some("/kv/shop/deep"), &Options::default());
    result.unwrap();
    assert_eq!(names(&records), ALL[4..6]);
}

fn names_only_brings_no_value(bao: &Bao) {
    let options = Options {
        names_only: true,
        ..Options::default()
    };
    let (records, result) = bao.fetch(&Secret::new(b"root"), None, &options);
    assert_eq!(result.unwrap().values, 0);
    assert!(
        records
            .iter()
            .flat_map(|it| &it.versions)
            .all(|it| it.fingerprint.is_none())
    );
    let mut expected = ALL.to_vec();
    expected[6] = "old/mail";
    assert_eq!(names(&records), expected, "KV v1 gives no names of fields");
    assert_eq!(records[3].owners, ["ann", "team-shop"]);
}

fn a_token_without_data_brings_names(bao: &Bao) {
    let token = bao.token(r#"path "kv/metadata/*" { capabilities = ["list", "read"] }"#);
    let (records, result) = bao.fetch(&token, Some("kv"), &Options::default());
    let totals = result.unwrap();
    assert_eq!(totals.values, 0);
    assert!(
        totals
            .skipped
            .iter()
            .any(|it| it.contains("kv/shop/db version 2")),
        "{totals:?}"
    );
    assert_eq!(
        names(&records),
        ["kv/gone", "kv/shop", "kv/shop/db", "kv/shop/deep/a b/ü%x"]
    );
    assert_eq!(records[2].owners, ["ann", "team-shop"]);
}

fn faults_are_clear_and_tell_no_secret(bao: &Bao) {
    let wrong = Secret::new(b"hidden-token-99");
    let narrow = bao.token(r#"path "kv/metadata/shop/deep/*" { capabilities = ["list", "read"] }"#);
    let root = Secret::new(b"root");
    let cases = [
        (&wrong, None, "403"),
        (&wrong, Some("kv"), "403"),
        (&narrow, Some("kv"), "403"),
        (&root, Some("identity"), "no KV mount"),
    ];
    for (token, mount, expected) in cases {
        let (_, result) = bao.fetch(token, mount, &Options::default());
        let error = result.unwrap_err();
        let told = format!("{error} {error:?} {:?}", error.hint());
        assert!(error.to_string().contains(expected), "{mount:?}: {told}");
        assert!(error.to_string().contains(&bao.address), "{told}");
        assert!(error.hint().is_some() && !told.contains("hidden"), "{told}");
    }
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = Server {
        address: &format!("http://{closed}"),
        token: &root,
        mount: None,
        namespace: None,
        authorities: None,
        plain_http: PlainHttp::Loopback,
    };
    let error = fetch(&server, None, &Options::default(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[test]
fn an_audit_log_tells_who_read_what() {
    let Some(bao) = Bao::start() else { return };
    bao.fill();
    bao.read_as_ann(&["kv/data/shop/db", "old/mail", "kv/metadata/gone"]);
    let log = fs::read(bao.audit_log()).unwrap();
    let told = evidence::read(Evidence::VaultAudit, "audit.log", &mut log.as_slice()).unwrap();
    assert!(told.entries > 30 && told.skipped.is_empty(), "{told:?}");

    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let mut store = Store::create(&folder.path().join("inventory.db"), &key).unwrap();
    let (records, _) = bao.fetch(&Secret::new(b"root"), None, &Options::default());
    store.import("bao", records.clone(), &[], 1).unwrap();
    let noted = store.note(&told.readings).unwrap();
    assert_eq!(
        noted.changed,
        [
            "kv/shop/db#login",
            "kv/shop/db#password",
            "old/mail#password"
        ]
    );
    let inventory = store.inventory().unwrap().records;
    let by = |name: &str| {
        let record = inventory.iter().find(|it| it.name == name).unwrap();
        let accesses = record.accesses.iter();
        let lines = accesses
            .map(|it| (it.by.clone(), it.count))
            .collect::<Vec<_>>();
        (record.accessed_by.clone(), record.accessed.is_some(), lines)
    };
    let ann = Some("userpass-ann".to_owned());
    let once = vec![("userpass-ann".to_owned(), 1)];
    assert_eq!(by("kv/shop/db#password"), (ann.clone(), true, once.clone()));
    assert_eq!(by("old/mail#password"), (ann, true, once));
    assert_eq!(by("kv/gone"), (None, false, Vec::new()));

    store.import("bao", records, &[], 2).unwrap();
    store.note(&told.readings).unwrap();
    assert_eq!(
        store.inventory().unwrap().records,
        inventory,
        "the same twice"
    );
}

#[test]
fn what_lies_beside_kv_and_in_namespaces_is_read() {
    let Some(bao) = Bao::start() else { return };
    bao.fill();
    bao.fill_engines();
    engines_are_read(&bao);
    a_token_for_kv_alone_still_imports(&bao);
    namespaces_are_read(&bao);
}

impl Bao {
    /// Certificates, an application's login, and a role of a database that is not there.
    fn fill_engines(&self) {
        self.write("sys/mounts/pki", &json!({"type": "pki"}));
        self.write(
            "pki/root/generate/internal",
            &json!({"common_name": "Shop CA", "ttl": "720h"}),
        );
        self.write(
            "pki/roles/web",
            &json!({"allow_any_name": true, "max_ttl": "72h", "no_store": false}),
        );
        let issued = [1, 2, 3].map(|hours| {
            let ask = json!({"common_name": "www.example", "ttl": format!("{hours}h")});
            let answer = self.write("pki/issue/web", &ask);
            answer["data"]["serial_number"].as_str().unwrap().to_owned()
        });
        self.write("pki/revoke", &json!({"serial_number": issued[2]}));
        self.write("sys/auth/approle", &json!({"type": "approle"}));
        self.write(
            "auth/approle/role/ci",
            &json!({"secret_id_ttl": "24h", "secret_id_num_uses": 10}),
        );
        self.write(
            "auth/approle/role/ci/secret-id",
            &json!({"metadata": r#"{"owner": "ann"}"#}),
        );
        self.write("sys/mounts/database", &json!({"type": "database"}));
        self.write(
            "database/config/pg",
            &json!({"plugin_name": "postgresql-database-plugin", "verify_connection": false, "allowed_roles": "*",
                "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/shop", "username": "u", "password": "p"}),
        );
        self.write(
            "database/roles/ro",
            &json!({"db_name": "pg", "default_ttl": "1h", "max_ttl": "24h",
                "creation_statements": ["CREATE ROLE \"{{name}}\""]}),
        );
    }
}

fn engines_are_read(bao: &Bao) {
    let (records, result) = bao.fetch(&Secret::new(b"root"), None, &Options::default());
    let totals = result.unwrap();
    assert!(totals.skipped.is_empty(), "{totals:?}");
    let found = |name: &str| {
        let found = records.iter().find(|it| it.name == name);
        found.unwrap_or_else(|| panic!("{name}: {:?}", names(&records)))
    };
    let certificate = found("pki/cert#CN=www.example");
    let ends = certificate.expires.unwrap() - certificate.rotated.unwrap();
    // The one of three hours is revoked; a certificate begins half a minute before it was asked for.
    assert!((7_100..7_400).contains(&ends), "{ends}");
    assert_eq!(certificate.tags["issued"], "3");
    assert_eq!(certificate.tags["issued_and_revoked"], "1");
    assert!(certificate.versions[0].fingerprint.is_some());
    assert!(found("pki/cert#CN=Shop CA").expires.is_some());
    let role = found("database/creds/ro");
    assert!(role.dynamic && role.tags["max_ttl"] == "86400", "{role:?}");
    let login = records
        .iter()
        .find(|it| it.name.starts_with("auth/approle/role/ci/secret-id#"));
    let login = login.unwrap();
    assert_eq!(login.owners, ["ann"]);
    assert_eq!(login.expires.unwrap() - login.created.unwrap(), 86_400);
    assert_eq!(login.tags["secret_id_num_uses"], "10");
    let (only, result) = bao.fetch(&Secret::new(b"root"), Some("pki"), &Options::default());
    result.unwrap();
    assert_eq!(
        names(&only),
        ["pki/cert#CN=Shop CA", "pki/cert#CN=www.example"]
    );
}

fn a_token_for_kv_alone_still_imports(bao: &Bao) {
    let token = bao.token(
        r#"path "kv/*" { capabilities = ["list", "read"] } path "old/*" { capabilities = ["list", "read"] }
           path "pki/issue/*" { capabilities = ["update"] }"#,
    );
    let (records, result) = bao.fetch(&token, None, &Options::default());
    let totals = result.unwrap();
    assert_eq!(names(&records), ALL);
    assert!(
        totals
            .skipped
            .iter()
            .any(|it| it.contains("pki: the token may not list it")),
        "{totals:?}"
    );
    let (_, result) = bao.fetch(&token, Some("pki"), &Options::default());
    assert!(
        matches!(result, Err(Error::Refused { status: 403, .. })),
        "{result:?}"
    );
}

fn namespaces_are_read(bao: &Bao) {
    bao.write("sys/namespaces/team", &json!({}));
    bao.write("team/sys/namespaces/pay", &json!({}));
    for (namespace, value) in [("team", "team value 88"), ("team/pay", "pay value 99")] {
        bao.write(
            &format!("{namespace}/sys/mounts/kv"),
            &json!({"type": "kv", "options": {"version": "2"}}),
        );
        bao.write(
            &format!("{namespace}/kv/data/shop/db"),
            &json!({"data": {"password": value}}),
        );
    }
    let root = Secret::new(b"root");
    let fetch = |namespace: &str| {
        let server = Server {
            address: &bao.address,
            token: &root,
            mount: Some("kv"),
            namespace: Some(namespace),
            authorities: None,
            plain_http: PlainHttp::Loopback,
        };
        let mut records = Vec::new();
        fetch(&server, Some(&seal()), &Options::default(), &mut |it| {
            records.push(it)
        })
        .unwrap();
        (records, server.source())
    };
    let (one, source) = fetch("team/pay");
    assert_eq!(names(&one), ["team/pay/kv/shop/db#password"]);
    assert_eq!(one[0].secret.scope, "team/pay");
    assert_eq!(
        one[0].versions[0].fingerprint,
        Some(seal().fingerprint(b"pay value 99"))
    );
    assert_eq!(source, format!("{}/team/pay/kv", bao.address));
    let (below, _) = fetch("team/*");
    assert_eq!(
        names(&below),
        ["team/kv/shop/db#password", "team/pay/kv/shop/db#password"]
    );
    let (all, _) = fetch("*");
    assert_eq!(all.len(), 6 + 2);
}

/// How many secrets a large import has; `benches/vault` asks for more.
fn many() -> usize {
    std::env::var("KEYATLAS_TEST_SECRETS").map_or(300, |it| it.parse().unwrap())
}

#[test]
fn a_large_mount_is_read_whole_and_in_order() {
    let Some(bao) = Bao::start() else { return };
    bao.write(
        "sys/mounts/kv",
        &json!({"type": "kv", "options": {"version": "2"}}),
    );
    let count = many();
    let value = |at: usize| format!("value number {at} of many");
    for at in 0..count {
        let path = format!("kv/data/team-{:02}/app-{:03}/{at:05}", at % 20, at % 100);
        bao.write(&path, &json!({"data": {"password": value(at)}}));
    }
    let start = Instant::now();
    let (records, result) = bao.fetch(&Secret::new(b"root"), None, &Options::default());
    let totals = result.unwrap();
    println!(
        "{count} secrets read in {:.2} s",
        start.elapsed().as_secs_f64()
    );
    assert_eq!((totals.records, totals.values), (count, count));
    assert!(names(&records).is_sorted());
    for record in &records {
        let at = record
            .secret
            .path
            .rsplit('/')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let expected = seal().fingerprint(value(at).as_bytes());
        assert_eq!(
            record.versions[0].fingerprint,
            Some(expected),
            "{}",
            record.name
        );
    }
}
