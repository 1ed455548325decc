//! What a runtime is told that has been promised that nobody outside wakes its tasks; and what it must not be told.
//!
//! Each test is a process of its own, in which nothing else runs.
#![cfg(not(wyn_loom))]

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use common::{wait_until, watchdog};
use wyn_channel::{after, bounded, unbounded};
use wyn_sched::{DeadlockError, Deadlocks, Runtime};

/// Long enough for hundreds of looks.
const WHILE: Duration = Duration::from_millis(150);

fn watched(promise: impl FnOnce(Deadlocks) -> Deadlocks) -> (Runtime, mpsc::Receiver<DeadlockError>) {
    let (report, reports) = mpsc::channel();
    let call = Deadlocks::call(move |error| drop(report.send(error.clone())));
    let deadlocks = promise(call.look_every(Duration::ZERO));
    (Runtime::builder().workers(2).deadlocks(deadlocks).build().unwrap(), reports)
}

/// Threads that have nothing to do with tasks, and are never still: one asleep, one that waits with a timeout.
fn have_company() {
    thread::spawn(|| thread::sleep(Duration::from_secs(600)));
    let (keeps, ticks) = unbounded::<u8>();
    thread::spawn(move || {
        while ticks.recv_timeout(Duration::from_millis(1)).is_err() {}
        drop(keeps);
    });
}

/// Two tasks that wait for each other's message, for ever.
fn block(runtime: &Runtime) {
    let (to_left, left) = bounded::<u8>(1);
    let (to_right, right) = bounded::<u8>(1);
    runtime.spawn_detached(move || left.iter().for_each(|n| to_right.send(n).unwrap()));
    runtime.spawn_detached(move || right.iter().for_each(|n| to_left.send(n).unwrap()));
}

fn with_the_promise_there_is_a_report() {
    let _dog = watchdog(60);
    have_company();
    let (runtime, reports) = watched(Deadlocks::assume_closed);
    block(&runtime);
    // A thread that waits otherwise than in Wyn.
    let report = reports.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(report.blocked().len(), 2, "{report}");
    assert!(report.blocked().iter().all(|wait| wait.is_worker() && wait.deadline().is_none()));
    // Once, though the company's waits come and go.
    assert!(reports.recv_timeout(WHILE).is_err());
    std::process::exit(0);
}

fn without_it_there_is_none() {
    let _dog = watchdog(60);
    have_company();
    let (runtime, reports) = watched(|deadlocks| deadlocks);
    block(&runtime);
    wait_until("they wait", || runtime.blocked().iter().filter(|wait| wait.is_worker()).count() == 2);
    assert!(reports.recv_timeout(WHILE).is_err());
    std::process::exit(0);
}

/// The promise is about tasks: what threads outside do for each other is not known.
fn threads_outside_that_wait_for_each_other_are_none() {
    let _dog = watchdog(60);
    let (runtime, reports) = watched(Deadlocks::assume_closed);
    let (sender, receiver) = bounded::<u8>(0);
    let waits = thread::spawn(move || receiver.recv());
    wait_until("it waits", || runtime.blocked().len() == 1);
    assert!(reports.recv_timeout(WHILE).is_err());
    sender.send(1).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(1));
    runtime.shutdown(Duration::from_secs(20)).unwrap();
}

/// Only the tasks' waits end, not those of threads outside.
fn on_the_promise_only_tasks_are_ended() {
    let _dog = watchdog(60);
    let deadlocks = Deadlocks::fail().assume_closed().look_every(Duration::ZERO);
    let runtime = Runtime::builder().workers(2).deadlocks(deadlocks).build().unwrap();
    let (sender, receiver) = bounded::<u8>(0);
    let outside = thread::spawn(move || receiver.recv());
    let (keeps, empty) = unbounded::<u8>();
    let stuck = runtime.spawn(move || empty.recv());
    let start = Instant::now();
    while !stuck.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::yield_now();
    }
    assert!(stuck.join().unwrap_err().deadlock().is_some());
    thread::sleep(WHILE);
    sender.send(1).unwrap();
    assert_eq!(outside.join().unwrap(), Ok(1));
    drop(keeps);
    runtime.shutdown(Duration::from_secs(20)).unwrap();
}

/// Where no task can be ended, nobody outside is ended instead.
fn on_the_promise_nobody_outside_is_ended_instead() {
    let _dog = watchdog(60);
    let deadlocks = Deadlocks::fail().assume_closed().look_every(Duration::ZERO);
    let runtime = Runtime::builder().workers(1).deadlocks(deadlocks).build().unwrap();
    // It has not asked, and its task is waited for by a frame that it may borrow from.
    let other = Arc::new(common::runtime(1));
    let (keeps, empty) = unbounded::<u8>();
    let installs = Arc::clone(&other);
    let stuck = runtime.spawn(move || installs.install(|| empty.recv().is_err()));
    let (sender, receiver) = bounded::<u8>(0);
    let outside = thread::spawn(move || receiver.recv());
    wait_until("all wait", || runtime.blocked().len() == 2 && other.blocked().len() == 2);
    thread::sleep(WHILE);
    sender.send(1).unwrap();
    assert_eq!(outside.join().unwrap(), Ok(1));
    drop(keeps);
    assert!(stuck.join().unwrap());
}

/// Workers are not outside: one that is in a task may wake the others, whatever it does.
fn a_task_that_moves_is_no_part_of_it() {
    let _dog = watchdog(60);
    let (runtime, reports) = watched(Deadlocks::assume_closed);
    let (sender, receiver) = bounded::<u8>(0);
    let waits = runtime.spawn(move || receiver.recv());
    let (enter, entered) = mpsc::channel();
    let sends = runtime.spawn(move || {
        enter.send(()).unwrap();
        thread::sleep(WHILE);
        sender.send(1).unwrap();
    });
    // On a worker: the main thread does not run it itself.
    entered.recv().unwrap();
    assert_eq!(waits.join().unwrap(), Ok(1));
    sends.join().unwrap();
    assert!(reports.try_recv().is_err());
}

/// A thread outside that is parked in Wyn may wake tasks, the promise says: it is woken itself, so there is no deadlock.
fn who_waits_in_wyn_may_wake_tasks() {
    let _dog = watchdog(60);
    let (runtime, reports) = watched(Deadlocks::assume_closed);
    let (to_task, task) = bounded::<u8>(0);
    let (to_relay, relay) = bounded::<u8>(0);
    thread::spawn(move || relay.iter().for_each(|n| to_task.send(n).unwrap()));
    let source = runtime.spawn(move || {
        (0..20).for_each(|_| {
            thread::sleep(Duration::from_millis(5));
            to_relay.send(1).unwrap();
        });
    });
    let sum = runtime.spawn(move || task.iter().map(u32::from).sum::<u32>());
    assert_eq!(sum.join().unwrap(), 20);
    source.join().unwrap();
    assert!(reports.try_recv().is_err());
}

/// A timer is no thread outside: a future that awaits one is woken, and may wake others.
fn a_future_that_awaits_a_timer_will_move() {
    let _dog = watchdog(60);
    let (runtime, reports) = watched(Deadlocks::assume_closed);
    let (sender, receiver) = bounded::<u8>(0);
    let waits = runtime.spawn(move || receiver.recv());
    let sends = runtime.spawn_future(async move {
        after(WHILE).recv_async().await.unwrap();
        sender.send_async(1).await.unwrap();
    });
    assert_eq!(waits.join().unwrap(), Ok(1));
    sends.join().unwrap();
    assert!(reports.try_recv().is_err());
    // And when all timers have gone off, a deadlock is one.
    block(&runtime);
    assert_eq!(reports.recv_timeout(Duration::from_secs(20)).unwrap().blocked().len(), 2);
    std::process::exit(0);
}

/// The thread of the timers is there from the first one on, and no reason to think that anybody moves.
fn a_clock_without_timers_is_no_company() {
    let _dog = watchdog(60);
    let deadlocks = Deadlocks::fail().look_every(Duration::ZERO);
    let runtime = Runtime::builder().workers(1).deadlocks(deadlocks).build().unwrap();
    runtime
        .spawn_future(async { after(Duration::from_millis(5)).recv_async().await.unwrap() })
        .join()
        .unwrap();
    let (keeps, empty) = unbounded::<u8>();
    let stuck = runtime.spawn(move || empty.recv());
    assert!(stuck.join().unwrap_err().deadlock().is_some());
    drop(keeps);
}

fn main() -> std::process::ExitCode {
    alone::run(alone::tests![
        with_the_promise_there_is_a_report
        without_it_there_is_none
        threads_outside_that_wait_for_each_other_are_none
        on_the_promise_only_tasks_are_ended
        on_the_promise_nobody_outside_is_ended_instead
        a_task_that_moves_is_no_part_of_it
        who_waits_in_wyn_may_wake_tasks
        a_future_that_awaits_a_timer_will_move
        a_clock_without_timers_is_no_company
    ])
}
