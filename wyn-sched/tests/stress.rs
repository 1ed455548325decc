//! Random trees of tasks, spawned and ended in every way, on too many workers, with threads coming and going.
//!
//! Each node of a tree sets its bit in a map, once. `WYN_SEED` repeats a run, `WYN_STRESS_MS` makes it longer. A
//! watchdog ends the process when nothing moves for two seconds (`WYN_PATIENCE_MS`).
#![cfg(not(wyn_loom))]

mod common;

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{Counter, Random, Token, env_number, runtime, wait_until, watch_progress};
use wyn_sched::{JoinHandle, Runtime, spawn, spawn_detached, yield_now};

/// Nodes of one forest at most.
const NODES: usize = 1 << 14;

/// What all tasks of one forest share.
struct Forest {
    ran: Box<[AtomicU64]>,
    planted: AtomicUsize,
    grown: AtomicUsize,
    tokens: Counter,
    progress: Arc<AtomicUsize>,
}

/// What a node returns: its number, and proof that results are dropped.
struct Fruit {
    node: usize,
    _token: Token,
}

impl Forest {
    fn new(progress: &Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self {
            ran: (0..NODES / 64).map(|_| AtomicU64::new(0)).collect(),
            planted: AtomicUsize::new(0),
            grown: AtomicUsize::new(0),
            tokens: Counter::default(),
            progress: Arc::clone(progress),
        })
    }

    /// A number for a new node, while there are some left.
    fn plant(&self) -> Option<usize> {
        let take = |n: usize| (n < NODES).then_some(n + 1);
        self.planted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()
    }

    /// The body of a node: runs once, spawns and ends children, sometimes panics.
    fn grow(self: &Arc<Self>, node: usize, depth: u64, mut random: Random) -> Fruit {
        let before = self.ran[node / 64].fetch_or(1 << (node % 64), Ordering::Relaxed);
        assert_eq!(before & (1 << (node % 64)), 0, "node {node} ran twice");
        self.progress.fetch_add(1, Ordering::Relaxed);
        let fruit = Fruit { node, _token: self.tokens.token() };
        let mut kept = Vec::new();
        for _ in 0..if depth == 0 { 0 } else { random.below(6) } {
            let Some(child) = self.plant() else { break };
            let (forest, seed) = (Arc::clone(self), Random::new(random.next()));
            let body = move || forest.grow(child, depth - 1, seed);
            if random.below(8) == 0 {
                spawn_detached(move || drop(body()));
                continue;
            }
            let handle = spawn(body);
            match random.below(8) {
                0 => drop(handle),
                1 => handle.detach(),
                2 => eat(handle, child, &mut random),
                _ => kept.push((handle, child)),
            }
        }
        if random.below(4) == 0 {
            kept.reverse();
        }
        if random.below(16) == 0 {
            yield_now();
        }
        self.grown.fetch_add(1, Ordering::Release);
        if random.below(10) == 0 {
            // Over children that still run, or have not started.
            panic_any(fruit.node);
        }
        for (handle, child) in kept {
            eat(handle, child, &mut random);
        }
        fruit
    }

    /// After the end of its runtime: each node ran once and was dropped once.
    fn harvest(&self) {
        let planted = self.planted.load(Ordering::Acquire);
        wait_until("all have grown", || self.grown.load(Ordering::Acquire) == planted);
        let ran: u32 = self.ran.iter().map(|bits| bits.load(Ordering::Relaxed).count_ones()).sum();
        assert_eq!(ran as usize, planted);
        self.tokens.assert_all_dropped();
        assert_eq!(self.tokens.made(), planted);
    }
}

/// Waits for a child in one of the ways there are.
fn eat(mut handle: JoinHandle<Fruit>, child: usize, random: &mut Random) {
    let result = match random.below(6) {
        0 => match handle.try_join() {
            Ok(result) => result,
            Err(handle) => return drop(handle),
        },
        1 => loop {
            match handle.join_timeout(Duration::from_micros(random.below(200))) {
                Ok(result) => break result,
                Err(again) => handle = again,
            }
        },
        2 => {
            while !handle.is_finished() && random.below(50) > 0 {
                yield_now();
            }
            handle.join()
        }
        _ => handle.join(),
    };
    match result {
        Ok(fruit) => assert_eq!(fruit.node, child, "somebody else's result"),
        Err(error) => assert_eq!(*error.into_panic().downcast::<usize>().unwrap(), child),
    }
}

/// Plants a tree from outside.
fn plant(runtime: &Runtime, forest: &Arc<Forest>, random: &mut Random) -> Option<(JoinHandle<Fruit>, usize)> {
    let node = forest.plant()?;
    let (inside, seed) = (Arc::clone(forest), Random::new(random.next()));
    Some((runtime.spawn(move || inside.grow(node, 5, seed)), node))
}

/// A thread from outside: plants, helps or only waits, and goes.
fn visit(runtime: &Runtime, forest: &Arc<Forest>, mut random: Random) {
    let mut handles = Vec::new();
    for _ in 0..random.below(40) {
        let Some(planted) = plant(runtime, forest, &mut random) else { break };
        handles.push(planted);
    }
    let mut joiner_random = Random::new(random.next());
    if random.below(3) == 0 {
        // By a thread without a context.
        thread::scope(|scope| {
            scope.spawn(move || handles.into_iter().for_each(|(h, node)| eat(h, node, &mut joiner_random)));
        });
    } else {
        handles.into_iter().for_each(|(handle, node)| eat(handle, node, &mut joiner_random));
    }
}

fn forests(name: &str, workers: usize) {
    // The panics are part of the work: only those of assertions are shown.
    std::panic::set_hook(Box::new(|info| {
        if info.payload().downcast_ref::<usize>().is_none() {
            eprintln!("{info}");
        }
    }));
    let mut random = Random::seeded(name);
    let progress = Arc::new(AtomicUsize::new(0));
    let _dog = watch_progress(name.to_owned(), Arc::clone(&progress));
    let until = Instant::now() + Duration::from_millis(env_number("WYN_STRESS_MS").unwrap_or(2500));
    while Instant::now() < until {
        let forest = Forest::new(&progress);
        let runtime = runtime(workers);
        thread::scope(|scope| {
            for _ in 0..random.below(5) {
                let (runtime, forest, random) = (&runtime, &forest, Random::new(random.next()));
                scope.spawn(move || visit(runtime, forest, random));
            }
            visit(&runtime, &forest, Random::new(random.next()));
        });
        if random.below(3) == 0 {
            thread::sleep(Duration::from_micros(random.below(3000)));
        }
        drop(runtime);
        forest.harvest();
        progress.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn stress_forests_on_one_worker() {
    forests("1 worker", 1);
}

#[test]
fn stress_forests_on_two_workers() {
    forests("2 workers", 2);
}

#[test]
fn stress_forests_on_eight_workers() {
    forests("8 workers", 8);
}

#[test]
fn stress_forests_on_sixty_four_workers() {
    forests("64 workers", 64);
}

#[test]
fn stress_handles_passed_around() {
    // Each task waits for one that another thread has spawned, in chains that cross all threads.
    let mut random = Random::seeded("passed around");
    let progress = Arc::new(AtomicUsize::new(0));
    let _dog = watch_progress("passed around".to_owned(), Arc::clone(&progress));
    let until = Instant::now() + Duration::from_millis(env_number("WYN_STRESS_MS").unwrap_or(2500));
    while Instant::now() < until {
        let runtime = runtime([1, 2, 8][usize::try_from(random.below(3)).unwrap()]);
        let mut handles: Vec<JoinHandle<u64>> = Vec::new();
        // Each of these waits may keep a thread.
        for i in 0..400 {
            let last = if random.below(3) == 0 || handles.is_empty() {
                None
            } else {
                let any = usize::try_from(random.below(handles.len() as u64)).unwrap();
                Some(handles.swap_remove(any))
            };
            let progress = Arc::clone(&progress);
            handles.push(runtime.spawn(move || {
                progress.fetch_add(1, Ordering::Relaxed);
                last.map_or(0, |last| last.join().unwrap()) + i
            }));
        }
        let sum: u64 = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
        assert_eq!(sum, 399 * 200);
        progress.fetch_add(1, Ordering::Relaxed);
    }
}
