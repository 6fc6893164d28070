//! What the README promises: its commands exist, its files are there, its verdicts and formats are all.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use keyatlas::model::verdict::VerdictId;
use keyatlas::report::Format;
use std::path::Path;
use std::process::Command;

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The commands of the table: `scan`, `inventory init`, `inventory import`, ...
fn commands() -> Vec<Vec<String>> {
    let text = page("README.md");
    let rows = text.lines().filter(|it| it.starts_with("| `keyatlas "));
    let mut commands = Vec::new();
    for row in rows {
        let cell = row.split('|').nth(1).unwrap();
        let mut group = String::new();
        for item in cell.split('`').skip(1).step_by(2) {
            let words: Vec<&str> = item.trim_start_matches("keyatlas ").split(' ').collect();
            let is_name = |it: &&&str| it.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            let mut names: Vec<String> = words
                .iter()
                .take_while(is_name)
                .filter(|it| !it.starts_with('-'))
                .map(|it| (*it).to_owned())
                .collect();
            if item.starts_with("keyatlas ") {
                group.clone_from(names.first().unwrap());
            } else if item.starts_with('-') {
                continue;
            } else {
                names.insert(0, group.clone());
            }
            commands.push(names);
        }
    }
    commands
}

#[test]
fn each_command_of_the_table_has_help() {
    let commands = commands();
    assert!(commands.len() >= 15, "{commands:?}");
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_keyatlas"))
            .args(&command)
            .arg("--help")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        assert!(!output.stdout.is_empty(), "{command:?}");
    }
}

/// Commands as the help lists them, those within a command too.
fn helped(words: &[String]) -> Vec<Vec<String>> {
    let output = Command::new(env!("CARGO_BIN_EXE_keyatlas"))
        .args(words)
        .arg("--help")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let listed = text.lines().skip_while(|it| *it != "Commands:").skip(1);
    let names = listed
        .take_while(|it| it.starts_with("  "))
        .filter(|it| !it.starts_with("   "))
        .filter_map(|it| it.split_whitespace().next());
    let mut commands = Vec::new();
    for name in names {
        let command = [words, &[name.to_owned()]].concat();
        let within = helped(&command);
        if within.is_empty() || name == "waive" {
            commands.push(command);
        }
        commands.extend(within);
    }
    commands
}

#[test]
fn each_command_of_the_help_stands_in_the_table() {
    let (told, helped) = (commands(), helped(&[]));
    assert!(helped.len() >= 15, "{helped:?}");
    let missing: Vec<_> = helped.iter().filter(|it| !told.contains(it)).collect();
    assert!(missing.is_empty(), "not in the README's table: {missing:?}");
    let invented: Vec<_> = told.iter().filter(|it| !helped.contains(it)).collect();
    assert!(invented.is_empty(), "not in the help: {invented:?}");
}

#[test]
fn every_verdict_and_format_is_told() {
    let text = page("README.md");
    for id in VerdictId::ALL {
        assert!(text.contains(&format!("`{}`", id.code())), "{}", id.code());
    }
    for (name, _) in Format::NAMES {
        assert!(text.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn links_lead_to_files() {
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md"] {
        for link in page(name).split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            let is_here = !target.contains("://") && !target.starts_with('#');
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
            assert!(!is_here || path.exists(), "{name}: {target}");
        }
    }
}
