//! The injector: order, batches in and out, users' code that panics or re-enters, many threads.
#![cfg(not(wyn_loom))]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use support::{Count, Fates};
use wyn_deque::Steal::{Empty, Success};
use wyn_deque::{Injector, Worker};

fn drained<T>(injector: &Injector<T>) -> Vec<T> {
    let mut tasks = Vec::new();
    injector.pop_batch(usize::MAX, |task| tasks.push(task));
    tasks
}

#[test]
fn first_in_first_out() {
    let injector = Injector::new();
    assert_eq!(injector.steal(), Empty);
    injector.push(1);
    injector.push(2);
    assert_eq!((injector.steal(), injector.steal(), injector.steal()), (Success(1), Success(2), Empty));
}

#[test]
fn length_follows() {
    let injector = Injector::default();
    for count in 0..1000 {
        assert_eq!((injector.len(), injector.is_empty()), (count, count == 0));
        injector.push(count);
    }
    for count in (0..1000).rev() {
        assert_eq!(injector.steal(), Success(999 - count));
        assert_eq!((injector.len(), injector.is_empty()), (count, count == 0));
    }
}

#[test]
fn batches_of_any_size_keep_the_order() {
    for size in [0, 1, 2, 100, 127, 128, 129, 255, 256, 257, 1000] {
        let injector = Injector::new();
        let mut expected = Vec::new();
        for round in 0..5 {
            let batch = round * 10_000..round * 10_000 + size;
            injector.push(round * 10_000 + 9_999);
            expected.push(round * 10_000 + 9_999);
            injector.push_batch(batch.clone());
            expected.extend(batch);
        }
        assert_eq!(injector.len(), expected.len());
        let mut taken = Vec::new();
        assert_eq!(injector.pop_batch(0, |_| unreachable!()), 0);
        while injector.pop_batch(size.max(1), |task| taken.push(task)) > 0 {}
        assert_eq!(taken, expected, "{size}");
        assert!(injector.is_empty());
    }
}

#[test]
fn large_batches_go_to_a_worker() {
    let injector = Injector::new();
    injector.push_batch(0..1000);
    let worker = Worker::new_lifo();
    assert!(injector.steal_batch(&worker).is_success());
    assert_eq!((worker.len(), injector.len()), (32, 968));
    assert_eq!(injector.steal_batch_with_limit_and_pop(&worker, 300), Success(32));
    assert_eq!((worker.len(), injector.len()), (331, 668));
    assert_eq!(worker.pop(), Some(33));
}

#[test]
fn an_iterator_may_use_the_injector_it_feeds() {
    let injector = Injector::new();
    injector.push(0);
    injector.push_batch((1..4).inspect(|_| injector.push(100)));
    assert_eq!(drained(&injector), [0, 100, 100, 100, 1, 2, 3]);
}

#[test]
fn a_consumer_may_use_the_injector_it_drains() {
    let injector = Injector::new();
    injector.push_batch(0..3);
    assert_eq!(injector.pop_batch(3, |task| injector.push(task + 10)), 3);
    assert_eq!(drained(&injector), [10, 11, 12]);
}

#[test]
fn a_panicking_iterator_adds_nothing() {
    let fates = Fates::new(5);
    let injector = Injector::new();
    let feed =
        (0..5).map(|number| fates.payload(number)).inspect(|task| assert!(*task.number < 4, "planned"));
    catch_unwind(AssertUnwindSafe(|| injector.push_batch(feed))).unwrap_err();
    assert!(injector.is_empty());
    fates.assert_each_dropped_once();
}

#[test]
fn a_panicking_consumer_loses_only_the_task_in_its_hands() {
    let fates = Fates::new(500);
    let injector = Injector::new();
    injector.push_batch((0..400).map(|number| fates.payload(number)));
    let consume = || injector.pop_batch(300, |task| assert!(*task.number != 150, "planned"));
    catch_unwind(AssertUnwindSafe(consume)).unwrap_err();
    assert_eq!((fates.dropped(), injector.len()), (151, 249));
    injector.push_batch((400..500).map(|number| fates.payload(number)));
    let numbers: Vec<_> = drained(&injector).iter().map(|task| *task.number).collect();
    assert_eq!(numbers, (151..500).collect::<Vec<_>>());
    drop(injector);
    fates.assert_each_dropped_once();
}

#[test]
fn tasks_left_behind_are_dropped() {
    let fates = Fates::new(1000);
    let injector = Injector::new();
    (0..500).for_each(|number| injector.push(fates.payload(number)));
    injector.push_batch((500..1000).map(|number| fates.payload(number)));
    (0..10).for_each(|_| drop(injector.steal()));
    assert_eq!(fates.dropped(), 10);
    drop(injector);
    fates.assert_each_dropped_once();
}

/// A block of these would not fit on any stack, nor may it be reserved as a whole.
#[test]
fn huge_tasks_do_not_meet_the_stack() {
    let injector = Injector::new();
    let task = || -> Box<[u8; 4 << 20]> { vec![7; 4 << 20].into_boxed_slice().try_into().unwrap() };
    thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || {
            (0..3).for_each(|_| injector.push(*task()));
            assert_eq!(injector.steal().success().map(|task| task[4711]), Some(7));
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn each_producer_is_served_in_order() {
    const TASKS: usize = 20_000;
    let (injector, left) = (Injector::new(), Count::default());
    thread::scope(|scope| {
        for producer in 0..3 {
            let injector = &injector;
            scope.spawn(move || {
                for task in (0..TASKS).step_by(4) {
                    injector.push((producer, task));
                    injector.push_batch((task + 1..task + 4).map(|task| (producer, task)));
                }
            });
        }
        for consumer in 0..3 {
            let (injector, left) = (&injector, &left);
            scope.spawn(move || {
                let own = Worker::new_fifo();
                let mut last = [None; 3];
                while left.get() < 3 * TASKS {
                    let mut got = 0;
                    let mut check = |(producer, task): (usize, usize)| {
                        assert!(last[producer] < Some(task));
                        last[producer] = Some(task);
                        got += 1;
                    };
                    match consumer {
                        0 => drop(injector.steal().success().map(&mut check)),
                        1 => drop(injector.pop_batch(50, &mut check)),
                        _ => {
                            injector.steal_batch_and_pop(&own).success().map(&mut check);
                            std::iter::from_fn(|| own.pop()).for_each(&mut check);
                        }
                    }
                    left.add(got);
                }
            });
        }
    });
    assert!(injector.is_empty());
}
