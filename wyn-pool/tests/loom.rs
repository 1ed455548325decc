//! Models of the typed pool: exchange with the depot, thread exit, trim, the end of a pool. The raw classes run on
//! the same caches and depot.
//!
//! Loom cannot see into cells, so each cell's address gets a witness of its own: taking a cell and giving it back
//! count as writes to it, and a hand-over without happens-before is a race. Under loom lists have 2 cells and
//! chunks 4.
#![cfg(wyn_loom)]

use loom::cell::UnsafeCell;
use loom::thread;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use wyn_pool::model::{begin, exit_thread, held_pools};
use wyn_pool::{Pool, PoolBox};

/// One witness per cell address. The std lock is invisible to loom and orders nothing in the model.
#[derive(Clone, Default)]
struct Cells(Arc<Mutex<HashMap<usize, Arc<UnsafeCell<u64>>>>>);

impl Cells {
    fn witness(&self, cell: &PoolBox<u64>) -> Arc<UnsafeCell<u64>> {
        let address = (&raw const **cell).addr();
        self.0.lock().unwrap().entry(address).or_insert_with(|| Arc::new(UnsafeCell::new(0))).clone()
    }

    fn take(&self, pool: &Pool<u64>, value: u64) -> PoolBox<u64> {
        let cell = pool.alloc(value);
        self.witness(&cell).with_mut(|owner| {
            // SAFETY: `with_mut` checks that nobody else is here.
            assert_eq!(unsafe { owner.replace(value) }, 0, "the cell has an owner");
        });
        cell
    }

    fn give(&self, cell: PoolBox<u64>, value: u64) {
        self.witness(&cell).with_mut(|owner| {
            // SAFETY: as in `take`.
            assert_eq!(unsafe { owner.replace(0) }, value, "the cell has changed its owner");
        });
        assert_eq!(*cell, value, "the cell's memory was given away");
        drop(cell);
    }
}

fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = Some(3);
    }
    builder.check(move || {
        begin();
        f();
    });
}

fn join_all<const N: usize>(actors: [thread::JoinHandle<()>; N]) {
    for actor in actors {
        actor.join().unwrap();
    }
}

/// Race: a full list goes to the depot while another thread comes for one.
#[test]
fn exchange_hands_a_list_over() {
    model(|| {
        let (pool, cells) = (Pool::new(), Cells::default());
        let (pool2, cells2) = (pool.clone(), cells.clone());
        let giver = thread::spawn(move || {
            let taken: Vec<_> = (1..=5).map(|i| cells.take(&pool, i)).collect();
            taken.into_iter().zip(1..).for_each(|(cell, i)| cells.give(cell, i));
        });
        let taker = thread::spawn(move || {
            let taken = [cells2.take(&pool2, 6), cells2.take(&pool2, 7)];
            taken.into_iter().zip(6..).for_each(|(cell, i)| cells2.give(cell, i));
        });
        join_all([giver, taker]);
    });
}

/// Race: a thread exits, and its cells, range and place go to another that has just begun or is in the middle.
#[test]
fn exit_hands_everything_over() {
    model(|| {
        let (pool, cells) = (Pool::new(), Cells::default());
        let actors = [1, 3].map(|value| {
            let (pool, cells) = (pool.clone(), cells.clone());
            thread::spawn(move || {
                let taken = [cells.take(&pool, value), cells.take(&pool, value + 1)];
                taken.into_iter().zip(value..).for_each(|(cell, i)| cells.give(cell, i));
            })
        });
        drop(pool);
        join_all(actors);
    });
}

/// Race: a box is dropped on another thread while its maker goes on.
#[test]
fn a_cell_freed_elsewhere_comes_back_whole() {
    model(|| {
        let (pool, cells) = (Pool::new(), Cells::default());
        let maker = thread::spawn(move || {
            let cell = cells.take(&pool, 1);
            let (pool2, cells2) = (pool.clone(), cells.clone());
            let other = thread::spawn(move || {
                cells2.give(cell, 1);
                let again = cells2.take(&pool2, 2);
                cells2.give(again, 2);
            });
            let cell = cells.take(&pool, 3);
            cells.give(cell, 3);
            other.join().unwrap();
            assert_eq!(pool.stats().live, 0);
        });
        maker.join().unwrap();
    });
}

/// Race: trim while cells are taken and given: no chunk with a live cell, or one in another cache, may go.
#[test]
fn trim_spares_what_others_hold() {
    model(|| {
        let (pool, cells) = (Pool::new(), Cells::default());
        let (pool2, cells2) = (pool.clone(), cells.clone());
        let user = thread::spawn(move || {
            let kept = cells.take(&pool, 1);
            let taken: Vec<_> = (2..=4).map(|i| cells.take(&pool, i)).collect();
            taken.into_iter().zip(2..).for_each(|(cell, i)| cells.give(cell, i));
            cells.give(kept, 1);
        });
        let trimmer = thread::spawn(move || {
            let kept = cells2.take(&pool2, 5);
            pool2.trim();
            cells2.give(kept, 5);
            pool2.trim();
        });
        join_all([user, trimmer]);
    });
}

/// Race: the last handle goes while another thread drops the last box. Whoever sees it first, the memory goes after
/// both, and by the next event at the latest.
#[test]
fn a_closed_pool_ends_with_its_last_box() {
    model(|| {
        let actor = thread::spawn(|| {
            let pool = Pool::new();
            let cell = pool.alloc(1_u64);
            let freer = thread::spawn(move || drop(cell));
            let closer = thread::spawn(move || drop(pool));
            join_all([freer, closer]);
            // Making a pool looks after the closed ones.
            let next = Pool::<u8>::new();
            assert_eq!(held_pools(), 1);
            drop(next);
            assert_eq!(held_pools(), 0);
        });
        actor.join().unwrap();
    });
}

/// Race: a cell is reused by a thread that then drops its handle; the thread that drops the last handle must see
/// that the cell is live again.
#[test]
fn closing_sees_every_allocation() {
    model(|| {
        let pool = Pool::new();
        let pool2 = pool.clone();
        let user = thread::spawn(move || {
            drop(pool.alloc(1_u64));
            let cell = pool.alloc(2_u64);
            drop(pool);
            assert_eq!(*cell, 2);
        });
        let closer = thread::spawn(move || drop(pool2));
        join_all([user, closer]);
    });
}

/// Race: a box in a thread-local goes after its thread's caches were flushed, while the pool is closed elsewhere;
/// the thread even allocates then.
#[test]
fn a_box_may_end_after_its_threads_caches() {
    model(|| {
        let (pool, cells) = (Pool::new(), Cells::default());
        let pool2 = pool.clone();
        let keeper = thread::spawn(move || {
            let cell = cells.take(&pool, 1);
            exit_thread();
            let late = cells.take(&pool, 2);
            drop(pool);
            cells.give(cell, 1);
            cells.give(late, 2);
        });
        let closer = thread::spawn(move || drop(pool2));
        join_all([keeper, closer]);
        assert_eq!(held_pools(), 0);
    });
}

/// Race: a thread makes the bucket of caches in which another then finds its own.
#[test]
fn a_bucket_is_seen_whole() {
    model(|| {
        let (pool, cells) = (Pool::new(), Cells::default());
        let actors = [1, 2].map(|value| {
            let (pool, cells) = (pool.clone(), cells.clone());
            thread::spawn(move || {
                let cell = cells.take(&pool, value);
                cells.give(cell, value);
            })
        });
        join_all(actors);
        assert_eq!((pool.stats().live, pool.stats().chunks <= 2), (0, true));
    });
}

/// Race: a thread exits that never used the pool, while another makes the bucket both have their places in.
#[test]
fn a_bucket_made_by_another_is_left_alone() {
    model(|| {
        let (pool, other) = (Pool::new(), Pool::new());
        let user = thread::spawn(move || drop(pool.alloc(1_u64)));
        let passer = thread::spawn(move || {
            drop(other.alloc(1_u64));
            exit_thread();
        });
        join_all([user, passer]);
    });
}

/// Race: a cache hands a full list to the depot while the last handle goes; the list is in one of them, not in both.
#[test]
fn closing_counts_no_list_twice() {
    model(|| {
        let actor = thread::spawn(|| {
            let pool = Pool::new();
            let cells: Vec<_> = (0..6).map(|i| pool.alloc(i)).collect();
            let closer = thread::spawn(move || drop(pool));
            drop(cells);
            closer.join().unwrap();
            exit_thread();
            assert_eq!(held_pools(), 0);
        });
        actor.join().unwrap();
    });
}

/// The close is over, on another thread: the drop of the last box ends the pool without further events.
#[test]
fn a_box_dropped_after_the_close_ends_the_pool() {
    model(|| {
        let actor = thread::spawn(|| {
            let pool = Pool::new();
            let cells = [pool.alloc(1), pool.alloc(2)];
            thread::spawn(move || drop(pool)).join().unwrap();
            assert_eq!(held_pools(), 1);
            drop(cells);
            assert_eq!(held_pools(), 0);
        });
        actor.join().unwrap();
    });
}
