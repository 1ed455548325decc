//! Properties, against a `VecDeque`:
//! 1. alone, a channel does what a queue with a limit does, whatever the operations;
//! 2. short histories of several threads can be put in an order in which a queue would have answered the same.

mod common;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use arbtest::arbtest;
use common::Dice;
use wyn_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded, unbounded};

#[test]
fn alone_it_is_a_queue() {
    arbtest(|u| {
        let cap = [1, 2, 3, 5, 64, usize::MAX / 2, usize::MAX][u.int_in_range(0..=6)?];
        let (s, r) = if cap == usize::MAX { unbounded() } else { bounded(cap) };
        let mut oracle = VecDeque::new();
        let mut closed = false;
        for n in 0..u.int_in_range(0..=60)? {
            match u.int_in_range(0..=9)? {
                0..=4 => {
                    let expected = if closed {
                        Err(TrySendError::Disconnected(n))
                    } else if oracle.len() == cap {
                        Err(TrySendError::Full(n))
                    } else {
                        oracle.push_back(n);
                        Ok(())
                    };
                    assert_eq!(s.try_send(n), expected);
                }
                5..=8 => {
                    let none = if closed { TryRecvError::Disconnected } else { TryRecvError::Empty };
                    assert_eq!(r.try_recv(), oracle.pop_front().ok_or(none));
                }
                _ => {
                    if u.ratio(1, 8)? {
                        assert_eq!(s.close(), !closed);
                        closed = true;
                    }
                }
            }
            assert_eq!((s.len(), r.is_empty()), (oracle.len(), oracle.is_empty()));
            assert_eq!(s.is_full(), oracle.len() == cap);
        }
        assert!(r.try_iter().eq(oracle));
        Ok(())
    });
}

/// What an operation did, and when it began and ended by a clock that all share.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Did {
    Send(u32),
    Full,
    Recv(u32),
    Empty,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    did: Did,
    begin: usize,
    end: usize,
}

/// Whether some order of the events, in which none comes before one that ended before it began, is a queue's.
fn is_linearizable(history: &[Event], cap: usize) -> bool {
    fn search(
        history: &[Event],
        cap: usize,
        done: u32,
        queue: &VecDeque<u32>,
        seen: &mut HashSet<(u32, VecDeque<u32>)>,
    ) -> bool {
        if done.count_ones() as usize == history.len() {
            return true;
        }
        if !seen.insert((done, queue.clone())) {
            return false;
        }
        let is_open = |at: usize| done & 1 << at == 0;
        let first_end = (0..history.len()).filter(|&at| is_open(at)).map(|at| history[at].end).min().unwrap();
        (0..history.len()).filter(|&at| is_open(at) && history[at].begin <= first_end).any(|at| {
            let mut queue = queue.clone();
            let fits = match history[at].did {
                Did::Send(n) => {
                    queue.push_back(n);
                    queue.len() <= cap
                }
                Did::Full => queue.len() == cap,
                Did::Recv(n) => queue.pop_front() == Some(n),
                Did::Empty => queue.is_empty(),
            };
            fits && search(history, cap, done | 1 << at, &queue, seen)
        })
    }
    search(history, cap, 0, &VecDeque::new(), &mut HashSet::new())
}

#[test]
fn the_checker_refuses_what_no_queue_does() {
    let event = |did, begin, end| Event { did, begin, end };
    let swapped = [
        event(Did::Send(1), 0, 1),
        event(Did::Send(2), 2, 3),
        event(Did::Recv(2), 4, 5),
        event(Did::Recv(1), 6, 7),
    ];
    assert!(!is_linearizable(&swapped, 9));
    let lost = [event(Did::Send(1), 0, 1), event(Did::Empty, 2, 3)];
    assert!(!is_linearizable(&lost, 9));
    let overlapping = [event(Did::Send(1), 0, 3), event(Did::Empty, 1, 2), event(Did::Recv(1), 4, 5)];
    assert!(is_linearizable(&overlapping, 9));
    assert!(!is_linearizable(&[event(Did::Full, 0, 1)], 1));
}

fn perform(s: &Sender<u32>, r: &Receiver<u32>, clock: &AtomicUsize, dice: &mut Dice, n: u32) -> Event {
    let sends = dice.roll(2) == 0;
    let begin = clock.fetch_add(1, Ordering::SeqCst);
    let did = if sends {
        if s.try_send(n).is_ok() { Did::Send(n) } else { Did::Full }
    } else {
        r.try_recv().map_or(Did::Empty, Did::Recv)
    };
    Event { did, begin, end: clock.fetch_add(1, Ordering::SeqCst) }
}

#[test]
fn short_histories_are_linearizable() {
    for round in 0..1500_u64 {
        let cap = [1, 2, 3, usize::MAX / 2][usize::try_from(round % 4).unwrap()];
        let (s, r) = bounded(cap);
        let clock = Arc::new(AtomicUsize::new(0));
        let start = Arc::new(Barrier::new(3));
        let threads: Vec<_> = (0..3_u64)
            .map(|id| {
                let (s, r, clock, start) = (s.clone(), r.clone(), clock.clone(), start.clone());
                thread::spawn(move || {
                    let mut dice = Dice(round * 10 + id);
                    start.wait();
                    (0..6)
                        .map(|n| perform(&s, &r, &clock, &mut dice, u32::try_from(id).unwrap() * 10 + n))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let history: Vec<Event> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert!(is_linearizable(&history, cap), "round {round}, capacity {cap}: {history:?}");
    }
}
