//! Plans for changing secrets, from outside: what they name, in which order, and the proof afterwards.

use crate::world::{World, drawn, leak, list};
use serde_json::Value;

/// Records with an old value in a file, a chain to a workload, a shared value and a key to data.
fn estate() -> World {
    let world = World::repository().with_inventory();
    import(&world, "old");
    import(&world, "new");
    world
        .write("a.py", leak("old"))
        .write("b.py", leak("stray"));
    world.write(
        "k8s/mail.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: mail, namespace: shop}\n\
         spec:\n  secretStoreRef: {name: vault}\n  target: {name: shop-mail}\n  data:\n  - secretKey: password\n    \
         remoteRef: {key: kv/shop/mail, property: password}\n  - secretKey: db\n    remoteRef: {key: kv/shop/db, \
         property: password}\n",
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
         valueFrom: {secretKeyRef: {name: shop-mail, key: password}}\n        - name: DB_PASSWORD\n          \
         valueFrom: {secretKeyRef: {name: shop-mail, key: db}}\n",
    );
    world.write(
        "shop-api/main.py",
        "import os\nuser = os.environ[\"MAIL_PASSWORD\"]\n",
    );
    world.commit(&[], "all of it");
    world
}

/// Imports the records, the first with this value.
fn import(world: &World, value: &str) {
    let rows = [
        format!(
            "kv/shop/db,password,vault,{},ada@shop.example",
            drawn(value)
        ),
        format!(
            "kv/shop/mail,password,vault,{},bo@shop.example",
            drawn("mail")
        ),
        format!(
            "kv/shop/news,password,vault,{},bo@shop.example;ada@shop.example",
            drawn("mail")
        ),
        format!(
            "kv/shop/backup,encryption_key,vault,{},cy@shop.example",
            drawn("backup")
        ),
    ];
    world.write(
        "records.csv",
        format!("name,key,provider,value,owner\n{}\n", rows.join("\n")),
    );
    world
        .run(&["inventory", "import", "csv", "records.csv"])
        .code(0);
    std::fs::remove_file(world.path("records.csv")).unwrap();
}

fn plan(world: &World, arguments: &[&str]) -> Value {
    let all = [&["rotate", "--format", "json"], arguments].concat();
    world.run(&all).code(0).json()
}

#[test]
fn a_plan_names_who_uses_it_in_the_order_of_what_is_to_be_done() {
    let world = estate();
    let document = plan(&world, &["kv/shop/mail"]);
    let plan = &document["plans"][0];
    let consumers: Vec<_> = list(&plan["consumers"])
        .iter()
        .map(|it| format!("{} {} {}", it["pickup"], it["name"], it["places"][0]).replace('"', ""))
        .collect();
    assert_eq!(
        consumers,
        [
            "sync kubernetes:shop/shop-mail#password k8s/mail.yaml:9",
            "redeploy Deployment/shop-api shop-api/main.py:2",
        ]
    );
    assert_eq!(plan["tell"][0]["who"], "bo@shop.example");
    assert_eq!(plan["shared"][0]["record"], "kv/shop/news#password");
    assert_eq!(plan["keeps_data"], false);
    assert_eq!(list(&plan["exposures"]).len(), 0);
    let told = world.run(&["rotate", "kv/shop/backup"]).code(0);
    let encrypt = told.out.find("Encrypt anew").unwrap();
    assert!(
        encrypt < told.out.find("Revoke the old value").unwrap(),
        "{}",
        told.out
    );
}

#[test]
fn afterwards_it_is_proven_that_the_old_value_is_gone() {
    let world = estate();
    let document = plan(&world, &["kv/shop/db"]);
    let plan = &document["plans"][0];
    assert_eq!(plan["current"], 2);
    assert_eq!(plan["exposures"][0]["place"], "a.py:1");
    assert_eq!(plan["exposures"][0]["version"], 1);
    assert_eq!(
        plan["check"],
        "keyatlas rotate kv/shop/db#password --check --after 2"
    );
    let check =
        |after: &str| world.run(&["rotate", "kv/shop/db#password", "--check", "--after", after]);
    // Version 2 is what is to go in the plan above, and nothing newer was imported.
    check("2")
        .code(1)
        .prints("current version is 2")
        .prints("Version 1 lies in the clear at a.py:1");
    world.commit(&[("a.py", "import os\n")], "read it from the store");
    check("1")
        .code(1)
        .prints("still in git's history, at a.py:1")
        .keeps("current version");
    let id = plan["exposures"][0]["occurrence"].as_str().unwrap();
    let waived = [
        "waive",
        id,
        "--until",
        "2099-01-01",
        "--reason",
        "revoked",
        "--owner",
        "ada",
    ];
    world.run(&waived).code(0);
    check("1")
        .code(0)
        .prints("nothing is left of the old value");
    check("2").code(1);
    import(&world, "newest");
    check("2").code(0);
    let ran = world
        .run(&["rotate", "kv/shop/db", "--check", "--format", "json"])
        .code(0);
    assert_eq!(ran.json()["gone"], true);
}

#[test]
fn a_value_that_leaked_leads_to_its_record_or_to_what_it_is() {
    let world = estate();
    let leaked = |value: &str| {
        world
            .feed(&["rotate", "--leaked"], value.as_bytes())
            .code(0)
    };
    let old = leaked(&drawn("old")).keeps(&drawn("old"));
    old.prints("rotate kv/shop/db#password")
        .prints("this is version 1, and 2 is current");
    leaked(&drawn("mail"))
        .prints("rotate kv/shop/mail")
        .prints("rotate kv/shop/news")
        .keeps("do once");
    leaked(&drawn("stray"))
        .keeps(&drawn("stray"))
        .prints("no record of the inventory has this value")
        .prints("lies at b.py:1  ko1:");
    let token = format!("{}{}", ["gl", "pat-"].concat(), &drawn("token")[..20]);
    leaked(&token)
        .keeps(&token)
        .prints("it looks like: GitLab personal")
        .prints("it was not found in what was read");
}

#[test]
fn all_that_somebody_had_comes_ranked() {
    let world = estate();
    let told = world
        .run(&["rotate", "--leaver", "Ada@shop.example"])
        .code(0);
    assert_eq!(
        told.out,
        "  1. kv/shop/db#password: is its only owner  [rotated-but-exposed]\n  \
           2. kv/shop/news#password: is an owner  [unused]\n\
         next: keyatlas rotate NAME tells what each takes\n"
    );
    // The owner's list knows who goes by that address.
    world.write(
        "people.csv",
        "person,team,aliases\nAda Example,api,ada@shop.example\n",
    );
    world.run(&["inventory", "people", "people.csv"]).code(0);
    world
        .run(&["rotate", "--leaver", "Ada Example"])
        .code(0)
        .prints("1. kv/shop/db#password: put its value in the clear, is its only owner");
    let nothing = plan(&world, &["--leaver", "zoe"]);
    assert_eq!(list(&nothing["plans"]).len(), 0);
    world
        .run(&["rotate", "--leaver", "zoe"])
        .code(0)
        .prints("nothing here ties `zoe` to a record");
    world.write(
        "list.txt",
        "# after the incident\nkv/shop/db\n\nkv/shop/mail#password\n",
    );
    let document = plan(&world, &["--from-list", "list.txt"]);
    let names: Vec<_> = list(&document["plans"])
        .iter()
        .map(|it| it["record"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["kv/shop/db#password", "kv/shop/mail#password"]);
    assert_eq!(
        document["together"]["Deployment/shop-api"],
        serde_json::json!(names)
    );
}

/// What was never seen cannot be proven gone.
#[test]
fn a_value_that_nobody_knows_is_not_called_gone() {
    let world = World::repository().with_inventory();
    world.write(
        "records.csv",
        "name,key,provider,version\nkv/shop/fax,password,vault,1\n",
    );
    world
        .run(&["inventory", "import", "csv", "records.csv"])
        .code(0);
    let check = ["rotate", "kv/shop/fax#password", "--check", "--after", "1"];
    world
        .run(&check)
        .code(1)
        .prints("The inventory has no value of version 1");
    let document = plan(&world, &["kv/shop/fax", "--in", "."]);
    let again = document["plans"][0]["check"].as_str().unwrap();
    assert!(again.ends_with(" --in ."), "{again}");
    std::fs::remove_file(world.home("settings/keyatlas/key")).unwrap();
    world
        .run(&check)
        .code(2)
        .says("nothing can be proven gone")
        .says("--key-file");
}

#[test]
fn what_cannot_be_planned_is_refused() {
    World::new()
        .run(&["rotate", "x"])
        .refused("a plan needs an inventory", "keyatlas inventory init");
    let world = estate();
    world.run(&["rotate", "kv/shop/mial#password"]).refused(
        "no record `kv/shop/mial#password`",
        "did you mean `kv/shop/mail#password`?",
    );
    world.write("list.txt", "# nobody\n");
    world
        .run(&["rotate", "--from-list", "list.txt"])
        .refused("list.txt: no names in it", "one name of a record a line");
    world.run(&["rotate"]).refused("required", "Usage: ");
    world
        .feed(&["rotate", "--leaked"], b"")
        .refused("there is no value on standard input", "through a pipe");
}
