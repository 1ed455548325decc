//! What looks like a deadlock and is none: somebody outside, the clock, or a thread on its way wakes the blocked.
//!
//! Each test is a process of its own in which the monitor looks without a pause; a report ends it.
#![cfg(not(wyn_loom))]

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use common::{Random, env_number, watchdog};
use wyn_channel::{Receiver, Select, Sender, Value, after, bounded, never, tick, unbounded};
use wyn_sched::{Builder, Deadlocks, Runtime, broadcast, join, scope, spawn};

/// Long enough for hundreds of looks.
const WHILE: Duration = Duration::from_millis(100);

/// To whoever must not be accused.
fn strict(builder: Builder) -> Runtime {
    let report = |error: &wyn_sched::DeadlockError| {
        eprintln!("a false report: {error}");
        std::process::exit(9);
    };
    builder.deadlocks(Deadlocks::call(report).look_every(Duration::ZERO)).build().unwrap()
}

fn watched(workers: usize) -> Runtime {
    strict(Runtime::builder().workers(workers))
}

/// Tasks that wait for a message and get it from `rescue`, whatever that is.
fn rescued_by(workers: usize, rescue: impl FnOnce(&Runtime, Sender<u32>)) {
    let _dog = watchdog(60);
    let runtime = watched(workers);
    let (sender, receiver) = bounded(0);
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let receiver = receiver.clone();
            runtime.spawn(move || receiver.recv().unwrap())
        })
        .collect();
    rescue(&runtime, sender);
    waiting.into_iter().for_each(|handle| assert_eq!(handle.join().unwrap(), 7));
}

fn send_to_all(sender: &Sender<u32>) {
    (0..8).for_each(|_| sender.send(7).unwrap());
}

fn a_thread_outside_that_sleeps() {
    for workers in [1, 2, 8] {
        rescued_by(workers, |_, sender| {
            thread::spawn(move || {
                thread::sleep(WHILE);
                send_to_all(&sender);
            });
        });
    }
}

fn a_thread_outside_that_waits_for_a_lock() {
    rescued_by(2, |_, sender| {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let opens = Arc::clone(&gate);
        thread::spawn(move || {
            drop(gate.1.wait_while(gate.0.lock().unwrap(), |open| !*open).unwrap());
            send_to_all(&sender);
        });
        thread::spawn(move || {
            thread::sleep(WHILE);
            *opens.0.lock().unwrap() = true;
            opens.1.notify_all();
        });
    });
}

fn a_task_that_sleeps() {
    for workers in [1, 2] {
        rescued_by(workers, |runtime, sender| {
            runtime.spawn_detached(move || {
                thread::sleep(WHILE);
                send_to_all(&sender);
            });
        });
    }
}

fn a_task_that_computes() {
    rescued_by(2, |runtime, sender| {
        runtime.spawn_detached(move || {
            let start = Instant::now();
            while start.elapsed() < WHILE {
                std::hint::spin_loop();
            }
            send_to_all(&sender);
        });
    });
}

fn a_wait_with_a_timeout() {
    rescued_by(2, |runtime, sender| {
        runtime.spawn_detached(move || {
            assert!(never::<u8>().recv_timeout(WHILE).is_err());
            let value = Value::new(0);
            assert!(value.wait_for_timeout(|&now| now > 0, WHILE).is_none());
            let stuck = spawn(|| thread::sleep(2 * WHILE));
            // Run here, or waited for.
            if let Err(stuck) = stuck.join_timeout(WHILE) {
                stuck.join().unwrap();
            }
            send_to_all(&sender);
        });
    });
}

fn a_timer() {
    rescued_by(1, |runtime, sender| {
        runtime.spawn_detached(move || {
            after(WHILE).recv().unwrap();
            tick(WHILE).recv().unwrap();
            let (late, (_keeps, empty)) = (after(WHILE), unbounded::<u8>());
            let mut select = Select::new();
            select.recv(&empty);
            select.recv(&late);
            assert_eq!(select.ready(), 1);
            send_to_all(&sender);
        });
    });
}

/// Whoever waits for nothing at all does so on purpose.
fn a_task_that_waits_for_ever_on_purpose() {
    let runtime = watched(2);
    runtime.spawn_detached(|| _ = never::<u8>().recv());
    let (_keeps, receiver) = unbounded::<u8>();
    let waits = runtime.spawn(move || receiver.recv());
    thread::sleep(WHILE);
    let main_waits = thread::spawn(move || drop(waits.join()));
    let _stands_by = wyn_sched::bystander();
    thread::sleep(WHILE);
    assert!(!main_waits.is_finished());
    std::process::exit(0);
}

/// A hand-made executor: parks, and is woken by the task.
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn async_waits() {
    rescued_by(2, |runtime, sender| {
        let (late, is_late) = unbounded();
        let clock = runtime.spawn(|| thread::sleep(WHILE));
        thread::spawn(move || {
            block_on(clock).unwrap();
            late.send(()).unwrap();
        });
        // An executor inside a task.
        runtime.spawn_detached(move || {
            block_on(is_late.recv_async()).unwrap();
            send_to_all(&sender);
        });
    });
}

fn two_runtimes_that_talk() {
    let _dog = watchdog(60);
    let (here, there) = (watched(2), watched(1));
    let (to_there, at_there) = bounded::<u32>(0);
    let (to_here, at_here) = bounded::<u32>(0);
    let answers = there.spawn(move || at_there.iter().for_each(|n| to_here.send(n + 1).unwrap()));
    let asks = here.spawn(move || {
        for n in 0..3000 {
            to_there.send(n).unwrap();
            assert_eq!(at_here.recv(), Ok(n + 1));
        }
    });
    asks.join().unwrap();
    answers.join().unwrap();
}

/// An idle spare leaves after a second, and its last act is what all wait for.
fn a_spare_that_leaves_wakes_somebody() {
    let _dog = watchdog(60);
    let (sender, receiver) = bounded::<()>(100);
    let stop = move |_| _ = sender.try_send(());
    let runtime = strict(Runtime::builder().workers(2).on_thread_stop(stop));
    let (opens, gate) = bounded::<()>(0);
    // More tasks wait than there are workers, so there are spares; then they have nothing to do.
    (0..6).for_each(|_| {
        let gate = gate.clone();
        runtime.spawn_detached(move || assert!(gate.recv().is_err()));
    });
    common::wait_until("they wait", || runtime.blocked().len() == 6);
    drop(opens);
    receiver.recv().unwrap();
}

fn runtimes_that_end() {
    let _dog = watchdog(60);
    for round in 0..60 {
        let runtime = watched(1 + round % 3);
        let (sender, receiver) = bounded::<usize>(1);
        let waits = runtime.spawn(move || receiver.recv().unwrap());
        runtime.spawn_detached(move || sender.send(round).unwrap());
        match round % 3 {
            0 => drop(runtime),
            1 => runtime.shutdown(Duration::from_secs(20)).unwrap(),
            _ => assert_eq!(runtime.install(|| round), round),
        }
        assert_eq!(waits.join().unwrap(), round);
    }
    // A shutdown that gives up on a task which waits goes on by itself.
    let runtime = watched(2);
    let (_keeps, receiver) = unbounded::<u8>();
    runtime.spawn_detached(move || _ = receiver.recv());
    runtime.shutdown(WHILE).unwrap_err();
}

/// Threads that wake nobody, so that others do not get the processor they have been woken for.
fn keep_processors_busy(end: Instant) {
    for _ in 0..3 {
        thread::spawn(move || {
            let _wakes_nobody = wyn_sched::bystander();
            while Instant::now() < end {
                (0..1000).for_each(|_| std::hint::spin_loop());
            }
            // The promise holds until the process ends.
            thread::sleep(Duration::from_secs(60));
        });
    }
}

/// What is broadcast to a worker that waits is in no queue.
fn stress_broadcasts_over_waiting_workers() {
    let _dog = watchdog(100);
    let runtime = watched(2);
    let end = Instant::now() + seconds();
    keep_processors_busy(end);
    let mut rounds = 0;
    while Instant::now() < end {
        let (sender, receiver) = bounded::<usize>(0);
        let waits = runtime.spawn(move || receiver.recv().unwrap() + receiver.recv().unwrap());
        runtime.install(|| broadcast(|worker| sender.send(worker.index()).unwrap()));
        assert_eq!(waits.join().unwrap(), 1);
        rounds += 1;
    }
    eprintln!("{rounds} broadcasts");
}

/// Nearly everybody waits nearly always, and who is woken may be long in coming.
fn stress_tokens_in_a_ring() {
    let _dog = watchdog(100);
    let mut random = Random::seeded("tokens");
    let end = Instant::now() + seconds();
    let mut rounds = 0;
    while Instant::now() < end {
        let (workers, tasks) = ([1, 2, 3, 8][pick(&mut random, 4)], 1 + pick(&mut random, 12));
        let (capacity, tokens, hops) =
            (pick(&mut random, 3), 1 + pick(&mut random, 2), pick(&mut random, 100));
        let runtime = watched(workers);
        let ring: Vec<(Sender<usize>, Receiver<usize>)> =
            (0..tasks + tokens).map(|_| bounded(capacity)).collect();
        let ends = Value::new(0_usize);
        let handles: Vec<_> = (0..ring.len())
            .map(|at| {
                let (own, next) = (ring[at].1.clone(), ring[(at + 1) % ring.len()].0.clone());
                let ends = ends.clone();
                runtime.spawn(move || pass_on(&own, &next, &ends, hops, tokens))
            })
            .collect();
        ring.iter().take(tokens).for_each(|(sender, _)| sender.send(0).unwrap());
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        rounds += 1;
    }
    eprintln!("{rounds} rings");
}

/// Hands each token on until it has made its hops. There are fewer tokens than tasks, so somebody always receives.
fn pass_on(own: &Receiver<usize>, next: &Sender<usize>, ends: &Value<usize>, hops: usize, tokens: usize) {
    while let Ok(token) = own.recv() {
        if token < hops {
            next.send(token + 1).unwrap();
        } else if ends.fetch_add(1) + 1 == tokens {
            own.close();
            next.close();
            return;
        }
    }
    next.close();
}

/// A message from a thread that is gone right after, between one look and the next: the monitor is kept from its
/// processor in the middle, again and again.
fn stress_threads_that_send_and_end() {
    let _dog = watchdog(100);
    let runtime = watched(2);
    let end = Instant::now() + seconds();
    keep_processors_busy(end);
    let (sender, receiver) = bounded::<u32>(1);
    let (answer, answers) = bounded::<u32>(1);
    let echo = runtime.spawn(move || receiver.iter().for_each(|n| answer.send(n).unwrap()));
    let mut rounds = 0;
    while Instant::now() < end {
        let sender = sender.clone();
        thread::spawn(move || sender.send(rounds).unwrap());
        assert_eq!(answers.recv(), Ok(rounds));
        rounds += 1;
    }
    drop(sender);
    echo.join().unwrap();
    eprintln!("{rounds} threads");
}

/// Everything at once: tasks, children, branches, values, handles.
fn stress_all_sorts() {
    let _dog = watchdog(100);
    let mut random = Random::seeded("all sorts");
    let end = Instant::now() + seconds();
    while Instant::now() < end {
        let runtime = watched([1, 2, 64][pick(&mut random, 3)]);
        for _ in 0..20 {
            let kind = pick(&mut random, 5);
            let task = runtime.spawn(move || one_of_each(kind));
            let is_done = if kind.is_multiple_of(2) { task.join_blocking() } else { task.join() };
            assert!(is_done.unwrap());
        }
    }
}

fn one_of_each(kind: usize) -> bool {
    let (sender, receiver) = bounded(0);
    match kind {
        0 => join(|| receiver.recv() == Ok(1), || sender.send(1).is_ok()) == (true, true),
        1 => {
            let sum = AtomicUsize::new(0);
            scope(|s| {
                let (sum, receiver) = (&sum, &receiver);
                for _ in 0..3 {
                    s.spawn_detached(|_| _ = sum.fetch_add(receiver.recv().unwrap(), Ordering::SeqCst));
                }
                (0..3).for_each(|n| sender.send(n).unwrap());
            });
            sum.into_inner() == 3
        }
        2 => {
            let value = Value::new(0);
            let waits = value.clone();
            let waits = spawn(move || waits.wait_for(|&now| now == 3));
            spawn(move || (0..3).for_each(|_| _ = value.fetch_add(1))).join().unwrap();
            waits.join().unwrap() == 3
        }
        3 => {
            let (give, handle) = mpsc::channel();
            let waits = spawn(move || wyn_sched::JoinHandle::<usize>::join(handle.recv().unwrap()).unwrap());
            give.send(spawn(move || receiver.recv().unwrap())).unwrap();
            sender.send(9).unwrap();
            waits.join().unwrap() == 9
        }
        _ => {
            let done = Arc::new(AtomicBool::new(false));
            let sets = Arc::clone(&done);
            spawn(move || sets.store(true, Ordering::SeqCst)).join_blocking().unwrap();
            done.load(Ordering::SeqCst)
        }
    }
}

fn pick(random: &mut Random, n: u64) -> usize {
    usize::try_from(random.below(n)).unwrap()
}

fn seconds() -> Duration {
    Duration::from_secs(env_number("WYN_STRESS_SECONDS").unwrap_or(4))
}

fn main() -> std::process::ExitCode {
    alone::run(alone::tests![
        a_thread_outside_that_sleeps
        a_thread_outside_that_waits_for_a_lock
        a_task_that_sleeps
        a_task_that_computes
        a_wait_with_a_timeout
        a_timer
        a_task_that_waits_for_ever_on_purpose
        async_waits
        two_runtimes_that_talk
        a_spare_that_leaves_wakes_somebody
        runtimes_that_end
        stress_broadcasts_over_waiting_workers
        stress_tokens_in_a_ring
        stress_threads_that_send_and_end
        stress_all_sorts
    ])
}
