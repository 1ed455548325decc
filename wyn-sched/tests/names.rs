//! What a thread is called, which index its hooks see, and hooks that panic.
#![cfg(all(not(wyn_loom), feature = "channel"))]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;

use common::{wait_until, watchdog};
use wyn_sched::{Builder, Runtime};

type List<T> = Arc<Mutex<Vec<T>>>;

/// Has so many tasks wait at once, each of which needs a spare in the place of its worker, until `is_enough`.
fn wait_in(runtime: &Runtime, tasks: usize, is_enough: impl Fn() -> bool) {
    let (send, receive) = wyn_channel::unbounded();
    let waits = |_| {
        let receive = receive.clone();
        runtime.spawn(move || receive.recv().unwrap())
    };
    let handles: Vec<_> = (0..tasks).map(waits).collect();
    wait_until("all wait", || runtime.blocked().len() == tasks && is_enough());
    (0..tasks).for_each(|_| send.send(()).unwrap());
    handles.into_iter().for_each(|handle| handle.join_blocking().unwrap());
}

fn own_name() -> String {
    thread::current().name().unwrap_or("none").to_owned()
}

#[test]
fn a_workers_name_has_its_index() {
    let _dog = watchdog(60);
    for _ in 0..50 {
        let seen = List::default();
        let hook = Arc::clone(&seen);
        let runtime = Runtime::builder()
            .workers(4)
            .on_thread_start(move |index| hook.lock().unwrap().push((index, own_name())))
            .build()
            .unwrap();
        let named = |index| (index, format!("wyn-{index}"));
        let told = runtime.install(|| wyn_sched::broadcast(|worker| (worker.index(), own_name())));
        assert_eq!(told, [0, 1, 2, 3].map(named));
        let mut seen = std::mem::take(&mut *seen.lock().unwrap());
        seen.sort();
        assert_eq!(seen, [0, 1, 2, 3].map(named));
    }
}

#[test]
fn spares_have_the_lowest_indices_above_the_workers() {
    let _dog = watchdog(60);
    let (started, stopped) = (List::default(), List::default());
    let hooks = (Arc::clone(&started), Arc::clone(&stopped));
    let runtime = Runtime::builder()
        .workers(2)
        .on_thread_start(move |index| hooks.0.lock().unwrap().push((index, own_name())))
        .on_thread_stop(move |index| hooks.1.lock().unwrap().push(index))
        .build()
        .unwrap();
    let mut rounds = 0;
    for _ in 0..3 {
        rounds += 5;
        wait_in(&runtime, 5, || started.lock().unwrap().len() == 2 + rounds);
        // They leave after a while, and the next ones get their indices.
        wait_until("the spares have left", || stopped.lock().unwrap().len() == rounds);
    }
    drop(runtime);
    let started = started.lock().unwrap();
    assert!(started.iter().all(|(index, name)| *name == format!("wyn-{index}")), "{started:?}");
    let indices: Vec<_> = started.iter().map(|(index, _)| *index).collect();
    let spares = BTreeSet::from_iter(indices.iter().copied().filter(|&index| index >= 2));
    assert_eq!(spares, (2..7).collect());
    assert_eq!((indices.len(), stopped.lock().unwrap().len()), (2 + rounds, 2 + rounds));
}

/// A builder whose panic handler writes to the list.
fn told(workers: usize) -> (Builder, List<String>) {
    let told = List::default();
    let handler = Arc::clone(&told);
    let builder = Runtime::builder().workers(workers).panic_handler(move |error| {
        let payload = error.into_panic();
        handler.lock().unwrap().push(payload.downcast_ref::<String>().cloned().unwrap_or_default());
    });
    (builder, told)
}

#[test]
fn a_name_that_panics_for_a_spare_hangs_nobody() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let (builder, told) = told(workers);
        let name = move |index| {
            assert!(index < workers, "no name for {index}");
            format!("named-{index}")
        };
        let names = List::default();
        let hook = Arc::clone(&names);
        let started = move |_| hook.lock().unwrap().push(own_name());
        let runtime = builder.thread_name(name).on_thread_start(started).build().unwrap();
        wait_in(&runtime, 3, || names.lock().unwrap().len() == workers + 3);
        let mut names = names.lock().unwrap().clone();
        names.sort();
        let name = |index| format!("{}-{index}", if index < workers { "named" } else { "wyn" });
        assert_eq!(names, (0..workers + 3).map(name).collect::<Vec<_>>());
        let mut told = told.lock().unwrap().clone();
        told.sort();
        assert_eq!(told, [0, 1, 2].map(|spare| format!("no name for {}", workers + spare)));
    }
}

#[test]
fn a_name_with_a_zero_byte_is_none_for_a_spare() {
    let _dog = watchdog(60);
    let name = |index| if index < 1 { "named".to_owned() } else { format!("{index}\0") };
    let names = List::default();
    let hook = Arc::clone(&names);
    let (builder, told) = told(1);
    let started = move |_| hook.lock().unwrap().push(own_name());
    let runtime = builder.thread_name(name).on_thread_start(started).build().unwrap();
    wait_in(&runtime, 1, || names.lock().unwrap().len() == 2);
    assert_eq!(*names.lock().unwrap(), ["named", "wyn-1"]);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn a_spare_whose_start_hook_panics_runs_on() {
    let _dog = watchdog(60);
    let stopped = List::default();
    let stops = Arc::clone(&stopped);
    let (builder, told) = told(1);
    let runtime = builder
        .on_thread_start(|index| assert!(index % 2 == 0, "no start of {index}"))
        .on_thread_stop(move |index| stops.lock().unwrap().push(index))
        .build()
        .unwrap();
    wait_in(&runtime, 4, || told.lock().unwrap().len() == 2);
    drop(runtime);
    let mut stopped = stopped.lock().unwrap().clone();
    stopped.sort_unstable();
    assert_eq!(stopped, [0, 2, 4]);
    let mut told = told.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, ["no start of 1", "no start of 3"]);
}

#[test]
fn payloads_and_handlers_that_panic_hang_nobody_either() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the payload's destructor");
        }
    }
    let _dog = watchdog(60);
    // A handler that panics drops the error, and what is in it, while it unwinds: then the payload must not panic too.
    let quiet = |_| panic!("the function");
    let with_bomb = |_| std::panic::panic_any(Bomb);
    let name = |panic: fn(usize)| {
        move |index| {
            if index != 0 {
                panic(index);
            }
            String::new()
        }
    };
    let start = |panic: fn(usize)| {
        move |index| {
            if index != 0 {
                panic(index);
            }
        }
    };
    let builder = || Runtime::builder().workers(1);
    for builder in [
        builder().thread_name(name(with_bomb)).on_thread_start(start(with_bomb)),
        builder()
            .thread_name(name(quiet))
            .on_thread_start(start(quiet))
            .panic_handler(|_| panic!("the handler")),
    ] {
        wait_in(&builder.build().unwrap(), 3, || true);
    }
}

#[test]
fn a_name_that_panics_for_a_worker_panics_out_of_build() {
    let _dog = watchdog(60);
    let builder = Runtime::builder().workers(3).thread_name(|index| {
        assert!(index < 2, "no name");
        String::new()
    });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| builder.build())).is_err());
}
