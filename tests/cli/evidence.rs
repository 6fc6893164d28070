//! Logs of access from outside: what they add to records, and what they are refused with.

use crate::world::World;
use keyatlas::import::Importer;
use keyatlas::import::evidence::Evidence;

fn imported() -> World {
    let world = World::new().with_inventory();
    world
        .write("kv.json", Importer::named("vault").unwrap().example())
        .write("aws.json", Importer::named("aws").unwrap().example())
        .write("audit.log", Evidence::VaultAudit.example())
        .write("trail.json", Evidence::CloudTrail.example());
    for (kind, file) in [("vault", "kv.json"), ("aws", "aws.json")] {
        world.run(&["inventory", "import", kind, file]).code(0);
    }
    world
}

#[test]
fn logs_tell_who_read_records() {
    let world = imported();
    for changed in ["2 records changed", "0 records changed"] {
        world
            .run(&["inventory", "import", "vault-audit", "audit.log"])
            .code(0)
            .prints("5 entries, 2 reads of secrets\n1 of known records; ")
            .prints(changed)
            .prints("1 of what no record is called: vault:old/mail\n");
    }
    let trail = Evidence::CloudTrail.example();
    world
        .feed(
            &["inventory", "import", "cloudtrail", "-"],
            trail.as_bytes(),
        )
        .code(0)
        .prints("2 of known records; 3 records changed");
    let show = ["inventory", "show", "kv/shop/db#password"];
    world
        .run(&show)
        .code(0)
        .prints("  accessed    2026-02-01 by approle/shop-api\n")
        .prints("  read by     approle/shop-api, 2026-02-01 to 2026-02-01, 1 known\n");
    let document = world
        .run(&[&show[..], &["--format", "json"]].concat())
        .json();
    let access = &document["record"]["accesses"][0];
    assert_eq!(access["by"], "approle/shop-api");
    assert_eq!(access["last"], "2026-02-01T10:00:00Z");
    assert_eq!(access["count"], 1);
    // Its own export says midnight of that day; the log knows the hour.
    world
        .run(&["inventory", "show", "shop/db#username"])
        .code(0)
        .prints("accessed    2026-02-01 by arn:aws:iam::123456789012:role/shop-api");
}

#[test]
fn a_log_that_is_none_changes_nothing() {
    let world = imported();
    let before = world.run(&["inventory", "list", "--format", "json"]).out;
    world.write(
        "broken.log",
        format!("{}{{\n{{}}\n", Evidence::VaultAudit.example()),
    );
    for (line, what) in [
        (&["vault-audit", "broken.log"][..], "broken.log:6:"),
        (&["cloudtrail", "audit.missing"], "audit.missing: "),
        (
            &["vault-audit", "https://vault.example"],
            "a log is read from a file",
        ),
        (
            &["cloudtrail", "--addr", "https://aws.example"],
            "a log is read from a file",
        ),
        (
            &["vault-audit", "audit.log", "--complete", "vault"],
            "--complete, ",
        ),
        (
            &["vault-audit", "audit.log", "--names-only"],
            "--names-only",
        ),
    ] {
        let all = [&["inventory", "import"], line].concat();
        world.run(&all).refused(what, "hint: ");
    }
    assert_eq!(
        world.run(&["inventory", "list", "--format", "json"]).out,
        before
    );
}
