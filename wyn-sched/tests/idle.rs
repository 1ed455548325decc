//! Workers without work: they cost nothing, and miss nothing.
#![cfg(not(wyn_loom))]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use common::{Random, env_number, runtime, threads, wait_until, watchdog};
use wyn_sched::{Runtime, spawn};

/// Threads get this name, cut to what the kernel keeps of it.
fn named(workers: usize, name: &'static str) -> Runtime {
    Runtime::builder().workers(workers).thread_name(move |_| name.to_owned()).build().unwrap()
}

fn burst(runtime: &Runtime) {
    let handles: Vec<_> = (0..5000_u64).map(|i| runtime.spawn(move || i)).collect();
    assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>(), 4999 * 2500);
}

#[test]
fn after_a_burst_no_worker_runs_or_wakes() {
    let _dog = watchdog(60);
    for workers in [1, 2, 8, 64] {
        let runtime = named(workers, "idle");
        burst(&runtime);
        thread::sleep(Duration::from_millis(100));
        if threads("idle").len() < workers {
            eprintln!("no /proc here: nothing to see");
            return;
        }
        // Anything that wakes on a clock wakes again and again; on a loaded machine the last of the burst
        // may take a while to lie down.
        let mut quiet = false;
        for _ in 0..5 {
            let before = threads("idle");
            thread::sleep(Duration::from_secs(1));
            quiet = threads("idle") == before;
            if quiet {
                break;
            }
        }
        assert!(quiet, "{workers} workers: {:#?}", threads("idle"));
        burst(&runtime);
    }
}

#[test]
fn a_worker_that_waits_for_a_task_costs_nothing_either() {
    let _dog = watchdog(60);
    let runtime = named(3, "waits");
    let gate = common::Gate::default();
    let open = gate.clone();
    let slow = runtime.spawn(move || open.wait());
    let waits = runtime.spawn(move || {
        spawn(|| ()).join().unwrap();
        slow.join().unwrap();
    });
    // Not joined from here: this thread would help.
    thread::sleep(Duration::from_millis(200));
    let quiet = (0..5).any(|_| {
        let before = threads("waits");
        thread::sleep(Duration::from_millis(500));
        threads("waits") == before
    });
    gate.open();
    waits.join().unwrap();
    assert!(quiet);
}

/// Calls `push` while the workers are somewhere on their way to sleep, and waits for what it pushes.
fn falls_asleep(name: &str, workers: usize, push: impl Fn(&Runtime, Box<dyn FnOnce() + Send>)) {
    let _dog = watchdog(110);
    let mut random = Random::seeded(name);
    let runtime = runtime(workers);
    let rounds = env_number("WYN_ROUNDS").unwrap_or(1500);
    let mut late = Vec::new();
    for round in 0..rounds {
        // Searchers retire after some 20 µs, the watcher lies down after about 4 ms.
        let pause = Duration::from_micros(random.below([30, 300, 6000][usize::try_from(round % 3).unwrap()]));
        let until = Instant::now() + pause;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let (sender, receiver) = channel();
        let pushed = Instant::now();
        push(&runtime, Box::new(move || sender.send(()).unwrap()));
        let ran = receiver.recv_timeout(Duration::from_secs(5));
        assert!(ran.is_ok(), "a task is left beside idle workers: round {round} after {pause:?}");
        if pushed.elapsed() > Duration::from_millis(100) {
            late.push((round, pause, pushed.elapsed()));
        }
    }
    // The machine may be late now and then; a protocol that rests on a clock is late again and again.
    assert!(late.len() as u64 <= rounds / 500, "{late:?}");
}

#[test]
fn a_task_pushed_while_the_only_worker_falls_asleep_is_run() {
    // Forte: a queue is read once and never again before the sleep, and a job lies there for seconds.
    falls_asleep("one worker", 1, |runtime, task| runtime.spawn_detached(task));
}

#[test]
fn a_task_pushed_while_workers_fall_asleep_is_run() {
    falls_asleep("three workers", 3, |runtime, task| runtime.spawn_detached(task));
}

#[test]
fn a_task_pushed_while_sixty_four_workers_fall_asleep_is_run() {
    falls_asleep("64 workers", 64, |runtime, task| runtime.spawn_detached(task));
}

#[test]
fn a_task_injected_while_workers_fall_asleep_is_run() {
    falls_asleep("injected", 2, |runtime, task| runtime.install(task));
}

#[test]
fn a_task_pushed_by_a_worker_that_blocks_is_run() {
    falls_asleep("from a worker", 2, |runtime, task| {
        runtime.spawn_detached(move || {
            let (sender, receiver) = channel();
            wyn_sched::spawn_detached(move || {
                task();
                sender.send(()).unwrap();
            });
            receiver.recv().unwrap();
        });
    });
}

#[test]
fn sixty_four_workers_on_few_processors_serve_bursts_between_naps() {
    let _dog = watchdog(60);
    let runtime = runtime(64);
    for round in 0..60_u64 {
        burst(&runtime);
        thread::sleep(Duration::from_micros(round * 137 % 5000));
    }
}

#[test]
fn every_worker_is_called_in_the_end() {
    // Work that lasts, pushed one at a time onto a pool asleep: a chain of calls must reach all processors.
    let _dog = watchdog(60);
    let runtime = runtime(2);
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(8));
        let running = Arc::new(AtomicUsize::new(0));
        let gate = common::Gate::default();
        for _ in 0..2 {
            let (running, open) = (Arc::clone(&running), gate.clone());
            runtime.spawn_detached(move || {
                running.fetch_add(1, Ordering::SeqCst);
                open.wait();
            });
        }
        wait_until("both run at once", || running.load(Ordering::SeqCst) == 2);
        gate.open();
    }
}

/// On which processors the calling thread may run, as the kernel writes it.
fn processors() -> Option<String> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:")).map(|mask| mask.trim().to_owned())
}

#[test]
fn a_called_worker_may_run_where_it_could_before() {
    let _dog = watchdog(60);
    let Some(all) = processors() else {
        eprintln!("no /proc here: nothing to see");
        return;
    };
    for workers in [1, 2, 4] {
        let runtime = named(workers, "place");
        for _ in 0..30 {
            let (sender, receiver) = channel();
            // Everybody sleeps by then, and the pushes below call.
            thread::sleep(Duration::from_millis(4));
            for _ in 0..4 {
                let sender = sender.clone();
                runtime.spawn_detached(move || sender.send(processors()).unwrap());
            }
            drop(sender);
            for mask in receiver {
                assert_eq!(mask.as_ref(), Some(&all), "with {workers} workers");
            }
        }
    }
}
