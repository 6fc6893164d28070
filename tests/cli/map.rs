//! The map from outside: what it may be asked for, and the formats.

use crate::world::{World, drawn, leak, list};

/// An inventory with one record that has an old value and one that is used by a chain.
fn estate() -> World {
    let world = World::new().with_inventory();
    for value in ["old", "new"] {
        let row = format!("kv/shop/db,,vault,{},ada\n", drawn(value));
        let rest = format!("kv/shop/mail,password,vault,{},bo\n", drawn("mail"));
        world.write(
            "records.csv",
            format!("name,key,provider,value,owner\n{row}{rest}"),
        );
        world
            .run(&["inventory", "import", "csv", "records.csv"])
            .code(0);
    }
    std::fs::remove_file(world.path("records.csv")).unwrap();
    world
        .write("a.py", leak("old"))
        .write("b.py", leak("stray"));
    world.write("c/d.py", leak("stray"));
    world.write(
        "k8s/mail.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: mail, namespace: shop}\n\
         spec:\n  secretStoreRef: {name: vault}\n  target: {name: shop-mail}\n  data:\n  - secretKey: password\n    \
         remoteRef: {key: kv/shop/mail, property: password}\n",
    );
    world.write(
        "k8s/store.yaml",
        "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: vault, namespace: shop}\n\
         spec: {provider: {vault: {server: https://vault.example, path: kv, version: v2}}}\n",
    );
    world.write(
        "k8s/api.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop-api, namespace: shop}\nspec:\n  template:\n    \
         spec:\n      containers:\n      - name: api\n        env:\n        - name: MAIL_PASSWORD\n          \
         valueFrom: {secretKeyRef: {name: shop-mail, key: password}}\n",
    );
    world.write(
        "shop-api/main.py",
        "import os\nuser = os.environ[\"MAIL_PASSWORD\"]\n",
    );
    world
}

#[test]
fn a_value_typed_in_is_recognised_whichever_version_it_is() {
    let world = estate();
    let asked = |value: &str| {
        world
            .feed(&["map", "-"], format!("{value}\n").as_bytes())
            .code(0)
    };
    asked(&drawn("old"))
        .keeps(&drawn("old"))
        .prints("kv/shop/db\n")
        .prints("asked for: version 1, not the current one")
        .prints("-> generic-password a.py:")
        .keeps("kv/shop/mail");
    asked(&drawn("new")).prints("asked for: version 2, the current one");
    asked(&drawn("stray"))
        .keeps(&drawn("stray"))
        .prints("not in the inventory")
        .prints("value: b.py:")
        .prints("value: c/d.py:")
        .keeps("a.py");
    let page = ["map", "-", "--format", "html=m.html"];
    world
        .feed(&page, format!("{}\n", drawn("stray")).as_bytes())
        .code(0);
    let page = std::fs::read_to_string(world.path("m.html")).unwrap();
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let [record] = list(&data["records"]) else {
        panic!("{}", data["records"])
    };
    assert_eq!(record["known"], false);
    assert_eq!(list(&data["uses"]).len(), 2);
    assert!(!page.contains(&drawn("stray")));
    // No rule takes this for a value, and no record has it.
    let plain = &drawn("plain")[..16];
    world.write("notes.txt", format!("it says {plain}, see above\n"));
    asked(plain).keeps(plain).prints("value: notes.txt:1");
    asked(&drawn("nowhere")).prints("no record has this value, and it was not found here");
    world
        .feed(&["map", "-"], b" \n")
        .refused("there is no value on standard input", "through a pipe");
}

#[test]
fn fingerprints_and_occurrences_lead_to_what_has_them() {
    let world = estate();
    let document = world.scan(&[]);
    let told = |path: &str, field: &str| {
        let findings = list(&document["findings"]);
        let it = findings.iter().find(|it| it["path"] == path).unwrap();
        it[field].as_str().unwrap().to_owned()
    };
    for id in [told("a.py", "fingerprint"), told("a.py", "occurrence")] {
        world
            .run(&["map", &id])
            .code(0)
            .prints("kv/shop/db\n")
            .prints("version 1, not the current one")
            .keeps("kv/shop/mail");
    }
    for id in [
        told("b.py", "fingerprint"),
        told("c/d.py", "occurrence")[..12].to_owned(),
    ] {
        let ran = world.run(&["map", &id]).code(0);
        ran.prints("value: b.py:")
            .prints("value: c/d.py:")
            .keeps("kv/shop");
    }
    world
        .run(&["map", "kf1:12"])
        .refused("kf1:12: this is no fingerprint", "64 hexadecimal digits");
    world
        .run(&["map", "ko1:ffff"])
        .code(0)
        .prints("no occurrence here begins with `ko1:ffff`");
}

#[test]
fn the_graph_leads_from_the_record_to_the_workload() {
    let world = estate();
    let files = ["json=m.json", "dot=m.dot", "mermaid=m.mmd", "csv=m.csv"];
    let formats = files.iter().flat_map(|it| ["--format", *it]);
    let all: Vec<&str> = ["map", "kv/shop/mail"].into_iter().chain(formats).collect();
    let ran = world.run(&all).code(0);
    assert_eq!(ran.out, "");
    let text = |name: &str| std::fs::read_to_string(world.path(name)).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text("m.json")).unwrap();
    let nodes = list(&document["graph"]["nodes"]);
    let node = |at: &serde_json::Value| {
        let node = &nodes[usize::try_from(at.as_u64().unwrap()).unwrap()];
        format!(
            "{} {}",
            node["kind"].as_str().unwrap(),
            node["label"].as_str().unwrap()
        )
    };
    let edges = list(&document["graph"]["edges"]);
    let told: Vec<String> = edges
        .iter()
        .map(|it| {
            format!(
                "{} -{}> {}",
                node(&it["from"]),
                it["by"].as_str().unwrap(),
                node(&it["to"])
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "record kv/shop/mail#password -external-secret> kubernetes-secret kubernetes:shop/shop-mail#password",
            "kubernetes-secret kubernetes:shop/shop-mail#password -secret-key-ref> environment env:MAIL_PASSWORD",
            "environment env:MAIL_PASSWORD -env-accessor> place shop-api/main.py:2",
            "place shop-api/main.py:2 -runs> workload Deployment/shop-api",
            "place shop-api/main.py:2 -in> file shop-api/main.py",
        ]
    );
    assert_eq!(edges[1]["path"], "k8s/api.yaml");
    assert_eq!(nodes[0]["owners"][0], "bo");
    assert_eq!(text("m.dot").matches(" -> ").count(), 5);
    assert_eq!(text("m.mmd").matches(" -->|").count(), 5);
    assert_eq!(text("m.csv").lines().count(), 4);
    world
        .run(&[&all[..2], &["--format", "html=m.html"]].concat())
        .code(0);
    let page = text("m.html");
    assert!(page.contains("kv/shop/mail#password") && page.contains("Deployment/shop-api"));
    assert!(!page.contains("kv/shop/db"));
    world
        .run(&["map", "--format", "dto"])
        .refused("there is no such format", "did you mean `dot`?");
    world
        .run(&["map", "--format", "dot=no/such/folder/x"])
        .refused("there is no such folder", "nothing was scanned");
}
