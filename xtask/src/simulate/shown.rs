//! A simulation's record as tables: for the terminal, and as Markdown for BENCHMARKS.md.

use std::fmt::Write as _;

use wyn_bench::simulate::record::{Check, Curve, Record};

use crate::bench::record_file::origin;
use crate::table;

/// What stands above every table.
const LABEL: &str = "Predicted by simulation, not measured: nobody has checked it beyond two processors.";
/// The processors that BENCHMARKS.md has room for.
const SHOWN_CORES: [usize; 6] = [2, 8, 16, 64, 128, 256];
/// Grains that BENCHMARKS.md shows: one that is too small, and three that runtimes are used for.
const SHOWN_GRAINS: [u64; 3] = [100, 1000, 10_000];
/// Beyond this, a prediction is called wrong.
const TOLERATED: f64 = 0.25;

pub(crate) fn terminal(record: &Record) -> String {
    let checks = record.validation.iter().map(check_row);
    let header = ["workload", "grain", "processors", "measured ms", "predicted ms", "ratio", "note"];
    let mut text = format!("\nThe model beside this machine\n{}", table::drawn(&header, checks));
    let _ = writeln!(text, "{}", error(record));
    let _ = writeln!(text, "\n{LABEL}\nSpeed-up over the work alone, by processors");
    let cores: Vec<usize> = record
        .curves
        .iter()
        .max_by_key(|curve| curve.points.len())
        .map_or_else(Vec::new, |curve| curve.points.iter().map(|point| point.cores).collect());
    let names: Vec<String> = cores.iter().map(usize::to_string).collect();
    let mut header = vec!["policy", "workload", "grain"];
    header.extend(names.iter().map(String::as_str));
    header.push("half is lost");
    let rows = record.curves.iter().map(|curve| {
        let mut row = vec![policy(curve), curve.workload.clone(), grain(curve.grain_ns)];
        row.extend(cores.iter().map(|cores| speedup(curve, *cores)));
        row.push(knee(curve));
        row
    });
    text + &table::with_words(&header, 3, rows)
}

fn check_row(check: &Check) -> Vec<String> {
    vec![
        check.workload.clone(),
        grain(check.grain_ns),
        check.cores.to_string(),
        format!("{:.2} ±{:.2}", check.measured_ns / 1e6, check.mad / 1e6),
        format!("{:.2}", check.predicted_ns / 1e6),
        format!("{:.2}", check.ratio),
        check.note.clone(),
    ]
}

/// The part of BENCHMARKS.md.
pub(super) fn markdown(record: &Record) -> String {
    let host = &record.host;
    let mut text = format!(
        "**{LABEL}**\n\n- {}, {}\n- {}\n",
        origin(&format!("`{}`", record.command), host),
        host.kernel,
        error(record)
    );
    let price = |name: &str| record.costs.get(name).map_or(0.0, |cost| cost.ns);
    let _ = writeln!(
        text,
        "- fed with, among others: cache line {:.0} ns, heavy barrier {:.1} µs and {:.1} µs for each thread it \
         interrupts, wake-up {:.0} µs after a call of {:.1} µs\n",
        price("line"),
        price("barrier") / 1e3,
        price("interrupt") / 1e3,
        price("wake_latency") / 1e3,
        price("wake_call") / 1e3,
    );
    let columns = SHOWN_CORES.map(|cores| format!(" {cores} |")).concat();
    let _ = writeln!(text, "| speed-up | policy |{columns} half is lost |");
    let _ = writeln!(text, "|---|---|{}---|", "---:|".repeat(SHOWN_CORES.len()));
    let shown = record.curves.iter().filter(|curve| SHOWN_GRAINS.contains(&curve.grain_ns));
    for curve in shown {
        let cells = SHOWN_CORES.map(|cores| format!(" {} |", speedup(curve, cores))).concat();
        let what = format!("{}, {} x {}", curve.workload, curve.n, grain(curve.grain_ns));
        let _ = writeln!(text, "| {what} | {} |{cells} {} |", policy(curve), knee(curve));
    }
    let _ = writeln!(text, "\nThe model leaves out:\n");
    for omission in &record.omissions {
        let _ = writeln!(text, "- {omission}");
    }
    text
}

/// How well the model repeats what was measured, in words.
fn error(record: &Record) -> String {
    let all = record.validation.len();
    let off = |check: &&Check| (check.ratio - 1.0).abs() > TOLERATED;
    let wrong: Vec<String> = record
        .validation
        .iter()
        .filter(off)
        .map(|check| {
            let what = format!("{} of {}", check.workload, grain(check.grain_ns));
            format!("{what} on {}: {:.2}", check.cores, check.ratio)
        })
        .collect();
    let mut errors: Vec<f64> = record.validation.iter().map(|check| (check.ratio - 1.0).abs()).collect();
    let median = wyn_bench::meter::median(&mut errors) * 100.0;
    let mut text = format!(
        "validated against {all} measurements on 1 and 2 processors: median error {median:.0} %, \
         {} within {:.0} %",
        all - wrong.len(),
        TOLERATED * 100.0
    );
    if !wrong.is_empty() {
        let _ = write!(text, "; predicted to measured of the others: {}", wrong.join(", "));
    }
    text
}

fn policy(curve: &Curve) -> String {
    match curve.sockets {
        1 => curve.policy.clone(),
        sockets => format!("{}, {sockets} sockets", curve.policy),
    }
}

fn speedup(curve: &Curve, cores: usize) -> String {
    let point = curve.points.iter().find(|point| point.cores == cores);
    point.map_or_else(|| "-".to_owned(), |point| format!("{:.1}", point.speedup))
}

fn knee(curve: &Curve) -> String {
    curve.knee.as_ref().map_or_else(String::new, |knee| {
        format!("at {}: {} {:.0} %", knee.cores, knee.cause, knee.share * 100.0)
    })
}

fn grain(ns: u64) -> String {
    if ns >= 1000 && ns.is_multiple_of(1000) { format!("{} µs", ns / 1000) } else { format!("{ns} ns") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use wyn_bench::record::Host;
    use wyn_bench::simulate::record::{KIND, Knee, Point, SCHEMA};

    use super::*;

    fn check(ratio: f64) -> Check {
        Check {
            workload: "fib".to_owned(),
            n: 10,
            grain_ns: 1000,
            cores: 2,
            serial_ns: 10.0,
            measured_ns: 1.0,
            mad: 0.0,
            predicted_ns: ratio,
            ratio,
            note: String::new(),
        }
    }

    fn record() -> Record {
        let point = Point { cores: 64, ns: 1.0, speedup: 12.5, lost: BTreeMap::new() };
        let curve = Curve {
            policy: "wyn".to_owned(),
            workload: "fib".to_owned(),
            n: 10,
            grain_ns: 1000,
            sockets: 2,
            work_ns: 1.0,
            points: vec![point],
            knee: Some(Knee { cores: 64, cause: "locks".to_owned(), share: 0.5 }),
        };
        Record {
            schema: SCHEMA,
            kind: KIND.to_owned(),
            command: "c".to_owned(),
            started: 0,
            host: Host::default(),
            costs: BTreeMap::new(),
            omissions: vec!["memory".to_owned()],
            validation: vec![check(1.1), check(0.5)],
            curves: vec![curve],
        }
    }

    #[test]
    fn a_prediction_says_that_it_is_one_and_how_far_off_it_is() {
        for text in [terminal(&record()), markdown(&record())] {
            assert!(text.contains("not measured") && text.contains("1 within 25 %"), "{text}");
            assert!(text.contains("fib of 1 µs on 2: 0.50") && text.contains("at 64: locks 50 %"), "{text}");
        }
    }

    #[test]
    fn a_row_has_a_cell_for_each_number_of_processors() {
        let text = markdown(&record());
        assert!(text.contains("| fib, 10 x 1 µs | wyn, 2 sockets | - | - | - | 12.5 | - | - |"), "{text}");
    }
}
