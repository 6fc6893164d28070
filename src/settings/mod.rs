//! The tool's own settings file, `keyatlas.toml`: find, parse, reject unknown keys, say where it is wrong.
