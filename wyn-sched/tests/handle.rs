//! What can be done with a handle: join, try, wait a while, ask, await, drop, each before, during and after.
#![cfg(not(wyn_loom))]

mod common;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use common::{Counter, Gate, WORKERS, runtime, wait_until, watchdog};
use wyn_sched::{JoinHandle, Runtime, spawn};

/// A task that says when it has started, and waits for leave to end.
fn gated<T: Send + 'static>(runtime: &Runtime, value: T) -> (JoinHandle<T>, Gate) {
    let (started, gate) = (Gate::default(), Gate::default());
    let (start, end) = (started.clone(), gate.clone());
    let handle = runtime.spawn(move || {
        start.open();
        end.wait();
        value
    });
    started.wait();
    (handle, gate)
}

struct Unpark(Thread, AtomicUsize);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

/// The smallest executor.
fn block_on<F: Future>(future: F) -> F::Output {
    let unpark = Arc::new(Unpark(thread::current(), AtomicUsize::new(0)));
    let waker = Waker::from(unpark);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn dropped_before_during_and_after_the_task_runs_and_its_result_is_dropped_once() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let counter = Counter::default();
        let runtime = runtime(workers);
        for round in 0..50 {
            let token = counter.token();
            drop(runtime.spawn(move || token));
            let (handle, gate) = gated(&runtime, counter.token());
            if round % 2 == 0 {
                drop(handle);
            } else {
                handle.detach();
            }
            gate.open();
            let token = counter.token();
            let handle = runtime.spawn(move || token);
            wait_until("finished", || handle.is_finished());
            drop(handle);
            let token = counter.token();
            runtime.install(|| spawn(move || token).detach());
        }
        drop(runtime);
        counter.assert_all_dropped();
        assert_eq!(counter.made(), 200);
    }
}

#[test]
fn forgotten_handles_leak_their_result_and_nothing_else() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    std::mem::forget(runtime.spawn(|| 1));
    assert_eq!(runtime.spawn(|| 2).join().unwrap(), 2);
}

#[test]
fn try_join_gives_the_handle_back_until_the_result_is_there() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let (handle, gate) = gated(&runtime, 5);
    assert!(!handle.is_finished());
    let handle = handle.try_join().unwrap_err();
    gate.open();
    wait_until("finished", || handle.is_finished());
    assert_eq!(handle.try_join().unwrap().unwrap(), 5);
    // It does not run the task: on one worker that stays busy, it is never finished.
    runtime.install(|| {
        let mut handle = spawn(|| 6);
        for _ in 0..100 {
            handle = handle.try_join().unwrap_err();
        }
        assert_eq!(handle.join().unwrap(), 6);
    });
}

#[test]
fn join_timeout_gives_the_handle_back_in_time() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let (handle, gate) = gated(&runtime, 5);
    let start = Instant::now();
    let handle = handle.join_timeout(Duration::ZERO).unwrap_err();
    let handle = handle.join_timeout(Duration::from_nanos(1)).unwrap_err();
    let handle = handle.join_timeout(Duration::from_millis(30)).unwrap_err();
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(30) && waited < Duration::from_secs(5), "{waited:?}");
    gate.open();
    assert_eq!(handle.join_timeout(Duration::MAX).unwrap().unwrap(), 5);
    // From a worker, which must rest with a deadline.
    let two = common::runtime(2);
    let (handle, gate) = gated(&two, 6);
    let start = Instant::now();
    let handle = two.install(|| handle.join_timeout(Duration::from_millis(30))).unwrap_err();
    assert!(start.elapsed() >= Duration::from_millis(30));
    gate.open();
    assert_eq!(two.install(|| handle.join_timeout(Duration::from_secs(20))).unwrap().unwrap(), 6);
    // From a thread without a context.
    let (handle, gate) = gated(&two, 7);
    let handle = thread::spawn(move || handle.join_timeout(Duration::from_millis(5)).unwrap_err());
    let handle = handle.join().unwrap();
    gate.open();
    let handle = thread::spawn(move || handle.join_timeout(Duration::MAX).unwrap().unwrap());
    assert_eq!(handle.join().unwrap(), 7);
}

#[test]
fn a_wait_with_a_timeout_does_not_run_the_task() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    runtime.install(|| {
        let thread = thread::current().id();
        let handle = spawn(|| thread::current().id());
        let handle = handle.join_timeout(Duration::ZERO).expect_err("nobody has run it yet");
        let runner = handle.join_timeout(Duration::from_secs(20)).expect("another thread runs it").unwrap();
        assert_ne!(runner, thread);
    });
}

#[test]
fn a_task_runs_in_its_own_runtime_whoever_joins_it() {
    let _dog = watchdog(60);
    let (ours, theirs) = (runtime(1), runtime(3));
    // All workers of the other runtime are busy when its task is spawned and joined.
    let gates: Vec<_> = (0..3).map(|_| Gate::default()).collect();
    for gate in &gates {
        let (gate, begun) = (gate.clone(), Gate::default());
        let begins = begun.clone();
        theirs.spawn_detached(move || {
            begins.open();
            gate.wait();
        });
        begun.wait();
    }
    let handle = theirs.spawn(wyn_sched::worker_count);
    let joined = ours.spawn(move || handle.join().unwrap());
    thread::sleep(Duration::from_millis(20));
    gates.iter().for_each(Gate::open);
    assert_eq!(joined.join().unwrap(), 3);
}

/// Spawns and joins in random order; each task leaves its number.
fn in_any_order(spawn: &impl Fn(u64) -> JoinHandle<u64>, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % n
    };
    let mut waiting: Vec<(u64, JoinHandle<u64>)> = Vec::new();
    for number in 0..60 {
        if below(5) < 3 || waiting.is_empty() {
            waiting.push((number, spawn(number)));
            continue;
        }
        // The newest, the oldest, the one after that, or any.
        let at = match below(5) {
            0 | 1 => waiting.len() - 1,
            2 => 0,
            3 => 1.min(waiting.len() - 1),
            _ => below(waiting.len()),
        };
        let (number, handle) = waiting.remove(at);
        assert_eq!(handle.join().unwrap(), number, "seed {seed}");
    }
    for (number, handle) in waiting {
        assert_eq!(handle.join().unwrap(), number, "seed {seed}");
    }
}

#[test]
fn tasks_are_awaited_in_any_order() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let (gate, begun) = (Gate::default(), Gate::default());
    let (open, begins) = (gate.clone(), begun.clone());
    runtime.spawn_detached(move || {
        begins.open();
        open.wait();
    });
    begun.wait();
    // Nobody steals: each task must be found where it lies.
    for seed in 0..3000 {
        in_any_order(&|number| runtime.spawn(move || number), seed);
    }
    gate.open();
    runtime.install(|| (0..3000).for_each(|seed| in_any_order(&|number| spawn(move || number), seed)));
    (0..3000).for_each(|seed| in_any_order(&|number| spawn(move || number), seed));
}

#[test]
fn many_waits_with_timeouts_race_with_the_completion() {
    // rayon #739, #913, #1011: a latch touched after the waiter has freed its frame. The sanitizer sees it.
    let _dog = watchdog(120);
    let runtime = runtime(2);
    for round in 0..3000_u64 {
        let handle = runtime.spawn(move || {
            (0..round % 97 * 20).for_each(|_| std::hint::spin_loop());
            round
        });
        let joiner = thread::spawn(move || {
            let mut handle = handle;
            loop {
                match handle.join_timeout(Duration::from_micros(round % 50)) {
                    Ok(value) => return value.unwrap(),
                    Err(again) => handle = again,
                }
            }
        });
        assert_eq!(joiner.join().unwrap(), round);
    }
}

#[test]
fn awaiting_wakes_the_executor() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        assert_eq!(block_on(runtime.spawn(|| 1)).unwrap(), 1);
        let (handle, gate) = gated(&runtime, 2);
        let waiter = thread::spawn(move || block_on(handle).unwrap());
        thread::sleep(Duration::from_millis(5));
        gate.open();
        assert_eq!(waiter.join().unwrap(), 2);
        let error = block_on(runtime.spawn(|| panic!("async"))).map(|()| 0).unwrap_err();
        assert_eq!(error.panic_message(), Some("async"));
        assert_eq!(error.spawned_at().unwrap().file(), file!());
        // Many at once, from a task.
        let sum = runtime.spawn(|| {
            let handles: Vec<_> = (0..100_u64).map(|i| spawn(move || i)).collect();
            async {
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await.unwrap();
                }
                sum
            }
        });
        let sum = block_on(async { sum.await.unwrap().await });
        assert_eq!(sum, 4950);
    }
}

fn poll<T>(handle: &mut JoinHandle<T>, waker: &Waker) -> Poll<Result<T, wyn_sched::JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(waker))
}

#[test]
fn the_waker_of_the_last_poll_is_woken_once() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let (mut handle, gate) = gated(&runtime, 3);
    let [first, second] = [(); 2].map(|()| Arc::new(Unpark(thread::current(), AtomicUsize::new(0))));
    for _ in 0..3 {
        assert!(poll(&mut handle, &Waker::from(Arc::clone(&first))).is_pending());
    }
    assert!(poll(&mut handle, &Waker::from(Arc::clone(&second))).is_pending());
    assert_eq!(Arc::strong_count(&first), 1, "replaced wakers are dropped");
    gate.open();
    wait_until("woken", || second.1.load(Ordering::SeqCst) == 1);
    assert_eq!(first.1.load(Ordering::SeqCst), 0);
    let Poll::Ready(result) = poll(&mut handle, Waker::noop()) else { panic!("woken before it is ready") };
    assert_eq!(result.unwrap(), 3);
    wait_until("its waker is dropped", || Arc::strong_count(&second) == 1);
}

#[test]
fn after_a_poll_a_handle_can_do_anything_else() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let counter = Counter::default();
        let runtime = runtime(workers);
        for way in 0..6 {
            let (mut handle, gate) = gated(&runtime, counter.token());
            let unpark = Arc::new(Unpark(thread::current(), AtomicUsize::new(0)));
            assert!(poll(&mut handle, &Waker::from(Arc::clone(&unpark))).is_pending());
            match way {
                0 => drop(handle),
                1 => {
                    gate.open();
                    drop(handle.join().unwrap());
                }
                2 => {
                    let handle = handle.try_join().unwrap_err();
                    gate.open();
                    drop(handle.join().unwrap());
                }
                3 => {
                    let handle = handle.join_timeout(Duration::from_millis(1)).unwrap_err();
                    gate.open();
                    drop(block_on(handle).unwrap());
                }
                4 => {
                    gate.open();
                    wait_until("finished", || handle.is_finished());
                    drop(handle);
                }
                _ => {
                    let joiner = thread::spawn(|| drop(handle.join().unwrap()));
                    thread::sleep(Duration::from_millis(2));
                    gate.open();
                    joiner.join().unwrap();
                }
            }
            gate.open();
            wait_until("the waker is dropped", || Arc::strong_count(&unpark) == 1);
        }
        counter.assert_all_dropped();
    }
}

#[test]
fn wakers_that_panic_take_no_worker_with_them() {
    struct Grenade;
    impl Wake for Grenade {
        fn wake(self: Arc<Self>) {
            panic!("woken");
        }
    }
    let _dog = watchdog(60);
    let runtime = runtime(1);
    for _ in 0..5 {
        let (mut handle, gate) = gated(&runtime, 4);
        assert!(poll(&mut handle, &Waker::from(Arc::new(Grenade))).is_pending());
        gate.open();
        assert_eq!(handle.join().unwrap(), 4);
    }
    assert_eq!(runtime.install(|| 5), 5);
}

#[test]
fn a_result_taken_by_a_poll_is_gone() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let taken = || {
        let mut handle = runtime.spawn(|| 1);
        wait_until("finished", || handle.is_finished());
        assert!(poll(&mut handle, Waker::noop()).is_ready());
        assert!(handle.is_finished());
        handle
    };
    drop(taken());
    let panics = |f: Box<dyn FnOnce(JoinHandle<i32>)>| {
        let handle = taken();
        assert!(catch_unwind(AssertUnwindSafe(move || f(handle))).is_err());
    };
    panics(Box::new(|handle| _ = handle.join()));
    panics(Box::new(|handle| _ = handle.try_join()));
    panics(Box::new(|handle| _ = handle.join_timeout(Duration::ZERO)));
    panics(Box::new(|mut handle| _ = poll(&mut handle, Waker::noop())));
}

#[test]
fn a_result_published_while_the_waiter_goes_to_sleep_wakes_it() {
    // The C runtime looks the waiter up before it publishes, and hangs 20 of 150 runs.
    let _dog = watchdog(120);
    let runtime = runtime(2);
    for round in 0..5000_u32 {
        let handle = runtime.spawn(move || {
            (0..round % 211 * 10).for_each(|_| std::hint::spin_loop());
            round
        });
        match round % 3 {
            0 => assert_eq!(handle.join().unwrap(), round),
            1 => assert_eq!(runtime.install(|| handle.join().unwrap()), round),
            _ => assert_eq!(block_on(handle).unwrap(), round),
        }
    }
}

#[test]
fn debug_says_whether_it_is_finished() {
    let _dog = watchdog(60);
    let handle = spawn(|| 1);
    wait_until("finished", || handle.is_finished());
    assert!(format!("{handle:?}").contains("finished: true"));
}
