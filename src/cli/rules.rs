//! `keyatlas rules` and `keyatlas explain`.

use super::args::RulesCommand;
use super::exit::Exit;
use super::message::Fault;
use super::{plan, run};
use crate::detect::selftest;
use crate::model::rule::{Rule, RuleSet};
use crate::model::verdict::VerdictId;
use crate::ruleset;
use std::io::{self, Write};
use std::sync::Arc;

/// Any seed serves; a fixed one makes a failure repeatable.
const SEED: u64 = 20_260_101;

pub(super) fn run(command: RulesCommand) -> Result<Exit, Fault> {
    match command {
        RulesCommand::List => {
            let rules = ruleset::load(&ruleset::Options::default())?;
            run::to_stdout(|out| {
                rules.rules.iter().try_for_each(|it| {
                    writeln!(out, "{}  {}  {}", it.id, it.severity.name(), it.title)
                })
            })?;
            Ok(Exit::Clean)
        }
        RulesCommand::Show { id } => explain(&id),
        RulesCommand::Test { files } => {
            let options = ruleset::Options {
                extra: plan::rule_files(&files)?,
                disabled: Vec::new(),
            };
            let rules = Arc::new(ruleset::load(&options)?);
            let faults = selftest::faults(&rules, SEED);
            run::to_stdout(|out| {
                faults.iter().try_for_each(|it| writeln!(out, "{it}"))?;
                writeln!(out, "{} rules, {} faults", rules.rules.len(), faults.len())
            })?;
            Ok(if faults.is_empty() {
                Exit::Clean
            } else {
                Exit::WrongRequest
            })
        }
    }
}

/// Explains a rule or a verdict.
pub(super) fn explain(id: &str) -> Result<Exit, Fault> {
    let rules: RuleSet = ruleset::load(&ruleset::Options::default())?;
    if let Some(rule) = rules.get(id) {
        run::to_stdout(|out| write_rule(out, rule))?;
        return Ok(Exit::Clean);
    }
    let verdict = VerdictId::ALL.iter().find(|it| it.code() == id);
    let verdict = verdict.ok_or_else(|| {
        Fault::new(format!("`{id}` is neither a rule nor a verdict"))
            .hint("`keyatlas rules list` names the rules")
    })?;
    run::to_stdout(|out| {
        writeln!(
            out,
            "{}  {}\n{}",
            verdict.code(),
            verdict.severity().name(),
            verdict.help()
        )?;
        verdict
            .cwe()
            .map_or(Ok(()), |it| writeln!(out, "CWE-{it}"))?;
        verdict
            .nhi()
            .map_or(Ok(()), |it| writeln!(out, "OWASP {it}"))
    })?;
    Ok(Exit::Clean)
}

fn write_rule(out: &mut dyn Write, rule: &Rule) -> io::Result<()> {
    writeln!(out, "{}\n{}", rule.id, rule.title)?;
    writeln!(
        out,
        "provider    {}\nkind        {}",
        rule.provider,
        rule.kind.name()
    )?;
    writeln!(
        out,
        "severity    {}\nconfidence  {}",
        rule.severity.name(),
        rule.confidence.name()
    )?;
    writeln!(
        out,
        "keywords    {}\npattern     {}",
        rule.keywords.join(", "),
        rule.pattern
    )?;
    writeln!(
        out,
        "rotation    {}\nmore        {}",
        rule.rotation, rule.why
    )
}
