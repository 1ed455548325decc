//! Time-bounded chaos with more threads than cores: every value reaches exactly one hand, and the right one.
//!
//! The seed is printed; `WYN_SEED` sets it.
#![cfg(not(wyn_loom))]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, UNIX_EPOCH};

use wyn_future::{Key, Slab, SlabError};

const BOUND: Duration = Duration::from_millis(1500);

/// Xorshift.
#[derive(Clone)]
struct Rng(u64);

impl Rng {
    fn seeded(test: &str) -> Self {
        let given = std::env::var("WYN_SEED").ok().map(|seed| seed.parse().expect("WYN_SEED is a number"));
        let clock = || UNIX_EPOCH.elapsed().map_or(1, |time| u64::from(time.subsec_nanos()));
        let seed = given.unwrap_or_else(clock);
        println!("{test}: WYN_SEED={seed}");
        Self(seed)
    }

    /// Another one for thread number `thread`.
    fn fork(&self, thread: usize) -> Self {
        let mut fork = Self((self.0 ^ (thread as u64 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        fork.below(2);
        fork
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

/// Four threads per core.
fn many() -> usize {
    4 * thread::available_parallelism().map_or(2, usize::from)
}

struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls at most `polls` times, or for ever if `None`.
fn block_on<F: Future>(future: F, polls: Option<usize>) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unparker(thread::current())));
    let mut left = polls;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        match &mut left {
            None => thread::park(),
            Some(0) => return None,
            Some(left) => {
                *left -= 1;
                thread::yield_now();
            }
        }
    }
}

/// Waits in one of the ways there are until the result is there.
fn take_somehow(slab: &Slab<u64>, key: Key, rng: &mut Rng) -> Result<u64, SlabError> {
    loop {
        let result = match rng.below(5) {
            0 => return slab.take(key),
            1 => return block_on(slab.wait(key), None).expect("polled for ever"),
            2 => slab.take_timeout(key, Duration::from_micros(rng.below(100) as u64)),
            3 => block_on(slab.wait(key), Some(rng.below(4))).unwrap_or(Err(SlabError::Pending)),
            _ => slab.try_take(key),
        };
        if result != Err(SlabError::Pending) {
            return result;
        }
        thread::yield_now();
    }
}

/// Requests: one side opens, sends the number and waits; the other answers with the number itself.
#[test]
fn stress_slab_requests() {
    let (rng, slab, start) = (Rng::seeded("stress_slab_requests"), Slab::new(), Instant::now());
    thread::scope(|scope| {
        for pair in 0..many() / 2 {
            let (sender, receiver) = mpsc::channel::<u64>();
            let (slab, mut asks, mut answers) = (&slab, rng.fork(pair), rng.fork(pair + 1000));
            scope.spawn(move || {
                while start.elapsed() < BOUND {
                    let keys: Vec<Key> = (0..1 + asks.below(8)).map(|_| slab.open()).collect();
                    keys.iter().for_each(|key| sender.send(key.to_bits()).expect("the other side listens"));
                    for &key in keys.iter().rev() {
                        let result = take_somehow(slab, key, &mut asks);
                        assert!(
                            matches!(result, Ok(n) if n == key.to_bits())
                                || result == Err(SlabError::Dropped)
                        );
                        assert_eq!(slab.try_take(key), Err(SlabError::Stale));
                    }
                }
            });
            scope.spawn(move || {
                let mut last = None;
                for bits in receiver {
                    let key = Key::from_bits(bits).expect("never zero");
                    match answers.below(16) {
                        0 => slab.abandon(key).expect("open"),
                        _ => slab.complete(key, bits).expect("open"),
                    }
                    if let Some(stale) = last.replace(key).filter(|_| answers.below(4) == 0) {
                        // Answered before: complete or gone, but never somebody else's pending entry.
                        assert!(slab.complete(stale, 0).is_err());
                    }
                }
            });
        }
    });
    assert!(slab.is_empty());
    assert!(slab.capacity() <= 1024);
}

/// A value that knows its key and is counted.
struct Counted<'a> {
    key: Key,
    alive: &'a AtomicUsize,
}

impl<'a> Counted<'a> {
    fn new(key: Key, alive: &'a AtomicUsize) -> Self {
        // Ordering: Relaxed: read after joining.
        alive.fetch_add(1, Ordering::Relaxed);
        Self { key, alive }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        // Ordering: Relaxed: read after joining.
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What happened to the entries in all.
#[derive(Default)]
struct Tally {
    opened: AtomicUsize,
    ended: AtomicUsize,
}

/// One thread's rounds on a few keys that all share: the slots of `board` hold keys as bare numbers.
fn brawl<'a>(
    slab: &Slab<Counted<'a>>,
    board: &[AtomicU64],
    alive: &'a AtomicUsize,
    tally: &Tally,
    mut rng: Rng,
    start: Instant,
) {
    let add = |count: &AtomicUsize| {
        // Ordering: Relaxed: read after joining.
        count.fetch_add(1, Ordering::Relaxed)
    };
    while start.elapsed() < BOUND {
        for _ in 0..64 {
            let place = &board[rng.below(board.len())];
            // Ordering: Relaxed on purpose: a bare number.
            let key = Key::from_bits(place.load(Ordering::Relaxed));
            match (rng.below(6), key) {
                (0, _) | (_, None) => {
                    add(&tally.opened);
                    // Ordering: Relaxed, as above.
                    let old = place.swap(slab.open().to_bits(), Ordering::Relaxed);
                    if Key::from_bits(old).is_some_and(|old| slab.close(old).is_ok()) {
                        add(&tally.ended);
                    }
                }
                (1 | 2, Some(key)) => drop(slab.complete(key, Counted::new(key, alive))),
                (3, Some(key)) => {
                    if let Ok(value) = slab.close(key) {
                        add(&tally.ended);
                        assert!(value.is_none_or(|value| value.key == key));
                    }
                }
                (_, Some(key)) => {
                    let taken = match rng.below(3) {
                        0 => slab.take_timeout(key, Duration::from_micros(20)),
                        1 => block_on(slab.wait(key), Some(1)).unwrap_or(Err(SlabError::Pending)),
                        _ => slab.try_take(key),
                    };
                    if let Ok(value) = taken {
                        add(&tally.ended);
                        assert_eq!(value.key, key, "another entry's value");
                    }
                }
            }
        }
    }
}

/// Everybody opens, completes, takes and closes the same few keys.
#[test]
fn stress_slab_brawl() {
    let (rng, start) = (Rng::seeded("stress_slab_brawl"), Instant::now());
    let (alive, tally) = (AtomicUsize::new(0), Tally::default());
    let board: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
    let slab = Slab::new();
    thread::scope(|scope| {
        for number in 0..many() {
            let (slab, board, alive, tally, rng) = (&slab, &board, &alive, &tally, rng.fork(number));
            scope.spawn(move || brawl(slab, board, alive, tally, rng, start));
        }
    });
    // Ordering: Relaxed (all): after joining.
    let (opened, ended) = (tally.opened.load(Ordering::Relaxed), tally.ended.load(Ordering::Relaxed));
    assert_eq!(slab.len(), opened - ended);
    assert!(slab.len() <= board.len() && slab.capacity() == 1024);
    assert!(alive.load(Ordering::Relaxed) <= slab.len());
    drop(slab);
    assert_eq!(alive.load(Ordering::Relaxed), 0, "values leaked, or were dropped twice");
}

/// Entries come and go on every thread: the free list neither loses a slot nor gives one out twice.
#[test]
fn stress_slab_churn() {
    let (rng, start) = (Rng::seeded("stress_slab_churn"), Instant::now());
    let slab = Slab::<u64>::new();
    thread::scope(|scope| {
        for number in 0..many() {
            let (slab, mut rng) = (&slab, rng.fork(number));
            scope.spawn(move || {
                let mut held: Vec<Key> = Vec::new();
                while start.elapsed() < BOUND {
                    for _ in 0..256 {
                        if held.len() < 100 && rng.below(2) == 0 {
                            let key = slab.open();
                            slab.complete(key, key.to_bits()).expect("nobody else has the key");
                            held.push(key);
                        } else if !held.is_empty() {
                            let key = held.swap_remove(rng.below(held.len()));
                            assert_eq!(slab.try_take(key), Ok(key.to_bits()));
                        }
                    }
                }
                held.into_iter().for_each(|key| assert_eq!(slab.close(key), Ok(Some(key.to_bits()))));
            });
        }
    });
    assert!(slab.is_empty());
    // At most one slot per entry open, and one per thread on its way.
    assert!(slab.capacity() <= (101 * many()).next_multiple_of(1024) * 2);
}
