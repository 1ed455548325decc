//! The deque workloads: an owner and at most one thief, each source once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::race::{Pass, alone, body, measure, race, sum_below};
use crate::backend::Deque;
use crate::record::{Cell, Line};

/// Every workload's name, and what it measures. Figures are per item.
pub const WORKLOADS: [(&str, &str); 5] = [
    ("deque_push_pop", "the owner pushes one item and pops it, over and over"),
    ("deque_burst", "the owner pushes 256 items, then pops them"),
    ("deque_steal", "another thread steals N items one by one, the owner at rest"),
    ("deque_steal_batch", "another thread moves them to its own deque by 128, and pops them there"),
    ("deque_both", "the owner pushes and pops by 256 while another thread steals what it can"),
];

/// Items that are pushed before any is popped.
const BURST: u64 = 256;
/// Items that a thief takes at once.
const BATCH: usize = 128;

/// Whether a workload belongs to this group.
pub fn has(workload: &str) -> bool {
    WORKLOADS.iter().any(|(name, _)| *name == workload)
}

/// Runs a cell on a backend.
pub fn deque<D: Deque>(cell: &Cell) -> Line {
    let n = cell.n;
    match cell.workload.as_str() {
        "deque_push_pop" => {
            let deque = D::open();
            measure(n, sum_below(n), || alone(|| push_pop(&deque, n)))
        }
        "deque_burst" => {
            let deque = D::open();
            measure(n, sum_below(n), || alone(|| bursts(&deque, n)))
        }
        "deque_steal" => measure(n, sum_below(n), || robbed::<D>(n, steal_all::<D>)),
        "deque_steal_batch" => measure(n, sum_below(n), || robbed::<D>(n, steal_batches::<D>)),
        "deque_both" => measure(n, sum_below(n), || both::<D>(n)),
        other => Line::Unsupported(format!("no deque workload is called {other}")),
    }
}

fn push_pop<D: Deque>(deque: &D, n: u64) -> u64 {
    (0..n).fold(0, |sum, i| {
        deque.push(i);
        sum + deque.pop().unwrap_or(0)
    })
}

fn bursts<D: Deque>(deque: &D, n: u64) -> u64 {
    let mut sum = 0;
    for first in (0..n).step_by(usize::try_from(BURST).expect("a small number")) {
        (first..n.min(first + BURST)).for_each(|i| deque.push(i));
        while let Some(item) = deque.pop() {
            sum += item;
        }
    }
    sum
}

/// A full deque, and the thread that empties it.
fn robbed<D: Deque>(n: u64, rob: fn(&D::Thief, u64) -> u64) -> Pass {
    let deque = D::open();
    (0..n).for_each(|i| deque.push(i));
    let thief = deque.thief();
    let pass = race(vec![body(move || rob(&thief, n))]);
    assert_eq!(deque.pop(), None, "somebody took more than there was");
    pass
}

fn steal_all<D: Deque>(thief: &D::Thief, n: u64) -> u64 {
    let (mut sum, mut taken) = (0, 0);
    while taken < n {
        if let Some(item) = D::steal(thief) {
            sum += item;
            taken += 1;
        }
    }
    sum
}

fn steal_batches<D: Deque>(thief: &D::Thief, n: u64) -> u64 {
    let own = D::open();
    let (mut sum, mut taken) = (0, 0);
    while taken < n {
        let Some(first) = D::steal_batch(thief, &own, BATCH) else { continue };
        sum += first;
        taken += 1;
        while let Some(item) = own.pop() {
            sum += item;
            taken += 1;
        }
    }
    sum
}

fn both<D: Deque>(n: u64) -> Pass {
    let deque = D::open();
    let (thief, over) = (deque.thief(), Arc::new(AtomicBool::new(false)));
    let done = over.clone();
    let own = body(move || {
        let sum = bursts(&deque, n);
        done.store(true, Ordering::SeqCst);
        sum
    });
    let steal = body(move || {
        let mut sum = 0;
        while !over.load(Ordering::SeqCst) {
            sum += D::steal(&thief).unwrap_or(0);
        }
        sum
    });
    race(vec![own, steal])
}
