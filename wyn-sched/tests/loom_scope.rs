//! Every interleaving of a scope's count at its smallest: `src/scope/count.rs` as it is, around it the steps of
//! `src/scope/core.rs`.
//!
//! A child writes what the scope reads when it has waited: an end that is seen too early is a race, and one that
//! is never seen a deadlock. `mutants.toml` weakens it in one place at a time.
#![cfg(wyn_loom)]

#[path = "../src/scope/count.rs"]
mod count;
#[path = "../src/sync.rs"]
#[allow(dead_code, unused_imports, reason = "the models use a part of it")]
mod sync;

use count::Count;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use wyn_future::Barrier;
use wyn_future::cell::{Header, Outcome};

/// The cell has models of its own, with barriers. Here they would stand in for orderings of the count.
struct Nothing;

impl Barrier for Nothing {
    fn light() {}
    fn heavy() {}
}

const CHILDREN: usize = 2;

/// What a scope and its children share, and what each child leaves behind.
struct Scope {
    count: Count,
    done: Header,
    left_behind: [UnsafeCell<u32>; CHILDREN],
}

// SAFETY: that its uses are ordered is what the models check.
unsafe impl Sync for Scope {}
// SAFETY: as above.
unsafe impl Send for Scope {}

impl Scope {
    fn new() -> Arc<Self> {
        static ENTRY: u64 = 0;
        let done = Header::new((&raw const ENTRY).cast_mut().cast(), None);
        Arc::new(Self { count: Count::new(), done, left_behind: std::array::from_fn(|_| UnsafeCell::new(0)) })
    }

    /// The home's, or that of a child which is counted.
    fn spawn(&self, is_home: bool) {
        // SAFETY: the models call it so.
        unsafe { self.count.begin(is_home) };
    }

    /// What child `i` does, and its end.
    fn child(&self, i: usize, is_home: bool) {
        // SAFETY: nobody else writes it, and the scope reads it when the child has ended.
        self.left_behind[i].with_mut(|place| unsafe { *place = 1 });
        // SAFETY: each child ends once.
        if unsafe { Count::end(&raw const self.count, is_home) } {
            // SAFETY: completed once, by the last child.
            let _ = unsafe { Header::complete::<Nothing>(&raw const self.done, Outcome::Value) };
        }
    }

    fn await_done(&self) {
        while self.done.left().is_none() {
            thread::yield_now();
        }
    }

    /// At home: waits until all have ended, and reads what they have left behind.
    fn wait(&self, children: usize) {
        // SAFETY: the home.
        let is_pending = unsafe { self.count.pending() } != 0;
        // SAFETY: the home; folded once.
        if is_pending && unsafe { self.count.fold() } {
            self.await_done();
        }
        self.read(children);
    }

    /// At home: reads what so many children have left behind, all of which have ended.
    fn read(&self, children: usize) {
        for place in &self.left_behind[..children] {
            // SAFETY: all children have ended.
            assert_eq!(place.with(|place| unsafe { *place }), 1);
            place.with_mut(|_| ());
        }
    }
}

/// Explores what a home does with its scope; like every actor, it is a spawned thread.
fn at_home(home: impl Fn(&Arc<Scope>) + Copy + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || thread::spawn(move || home(&Scope::new())).join().unwrap());
}

/// A thread that has to do with the scope as well.
fn elsewhere(scope: &Arc<Scope>, what: impl FnOnce(&Scope) + Send + 'static) -> thread::JoinHandle<()> {
    let scope = Arc::clone(scope);
    thread::spawn(move || what(&scope))
}

/// Two children of the home, run elsewhere.
#[test]
fn the_last_child_speaks_for_all() {
    at_home(|scope| {
        scope.spawn(true);
        scope.spawn(true);
        let thieves = [0, 1].map(|i| elsewhere(scope, move |scope| scope.child(i, false)));
        scope.wait(2);
        thieves.into_iter().for_each(|thief| thief.join().unwrap());
    });
}

/// One child at home and one elsewhere, which may end before the home looks, or folds, or waits.
#[test]
fn the_last_child_may_end_before_the_fold() {
    at_home(|scope| {
        scope.spawn(true);
        scope.spawn(true);
        let thief = elsewhere(scope, |scope| scope.child(0, false));
        scope.child(1, true);
        scope.wait(2);
        thief.join().unwrap();
    });
}

/// A child elsewhere spawns another, which runs at home after the fold, as `wait` runs work below the scope.
#[test]
fn a_grandchild_ends_at_home_after_the_fold() {
    at_home(|scope| {
        scope.spawn(true);
        let thief = elsewhere(scope, |scope| {
            scope.spawn(false);
            scope.child(0, false);
        });
        // SAFETY: the home; folded once. A thief has the child, so the count is not empty.
        let is_left = unsafe { scope.count.fold() };
        assert!(is_left, "the grandchild has not ended");
        thief.join().unwrap();
        scope.child(1, true);
        scope.await_done();
        scope.read(2);
    });
}

/// The home sees the end of a child by looking, without ever folding.
#[test]
fn a_count_that_is_never_folded() {
    at_home(|scope| {
        scope.spawn(true);
        let thief = elsewhere(scope, |scope| scope.child(0, false));
        // SAFETY: the home; not folded.
        while unsafe { scope.count.pending() } != 0 {
            thread::yield_now();
        }
        scope.wait(1);
        thief.join().unwrap();
    });
}
