//! Many tasks that wait at a time, and tasks that are pushed beside others which never let go.
#![cfg(all(not(wyn_loom), feature = "channel"))]
#![cfg_attr(target_os = "linux", allow(unsafe_code, reason = "limits its process"))]

mod common;
mod waiting;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use common::{Random, WORKERS, wait_until};
use waiting::{each, some, with};
use wyn_channel::Value;
use wyn_sched::{JoinHandle, Runtime, join, scope, spawn, spawn_detached, spawn_future};

/// Each task joins one that was spawned before it, or none.
fn graph(runtime: &Runtime, tasks: usize) {
    let (mut random, mut free) = (Random::new(tasks as u64), Vec::<JoinHandle<usize>>::new());
    for _ in 0..tasks {
        let any = usize::try_from(random.below(free.len() as u64)).unwrap();
        let before = (free.len() > 8).then(|| free.swap_remove(any));
        free.push(runtime.spawn(move || before.map_or(0, |before| before.join().unwrap()) + 1));
    }
    assert_eq!(free.into_iter().map(|handle| handle.join().unwrap()).sum::<usize>(), tasks);
}

/// Each task joins the one before it.
fn chain(runtime: &Runtime, tasks: usize) {
    let link = |before: Option<JoinHandle<usize>>| {
        runtime.spawn(move || before.map_or(0, |before| before.join().unwrap()) + 1)
    };
    let last = (1..tasks).fold(link(None), |before, _| link(Some(before)));
    assert_eq!(last.join().unwrap(), tasks);
}

/// The tasks wait for a value, which is set when all of them wait, or after a while. How many waited by then.
fn crowd(runtime: &Runtime, tasks: usize, patience: Duration) -> usize {
    let (value, waiting) = (Value::new(0_u32), Arc::new(AtomicUsize::new(0)));
    let handles: Vec<_> = (0..tasks)
        .map(|_| {
            let (value, waiting) = (value.clone(), Arc::clone(&waiting));
            runtime.spawn(move || {
                waiting.fetch_add(1, Ordering::Relaxed);
                value.wait_for(|&now| now > 0)
            })
        })
        .collect();
    let begin = Instant::now();
    while waiting.load(Ordering::Relaxed) < tasks && begin.elapsed() < patience {
        thread::sleep(Duration::from_millis(1));
    }
    let waited = waiting.load(Ordering::Relaxed);
    value.set(1);
    assert!(handles.into_iter().all(|handle| handle.join_blocking().unwrap() == 1));
    waited
}

#[test]
fn a_random_graph_of_joins() {
    each(|runtime| graph(runtime, 2000));
}

#[test]
fn stress_long_random_graphs_of_joins() {
    with(&WORKERS, 120, |runtime| {
        graph(runtime, 10_000);
        graph(runtime, 100_000);
    });
}

#[test]
fn a_chain_of_joins() {
    each(|runtime| chain(runtime, 10_000));
}

#[test]
fn a_thousand_tasks_wait_for_one_value() {
    each(|runtime| assert_eq!(crowd(runtime, 1000, Duration::from_secs(20)), 1000));
}

#[test]
fn stress_long_five_thousand_tasks_wait_for_one_value() {
    with(&WORKERS, 120, |runtime| {
        eprintln!("  {} wait at a time", crowd(runtime, 5000, Duration::from_secs(10)));
    });
}

/// Too little for a thread for each task: those that wait make do with the threads there are.
#[cfg(target_os = "linux")]
#[test]
fn tasks_wait_in_a_small_address_space() {
    common::in_child("tasks_wait_in_a_small_address_space", &[], || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
        let bytes = pages * 4096 + (1 << 30);
        let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
        // SAFETY: `limit` is read.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
        some(&[1, 2, 8], |runtime| {
            graph(runtime, 400);
            chain(runtime, 400);
            crowd(runtime, 400, Duration::from_millis(300));
        });
    });
}

/// How long a task may be kept waiting by others that do not end, in the tests below.
const PATIENCE: Duration = Duration::from_secs(1);

const WAYS: [&str; 3] = ["closure of a guest", "closure through the injector", "future of a guest"];

/// Pushes a task from outside, and says after what time it has started.
fn push(runtime: &Runtime, other: &Runtime, way: &str) -> Duration {
    let (sender, receiver) = mpsc::channel();
    let begin = Instant::now();
    let tell = move || sender.send(begin.elapsed()).unwrap();
    match way {
        "closure of a guest" => runtime.spawn_detached(tell),
        "future of a guest" => runtime.spawn_future(async move { tell() }).detach(),
        _ => other.install(move || runtime.spawn_detached(tell)),
    }
    receiver.recv().unwrap()
}

/// Pushes a task in each way there is. One that is late has two more tries: others may use this machine.
fn assert_starts(runtime: &Runtime, what: &str) {
    let other = common::runtime(1);
    for way in WAYS {
        let is_in_time = (0..3).any(|_| {
            let after = push(runtime, &other, way);
            eprintln!("  {what}: a {way} starts after {after:.1?}");
            after < PATIENCE
        });
        assert!(is_in_time, "{what}: a {way} starts too late");
    }
}

/// A flag that ends the tasks of a test, however the test ends.
#[derive(Clone, Default)]
struct Stop(Arc<AtomicBool>);

impl Stop {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets the flag when it goes.
struct Guard(Stop);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Starts so many tasks that never let go, and pushes one beside them.
fn beside(runtime: &Runtime, what: &str, busy: usize, start: impl Fn(Stop)) {
    let guard = Guard(Stop::default());
    (0..busy).for_each(|_| start(guard.0.clone()));
    thread::sleep(Duration::from_millis(50));
    assert_starts(runtime, what);
}

#[test]
fn closures_that_spawn_their_successors_let_others_start() {
    fn again(stop: Stop) {
        if !stop.is_set() {
            spawn_detached(|| again(stop));
        }
    }
    each(|runtime| {
        beside(runtime, "closures that spawn their like", runtime.workers(), |stop| {
            runtime.spawn_detached(|| again(stop));
        });
    });
}

#[test]
fn futures_that_spawn_their_successors_let_others_start() {
    fn again(stop: Stop) {
        if !stop.is_set() {
            spawn_future(async { again(stop) }).detach();
        }
    }
    each(|runtime| {
        beside(runtime, "futures that spawn their like", runtime.workers(), |stop| {
            runtime.spawn_future(async { again(stop) }).detach();
        });
    });
}

#[test]
fn futures_that_are_always_ready_let_others_start() {
    each(|runtime| {
        beside(runtime, "futures that are always ready", runtime.workers(), |stop| {
            let (sender, receiver) = wyn_channel::unbounded();
            sender.send(0_u64).unwrap();
            let work = async move {
                while !stop.is_set() {
                    let number = receiver.recv_async().await.unwrap();
                    sender.send(number + 1).unwrap();
                }
            };
            runtime.spawn_future(work).detach();
        });
    });
}

fn fib_by_spawn(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let a = spawn(move || fib_by_spawn(n - 1));
    let b = fib_by_spawn(n - 2);
    a.join().unwrap() + b
}

fn fib_by_join(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = join(|| fib_by_join(n - 1), || fib_by_join(n - 2));
    a + b
}

fn fib_by_scope(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (mut a, mut b) = (0, 0);
    scope(|s| {
        s.spawn_detached(|_| a = fib_by_scope(n - 1));
        b = fib_by_scope(n - 2);
    });
    a + b
}

type Fib = (&'static str, fn(u64) -> u64);

const FIBS: [Fib; 3] = [("spawn", fib_by_spawn), ("join", fib_by_join), ("scope", fib_by_scope)];

/// All workers but one are inside of recursions that go on; the last one only takes from them. With many more of them
/// than processors it would be the system that lets the last one wait.
#[test]
fn long_recursions_let_others_start() {
    some(&[2, 8], |runtime| {
        for (name, fib) in FIBS {
            let what = format!("recursions by {name}");
            beside(runtime, &what, runtime.workers() - 1, |stop| {
                runtime.spawn_detached(move || {
                    while !stop.is_set() {
                        assert_eq!(fib(16), 987);
                    }
                });
            });
        }
    });
}

/// As many tasks as workers block in the system, each for so long that it is seen if one of them waits for another.
#[test]
fn as_many_tasks_as_workers_sleep_at_a_time() {
    let sleep = Duration::from_millis(300);
    each(|runtime| {
        let (many, starts) = (runtime.workers(), Arc::new(Mutex::new(Vec::new())));
        thread::sleep(Duration::from_millis(20));
        let begin = Instant::now();
        let handles: Vec<_> = (0..many)
            .map(|_| {
                let starts = Arc::clone(&starts);
                runtime.spawn(move || {
                    starts.lock().unwrap().push(begin.elapsed());
                    thread::sleep(sleep);
                })
            })
            .collect();
        wait_until("all have started", || starts.lock().unwrap().len() == many);
        let last = starts.lock().unwrap().iter().max().copied().unwrap();
        eprintln!("  the last of {many} starts after {last:.1?}");
        assert!(last < sleep, "the last of {many} starts after {last:?}");
        handles.into_iter().for_each(|handle| handle.join_blocking().unwrap());
    });
}

/// A thread that has moved to another stack, as parsers and compilers do: its bounds are not those of the thread.
#[cfg(not(wyn_chaos))]
#[test]
fn recursions_on_a_grown_stack() {
    each(|runtime| {
        for (name, fib) in FIBS {
            let grown = || stacker::grow(16 << 20, || fib(14));
            assert_eq!((runtime.install(grown), grown()), (377, 377), "by {name}");
            // In the middle of a task, on the stack that was grown before the task was started.
            assert_eq!(stacker::grow(16 << 20, || runtime.spawn(move || fib(14)).join().unwrap()), 377);
        }
    });
}
