//! The channel workloads: right answers pass on every backend compiled in, wrong ones are caught, and cells
//! that make no sense are refused.

use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use wyn_bench::backend::{Backend, Blocking, Channel, ManySenders, ReceiveAny};
use wyn_bench::record::{Capacity, Cell, Figures, Line};
use wyn_bench::workloads::channels::{self, WORKLOADS};

const CAPACITIES: [Capacity; 4] =
    [Capacity::Bounded(0), Capacity::Bounded(1), Capacity::Bounded(2000), Capacity::Unbounded];

/// Workloads between tasks.
const TASKS: [&str; 3] = ["task_ping_pong", "task_fan_in", "task_pipeline"];

/// A tiny size of each workload.
fn cell(workload: &str, capacity: Capacity) -> Cell {
    let grain_ns = if workload == "blocked" { 10_000_000 } else { 0 };
    let n = if ["fan_in", "task_fan_in", "task_pipeline"].contains(&workload) { 2000 } else { 200 };
    Cell { workload: workload.to_owned(), n, grain_ns, workers: 2, capacity: Some(capacity) }
}

fn figures(backend: &str, cell: &Cell) -> Option<Figures> {
    match wyn_bench::backends::run(backend, cell) {
        Some(Line::Figures(figures)) => Some(figures),
        Some(Line::Unsupported(_)) => None,
        other => panic!("{backend} {} {:?}: {other:?}", cell.workload, cell.capacity),
    }
}

/// Every workload and capacity that the backend has; the names of the workloads it has.
fn answers_right(backend: &str) -> Vec<&'static str> {
    let mut has = Vec::new();
    for (workload, _) in WORKLOADS {
        for capacity in CAPACITIES {
            if workload == "task_pipeline" && capacity > Capacity::Bounded(1) {
                // A thousand tasks that block, again and again: two capacities will do.
                continue;
            }
            let Some(figures) = figures(backend, &cell(workload, capacity)) else { continue };
            assert!(
                figures.values().all(|value| value.is_finite() && *value >= 0.0),
                "{workload}: {figures:?}"
            );
            has.push(workload);
        }
    }
    has.dedup();
    has
}

#[test]
fn std_answers_right() {
    let has = answers_right("std");
    let lacks = ["mpmc", "select_rx", "select_both", "crowd", "async_spsc", "async_ping_pong"];
    assert!(lacks.iter().chain(&TASKS).all(|workload| !has.contains(workload)));
    assert_eq!(has.len() + lacks.len() + TASKS.len(), WORKLOADS.len());
}

#[test]
#[cfg(feature = "wyn")]
fn wyn_answers_right_in_every_workload() {
    assert_eq!(answers_right("wyn"), WORKLOADS.map(|(name, _)| name));
}

#[test]
#[cfg(feature = "peer-crossbeam")]
fn crossbeam_answers_right() {
    assert_eq!(answers_right("crossbeam").len(), WORKLOADS.len() - 2 - TASKS.len());
}

#[test]
#[cfg(feature = "peer-crossfire")]
fn crossfire_answers_right() {
    assert_eq!(answers_right("crossfire").len(), WORKLOADS.len() - 1);
}

#[test]
#[cfg(feature = "peer-kanal")]
fn kanal_answers_right() {
    assert_eq!(answers_right("kanal").len(), WORKLOADS.len() - 2);
}

#[test]
#[cfg(feature = "peer-flume")]
fn flume_answers_right() {
    assert_eq!(answers_right("flume").len(), WORKLOADS.len() - 1);
}

#[test]
#[cfg(feature = "peer-async-channel")]
fn async_channel_answers_right() {
    assert_eq!(answers_right("async_channel").len(), WORKLOADS.len() - 2);
}

#[test]
#[cfg(feature = "peer-tokio")]
fn tokio_answers_right() {
    assert_eq!(answers_right("tokio").len(), WORKLOADS.len() - 4);
}

#[test]
#[cfg(feature = "peer-thingbuf")]
fn thingbuf_answers_right() {
    assert_eq!(answers_right("thingbuf").len(), WORKLOADS.len() - 4);
}

#[test]
#[cfg(feature = "wyn")]
fn wyn_between_tasks_that_await_answers_right() {
    assert_eq!(answers_right("wyn_async"), TASKS);
}

#[test]
#[cfg(feature = "wyn-tokio")]
fn wyn_between_tasks_of_tokio_answers_right() {
    assert_eq!(answers_right("wyn_tokio"), TASKS);
}

#[test]
fn cells_that_make_no_sense_are_refused() {
    let right = cell("spsc", Capacity::Bounded(1));
    let wrong = [
        Cell { capacity: None, ..right.clone() },
        Cell { workers: 0, ..cell("mpsc", Capacity::Unbounded) },
        // More than fits.
        Cell { n: 200, ..cell("one_thread", Capacity::Bounded(199)) },
    ];
    assert!(figures("std", &right).is_some());
    for cell in wrong {
        assert_eq!(figures("std", &cell), None, "{cell:?}");
    }
}

#[test]
fn nothing_at_all_is_an_answer_too() {
    for workload in ["one_thread", "spsc", "mpsc", "fan_in", "oneshot", "oneshot_across", "ping_pong"] {
        let cell = Cell { n: 0, ..cell(workload, Capacity::Bounded(1)) };
        assert!(figures("std", &cell).is_some(), "{workload}");
    }
}

#[test]
fn what_does_not_divide_is_left_out() {
    let cell = Cell { n: 7, workers: 3, ..cell("mpsc", Capacity::Bounded(1)) };
    assert!(figures("std", &cell).is_some());
}

#[test]
fn an_unknown_backend_is_none() {
    for backend in ["nonsense", "serial"] {
        assert!(wyn_bench::backends::run(backend, &cell("spsc", Capacity::Unbounded)).is_none());
    }
}

/// Hands over every message but 0, of which it makes 1.
struct Forger;

impl Channel for Forger {
    type Sender = SyncSender<u64>;
    type Receiver = Receiver<u64>;

    fn open(_capacity: Capacity) -> (SyncSender<u64>, Receiver<u64>) {
        sync_channel(1000)
    }

    fn send(sender: &SyncSender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends").max(1)
    }
}

impl ManySenders for Forger {
    fn another_sender(sender: &SyncSender<u64>) -> SyncSender<u64> {
        sender.clone()
    }
}

impl ReceiveAny for Forger {
    fn sum_of_any(receivers: &mut [Receiver<u64>], count: u64) -> u64 {
        let share: Range<u64> = 0..count / receivers.len() as u64;
        receivers.iter_mut().map(|receiver| share.clone().map(|_| Forger::recv(receiver)).sum::<u64>()).sum()
    }
}

/// A runtime of a thread per task.
#[derive(Clone, Copy)]
struct Threads;

impl Backend for Threads {
    fn start(_workers: usize) -> Threads {
        Threads
    }

    fn detach(self, f: impl FnOnce() + Send + 'static) {
        drop(std::thread::spawn(f));
    }
}

impl Blocking for Threads {
    type Handle<T: Send + 'static> = std::thread::JoinHandle<T>;

    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Self::Handle<T> {
        std::thread::spawn(f)
    }

    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> T {
        handle.join().expect("the task panicked")
    }

    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        f()
    }
}

#[test]
fn a_wrong_answer_is_caught() {
    let wrong = |line: Line, name: &str| assert!(matches!(line, Line::Wrong(_)), "{name}: {line:?}");
    for workload in TASKS {
        let capacity = Capacity::Unbounded;
        let line = channels::blocking_tasks::<Threads, Forger>(&cell(workload, capacity), capacity);
        wrong(line, workload);
    }
    for workload in ["one_thread", "spsc", "mpsc", "ping_pong", "fan_in"] {
        let capacity = Capacity::Unbounded;
        wrong(channels::many_to_one::<Forger>(&cell(workload, capacity), capacity), workload);
    }
    let capacity = Capacity::Unbounded;
    wrong(channels::receive_any::<Forger>(&cell("select_rx", capacity), capacity), "select_rx");
    wrong(channels::oneshots::<channels::OneMessage<Forger>>(&cell("oneshot", capacity)), "oneshot");
    let full = Capacity::Bounded(3);
    wrong(channels::many_to_one::<Forger>(&cell("blocked", full), full), "blocked");
}

/// The probe with these words: its exit code and what it printed.
fn probe(words: &str) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_probe"));
    let output = command.args(words.split_whitespace()).output().expect("the probe starts");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_probe_takes_a_capacity() {
    let spsc = "--backend std --workload spsc --n 100";
    for capacity in ["0", "100", "unbounded"] {
        let (code, line) = probe(&format!("{spsc} --capacity {capacity}"));
        assert!(code == Some(0) && line.starts_with(r#"{"figures":"#), "{capacity}: {code:?} {line}");
    }
    for capacity in ["-1", "many", "1.5"] {
        assert_eq!(probe(&format!("{spsc} --capacity {capacity}")), (Some(2), String::new()), "{capacity}");
    }
    let (code, line) = probe(spsc);
    assert!(code == Some(0) && line.starts_with(r#"{"unsupported":"#), "{code:?} {line}");
}
