//! Types of unusual size: none, more alignment than size, larger than a chunk, larger than the address space.

use std::collections::HashSet;
use wyn_pool::Pool;

#[test]
fn zst_values_have_cells_of_their_own_and_are_dropped() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {
            // Ordering: Relaxed, one thread.
            DROPS.fetch_add(1, Ordering::Relaxed);
        }
    }
    let pool = Pool::new();
    let all: Vec<_> = (0..10_000).map(|_| pool.alloc(Nothing)).collect();
    assert_eq!(pool.stats().live, 10_000);
    drop(all);
    // Ordering: Relaxed, one thread.
    assert_eq!(DROPS.load(Ordering::Relaxed), 10_000);
    assert_eq!(pool.stats().live, 0);
}

#[test]
fn over_aligned_values_are_aligned() {
    fn check<T: Default + 'static>() {
        let pool = Pool::new();
        let all: Vec<_> = (0..1_000).map(|_| pool.alloc(T::default())).collect();
        let starts: HashSet<_> = all.iter().map(|one| (&raw const **one).addr()).collect();
        assert_eq!(starts.len(), 1_000);
        assert!(starts.iter().all(|start| start % align_of::<T>() == 0));
    }
    #[derive(Default)]
    #[repr(align(64))]
    struct Line(#[expect(dead_code, reason = "fills the cell")] u8);
    #[derive(Default)]
    #[repr(align(4096))]
    struct Page(#[expect(dead_code, reason = "fills the cell")] u8);
    #[derive(Default)]
    #[repr(align(65536))]
    struct Large;
    check::<u8>();
    check::<Line>();
    check::<Page>();
    check::<Large>();
}

#[test]
fn large_values_take_chunks_of_few_cells() {
    let pool = Pool::<[u8; 3 << 20]>::new();
    let mut all = Vec::new();
    for i in 0..8 {
        let mut cell = pool.try_alloc_uninit().unwrap();
        let bytes = cell.as_mut_ptr().cast::<u8>();
        // SAFETY: the cell is ours and this large.
        unsafe { bytes.write_bytes(i, 3 << 20) };
        // SAFETY: every byte was written right above.
        all.push(unsafe { cell.assume_init() });
    }
    assert_eq!(pool.stats().chunks, 8);
    for (i, cell) in all.iter().enumerate() {
        assert!(cell.iter().all(|&byte| usize::from(byte) == i));
    }
    drop(all);
    assert_eq!(pool.trim(), 8 * (3 << 20));
}

#[test]
fn middling_values_come_in_smaller_batches() {
    let pool = Pool::<[u8; 40_000]>::new();
    for _ in 0..3 {
        let all: Vec<_> = (0..100).map(|i| pool.alloc([i; 40_000])).collect();
        assert!(all.iter().zip(0..).all(|(cell, i)| cell[0] == i && cell[39_999] == i));
    }
    assert!(pool.stats().bytes < 200 * 40_000, "cells are reused");
}

#[cfg(target_pointer_width = "64")]
#[test]
fn exhaustion_is_an_error_and_leaves_the_pool_usable() {
    let pool = Pool::<[u8; 1 << 56]>::new();
    for _ in 0..3 {
        assert!(pool.try_alloc_uninit().is_err());
        assert_eq!(pool.stats(), wyn_pool::Stats::default());
    }
    assert_eq!(pool.trim(), 0);
}
