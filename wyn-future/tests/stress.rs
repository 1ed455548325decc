//! Many threads at once, seeded. Better under `--cfg wyn_chaos`, and under AddressSanitizer.
#![cfg(not(wyn_loom))]

mod common;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Counted, Drops, Flag, Rng, block_on, poll};
use wyn_future::{Completer, Promise, oneshot};

const TIME: Duration = Duration::from_secs(2);

/// `WYN_SEED`, or the clock; printed, so that a failure can be repeated.
fn seed() -> u64 {
    let given = std::env::var("WYN_SEED").ok().and_then(|text| text.parse().ok());
    let clock = || std::time::UNIX_EPOCH.elapsed().map_or(1, |t| u64::from(t.subsec_nanos()) << 7);
    let seed = given.unwrap_or_else(clock) | 1;
    println!("WYN_SEED={seed}");
    seed
}

/// One handle's way with a promise.
fn consume(mut promise: Promise<Counted>, rng: &mut Rng) {
    let (_, waker) = Flag::new();
    let (_, other) = Flag::new();
    loop {
        match rng.below(8) {
            0 => return drop(promise),
            1 => return drop(promise.wait()),
            2 => return drop(block_on(promise)),
            3 => match promise.wait_timeout(Duration::from_nanos(rng.below(40_000))) {
                Ok(_) => return,
                Err(back) => promise = back,
            },
            4 => {
                if poll(&mut promise, &waker).is_ready() {
                    return;
                }
            }
            5 => {
                if poll(&mut promise, &other).is_ready() {
                    return;
                }
            }
            6 => {
                let _ = promise.try_take();
                if promise.is_ready() {
                    return;
                }
            }
            _ => thread::yield_now(),
        }
    }
}

fn produce(completer: Completer<Counted>, drops: &Drops, rng: &mut Rng) -> usize {
    for _ in 0..rng.below(3) * rng.below(40) {
        std::hint::spin_loop();
    }
    match rng.below(6) {
        0 => {
            drop(completer);
            0
        }
        1 => {
            thread::yield_now();
            drop(completer.complete(drops.value()));
            1
        }
        _ => {
            drop(completer.complete(drops.value()));
            1
        }
    }
}

fn pairs_of_threads(pairs: u64) {
    let seed = seed();
    let drops = Drops::default();
    let end = Instant::now() + TIME;
    let made: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..pairs)
            .map(|pair| {
                let (send, receive) = mpsc::sync_channel::<Completer<Counted>>(4);
                let mut rng = Rng(seed.wrapping_mul(2 * pair + 1));
                scope.spawn(move || {
                    while Instant::now() < end {
                        let (completer, promise) = oneshot();
                        send.send(completer).expect("the other thread is there");
                        consume(promise, &mut rng);
                    }
                });
                let mut rng = Rng(seed.wrapping_mul(2 * pair + 3));
                let drops = &drops;
                scope.spawn(move || {
                    let produced = receive.iter().map(|completer| produce(completer, drops, &mut rng));
                    produced.sum::<usize>()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("nobody panics")).sum()
    });
    println!("{made} values");
    assert_eq!(drops.count(), made, "each value is dropped once");
}

#[test]
fn stress_one_pair_of_threads() {
    pairs_of_threads(1);
}

#[test]
fn stress_oversubscribed() {
    pairs_of_threads(12);
}

/// No jitter: both sides meet at a barrier and go at once, thousands of times.
#[test]
fn stress_meeting_at_once() {
    const BATCH: usize = 64;
    let mut rng = Rng(seed());
    let drops = Drops::default();
    let end = Instant::now() + TIME;
    let mut made = 0;
    while Instant::now() < end {
        let (completers, promises): (Vec<_>, Vec<_>) = (0..BATCH).map(|_| oneshot()).unzip();
        let gate = std::sync::atomic::AtomicUsize::new(0);
        let meet = || {
            gate.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            while gate.load(std::sync::atomic::Ordering::SeqCst) < 2 {
                thread::yield_now();
            }
        };
        let way = rng.below(3);
        thread::scope(|scope| {
            scope.spawn(|| {
                meet();
                for completer in completers {
                    drop(completer.complete(drops.value()));
                }
            });
            scope.spawn(|| {
                meet();
                for promise in promises {
                    match way {
                        0 => drop(promise),
                        1 => drop(promise.wait().expect("it is completed")),
                        _ => drop(block_on(promise).expect("it is completed")),
                    }
                }
            });
        });
        made += BATCH;
        assert_eq!(drops.count(), made, "each value is dropped once");
    }
    println!("{made} values");
}
