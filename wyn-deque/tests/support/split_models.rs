//! What the models of the split deque share: small deques, their owners and thieves, and the account at the end.
#![allow(dead_code, reason = "each file of models takes what it needs")]

use loom::thread::{self, JoinHandle};
use wyn_deque::Steal;
use wyn_deque::split::{Barrier, Fences, Stealer, Worker};

/// Runs a model of two threads with three involuntary switches, or as many as `LOOM_MAX_PREEMPTIONS` says.
pub(crate) fn check(model: impl Fn() + Sync + Send + 'static) {
    check_bounded(3, model);
}

/// The same for three threads, with two switches.
pub(crate) fn check_three(model: impl Fn() + Sync + Send + 'static) {
    check_bounded(2, model);
}

pub(crate) fn check_bounded(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(model);
}

/// A deque with the items `1..=items`; the first one has the last index before the wrap.
pub(crate) fn worker<B: Barrier>(capacity: usize, items: u32) -> Worker<u32, B> {
    let worker = Worker::starting_at(capacity, usize::MAX);
    (1..=items).for_each(|item| worker.push(item));
    worker
}

/// What a thief has got: single items, and a deque with a batch, which is left as it is until the threads have
/// ended, since each operation on it would be one more to interleave.
pub(crate) struct Loot<B: Barrier> {
    pub(crate) items: Vec<u32>,
    pub(crate) batch: Option<Worker<u32, B>>,
}

impl<B: Barrier> Loot<B> {
    pub(crate) fn items(items: impl IntoIterator<Item = u32>) -> Self {
        Self { items: items.into_iter().collect(), batch: None }
    }

    /// All of it, oldest first.
    pub(crate) fn all(mut self) -> Vec<u32> {
        let newest_first = self.batch.iter().flat_map(|batch| std::iter::from_fn(|| batch.pop()));
        let newest_first: Vec<u32> = newest_first.collect();
        self.items.extend(newest_first.into_iter().rev());
        self.items
    }
}

/// A thread that tries to steal one item.
pub(crate) fn thief<B: Barrier>(stealer: Stealer<u32, B>) -> JoinHandle<Loot<B>> {
    thread::spawn(move || Loot::items(stealer.steal().success()))
}

/// A thread that tries to steal a batch.
pub(crate) fn batch_thief<B: Barrier>(stealer: Stealer<u32, B>, limit: usize) -> JoinHandle<Loot<B>> {
    thread::spawn(move || {
        let batch = Worker::with_capacity(2);
        let _ = stealer.steal_batch(&batch, limit);
        Loot { items: Vec::new(), batch: Some(batch) }
    })
}

/// An owner at its end: its worker, and what it got.
pub(crate) type Ended<B> = (Worker<u32, B>, Vec<Option<u32>>);

/// A thread that owns `worker`, and returns what it got, all that is left included.
pub(crate) fn owner<B: Barrier>(
    worker: Worker<u32, B>,
    run: impl FnOnce(&Worker<u32, B>) -> Vec<Option<u32>> + 'static,
) -> JoinHandle<Ended<B>> {
    thread::spawn(move || {
        let got = run(&worker);
        (worker, got)
    })
}

/// The position of an item that was pushed first, second, and so on, before any other was taken.
pub(crate) fn position(item: u32) -> usize {
    usize::MAX.wrapping_add(item as usize - 1)
}

/// The first of the holes: each is another one, and may come out once or never.
pub(crate) const HOLE: u32 = 100;

/// Joins everyone; the items `1..=count` must have come out exactly once.
#[track_caller]
pub(crate) fn settle<B: Barrier>(count: u32, owner: JoinHandle<Ended<B>>, thieves: Vec<JoinHandle<Loot<B>>>) {
    let (worker, popped) = owner.join().unwrap();
    let mut taken: Vec<u32> = popped.into_iter().flatten().collect();
    for thief in thieves {
        let stolen = thief.join().unwrap().all();
        assert!(
            stolen.iter().filter(|item| **item < HOLE).is_sorted(),
            "a thief got {stolen:?}: oldest first"
        );
        taken.extend(stolen);
    }
    taken.extend(std::iter::from_fn(|| worker.pop()));
    taken.sort_unstable();
    let holes = taken.split_off(taken.partition_point(|item| *item < HOLE));
    assert!(holes.is_sorted_by(|one, other| one < other), "a hole came out twice: {holes:?}");
    assert_eq!(taken, (1..=count).collect::<Vec<_>>());
    assert_eq!((worker.len(), worker.stealer().steal()), (0, Steal::Empty));
    let (split, head) = worker.stealer().mark();
    assert_eq!(split, head, "an empty pop puts the head back");
}

/// The barrier without the owner's half.
pub(crate) struct NoLight;
// SAFETY: it is not: the model must show it.
unsafe impl Barrier for NoLight {
    fn light() {}
    fn heavy() {
        Fences::heavy();
    }
}
