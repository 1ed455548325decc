//! Against an oracle, one thread: any sequence of calls on two deques and an injector gives what
//! the same calls give on `VecDeque`s.
//!
//! 1. `push`, `pop`, `steal` and all batch steals return and move the same tasks in the same order.
//! 2. Lengths agree after every call.
//! 3. Nothing is left over or missing at the end.
#![cfg(not(wyn_loom))]

use std::collections::VecDeque;

use arbtest::arbitrary::{Result, Unstructured};
use wyn_deque::{Injector, Steal, Worker};

struct Pair {
    worker: Worker<u32>,
    /// Oldest first.
    oracle: VecDeque<u32>,
    lifo: bool,
}

impl Pair {
    fn new(lifo: bool) -> Self {
        let worker = if lifo { Worker::new_lifo() } else { Worker::new_fifo() };
        Self { worker, oracle: VecDeque::new(), lifo }
    }

    fn push(&mut self, task: u32) {
        self.worker.push(task);
        self.oracle.push_back(task);
    }

    fn oracle_pop(&mut self) -> Option<u32> {
        if self.lifo { self.oracle.pop_back() } else { self.oracle.pop_front() }
    }

    /// Appends so that `pop` gives `tasks` in their order.
    fn oracle_receive(&mut self, mut tasks: Vec<u32>) {
        if self.lifo {
            tasks.reverse();
        }
        self.oracle.extend(tasks);
    }

    /// Half of the tasks, oldest, in the order in which this deque would pop them.
    fn oracle_half(&mut self, limit: usize) -> Vec<u32> {
        let count = self.oracle.len().div_ceil(2).min(limit);
        let mut tasks: Vec<_> = self.oracle.drain(..count).collect();
        if self.lifo {
            tasks.reverse();
        }
        tasks
    }

    fn check(&self) {
        assert_eq!(self.worker.len(), self.oracle.len());
        assert_eq!(self.worker.stealer().len(), self.oracle.len());
        assert_eq!(self.worker.is_empty(), self.oracle.is_empty());
    }
}

fn expected<T>(task: Option<T>) -> Steal<T> {
    task.map_or(Steal::Empty, Steal::Success)
}

/// One steal of a batch, from `source` into `dest`, with or without a task returned.
fn batch(u: &mut Unstructured<'_>, source: &mut Pair, dest: &mut Pair) -> Result<()> {
    let stealer = source.worker.stealer();
    let limit = if u.arbitrary()? { u.int_in_range(1..=200)? } else { 32 };
    let mut moved = source.oracle_half(limit);
    if u.arbitrary()? {
        let got = match limit {
            32 => stealer.steal_batch(&dest.worker),
            _ => stealer.steal_batch_with_limit(&dest.worker, limit),
        };
        assert_eq!(got, expected((!moved.is_empty()).then_some(())));
    } else {
        let got = match limit {
            32 => stealer.steal_batch_and_pop(&dest.worker),
            _ => stealer.steal_batch_with_limit_and_pop(&dest.worker, limit),
        };
        assert_eq!(got, expected(moved.first().copied()));
        moved.drain(..moved.len().min(1));
    }
    dest.oracle_receive(moved);
    Ok(())
}

#[test]
fn deques_do_as_their_oracles() {
    arbtest::arbtest(|u| {
        let (mut a, mut b) = (Pair::new(u.arbitrary()?), Pair::new(u.arbitrary()?));
        let mut next = 0;
        while !u.is_empty() {
            match u.int_in_range(0..=7)? {
                0..=2 => {
                    for _ in 0..u.int_in_range(1..=100)? {
                        a.push(next);
                        next += 1;
                    }
                }
                3 => {
                    for _ in 0..u.int_in_range(1..=100)? {
                        assert_eq!(a.worker.pop(), a.oracle_pop());
                    }
                }
                4 => assert_eq!(a.worker.stealer().steal(), expected(a.oracle.pop_front())),
                5 | 6 => batch(u, &mut a, &mut b)?,
                _ => std::mem::swap(&mut a, &mut b),
            }
            a.check();
            b.check();
        }
        for mut pair in [a, b] {
            while let Some(task) = pair.worker.pop() {
                assert_eq!(Some(task), pair.oracle_pop());
            }
            assert!(pair.oracle.is_empty());
        }
        Ok(())
    });
}

#[test]
fn the_injector_does_as_its_oracle() {
    arbtest::arbtest(|u| {
        let (injector, mut oracle, mut dest) = (Injector::new(), VecDeque::new(), Pair::new(u.arbitrary()?));
        let mut next = 0;
        while !u.is_empty() {
            let count = u.int_in_range(1..=300)?;
            match u.int_in_range(0..=5)? {
                0 => {
                    injector.push(next);
                    oracle.push_back(next);
                    next += 1;
                }
                1 => {
                    let end = next + u32::try_from(count).unwrap();
                    injector.push_batch(next..end);
                    oracle.extend(next..end);
                    next = end;
                }
                2 => assert_eq!(injector.steal(), expected(oracle.pop_front())),
                3 => {
                    let mut taken = Vec::new();
                    let n = injector.pop_batch(count, |task| taken.push(task));
                    let front: Vec<_> = oracle.drain(..count.min(oracle.len())).collect();
                    assert_eq!((n, &taken), (front.len(), &front));
                }
                kind => {
                    let half: Vec<_> = oracle.drain(..oracle.len().div_ceil(2).min(count)).collect();
                    let (first, rest) = half.split_at(half.len().min(kind - 4));
                    if kind == 4 {
                        let got = injector.steal_batch_with_limit(&dest.worker, count);
                        assert_eq!(got.is_success(), !half.is_empty());
                    } else {
                        let got = injector.steal_batch_with_limit_and_pop(&dest.worker, count);
                        assert_eq!(got, expected(first.first().copied()));
                    }
                    dest.oracle_receive(rest.to_vec());
                }
            }
            assert_eq!((injector.len(), injector.is_empty()), (oracle.len(), oracle.is_empty()));
            dest.check();
        }
        Ok(())
    });
}
