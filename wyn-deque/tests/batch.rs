//! Batch steals: how many tasks move, in which order the destination pops them, and which comes back.
#![cfg(not(wyn_loom))]

use wyn_deque::Steal::{Empty, Success};
use wyn_deque::{Injector, Worker};

type New = fn() -> Worker<u32>;
const LIFO: New = Worker::new_lifo;
const FIFO: New = Worker::new_fifo;

fn filled(new: New, tasks: std::ops::RangeInclusive<u32>) -> Worker<u32> {
    let worker = new();
    tasks.for_each(|task| worker.push(task));
    worker
}

fn contents(worker: &Worker<u32>) -> Vec<u32> {
    std::iter::from_fn(|| worker.pop()).collect()
}

#[test]
fn single_steals_take_the_oldest() {
    for new in [LIFO, FIFO] {
        let stealer = filled(new, 1..=3).stealer();
        assert_eq!([stealer.steal(), stealer.steal(), stealer.steal()], [1, 2, 3].map(Success));
        assert_eq!(stealer.steal(), Empty);
    }
}

#[test]
fn a_batch_is_popped_as_the_victim_would_have() {
    for dest in [LIFO, FIFO] {
        let own = dest();
        assert_eq!(filled(FIFO, 1..=4).stealer().steal_batch(&own), Success(()));
        assert_eq!(contents(&own), [1, 2]);
        assert_eq!(filled(LIFO, 1..=4).stealer().steal_batch(&own), Success(()));
        assert_eq!(contents(&own), [2, 1]);
        let injector = Injector::new();
        (1..=4).for_each(|task| injector.push(task));
        assert_eq!(injector.steal_batch(&own), Success(()));
        assert_eq!(contents(&own), [1, 2]);
    }
}

#[test]
fn a_batch_and_pop_returns_what_would_be_popped_first() {
    for dest in [LIFO, FIFO] {
        let own = dest();
        assert_eq!(filled(FIFO, 1..=6).stealer().steal_batch_and_pop(&own), Success(1));
        assert_eq!(contents(&own), [2, 3]);
        assert_eq!(filled(LIFO, 1..=6).stealer().steal_batch_and_pop(&own), Success(3));
        assert_eq!(contents(&own), [2, 1]);
        let injector = Injector::new();
        (1..=6).for_each(|task| injector.push(task));
        assert_eq!(injector.steal_batch_and_pop(&own), Success(1));
        assert_eq!(contents(&own), [2, 3]);
    }
}

#[test]
fn a_batch_joins_what_the_destination_has() {
    for (source, moved) in [(LIFO, [2, 1]), (FIFO, [1, 2])] {
        let own = filled(FIFO, 100..=199);
        assert_eq!(filled(source, 1..=4).stealer().steal_batch(&own), Success(()));
        assert_eq!(contents(&own)[100..], moved);
        let own = filled(LIFO, 100..=199);
        assert_eq!(filled(source, 1..=4).stealer().steal_batch(&own), Success(()));
        assert_eq!(contents(&own)[..2], moved);
    }
}

/// Half, rounded up, but at most the limit; 32 without one.
#[test]
fn sizes() {
    for source in [LIFO, FIFO] {
        for (len, limit, expected) in
            [(1, 9, 1), (2, 9, 1), (3, 9, 2), (9, 2, 2), (9, 1, 1), (1000, 500, 500), (1000, usize::MAX, 500)]
        {
            let victim = filled(source, 1..=len);
            let own = FIFO();
            assert!(victim.stealer().steal_batch_with_limit(&own, limit).is_success());
            assert_eq!((own.len(), victim.len()), (expected, len as usize - expected), "{len} {limit}");
            let victim = filled(source, 1..=len);
            let own = FIFO();
            assert!(victim.stealer().steal_batch_with_limit_and_pop(&own, limit).is_success());
            assert_eq!((own.len() + 1, victim.len()), (expected, len as usize - expected), "{len} {limit}");
        }
        let (victim, own) = (filled(source, 1..=1000), FIFO());
        assert!(victim.stealer().steal_batch(&own).is_success());
        assert_eq!(own.len(), 32);
        assert!(victim.stealer().steal_batch_and_pop(&own).is_success());
        assert_eq!((own.len(), victim.len()), (63, 936));
    }
}

#[test]
fn nothing_comes_from_the_empty() {
    for (source, dest) in [(LIFO, FIFO), (FIFO, LIFO)] {
        let (victim, own) = (source(), dest());
        assert_eq!(victim.stealer().steal_batch(&own), Empty);
        assert_eq!(victim.stealer().steal_batch_and_pop(&own), Empty);
        assert_eq!(Injector::<u32>::new().steal_batch(&own), Empty);
        assert_eq!(Injector::<u32>::new().steal_batch_and_pop(&own), Empty);
        assert!(own.is_empty());
    }
}

#[test]
fn a_deque_stolen_into_itself_keeps_its_tasks() {
    for (new, first) in [(LIFO, 4), (FIFO, 1)] {
        let worker = filled(new, 1..=4);
        let stealer = worker.stealer();
        assert_eq!(stealer.steal_batch(&worker), Success(()));
        assert_eq!(stealer.steal_batch_with_limit(&worker, 1), Success(()));
        assert_eq!(worker.len(), 4);
        assert_eq!(stealer.steal_batch_and_pop(&worker), Success(first));
        assert_eq!(contents(&worker).len(), 3);
        assert_eq!(stealer.steal_batch(&worker), Empty);
        assert_eq!(stealer.steal_batch_and_pop(&worker), Empty);
    }
}

#[test]
fn a_limit_of_zero_is_a_mistake() {
    let panics = |attempt: &dyn Fn()| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt)).expect_err("must panic");
    };
    let (victim, own, injector) = (filled(LIFO, 1..=4), LIFO(), Injector::new());
    injector.push(1);
    panics(&|| _ = victim.stealer().steal_batch_with_limit(&own, 0));
    panics(&|| _ = victim.stealer().steal_batch_with_limit_and_pop(&own, 0));
    panics(&|| _ = injector.steal_batch_with_limit(&own, 0));
    panics(&|| _ = injector.steal_batch_with_limit_and_pop(&own, 0));
    assert_eq!((victim.len(), injector.len(), own.len()), (4, 1, 0));
}

#[test]
fn a_chain_of_batches_loses_nothing() {
    let workers: Vec<_> = (0..6).map(|n| if n % 2 == 0 { LIFO() } else { FIFO() }).collect();
    (0..5000).for_each(|task| workers[0].push(task));
    for _ in 0..50 {
        for pair in workers.windows(2) {
            let _ = pair[0].stealer().steal_batch_with_limit(&pair[1], 100);
        }
        let _ = workers[5].stealer().steal_batch_with_limit(&workers[0], 50);
    }
    let mut all: Vec<_> = workers.iter().flat_map(contents).collect();
    all.sort_unstable();
    assert_eq!(all, (0..5000).collect::<Vec<_>>());
}
