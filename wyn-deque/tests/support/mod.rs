//! What several test files share: a seeded generator and payloads that notice their fate.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Xorshift; the seed is printed, and taken from `WYN_SEED` if that is set.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn seeded(what: &str) -> Self {
        let clock =
            || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.subsec_nanos().into());
        let seed = std::env::var("WYN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(clock);
        println!("{what}: WYN_SEED={seed}");
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Counts, for each of `count` payloads, how often it was dropped.
#[derive(Clone)]
pub(crate) struct Fates(Arc<Vec<AtomicU32>>);

/// A boxed number whose drop is recorded: a torn or doubled task is a double free or a wrong count.
pub(crate) struct Payload {
    pub(crate) number: Box<usize>,
    fates: Fates,
}

impl Fates {
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new((0..count).map(|_| AtomicU32::new(0)).collect()))
    }

    pub(crate) fn payload(&self, number: usize) -> Payload {
        Payload { number: Box::new(number), fates: self.clone() }
    }

    pub(crate) fn dropped(&self) -> usize {
        self.0.iter().filter(|fate| fate.load(Ordering::SeqCst) > 0).count()
    }

    pub(crate) fn assert_each_dropped_once(&self) {
        for (number, fate) in self.0.iter().enumerate() {
            assert_eq!(fate.load(Ordering::SeqCst), 1, "drops of task {number}");
        }
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.fates.0[*self.number].fetch_add(1, Ordering::SeqCst);
    }
}

/// A counter to be waited on by its users.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn add(&self, n: usize) {
        self.0.fetch_add(n, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}
