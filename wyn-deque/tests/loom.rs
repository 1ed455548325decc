//! Every interleaving of small games on the Chase-Lev deque and the injector.
//!
//! Rings have 2 slots here and injector blocks 2 tasks, so that a few operations lap, grow and cross
//! blocks. Every actor runs in a spawned thread: loom does not delay its main thread's loads.
//! Races on tasks are reported by the slots' cells, a ring used after it could be freed by its
//! liveness flag, a task lost or doubled by [`Tally`].
//!
//! `RUSTFLAGS="--cfg wyn_loom" CARGO_TARGET_DIR=target/loom cargo test --profile loom -p wyn-deque
//! --test loom`
#![cfg(wyn_loom)]

use std::sync::{Arc, Mutex};

use loom::thread;
use wyn_deque::{Injector, Steal, Stealer, Worker};

/// Who got what. Invisible to loom, so it orders nothing.
#[derive(Clone, Default)]
struct Tally(Arc<Mutex<Vec<usize>>>);

impl Tally {
    fn add(&self, tasks: impl IntoIterator<Item = usize>) {
        self.0.lock().unwrap().extend(tasks);
    }

    /// Each of `0 .. count` exactly once.
    fn assert_each_once(&self, count: usize) {
        let mut tasks = std::mem::take(&mut *self.0.lock().unwrap());
        tasks.sort_unstable();
        assert_eq!(tasks, (0..count).collect::<Vec<_>>());
    }
}

fn drain(worker: &Worker<usize>) -> Vec<usize> {
    std::iter::from_fn(|| worker.pop()).collect()
}

/// All executions with up to so many preemptions; `LOOM_MAX_PREEMPTIONS` overrides.
///
/// Always bounded: loom 0.7 adds a conservative backtracking point only if there is a bound, and without
/// one it misses executions that it finds with a bound of 1 (a missing barrier in `thief_meets_owner`).
fn explore(preemptions: usize, game: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound.get_or_insert(preemptions);
    model.check(game);
}

/// An owner's and some thieves' scripts, each in its own thread; afterwards all tasks are counted.
fn game(
    worker: fn() -> Worker<usize>,
    tasks: usize,
    preemptions: usize,
    owner: fn(&Worker<usize>, &Tally),
    thieves: &'static [fn(&Stealer<usize>, &Tally)],
) {
    explore(preemptions, move || {
        let tally = Tally::default();
        let worker = worker();
        let mut threads = Vec::new();
        for thief in thieves {
            let (stealer, tally) = (worker.stealer(), tally.clone());
            threads.push(thread::spawn(move || thief(&stealer, &tally)));
        }
        let owners_tally = tally.clone();
        let owner = thread::spawn(move || {
            owner(&worker, &owners_tally);
            worker
        });
        let worker = owner.join().unwrap();
        for thread in threads {
            thread.join().unwrap();
        }
        tally.add(drain(&worker));
        tally.assert_each_once(tasks);
    });
}

fn steal_once(stealer: &Stealer<usize>, tally: &Tally) {
    tally.add(stealer.steal().success());
}

fn steal_twice(stealer: &Stealer<usize>, tally: &Tally) {
    tally.add(stealer.steal().success());
    tally.add(stealer.steal().success());
}

fn steal_batch(stealer: &Stealer<usize>, tally: &Tally) {
    let own = Worker::new_fifo();
    tally.add(stealer.steal_batch_and_pop(&own).success());
    tally.add(drain(&own));
}

/// Race: owner and thief both take the only task; or the thief reads a task not yet visible.
#[test]
fn last_task() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        worker.push(0);
        tally.add(worker.pop());
    }
    game(Worker::new_lifo, 1, 9, owner, &[steal_once]);
    game(Worker::new_fifo, 1, 9, owner, &[steal_once]);
}

/// Race: the owner takes the newest of two without a claim while a thief, having taken the oldest,
/// goes on to it with an old `bottom`.
#[test]
fn thief_meets_owner() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        worker.push(0);
        worker.push(1);
        tally.add(worker.pop());
    }
    game(Worker::new_lifo, 2, 9, owner, &[steal_twice]);
}

/// Race: the owner takes the newest of two and pushes another one under the same index; a thief
/// must not take the old one for it, nor see the new one torn.
#[test]
fn index_is_reused() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        worker.push(0);
        worker.push(1);
        tally.add(worker.pop());
        worker.push(2);
    }
    game(Worker::new_lifo, 3, 4, owner, &[steal_twice]);
}

/// Race: two thieves take the same task.
#[test]
fn two_thieves() {
    fn owner(worker: &Worker<usize>, _: &Tally) {
        worker.push(0);
        worker.push(1);
    }
    game(Worker::new_lifo, 2, 4, owner, &[steal_once, steal_once]);
    game(Worker::new_fifo, 2, 4, owner, &[steal_once, steal_once]);
}

/// Race: two thieves and an owner who pops.
#[test]
fn two_thieves_and_owner() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        worker.push(0);
        worker.push(1);
        tally.add(worker.pop());
    }
    game(Worker::new_lifo, 2, 3, owner, &[steal_once, steal_once]);
    game(Worker::new_fifo, 2, 3, owner, &[steal_once, steal_once]);
}

/// Race: the owner writes the third task into the slot of the first before the thief has read that.
#[test]
fn slot_reuse_over_a_lap() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        worker.push(0);
        worker.push(1);
        tally.add(worker.pop());
        worker.push(2);
        worker.push(3);
    }
    game(Worker::new_fifo, 4, 3, owner, &[steal_once]);
    game(Worker::new_lifo, 4, 3, owner, &[steal_once]);
}

/// Race: the ring is replaced between a thief's look and its read, and freed; or the thief finds the
/// new ring before its contents.
#[test]
fn growth() {
    fn owner(worker: &Worker<usize>, _: &Tally) {
        (0..3).for_each(|task| worker.push(task));
    }
    game(Worker::new_lifo, 3, 4, owner, &[steal_twice]);
    game(Worker::new_fifo, 3, 3, owner, &[steal_twice]);
}

/// Race: an index is popped from a ring, pushed again into its successor, and read from the old one.
#[test]
fn growth_with_index_reuse() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        worker.push(0);
        worker.push(1);
        tally.add(worker.pop());
        worker.push(2);
        worker.push(3);
    }
    game(Worker::new_lifo, 4, 3, owner, &[steal_twice]);
}

/// Race: a replaced ring takes a slot for drained that a thief of the new ring still reads.
#[test]
fn laps_around_a_replaced_ring() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        (0..3).for_each(|task| worker.push(task));
        tally.add(worker.pop());
        tally.add(worker.pop());
        (3..6).for_each(|task| worker.push(task));
    }
    game(Worker::new_fifo, 6, 3, owner, &[steal_once]);
}

/// Race: the owner pops inside a thief's batch.
#[test]
fn batch_meets_owner() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        (0..3).for_each(|task| worker.push(task));
        tally.add(worker.pop());
        tally.add(worker.pop());
    }
    game(Worker::new_lifo, 3, 3, owner, &[steal_batch]);
    game(Worker::new_fifo, 3, 3, owner, &[steal_batch]);
}

/// Race: growth in the middle of a LIFO batch; each task must come from a ring that has it.
#[test]
fn batch_meets_growth() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        (0..4).for_each(|task| worker.push(task));
        tally.add(worker.pop());
        worker.push(4);
        worker.push(5);
    }
    game(Worker::new_lifo, 6, 3, owner, &[steal_batch]);
    game(Worker::new_fifo, 6, 3, owner, &[steal_batch]);
}

/// Race: between a LIFO batch's look and its second claim, the second task is popped and another one
/// pushed under its index into a new ring only. The first ring found still has the old task there.
#[test]
fn batch_meets_a_new_ring() {
    fn owner(worker: &Worker<usize>, tally: &Tally) {
        (0..3).for_each(|task| worker.push(task));
        tally.add(worker.pop());
        tally.add(worker.pop());
        let other = Worker::new_lifo();
        (3..11).for_each(|task| other.push(task));
        assert!(other.stealer().steal_batch(worker).is_success());
        tally.add(drain(&other));
    }
    game(Worker::new_lifo, 11, 3, owner, &[steal_batch]);
}

/// Race: two batch thieves of one FIFO deque.
#[test]
fn two_batches() {
    fn owner(worker: &Worker<usize>, _: &Tally) {
        (0..3).for_each(|task| worker.push(task));
    }
    game(Worker::new_fifo, 3, 3, owner, &[steal_batch, steal_once]);
}

/// A thief that announces itself and then finds the deque empty is seen by an owner that pushes,
/// fences and looks.
#[test]
fn push_then_look_for_sleepers() {
    use loom::sync::atomic::{AtomicBool, Ordering, fence};
    explore(9, || {
        let worker = Worker::new_lifo();
        let stealer = worker.stealer();
        let asleep = loom::sync::Arc::new(AtomicBool::new(false));
        let announced = asleep.clone();
        let thief = thread::spawn(move || {
            announced.store(true, Ordering::Relaxed);
            stealer.steal() == Steal::Empty
        });
        let owner = thread::spawn(move || {
            worker.push(0);
            fence(Ordering::SeqCst);
            asleep.load(Ordering::Relaxed)
        });
        let (sleeper_seen, sleeps) = (owner.join().unwrap(), thief.join().unwrap());
        assert!(sleeper_seen || !sleeps, "lost wake-up");
    });
}

/// Race: producers and consumers around the lock and across a block.
#[test]
fn injector_exchange() {
    explore(3, || {
        let injector = loom::sync::Arc::new(Injector::new());
        let tally = Tally::default();
        let (first, taker) = (injector.clone(), (injector.clone(), tally.clone()));
        let producer = thread::spawn(move || {
            first.push(0);
            first.push_batch(1..3);
        });
        let consumer = thread::spawn(move || {
            let own = Worker::new_lifo();
            taker.1.add(taker.0.steal_batch_and_pop(&own).success());
            taker.1.add(drain(&own));
        });
        producer.join().unwrap();
        consumer.join().unwrap();
        injector.pop_batch(8, |task| tally.add([task]));
        assert!(injector.is_empty());
        tally.assert_each_once(3);
    });
}

/// As for the deque: an empty look behind an announcement is seen by a pusher that fences.
#[test]
fn injector_push_then_look_for_sleepers() {
    use loom::sync::atomic::{AtomicBool, Ordering, fence};
    explore(9, || {
        let injector = loom::sync::Arc::new(Injector::new());
        let asleep = loom::sync::Arc::new(AtomicBool::new(false));
        let (announced, queue) = (asleep.clone(), injector.clone());
        let thief = thread::spawn(move || {
            announced.store(true, Ordering::Relaxed);
            queue.steal() == Steal::Empty
        });
        let pusher = thread::spawn(move || {
            injector.push(0);
            fence(Ordering::SeqCst);
            asleep.load(Ordering::Relaxed)
        });
        let (sleeper_seen, sleeps) = (pusher.join().unwrap(), thief.join().unwrap());
        assert!(sleeper_seen || !sleeps, "lost wake-up");
    });
}
