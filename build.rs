//! Writes the list of rule files, so that a file added to `rules/` is embedded by the next build.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=rules");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut names: Vec<String> = fs::read_dir(Path::new(&root).join("rules"))?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    let rows: String = names
        .iter()
        .map(|name| {
            let path = Path::new(&root).join("rules").join(name);
            println!("cargo:rerun-if-changed={}", path.display());
            format!(
                "    ({name:?}, include_str!({:?})),\n",
                path.display().to_string()
            )
        })
        .collect();
    fs::write(
        Path::new(&out).join("rules.rs"),
        format!(
            "/// Every rule file: name and text.\npub(super) const FILES: &[(&str, &str)] = &[\n{rows}];\n"
        ),
    )
}
