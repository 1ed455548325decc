//! The workloads of one-shot results: who makes them, completes them and takes them, each source once.

use std::sync::mpsc::channel;

use super::race::{Pass, alone, body, measure, race, sum_below};
use crate::backend::Oneshot;
use crate::record::{Cell, Line};

/// Every workload's name, and what it measures. Figures are per result.
pub const WORKLOADS: [(&str, &str); 3] = [
    ("future_same", "one thread makes a result, completes it and takes it, over and over"),
    ("future_live", "one thread makes N results, completes all, takes all"),
    ("future_across", "one thread makes results and waits for each in turn, another completes them, by 1024"),
];

/// Results that are handed over together, so that the handing over costs little.
const BATCH: u64 = 1024;

/// Whether a workload belongs to this group.
pub fn has(workload: &str) -> bool {
    WORKLOADS.iter().any(|(name, _)| *name == workload)
}

/// Runs a cell on a backend.
pub fn oneshots<O: Oneshot>(cell: &Cell) -> Line {
    let n = cell.n;
    match cell.workload.as_str() {
        "future_same" => measure(n, sum_below(n), || alone(|| in_turn::<O>(n))),
        "future_live" => measure(n, sum_below(n), || alone(|| together::<O>(n))),
        "future_across" => measure(n, sum_below(n), || across::<O>(n)),
        other => Line::Unsupported(format!("no future workload is called {other}")),
    }
}

fn in_turn<O: Oneshot>(n: u64) -> u64 {
    (0..n).fold(0, |sum, i| {
        let (sender, receiver) = O::open();
        O::send(sender, i);
        sum + O::recv(receiver)
    })
}

fn together<O: Oneshot>(n: u64) -> u64 {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..n).map(|_| O::open()).unzip();
    senders.into_iter().zip(0..).for_each(|(sender, i)| O::send(sender, i));
    receivers.into_iter().fold(0, |sum, receiver| sum + O::recv(receiver))
}

fn across<O: Oneshot>(n: u64) -> Pass {
    let (hand_over, handed) = channel::<(u64, Vec<O::Sender>)>();
    let ask = body(move || {
        let (mut sum, mut next) = (0, 0);
        while next < n {
            let count = BATCH.min(n - next);
            let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| O::open()).unzip();
            hand_over.send((next, senders)).expect("the other thread runs");
            sum += receivers.into_iter().map(O::recv).sum::<u64>();
            next += count;
        }
        sum
    });
    let answer = body(move || {
        for (first, senders) in handed {
            senders.into_iter().zip(first..).for_each(|(sender, i)| O::send(sender, i));
        }
        0
    });
    race(vec![ask, answer])
}
