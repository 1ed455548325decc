//! Deques: the owner's push and pop, single steals and batches from a deque at rest, and owner and thief at once.
//!
//! `cargo bench -p wyn-deque`; with the answers checked and the method for threads in `cargo xtask bench deque`.

#[path = "support/membarrier.rs"]
mod membarrier;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use wyn_deque::split::{self, Barrier, Fences};

use membarrier::Membarrier;

/// Items that are pushed before they are popped.
const BURST: u64 = 256;
/// Items that a thief takes at once.
const BATCH: usize = 128;

/// A deque and its thief, in the words that all of them share.
trait Deque: Default {
    type Thief: Send;

    fn push(&self, item: u64);
    fn pop(&self) -> Option<u64>;
    fn thief(&self) -> Self::Thief;
    /// One item; `None` when the deque is empty or the attempt is lost.
    fn steal(thief: &Self::Thief) -> Option<u64>;
    /// One item, and more of them moved to `dest`.
    fn steal_batch(thief: &Self::Thief, dest: &Self) -> Option<u64>;
}

/// The two deques with the interface of crossbeam-deque.
macro_rules! chase_lev {
    ($name:ident, $krate:ident) => {
        struct $name($krate::Worker<u64>);

        impl Default for $name {
            fn default() -> Self {
                $name($krate::Worker::new_lifo())
            }
        }

        impl Deque for $name {
            type Thief = $krate::Stealer<u64>;

            #[inline]
            fn push(&self, item: u64) {
                self.0.push(item);
            }

            #[inline]
            fn pop(&self) -> Option<u64> {
                self.0.pop()
            }

            fn thief(&self) -> Self::Thief {
                self.0.stealer()
            }

            #[inline]
            fn steal(thief: &Self::Thief) -> Option<u64> {
                thief.steal().success()
            }

            #[inline]
            fn steal_batch(thief: &Self::Thief, dest: &Self) -> Option<u64> {
                thief.steal_batch_with_limit_and_pop(&dest.0, BATCH).success()
            }
        }
    };
}

chase_lev!(ChaseLev, wyn_deque);
chase_lev!(Crossbeam, crossbeam_deque);

struct Split<B: Barrier>(split::Worker<u64, B>);

impl<B: Barrier> Default for Split<B> {
    fn default() -> Self {
        Split(split::Worker::new())
    }
}

impl<B: Barrier> Deque for Split<B> {
    type Thief = split::Stealer<u64, B>;

    #[inline]
    fn push(&self, item: u64) {
        self.0.push(item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0.pop()
    }

    fn thief(&self) -> Self::Thief {
        self.0.stealer()
    }

    #[inline]
    fn steal(thief: &Self::Thief) -> Option<u64> {
        thief.steal().success()
    }

    #[inline]
    fn steal_batch(thief: &Self::Thief, dest: &Self) -> Option<u64> {
        thief.steal_batch_and_pop(&dest.0, BATCH).success()
    }
}

/// One measurement of one deque.
type Measure = fn(&mut BenchmarkGroup<'_, WallTime>, &str, Kind);

#[derive(Clone, Copy)]
enum Kind {
    ChaseLev,
    Fences,
    Membarrier,
    Crossbeam,
}

/// The same group over every deque.
fn group(c: &mut Criterion, name: &str, elements: u64, measure: Measure) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(elements));
    measure(&mut group, "chase_lev", Kind::ChaseLev);
    measure(&mut group, "split_fences", Kind::Fences);
    if Membarrier::register() {
        measure(&mut group, "split_membarrier", Kind::Membarrier);
    }
    measure(&mut group, "crossbeam", Kind::Crossbeam);
    group.finish();
}

/// Calls a generic function with the type of a kind.
macro_rules! of_kind {
    ($kind:expr, $function:ident($($argument:expr),*)) => {
        match $kind {
            Kind::ChaseLev => $function::<ChaseLev>($($argument),*),
            Kind::Fences => $function::<Split<Fences>>($($argument),*),
            Kind::Membarrier => $function::<Split<Membarrier>>($($argument),*),
            Kind::Crossbeam => $function::<Crossbeam>($($argument),*),
        }
    };
}

fn push_pop(c: &mut Criterion) {
    fn measure<D: Deque>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
        let deque = D::default();
        group.bench_function(name, |b| {
            b.iter(|| {
                deque.push(black_box(1));
                deque.pop()
            });
        });
    }
    group(c, "deque/push_pop", 1, |group, name, kind| of_kind!(kind, measure(group, name)));
}

fn burst(c: &mut Criterion) {
    fn measure<D: Deque>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
        let deque = D::default();
        group.bench_function(name, |b| {
            b.iter(|| {
                (0..BURST).for_each(|i| deque.push(i));
                (0..BURST).filter_map(|_| deque.pop()).sum::<u64>()
            });
        });
    }
    group(c, "deque/burst", BURST, |group, name, kind| of_kind!(kind, measure(group, name)));
}

/// A deque with twice as many items as are taken from it.
fn filled<D: Deque>() -> D {
    let deque = D::default();
    (0..2 * BATCH as u64).for_each(|i| deque.push(i));
    deque
}

fn steal(c: &mut Criterion) {
    fn measure<D: Deque>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                || {
                    let deque = filled::<D>();
                    let thief = deque.thief();
                    (deque, thief)
                },
                |(_, thief)| (0..BATCH).filter_map(|_| D::steal(thief)).sum::<u64>(),
                BatchSize::SmallInput,
            );
        });
    }
    group(c, "deque/steal", BATCH as u64, |group, name, kind| of_kind!(kind, measure(group, name)));
}

fn steal_batch(c: &mut Criterion) {
    fn measure<D: Deque>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
        group.bench_function(name, |b| {
            let dest = D::default();
            b.iter_batched_ref(
                || {
                    while dest.pop().is_some() {}
                    let deque = filled::<D>();
                    let thief = deque.thief();
                    (deque, thief)
                },
                |(_, thief)| D::steal_batch(thief, &dest),
                BatchSize::SmallInput,
            );
        });
    }
    group(c, "deque/steal_batch", BATCH as u64, |group, name, kind| of_kind!(kind, measure(group, name)));
}

/// What an item costs its owner while another thread steals what it can.
fn contended(c: &mut Criterion) {
    fn measure<D: Deque>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
        group.bench_function(name, |b| b.iter_custom(|rounds| beside_a_thief::<D>(rounds)));
    }
    group(c, "deque/owner_and_thief", BURST, |group, name, kind| of_kind!(kind, measure(group, name)));
}

fn beside_a_thief<D: Deque>(rounds: u64) -> Duration {
    let (deque, over) = (D::default(), AtomicBool::new(false));
    let thief = deque.thief();
    let (wall, popped, stolen) = std::thread::scope(|scope| {
        let over = &over;
        let thread = scope.spawn(move || {
            let mut stolen = 0_u64;
            while !over.load(Ordering::Acquire) {
                stolen += u64::from(D::steal(&thief).is_some());
            }
            stolen
        });
        let (start, mut popped) = (Instant::now(), 0);
        for _ in 0..rounds {
            (0..BURST).for_each(|i| deque.push(i));
            while deque.pop().is_some() {
                popped += 1;
            }
        }
        let wall = start.elapsed();
        over.store(true, Ordering::Release);
        (wall, popped, thread.join().expect("the thief runs through"))
    });
    assert_eq!(popped + stolen, rounds * BURST);
    wall
}

criterion_group!(benches, push_pop, burst, steal, steal_batch, contended);
criterion_main!(benches);
