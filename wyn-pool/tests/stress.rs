//! Seeded stress: threads come and go, cells wander between them, nobody gets a cell that has an owner.
//!
//! `WYN_SEED` repeats a run (as far as the scheduler lets it), `WYN_STRESS_MS` makes it longer. Oversubscribed on
//! purpose: 8 threads. Run with `--cfg wyn_chaos` for yields at every lock.

use core::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use wyn_pool::raw::{self, SizeClass::C32};
use wyn_pool::{Pool, PoolBox};

const THREADS: u64 = 8;

/// xorshift64*: enough to vary a schedule.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).expect("31 bits") % n
    }
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Keeps eight threads alive, each doing `work` once and then giving way to a new one.
fn come_and_go(work: impl Fn(&mut Random) + Send + Sync + Clone + 'static) {
    let seed = variable("WYN_SEED", 0x5EED);
    println!("WYN_SEED={seed}");
    let end = Instant::now() + Duration::from_millis(variable("WYN_STRESS_MS", 1_500));
    let lanes: Vec<_> = (0..THREADS)
        .map(|lane| {
            let work = work.clone();
            thread::spawn(move || {
                let mut round = seed.wrapping_mul(lane + 1) | 1;
                while Instant::now() < end {
                    let work = work.clone();
                    round =
                        round.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    thread::spawn(move || work(&mut Random(round | 1))).join().expect("no assertion failed");
                }
            })
        })
        .collect();
    lanes.into_iter().for_each(|lane| lane.join().expect("no assertion failed"));
}

/// In the third word of a cell, which free lists do not use: its place in the bitmap of owners.
const OWNED: u64 = 0x0123_4567_89AB_CDEF;

struct Owned(NonNull<u64>);
// SAFETY: raw cells may be freed by any thread.
unsafe impl Send for Owned {}

impl Owned {
    fn flag(&self) -> &AtomicU64 {
        // SAFETY: the third word lies in the cell, which is ours.
        let third = unsafe { self.0.add(2) };
        // SAFETY: while the cell is ours its words are used through this flag and in `new` and `drop` only.
        unsafe { AtomicU64::from_ptr(third.as_ptr()) }
    }

    fn new() -> Self {
        let this = Self(raw::alloc(C32).cast());
        // Ordering: AcqRel, so that a second owner is seen whichever of the two comes first.
        assert_ne!(this.flag().swap(OWNED, Ordering::AcqRel), OWNED, "the cell has an owner already");
        // SAFETY: the first word lies in the cell, which is ours.
        unsafe { this.0.write(this.0.addr().get() as u64) };
        this
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the cell is ours; its first word was written in `new`.
        assert_eq!(unsafe { self.0.read() }, self.0.addr().get() as u64, "somebody wrote into the cell");
        // Ordering: AcqRel, as in `new`.
        assert_eq!(self.flag().swap(0, Ordering::AcqRel), OWNED, "the cell has lost its owner");
        // SAFETY: the cell came from `alloc` of this class, once.
        unsafe { raw::free(self.0.cast(), C32) };
    }
}

#[cfg(target_os = "linux")] // Fresh cells are zero there; elsewhere the flag could hold anything.
#[test]
fn stress_raw_cells_have_one_owner() {
    let market = Arc::new(Mutex::new(Vec::<Owned>::new()));
    let shared = Arc::clone(&market);
    come_and_go(move |random| {
        let mut own = Vec::new();
        for _ in 0..20 + random.below(100) {
            let n = random.below(300);
            match random.below(16) {
                0..=6 => own.extend((0..n).map(|_| Owned::new())),
                7..=10 => own.truncate(own.len().saturating_sub(n)),
                11..=12 => shared.lock().unwrap().extend(own.drain(own.len().saturating_sub(n)..)),
                13..=14 => {
                    let mut market = shared.lock().unwrap();
                    let keep = market.len().saturating_sub(n);
                    own.extend(market.drain(keep..));
                }
                _ if n < 10 => drop(raw::trim()),
                _ => thread::yield_now(),
            }
        }
    });
    market.lock().unwrap().clear();
    assert_eq!(raw::stats().live, 0);
    raw::trim();
    assert_eq!(raw::stats(), wyn_pool::Stats::default());
}

#[test]
fn stress_pools_end_while_their_boxes_wander() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    struct Counted(u64, u64);
    impl Counted {
        fn new(value: u64) -> Self {
            // Ordering: Relaxed, read after all threads are joined.
            LIVE.fetch_add(1, Ordering::Relaxed);
            Self(value, !value)
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            assert_eq!(self.0, !self.1, "the value was overwritten");
            // Ordering: Relaxed, as in `new`.
            LIVE.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let market = Arc::new(Mutex::new(Vec::<PoolBox<Counted>>::new()));
    let pools = Arc::new(Mutex::new(Pool::<Counted>::new()));
    let shared = Arc::clone(&market);
    come_and_go(move |random| {
        let pool = pools.lock().unwrap().clone();
        let mut own = Vec::new();
        for i in 0..20 + random.below(60) as u64 {
            let n = random.below(200);
            match random.below(12) {
                0..=4 => own.extend((0..n).map(|_| pool.alloc(Counted::new(i)))),
                5..=6 => own.truncate(own.len().saturating_sub(n)),
                7..=8 => shared.lock().unwrap().extend(own.drain(own.len().saturating_sub(n)..)),
                9..=10 => {
                    let mut market = shared.lock().unwrap();
                    let keep = market.len().saturating_sub(n);
                    own.extend(market.drain(keep..));
                }
                _ if n < 40 => *pools.lock().unwrap() = Pool::new(),
                _ => drop(pool.trim()),
            }
        }
    });
    market.lock().unwrap().clear();
    // Ordering: Relaxed, all threads are joined.
    assert_eq!(LIVE.load(Ordering::Relaxed), 0);
}
