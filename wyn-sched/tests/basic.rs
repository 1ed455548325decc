//! Values come back: from every kind of thread, nested, across runtimes.
#![cfg(not(wyn_loom))]

mod common;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use common::{Counter, WORKERS, runtime, wait_until, watchdog};
use wyn_sched::{JoinHandle, Runtime, spawn, spawn_detached, yield_now};

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let a = spawn(move || fib(n - 1));
    let b = fib(n - 2);
    a.join().unwrap() + b
}

#[test]
fn values_of_all_kinds_come_back() {
    let _dog = watchdog(60);
    assert_eq!(spawn(|| 7_u8).join().unwrap(), 7);
    assert_eq!(spawn(|| "text".to_owned()).join().unwrap(), "text");
    assert_eq!(spawn(|| vec![1, 2, 3]).join().unwrap(), [1, 2, 3]);
    assert_eq!(spawn(|| Err::<(), _>("no")).join().unwrap(), Err("no"));
    assert!(spawn(|| None::<Box<u64>>).join().unwrap().is_none());
    spawn(|| ()).join().unwrap();
}

#[test]
fn each_handle_gives_its_own_result_in_any_order() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        let all = || (0..1000_usize).map(|i| Some(runtime.spawn(move || i))).collect::<Vec<_>>();
        for (i, handle) in all().into_iter().enumerate() {
            assert_eq!(handle.unwrap().join().unwrap(), i);
        }
        for (i, handle) in all().into_iter().enumerate().rev() {
            assert_eq!(handle.unwrap().join().unwrap(), i);
        }
        let mut handles = all();
        for k in 0..1000 {
            let i = k * 387 % 1000;
            assert_eq!(handles[i].take().unwrap().join().unwrap(), i);
        }
    }
}

#[test]
fn a_join_runs_the_awaited_task_and_no_other() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let order = Arc::new(Mutex::new(Vec::new()));
    runtime.install(|| {
        let [a, b, c] = ["a", "b", "c"].map(|name| {
            let order = Arc::clone(&order);
            spawn(move || order.lock().unwrap().push(name))
        });
        c.join().unwrap();
        assert_eq!(*order.lock().unwrap(), ["c"]);
        a.join().unwrap();
        assert_eq!(*order.lock().unwrap(), ["c", "a"]);
        b.join().unwrap();
        assert_eq!(*order.lock().unwrap(), ["c", "a", "b"]);
    });
}

#[test]
fn many_from_outside_and_from_inside() {
    let _dog = watchdog(120);
    const MANY: u64 = 50_000;
    fn sum(spawn: impl Fn(u64) -> JoinHandle<u64>) -> u64 {
        let handles: Vec<_> = (0..MANY).map(spawn).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum()
    }
    for workers in WORKERS {
        let runtime = runtime(workers);
        assert_eq!(sum(|i| runtime.spawn(move || i)), MANY * (MANY - 1) / 2);
        assert_eq!(runtime.install(|| sum(|i| spawn(move || i))), MANY * (MANY - 1) / 2);
        let ran = Arc::new(AtomicU64::new(0));
        for _ in 0..MANY {
            let ran = Arc::clone(&ran);
            runtime.spawn_detached(move || _ = ran.fetch_add(1, Ordering::Relaxed));
        }
        drop(runtime);
        assert_eq!(ran.load(Ordering::Relaxed), MANY);
    }
}

#[test]
fn fib_by_spawn_and_join() {
    let _dog = watchdog(120);
    for workers in WORKERS {
        let runtime = runtime(workers);
        assert_eq!(runtime.install(|| fib(18)), 2584, "from inside, {workers} workers");
        assert_eq!(runtime.spawn(|| fib(18)).join().unwrap(), 2584, "from outside, {workers} workers");
    }
    assert_eq!(fib(18), 2584, "on the global runtime");
}

#[test]
fn joins_in_the_order_of_spawning_do_not_deadlock() {
    // The C runtime that this line comes from deadlocks at fib(5): it waits without helping.
    fn tree(depth: u32) -> u64 {
        if depth == 0 {
            return 1;
        }
        let children: Vec<_> = (0..3).map(|_| spawn(move || tree(depth - 1))).collect();
        children.into_iter().map(|child| child.join().unwrap()).sum()
    }
    let _dog = watchdog(120);
    for workers in WORKERS {
        assert_eq!(runtime(workers).install(|| tree(7)), 2187);
    }
}

#[test]
fn handles_are_joined_on_other_threads() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    let (sender, receiver) = channel::<JoinHandle<u64>>();
    // A thread that has no context of any runtime.
    let joiner = thread::spawn(move || receiver.iter().map(|handle| handle.join().unwrap()).sum::<u64>());
    for i in 0..2000 {
        sender.send(runtime.spawn(move || i)).unwrap();
    }
    drop(sender);
    assert_eq!(joiner.join().unwrap(), 1999 * 1000);
    // Other tasks of the same runtime, and of another.
    let other = common::runtime(1);
    let handle = runtime.spawn(|| 1);
    let handle = runtime.spawn(|| handle.join().unwrap() + 1);
    let handle = other.spawn(|| handle.join().unwrap() + 1);
    assert_eq!(runtime.install(|| handle.join().unwrap()), 3);
}

#[test]
fn a_thread_without_a_context_parks_until_the_result_is_there() {
    let _dog = watchdog(60);
    let gate = common::Gate::default();
    let inside = gate.clone();
    let handle = runtime(1);
    let handle = {
        let runtime = handle;
        let waiting = runtime.spawn(move || {
            inside.wait();
            5
        });
        let joiner = thread::spawn(|| waiting.join().unwrap());
        thread::sleep(std::time::Duration::from_millis(20));
        gate.open();
        joiner
    };
    assert_eq!(handle.join().unwrap(), 5);
}

#[test]
fn several_runtimes_serve_one_thread_alternately() {
    let _dog = watchdog(60);
    let runtimes: Vec<Runtime> = [1, 2, 3].map(runtime).into();
    let mut handles = Vec::new();
    for i in 0..3000_usize {
        handles.push(runtimes[i % 3].spawn(move || i));
        if i % 7 == 0 {
            handles.push(spawn(move || i));
        }
        if i % 100 == 99 {
            let total: usize = handles.drain(..).map(|handle| handle.join().unwrap()).sum();
            let tail = i - 99..=i;
            let all: usize = tail.clone().sum::<usize>() + tail.filter(|i| i % 7 == 0).sum::<usize>();
            assert_eq!(total, all);
        }
    }
    // One of them ends, and leaves this thread's contexts in the others alone.
    let mut runtimes = runtimes.into_iter();
    drop(runtimes.next());
    for runtime in runtimes {
        assert_eq!(runtime.spawn(|| 3).join().unwrap(), 3);
    }
    assert_eq!(spawn(|| 4).join().unwrap(), 4);
}

#[test]
fn the_free_functions_mean_the_runtime_of_the_worker() {
    let _dog = watchdog(60);
    let named = Runtime::builder().workers(2).thread_name(|i| format!("mine-{i}")).build().unwrap();
    let on_mine = || thread::current().name().is_some_and(|name| name.starts_with("mine-"));
    // The waiting thread is a worker too, so nobody but the workers runs what it spawns.
    assert!(named.install(move || (0..100).all(|_| spawn(on_mine).join().unwrap())));
    // A task of one runtime spawns on another, and waits there.
    let other = Arc::new(runtime(1));
    let inner = Arc::clone(&other);
    assert!(!named.install(move || inner.spawn(on_mine).join().unwrap_or(true)));
}

#[test]
fn install_borrows_and_nests_and_returns() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    let mut text = String::from("a");
    let len = runtime.install(|| {
        text.push('b');
        runtime.install(|| text.push('c'));
        text.len()
    });
    assert_eq!((len, text.as_str()), (3, "abc"));
}

#[test]
fn many_guests_come_and_go() {
    // More threads than a runtime has slots for guests: the surplus goes through the injector.
    let _dog = watchdog(120);
    let runtime = runtime(2);
    for _ in 0..3 {
        thread::scope(|scope| {
            for i in 0..100_u64 {
                let runtime = &runtime;
                scope.spawn(move || {
                    let handles: Vec<_> = (0..20).map(|k| runtime.spawn(move || i + k)).collect();
                    let sum: u64 = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
                    assert_eq!(sum, 20 * i + 190);
                });
            }
        });
    }
}

#[test]
fn a_guest_that_ends_leaves_its_tasks_to_the_workers() {
    let _dog = watchdog(60);
    let runtime = Arc::new(runtime(1));
    let counter = Counter::default();
    for _ in 0..50 {
        let (runtime, counter) = (Arc::clone(&runtime), counter.clone());
        let guest = thread::spawn(move || {
            for _ in 0..20 {
                let token = counter.token();
                runtime.spawn_detached(move || drop(token));
            }
        });
        guest.join().unwrap();
    }
    counter.assert_all_dropped();
    assert_eq!(counter.made(), 1000);
}

struct SpawnsOnDrop(Cell<Option<std::sync::mpsc::Sender<u64>>>);

impl Drop for SpawnsOnDrop {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let detached = sender.clone();
            spawn_detached(move || detached.send(1).unwrap());
            yield_now();
            let value = spawn(|| 2).join().unwrap();
            sender.send(value).unwrap();
        }
    }
}

thread_local! {
    static BEFORE: SpawnsOnDrop = const { SpawnsOnDrop(Cell::new(None)) };
    static AFTER: SpawnsOnDrop = const { SpawnsOnDrop(Cell::new(None)) };
}

#[test]
fn destructors_of_thread_locals_spawn_and_join() {
    let _dog = watchdog(60);
    for used_in_life in [false, true] {
        let (sender, receiver) = channel();
        let thread = thread::spawn(move || {
            BEFORE.with(|local| local.0.set(Some(sender.clone())));
            if used_in_life {
                assert_eq!(spawn(|| 1).join().unwrap(), 1);
            }
            AFTER.with(|local| local.0.set(Some(sender)));
        });
        thread.join().unwrap();
        assert_eq!(receiver.iter().sum::<u64>(), 6);
    }
}

#[test]
fn destructors_of_thread_locals_of_workers_spawn_and_join() {
    let _dog = watchdog(60);
    let (sender, receiver) = channel();
    let runtime = runtime(1);
    runtime.spawn_detached(move || BEFORE.with(|local| local.0.set(Some(sender))));
    drop(runtime);
    assert_eq!(receiver.iter().sum::<u64>(), 3);
}

#[test]
fn hooks_and_names_see_each_thread_once() {
    let _dog = watchdog(60);
    let started = Arc::new(Mutex::new(Vec::new()));
    let stopped = Arc::new(AtomicUsize::new(0));
    let (starts, stops) = (Arc::clone(&started), Arc::clone(&stopped));
    let runtime = Runtime::builder()
        .workers(5)
        .on_thread_start(move |index| starts.lock().unwrap().push(index))
        .on_thread_stop(move |_| _ = stops.fetch_add(1, Ordering::SeqCst))
        .build()
        .unwrap();
    assert_eq!(runtime.workers(), 5);
    let mut seen = started.lock().unwrap().clone();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    assert_eq!(stopped.load(Ordering::SeqCst), 0);
    drop(runtime);
    assert_eq!(stopped.load(Ordering::SeqCst), 5);
}

#[test]
fn yield_now_works_anywhere() {
    let _dog = watchdog(60);
    yield_now();
    let runtime = runtime(1);
    runtime.install(|| {
        yield_now();
        let ran = Arc::new(AtomicUsize::new(0));
        let inside = Arc::clone(&ran);
        spawn_detached(move || _ = inside.fetch_add(1, Ordering::SeqCst));
        // Another thread runs it in the place of this one.
        wait_until("the task is run", || {
            yield_now();
            ran.load(Ordering::SeqCst) == 1
        });
    });
}

#[test]
fn tasks_keep_their_borrowed_thread_state_apart() {
    // A helping wait runs other tasks on the same thread: a `RefCell` borrowed across it is theirs to see.
    thread_local!(static DEPTH: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
    let _dog = watchdog(60);
    let runtime = runtime(1);
    runtime.install(|| {
        let handles: Vec<_> = (0..10_u32)
            .map(|i| {
                spawn(move || {
                    DEPTH.with_borrow_mut(|depth| depth.push(i));
                    spawn(|| ()).join().unwrap();
                    assert_eq!(DEPTH.with_borrow_mut(Vec::pop), Some(i), "helping nests like calls");
                })
            })
            .collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    });
    wait_until("rest", || true);
}

#[test]
fn a_task_spawns_on_its_own_runtime_whoever_runs_it() {
    let _dog = watchdog(60);
    let [mine, other] = [1, 1].map(runtime);
    let gates = [&mine, &other].map(|runtime| {
        // The workers are busy, so that the waiting thread runs everything itself.
        let (started, gate) = (common::Gate::default(), common::Gate::default());
        let (start, open) = (started.clone(), gate.clone());
        runtime.spawn_detached(move || {
            start.open();
            open.wait();
        });
        started.wait();
        gate
    });
    let here = thread::current().id();
    let other = Arc::new(other);
    let nested = Arc::clone(&other);
    let child = mine.spawn(move || {
        assert_eq!(thread::current().id(), here);
        let theirs = nested.spawn(|| spawn(move || thread::current().id()));
        let theirs = theirs.join().unwrap();
        // Its worker is busy, and so is this one's: whoever joins a child runs it.
        assert_eq!(theirs.join().unwrap(), here);
        spawn(move || thread::current().id())
    });
    let child = child.join().unwrap();
    assert!(!child.is_finished(), "nobody else of its runtime is free");
    // Outside of tasks it is the global runtime again.
    let global = spawn(move || thread::current().id());
    wait_until("a worker of the global runtime has run it", || global.is_finished());
    gates.iter().for_each(common::Gate::open);
    wait_until("its own worker has run it", || child.is_finished());
    assert_ne!(child.join().unwrap(), here);
}
