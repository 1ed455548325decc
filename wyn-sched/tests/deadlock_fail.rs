//! Blocked calls that a deadlock ends: with what, who is left alone, and that the runtime goes on.
//!
//! Each test is a process of its own, in which nothing else runs.
#![cfg(not(wyn_loom))]

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use common::{wait_until, watchdog};
use wyn_channel::{RecvError, Select, Value, bounded, oneshot, unbounded};
use wyn_sched::{Builder, DeadlockError, Deadlocks, JoinError, JoinHandle, Runtime, join, scope, spawn};

fn failing_as(builder: Builder) -> Runtime {
    builder.deadlocks(Deadlocks::fail().look_every(Duration::from_millis(5))).build().unwrap()
}

fn failing(workers: usize) -> Runtime {
    failing_as(Runtime::builder().workers(workers))
}

/// The runtime runs tasks, and comes to rest.
fn goes_on(runtime: Runtime) {
    let tasks: Vec<_> = (0..100).map(|n| runtime.spawn(move || n)).collect();
    assert_eq!(tasks.into_iter().map(|task| task.join().unwrap()).sum::<u32>(), 4950);
    runtime.shutdown(Duration::from_secs(20)).unwrap();
}

/// What a call outside of tasks unwinds with.
fn deadlock_of<R>(call: impl FnOnce() -> R) -> DeadlockError {
    let payload = catch_unwind(AssertUnwindSafe(call)).err().expect("it panics");
    *payload.downcast().expect("with the deadlock")
}

fn is_ended(error: &JoinError) -> bool {
    error.deadlock().is_some_and(|deadlock| !deadlock.blocked().is_empty()) && !error.is_cancelled()
}

type Wait = Box<dyn FnOnce() + Send>;

/// Waits for ever, each on something else; `held` goes with the closure, or with the message.
fn channel_waits(held: &Arc<()>) -> Vec<Wait> {
    let mut waits: Vec<Wait> = Vec::new();
    let mut add = |wait: Wait| waits.push(wait);
    for capacity in [0, 1, 2, 64] {
        let (keeps, empty) = bounded::<Arc<()>>(capacity);
        let (sender, receiver) = bounded::<Arc<()>>(capacity);
        let held = Arc::clone(held);
        add(Box::new(move || drop((empty.recv(), keeps))));
        add(Box::new(move || {
            (0..=capacity).for_each(|_| sender.send(Arc::clone(&held)).unwrap());
            drop(receiver);
        }));
    }
    let (keeps, empty) = unbounded::<u8>();
    let (still_keeps, still_empty) = (keeps.clone(), empty.clone());
    add(Box::new(move || {
        let mut select = Select::new();
        select.recv(&empty);
        _ = select.select().recv(&empty);
        drop(keeps);
    }));
    add(Box::new(move || {
        wyn_channel::select! { recv(still_empty) -> _ => {} }
        drop(still_keeps);
    }));
    let (keeps, empty) = oneshot::<u8>();
    add(Box::new(move || drop((empty.recv(), keeps))));
    add(Box::new(|| _ = Value::new(0).wait_for(|&n| n > 0)));
    waits
}

fn waits_for_messages() {
    let _dog = watchdog(60);
    for workers in [1, 3] {
        let runtime = failing(workers);
        let held = Arc::new(());
        // One by one, then all at once.
        for wait in channel_waits(&held) {
            let error = runtime.spawn(wait).join().unwrap_err();
            assert!(is_ended(&error) && error.is_panic(), "{error}");
            assert!(error.to_string().ends_with("ended in a deadlock"), "{error}");
            let payload: Box<dyn Any + Send> = error.into_panic();
            assert!(payload.is::<DeadlockError>());
        }
        let all: Vec<_> = channel_waits(&held).into_iter().map(|wait| runtime.spawn(wait)).collect();
        all.into_iter().for_each(|task| assert!(is_ended(&task.join().unwrap_err())));
        assert_eq!(Arc::strong_count(&held), 1, "nothing has leaked");
        goes_on(runtime);
    }
}

type Handle = JoinHandle<Result<(), JoinError>>;
type Joined = Result<Result<(), JoinError>, JoinError>;

/// Two tasks that wait for each other, in each of the ways.
fn waits_for_tasks() {
    let _dog = watchdog(60);
    let ways: [fn(Handle) -> Joined; 3] = [
        JoinHandle::join,
        JoinHandle::join_blocking,
        // Beyond the clock's range: no deadline.
        |handle| handle.join_timeout(Duration::MAX).unwrap(),
    ];
    for way in ways {
        let runtime = failing(2);
        let (give_first, first) = mpsc::channel::<Handle>();
        let (give_second, second) = mpsc::channel::<Handle>();
        let (tell, ends) = mpsc::channel();
        let spawn = |handle: mpsc::Receiver<Handle>| {
            let tell = tell.clone();
            runtime.spawn(move || {
                let ended = way(handle.recv().unwrap());
                tell.send(ended.as_ref().err().map(is_ended)).unwrap();
                ended?
            })
        };
        give_second.send(spawn(first)).unwrap();
        give_first.send(spawn(second)).unwrap();
        // Neither has a handle any more; this waits for both.
        let _wakes_nobody = wyn_sched::bystander();
        let ends = [ends.recv().unwrap(), ends.recv().unwrap()];
        // Who comes second may find that the first has ended, and left its error behind.
        assert!(ends.contains(&Some(true)) && !ends.contains(&Some(false)), "{ends:?}");
        goes_on(runtime);
    }
}

/// The error of a handle says what it is, and that the task was not to blame.
fn a_task_that_waits_for_itself() {
    let _dog = watchdog(60);
    let runtime = failing(1);
    let (give, own) = mpsc::channel::<JoinHandle<()>>();
    let (tell, ended) = mpsc::channel();
    give.send(runtime.spawn(move || tell.send(own.recv().unwrap().join().unwrap_err()).unwrap())).unwrap();
    let _wakes_nobody = wyn_sched::bystander();
    let error = ended.recv().unwrap();
    assert!(is_ended(&error) && !error.is_panic(), "{error:?}");
    assert!(error.to_string().ends_with("was part of a deadlock"), "{error}");
    assert!(std::error::Error::source(&error).is_some_and(|source| source.is::<DeadlockError>()));
    assert!(error.try_into_panic().unwrap_err().deadlock().is_some());
    goes_on(runtime);
}

/// Counts on drop, in memory that others have borrowed.
struct Counts<'a>(&'a AtomicUsize);

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        // Long enough for a wait that does not wait to be found out.
        thread::sleep(Duration::from_millis(20));
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A scope ends after its children, whatever ends those: they look at its frame until the last moment.
fn waits_for_children() {
    let _dog = watchdog(60);
    for workers in [1, 2, 4] {
        let runtime = failing(workers);
        let stuck = || {
            let gone = AtomicUsize::new(0);
            let (keeps, empty) = unbounded::<u8>();
            let waits = || {
                let _counts = Counts(&gone);
                _ = empty.recv();
            };
            let of_scope = deadlock_of(|| {
                scope(|s| {
                    let handle = s.spawn(|_| waits());
                    (0..3).for_each(|_| s.spawn_detached(|_| waits()));
                    assert!(handle.join().is_err());
                });
            });
            assert_eq!(gone.swap(0, Ordering::SeqCst), 4);
            let of_join = deadlock_of(|| join(waits, waits));
            // The second may never have been started.
            assert!(matches!(gone.swap(0, Ordering::SeqCst), 1 | 2));
            drop(keeps);
            assert!(!of_scope.blocked().is_empty() && !of_join.blocked().is_empty());
        };
        runtime.spawn(stuck).join().unwrap();
        // On a worker, for the main thread, whose frame is borrowed.
        let gone = AtomicUsize::new(0);
        let (_keeps, empty) = unbounded::<u8>();
        deadlock_of(|| {
            runtime.install(|| {
                let _counts = Counts(&gone);
                empty.recv()
            })
        });
        assert_eq!(gone.into_inner(), 1);
        goes_on(runtime);
    }
}

/// Deep down in calls and helping: what lies below on the stack goes on.
fn what_is_buried_goes_on() {
    let _dog = watchdog(60);
    let runtime = failing(1);
    let (keeps, empty) = unbounded::<u8>();
    let outer = runtime.spawn(move || {
        let inner = spawn(move || empty.recv());
        assert!(is_ended(&inner.join().unwrap_err()));
        let again = spawn(|| 5);
        again.join().unwrap()
    });
    assert_eq!(outer.join().unwrap(), 5);
    drop(keeps);
    goes_on(runtime);
}

/// Where no task can be ended, threads outside of tasks are.
fn threads_outside_of_tasks() {
    let _dog = watchdog(60);
    let runtime = failing(2);
    let (keeps, empty) = unbounded::<u8>();
    assert_eq!(deadlock_of(|| empty.recv()).blocked().len(), 1);
    // A task of a runtime that has not asked.
    let other = common::runtime(1);
    let stuck = other.spawn(move || empty.recv());
    wait_until("it waits", || !other.blocked().is_empty());
    let error = stuck.join().unwrap_err();
    assert!(is_ended(&error) && !error.is_panic());
    drop(keeps);
    goes_on(runtime);
}

/// Tasks that wait for the end of each other's runtime: all that is left is not to wait.
fn runtimes_that_wait_for_each_others_end() {
    let _dog = watchdog(60);
    let (give_left, left) = mpsc::channel::<Runtime>();
    let (give_right, right) = mpsc::channel::<Runtime>();
    let (tell, dropped) = mpsc::channel();
    let runtimes = [failing(1), failing(1)];
    for (runtime, other) in runtimes.iter().zip([right, left]) {
        let tell = tell.clone();
        runtime.spawn_detached(move || {
            drop(other.recv().unwrap());
            tell.send(()).unwrap();
        });
    }
    let [first, second] = runtimes;
    give_left.send(first).unwrap();
    give_right.send(second).unwrap();
    let _wakes_nobody = wyn_sched::bystander();
    (0..2).for_each(|_| dropped.recv().unwrap());
}

/// A task without a handle: its panic goes where they all go.
fn the_panic_handler_hears_of_it() {
    let _dog = watchdog(60);
    let (tell, told) = mpsc::channel();
    let handler = move |error: JoinError| tell.send(is_ended(&error)).unwrap();
    let runtime = failing_as(Runtime::builder().workers(1).panic_handler(handler));
    let (keeps, empty) = unbounded::<u8>();
    runtime.spawn_detached(move || _ = empty.recv());
    let _wakes_nobody = wyn_sched::bystander();
    assert!(told.recv().unwrap());
    drop(keeps);
    goes_on(runtime);
}

fn a_bystander_is_left_alone() {
    let _dog = watchdog(60);
    let runtime = failing(1);
    let (log, lines) = unbounded::<u8>();
    let logger = thread::spawn(move || {
        let _wakes_nobody = wyn_sched::bystander();
        lines.recv()
    });
    let (keeps, empty) = unbounded::<u8>();
    for _ in 0..3 {
        let empty = empty.clone();
        assert!(is_ended(&runtime.spawn(move || empty.recv()).join().unwrap_err()));
    }
    drop((log, keeps));
    assert_eq!(logger.join().unwrap(), Err(RecvError));
    goes_on(runtime);
}

/// Who catches the panic and waits again is ended again.
fn one_deadlock_after_the_other() {
    let _dog = watchdog(60);
    let runtime = failing(2);
    let (keeps, empty) = unbounded::<u8>();
    let stubborn =
        runtime.spawn(move || (0..10).filter(|_| !deadlock_of(|| empty.recv()).blocked().is_empty()).count());
    assert_eq!(stubborn.join().unwrap(), 10);
    drop(keeps);
    goes_on(runtime);
}

/// Keeps a thread from running, wherever it is, for longer than many looks take.
#[cfg(target_os = "linux")]
fn hold(thread: libc::pthread_t) {
    static IS_HELD: AtomicBool = AtomicBool::new(false);
    extern "C" fn sleep_on(_: libc::c_int) {
        IS_HELD.store(true, Ordering::SeqCst);
        let time = libc::timespec { tv_sec: 0, tv_nsec: 300_000_000 };
        // SAFETY: may be called from a handler; reads the time, and writes nothing.
        unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
    }
    let handler: extern "C" fn(libc::c_int) = sleep_on;
    // SAFETY: the handler does what handlers may.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    // SAFETY: the callers name a thread that is alive.
    assert_eq!(unsafe { libc::pthread_kill(thread, libc::SIGUSR1) }, 0);
    wait_until("it is held", || IS_HELD.load(Ordering::SeqCst));
}

/// Two waits are told to end. Who wakes first waits for the other, who is about to send: no second deadlock.
#[cfg(target_os = "linux")]
fn who_was_told_counts_as_one_that_moves() {
    let _dog = watchdog(60);
    let runtime = failing(2);
    let (keeps, empty) = unbounded::<u8>();
    let (sender, receiver) = bounded::<u8>(1);
    let (tell, name) = mpsc::channel();
    let late = runtime.spawn({
        let empty = empty.clone();
        move || {
            // SAFETY: no preconditions.
            tell.send(unsafe { libc::pthread_self() }).unwrap();
            deadlock_of(|| empty.recv());
            sender.send(7).unwrap();
        }
    });
    let first = runtime.spawn(move || {
        deadlock_of(|| empty.recv());
        receiver.recv()
    });
    // Until this thread waits in Wyn, there is no deadlock, since it might wake them.
    let name = name.recv().unwrap();
    wait_until("they wait", || runtime.blocked().len() == 2);
    hold(name);
    assert_eq!(first.join().unwrap(), Ok(7));
    late.join().unwrap();
    drop(keeps);
    goes_on(runtime);
}

#[cfg(not(target_os = "linux"))]
fn who_was_told_counts_as_one_that_moves() {}

fn the_variable_fails() {
    const CHILD: &str = "WYN_TEST_STUCK";
    if std::env::var_os(CHILD).is_some() {
        let runtime = common::runtime(1);
        let (_keeps, receiver) = unbounded::<u8>();
        assert!(is_ended(&runtime.spawn(move || receiver.recv()).join().unwrap_err()));
        return goes_on(runtime);
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["the_variable_fails", "--exact"]);
    let output = command.env(CHILD, "1").env("WYN_DEADLOCKS", "fail").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("deadlock: "), "{text}");
}

fn main() -> std::process::ExitCode {
    alone::run(alone::tests![
        waits_for_messages
        waits_for_tasks
        a_task_that_waits_for_itself
        waits_for_children
        what_is_buried_goes_on
        threads_outside_of_tasks
        runtimes_that_wait_for_each_others_end
        the_panic_handler_hears_of_it
        a_bystander_is_left_alone
        one_deadlock_after_the_other
        who_was_told_counts_as_one_that_moves
        the_variable_fails
    ])
}
