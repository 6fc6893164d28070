//! The live importer against moto, which checks signatures with the code of AWS's own client; started here
//! and ended here.
//!
//! `KEYATLAS_TEST_MOTO` names a Python that has `moto[server]`. `KEYATLAS_TEST_MOTO=none` says aloud that this
//! part is not tested; without either the tests fail, so that nobody believes in a test that did not run.

#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, its helpers too, and says what it left out"
)]

use keyatlas::import::aws_live::{PlainHttp, Server, fetch};
use keyatlas::import::{Error, Options, Totals};
use keyatlas::model::fingerprint::Fingerprinter;
use keyatlas::model::record::Record;
use keyatlas::model::rule::Kind;
use keyatlas::model::secret::Secret;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const REGION: &str = "eu-west-1";
const SECRETS: usize = 1000;
const PARAMETERS: usize = 60;

/// A server with nothing in it but what a test plants.
struct Moto {
    child: Child,
    address: String,
    agent: ureq::Agent,
    _home: tempfile::TempDir,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What AWS hands out to whoever may ask.
struct Key {
    id: String,
    secret: Secret,
    token: Option<Secret>,
}

impl Moto {
    /// `None` only where the caller asked for it.
    fn start() -> Option<Self> {
        let python = std::env::var("KEYATLAS_TEST_MOTO").unwrap_or_default();
        assert!(
            !python.is_empty(),
            "set KEYATLAS_TEST_MOTO to a Python that has moto[server], or to `none` to leave this out"
        );
        if python == "none" {
            println!("left out: KEYATLAS_TEST_MOTO=none");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let start =
            format!("from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])");
        let child = Command::new(&python)
            .args(["-c", &start])
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{python}: {error}"));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        let mut moto = Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
            agent: config.into(),
            _home: home,
        };
        moto.await_health();
        Some(moto)
    }

    fn await_health(&mut self) {
        let end = Instant::now() + Duration::from_secs(120);
        let url = format!("{}/moto-api/", self.address);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("moto ended: {status}");
            }
            let answer = self.agent.get(&url).call();
            if answer.is_ok_and(|it| it.status() == 200) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("moto did not answer within two minutes");
    }

    /// Asks without a signature, which moto takes until [`Moto::lock`].
    fn send(&self, service: &str, target: Option<&str>, kind: &str, body: &str) -> String {
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential=planter/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = self.agent.post(format!("{}/", self.address));
        let mut request = request
            .header("authorization", signed)
            .header("content-type", kind);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let mut answer = request.send(body).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), 200, "{target:?} {body}: {text}");
        text
    }

    fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let kind = "application/x-amz-json-1.1";
        let text = self.send(service, Some(target), kind, &body.to_string());
        serde_json::from_str(&text).unwrap()
    }

    fn form(&self, service: &str, body: &str) -> String {
        self.send(service, None, "application/x-www-form-urlencoded", body)
    }

    fn secret(&self, action: &str, body: &Value) {
        self.json("secretsmanager", &format!("secretsmanager.{action}"), body);
    }

    fn parameter(&self, body: &Value) {
        self.json("ssm", "AmazonSSM.PutParameter", body);
    }

    fn fill(&self) {
        for number in 0..SECRETS {
            self.secret(
                "CreateSecret",
                &json!({"Name": format!("bulk/{number:04}"), "SecretString": bulk(number)}),
            );
        }
        self.secret(
            "CreateSecret",
            &json!({"Name": "shop/db", "SecretString": "{\"user\": \"shop_service_login\", \"password\": \"first value 11\"}",
                "Tags": [{"Key": "owner", "Value": "ann"}, {"Key": "environment", "Value": "production"}]}),
        );
        self.secret(
            "PutSecretValue",
            &json!({"SecretId": "shop/db", "SecretString": "{\"user\": \"shop_service_login\", \"password\": \"second value 22\"}"}),
        );
        self.secret(
            "CreateSecret",
            &json!({"Name": "shop/bin", "SecretBinary": "YmluYXJ5IHZhbHVlIDMz"}),
        );
        for number in 0..PARAMETERS {
            self.parameter(&json!({"Name": format!("/bulk/{number:04}"), "Type": "SecureString", "Value": format!("parameter {}", bulk(number))}));
        }
        for value in ["former value 44", "present value 55"] {
            self.parameter(&json!({"Name": "/shop/key", "Type": "SecureString", "Value": value, "Overwrite": true}));
        }
        self.parameter(&json!({"Name": "flat", "Type": "SecureString", "Value": "flat value 66"}));
        self.parameter(
            &json!({"Name": "/shop/region", "Type": "String", "Value": "plain value 77"}),
        );
    }

    /// A user who may do anything but what the policy denies.
    fn user(&self, name: &str, denied: &str) -> Key {
        self.form(
            "iam",
            &format!("Action=CreateUser&UserName={name}&Version=2010-05-08"),
        );
        let policy = policy(denied);
        self.form(
            "iam",
            &format!("Action=PutUserPolicy&UserName={name}&PolicyName=p&PolicyDocument={policy}&Version=2010-05-08"),
        );
        let text = self.form(
            "iam",
            &format!("Action=CreateAccessKey&UserName={name}&Version=2010-05-08"),
        );
        key(&text)
    }

    /// Temporary credentials.
    fn role(&self) -> Key {
        let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
        self.form(
            "iam",
            &format!("Action=CreateRole&RoleName=reader&AssumeRolePolicyDocument={trust}&Version=2010-05-08"),
        );
        let policy = policy("none:None");
        self.form(
            "iam",
            &format!("Action=PutRolePolicy&RoleName=reader&PolicyName=p&PolicyDocument={policy}&Version=2010-05-08"),
        );
        let arn = "arn:aws:iam::123456789012:role/reader";
        let text = self.form(
            "sts",
            &format!("Action=AssumeRole&RoleArn={arn}&RoleSessionName=test&Version=2011-06-15"),
        );
        key(&text)
    }

    /// From now on moto checks each signature, and whether its owner may.
    fn lock(&self) {
        let url = format!("{}/moto-api/reset-auth", self.address);
        assert_eq!(self.agent.post(url).send("0").unwrap().status(), 200);
    }

    fn fetch(
        &self,
        key: &Key,
        mount: Option<&str>,
        options: &Options,
    ) -> (Vec<Record>, Result<Totals, Error>) {
        let server = Server {
            address: &self.address,
            region: REGION,
            access_key_id: &key.id,
            secret_access_key: &key.secret,
            session_token: key.token.as_ref(),
            mount,
            authorities: None,
            plain_http: PlainHttp::Loopback,
            now: || jiff::Timestamp::now().as_second(),
        };
        let mut records = Vec::new();
        let result = fetch(&server, Some(&seal()), options, &mut |it| records.push(it));
        (records, result)
    }
}

fn bulk(number: usize) -> String {
    format!("bulk value {number:04} of many {}", number * 7919)
}

/// Everything but one action, as a form wants it.
fn policy(denied: &str) -> String {
    let statement =
        |effect: &str, action: &str| json!({"Effect": effect, "Action": action, "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement("Allow", "*"), statement("Deny", denied)]});
    let bytes = policy.to_string().into_bytes();
    bytes.iter().map(|it| format!("%{it:02X}")).collect()
}

/// The credentials in an answer.
fn key(text: &str) -> Key {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    Key {
        id: element("AccessKeyId").unwrap(),
        secret: Secret::new(element("SecretAccessKey").unwrap().as_bytes()),
        token: element("SessionToken").map(|it| Secret::new(it.as_bytes())),
    }
}

fn seal() -> Fingerprinter {
    Fingerprinter::new([5; 32])
}

fn named<'a>(records: &'a [Record], name: &str) -> &'a Record {
    records
        .iter()
        .find(|it| it.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

fn values(record: &Record) -> Vec<Option<String>> {
    let versions = record.versions.iter();
    versions
        .map(|it| it.fingerprint.map(|it| it.to_string()))
        .collect()
}

fn print(value: &str) -> Option<String> {
    Some(seal().fingerprint(value.as_bytes()).to_string())
}

#[test]
fn a_server_gives_its_records_and_no_more_than_the_key_may() {
    let Some(moto) = Moto::start() else { return };
    let start = Instant::now();
    moto.fill();
    println!("planted in {:.1?}", start.elapsed());
    let all = moto.user("ann", "none:None");
    let narrow = moto.user("bo", "secretsmanager:BatchGetSecretValue");
    let blind = moto.user("cy", "secretsmanager:GetSecretValue");
    let shut = moto.user("di", "ssm:DescribeParameters");
    let role = moto.role();
    moto.lock();
    everything_is_read(&moto, &all);
    a_service_can_be_named(&moto, &role);
    names_only_brings_no_value(&moto, &all);
    the_program_keeps_what_it_read(&moto, &role);
    the_report_is_read(&moto, &all);
    what_may_not_be_read_is_told(&moto, &narrow, &blind, &shut);
    faults_are_clear_and_tell_no_secret(&moto, &all);
}

fn everything_is_read(moto: &Moto, key: &Key) {
    let start = Instant::now();
    let (records, result) = moto.fetch(key, None, &Options::default());
    let totals = result.unwrap();
    println!("{} records in {:.1?}", records.len(), start.elapsed());
    assert_eq!(totals.skipped, [""; 0]);
    // Of shop/db both keys; of the parameters all, the plain one without its value.
    assert_eq!(records.len(), SECRETS + 3 + PARAMETERS + 3);
    assert_eq!(totals.with_value, records.len() - 1);
    for number in 0..SECRETS {
        let record = named(&records, &format!("bulk/{number:04}"));
        assert_eq!(values(record), [print(&bulk(number))]);
        assert_eq!(record.secret.scope, "123456789012/eu-west-1");
    }
    for number in 0..PARAMETERS {
        let record = named(&records, &format!("/bulk/{number:04}"));
        assert_eq!(
            values(record),
            [print(&format!("parameter {}", bulk(number)))]
        );
    }
    let password = named(&records, "shop/db#password");
    assert_eq!(
        values(password),
        [print("first value 11"), print("second value 22")]
    );
    assert_eq!(password.owners, ["ann"]);
    assert_eq!(password.environment.as_deref(), Some("production"));
    assert_eq!(password.source, format!("{}/{REGION}", moto.address));
    assert_eq!(
        password.secret.to_string(),
        "aws-secretsmanager:123456789012/eu-west-1/shop/db#password"
    );
    assert!(password.created.is_some() && password.rotated == password.versions[1].created);
    assert_eq!(
        values(named(&records, "shop/bin")),
        [print("binary value 33")]
    );
    let parameter = named(&records, "/shop/key");
    assert_eq!(
        values(parameter),
        [print("former value 44"), print("present value 55")]
    );
    assert_eq!(
        parameter.secret.to_string(),
        "aws-ssm:123456789012/eu-west-1/shop/key"
    );
    assert_eq!(values(named(&records, "flat")), [print("flat value 66")]);
    assert_eq!(values(named(&records, "/shop/region")), [None]);
    let again = moto.fetch(key, None, &Options::default()).0;
    assert_eq!(again, records, "the same twice");
}

fn a_service_can_be_named(moto: &Moto, role: &Key) {
    assert!(role.token.is_some());
    let (records, result) = moto.fetch(role, Some("ssm/shop"), &Options::default());
    result.unwrap();
    // Of a parameter without a value moto tells no ARN.
    let names: Vec<_> = records.iter().map(|it| it.secret.to_string()).collect();
    assert_eq!(
        names,
        [
            "aws-ssm:shop/region",
            "aws-ssm:123456789012/eu-west-1/shop/key"
        ]
    );
    assert_eq!(
        records[0].source,
        format!("{}/{REGION}/ssm/shop", moto.address)
    );
    let all = Options {
        all_values: true,
        ..Options::default()
    };
    let (records, result) = moto.fetch(role, Some("ssm/shop"), &all);
    result.unwrap();
    assert_eq!(values(&records[1]), [print("plain value 77")]);
    let (records, result) = moto.fetch(role, Some("secretsmanager/shop/"), &Options::default());
    result.unwrap();
    let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["shop/bin", "shop/db#password", "shop/db#user"]);
}

/// From the command line into the store, twice.
fn the_program_keeps_what_it_read(moto: &Moto, key: &Key) {
    let home = tempfile::tempdir().unwrap();
    let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
    let run = |line: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_keyatlas"))
            .args(line)
            .env_remove("AWS_CA_BUNDLE")
            .env("KEYATLAS_INVENTORY", home.path().join("inventory.db"))
            .env("KEYATLAS_KEY_FILE", home.path().join("key"))
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", text(&key.secret))
            .env(
                "AWS_SESSION_TOKEN",
                key.token.as_ref().map(text).unwrap_or_default(),
            )
            .current_dir(home.path())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        told
    };
    run(&["inventory", "init"]);
    let import = [
        "inventory",
        "import",
        "aws",
        &moto.address,
        "--region",
        REGION,
    ];
    let added = format!("{} added, 0 changed", SECRETS + PARAMETERS + 6);
    assert!(run(&import).contains(&added));
    let unchanged = format!("0 added, 0 changed, {} unchanged", SECRETS + PARAMETERS + 6);
    assert!(run(&import).contains(&unchanged));
    let shown = run(&["inventory", "show", "shop/db#password"]);
    assert!(
        shown.contains("owners      ann") && shown.contains(&moto.address),
        "{shown}"
    );
}

fn names_only_brings_no_value(moto: &Moto, key: &Key) {
    let options = Options {
        names_only: true,
        ..Options::default()
    };
    let (records, result) = moto.fetch(key, None, &options);
    assert_eq!(result.unwrap().values, 0);
    assert_eq!(records.len(), SECRETS + 2 + PARAMETERS + 3);
    assert_eq!(named(&records, "shop/db").owners, ["ann"]);
}

fn the_report_is_read(moto: &Moto, key: &Key) {
    let (records, result) = moto.fetch(key, Some("iam"), &Options::default());
    result.unwrap();
    let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
    let expected = ["ann", "bo", "cy", "di"].map(|it| format!("iam/{it}/access-key-1"));
    assert_eq!(names, expected);
    assert_eq!(records[0].kind, Some(Kind::CloudKey));
    assert_eq!(records[0].owners, ["ann"]);
    assert!(records[0].rotated.is_some());
}

fn what_may_not_be_read_is_told(moto: &Moto, narrow: &Key, blind: &Key, shut: &Key) {
    let (records, result) = moto.fetch(narrow, Some("secretsmanager/shop"), &Options::default());
    assert_eq!(result.unwrap().skipped, [""; 0]);
    assert_eq!(records.len(), 3, "one by one where not many at once");
    let both = moto.fetch(blind, Some("secretsmanager/shop"), &Options::default());
    let totals = both.1.unwrap();
    assert!(
        totals
            .skipped
            .iter()
            .any(|it| it.contains("shop/db") && it.contains("AccessDenied")),
        "{totals:?}"
    );
    let (_, result) = moto.fetch(shut, None, &Options::default());
    let error = result.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("DescribeParameters was refused: AccessDenied"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--mount"));
}

fn faults_are_clear_and_tell_no_secret(moto: &Moto, key: &Key) {
    let wrong = |id: &str, secret: &[u8]| Key {
        id: id.to_owned(),
        secret: Secret::new(secret),
        token: None,
    };
    let cases = [
        (wrong(&key.id, b"hidden-secret-99"), None, "Signature"),
        (
            wrong("AKIDNOBODY", b"hidden-secret-99"),
            None,
            "InvalidClientTokenId",
        ),
        (
            wrong(&key.id, key.secret.expose()),
            Some("s3"),
            "no service `s3`",
        ),
        (wrong("a b", b"hidden-secret-99"), None, "access key id"),
    ];
    for (key, mount, expected) in cases {
        let (_, result) = moto.fetch(&key, mount, &Options::default());
        let error = result.unwrap_err();
        let told = format!("{error} {error:?} {:?}", error.hint());
        assert!(error.to_string().contains(expected), "{mount:?}: {told}");
        assert!(error.to_string().contains(&moto.address), "{told}");
        assert!(error.hint().is_some() && !told.contains("hidden"), "{told}");
    }
}

/// A server that gives these answers in their order, and then what it was asked.
fn scripted(
    answers: &'static [(u16, &'static str)],
) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).unwrap() > 2 {
                let lowered = line.to_ascii_lowercase();
                if let Some(text) = lowered.strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut bytes = vec![0; length];
            reader.read_exact(&mut bytes).unwrap();
            asked.push(String::from_utf8(bytes).unwrap());
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
        asked
    };
    (address, std::thread::spawn(serve))
}

fn ask(address: &str) -> (usize, Result<Totals, Error>) {
    let secret = Secret::new(b"hidden-secret-99");
    let server = Server {
        address,
        region: REGION,
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: &secret,
        session_token: None,
        mount: Some("secretsmanager"),
        authorities: None,
        plain_http: PlainHttp::Loopback,
        now: || 1_770_000_000,
    };
    let mut count = 0;
    let result = fetch(&server, None, &Options::default(), &mut |_| count += 1);
    (count, result)
}

const PAGE: &str = r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbC123", "Name": "a"}], "NextToken": "more"}"#;

#[test]
fn a_busy_server_is_asked_again() {
    let (address, server) = scripted(&[
        (
            400,
            r#"{"__type": "ThrottlingException", "message": "hidden"}"#,
        ),
        (503, "busy"),
        (200, PAGE),
        (200, r#"{"SecretList": []}"#),
    ]);
    let (count, result) = ask(&address);
    assert_eq!(count, 1, "{result:?}");
    let asked = server.join().unwrap();
    assert_eq!(asked[0], asked[2]);
    assert!(asked[3].contains("\"NextToken\":\"more\""), "{asked:?}");
}

#[test]
fn answers_that_cannot_be_true_end_the_import() {
    for (answers, expected) in [
        (
            &[(200, PAGE), (200, PAGE)][..],
            "more pages than can be true",
        ),
        (&[(200, "<html>")], "ListSecrets: the answer is not JSON"),
        (
            &[(200, r#"{"Users": []}"#)],
            "the answer is none of a secret",
        ),
        (&[(302, "")], "ListSecrets was refused: status 302"),
        (
            &[(
                403,
                r#"{"__type": "AccessDeniedException", "message": "hidden"}"#,
            )],
            "AccessDeniedException",
        ),
    ] {
        let (address, server) = scripted(answers);
        let (count, result) = ask(&address);
        let error = result.unwrap_err();
        assert_eq!(count, 0, "nothing of a list with holes");
        let told = format!("{error} {error:?} {:?}", error.hint());
        assert!(
            told.contains(expected) && !told.contains("hidden"),
            "{told}"
        );
        server.join().unwrap();
    }
}
