//! `join`: results, panics, depth, waiting, and what runs in the middle of it.
#![cfg(not(wyn_loom))]

mod common;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use common::{Gate, Random, env_number, runtime, wait_until, watchdog};
use wyn_sched::{join, join_context, spawn, spawn_detached};

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = join(|| fib(n - 1), || fib(n - 2));
    a + b
}

/// The answer of a computation from a thread outside, and from workers of pools of several sizes.
fn everywhere<T: Send + PartialEq + std::fmt::Debug>(expected: &T, f: impl Fn() -> T + Sync) {
    assert_eq!(&f(), expected, "from outside");
    for workers in [1, 2, 8, 64] {
        assert_eq!(&runtime(workers).install(&f), expected, "on {workers} workers");
    }
}

#[test]
fn both_results_come_back_in_their_order() {
    let _dog = watchdog(60);
    everywhere(&(1, "two"), || join(|| 1, || "two"));
    everywhere(&6765, || fib(20));
}

#[test]
fn both_closures_borrow_from_the_caller() {
    let _dog = watchdog(60);
    let mut halves = (vec![1; 1000], vec![2; 1000]);
    let (left, right) = (&mut halves.0, &mut halves.1);
    join(|| left.iter_mut().for_each(|x| *x += 1), || right.iter_mut().for_each(|x| *x += 1));
    assert!(halves.0.iter().all(|&x| x == 2) && halves.1.iter().all(|&x| x == 3));
}

#[test]
fn two_workers_run_both_at_the_same_time() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    for _ in 0..50 {
        let both = Barrier::new(2);
        let (here, there) = runtime.install(|| {
            join_context(
                |context| {
                    both.wait();
                    context.migrated()
                },
                |context| {
                    both.wait();
                    context.migrated()
                },
            )
        });
        assert!(!here && there);
    }
}

#[test]
fn what_is_not_stolen_has_not_migrated() {
    let _dog = watchdog(60);
    let (here, there) = runtime(1).install(|| join_context(|c| c.migrated(), |c| c.migrated()));
    assert!(!here && !there);
}

/// Counts its own end.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A full tree of joins whose leaf of this number panics; every frame and closure holds a guard.
fn tree(depth: u32, leaf: usize, bad: &[usize], drops: &AtomicUsize) -> usize {
    let _frame = Counted(drops);
    if depth == 0 {
        if bad.contains(&leaf) {
            panic_any(leaf);
        }
        return 1;
    }
    let (left, right) = (Counted(drops), Counted(drops));
    let (a, b) = join(
        move || {
            let _left = left;
            tree(depth - 1, 2 * leaf, bad, drops)
        },
        move || {
            let _right = right;
            tree(depth - 1, 2 * leaf + 1, bad, drops)
        },
    );
    a + b
}

#[test]
fn a_panic_of_any_leaf_comes_out_and_nothing_leaks() {
    let _dog = watchdog(120);
    let depth = 5;
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        for bad in 0..1 << depth {
            let drops = AtomicUsize::new(0);
            let panic = catch_unwind(AssertUnwindSafe(|| runtime.install(|| tree(depth, 0, &[bad], &drops))));
            assert_eq!(panic.unwrap_err().downcast_ref(), Some(&bad));
            // Every closure that was made was dropped: two for each frame that was entered and is no leaf. What
            // was never run has no frame.
            assert!(drops.load(Ordering::Relaxed) > depth as usize);
            let after = drops.load(Ordering::Relaxed);
            thread::sleep(Duration::from_micros(200));
            assert_eq!(drops.load(Ordering::Relaxed), after, "something still runs");
        }
        let drops = AtomicUsize::new(0);
        assert_eq!(runtime.install(|| tree(depth, 0, &[], &drops)), 1 << depth);
        assert_eq!(drops.load(Ordering::Relaxed), 63 + 2 * 31);
    }
}

#[test]
fn the_first_closures_panic_wins() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    for _ in 0..50 {
        let both = Barrier::new(2);
        let ended = AtomicBool::new(false);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            runtime.install(|| {
                join(
                    || {
                        both.wait();
                        panic_any("first")
                    },
                    || {
                        both.wait();
                        let _ended = SetOnDrop(&ended);
                        thread::sleep(Duration::from_millis(2));
                        panic_any("second")
                    },
                )
            })
        }));
        assert!(ended.load(Ordering::Relaxed), "the other closure still runs");
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"first"));
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_panic_in_the_drop_of_a_result_or_closure_is_contained_or_comes_out() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic_any("bomb");
            }
        }
    }
    let _dog = watchdog(60);
    let runtime = runtime(1);
    // `b` is dropped without being run; its drop panics while that of `a` is on its way.
    let bomb = Bomb;
    let panic = catch_unwind(AssertUnwindSafe(|| {
        runtime.install(|| join(|| panic_any("a"), move || drop(bomb)));
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"a"));
    // The result of `a` is dropped by the panic of `b`.
    let panic = catch_unwind(AssertUnwindSafe(|| {
        runtime.install(|| join(|| Bomb, || panic_any("b")));
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"b"));
    assert_eq!(runtime.install(|| fib(10)), 55);
}

fn deep(depth: usize, sum: &AtomicUsize) {
    if depth > 0 {
        join(|| deep(depth - 1, sum), || sum.fetch_add(1, Ordering::Relaxed));
    }
}

#[test]
fn a_hundred_thousand_deep_in_the_first_closure() {
    let _dog = watchdog(120);
    for workers in [1, 2, 4] {
        let runtime = wyn_sched::Runtime::builder().workers(workers).stack_size(256 << 20).build().unwrap();
        let sum = AtomicUsize::new(0);
        runtime.install(|| deep(100_000, &sum));
        assert_eq!(sum.load(Ordering::Relaxed), 100_000);
    }
}

#[test]
fn what_a_branch_spawns_and_leaves_behind_is_run() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let runtime = runtime(workers);
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..200 {
            runtime.install(|| {
                join(
                    || {
                        for _ in 0..10 {
                            let count = Arc::clone(&count);
                            spawn_detached(move || {
                                count.fetch_add(1, Ordering::Relaxed);
                            });
                        }
                    },
                    || (),
                )
            });
        }
        wait_until("all have run", || count.load(Ordering::Relaxed) == 2000);
    }
}

#[test]
fn a_branch_that_was_run_by_a_wait_in_the_first_one_is_not_run_again() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        runtime(workers).install(|| {
            let runs = AtomicUsize::new(0);
            let after = Arc::new(AtomicUsize::new(0));
            for _ in 0..500 {
                let (outer, ()) = join(
                    || {
                        // On one worker, this wait runs its own task, and may run the branch.
                        let first = spawn(|| 1);
                        let second = spawn(|| 2);
                        let sum = first.join().unwrap() + second.join().unwrap();
                        let after = Arc::clone(&after);
                        spawn_detached(move || {
                            after.fetch_add(1, Ordering::Relaxed);
                        });
                        sum
                    },
                    || {
                        runs.fetch_add(1, Ordering::Relaxed);
                    },
                );
                assert_eq!(outer, 3);
            }
            assert_eq!(runs.load(Ordering::Relaxed), 500);
            wait_until("all have run", || {
                wyn_sched::yield_now();
                after.load(Ordering::Relaxed) == 500
            });
        });
    }
}

#[test]
fn a_stolen_branch_may_block_its_own_runner_on_the_first() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    for _ in 0..100 {
        let (sender, receiver) = std::sync::mpsc::channel();
        runtime.install(|| join(move || sender.send(1).unwrap(), move || receiver.recv().unwrap()));
    }
}

/// A waits for its stolen branch; what that one's thread has beside it waits for A's task.
#[test]
fn a_wait_for_a_branch_buries_nobody_who_is_waited_for() {
    let _dog = watchdog(120);
    for workers in [1, 2, 3, 8] {
        let runtime = runtime(workers);
        for round in 0..100 {
            let total: u64 = runtime.install(|| {
                let first = spawn(move || fib(10 + round % 5));
                let other = spawn(move || {
                    let (a, b) = join(|| first.join().unwrap(), || fib(12));
                    a + b
                });
                let (a, b) = join(|| fib(12), move || other.join().unwrap());
                a + b
            });
            assert_eq!(total, 144 + 144 + fib(10 + round % 5));
        }
    }
}

#[test]
fn joins_of_many_threads_outside_at_the_same_time() {
    let _dog = watchdog(120);
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert_eq!(fib(15), 610));
        }
    });
}

#[test]
fn a_join_in_the_destructor_of_a_thread_local() {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            assert_eq!(fib(10), 55);
        }
    }
    thread_local!(static LATE: Cell<Option<Late>> = const { Cell::new(None) });
    let _dog = watchdog(60);
    thread::spawn(|| {
        LATE.set(Some(Late));
        assert_eq!(fib(10), 55);
    })
    .join()
    .unwrap();
}

#[test]
fn runtimes_inside_runtimes() {
    let _dog = watchdog(60);
    let (outer, inner) = (runtime(2), runtime(2));
    let nested = outer.install(|| join(|| inner.install(|| fib(15)), || fib(15)));
    assert_eq!(nested, (610, 610));
}

#[test]
fn a_runtime_that_is_shut_down_finishes_the_joins_under_way() {
    let _dog = watchdog(60);
    for _ in 0..20 {
        let runtime = runtime(2);
        let done = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&done);
        let gate = Gate::default();
        let started = gate.clone();
        runtime.spawn_detached(move || {
            started.open();
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(5) {
                assert_eq!(fib(8), 21);
            }
            own.store(true, Ordering::Relaxed);
        });
        gate.wait();
        let _ = runtime.shutdown(Duration::ZERO);
        wait_until("the task ends", || done.load(Ordering::Relaxed));
    }
}

#[test]
fn stress_random_trees_of_joins_and_tasks() {
    let _dog = watchdog(240);
    fn grow(random: &mut Random, depth: u32) -> u64 {
        if depth == 0 {
            return 1;
        }
        let (mut left, mut right) = (Random::new(random.next()), Random::new(random.next()));
        match random.below(4) {
            0 => {
                let task = spawn(move || grow(&mut left, depth - 1));
                let other = grow(&mut right, depth - 1);
                task.join().unwrap() + other
            }
            1 => {
                let task = spawn(move || grow(&mut left, depth - 1));
                let (a, b) = join(|| task.join().unwrap(), || grow(&mut right, depth - 1));
                a + b
            }
            _ => {
                let (a, b) = join(|| grow(&mut left, depth - 1), || grow(&mut right, depth - 1));
                a + b
            }
        }
    }
    let seconds = env_number("WYN_STRESS_SECONDS").unwrap_or(1);
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        let mut random = Random::seeded("random trees");
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(seconds) {
            let mut own = Random::new(random.next());
            assert_eq!(runtime.install(move || grow(&mut own, 9)), 512);
        }
    }
}
