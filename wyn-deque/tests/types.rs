//! Tasks of odd sizes and alignments go through every path unchanged.
#![cfg(not(wyn_loom))]

mod support;

use std::fmt::Debug;
use std::thread;

use support::Fates;
use wyn_deque::{Injector, Worker};

/// Growth, laps, single and batch steals, the injector; compared by value.
fn round_trip<T: Clone + PartialEq + Debug + Send>(make: impl Fn(usize) -> T) {
    let tasks: Vec<T> = (0..500).map(make).collect();
    for worker in [Worker::new_lifo(), Worker::new_fifo()] {
        for lap in tasks.chunks(50) {
            lap.iter().for_each(|task| worker.push(task.clone()));
            for task in lap {
                assert_eq!(worker.stealer().steal().success().as_ref(), Some(task));
            }
        }
        tasks.iter().for_each(|task| worker.push(task.clone()));
        let own = Worker::new_fifo();
        let mut rest: Vec<T> = Vec::new();
        rest.extend(worker.stealer().steal_batch_with_limit_and_pop(&own, 100).success());
        rest.extend(std::iter::from_fn(|| own.pop()));
        rest.extend(std::iter::from_fn(|| worker.pop()));
        assert_eq!(rest.len(), tasks.len());
        assert!(tasks.iter().all(|task| rest.contains(task)));
    }
    let injector = Injector::new();
    injector.push_batch(tasks.iter().cloned());
    let mut out = Vec::new();
    thread::scope(|scope| scope.spawn(|| injector.pop_batch(500, |task| out.push(task))).join().unwrap());
    assert_eq!(out, tasks);
}

#[test]
fn zero_sized() {
    round_trip(|_| ());
    #[derive(Clone, PartialEq, Debug)]
    #[repr(align(64))]
    struct Aligned;
    round_trip(|_| Aligned);
}

#[test]
fn three_bytes() {
    round_trip(|n| [n.to_le_bytes()[0], n.to_le_bytes()[1], 0xA5]);
}

#[test]
fn twenty_four_bytes() {
    round_trip(|n| [n, !n, n ^ 0x5555]);
}

#[test]
fn strings() {
    round_trip(|n| format!("task number {n}"));
}

#[test]
fn over_aligned() {
    #[derive(Clone, PartialEq, Debug)]
    #[repr(align(128))]
    struct Wide(usize);
    round_trip(|n| {
        let wide = Wide(n);
        assert_eq!(std::ptr::from_ref(&wide).addr() % 128, 0);
        wide
    });
}

#[test]
fn larger_than_a_page() {
    round_trip(|n| [n; 700]);
}

#[test]
fn never_null() {
    round_trip(|n| Some(Box::new(n)));
    round_trip(|n| std::num::NonZeroUsize::new(n + 1).unwrap());
}

#[test]
fn closures() {
    let worker: Worker<Box<dyn FnOnce() -> usize + Send>> = Worker::new_fifo();
    for n in 0..100 {
        worker.push(Box::new(move || n * n));
    }
    let stealer = worker.stealer();
    let sum =
        thread::spawn(move || std::iter::from_fn(|| stealer.steal().success()).map(|f| f()).sum::<usize>());
    assert_eq!(sum.join().unwrap(), (0..100).map(|n| n * n).sum());
}

/// Borrowed tasks: neither `'static` nor `Send` is asked for by what stays on one thread.
#[test]
fn borrowed_and_thread_bound() {
    let text = String::from("borrowed");
    let worker = Worker::new_lifo();
    (0..200).for_each(|_| worker.push((text.as_str(), std::rc::Rc::new(1))));
    assert_eq!(worker.stealer().steal().success().map(|(text, _)| text), Some("borrowed"));
}

/// A destructor that panics costs its own task only.
#[test]
fn a_panicking_destructor_does_not_stop_the_others() {
    struct Bomb(#[allow(dead_code, reason = "dropped with it")] support::Payload, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.1, "planned");
        }
    }
    let fates = Fates::new(100);
    let worker = Worker::new_lifo();
    (0..100).for_each(|number| worker.push(Bomb(fates.payload(number), number == 40)));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(worker))).unwrap_err();
    fates.assert_each_dropped_once();
}
