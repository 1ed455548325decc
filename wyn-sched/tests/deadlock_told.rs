//! How a deadlock is told, and what is known of waits before one: handlers, `WYN_DEADLOCKS`, `Runtime::blocked`.
//!
//! Each test is a process of its own, in which nothing else runs.
#![cfg(not(wyn_loom))]

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::time::{Duration, Instant};

use common::{wait_until, watchdog};
use wyn_channel::hook::What;
use wyn_channel::{Value, bounded, unbounded};
use wyn_sched::{Deadlocks, Runtime, WaitsFor};

/// The handler ends the deadlock; the next one is reported as well.
fn a_handler_may_end_it() {
    let _dog = watchdog(20);
    let (sender, receiver) = bounded::<u32>(1);
    let told = Value::new(0_u32);
    let counts = told.clone();
    let handler = Deadlocks::call(move |_| {
        counts.fetch_add(1);
        sender.send(7).unwrap();
    });
    let deadlocks = handler.look_every(Duration::from_millis(5));
    let runtime = Runtime::builder().workers(2).deadlocks(deadlocks).build().unwrap();
    for round in 1..=3 {
        let receiver = receiver.clone();
        assert_eq!(runtime.spawn(move || receiver.recv()).join().unwrap(), Ok(7));
        assert_eq!(told.get(), round);
    }
}

fn a_handler_that_panics_is_called_for_the_next() {
    let _dog = watchdog(20);
    let (sender, receiver) = bounded::<u32>(1);
    let handler = Deadlocks::call(move |_| {
        sender.send(7).unwrap();
        panic!("in the handler");
    });
    let deadlocks = handler.look_every(Duration::from_millis(5));
    let runtime = Runtime::builder().workers(1).deadlocks(deadlocks).build().unwrap();
    for _ in 0..2 {
        let receiver = receiver.clone();
        assert_eq!(runtime.spawn(move || receiver.recv()).join().unwrap(), Ok(7));
    }
}

fn the_variable_prints_or_aborts() {
    const CHILD: &str = "WYN_TEST_STUCK";
    if std::env::var_os(CHILD).is_some() {
        let runtime = common::runtime(1);
        let (_keeps, receiver) = unbounded::<()>();
        let waits = runtime.spawn(move || receiver.recv().is_ok());
        wait_until("it waits", || runtime.blocked().len() == 1);
        unreachable!("{:?}", waits.join());
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["the_variable_prints_or_aborts", "--exact"]);
    let output = command.env(CHILD, "1").env("WYN_DEADLOCKS", "abort").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("deadlock: 2 threads wait"), "{text}");
}

fn blocked_lists_what_is_no_deadlock_too() {
    let runtime = common::runtime(2);
    let (sender, receiver) = bounded::<u32>(1);
    let line = line!() + 1;
    let waits = runtime.spawn(move || receiver.recv_timeout(Duration::from_secs(20)));
    wait_until("it waits", || !runtime.blocked().is_empty());
    let blocked = runtime.blocked();
    assert!(matches!(blocked[0].waits_for(), WaitsFor::Channel(What::Recv { .. })));
    assert!(blocked[0].spawned_at().is_some_and(|at| at.line() == line));
    assert!(blocked[0].deadline().is_some_and(|at| at > Instant::now()));
    assert!(blocked[0].to_string().contains("receiving from channel"));
    sender.send(1).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(1));
    wait_until("it does not wait", || runtime.blocked().is_empty());
}

fn main() -> std::process::ExitCode {
    alone::run(alone::tests![
        a_handler_may_end_it
        a_handler_that_panics_is_called_for_the_next
        the_variable_prints_or_aborts
        blocked_lists_what_is_no_deadlock_too
    ])
}
