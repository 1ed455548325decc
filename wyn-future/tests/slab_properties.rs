//! Random calls against a `HashMap`.
//!
//! Properties: every call answers as the map says; keys are never handed out twice; stale and forged keys change
//! nothing; `len` counts the open entries; capacity depends only on the most entries open at one time.
#![cfg(not(wyn_loom))]

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use wyn_future::{Key, Slab, SlabError};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    Pending,
    Ready(u32),
    Abandoned,
}

#[derive(Default)]
struct Oracle {
    open: HashMap<Key, Entry>,
    /// All keys there ever were.
    keys: Vec<Key>,
    most_open: usize,
}

impl Oracle {
    /// An old key, an open one or a made up one.
    fn any_key(&self, u: &mut Unstructured<'_>) -> Result<Key> {
        let index = u.int_in_range(0..=self.keys.len())?;
        if let Some(&key) = self.keys.get(index) {
            return Ok(key);
        }
        let made_up = u64::from(u.int_in_range(0..=40_u32)?) << 32 | u64::from(u.int_in_range(0..=2000_u32)?);
        Ok(Key::from_bits(made_up).unwrap_or(Key::from_bits(u64::MAX).expect("not zero")))
    }

    fn take(&mut self, key: Key) -> std::result::Result<u32, SlabError> {
        match self.open.get(&key) {
            None => Err(SlabError::Stale),
            Some(Entry::Pending) => Err(SlabError::Pending),
            Some(Entry::Abandoned) => self.open.remove(&key).map_or(Ok(0), |_| Err(SlabError::Dropped)),
            Some(&Entry::Ready(value)) => self.open.remove(&key).map_or(Ok(0), |_| Ok(value)),
        }
    }

    fn settle(&mut self, key: Key, entry: Entry) -> std::result::Result<(), SlabError> {
        match self.open.get_mut(&key) {
            None => Err(SlabError::Stale),
            Some(slot @ Entry::Pending) => {
                *slot = entry;
                Ok(())
            }
            Some(_) => Err(SlabError::Completed),
        }
    }
}

fn step(u: &mut Unstructured<'_>, slab: &Slab<u32>, oracle: &mut Oracle) -> Result<()> {
    let choice = u.int_in_range(0..=9_u8)?;
    if choice <= 2 {
        let key = slab.open();
        assert!(oracle.open.insert(key, Entry::Pending).is_none());
        oracle.keys.push(key);
        oracle.most_open = oracle.most_open.max(oracle.open.len());
        return Ok(());
    }
    let key = oracle.any_key(u)?;
    match choice {
        3..=4 => {
            let value = u.arbitrary()?;
            let refused = slab.complete(key, value).map_err(|refused| {
                assert_eq!(refused.value, value);
                refused.error
            });
            assert_eq!(refused, oracle.settle(key, Entry::Ready(value)));
        }
        5 => assert_eq!(slab.abandon(key), oracle.settle(key, Entry::Abandoned)),
        6 => assert_eq!(slab.try_take(key), oracle.take(key)),
        7 => assert_eq!(slab.take_timeout(key, Duration::ZERO), oracle.take(key)),
        8 => {
            let entry = oracle.open.remove(&key).ok_or(SlabError::Stale);
            let value = entry.map(|entry| if let Entry::Ready(value) = entry { Some(value) } else { None });
            assert_eq!(slab.close(key), value);
        }
        _ => {
            let entry = oracle.open.get(&key).ok_or(SlabError::Stale);
            assert_eq!(slab.is_ready(key), entry.map(|&entry| entry != Entry::Pending));
        }
    }
    Ok(())
}

#[test]
fn answers_as_the_map_does() {
    arbtest(|u| {
        let slab = Slab::new();
        let mut oracle = Oracle::default();
        while !u.is_empty() {
            step(u, &slab, &mut oracle)?;
            assert_eq!(slab.len(), oracle.open.len());
        }
        let distinct: HashSet<u64> = oracle.keys.iter().map(|key| key.to_bits()).collect();
        assert_eq!(distinct.len(), oracle.keys.len());
        assert!(!distinct.contains(&0));
        let mut sums = (0..18).map(|chunks| ((1 << chunks) - 1) * 1024);
        assert_eq!(sums.find(|&sum| sum >= oracle.most_open), Some(slab.capacity()));
        let indices: HashSet<u64> = oracle.keys.iter().map(|key| key.to_bits() & 0xffff_ffff).collect();
        assert_eq!(indices.len(), oracle.most_open, "a fresh slot was used while one was free");
        Ok(())
    })
    .size_min(1 << 10)
    .size_max(1 << 14)
    .budget_ms(1500);
}
