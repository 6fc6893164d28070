//! Who wrote what names a secret: in the map, in plans, and of repositories without a work tree.

use crate::world::{World, gaps, list};
use serde_json::Value;

const SECRET: &str = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: mail, namespace: shop}\n\
    spec:\n  secretStoreRef: {name: vault}\n  target: {name: shop-mail}\n  data:\n  - secretKey: password\n    \
    remoteRef: {key: kv/shop/mail, property: password}\n";
const STORE: &str = "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: vault, namespace: shop}\n\
    spec: {provider: {vault: {server: https://vault.example, path: kv, version: v2}}}\n";
const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop-api, namespace: shop}\nspec:\n  template:\n    \
    spec:\n      containers:\n      - name: api\n        env:\n        - name: MAIL_PASSWORD\n          \
    valueFrom: {secretKeyRef: {name: shop-mail, key: password}}\n";

fn commit(world: &World, author: &str, date: &str, files: &[(&str, &str)]) {
    for (path, text) in files {
        world.write(path, text);
    }
    world.git(&["add", "--all"]);
    let who = [format!("--author={author}"), format!("--date={date}")];
    world.git(&["commit", "-q", "-m", "work", &who[0], &who[1]]);
}

/// A record without an owner, named by a chain that two people wrote.
fn estate() -> World {
    let world = World::repository().with_inventory();
    let file = world.home("records.csv");
    std::fs::write(&file, "name,key,provider\nkv/shop/mail,password,vault\n").unwrap();
    let import = ["inventory", "import", "csv", file.to_str().unwrap()];
    world.run(&import).code(0);
    let leo = "leo <leo@shop.example>";
    commit(
        &world,
        leo,
        "2024-05-06T07:08:09Z",
        &[("k8s/mail.yaml", SECRET), ("k8s/store.yaml", STORE)],
    );
    let ada = "Ada Example <ada@shop.example>";
    commit(
        &world,
        ada,
        "2025-01-02T03:04:05Z",
        &[("k8s/api.yaml", DEPLOYMENT)],
    );
    let map = [(".mailmap", "Leo Left <leo@shop.example>\n")];
    commit(&world, ada, "2025-01-03T03:04:05Z", &map);
    world
}

/// Path, author and day of each line that names something.
fn edges(map: &Value) -> Vec<(String, String, String)> {
    let edges = list(&map["graph"]["edges"]).iter();
    let word = |it: &Value| it.as_str().unwrap_or("nobody").to_owned();
    let mut found: Vec<_> = edges
        .filter(|it| it["path"].is_string())
        .map(|it| {
            let day = word(&it["date"]).chars().take(10).collect();
            (word(&it["path"]), word(&it["author"]), day)
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn row(path: &str, author: &str, day: &str) -> (String, String, String) {
    (path.to_owned(), author.to_owned(), day.to_owned())
}

#[test]
fn each_hop_of_a_chain_has_its_author() {
    let world = estate();
    let map = |arguments: &[&str]| {
        let all = [&["map", "--format", "json"], arguments].concat();
        world.run(&all).code(0).json()
    };
    let expected = [
        row("k8s/api.yaml", "Ada Example", "2025-01-02"),
        row("k8s/mail.yaml", "Leo Left", "2024-05-06"),
    ];
    for arguments in [&[][..], &["--history"], &["--in", "k8s"]] {
        assert_eq!(edges(&map(arguments)), expected, "{arguments:?}");
    }
    world
        .run(&["map"])
        .prints("k8s/api.yaml:11  (by Ada Example on 2025-01-02)");
    let table = world.run(&["map", "--format", "csv"]).code(0).out;
    assert!(table.contains("Leo Left,2024-05-06T07:08:09Z"), "{table}");
    // What is not committed has no author yet.
    world.write("k8s/api.yaml", format!("# a new line\n{DEPLOYMENT}"));
    assert_eq!(edges(&map(&[])), expected);
    world.write(
        "k8s/api.yaml",
        DEPLOYMENT
            .replace("MAIL_PASSWORD", "MAIL")
            .replace("{secretKeyRef", "{ secretKeyRef"),
    );
    let found = edges(&map(&[]));
    assert_eq!(found[0], row("k8s/api.yaml", "nobody", "nobody"));
}

#[test]
fn those_who_wrote_the_lines_are_told_and_leave_something_behind() {
    let world = estate();
    let plan = world
        .run(&["rotate", "kv/shop/mail", "--format", "json"])
        .json();
    let told: Vec<String> = list(&list(&plan["plans"])[0]["tell"])
        .iter()
        .map(|it| {
            format!(
                "{} {}",
                it["who"].as_str().unwrap(),
                it["why"][0].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        "Ada Example author of ./k8s/api.yaml:11",
        "Leo Left author of ./k8s/mail.yaml:9",
    ];
    assert_eq!(told, expected.map(|it| it.replace("./", "")));
    for who in ["Leo Left", "ada example"] {
        world
            .run(&["rotate", "--leaver", who])
            .prints("1. kv/shop/mail#password: wrote where it is used");
    }
    world
        .run(&["rotate", "--leaver", "Bo"])
        .prints("nothing here ties `Bo` to a record");
}

#[test]
fn a_bare_repository_is_read_as_its_head_stands() {
    let world = estate();
    world.write("k8s/api.yaml", "not committed\n");
    let shelf = world.home("mirrors");
    std::fs::create_dir(&shelf).unwrap();
    let at = |name: &str| shelf.join(name).display().to_string();
    world.git(&["clone", "-q", "--mirror", ".", &at("shop.git")]);
    world.git(&["clone", "-q", "--bare", ".", &at("other.git")]);
    let (one, all) = (at("shop.git"), shelf.display().to_string());
    for history in [&[][..], &["--history"]] {
        let map = |place: &str| {
            let line = [&["map", "--format", "json", "--in", place], history].concat();
            world.run(&line).code(0).json()
        };
        let expected = [
            row("k8s/api.yaml", "Ada Example", "2025-01-02"),
            row("k8s/mail.yaml", "Leo Left", "2024-05-06"),
        ];
        assert_eq!(edges(&map(&one)), expected, "{history:?}");
        let both = edges(&map(&all));
        let paths: Vec<&str> = both.iter().map(|it| &*it.0).collect();
        let expected = [
            "other.git/k8s/api.yaml",
            "other.git/k8s/mail.yaml",
            "shop.git/k8s/api.yaml",
            "shop.git/k8s/mail.yaml",
        ];
        assert_eq!(paths, expected, "{history:?}");
    }
    let plan = ["rotate", "kv/shop/mail", "--in", &one];
    world
        .run(&plan)
        .code(0)
        .prints("Leo Left: author of k8s/mail.yaml:9");
    // A scan asks what is wrong, and does not take one for what it holds today.
    let report = world.scan(&[&all]);
    let unread = ["other.git", "shop.git"].map(|it| format!("{it} nested-repository"));
    assert_eq!(gaps(&report), unread);
    world.run(&["scan", &one]).code(2);
}

#[test]
fn repositories_within_tell_their_own_authors() {
    let world = estate();
    let inner = world.path("inner");
    world.git(&["clone", "-q", ".", inner.to_str().unwrap()]);
    let map = world.run(&["map", "--format", "json"]).code(0).json();
    let found = edges(&map);
    let inner = row("inner/k8s/mail.yaml", "Leo Left", "2024-05-06");
    assert!(found.contains(&inner), "{found:?}");
}

#[test]
fn a_shallow_clone_says_that_authors_are_not_known() {
    let world = estate();
    let url = format!("file://{}", world.path(".").display());
    let shallow = world.home("shallow");
    let place = shallow.display().to_string();
    world.git(&["clone", "-q", "--depth=1", &url, &place]);
    let map = world
        .run(&["map", "--format", "json", "--in", &place])
        .code(3)
        .json();
    let found = edges(&map);
    assert!(found.iter().all(|it| it.1 == "nobody"), "{found:?}");
}
