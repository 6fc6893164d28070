//! Where reports go: standard output or files. A reader who went away is no error.

use super::args::Output;
use super::message::Fault;
use crate::model::report::Report;
use crate::report::{self, Format};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes text to standard output; styles reach terminals only.
pub(super) fn stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fault> {
    let mut out = BufWriter::new(anstream::stdout().lock());
    unless_closed(write(&mut out).and_then(|()| out.flush()))
}

/// Writes a document to standard output, byte for byte.
pub(super) fn document(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fault> {
    let mut out = BufWriter::new(io::stdout().lock());
    unless_closed(write(&mut out).and_then(|()| out.flush()))
}

fn unless_closed(result: io::Result<()>) -> Result<(), Fault> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::new(format!("standard output: {error}"))
                .hint("the report is not whole; write it to a file with --format NAME=FILE"))
        }
        _ => Ok(()),
    }
}

/// Looks before the run: reports that would fall over each other, or into a folder that is not there.
pub(super) fn check<F>(outputs: &[Output<F>]) -> Result<(), Fault> {
    for (index, output) in outputs.iter().enumerate() {
        let rivals = outputs[..index].iter().any(|it| it.file == output.file);
        match &output.file {
            None if rivals => {
                return Err(Fault::new("two reports would go to standard output")
                    .hint("give one a file: --format NAME=FILE"));
            }
            Some(path) if rivals => {
                return Err(Fault::new(format!(
                    "{}: two reports would go to this file",
                    path.display()
                ))
                .hint("give each a file of its own; nothing was scanned"));
            }
            Some(path) => check_file(path)?,
            None => {}
        }
    }
    Ok(())
}

fn check_file(path: &Path) -> Result<(), Fault> {
    let folder = path
        .parent()
        .filter(|it| !it.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if path.is_dir() {
        return Err(Fault::new(format!(
            "{}: a report cannot be written over a folder",
            path.display()
        ))
        .hint("name a file in it; nothing was scanned"));
    }
    if !folder.is_dir() {
        return Err(
            Fault::new(format!("{}: there is no such folder", folder.display()))
                .hint("make it first; nothing was scanned"),
        );
    }
    Ok(())
}

/// Writes every report that was asked for; `human` without any.
pub(super) fn reports(report: &Report, outputs: &[Output]) -> Result<(), Fault> {
    each(outputs, Format::Human, &|format, out| {
        report::write(format, out, report)
    })
}

/// Writes everything that was asked for, by whatever writes a format; the one for people without any.
pub(super) fn each<F: Copy + PartialEq>(
    outputs: &[Output<F>],
    human: F,
    write: &dyn Fn(F, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Fault> {
    let usual = [Output {
        format: human,
        file: None,
    }];
    let outputs = if outputs.is_empty() { &usual } else { outputs };
    outputs.iter().try_for_each(|output| {
        let format = output.format;
        match &output.file {
            Some(path) => file(path, format == human, |out| write(format, out)),
            None if format == human => stdout(|out| write(format, out)),
            None => document(|out| write(format, out)),
        }
    })
}

/// Writes the human report to standard output, and of a long one the first lines.
pub(super) fn brief(report: &Report, lines: usize) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    let fault = |it: io::Error| Fault::new(format!("the report cannot be written: {it}"));
    report::write(Format::Human, &mut bytes, report).map_err(fault)?;
    let all: Vec<&[u8]> = bytes.split_inclusive(|it| *it == b'\n').collect();
    let more = all.len().saturating_sub(lines);
    stdout(|out| {
        all.iter()
            .take(lines)
            .try_for_each(|it| out.write_all(it))?;
        if more > 0 {
            writeln!(
                out,
                "and {more} more lines; `keyatlas scan --range A..B` tells all"
            )?;
        }
        Ok(())
    })
}

fn file(
    path: &Path,
    is_styled: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    let fault = |it: io::Error| {
        Fault::at(path, &it).hint("this report was not written; choose another file")
    };
    write(&mut bytes).map_err(fault)?;
    if is_styled {
        bytes = anstream::adapter::strip_bytes(&bytes).into_vec();
    }
    fs::write(path, bytes).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn output(format: Format, file: Option<&str>) -> Output {
        Output {
            format,
            file: file.map(PathBuf::from),
        }
    }

    #[test]
    fn reports_do_not_fall_over_each_other() {
        for (outputs, fits) in [
            (vec![], true),
            (vec![output(Format::Json, None)], true),
            (
                vec![
                    output(Format::Json, None),
                    output(Format::Sarif, Some("Cargo.sarif")),
                ],
                true,
            ),
            (
                vec![output(Format::Json, None), output(Format::Human, None)],
                false,
            ),
            (
                vec![
                    output(Format::Json, Some("a")),
                    output(Format::Sarif, Some("a")),
                ],
                false,
            ),
            (vec![output(Format::Json, Some("no/such/folder/a"))], false),
            (vec![output(Format::Json, Some("src"))], false),
        ] {
            assert_eq!(check(&outputs).is_ok(), fits, "{outputs:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        assert!(unless_closed(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(unless_closed(Err(io::ErrorKind::StorageFull.into())).is_err());
        assert!(unless_closed(Ok(())).is_ok());
    }
}
