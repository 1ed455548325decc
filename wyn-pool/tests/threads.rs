//! Cells across threads: freed elsewhere, thread exit, order of thread-local destructors, the end of a pool.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::mpsc::channel;
use std::thread;
use wyn_pool::{Pool, PoolBox};

#[test]
fn cross_thread_drops_come_home() {
    let pool = Pool::new();
    let (sender, receiver) = channel::<Vec<PoolBox<u64>>>();
    let consumer = thread::spawn(move || receiver.into_iter().flatten().map(|one| *one).sum::<u64>());
    for round in 0..50 {
        sender.send((0..1_000).map(|i| pool.alloc(round * 1_000 + i)).collect()).unwrap();
    }
    drop(sender);
    assert_eq!(consumer.join().unwrap(), 49_999 * 50_000 / 2);
    let stats = pool.stats();
    assert_eq!(stats.live, 0);
    drop((0..50_000).map(|i| pool.alloc(i)).collect::<Vec<_>>());
    assert!(pool.stats().bytes <= stats.bytes.max(50_000 * 16 + (64 << 10)));
}

#[test]
fn thread_exit_leaves_cells_and_ranges_to_others() {
    let pool = Pool::new();
    let take = |pool: &Pool<u64>| (0..300).map(|i| pool.alloc(i)).collect::<Vec<_>>();
    let addresses =
        |all: &[PoolBox<u64>]| all.iter().map(|one| (&raw const **one).addr()).collect::<HashSet<_>>();
    let theirs = thread::spawn({
        let pool = pool.clone();
        move || addresses(&take(&pool))
    })
    .join()
    .unwrap();
    assert_eq!(pool.stats().cached, 300);
    let ours = addresses(&take(&pool));
    assert!(ours.intersection(&theirs).count() >= 299);
    assert_eq!(pool.stats().chunks, 1);
}

#[test]
fn many_short_threads_need_no_more_memory_than_one() {
    let pool = Pool::new();
    for i in 0..200_u64 {
        let pool = pool.clone();
        thread::spawn(move || assert_eq!(*pool.alloc(i), i)).join().unwrap();
    }
    assert_eq!(pool.stats().chunks, 1);
    assert_eq!(pool.stats().live, 0);
}

#[test]
fn tls_order_does_not_matter() {
    thread_local! {
        static EARLY: RefCell<Vec<PoolBox<String>>> = const { RefCell::new(Vec::new()) };
        static LATE: RefCell<Vec<PoolBox<String>>> = const { RefCell::new(Vec::new()) };
        static HANDLE: RefCell<Option<Maker>> = const { RefCell::new(None) };
    }
    /// Uses its pool from a thread-local's destructor.
    struct Maker(Pool<String>);
    impl Drop for Maker {
        fn drop(&mut self) {
            drop((0..300).map(|i| self.0.alloc(i.to_string())).collect::<Vec<_>>());
        }
    }
    let pool = Pool::new();
    for maker_first in [false, true] {
        let pool = pool.clone();
        let shared = pool.clone();
        thread::spawn(move || {
            let maker = Maker(pool.clone());
            if maker_first {
                HANDLE.set(Some(maker));
                EARLY.with_borrow_mut(|all| all.extend((0..300).map(|i| pool.alloc(i.to_string()))));
            } else {
                EARLY.with_borrow_mut(|all| all.extend((0..300).map(|i| pool.alloc(i.to_string()))));
                HANDLE.set(Some(maker));
            }
            LATE.with_borrow_mut(|all| all.extend((0..300).map(|i| pool.alloc(i.to_string()))));
        })
        .join()
        .unwrap();
        assert_eq!(shared.stats().live, 0);
    }
}

#[test]
fn a_pool_may_end_inside_a_thread_local_destructor() {
    thread_local!(static BOTH: RefCell<Option<(Pool<u8>, PoolBox<u8>)>> = const { RefCell::new(None) });
    for _ in 0..10 {
        thread::spawn(|| {
            let pool = Pool::new();
            let one = pool.alloc(1);
            BOTH.set(Some((pool, one)));
        })
        .join()
        .unwrap();
    }
}

/// Memory of this process in KiB.
#[cfg(target_os = "linux")]
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Pools whose last box goes on another thread than the last handle give their memory back.
#[cfg(target_os = "linux")]
#[test]
fn closed_pools_give_their_memory_back() {
    const KIB_PER_POOL: u64 = 1_024;
    let round = || {
        let pool = Pool::new();
        let boxes: Vec<_> = (0..KIB_PER_POOL).map(|i| pool.alloc([i; 128])).collect();
        let freer = thread::spawn(move || drop(boxes));
        drop(pool);
        freer.join().unwrap();
    };
    (0..20).for_each(|_| round());
    let before = resident_kib();
    (0..200).for_each(|_| round());
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 50 * KIB_PER_POOL, "{grown} KiB kept of {}", 200 * KIB_PER_POOL);
}
