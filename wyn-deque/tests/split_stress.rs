//! Every item is taken exactly once, whoever takes it: a bitmap per run, one owner, 1 to 4 thieves.
//!
//! The seed is printed; `WYN_SEED` sets it. Each test stops by itself after a second or so.
#![cfg(not(wyn_loom))]

use std::sync::Barrier as Gate;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wyn_deque::Steal;
use wyn_deque::split::{Stealer, Worker};

const TEST_TIME: Duration = Duration::from_millis(1200);
const ITEMS_PER_ROUND: usize = 30_000;
/// What stays where an owner has taken from the middle.
const HOLE: usize = usize::MAX;

/// xorshift64*: enough to vary what the threads do.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).expect("31 bits") % n
    }
}

fn seed() -> u64 {
    let given = std::env::var("WYN_SEED").ok().map(|seed| seed.parse().expect("WYN_SEED is a number"));
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros();
    let seed = given.unwrap_or_else(|| u64::try_from(clock()).expect("micros fit") | 1);
    println!("WYN_SEED={seed}");
    seed
}

/// One count per item.
struct Ledger(Vec<AtomicU8>);

impl Ledger {
    fn new() -> Self {
        Self((0..ITEMS_PER_ROUND).map(|_| AtomicU8::new(0)).collect())
    }

    #[track_caller]
    fn take(&self, item: usize) {
        if item == HOLE {
            return;
        }
        assert_eq!(self.0[item].fetch_add(1, Ordering::Relaxed), 0, "item {item} was taken twice");
    }

    #[track_caller]
    fn check(&self) {
        let lost = self.0.iter().position(|count| count.load(Ordering::Relaxed) == 0);
        assert_eq!(lost, None, "an item was lost");
    }
}

/// How the thieves steal.
#[derive(Clone, Copy)]
enum Style {
    Single,
    Batch,
    Mixed,
}

fn thief(stealer: &Stealer<usize>, ledger: &Ledger, over: &AtomicBool, style: Style, mut dice: Dice) {
    let own: Worker<usize> = Worker::with_capacity(2);
    loop {
        let last_look = over.load(Ordering::Acquire);
        let way = match style {
            Style::Single => 0,
            Style::Batch => 1,
            Style::Mixed => dice.below(4),
        };
        let outcome = match way {
            0 => stealer.steal().success().map(|item| ledger.take(item)),
            1 => {
                stealer.steal_batch_and_pop(&own, 1 + dice.below(64)).success().map(|item| ledger.take(item))
            }
            2 => stealer.steal_batch(&own, 1 + dice.below(8)).success(),
            _ => stealer.steal_if(|item| item % 2 == 0).success().flatten().map(|item| ledger.take(item)),
        };
        while let Some(item) = own.pop() {
            ledger.take(item);
        }
        if outcome.is_none() {
            if last_look && stealer.is_empty() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

fn owner(worker: &Worker<usize>, ledger: &Ledger, dice: &mut Dice, run: usize) {
    let mut next = 0;
    while next < ITEMS_PER_ROUND {
        for _ in 0..(1 + dice.below(run)).min(ITEMS_PER_ROUND - next) {
            worker.push(next);
            next += 1;
        }
        for _ in 0..dice.below(run + 2) {
            if let Some(item) = worker.pop() {
                ledger.take(item);
            }
        }
    }
    if dice.below(2) == 0 {
        while let Some(item) = worker.pop() {
            ledger.take(item);
        }
    }
}

/// Takes from anywhere: the oldest, the newest, from between, and now and then what is not there.
fn owner_anywhere(worker: &Worker<usize>, ledger: &Ledger, dice: &mut Dice) {
    let mut next = 0;
    while next < ITEMS_PER_ROUND {
        for _ in 0..(1 + dice.below(20)).min(ITEMS_PER_ROUND - next) {
            worker.push(next);
            next += 1;
        }
        for _ in 0..dice.below(18) {
            let oldest = worker.oldest_position();
            let held = worker.position().wrapping_sub(oldest);
            let position = match dice.below(4) {
                0 => oldest,
                1 => worker.position().wrapping_sub(1),
                _ => oldest.wrapping_add(dice.below(held + 1)),
            };
            let taken = if dice.below(5) == 0 { worker.pop() } else { worker.take_at(position, HOLE) };
            if let Some(item) = taken {
                ledger.take(item);
            }
        }
    }
}

fn rounds(thieves: usize, style: Style, owner: impl Fn(&Worker<usize>, &Ledger, &mut Dice)) {
    let mut dice = Dice(seed());
    let end = Instant::now() + TEST_TIME;
    while Instant::now() < end {
        let start = usize::MAX - dice.below(ITEMS_PER_ROUND);
        let worker: Worker<usize> = Worker::starting_at(2, start);
        let (ledger, over, gate) = (Ledger::new(), AtomicBool::new(false), Gate::new(thieves + 1));
        std::thread::scope(|scope| {
            for _ in 0..thieves {
                let (stealer, dice) = (worker.stealer(), Dice(dice.below(1 << 30) as u64 + 1));
                let (ledger, over, gate) = (&ledger, &over, &gate);
                scope.spawn(move || {
                    gate.wait();
                    thief(&stealer, ledger, over, style, dice);
                });
            }
            gate.wait();
            owner(&worker, &ledger, &mut dice);
            over.store(true, Ordering::Release);
        });
        assert_eq!(worker.pop(), None);
        assert_eq!(worker.stealer().steal(), Steal::Empty);
        ledger.check();
    }
}

#[test]
fn stress_split_one_thief_single() {
    rounds(1, Style::Single, |worker, ledger, dice| owner(worker, ledger, dice, 3));
}

#[test]
fn stress_split_one_thief_batches() {
    rounds(1, Style::Batch, |worker, ledger, dice| owner(worker, ledger, dice, 100));
}

#[test]
fn stress_split_one_thief_short_runs() {
    rounds(1, Style::Mixed, |worker, ledger, dice| owner(worker, ledger, dice, 2));
}

#[test]
fn stress_split_two_thieves() {
    rounds(2, Style::Mixed, |worker, ledger, dice| owner(worker, ledger, dice, 8));
}

#[test]
fn stress_split_four_thieves() {
    rounds(4, Style::Mixed, |worker, ledger, dice| owner(worker, ledger, dice, 300));
}

#[test]
fn stress_split_three_thieves_and_an_owner_anywhere() {
    rounds(3, Style::Mixed, owner_anywhere);
}

/// Growth under the thief's hands: wide items make the copies long, and each round grows ten times.
#[test]
fn stress_split_growth() {
    const WIDE_ITEMS: usize = 2_000;
    type Wide = [usize; 64];
    let end = Instant::now() + TEST_TIME;
    while Instant::now() < end {
        let worker: Worker<Wide> = Worker::with_capacity(2);
        let (stealer, over) = (worker.stealer(), AtomicBool::new(false));
        let check = |item: Wide| {
            assert!(item.iter().all(|word| *word == item[0]), "a torn item");
            item[0]
        };
        let sum = std::thread::scope(|scope| {
            let thief = scope.spawn(|| {
                let (mut sum, batch) = (0, Worker::with_capacity(2));
                while !over.load(Ordering::Acquire) || !stealer.is_empty() {
                    let _ = stealer.steal_batch(&batch, 64);
                    sum += std::iter::from_fn(|| batch.pop()).map(check).sum::<usize>();
                }
                sum
            });
            (0..WIDE_ITEMS).for_each(|item| worker.push([item; 64]));
            let own: usize = std::iter::from_fn(|| worker.pop()).map(check).sum();
            over.store(true, Ordering::Release);
            own + thief.join().expect("the thief comes to an end")
        });
        assert_eq!(sum, (0..WIDE_ITEMS).sum());
    }
}
