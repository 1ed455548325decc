//! The workloads of the parts (memory, deques, one-shot results): right answers pass on every backend compiled in,
//! and wrong ones are caught.

use std::cell::RefCell;
use std::collections::VecDeque;

use wyn_bench::backend::{Deque, Memory, Oneshot};
use wyn_bench::record::{Cell, Line};
use wyn_bench::workloads::{deque, future, pool};

/// Not a multiple of any batch.
const N: u64 = 3_001;

fn cell(workload: &str, n: u64) -> Cell {
    Cell { workload: workload.to_owned(), n, grain_ns: 0, workers: 2, capacity: None }
}

fn answers_right(backend: &str, workloads: &[(&str, &str)]) {
    for (workload, _) in workloads {
        for n in [0, 1, N] {
            match wyn_bench::backends::run(backend, &cell(workload, n)) {
                Some(Line::Figures(figures)) => assert!(
                    figures.values().all(|value| value.is_finite() && *value >= 0.0),
                    "{backend} {workload}: {figures:?}"
                ),
                other => panic!("{backend} {workload} {n}: {other:?}"),
            }
        }
    }
}

#[test]
fn std_answers_right() {
    answers_right("system", &pool::WORKLOADS);
    answers_right("std", &future::WORKLOADS);
}

#[test]
#[cfg(feature = "wyn")]
fn wyn_answers_right() {
    for backend in ["wyn", "wyn_box"] {
        answers_right(backend, &pool::WORKLOADS);
    }
    for backend in ["wyn_fences", "wyn_chase_lev"] {
        answers_right(backend, &deque::WORKLOADS);
    }
    for backend in ["wyn", "wyn_slab"] {
        answers_right(backend, &future::WORKLOADS);
    }
}

#[test]
#[cfg(all(feature = "wyn", target_os = "linux"))]
fn the_deque_of_the_scheduler_answers_right() {
    let first = wyn_bench::backends::run("wyn", &cell("deque_push_pop", 10));
    if !matches!(first, Some(Line::Unsupported(_))) {
        answers_right("wyn", &deque::WORKLOADS);
    }
}

#[test]
#[cfg(feature = "peer-crossbeam")]
fn crossbeam_answers_right() {
    answers_right("crossbeam", &deque::WORKLOADS);
}

#[test]
#[cfg(feature = "peer-oneshot")]
fn oneshot_answers_right() {
    answers_right("oneshot", &future::WORKLOADS);
}

#[test]
#[cfg(feature = "peer-mimalloc")]
fn mimalloc_answers_right() {
    answers_right("mimalloc", &pool::WORKLOADS);
}

/// Makes one of every zero.
#[derive(Clone)]
struct Forger;

impl Memory for Forger {
    type Cell = u64;

    fn take(&self, value: u64) -> u64 {
        value
    }

    fn give_back(&self, cell: u64) -> u64 {
        cell.max(1)
    }
}

/// Pops what was stolen once more.
struct Copier(RefCell<VecDeque<u64>>);

impl Deque for Copier {
    type Thief = ();

    fn open() -> Self {
        Copier(RefCell::default())
    }

    fn push(&self, item: u64) {
        self.0.borrow_mut().push_back(item);
    }

    fn pop(&self) -> Option<u64> {
        self.0.borrow_mut().pop_back()
    }

    fn thief(&self) {}

    fn steal((): &()) -> Option<u64> {
        Some(1)
    }

    fn steal_batch((): &(), _dest: &Self, _limit: usize) -> Option<u64> {
        Some(1)
    }
}

impl Oneshot for Forger {
    type Sender = std::sync::mpsc::Sender<u64>;
    type Receiver = std::sync::mpsc::Receiver<u64>;

    fn open() -> (Self::Sender, Self::Receiver) {
        std::sync::mpsc::channel()
    }

    fn send(sender: Self::Sender, msg: u64) {
        sender.send(msg.max(1)).expect("somebody takes it");
    }

    fn recv(receiver: Self::Receiver) -> u64 {
        receiver.recv().expect("somebody completes it")
    }
}

#[test]
fn wrong_answers_are_caught() {
    let wrong = |line: Line, name: &str| assert!(matches!(line, Line::Wrong(_)), "{name}: {line:?}");
    for (workload, _) in pool::WORKLOADS {
        wrong(pool::memory(&Forger, &cell(workload, N)), workload);
    }
    wrong(deque::deque::<Copier>(&cell("deque_both", N)), "deque_both");
    for (workload, _) in future::WORKLOADS {
        wrong(future::oneshots::<Forger>(&cell(workload, N)), workload);
    }
}

#[test]
#[should_panic(expected = "somebody took more than there was")]
fn what_is_left_in_a_robbed_deque_is_caught() {
    deque::deque::<Copier>(&cell("deque_steal", N));
}

#[test]
fn unknown_names_are_refused() {
    for workload in ["pool_pair", "deque_both", "future_same"] {
        assert!(wyn_bench::backends::run("nonsense", &cell(workload, 1)).is_none());
    }
}
