//! `stats` and `trim`, and panics in destructors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use wyn_pool::{Pool, Stats};

#[test]
fn stats_add_up() {
    let pool = Pool::<u64>::new();
    assert_eq!(pool.stats(), Stats::default());
    let mut all: Vec<_> = (0..10_000).map(|i| pool.alloc(i)).collect();
    assert_eq!((pool.stats().live, pool.stats().cached, pool.stats().chunks), (10_000, 0, 3));
    assert_eq!(pool.stats().bytes, 3 * 4096 * 16);
    all.truncate(4_000);
    assert_eq!((pool.stats().live, pool.stats().cached), (4_000, 6_000));
    let rest = thread::spawn(move || all.split_off(1_000)).join().unwrap();
    assert_eq!((pool.stats().live, pool.stats().cached), (3_000, 7_000));
    drop(rest);
    assert_eq!((pool.stats().live, pool.stats().cached), (0, 10_000));
}

#[test]
fn trim_keeps_chunks_with_a_live_cell() {
    let pool = Pool::<u64>::new();
    let mut all: Vec<_> = (0..5 * 4096).map(|i| pool.alloc(i)).collect();
    let kept = all.swap_remove(2 * 4096 + 7);
    assert_eq!(pool.trim(), 0);
    drop(all);
    assert_eq!(pool.trim(), 4 * 4096 * 16);
    assert_eq!(
        (*kept, pool.stats().live, pool.stats().cached, pool.stats().chunks),
        (2 * 4096 + 7, 1, 4095, 1)
    );
    drop(kept);
    assert_eq!(pool.trim(), 4096 * 16);
    assert_eq!(pool.stats(), Stats::default());
    assert_eq!(pool.trim(), 0);
}

#[test]
fn trim_counts_what_was_never_handed_out() {
    let pool = Pool::<u64>::new();
    drop(pool.alloc(1));
    assert_eq!(pool.trim(), 4096 * 16, "one cell in the magazine, 4095 in the range");
    let theirs = pool.clone();
    thread::spawn(move || drop(theirs.alloc(1))).join().unwrap();
    assert_eq!(pool.trim(), 4096 * 16, "the range of an exited thread");
}

#[test]
fn trim_leaves_other_threads_caches_alone() {
    let pool = Pool::<u64>::new();
    thread::scope(|scope| {
        let (to_them, from_us) = std::sync::mpsc::channel::<()>();
        let (to_us, from_them) = std::sync::mpsc::channel::<()>();
        let pool = &pool;
        let other = scope.spawn(move || {
            drop(pool.alloc(1));
            to_us.send(()).unwrap();
            from_us.recv().unwrap();
            assert_eq!(*pool.alloc(2), 2);
        });
        from_them.recv().unwrap();
        assert_eq!(pool.trim(), 0);
        to_them.send(()).unwrap();
        // The end of the scope alone would not wait for the thread's thread-local destructors.
        other.join().unwrap();
    });
    assert_eq!(pool.trim(), 4096 * 16);
}

#[test]
fn a_pool_goes_on_after_trim() {
    let pool = Pool::new();
    for round in 0..20_usize {
        let mut all: Vec<_> = (0..20_000).map(|i| pool.alloc([round, i])).collect();
        all.retain(|one| one[1] % 1_000 == round);
        pool.trim();
        assert_eq!(pool.stats().live, 20);
        assert!(all.iter().all(|one| one[0] == round));
    }
}

#[test]
fn trim_gives_huge_blocks_back_too() {
    let pool = Pool::new();
    let all: Vec<_> = (0..600_000_u64).map(|i| pool.alloc([i; 4])).collect();
    let bytes = pool.stats().bytes;
    assert!((600_000 * 32..600_000 * 36).contains(&bytes), "{bytes}");
    assert!(all.iter().zip(0..).all(|(one, i)| **one == [i; 4]));
    drop(all);
    assert_eq!(pool.trim(), bytes);
}

#[test]
fn panic_in_drop_gives_the_cell_back() {
    struct Panics(String);
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("{}", self.0);
        }
    }
    let pool = Pool::new();
    let address = {
        let one = pool.alloc(Panics(String::from("first")));
        let address = (&raw const *one).addr();
        catch_unwind(AssertUnwindSafe(|| drop(one))).unwrap_err();
        address
    };
    assert_eq!(pool.stats().live, 0);
    let again = pool.alloc(Panics(String::from("second")));
    assert_eq!((&raw const *again).addr(), address);
    drop(pool);
    catch_unwind(AssertUnwindSafe(|| drop(again))).unwrap_err();
}
