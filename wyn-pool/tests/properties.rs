//! Random sequences of operations against an oracle that knows who owns which cell:
//! - no cell is handed out while it is live, and cells do not overlap;
//! - every cell is aligned, and keeps its value until it is given back;
//! - `stats().live` is the oracle's count after each step, also across `trim`, thread exit and foreign drops;
//! - when all is given back, `trim` leaves nothing.

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use core::ptr::NonNull;
use std::collections::BTreeMap;
use std::thread;
use wyn_pool::raw::{self, SizeClass};
use wyn_pool::{Pool, PoolBox};

/// Live cells by address, with what they hold.
struct Oracle<C> {
    live: BTreeMap<usize, (C, u64)>,
    next: u64,
}

impl<C> Oracle<C> {
    fn new() -> Self {
        Self { live: BTreeMap::new(), next: 1 }
    }

    fn took(&mut self, address: usize, bytes: usize, align: usize, cell: C) {
        assert_eq!(address % align, 0);
        if let Some((before, _)) = self.live.range(..=address).next_back() {
            assert!(before + bytes <= address, "overlaps the cell before, or is one");
        }
        if let Some((after, _)) = self.live.range(address..).next() {
            assert!(address + bytes <= *after, "overlaps the cell after");
        }
        self.live.insert(address, (cell, self.next));
        self.next += 1;
    }

    /// At most `n` of the live cells, from a random place on.
    fn some(&mut self, u: &mut Unstructured<'_>, n: usize) -> Result<Vec<(C, u64)>> {
        let skip = u.choose_index(self.live.len() + 1)?;
        let addresses: Vec<usize> = self.live.keys().copied().skip(skip).take(n).collect();
        Ok(addresses.iter().filter_map(|address| self.live.remove(address)).collect())
    }
}

fn check<const ALIGN: usize, T: From<u64> + Into<u64> + Copy + Send + 'static>(
    u: &mut Unstructured<'_>,
) -> Result<()> {
    let pool = Pool::<T>::new();
    let mut oracle = Oracle::<PoolBox<T>>::new();
    for _ in 0..u.int_in_range(1..=30)? {
        let n = u.int_in_range(0..=400)?;
        match u.int_in_range(0..=5)? {
            0..=2 => {
                for _ in 0..n {
                    let cell = pool.alloc(T::from(oracle.next));
                    oracle.took((&raw const *cell).addr(), size_of::<T>().max(1), ALIGN, cell);
                }
            }
            3 => oracle
                .some(u, n)?
                .into_iter()
                .for_each(|(cell, value)| assert_eq!(cell.into_inner().into(), value)),
            4 => {
                let some = oracle.some(u, n)?;
                let verify =
                    move || some.into_iter().for_each(|(cell, value)| assert_eq!((*cell).into(), value));
                thread::spawn(verify).join().expect("values are whole");
            }
            _ => drop(pool.trim()),
        }
        assert_eq!(pool.stats().live, oracle.live.len());
    }
    for (cell, value) in oracle.live.into_values() {
        assert_eq!((*cell).into(), value);
    }
    assert_eq!(pool.stats().live, 0);
    pool.trim();
    assert_eq!(pool.stats(), wyn_pool::Stats::default());
    Ok(())
}

#[test]
fn a_pool_of_words_matches_the_oracle() {
    arbtest(check::<8, u64>);
}

#[test]
fn a_pool_of_over_aligned_values_matches_the_oracle() {
    #[derive(Clone, Copy)]
    #[repr(align(128))]
    struct Wide(u64);
    impl From<u64> for Wide {
        fn from(value: u64) -> Self {
            Self(value)
        }
    }
    impl From<Wide> for u64 {
        fn from(wide: Wide) -> Self {
            wide.0
        }
    }
    arbtest(check::<128, Wide>);
}

struct Raw(NonNull<u64>, SizeClass);
// SAFETY: raw cells may be freed by any thread.
unsafe impl Send for Raw {}

impl Raw {
    fn new(class: SizeClass, value: u64) -> Self {
        let cell = raw::alloc(class).cast::<u64>();
        // SAFETY: the cell is ours, this large, aligned for words, and every bit pattern is a word.
        unsafe { core::slice::from_raw_parts_mut(cell.as_ptr(), class.size() / 8) }.fill(value);
        Self(cell, class)
    }

    fn free(self, value: u64) {
        // SAFETY: the cell is ours and was filled in `new`.
        let words = unsafe { core::slice::from_raw_parts(self.0.as_ptr(), self.1.size() / 8) };
        assert!(words.iter().all(|word| *word == value));
        // SAFETY: the cell came from `alloc` of this class, and `self` ends here.
        unsafe { raw::free(self.0.cast(), self.1) };
    }
}

/// One test only: the classes belong to the process.
#[test]
fn raw_classes_match_the_oracle() {
    arbtest(|u| {
        let mut oracles = SizeClass::ALL.map(|class| (class, Oracle::<Raw>::new()));
        for _ in 0..u.int_in_range(1..=30)? {
            let n = u.int_in_range(0..=400)?;
            let (class, oracle) = &mut oracles[u.int_in_range(0..=3)?];
            match u.int_in_range(0..=5)? {
                0..=2 => {
                    for _ in 0..n {
                        let cell = Raw::new(*class, oracle.next);
                        oracle.took(cell.0.addr().get(), class.size(), class.align(), cell);
                    }
                }
                3 => oracle.some(u, n)?.into_iter().for_each(|(cell, value)| cell.free(value)),
                4 => {
                    let some = oracle.some(u, n)?;
                    thread::spawn(|| some.into_iter().for_each(|(cell, value)| cell.free(value)))
                        .join()
                        .expect("cells are whole");
                }
                _ => drop(raw::trim()),
            }
            if !cfg!(feature = "global-alloc") {
                assert_eq!(raw::stats_of(*class).live, oracle.live.len());
            }
        }
        for (_, oracle) in oracles {
            oracle.live.into_values().for_each(|(cell, value)| cell.free(value));
        }
        raw::trim();
        assert_eq!(raw::stats(), wyn_pool::Stats::default());
        Ok(())
    });
}
