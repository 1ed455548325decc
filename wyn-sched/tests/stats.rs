//! What a runtime counts of itself: each thing once, where it happened, and nothing that did not.
#![cfg(all(feature = "stats", not(wyn_loom)))]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use common::{Gate, Random, WORKERS, runtime, wait_until, watchdog};
use wyn_sched::{Counts, JoinHandle, Runtime, Stats, spawn};

/// What the runtime counts while `f` runs.
fn spent(runtime: &Runtime, f: impl FnOnce()) -> Stats {
    let before = runtime.stats();
    f();
    runtime.stats().since(&before)
}

/// Tasks that have been run, however.
fn ended(counts: &Counts) -> u64 {
    counts.tasks_run + counts.tasks_inlined
}

#[track_caller]
fn assert_at_rest(stats: &Stats) {
    let total = stats.total();
    assert_eq!(total.tasks_spawned + stats.tasks_injected, ended(&total), "{stats}");
    assert_eq!((total.queued, stats.injector_queued), (0, 0), "{stats}");
    assert!(total.branches_migrated <= total.branches_forked, "{stats}");
    assert!(total.steals <= total.steals_attempted && total.steals_forced <= total.steals, "{stats}");
    assert!(total.steals <= total.tasks_stolen && total.steals_forced <= total.barriers, "{stats}");
}

/// Waits until every worker sleeps: it is parked all the time, and in one park.
fn asleep(runtime: &Runtime) {
    let look = Duration::from_millis(50);
    wait_until("asleep", || {
        let stats = spent(runtime, || thread::sleep(look));
        stats.workers.iter().all(|worker| worker.parks == 0 && worker.parked >= look)
    });
}

#[test]
fn every_task_from_outside_is_counted_once() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        let stats = spent(&runtime, || {
            let handles: Vec<_> = (0..1000_u64).map(|i| runtime.spawn(move || i)).collect();
            handles.into_iter().for_each(|handle| _ = handle.join().unwrap());
        });
        assert_eq!((stats.guests.tasks_spawned, stats.tasks_injected), (1000, 0), "{stats}");
        assert_eq!(ended(&stats.total()), 1000, "{stats}");
        assert_eq!(stats.workers.len(), workers);
        let rows = stats.workers.iter().chain([&stats.guests, &stats.spares]);
        assert_eq!(rows.map(ended).sum::<u64>(), 1000, "{stats}");
        assert_at_rest(&stats);
    }
}

#[test]
fn one_worker_runs_what_it_spawns_and_steals_nothing() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let stats = spent(&runtime, || {
        // This thread gets no queue: it only parks.
        runtime.install(|| {
            (0..100).for_each(|i| assert_eq!(spawn(move || i).join().unwrap(), i));
            let handles: Vec<_> = (0..100).map(|i| spawn(move || i)).collect();
            handles.into_iter().for_each(|handle| _ = handle.join().unwrap());
            (0..100).for_each(|_| _ = wyn_sched::join(|| (), || ()));
            wyn_sched::join_all([|| (), || (), || ()]);
        });
    });
    let worker = stats.workers[0];
    assert_eq!((worker.tasks_spawned, stats.tasks_injected), (200, 1), "{stats}");
    // Joined newest first, so every one was at hand but those below.
    assert!(worker.tasks_inlined >= 101, "{stats}");
    assert_eq!(ended(&worker), 201, "{stats}");
    assert_eq!((worker.branches_forked, worker.branches_migrated), (102, 0), "{stats}");
    assert_eq!((worker.steals_attempted, worker.steals, worker.tasks_stolen), (0, 0, 0), "{stats}");
    assert_eq!((stats.guests, stats.spares_started, stats.threads), (Counts::default(), 0, 1), "{stats}");
    assert_at_rest(&stats);
}

#[test]
fn a_stolen_branch_is_counted_where_it_ran() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    let stolen = AtomicBool::new(false);
    let (mut forker, mut thief) = (0, 0);
    let stats = spent(&runtime, || {
        runtime.install(|| {
            forker = wyn_sched::current_worker_index().unwrap();
            let ((), migrated) = wyn_sched::join_context(
                |_| spin_until(&stolen),
                |here| {
                    stolen.store(true, Ordering::SeqCst);
                    thief = wyn_sched::current_worker_index().unwrap();
                    here.migrated()
                },
            );
            assert!(migrated);
        });
    });
    let (forker, thief) = (stats.workers[forker], stats.workers[thief]);
    assert_eq!((forker.branches_forked, forker.branches_migrated), (1, 0), "{stats}");
    assert_eq!((thief.branches_forked, thief.branches_migrated), (0, 1), "{stats}");
    assert_eq!((thief.steals, thief.tasks_stolen), (1, 1), "{stats}");
    // The forker is in its first branch, and does not answer.
    assert_eq!(thief.steals_forced, 1, "{stats}");
    assert!(thief.barriers >= 1, "{stats}");
    assert_at_rest(&stats);
}

#[test]
fn what_a_waiting_thread_steals_is_counted() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    let (taken, taken_back) = (AtomicBool::new(false), AtomicBool::new(false));
    let stats = spent(&runtime, || {
        let inner = || {
            taken.store(true, Ordering::SeqCst);
            // Taken by the thread that waits for `inner`.
            wyn_sched::join(|| spin_until(&taken_back), || taken_back.store(true, Ordering::SeqCst));
        };
        runtime.install(|| _ = wyn_sched::join(|| spin_until(&taken), inner));
    });
    for worker in &stats.workers {
        assert_eq!((worker.branches_forked, worker.branches_migrated), (1, 1), "{stats}");
        assert_eq!((worker.steals, worker.tasks_stolen), (1, 1), "{stats}");
    }
    assert_at_rest(&stats);
}

fn spin_until(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        std::hint::spin_loop();
    }
}

#[test]
fn many_tasks_move_in_few_steals() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let ran = Gate::default();
    let stats = spent(&runtime, || {
        let handles: Vec<_> = (0..4096).map(|_| runtime.spawn(|| ())).collect();
        let last = ran.clone();
        runtime.spawn_detached(move || last.open());
        // Parked, not helping: only the worker runs anything, and has it all from here.
        ran.wait();
        wait_until("all have run", || handles.iter().all(JoinHandle::is_finished));
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    });
    // A lookout may have taken the worker's place for a while.
    let (worker, spares) = (stats.workers[0], stats.spares);
    assert_eq!(worker.tasks_run + spares.tasks_run, 4097, "{stats}");
    assert!(worker.tasks_stolen + spares.tasks_stolen >= 4097, "{stats}");
    assert!(worker.steals + spares.steals < 1000, "{stats}");
    assert_eq!((stats.guests.tasks_spawned, ended(&stats.guests)), (4097, 0), "{stats}");
}

#[test]
fn sleep_is_timed_while_it_lasts_and_ends_with_a_call() {
    let _dog = watchdog(60);
    for workers in [1, 2, 8] {
        let runtime = runtime(workers);
        runtime.spawn(|| ()).join().unwrap();
        asleep(&runtime);
        let nap = Duration::from_millis(100);
        let (start, idle) = (Instant::now(), spent(&runtime, || thread::sleep(nap)));
        let most = start.elapsed() * u32::try_from(workers).unwrap();
        let total = idle.total();
        assert_eq!((total.parks, total.wakes_received, total.barriers), (0, 0, 0), "{idle}");
        assert!(nap * u32::try_from(workers).unwrap() <= total.parked && total.parked <= most, "{idle}");

        let called = spent(&runtime, || {
            let (sender, receiver) = channel();
            runtime.spawn_detached(move || sender.send(()).unwrap());
            receiver.recv().unwrap();
            asleep(&runtime);
        });
        let total = called.total();
        assert!(called.guests.wakes_given >= 1, "{called}");
        assert!((1..=total.wakes_given).contains(&total.wakes_received), "{called}");
        assert!(total.parks >= 1, "{called}");
    }
}

#[test]
fn what_goes_through_the_injector_is_counted_apart() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    asleep(&runtime);
    let stats = spent(&runtime, || (0..10).for_each(|_| runtime.install(|| ())));
    assert_eq!((stats.tasks_injected, stats.total().tasks_spawned), (10, 0), "{stats}");
    assert_eq!(stats.workers.iter().map(|worker| worker.tasks_run).sum::<u64>(), 10, "{stats}");
    assert!(stats.injector_wakes >= 1, "{stats}");
    assert_at_rest(&stats);
}

#[test]
fn a_queue_is_measured() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let (started, gate) = (Gate::default(), Gate::default());
    let (tell, held) = (started.clone(), gate.clone());
    let busy = runtime.spawn(move || {
        tell.open();
        held.wait();
    });
    started.wait();
    let handles: Vec<_> = (0..10).map(|_| runtime.spawn(|| ())).collect();
    let full = runtime.stats();
    assert_eq!((full.guests.queued, full.guests.longest_queue), (10, 10), "{full}");
    gate.open();
    handles.into_iter().chain([busy]).for_each(|handle| handle.join().unwrap());
    let after = runtime.stats();
    assert_eq!((after.guests.queued, after.guests.longest_queue), (0, 10), "{after}");
    let later = after.since(&full);
    assert_eq!((later.guests.longest_queue, later.total().longest_queue), (10, 10), "no difference: {later}");
    assert_eq!(later.total().tasks_spawned, 0, "{later}");
    runtime.install(|| spawn(|| ()).join().unwrap());
    let both = runtime.stats();
    let installed = both.workers[0].longest_queue.max(both.spares.longest_queue);
    assert_eq!((installed, both.total().longest_queue), (1, 10), "no sum: {both}");
}

#[test]
fn a_spare_is_counted_while_it_is_there() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    let (sender, receiver) = channel::<JoinHandle<u32>>();
    let waits = runtime.spawn(move || receiver.recv().unwrap().join().unwrap());
    let (started, gate) = (Gate::default(), Gate::default());
    let (tell, held) = (started.clone(), gate.clone());
    let awaited = runtime.spawn(move || {
        tell.open();
        held.wait();
        7
    });
    // Another worker has it: it can only be waited for.
    started.wait();
    wait_until("both are in tasks", || runtime.stats().workers.iter().all(|worker| worker.tasks_run == 1));
    sender.send(awaited).unwrap();
    wait_until("one is blocked", || runtime.stats().blocked == 1);
    wait_until("a spare is there", || runtime.stats().threads == 3);
    let during = runtime.stats();
    assert_eq!((during.spares_started, during.blocked, during.spares.tasks_run), (1, 1, 0), "{during}");
    gate.open();
    assert_eq!(waits.join().unwrap(), 7);
    wait_until("the spare has left", || runtime.stats().threads == 2);
    let after = runtime.stats();
    assert_eq!((after.spares_started, after.blocked, after.spares.tasks_run), (1, 0, 0), "{after}");
    assert!(after.workers.iter().any(|worker| worker.parks >= 1) && after.spares.parks >= 1, "{after}");
}

#[cfg(feature = "channel")]
#[test]
fn a_wait_for_a_message_is_a_park() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    let (sender, receiver) = wyn_channel::bounded::<u32>(1);
    let (tell, started) = channel();
    let waits = runtime.spawn(move || {
        tell.send(()).unwrap();
        receiver.recv().unwrap()
    });
    started.recv().unwrap();
    wait_until("the worker waits", || runtime.stats().blocked == 1);
    let look = Duration::from_millis(20);
    wait_until("parked all the time", || {
        let worker = spent(&runtime, || thread::sleep(look)).workers[0];
        worker.parks == 0 && worker.parked >= look
    });
    sender.send(7).unwrap();
    assert_eq!(waits.join().unwrap(), 7);
    assert_eq!(runtime.stats().blocked, 0);
}

#[test]
fn scopes_and_broadcasts_are_tasks_too() {
    let _dog = watchdog(60);
    for workers in WORKERS {
        let runtime = runtime(workers);
        let stats = spent(&runtime, || {
            runtime.install(|| {
                wyn_sched::scope(|scope| {
                    for _ in 0..10 {
                        scope.spawn_detached(|scope| _ = scope.spawn(|_| ()));
                    }
                });
                wyn_sched::scope_fifo(|scope| (0..10).for_each(|_| scope.spawn_fifo(|_| ())));
                wyn_sched::broadcast(|_| ());
            });
        });
        // One of the broadcast is a call, and one is what was installed.
        assert_eq!(ended(&stats.total()), 30 + workers as u64, "{stats}");
        assert_at_rest(&stats);
    }
}

/// Every count that only grows.
fn counts(stats: &Stats) -> [u64; 16] {
    let total = stats.total();
    [
        total.tasks_spawned,
        total.tasks_run,
        total.tasks_inlined,
        total.branches_forked,
        total.branches_migrated,
        total.steals_attempted,
        total.steals,
        total.tasks_stolen,
        total.steals_forced,
        total.barriers,
        total.parks,
        total.wakes_given,
        total.wakes_received,
        total.longest_queue,
        stats.tasks_injected,
        stats.spares_started,
    ]
}

#[test]
fn stress_counts_grow_under_load_and_agree_at_rest() {
    let _dog = watchdog(60);
    let mut random = Random::seeded("counts");
    for workers in WORKERS {
        let runtime = runtime(workers);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut last = [0; 16];
                while !done.load(Ordering::SeqCst) {
                    let now = counts(&runtime.stats());
                    assert!(last.iter().zip(&now).all(|(last, now)| last <= now), "{last:?}, then {now:?}");
                    last = now;
                }
            });
            for seed in (0..3).map(|_| random.next()) {
                let runtime = &runtime;
                scope.spawn(move || load(runtime, Random::new(seed)));
            }
            wait_until("the load has ended", || runtime.stats().tasks_injected == 3 * LOADS);
            // What the others spawn last may be under way.
            wait_until("at rest", || {
                let (stats, total) = (runtime.stats(), runtime.stats().total());
                total.tasks_spawned + stats.tasks_injected == ended(&total)
            });
            done.store(true, Ordering::SeqCst);
            watcher.join().unwrap();
        });
        assert_at_rest(&runtime.stats());
    }
}

const LOADS: u64 = 30;

fn load(runtime: &Runtime, mut random: Random) {
    for _ in 0..LOADS {
        let n = random.below(200);
        let handles: Vec<_> = (0..n).map(|i| runtime.spawn(move || fib(i % 10))).collect();
        if !n.is_multiple_of(3) {
            handles.into_iter().for_each(|handle| _ = handle.join().unwrap());
        }
        assert_eq!(runtime.install(|| fib(12)), 144);
        thread::sleep(Duration::from_micros(random.below(2000)));
    }
}

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = wyn_sched::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

#[test]
#[should_panic(expected = "snapshots of two runtimes")]
fn snapshots_of_two_runtimes_have_no_difference() {
    let _ = runtime(1).stats().since(&runtime(2).stats());
}

#[test]
fn a_snapshot_is_drawn_as_a_table() {
    let runtime = runtime(2);
    runtime.install(|| _ = wyn_sched::join(|| (), || ()));
    let stats = runtime.stats();
    let drawn = stats.to_string();
    let lines: Vec<&str> = drawn.lines().collect();
    assert!(lines[0].contains("1 tasks injected") && lines[0].contains("2 threads"), "{drawn}");
    let names: Vec<&str> = lines[2..].iter().map(|line| line[..9].trim()).collect();
    assert_eq!(names, ["worker 0", "worker 1", "spares", "guests", "total"]);
    // The columns stand below their names, the largest numbers too.
    let end = lines[1].find("forked").unwrap() + "forked".len();
    assert!(lines.last().unwrap()[..end].ends_with(" 1"), "{drawn}");
    assert!(lines[1..].iter().all(|line| line.chars().count() == lines[1].len()), "{drawn}");
}
