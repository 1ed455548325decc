//! Input that cannot be served is a typed error, and leaves no thread behind.
#![cfg(not(wyn_loom))]

mod common;

use std::error::Error;
use std::time::Duration;

use common::{in_child, threads, wait_until, watchdog};
use wyn_sched::{BuildError, MAX_WORKERS, Runtime, spawn};

#[test]
fn no_workers_and_too_many_are_errors() {
    let error = Runtime::builder().workers(0).build().unwrap_err();
    assert!(matches!(error, BuildError::NoWorkers));
    assert_eq!(error.to_string(), "a runtime needs at least one worker");
    for asked in [MAX_WORKERS + 1, usize::MAX] {
        let error = Runtime::builder().workers(asked).build().unwrap_err();
        assert!(matches!(error, BuildError::TooManyWorkers { asked: told } if told == asked));
        assert!(error.to_string().contains("1024"), "{error}");
        assert!(error.source().is_none());
    }
}

#[test]
fn the_most_workers_work() {
    in_child("the_most_workers_work", &[], || {
        let runtime = Runtime::builder().workers(MAX_WORKERS).stack_size(256 << 10).build().unwrap();
        let handles: Vec<_> = (0..10_000_u64).map(|i| runtime.spawn(move || i)).collect();
        assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>(), 49_995_000);
        assert_eq!(runtime.shutdown(Duration::from_secs(30)), Ok(()));
    });
}

#[test]
fn tiny_stacks_serve_small_tasks() {
    let _dog = watchdog(60);
    for bytes in [0, 1, 64 << 10, 128 << 10] {
        let runtime = Runtime::builder().workers(2).stack_size(bytes).build().unwrap();
        let handles: Vec<_> = (0..100_u64).map(|i| runtime.spawn(move || i)).collect();
        assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>(), 4950);
    }
}

#[test]
fn an_impossible_stack_is_an_error() {
    in_child("an_impossible_stack_is_an_error", &[], || {
        let before = threads("").len();
        let error = Runtime::builder().workers(2).stack_size(1 << 46).build().unwrap_err();
        assert!(matches!(error, BuildError::Thread(_)), "{error}");
        assert!(error.source().is_some());
        wait_until("all threads have ended", || threads("").len() == before);
    });
}

#[test]
fn a_name_that_no_thread_can_have_is_an_error() {
    in_child("a_name_that_no_thread_can_have_is_an_error", &[], || {
        let before = threads("").len();
        let builder = Runtime::builder().workers(3).thread_name(|i| format!("{i}{}", ["", "\0"][i / 2]));
        let error = builder.build().unwrap_err();
        assert!(matches!(error, BuildError::Thread(_)), "{error}");
        wait_until("all threads have ended", || threads("").len() == before);
    });
}

#[cfg(target_os = "linux")]
fn limit(resource: libc::__rlimit_resource_t, to: u64) {
    let limit = libc::rlimit { rlim_cur: to, rlim_max: to };
    // SAFETY: reads the struct.
    let set = unsafe { libc::setrlimit(resource, &raw const limit) };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
}

#[cfg(target_os = "linux")]
#[test]
fn running_out_of_address_space_part_way_is_an_error_that_leaves_no_thread() {
    in_child("running_out_of_address_space_part_way_is_an_error_that_leaves_no_thread", &[], || {
        let before = threads("").len();
        let status = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = status.split(' ').next().unwrap().parse().unwrap();
        // Some workers' stacks of 64 MiB, but not those of all; room for malloc's arenas besides.
        limit(libc::RLIMIT_AS, pages * 4096 + (1 << 30));
        for _ in 0..3 {
            let error = Runtime::builder().workers(64).stack_size(64 << 20).build().unwrap_err();
            assert!(matches!(error, BuildError::Thread(_)), "{error}");
            assert!(error.to_string().starts_with("a worker thread could not be started"), "{error}");
            wait_until("all threads have ended", || threads("").len() == before);
        }
        // And what there is room for works.
        let runtime = Runtime::builder().workers(2).build().unwrap();
        assert_eq!(runtime.spawn(|| 1).join().unwrap(), 1);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn running_out_of_threads_part_way_is_an_error_that_leaves_no_thread() {
    in_child("running_out_of_threads_part_way_is_an_error_that_leaves_no_thread", &[], || {
        // The limit does not hold for root; nobody has no other threads than these (nearly).
        // SAFETY: no memory of ours is involved.
        if unsafe { libc::getuid() } == 0 {
            let nobody = 65_534 - u32::from(std::process::id().is_multiple_of(2));
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setgid(nobody) }, 0);
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setuid(nobody) }, 0);
        }
        let before = threads("").len();
        limit(libc::RLIMIT_NPROC, before as u64 + 5);
        let error = Runtime::builder().workers(16).build().unwrap_err();
        assert!(matches!(error, BuildError::Thread(_)), "{error}");
        wait_until("all threads have ended", || threads("").len() == before);
    });
}

/// How many workers the global runtime has when `WYN_WORKERS` is set so.
fn global_workers(test: &str, text: &str, expected: usize) {
    in_child(test, &[("WYN_WORKERS", text)], || {
        assert_eq!(spawn(|| 5).join().unwrap(), 5);
        assert_eq!(wyn_sched::global().workers(), expected);
        assert_eq!(Runtime::new().unwrap().workers(), expected);
    });
}

fn processors() -> usize {
    std::thread::available_parallelism().unwrap().get()
}

#[test]
fn wyn_workers_is_obeyed() {
    global_workers("wyn_workers_is_obeyed", " 3 ", 3);
}

#[test]
fn wyn_workers_of_zero_is_ignored() {
    global_workers("wyn_workers_of_zero_is_ignored", "0", processors());
}

#[test]
fn wyn_workers_that_is_no_number_is_ignored() {
    global_workers("wyn_workers_that_is_no_number_is_ignored", "-2 or so", processors());
}

#[test]
fn wyn_workers_beyond_the_most_is_cut() {
    global_workers("wyn_workers_beyond_the_most_is_cut", "999999", MAX_WORKERS);
}
