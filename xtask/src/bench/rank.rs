//! `cargo xtask bench rank`: backends over all rows of a record at once.
//!
//! A backend takes part if it has a figure in at least half of the main rows; the *common rows* are those in which
//! every such backend has one, so that none is helped by leaving out what it is bad at. The figure is the geometric
//! mean of the ratios to the best of each common row: 1 is first everywhere. Beside it, over all rows that both
//! have, how many times slower each backend is than ours; and ours over all its rows, whoever else is in them.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use wyn_bench::record::Record;

use super::column::Role;
use super::noise::geometric_mean;
use super::record_file;
use super::rows::{Row, rows};
use super::table::{FLOOR, OURS, factor};

/// As good as first.
const LEVEL: f64 = 1.05;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The records to rank, each by itself; all in wyn-bench/records if none is named
    #[arg(value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Cold runs, worst cases and memory are rows too
    #[arg(long)]
    all: bool,
}

/// A record's backends in the order of their means.
pub(crate) struct Ranking {
    pub(crate) common: Vec<String>,
    /// Rows in which somebody is missing.
    pub(crate) left_out: Vec<String>,
    pub(crate) ranks: Vec<Rank>,
    /// Backends that miss more than half of the rows.
    pub(crate) absent: Vec<String>,
    /// Ours over all its rows with anybody beside it, and how many they are.
    pub(crate) own: Option<(Rank, usize)>,
    /// Over all rows that both have: how many there are, and how many times slower than ours.
    pub(crate) pairs: Vec<(String, usize, f64)>,
}

pub(crate) struct Rank {
    pub(crate) backend: String,
    /// Geometric mean of the ratios to the best of each common row.
    pub(crate) mean: f64,
    pub(crate) first: usize,
    /// First, or within 5 % of it.
    pub(crate) level: usize,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let files = if args.files.is_empty() { record_file::published()? } else { args.files.clone() };
    for file in &files {
        let Some(record) = record_file::read_if_known(file)? else {
            say!("{}: no record of a bench run\n", file.display());
            continue;
        };
        say!("{}: {}, {}, {}", file.display(), record.group, record.mode, record.allocator);
        say!("{}", shown(&ranking(&record, args.all)));
    }
    Ok(())
}

pub(crate) fn ranking(record: &Record, all: bool) -> Ranking {
    let roles: &[Role] = if all { &[Role::Main, Role::Side] } else { &[Role::Main] };
    let rows = rows(record, roles);
    let mut backends: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.figures) {
        if *name != FLOOR && !backends.contains(name) {
            backends.push(name);
        }
    }
    let measured = |backend: &str| rows.iter().filter(|row| row.figure(backend).is_some()).count();
    let (taking, absent): (Vec<&str>, Vec<&str>) =
        backends.iter().partition(|backend| measured(backend) * 2 >= rows.len());
    let (common, others): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| taking.iter().all(|backend| row.figure(backend).is_some()));
    let mut ranks: Vec<Rank> = taking.iter().filter_map(|backend| rank(backend, &taking, &common)).collect();
    ranks.sort_by(|a, b| a.mean.total_cmp(&b.mean));
    let pairs =
        backends.iter().filter(|backend| **backend != OURS).filter_map(|backend| pair(backend, &rows));
    Ranking {
        common: common.iter().map(|row| row.name()).collect(),
        left_out: others.iter().map(|row| row.name()).collect(),
        ranks,
        absent: absent
            .iter()
            .map(|name| format!("{name} (in {} of {} rows)", measured(name), rows.len()))
            .collect(),
        own: own(&rows),
        pairs: pairs.collect(),
    }
}

/// Ours over all its rows: the best may be a backend that is in few of them.
fn own(rows: &[Row<'_>]) -> Option<(Rank, usize)> {
    let leads = rows.iter().filter_map(|row| Some(row.lead(OURS)?.1.value));
    let ratios: Vec<f64> = leads.map(|lead| (1.0 / lead).max(1.0)).collect();
    let rows = ratios.len();
    Some((rank_of(OURS, ratios)?, rows))
}

fn rank(backend: &str, taking: &[&str], common: &[&Row<'_>]) -> Option<Rank> {
    let mut ratios = Vec::new();
    for row in common {
        let (_, best) = row.best(|name| taking.contains(&name))?;
        let own = row.figure(backend)?;
        if best.median > 0.0 {
            ratios.push(own.median / best.median);
        }
    }
    rank_of(backend, ratios)
}

fn rank_of(backend: &str, ratios: Vec<f64>) -> Option<Rank> {
    let count = |limit: f64| ratios.iter().filter(|ratio| **ratio <= limit).count();
    let (first, level) = (count(1.0), count(LEVEL));
    Some(Rank { backend: backend.to_owned(), mean: geometric_mean(ratios)?, first, level })
}

/// How many times slower than ours, over the rows that both have.
fn pair(backend: &str, rows: &[Row<'_>]) -> Option<(String, usize, f64)> {
    let both = rows.iter().filter_map(|row| Some(row.figure(backend)?.median / row.figure(OURS)?.median));
    let ratios: Vec<f64> = both.filter(|ratio| ratio.is_finite() && *ratio > 0.0).collect();
    Some((backend.to_owned(), ratios.len(), geometric_mean(ratios)?))
}

/// What the columns of [`lines`] are.
pub(crate) const HEADER: [&str; 6] =
    ["backend", "to the best", "first", "within 5 %", "Wyn is ahead by", "rows of both"];

/// A line for each backend: those that are ranked, in their order, then the others.
pub(crate) fn lines(ranking: &Ranking) -> Vec<Vec<String>> {
    let line = |backend: &str, figures: [String; 3]| {
        let pair = ranking.pairs.iter().find(|(name, ..)| name == backend);
        let (lead, rows) =
            pair.map_or_else(Default::default, |(_, rows, lead)| (factor(*lead), rows.to_string()));
        [backend.to_owned()].into_iter().chain(figures).chain([lead, rows]).collect()
    };
    let ranked = ranking
        .ranks
        .iter()
        .map(|rank| line(&rank.backend, [factor(rank.mean), rank.first.to_string(), rank.level.to_string()]));
    let is_ranked = |name: &str| ranking.ranks.iter().any(|rank| rank.backend == name);
    let others = ranking.pairs.iter().filter(|(name, ..)| !is_ranked(name));
    ranked.chain(others.map(|(name, ..)| line(name, ["–"; 3].map(str::to_owned)))).collect()
}

fn shown(ranking: &Ranking) -> String {
    let mut text = crate::table::drawn(&HEADER, lines(ranking));
    if let Some((own, rows)) = &ranking.own {
        let Rank { mean, first, level, .. } = own;
        let _ = write!(text, "wyn over all its {rows} rows: {} to the best, first in {first}", factor(*mean));
        let _ = write!(text, ", within 5 % of first in {level}");
    }
    let _ = write!(
        text,
        "\n{} rows that all of these have: {}\n",
        ranking.common.len(),
        ranking.common.join("; ")
    );
    if !ranking.left_out.is_empty() {
        let _ = writeln!(text, "not common: {}", ranking.left_out.join("; "));
    }
    if !ranking.absent.is_empty() {
        let _ = writeln!(text, "in too few rows to take part: {}", ranking.absent.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::made_up::{entry, record};

    fn made() -> Ranking {
        let sizes = [10_000, 100_000, 1_000_000];
        let mut entries = Vec::new();
        for (index, n) in sizes.into_iter().enumerate() {
            entries.push(entry("wyn", n, [10.0, 10.0, 40.0][index]));
            entries.push(entry("rayon", n, [20.0, 10.3, 10.0][index]));
            entries.push(entry(FLOOR, n, 1.0));
        }
        entries.push(entry("threads", sizes[0], 5.0));
        ranking(&record(entries), false)
    }

    #[test]
    fn means_are_of_common_rows_only() {
        let ranking = made();
        assert_eq!(ranking.common.len(), 3);
        assert_eq!(ranking.absent, ["threads (in 1 of 3 rows)"]);
        let of = |name: &str| ranking.ranks.iter().find(|rank| rank.backend == name).unwrap();
        assert!((of("wyn").mean - 4.0_f64.cbrt()).abs() < 1e-9);
        assert!((of("rayon").mean - (2.0_f64 * 1.03).cbrt()).abs() < 1e-9);
        assert_eq!((of("wyn").first, of("wyn").level), (2, 2));
        assert_eq!((of("rayon").first, of("rayon").level), (1, 2));
        assert_eq!(ranking.ranks[0].backend, "rayon");
        let (own, rows) = ranking.own.unwrap();
        assert!((own.mean - 8.0_f64.cbrt()).abs() < 1e-9, "twice as slow as threads, four times as rayon");
        assert_eq!((rows, own.first), (3, 1));
    }

    #[test]
    fn pairs_are_of_all_rows_that_both_have() {
        let ranking = made();
        let threads = ranking.pairs.iter().find(|(name, ..)| name == "threads").unwrap();
        assert_eq!((threads.1, threads.2), (1, 0.5));
        assert!(shown(&ranking).contains("in too few rows to take part: threads"));
    }

    #[test]
    fn a_row_that_one_of_them_misses_is_named() {
        let mut entries =
            vec![entry("wyn", 10_000, 1.0), entry("wyn", 100_000, 1.0), entry("go", 10_000, 2.0)];
        let text = shown(&ranking(&record(entries.clone()), false));
        assert!(text.contains("not common: spawn_await 100K"), "{text}");
        entries.clear();
        assert!(ranking(&record(entries), false).ranks.is_empty());
    }
}
