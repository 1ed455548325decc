//! The limits of the fast paths: a line for each, in a file that is reviewed as code is.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};

use super::callgrind::Cost;
use crate::table;

/// How much a path may grow before it counts: another compiler orders a few instructions otherwise.
const SHARE: f64 = 0.03;
const ABSOLUTE: f64 = 2.0;
/// Below this share of its limit a path has become so much shorter that the limit guards nothing.
const LOOSE: f64 = 0.90;
/// Locks and fences are whole but for rare slow paths, which are a thousandth of an operation.
const RARE: f64 = 0.05;

const HEAD: &str = "\
# What the fast paths may take: instructions, locked instructions and fences, each per operation.
# `cargo xtask count` fails when a path takes more than 3 % and 2 instructions above its line, or locks or fences
# more often; `cargo xtask count --update` writes this file. The loop is included, and the heap, but for locks in libc.
#
";

/// The limits, in the order of the file.
pub(super) struct Limits(Vec<(String, Cost)>);

/// The file for these costs.
pub(super) fn written(counted: &[(String, Cost)]) -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "# {:<20} {:>12} {:>7} {:>7}", "path", "instructions", "locked", "fences");
    for (path, cost) in counted {
        let Cost { instructions, locked, fences } = cost;
        let _ = writeln!(text, "{path:<22} {instructions:>12.1} {locked:>7.1} {fences:>7.1}");
    }
    text
}

impl Limits {
    pub(super) fn parse(text: &str) -> Result<Limits> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        lines.map(limit).collect::<Result<Vec<_>>>().map(Limits)
    }

    /// What is above its limit, or in one of the two and not in the other.
    pub(super) fn exceeded(&self, counted: &[(String, Cost)]) -> Vec<String> {
        let mut found = Vec::new();
        for (path, cost) in counted {
            match self.of(path) {
                None => found.push(format!("{path} has no limit")),
                Some(limit) => found.extend(above(path, *cost, limit)),
            }
        }
        let gone = self.0.iter().filter(|(path, _)| !counted.iter().any(|(name, _)| name == path));
        found.extend(gone.map(|(path, _)| format!("{path} has a limit, but is not counted")));
        found
    }

    /// What is so far below its limit that the limit should follow.
    pub(super) fn loose(&self, counted: &[(String, Cost)]) -> Vec<String> {
        let below = counted.iter().filter_map(|(path, cost)| {
            let limit = self.of(path)?.instructions;
            let much = cost.instructions < LOOSE * limit;
            much.then(|| format!("{path} takes {:.1} instructions of {limit:.1}", cost.instructions))
        });
        below.collect()
    }

    pub(super) fn table(&self, counted: &[(String, Cost)]) -> String {
        let header = ["path", "instructions", "limit", "locked", "limit", "fences", "limit"];
        let rows = counted.iter().map(|(path, cost)| {
            let limit = |part: fn(Cost) -> f64| {
                self.of(path).map_or("-".to_owned(), |limit| format!("{:.1}", part(limit)))
            };
            vec![
                path.clone(),
                format!("{:.1}", cost.instructions),
                limit(|limit| limit.instructions),
                format!("{:.1}", cost.locked),
                limit(|limit| limit.locked),
                format!("{:.1}", cost.fences),
                limit(|limit| limit.fences),
            ]
        });
        table::drawn(&header, rows)
    }

    fn of(&self, path: &str) -> Option<Cost> {
        self.0.iter().find(|(name, _)| name == path).map(|(_, limit)| *limit)
    }
}

/// `path instructions locked fences`
fn limit(line: &str) -> Result<(String, Cost)> {
    let mut words = line.split_whitespace();
    let path = words.next().context("a line without words")?;
    let numbers = words.map(str::parse).collect::<Result<Vec<f64>, _>>();
    match numbers.with_context(|| format!("`{line}`"))?[..] {
        [instructions, locked, fences] => Ok((path.to_owned(), Cost { instructions, locked, fences })),
        _ => bail!("`{line}` has not three numbers"),
    }
}

fn above(path: &str, cost: Cost, limit: Cost) -> Vec<String> {
    let mut found = Vec::new();
    let most = limit.instructions * (1.0 + SHARE) + ABSOLUTE;
    if cost.instructions > most {
        found.push(format!("{path} takes {:.1} instructions, {most:.1} at most", cost.instructions));
    }
    for (what, taken, most) in
        [("locked instructions", cost.locked, limit.locked), ("fences", cost.fences, limit.fences)]
    {
        if taken > most + RARE {
            found.push(format!("{path} takes {taken:.1} {what}, {most:.1} at most"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(instructions: f64, locked: f64, fences: f64) -> Cost {
        Cost { instructions, locked, fences }
    }

    fn limits(lines: &[(&str, Cost)]) -> Limits {
        Limits(lines.iter().map(|(path, cost)| ((*path).to_owned(), *cost)).collect())
    }

    fn counted(lines: &[(&str, Cost)]) -> Vec<(String, Cost)> {
        limits(lines).0
    }

    #[test]
    fn what_is_written_is_read() {
        let costs = counted(&[("pool/raw", cost(21.0, 0.0, 0.0)), ("sched/join", cost(52.5, 0.0, 1.0))]);
        assert_eq!(Limits::parse(&written(&costs)).unwrap().0, costs);
        assert!(Limits::parse("pool/raw 1 2\n").is_err());
        assert!(Limits::parse("pool/raw many 0 0\n").is_err());
    }

    #[test]
    fn growth_beyond_the_tolerance_is_found() {
        let limits = limits(&[("join", cost(100.0, 0.0, 1.0))]);
        let found = |now: Cost| limits.exceeded(&counted(&[("join", now)])).len();
        assert_eq!(found(cost(105.0, 0.0, 1.0)), 0);
        assert_eq!(found(cost(105.1, 0.0, 1.0)), 1);
        assert_eq!(found(cost(100.0, 0.001, 1.0)), 0);
        assert_eq!(found(cost(100.0, 1.0, 2.0)), 2);
        assert_eq!(found(cost(50.0, 0.0, 0.0)), 0);
    }

    #[test]
    fn a_path_and_its_limit_belong_together() {
        let limits = limits(&[("a", cost(1.0, 0.0, 0.0)), ("b", cost(1.0, 0.0, 0.0))]);
        let found = limits.exceeded(&counted(&[("a", cost(1.0, 0.0, 0.0)), ("c", cost(1.0, 0.0, 0.0))]));
        assert_eq!(found, ["c has no limit", "b has a limit, but is not counted"]);
    }

    #[test]
    fn a_limit_that_guards_nothing_is_named() {
        let limits = limits(&[("a", cost(100.0, 0.0, 0.0))]);
        assert!(limits.loose(&counted(&[("a", cost(90.0, 0.0, 0.0))])).is_empty());
        assert_eq!(limits.loose(&counted(&[("a", cost(89.0, 0.0, 0.0))])).len(), 1);
    }
}
