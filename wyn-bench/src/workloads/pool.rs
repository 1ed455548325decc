//! The pool workloads: memory for values of four words, each source once.

use super::race::{alone, body, measure, race, sum_below};
use crate::backend::Memory;
use crate::record::{Cell, Line};
use std::sync::mpsc::sync_channel;

/// Every workload's name, and what it measures. Figures are per cell, taken and given back.
pub const WORKLOADS: [(&str, &str); 3] = [
    ("pool_pair", "one cell taken and given back, over and over"),
    ("pool_burst", "N cells taken, then all given back, oldest first"),
    ("pool_across", "one thread takes, another gives back, in parcels of 1024"),
];

/// Cells on their way to the thread that gives them back, and how many parcels may be under way.
const PARCEL: u64 = 1024;
const UNDER_WAY: usize = 4;

/// Whether a workload belongs to this group.
pub fn has(workload: &str) -> bool {
    WORKLOADS.iter().any(|(name, _)| *name == workload)
}

/// Runs a cell on a backend.
pub fn memory<M: Memory>(memory: &M, cell: &Cell) -> Line {
    let n = cell.n;
    match cell.workload.as_str() {
        "pool_pair" => measure(n, sum_below(n), || alone(|| pairs(memory, n))),
        "pool_burst" => measure(n, sum_below(n), || alone(|| burst(memory, n))),
        "pool_across" => measure(n, sum_below(n), || across(memory, n)),
        other => Line::Unsupported(format!("no pool workload is called {other}")),
    }
}

fn pairs<M: Memory>(memory: &M, n: u64) -> u64 {
    (0..n).fold(0, |sum, i| {
        let cell = std::hint::black_box(memory.take(i));
        sum + memory.give_back(cell)
    })
}

fn burst<M: Memory>(memory: &M, n: u64) -> u64 {
    let cells: Vec<M::Cell> = (0..n).map(|i| memory.take(i)).collect();
    cells.into_iter().fold(0, |sum, cell| sum + memory.give_back(cell))
}

/// The vectors go back and forth, so that only the cells are taken and given back.
fn across<M: Memory>(memory: &M, n: u64) -> super::race::Pass {
    let (fill, filled) = sync_channel::<Vec<M::Cell>>(UNDER_WAY);
    let (empty, to_fill) = sync_channel(2 * UNDER_WAY);
    for _ in 0..UNDER_WAY {
        empty.send(Vec::new()).expect("there is room");
    }
    let taker = memory.clone();
    let take = body(move || {
        let mut next = 0;
        while next < n {
            let mut parcel: Vec<M::Cell> = to_fill.recv().expect("the other thread runs");
            let end = n.min(next + PARCEL);
            parcel.extend((next..end).map(|i| taker.take(i)));
            fill.send(parcel).expect("the other thread runs");
            next = end;
        }
        0
    });
    let giver = memory.clone();
    let give_back = body(move || {
        let mut sum = 0;
        for mut parcel in filled {
            sum += parcel.drain(..).map(|cell| giver.give_back(cell)).sum::<u64>();
            // The taker may have gone: its last parcels are not filled again.
            let _ = empty.send(parcel);
        }
        sum
    });
    race(vec![take, give_back])
}
