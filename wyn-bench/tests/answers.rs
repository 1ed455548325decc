//! The harness checks answers: right ones pass on every backend compiled in, wrong ones are caught.

use wyn_bench::backend::{Backend, Blocking};
use wyn_bench::record::{Cell, Figures, Line};
use wyn_bench::workloads::{self, WORKLOADS};

fn cell(workload: &str) -> Cell {
    let n = if workload == "wake" { 3 } else { 2000 };
    Cell { workload: workload.to_owned(), n, grain_ns: 50, workers: 2, capacity: None }
}

/// Every workload but the slow one, which watches an idle pool for seconds.
fn measured() -> impl Iterator<Item = &'static str> {
    WORKLOADS.iter().map(|(name, _)| *name).filter(|name| *name != "idle")
}

fn figures(backend: &str, workload: &str) -> Option<Figures> {
    match wyn_bench::backends::run(backend, &cell(workload)) {
        Some(Line::Figures(figures)) => Some(figures),
        Some(Line::Unsupported(_)) => None,
        other => panic!("{backend} {workload}: {other:?}"),
    }
}

#[test]
fn plain_calls_answer_right() {
    let supported = measured().filter(|workload| figures("serial", workload).is_some()).count();
    assert!(supported >= 7, "only {supported} workloads");
}

#[test]
#[cfg(feature = "wyn")]
fn wyn_answers_right_in_every_workload() {
    for workload in measured().filter(|workload| *workload != "round_trip") {
        let figures = figures("wyn", workload).unwrap_or_else(|| panic!("wyn has no {workload}"));
        assert!(figures.values().all(|value| value.is_finite() && *value >= 0.0), "{workload}: {figures:?}");
    }
}

#[test]
#[cfg(feature = "wyn")]
fn wyn_answers_right_with_futures() {
    let supported = measured().filter(|workload| figures("wyn_async", workload).is_some()).count();
    assert!(supported >= 7, "only {supported} workloads");
}

#[test]
fn an_unknown_backend_is_none() {
    assert!(wyn_bench::backends::run("nonsense", &cell("seq")).is_none());
}

/// Runs each task at once, and is wrong by one in every thousandth value.
#[derive(Clone, Copy)]
struct Liar;

impl Backend for Liar {
    fn start(_workers: usize) -> Liar {
        Liar
    }

    fn detach(self, f: impl FnOnce() + Send + 'static) {
        f();
    }
}

static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

impl Blocking for Liar {
    type Handle<T: Send + 'static> = T;

    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        let value: Box<dyn std::any::Any> = Box::new(f());
        let calls = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match value.downcast::<u64>() {
            Ok(number) => {
                let lie = if calls % 1000 == 999 { *number + 1 } else { *number };
                let lie: Box<dyn std::any::Any> = Box::new(lie);
                *lie.downcast::<T>().expect("T is u64")
            }
            Err(other) => *other.downcast::<T>().expect("it is a T"),
        }
    }

    fn join<T: Send + 'static>(self, handle: T) -> T {
        handle
    }

    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        f()
    }
}

#[test]
fn a_wrong_answer_is_caught() {
    for workload in ["spawn_await", "spawn_await_in", "seq", "seq_in", "batch8", "nested", "tree", "grain"] {
        let line = workloads::blocking::<Liar>(&cell(workload));
        assert!(matches!(line, Line::Wrong(_)), "{workload}: {line:?}");
    }
}
