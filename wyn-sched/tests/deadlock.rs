//! Deadlocks that are reported: who waits, where it was spawned, for what.
//!
//! Each test is a process of its own, in which nothing else runs: what is deadlocked stays so until it exits.
#![cfg(not(wyn_loom))]

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::panic::Location;
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use common::wait_until;
use wyn_channel::hook::What;
use wyn_channel::{Select, Value, bounded, oneshot, unbounded};
use wyn_sched::{Blocked, DeadlockError, Deadlocks, JoinHandle, Runtime, WaitsFor, join, scope, spawn};

type Reports = mpsc::Receiver<DeadlockError>;

/// A runtime that reports, and where its reports come out.
fn watched(workers: usize) -> (Runtime, Reports) {
    let (report, reports) = mpsc::channel();
    let call = Deadlocks::call(move |error| drop(report.send(error.clone())));
    let deadlocks = call.look_every(Duration::from_millis(5));
    (Runtime::builder().workers(workers).deadlocks(deadlocks).build().unwrap(), reports)
}

/// Runs `body`, which ends in a deadlock, then `check` on its report; ends the process.
fn deadlocks(
    workers: usize,
    body: impl FnOnce(Runtime),
    check: impl FnOnce(&DeadlockError) + Send + 'static,
) {
    let (runtime, reports) = watched(workers);
    std::thread::spawn(move || {
        let _wakes_nobody = wyn_sched::bystander();
        let report = reports.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| {
            eprintln!("no report within 10 s");
            std::process::exit(3)
        });
        eprintln!("{report}");
        let check = std::panic::AssertUnwindSafe(|| check(&report));
        if std::panic::catch_unwind(check).is_err() {
            std::process::exit(4);
        }
        // Once is enough.
        let again = reports.recv_timeout(Duration::from_millis(100));
        std::process::exit(if again.is_err() { 0 } else { 5 });
    });
    body(runtime);
    unreachable!("the deadlock was none");
}

/// The only wait of a task that was spawned in this line.
#[track_caller]
fn of_line(report: &DeadlockError, line: u32) -> &Blocked {
    let is_there =
        |wait: &&Blocked| wait.spawned_at().is_some_and(|at| at.line() == line && at.file() == file!());
    let waits: Vec<_> = report.blocked().iter().filter(is_there).collect();
    assert_eq!(waits.len(), 1, "one wait of the task in line {line}");
    waits[0]
}

/// Waits until so many are blocked, so that the main thread meets no task it could run itself.
fn settle(runtime: &Runtime, blocked: usize) {
    wait_until("they wait", || runtime.blocked().len() == blocked);
}

fn is_recv(wait: &Blocked) -> bool {
    matches!(wait.waits_for(), WaitsFor::Channel(What::Recv { .. }))
}

fn is_end_of(wait: &Blocked, line: u32) -> bool {
    let is_here = |at: &Location<'_>| at.file() == file!() && at.line() == line;
    matches!(wait.waits_for(), WaitsFor::Task { spawned_at: Some(at) } if is_here(at))
}

fn two_tasks_wait_for_each_others_message() {
    let line = line!() + 6;
    let body = |runtime: Runtime| {
        let (to_first, first) = bounded::<u32>(1);
        let (to_second, second) = bounded::<u32>(1);
        // Each would answer.
        let handles: [JoinHandle<()>; 2] = [
            runtime.spawn(move || first.iter().for_each(|n| to_second.send(n).unwrap())),
            runtime.spawn(move || second.iter().for_each(|n| to_first.send(n).unwrap())),
        ];
        settle(&runtime, 2);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    };
    deadlocks(2, body, move |report| {
        assert_eq!(report.blocked().len(), 3);
        for task in [line, line + 1] {
            let wait = of_line(report, task);
            assert!(is_recv(wait) && wait.is_worker() && wait.buries().is_empty());
            assert!(wait.thread_name().is_some_and(|name| name.starts_with("wyn-")));
            assert!(wait.deadline().is_none() && wait.waited() > Duration::ZERO);
        }
        let waiting = report.blocked().iter().find(|wait| !wait.is_worker()).unwrap();
        assert!(is_end_of(waiting, line) && waiting.spawned_at().is_none());
        let text = report.to_string();
        assert!(text.starts_with("deadlock: 3 threads wait"), "{text}");
        assert!(
            text.contains(&format!("{}:{line}:", file!())) && text.contains("receiving from channel"),
            "{text}"
        );
    });
}

fn one_worker_is_enough() {
    let line = line!() + 3;
    let body = |runtime: Runtime| {
        let (_keeps, receiver) = unbounded::<()>();
        let waits = runtime.spawn(move || receiver.recv().is_ok());
        settle(&runtime, 1);
        assert!(waits.join().unwrap());
    };
    deadlocks(1, body, move |report| {
        assert_eq!(report.blocked().len(), 2);
        assert!(is_recv(of_line(report, line)));
    });
}

fn siblings_that_join_each_other() {
    let line = line!() + 13;
    let body = |runtime: Runtime| {
        let (give_first, first) = mpsc::channel::<JoinHandle<()>>();
        let (give_second, second) = mpsc::channel::<JoinHandle<()>>();
        // Both have been started, so that neither runs the other as a call.
        let both = Arc::new(Barrier::new(2));
        let wait_for = |handle: mpsc::Receiver<JoinHandle<()>>| {
            let both = Arc::clone(&both);
            move || {
                both.wait();
                handle.recv().unwrap().join().unwrap();
            }
        };
        give_second.send(runtime.spawn(wait_for(first))).unwrap();
        give_first.send(runtime.spawn(wait_for(second))).unwrap();
        drop(runtime);
    };
    deadlocks(2, body, move |report| {
        assert_eq!(report.blocked().len(), 3);
        assert!(is_end_of(of_line(report, line), line + 1));
        assert!(is_end_of(of_line(report, line + 1), line));
        assert!(report.blocked().iter().any(|wait| wait.waits_for() == WaitsFor::End));
    });
}

fn a_task_that_waits_for_itself() {
    let line = line!() + 3;
    let body = |runtime: Runtime| {
        let (give, own) = mpsc::channel::<JoinHandle<()>>();
        let handle = runtime.spawn(move || own.recv().unwrap().join().unwrap());
        give.send(handle).unwrap();
        drop(runtime);
    };
    let check = move |report: &DeadlockError| assert!(is_end_of(of_line(report, line), line));
    deadlocks(1, body, check);
}

fn a_ring_of_senders_that_are_all_full() {
    const RING: usize = 40;
    let line = line!() + 9;
    let body = |runtime: Runtime| {
        let (first, mut last) = bounded::<usize>(1);
        let mut senders = Vec::new();
        for at in 0..RING {
            let (sender, receiver) = bounded(1);
            let (to_next, own) = if at + 1 == RING { (first.clone(), last.clone()) } else { (sender, last) };
            last = receiver;
            // Each sends twice before it receives; more tasks than workers, so that most wait beside spares.
            senders.push(runtime.spawn(move || {
                to_next.send(at).unwrap();
                to_next.send(at).unwrap();
                own.recv().unwrap();
            }));
        }
        drop(senders);
        drop(runtime);
    };
    deadlocks(2, body, move |report| {
        assert_eq!(report.blocked().len(), RING + 1);
        let sends = |wait: &&Blocked| matches!(wait.waits_for(), WaitsFor::Channel(What::Send { .. }));
        assert_eq!(report.blocked().iter().filter(sends).count(), RING);
        let spawned = |wait: &&Blocked| wait.spawned_at().is_some_and(|at| at.line() == line);
        assert_eq!(report.blocked().iter().filter(spawned).count(), RING);
    });
}

fn a_select_nobody_serves() {
    let body = |runtime: Runtime| {
        let ((full, _rest), (_keeps, empty)) = (bounded(1), unbounded::<u8>());
        full.send(1).unwrap();
        runtime.install(move || {
            let mut select = Select::new();
            select.recv(&empty);
            select.send(&full);
            select.ready();
        });
    };
    deadlocks(2, body, |report| {
        let select = WaitsFor::Channel(What::Select { arms: 2 });
        assert!(report.blocked().iter().any(|wait| wait.waits_for() == select && wait.is_worker()));
    });
}

fn a_value_nobody_changes_and_a_oneshot_nobody_sends() {
    let body = |runtime: Runtime| {
        let value = Value::new(0);
        let waits = value.clone();
        let (sender, receiver) = oneshot::<u8>();
        runtime.spawn_detached(move || _ = receiver.recv());
        runtime.spawn(move || waits.wait_for(|&now| now > 0)).join().unwrap();
        drop(sender);
    };
    deadlocks(2, body, |report| {
        let kinds = |of: fn(What) -> bool| {
            let is_kind = |wait: &&Blocked| matches!(wait.waits_for(), WaitsFor::Channel(what) if of(what));
            report.blocked().iter().filter(is_kind).count()
        };
        assert_eq!(kinds(|what| matches!(what, What::Value { .. })), 1);
        assert_eq!(kinds(|what| matches!(what, What::Oneshot { .. })), 1);
    });
}

/// The second branch is stolen and waits; the first waits for it as an idle worker on the roster, and says so.
fn a_branch_on_the_roster() {
    let body = |runtime: Runtime| {
        let (_keeps, receiver) = unbounded::<()>();
        let (entered, has_entered) = mpsc::channel();
        runtime.install(move || {
            let second = move || {
                entered.send(()).unwrap();
                receiver.recv().is_ok()
            };
            join(move || has_entered.recv().unwrap(), second)
        });
    };
    deadlocks(2, body, |report| {
        let branches = report.blocked().iter().filter(|wait| wait.waits_for() == WaitsFor::Branch).count();
        assert_eq!((report.blocked().len(), branches), (3, 1), "{report}");
    });
}

/// The same beside a scope.
fn a_branch_and_a_child_that_never_end() {
    let line = line!() + 6;
    let body = |runtime: Runtime| {
        let (_keeps, receiver) = unbounded::<()>();
        let (entered, has_entered) = mpsc::channel();
        let child = receiver.clone();
        runtime.spawn_detached(move || {
            scope(|s| s.spawn_detached(|_| _ = child.recv()));
        });
        runtime.install(move || {
            let first = move || has_entered.recv().unwrap();
            let second = move || {
                entered.send(()).unwrap();
                receiver.recv().is_ok()
            };
            join(first, second)
        });
    };
    deadlocks(2, body, move |report| {
        let branches = report.blocked().iter().filter(|wait| wait.waits_for() == WaitsFor::Branch).count();
        assert!(branches >= 1, "{report}");
        assert_eq!(report.blocked().iter().filter(|wait| is_recv(wait)).count(), 2);
        assert!(is_recv(of_line(report, line)));
    });
}

/// The main thread is the one that runs the task, on top of its own wait.
fn a_guest_that_helps_and_is_stuck() {
    let line = line!() + 3;
    let body = |runtime: Runtime| {
        let (_keeps, receiver) = unbounded::<()>();
        let waits = runtime.spawn(move || receiver.recv().is_ok());
        let other = runtime.spawn(|| ());
        waits.join().unwrap();
        drop(other);
    };
    deadlocks(1, body, move |report| {
        assert!(is_recv(of_line(report, line)));
    });
}

/// A task that waits runs its own children on its stack; the child is stuck, and says what it buries.
fn a_stuck_child_names_the_task_below_it() {
    let (line, child_line) = (line!() + 3, line!() + 5);
    let body = |runtime: Runtime| {
        let (_keeps, receiver) = unbounded::<()>();
        let parent = runtime.spawn(move || {
            // A call on one worker: the child is the newest.
            let child = spawn(move || receiver.recv().is_ok());
            child.join().unwrap()
        });
        assert!(parent.join().unwrap());
    };
    deadlocks(1, body, move |report| {
        let child = of_line(report, child_line);
        assert!(is_recv(child));
        // Unless a thread from outside was faster, and has the child to itself.
        match child.buries() {
            [] => assert!(is_end_of(of_line(report, line), child_line)),
            [parent] => assert_eq!(parent.line(), line),
            more => panic!("{more:?}"),
        }
    });
}

fn sixty_four_workers() {
    let body = |runtime: Runtime| {
        let (_keeps, receiver) = unbounded::<()>();
        let waiting: Vec<_> = (0..200)
            .map(|_| {
                let receiver = receiver.clone();
                runtime.spawn(move || receiver.recv().is_ok())
            })
            .collect();
        settle(&runtime, 200);
        waiting.into_iter().for_each(|handle| assert!(handle.join().unwrap()));
    };
    let check = |report: &DeadlockError| assert_eq!(report.blocked().len(), 201);
    deadlocks(64, body, check);
}

fn two_runtimes_that_wait_for_each_other() {
    let body = |runtime: Runtime| {
        let other = common::runtime(2);
        let (to_first, first) = bounded::<u32>(1);
        let (to_second, second) = bounded::<u32>(1);
        let here =
            runtime.spawn(move || first.recv().and_then(|n| to_second.send(n).map_err(|_| unreachable!())));
        other.spawn_detached(move || to_first.send(second.recv().unwrap()).unwrap());
        settle(&runtime, 1);
        settle(&other, 1);
        here.join().unwrap().unwrap();
    };
    deadlocks(2, body, |report| {
        assert_eq!(report.blocked().iter().filter(|wait| is_recv(wait) && wait.is_worker()).count(), 2);
    });
}

fn main() -> std::process::ExitCode {
    alone::run(alone::tests![
        two_tasks_wait_for_each_others_message
        one_worker_is_enough
        siblings_that_join_each_other
        a_task_that_waits_for_itself
        a_ring_of_senders_that_are_all_full
        a_select_nobody_serves
        a_value_nobody_changes_and_a_oneshot_nobody_sends
        a_branch_on_the_roster
        a_branch_and_a_child_that_never_end
        a_guest_that_helps_and_is_stuck
        a_stuck_child_names_the_task_below_it
        sixty_four_workers
        two_runtimes_that_wait_for_each_other
    ])
}
