//! Panics are values: no worker dies of one, nothing leaks, and the error says where the task was spawned.
#![cfg(not(wyn_loom))]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use common::{Counter, Gate, WORKERS, in_child, runtime, threads, wait_until, watchdog};
use wyn_sched::{BuildError, JoinHandle, Runtime, spawn};

/// Panics when dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("the bomb");
        }
    }
}

#[test]
fn the_panic_of_a_task_is_what_join_returns() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        let check = |handle: JoinHandle<u32>| {
            let error = handle.join().unwrap_err();
            assert!(error.is_panic() && !error.is_cancelled());
            assert_eq!(error.panic_message(), Some("number 7"));
            assert_eq!(*error.into_panic().downcast::<String>().unwrap(), "number 7");
        };
        let number = 7;
        // Taken by the handle's own thread, as a call.
        runtime.install(|| check(spawn(move || panic!("number {number}"))));
        // Run by somebody else first.
        let handle = runtime.spawn(move || panic!("number {number}"));
        wait_until("it is finished", || handle.is_finished());
        check(handle);
        assert_eq!(runtime.spawn(|| 1).join().unwrap(), 1, "the worker lives");
    }
}

#[test]
fn the_error_says_where_the_task_was_spawned() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let check = |handle: JoinHandle<()>, line: u32| {
        let error = handle.join().unwrap_err();
        let at = error.spawned_at().expect("known on 64-bit targets");
        assert_eq!((at.file(), at.line()), (file!(), line));
        assert!(error.to_string().contains(&format!("spawned at {}:{line}:", file!())), "{error}");
        assert!(error.to_string().ends_with("panicked: why"), "{error}");
        assert!(format!("{error:?}").contains("why"));
    };
    check(spawn(|| panic!("why")), line!());
    check(runtime.spawn(|| panic!("why")), line!());
    runtime.install(|| check(spawn(|| panic!("why")), line!()));
    // The place survives a thread that parks on it.
    let (started, gate) = (Gate::default(), Gate::default());
    let (start, open) = (started.clone(), gate.clone());
    let task = move || {
        start.open();
        open.wait();
        panic!("why")
    };
    let (handle, line) = (runtime.spawn(task), line!());
    started.wait();
    let handle = handle.join_timeout(std::time::Duration::from_millis(20)).unwrap_err();
    gate.open();
    check(handle, line);
}

#[test]
fn payloads_of_any_type_come_back_and_messages_only_of_strings() {
    let _dog = watchdog(60);
    let error = spawn(|| panic_any(42_u64)).join().unwrap_err();
    assert_eq!(error.panic_message(), None);
    assert!(error.to_string().ends_with("panicked"), "{error}");
    assert_eq!(*error.into_panic().downcast::<u64>().unwrap(), 42);
    let error = spawn(|| panic!("static")).join().unwrap_err();
    assert_eq!(error.panic_message(), Some("static"));
    assert!(error.try_into_panic().is_ok());
}

#[test]
fn a_panic_travels_up_through_every_join() {
    fn dig(depth: u32) -> u32 {
        assert!(depth > 0, "bottom");
        match spawn(move || dig(depth - 1)).join() {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    let _dog = watchdog(60);
    for workers in [1, 2, 8] {
        let error = runtime(workers).spawn(|| dig(30)).join().unwrap_err();
        assert_eq!(error.panic_message(), Some("bottom"));
    }
}

#[test]
fn install_panics_with_the_panic_of_its_closure() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let caught = catch_unwind(AssertUnwindSafe(|| runtime.install(|| panic!("inside"))));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"inside"));
    assert_eq!(runtime.install(|| 3), 3);
}

/// A runtime whose handler notes what it is told.
fn with_handler(workers: usize) -> (Runtime, Arc<Mutex<Vec<String>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let own = Arc::clone(&notes);
    let runtime = Runtime::builder()
        .workers(workers)
        .panic_handler(move |error| own.lock().unwrap().push(error.to_string()))
        .build()
        .unwrap();
    (runtime, notes)
}

#[test]
fn the_handler_hears_of_detached_tasks_and_dropped_handles() {
    let _dog = watchdog(60);
    let (runtime, notes) = with_handler(1);
    runtime.spawn_detached(|| panic!("detached"));
    wait_until("it was told", || notes.lock().unwrap().len() == 1);
    assert!(notes.lock().unwrap()[0].contains(&format!("spawned at {}", file!())));
    assert!(notes.lock().unwrap()[0].ends_with("panicked: detached"));
    // Dropped before it ran, while it ran.
    drop(runtime.spawn(|| panic!("before")));
    let (gate, started) = (Gate::default(), Gate::default());
    let (open, start) = (gate.clone(), started.clone());
    let handle = runtime.spawn(move || {
        start.open();
        open.wait();
        panic!("during")
    });
    started.wait();
    handle.detach();
    gate.open();
    runtime.install(|| spawn(|| panic!("inside")).detach());
    // What a handle reports is not reported twice.
    assert!(runtime.spawn(|| panic!("reported")).join().is_err());
    // A handle that is dropped while its task runs may be heard of late, but before the end.
    drop(runtime);
    let mut heard: Vec<_> =
        notes.lock().unwrap().iter().map(|n| n.rsplit(' ').next().unwrap().to_owned()).collect();
    heard.sort_unstable();
    assert_eq!(heard, ["before", "detached", "during", "inside"]);
}

#[test]
fn the_handler_of_a_handle_dropped_afterwards_is_the_dropping_threads() {
    let _dog = watchdog(60);
    let (runtime, notes) = with_handler(1);
    let handle = runtime.spawn(|| panic!("after"));
    wait_until("finished", || handle.is_finished());
    drop(handle);
    assert_eq!(notes.lock().unwrap().len(), 1);
}

#[test]
fn a_handler_that_panics_takes_no_worker_with_it() {
    let _dog = watchdog(60);
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    let runtime = Runtime::builder()
        .workers(1)
        .panic_handler(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("the handler")
        })
        .build()
        .unwrap();
    for _ in 0..10 {
        runtime.spawn_detached(|| panic!("the task"));
    }
    assert_eq!(runtime.install(|| 1), 1);
    drop(runtime);
    assert_eq!(called.load(Ordering::SeqCst), 10);
}

#[test]
fn panics_of_destructors_stay_where_they_belong() {
    let _dog = watchdog(60);
    for workers in [1, 2] {
        let runtime = runtime(workers);
        // Of what the closure holds: the task's own panic.
        for _ in 0..10 {
            let bomb = Bomb;
            let handle = runtime.spawn(move || _ = &bomb);
            assert_eq!(handle.join().unwrap_err().panic_message(), Some("the bomb"));
        }
        // Of a result nobody takes: dropped before, and after it is there.
        drop(runtime.spawn(|| Bomb));
        let handle = runtime.spawn(|| Bomb);
        wait_until("finished", || handle.is_finished());
        drop(handle);
        // Of a result that is taken: the taker's.
        let bomb = runtime.spawn(|| Bomb).join().unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| drop(bomb))).is_err());
        assert_eq!(runtime.spawn(|| 1).join().unwrap(), 1, "the worker lives");
    }
}

#[test]
fn a_payload_that_panics_when_dropped_kills_no_worker() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    for _ in 0..5 {
        runtime.spawn_detached(|| panic_any(Bomb));
        drop(runtime.spawn(|| panic_any(Bomb)));
        let handle = runtime.spawn(|| panic_any(Bomb));
        wait_until("finished", || handle.is_finished());
        drop(handle);
    }
    let error = runtime.spawn(|| panic_any(Bomb)).join().unwrap_err();
    assert!(error.is_panic());
    std::mem::forget(error);
    assert_eq!(runtime.spawn(|| 1).join().unwrap(), 1);
}

#[test]
fn a_child_outlives_the_parent_that_panics_over_it() {
    // chili #bug: `b` panics while the job of `a` is queued, and the job's frame is gone when it is run.
    let _dog = watchdog(60);
    for workers in WORKERS {
        let counter = Counter::default();
        let runtime = runtime(workers);
        for _ in 0..200 {
            let token = counter.token();
            let parent = runtime.spawn(move || {
                let _child = spawn(move || std::hint::black_box(token));
                panic!("over it");
            });
            assert!(parent.join().is_err());
        }
        drop(runtime);
        counter.assert_all_dropped();
        assert_eq!(counter.made(), 200);
    }
}

#[test]
fn spawning_and_joining_works_while_unwinding() {
    struct JoinsOnDrop(std::sync::mpsc::Sender<u32>);
    impl Drop for JoinsOnDrop {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            self.0.send(spawn(|| 6).join().unwrap()).unwrap();
        }
    }
    let _dog = watchdog(60);
    let (sender, receiver) = channel();
    let on_worker = JoinsOnDrop(sender.clone());
    let task = move || {
        let _guard = on_worker;
        panic!("unwind");
    };
    assert!(runtime(1).spawn(task).join().is_err());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _guard = JoinsOnDrop(sender);
        panic!("unwind");
    }));
    assert!(caught.is_err());
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [6, 6]);
}

#[test]
fn a_start_hook_that_panics_fails_the_build_and_leaves_no_thread() {
    in_child("a_start_hook_that_panics_fails_the_build_and_leaves_no_thread", &[], || {
        let before = threads("").len();
        for bad in [0, 3, 7] {
            let [started, stopped] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
            let (starts, stops) = (Arc::clone(&started), Arc::clone(&stopped));
            let built = Runtime::builder()
                .workers(8)
                .on_thread_start(move |index| {
                    assert!(index != bad, "hook of {index}");
                    starts.fetch_add(1, Ordering::SeqCst);
                })
                .on_thread_stop(move |_| _ = stops.fetch_add(1, Ordering::SeqCst))
                .build();
            let error = built.unwrap_err();
            assert!(matches!(&error, BuildError::StartHook(text) if *text == format!("hook of {bad}")));
            assert!(error.to_string().starts_with("the start hook panicked: hook of"));
            wait_until("all threads have ended", || threads("").len() == before);
            assert_eq!(stopped.load(Ordering::SeqCst), started.load(Ordering::SeqCst));
        }
    });
}

#[test]
fn a_stop_hook_that_panics_hinders_nobody() {
    let _dog = watchdog(60);
    let runtime = Runtime::builder().workers(3).on_thread_stop(|_| panic!("stop")).build().unwrap();
    assert_eq!(runtime.spawn(|| 2).join().unwrap(), 2);
    drop(runtime);
}

#[test]
fn a_naming_function_that_panics_leaves_no_thread() {
    in_child("a_naming_function_that_panics_leaves_no_thread", &[], || {
        let before = threads("").len();
        let builder = Runtime::builder().workers(4).thread_name(|index| {
            assert!(index < 2, "no name for {index}");
            format!("n-{index}")
        });
        assert!(catch_unwind(AssertUnwindSafe(|| builder.build())).is_err());
        wait_until("all threads have ended", || threads("").len() == before);
    });
}

#[test]
fn a_thread_that_ends_reports_the_panics_it_has_put_off() {
    let _dog = watchdog(60);
    let (runtime, notes) = with_handler(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (started, gate) = (Gate::default(), Gate::default());
            let (start, open) = (started.clone(), gate.clone());
            let handle = runtime.spawn(move || {
                start.open();
                open.wait();
                panic!("late")
            });
            started.wait();
            drop(handle);
            gate.open();
        });
    });
    wait_until("it was told", || notes.lock().unwrap().len() == 1);
}
