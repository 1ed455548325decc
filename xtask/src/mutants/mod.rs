//! `cargo xtask mutants`: plants flaws in a copy of the workspace, one at a time, and sees that the tests catch them.
//!
//! What is planted is written in each crate's `tests/mutants.toml`, beside the tests that it questions. A test that
//! cannot fail proves nothing: here each model and scenario that an ordering table names shows that it can.

mod lab;
mod list;
#[cfg(test)]
mod tests;
mod trial;
mod verdict;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{cmd, say, table};
use lab::Lab;
use list::{Flaw, List};
use trial::Trial;
use verdict::{Outcome, Verdict};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this crate
    #[arg(value_name = "CRATE")]
    package: Option<String>,
    /// Only flaws whose name contains one of these words
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Say what would be planted, and which tests should catch it; check that each still applies; run nothing
    #[arg(long)]
    list: bool,
}

impl Args {
    fn wants(&self, flaw: &Flaw) -> bool {
        self.names.is_empty() || self.names.iter().any(|word| flaw.name.contains(word.as_str()))
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let lists = lists(args)?;
    if args.list {
        say::text(listed(args, &lists));
        return Ok(());
    }
    let lab = Lab::open(cmd::root(), &cmd::target_dir().join("mutants"))?;
    let mut rows = Vec::new();
    let mut surprises = Vec::new();
    for list in &lists {
        let flaws: Vec<&Flaw> = list.flaws.iter().filter(|flaw| args.wants(flaw)).collect();
        for (name, verdict) in try_all(&lab, list, &flaws)? {
            let flaw = format!("{} {name}", list.krate);
            surprises.extend(verdict.surprise.as_ref().map(|surprise| format!("{flaw}: {surprise}")));
            rows.push(vec![flaw, verdict.expected, verdict.result]);
        }
    }
    say::text(table::with_words(&["flaw", "caught by", "result"], 3, rows));
    if !surprises.is_empty() {
        bail!("{} not as written:\n  {}", surprises.len(), surprises.join("\n  "));
    }
    Ok(())
}

/// The lists asked for, each of whose entries applies to the sources as they are.
fn lists(args: &Args) -> Result<Vec<List>> {
    let is_wanted = |krate: &&str| args.package.as_deref().is_none_or(|wanted| wanted == *krate);
    let mut lists = Vec::new();
    for krate in cmd::LIBRARIES.into_iter().filter(is_wanted) {
        let list = List::read(cmd::root(), krate)?;
        let stale = list.misfits(cmd::root());
        if !stale.is_empty() {
            bail!("{} names what is not there:\n  {}", list.path(), stale.join("\n  "));
        }
        lists.push(list);
    }
    if !lists.iter().flat_map(|list| &list.flaws).any(|flaw| args.wants(flaw)) {
        bail!(
            "no flaw of that name{}",
            args.package.as_ref().map_or(String::new(), |of| format!(" in {of}"))
        );
    }
    Ok(lists)
}

fn listed(args: &Args, lists: &[List]) -> String {
    let row = |list: &List, flaw: &Flaw| {
        vec![list.krate.clone(), flaw.name.clone(), flaw.file.clone(), verdict::expected(flaw)]
    };
    let rows = lists.iter().flat_map(|list| list.flaws.iter().map(move |flaw| (list, flaw)));
    let rows = rows.filter(|(_, flaw)| args.wants(flaw)).map(|(list, flaw)| row(list, flaw));
    table::with_words(&["crate", "flaw", "file", "caught by"], 4, rows)
}

/// First the tests without any flaw, which must pass; then each flaw.
fn try_all(lab: &Lab, list: &List, flaws: &[&Flaw]) -> Result<Vec<(String, Verdict)>> {
    let trial = Trial { lab, list };
    let mut verdicts = Vec::new();
    if flaws.is_empty() {
        return Ok(verdicts);
    }
    let tests: BTreeSet<&String> = flaws.iter().flat_map(|flaw| &flaw.tests).collect();
    let control = shown(list, "(none)", || trial.control(&tests), verdict::of_control)?;
    let is_sound = control.surprise.is_none();
    verdicts.push(("(none)".to_owned(), control));
    for flaw in if is_sound { flaws } else { &[] } {
        let verdict = shown(list, &flaw.name, || trial.of(flaw), |outcome| verdict::of(flaw, outcome))?;
        verdicts.push((flaw.name.clone(), verdict));
    }
    Ok(verdicts)
}

/// Says at once what came of a flaw: all of them take long.
fn shown(
    list: &List,
    name: &str,
    body: impl FnOnce() -> Result<Outcome>,
    judge: impl FnOnce(&Outcome) -> Verdict,
) -> Result<Verdict> {
    let start = Instant::now();
    let verdict = judge(&body()?);
    let mark = if verdict.surprise.is_some() { "SURPRISE " } else { "" };
    note!("{} {name}: {mark}{}, {:.0} s", list.krate, verdict.result, start.elapsed().as_secs_f64());
    Ok(verdict)
}
