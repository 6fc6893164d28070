//! `keyatlas inventory status`: the dashboard and its trend, through the program.

use crate::estate::{Estate, ago};
use serde_json::{Value, json};

const ROWS: &[&str] = &[
    "kv/a,key,vault,production,ada,{ago:10},{ago:1},,,90,api-token,1,,{value:one}",
    "kv/b,key,vault,staging,,{ago:400},{ago:200},,,,api-token,1,,{value:one}",
    "kv/c,key,vault,,,,,,,,api-token,1,,",
];

fn document(estate: &Estate) -> Value {
    let text = estate.succeed(&["inventory", "status", "--format", "json"]);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_dashboard_counts_what_is_there() {
    let told = document(&Estate::new(ROWS));
    assert_eq!(told["records"], 3);
    assert_eq!(
        told["described"],
        json!({"owners": 1, "values": 2, "dates": 2, "rotation_policies": 1})
    );
    let counts = |of: &Value| -> Vec<u64> {
        let bands = of["bands"].as_array().unwrap().iter();
        bands.map(|it| it["records"].as_u64().unwrap()).collect()
    };
    assert_eq!(counts(&told["ages"]), [1, 0, 0, 0, 1]);
    assert_eq!(counts(&told["accessed"]), [1, 0, 1, 0]);
    assert_eq!(
        (&told["ages"]["unknown"], &told["idle"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(told["reuse"], json!({"values": 1, "records": 2}));
    assert_eq!(
        told["environments"],
        json!({"": 1, "production": 1, "staging": 1})
    );
    assert_eq!(
        told["ending"],
        json!({"days": 90, "expired": 0, "records": []})
    );
}

#[test]
fn each_day_leaves_one_row_and_the_trend_tells_the_difference() {
    let estate = Estate::new(ROWS);
    document(&estate);
    let told = document(&estate);
    let rows = told["trend"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "one row for today: {rows:?}");
    assert_eq!(
        (&rows[0]["day"], &rows[0]["unowned"]),
        (&json!(ago(0)), &json!(2))
    );
    let human = estate.succeed(&["inventory", "status"]);
    assert!(!human.contains("\ntrend"), "{human}");
    // As a look three days ago would have left it.
    let connection = rusqlite::Connection::open(estate.path("data/inventory.db")).unwrap();
    let earlier = "INSERT INTO day SELECT day - 3, 2, gone, valued, 1, old, ending, expired, sharing, idle FROM day";
    connection.execute(earlier, []).unwrap();
    drop(connection);
    let human = estate.succeed(&["inventory", "status"]);
    let line = format!(
        "trend         since {}: records 2 to 3, unowned 1 to 2\n",
        ago(3)
    );
    assert!(human.contains(&line), "{human}");
}
