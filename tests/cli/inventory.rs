//! The inventory from outside: keys that do not fit, what is missing, and what a value under a record says.

use crate::world::{World, drawn, each, leak};

fn table() -> String {
    format!(
        "name,value,owner\nkv/shop/db,{},ada\nkv/shop/mail,{},bo\n",
        drawn("a"),
        drawn("b")
    )
}

fn imported() -> World {
    let world = World::new().with_inventory();
    world.write("records.csv", table());
    let ran = world
        .run(&["inventory", "import", "csv", "records.csv"])
        .code(0);
    ran.prints("2 added, 0 changed").keeps(&drawn("a"));
    std::fs::remove_file(world.path("records.csv")).unwrap();
    world
}

#[test]
fn a_value_of_the_inventory_is_exposed() {
    let world = imported();
    world.write("a.py", leak("a")).write("c.py", leak("c"));
    let document = world.scan(&[]);
    assert_eq!(each(&document["verdicts"], "id"), ["exposed", "unmanaged"]);
    assert_eq!(document["findings"][0]["managed"]["record"], "kv/shop/db");
    world
        .run(&["map", "shop/db"])
        .code(0)
        .prints("value: kv/shop/db -> ")
        .keeps(&drawn("a"));
    world
        .run(&["inventory", "list"])
        .code(0)
        .prints("kv/shop/mail");
    world
        .run(&["inventory", "forget", "kv/shop/db"])
        .code(0)
        .prints("forgotten: kv/shop/db");
    assert_eq!(
        each(&world.scan(&[])["verdicts"], "id"),
        ["unmanaged", "unmanaged"]
    );
}

#[test]
fn another_key_does_not_open_it() {
    let world = imported();
    let other = [
        "inventory",
        "init",
        "--inventory",
        "other.db",
        "--key-file",
        "other.key",
    ];
    world.run(&other).code(0);
    for line in [
        &["scan", "--key-file", "other.key"][..],
        &["map", "--key-file", "other.key"],
        &["inventory", "list", "--key-file", "other.key"],
    ] {
        world.run(line).refused(
            "is sealed under another key than other.key",
            "name the key file of this store",
        );
    }
    world.write("no.key", "no key at all\n");
    #[cfg(unix)]
    world
        .run(&["scan", "--key-file", "no.key"])
        .refused("no.key: ", "hint: ");
    world
        .run(&["scan", "--key-file", "none.key"])
        .refused("none.key: there is no key file", "hint: ");
}

#[test]
fn without_its_key_records_are_known_by_name_only() {
    let world = imported();
    world.write("a.py", leak("a"));
    std::fs::remove_file(world.home("settings/keyatlas/key")).unwrap();
    let ran = world.run(&["scan", "--format", "json"]).code(1);
    assert_eq!(each(&ran.json()["verdicts"], "id"), ["unmanaged"]);
    assert!(ran.json()["findings"][0]["fingerprint"].is_null());
    ran.says("its secrets are known by name only");
    world.write("more.csv", table());
    let import = world.run(&["inventory", "import", "csv", "more.csv"]);
    import.refused("the inventory's key is not there", "--names-only");
}

#[test]
fn an_inventory_that_a_flag_names_must_exist_and_one_of_a_variable_may_come_later() {
    let world = World::new();
    world.write("a.txt", "clean\n");
    world
        .run(&["scan", "--inventory", "no.db"])
        .refused("no.db: there is no inventory", "keyatlas inventory init");
    let later = world
        .run_with(&[("KEYATLAS_INVENTORY", "no.db")], &["scan"])
        .code(0);
    later.says("KEYATLAS_INVENTORY names an inventory that does not exist; going on without");
    world.write(
        "text.db",
        "this is a text and no database at all, long enough to have a header of its own\n",
    );
    world
        .run(&["inventory", "list", "--inventory", "text.db"])
        .refused("text.db: ", "hint: ");
    world
        .run(&["inventory", "status"])
        .refused("there is no inventory", "keyatlas inventory init");
}

#[test]
fn imports_that_cannot_be_read_are_refused_with_their_place() {
    let world = World::new().with_inventory();
    world.write("bad.json", "{\"data\": [\n");
    let ran = world.run(&["inventory", "import", "vault", "bad.json"]);
    ran.refused("bad.json", "hint: ");
    world
        .run(&["inventory", "import", "csv", "none.csv"])
        .refused("none.csv: ", "nothing was imported");
    world
        .run(&["inventory", "import", "csv"])
        .refused("<FILE|FOLDER|URL>", "Usage: ");
    let remote = world.run(&["inventory", "import", "csv", "x.csv", "--mount", "kv"]);
    remote.refused(
        "--mount, --namespace, --region, --ca-cert and --plain-http",
        "--addr URL",
    );
    let stdin = world.feed(&["inventory", "import", "csv", "-"], table().as_bytes());
    stdin.code(0).prints("2 added");
}

#[test]
fn a_folder_is_one_source_and_a_broken_file_in_it_changes_nothing() {
    let world = World::new().with_inventory();
    let line = |name: &str| format!("DB_PASSWORD={}\n", drawn(name));
    world
        .write("shop/.env", line("a"))
        .write("shop/api/.env", line("b"))
        .write("shop/.env.example", "DB_PASSWORD=\nMAIL_TOKEN=\n");
    let import = || world.run(&["inventory", "import", "dotenv", "shop"]);
    let first = import().code(0);
    first
        .prints("4 added, 0 changed")
        .prints("shop: 3 files of 3 read")
        .keeps(&drawn("a"));
    import()
        .code(0)
        .prints("0 added, 0 changed, 4 unchanged, 0 gone");
    let before = world.run(&["inventory", "list", "--format", "json"]).json();
    let names = each(&before["records"], "name");
    assert!(names.contains(&"api/env/DB_PASSWORD"), "{names:?}");
    assert_eq!(before["records"][0]["source"], "shop/api/.env");
    world.write("shop/web/.env", format!("{}B=\"{}", line("c"), drawn("d")));
    let broken = import();
    broken
        .refused("shop/web/.env:2:3", "nothing was imported")
        .keeps(&drawn("d"));
    let after = world.run(&["inventory", "list", "--format", "json"]).json();
    assert_eq!(before, after);
    std::fs::remove_dir_all(world.path("shop/web")).unwrap();
    std::fs::remove_file(world.path("shop/api/.env")).unwrap();
    import().code(0).prints("0 changed, 3 unchanged, 1 gone");
    world
        .run(&["inventory", "import", "csv", "shop"])
        .refused("shop: csv is read from a file", "name the file");
    world
        .run(&["inventory", "import", "sops", "shop"])
        .refused("shop: no file for sops", "nothing was imported");
}

#[test]
fn passwords_come_from_a_file_or_the_environment() {
    let world = World::new().with_inventory();
    let key = "MIIBBjBPBgkqhkiG9w0BBQ0wQjAhBgkrBgEEAdpHBAswFAQI";
    let line = "-----";
    world.write(
        "old.key",
        format!("{line}BEGIN ENCRYPTED PRIVATE KEY{line}\n{key}\n{line}END ENCRYPTED PRIVATE KEY{line}\n"),
    );
    world.write("passwords", format!("{}\n", drawn("a")));
    let import = ["inventory", "import", "keystore", "old.key"];
    let told = world.run(&[&import[..], &["--password-file", "passwords"]].concat());
    told.code(0)
        .prints("1 records read, 0 with a value")
        .keeps(&drawn("a"));
    world
        .run(&[&import[..], &["--password-file", "none"]].concat())
        .refused("none: ", "nothing was imported");
    let variables = [("KEYATLAS_KEYSTORE_PASSWORD", "not this one")];
    world
        .run_with(&variables, &import)
        .code(0)
        .prints("1 unchanged");
}

#[test]
fn people_are_taken_in_and_counted() {
    let world = World::new().with_inventory();
    world.write(
        "teams.csv",
        "person,team,email,left\nann,pay,ann@shop.example,\nbob,pay,,2026-01-31\n",
    );
    let import = || world.run(&["inventory", "people", "teams.csv"]);
    import()
        .code(0)
        .prints("2 lines read about 2 people, 1 of whom");
    world
        .run(&["inventory", "status"])
        .code(0)
        .prints("2 in 1 teams, 1 leavers");
    world.write("teams.csv", "person,left\nann,soon\n");
    import().refused("teams.csv:2: column `left`", "correct the cell");
    let status = world
        .run(&["inventory", "status", "--format", "json"])
        .json();
    assert_eq!(
        (&status["people"], &status["leavers"]),
        (&2.into(), &1.into())
    );
    world.write("teams.csv", "person,team\nann,pay\n");
    import()
        .code(0)
        .prints("2 lines of an earlier import replaced");
}

#[test]
fn init_does_not_write_over_an_inventory() {
    let world = imported();
    let again = world.run(&["inventory", "init"]);
    again.refused(
        "there is a file already",
        "import into it, or name another file",
    );
    world
        .run(&["inventory", "list"])
        .code(0)
        .prints("kv/shop/db");
}

#[test]
fn a_map_needs_an_inventory_and_a_record_that_the_name_fits() {
    let world = World::new();
    world
        .run(&["map"])
        .refused("a map needs an inventory", "keyatlas inventory init");
    let world = imported();
    let ran = world.run(&["map", "kv/shop/bd"]);
    ran.refused(
        "the inventory has no record `kv/shop/bd`",
        "did you mean `kv/shop/db`?",
    );
    let shown = world.run(&["inventory", "show", "kv/shop/dbb"]);
    shown.refused("no record `kv/shop/dbb`", "did you mean `kv/shop/db`?");
    world
        .run(&["map", "--show-secrets"])
        .refused("--show-secrets", "Usage: ");
}

#[test]
fn a_new_key_opens_what_the_old_one_sealed() {
    let world = imported();
    world.write("a.py", leak("a"));
    let before = world.scan(&[]);
    world
        .run(&["inventory", "rekey"])
        .code(0)
        .prints("sealed anew");
    let after = world.scan(&[]);
    assert_eq!(before["findings"], after["findings"]);
    assert!(before["findings"][0]["fingerprint"].is_string());
}
