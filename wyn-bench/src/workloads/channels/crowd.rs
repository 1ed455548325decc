//! Many senders, many receivers, and more of them than processors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::race::{Body, Pass, body, figures, measure, race};
use super::{send_all, sum_below, sum_of};
use crate::backend::{ManyReceivers, ManySenders};
use crate::os;
use crate::record::{Capacity, Cell, Line};

/// Threads of `fan_in`.
const SENDERS: u64 = 1000;
/// They do little: a program with a thousand threads gives them small stacks.
const STACK: usize = 64 << 10;

pub(super) fn mpsc<C: ManySenders>(cell: &Cell, capacity: Capacity) -> Line {
    let (senders, each) = shares(cell);
    let n = senders * each;
    measure(n, sum_below(n), || {
        let (sender, mut receiver) = C::open(capacity);
        let mut bodies = vec![body(move || sum_of::<C>(&mut receiver, n))];
        bodies.extend(sending::<C>(sender, senders, each));
        race(bodies)
    })
}

pub(super) fn mpmc<C: ManyReceivers>(cell: &Cell, capacity: Capacity) -> Line {
    let (sides, each) = shares(cell);
    measure(sides * each, sum_below(sides * each), || many::<C>(sides, each, capacity))
}

/// Every receiver takes as many messages as every sender sends.
fn many<C: ManyReceivers>(sides: u64, each: u64, capacity: Capacity) -> Pass {
    let (sender, receiver) = C::open(capacity);
    let mut bodies: Vec<Body> = Vec::new();
    for _ in 0..sides {
        let mut receiver = C::another_receiver(&receiver);
        bodies.push(body(move || sum_of::<C>(&mut receiver, each)));
    }
    bodies.extend(sending::<C>(sender, sides, each));
    race(bodies)
}

/// Senders of consecutive numbers, with a handle each.
fn sending<C: ManySenders>(first: C::Sender, senders: u64, each: u64) -> Vec<Body> {
    let sending = |index: u64| {
        let sender = C::another_sender(&first);
        body(move || {
            send_all::<C>(&sender, index * each..(index + 1) * each);
            0
        })
    };
    (0..senders).map(sending).collect()
}

/// Eight threads beside two, in one process, and what a message costs more with them.
pub(super) fn crowd<C: ManyReceivers>(cell: &Cell, capacity: Capacity) -> Line {
    let each = cell.n / 4;
    let n = 4 * each;
    let pair = figures(n, sum_below(n), || many::<C>(1, n, capacity));
    let crowd = pair.and_then(|pair| Ok((pair, figures(n, sum_below(n), || many::<C>(4, each, capacity))?)));
    crowd.map_or_else(
        |line| line,
        |(pair, mut figures)| {
            let ratio = figures["ns"] / pair["ns"].max(1e-9);
            figures.insert("pair_ns".to_owned(), pair["ns"]);
            figures.insert("over_pair".to_owned(), ratio);
            Line::Figures(figures)
        },
    )
}

/// The clock starts once all senders run, most of them blocked.
pub(super) fn fan_in<C: ManySenders>(cell: &Cell, capacity: Capacity) -> Line {
    let each = cell.n / SENDERS;
    let n = SENDERS * each;
    measure(n, sum_below(n), || {
        let (sender, mut receiver) = C::open(capacity);
        let running = Arc::new(AtomicU64::new(0));
        let start_one = |send: Body| {
            let running = running.clone();
            let thread = Builder::new().stack_size(STACK).spawn(move || {
                running.fetch_add(1, Ordering::SeqCst);
                send()
            });
            thread.expect("the system allows a thousand threads")
        };
        let threads: Vec<_> = sending::<C>(sender, SENDERS, each).into_iter().map(start_one).collect();
        while running.load(Ordering::SeqCst) < SENDERS {
            std::thread::sleep(Duration::from_millis(1));
        }
        let (start, cpu) = (Instant::now(), os::cpu_time());
        let answer = sum_of::<C>(&mut receiver, n);
        let wall = start.elapsed();
        let cpu = (os::cpu_time() - cpu).as_secs_f64() / wall.as_secs_f64().max(1e-9);
        for thread in threads {
            thread.join().expect("a thread of the workload panicked");
        }
        Pass { wall, answer, cpu }
    })
}

/// Senders, and messages of each.
pub(super) fn shares(cell: &Cell) -> (u64, u64) {
    let sides = cell.workers as u64;
    (sides, cell.n / sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sender_sends_as_much() {
        let cell = Cell { workload: "mpsc".to_owned(), n: 10, grain_ns: 0, workers: 4, capacity: None };
        assert_eq!(shares(&cell), (4, 2));
    }
}
