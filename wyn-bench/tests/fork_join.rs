//! The fork-join workloads: right answers pass on every backend compiled in, wrong ones are caught, and sizes
//! that make no sense are refused.

use wyn_bench::backend::ForkJoin;
use wyn_bench::record::{Cell, Figures, Line};
use wyn_bench::workloads::fork_join::{self, WORKLOADS};

/// A tiny size of each workload.
fn cell(workload: &str) -> Cell {
    let (n, grain_ns) = match workload {
        "fib" | "fib_once" => (12, 0),
        "nqueens" => (6, 0),
        "matmul" => (128, 0),
        "uts_geo" => (3, 0),
        "uts_bin" => (10, 0),
        "par_for" | "par_for_in" => (5, 2_000),
        "isolated_join" => (50, 20),
        "long_leaf" => (2, 0),
        _ => (2000, 0),
    };
    Cell { workload: workload.to_owned(), n, grain_ns, workers: 2, capacity: None }
}

fn figures(backend: &str, cell: &Cell) -> Option<Figures> {
    match wyn_bench::backends::run(backend, cell) {
        Some(Line::Figures(figures)) => Some(figures),
        Some(Line::Unsupported(_)) => None,
        other => panic!("{backend} {}: {other:?}", cell.workload),
    }
}

fn sane(figures: &Figures, workload: &str) {
    assert!(figures.values().all(|value| value.is_finite() && *value >= 0.0), "{workload}: {figures:?}");
    assert!(figures.contains_key("peak_kib"), "{workload}");
}

#[test]
fn plain_calls_answer_right() {
    for (workload, _) in WORKLOADS {
        match figures("serial", &cell(workload)) {
            Some(figures) => sane(&figures, workload),
            None => assert_eq!(workload, "long_leaf"),
        }
    }
}

#[test]
#[cfg(feature = "wyn")]
fn wyn_answers_right_in_every_workload() {
    for (workload, _) in WORKLOADS {
        let figures = figures("wyn", &cell(workload)).unwrap_or_else(|| panic!("wyn has no {workload}"));
        sane(&figures, workload);
    }
}

#[test]
#[cfg(feature = "peer-rayon")]
fn rayon_answers_right_in_every_workload() {
    for (workload, _) in WORKLOADS {
        let figures = figures("rayon", &cell(workload)).unwrap_or_else(|| panic!("rayon has no {workload}"));
        sane(&figures, workload);
    }
}

#[test]
fn a_long_join_is_measured_apart() {
    let long = Cell { grain_ns: 20_000, n: 5, ..cell("isolated_join") };
    let figures = figures("serial", &long).expect("plain calls join");
    assert!(figures.contains_key("hot_ns") && !figures.contains_key("switches_per_ms"));
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    for (workload, n) in [("nqueens", 0), ("nqueens", 17), ("matmul", 100), ("matmul", 32)] {
        let cell = Cell { n, ..cell(workload) };
        assert_eq!(figures("serial", &cell), None, "{workload} {n}");
    }
    assert_eq!(figures("serial", &Cell { workers: 0, ..cell("fib") }), None);
}

#[test]
fn nothing_at_all_is_an_answer_too() {
    for workload in ["fib", "skynet", "uts_bin", "quicksort", "mergesort", "lopsided", "children"] {
        let cell = Cell { n: 0, ..cell(workload) };
        assert!(figures("serial", &cell).is_some(), "{workload}");
    }
}

#[test]
fn an_unknown_backend_is_none() {
    assert!(wyn_bench::backends::run("nonsense", &cell("fib")).is_none());
    // Tasks without fork and join belong to the other group.
    assert!(wyn_bench::backends::run("threads", &cell("fib")).is_none());
}

/// Runs both branches at once, and forgets the first of many children.
#[derive(Clone, Copy)]
struct Forgetful;

impl ForkJoin for Forgetful {
    type Context<'c> = ();

    const SCOPE: bool = true;

    fn start(_workers: usize) -> Forgetful {
        Forgetful
    }

    fn install<R: Send>(self, f: impl FnOnce(&mut ()) -> R + Send) -> R {
        f(&mut ())
    }

    fn enter<R>(self, f: impl FnOnce(&mut ()) -> R) -> R {
        f(&mut ())
    }

    fn join<A, B, RA, RB>(context: &mut (), a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&mut ()) -> RA + Send,
        B: FnOnce(&mut ()) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        (a(context), b(context))
    }

    fn fan_out<F>(context: &mut (), children: std::ops::Range<usize>, child: &F) -> u64
    where
        F: Fn(&mut (), usize) -> u64 + Sync,
    {
        children.skip(1).map(|i| child(context, i)).sum()
    }

    fn par_for<F>(_context: &mut (), range: std::ops::Range<usize>, _grain: usize, f: &F)
    where
        F: Fn(std::ops::Range<usize>) + Sync,
    {
        f(range.start..range.end - 1);
    }

    fn scope<F>(_context: &mut (), slots: &mut [u64], child: &F, body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync,
    {
        for (i, slot) in slots.iter_mut().enumerate().skip(1) {
            *slot = child(i);
        }
        body();
    }
}

#[test]
fn a_wrong_answer_is_caught() {
    for workload in ["skynet", "nqueens", "uts_geo", "par_for", "par_for_in", "children"] {
        let line = fork_join::measure::<Forgetful>(&cell(workload));
        assert!(matches!(line, Line::Wrong(_)), "{workload}: {line:?}");
    }
}

/// The probe with these words: its exit code and what it printed.
fn probe(words: &str) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_probe"));
    let output = command.args(words.split_whitespace()).output().expect("the probe starts");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_probe_refuses_bad_input() {
    for words in [
        "",
        "--backend serial",
        "--backend serial --workload fib --n many",
        "--n",
        "--backend serial --workload fib --n 5 --workers 0",
        "--backend serial --workload fib --tasks 5",
    ] {
        assert_eq!(probe(words), (Some(2), String::new()), "{words}");
    }
    for words in [
        "--backend serial --workload nonsense",
        "--backend nonsense --workload fib --n 5",
        "--backend serial --workload matmul --n 100",
    ] {
        let (code, line) = probe(words);
        assert!(code == Some(0) && line.starts_with(r#"{"unsupported":"#), "{words}: {code:?} {line}");
    }
}

#[test]
fn the_probe_prints_one_line() {
    let (code, line) = probe("--backend serial --workload skynet --n 1000 --workers 1");
    assert_eq!((code, line.lines().count()), (Some(0), 1));
    assert!(matches!(serde_json::from_str(&line), Ok(Line::Figures(_))), "{line}");
}
