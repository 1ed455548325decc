//! Single fork-join operations inside a worker: a join, a scope of ten, a parallel loop.
//!
//! `cargo bench -p wyn-sched --bench fork_join`; whole workloads, more peers and the method for them are in
//! `cargo xtask bench fork-join`.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};

const CHILDREN: usize = 10;
const ITEMS: usize = 1 << 14;
const GRAIN: usize = 64;

fn joins(c: &mut Criterion) {
    let mut group = c.benchmark_group("fork_join/join");
    group.throughput(Throughput::Elements(1));
    group.bench_function("wyn", |b| {
        in_wyn(b, |b| b.iter(|| wyn_sched::join(|| black_box(1), || black_box(2))));
    });
    group.bench_function("rayon", |b| {
        in_rayon(b, |b| b.iter(|| rayon::join(|| black_box(1), || black_box(2))));
    });
    group.bench_function("chili", |b| {
        let mut scope = chili::ThreadPool::global().scope();
        b.iter(|| scope.join(|_| black_box(1), |_| black_box(2)));
    });
    group.finish();
}

fn scopes(c: &mut Criterion) {
    let mut group = c.benchmark_group("fork_join/scope");
    group.throughput(Throughput::Elements(CHILDREN as u64));
    group.bench_function("wyn", |b| {
        in_wyn(b, |b| {
            b.iter(|| {
                let mut slots = [0; CHILDREN];
                wyn_sched::scope(|scope| {
                    for (slot, i) in slots.iter_mut().zip(0..) {
                        scope.spawn_detached(move |_| *slot = black_box(i));
                    }
                });
                assert_eq!(slots.iter().sum::<u64>(), 45);
            });
        });
    });
    group.bench_function("rayon", |b| {
        in_rayon(b, |b| {
            b.iter(|| {
                let mut slots = [0; CHILDREN];
                rayon::scope(|scope| {
                    for (slot, i) in slots.iter_mut().zip(0..) {
                        scope.spawn(move |_| *slot = black_box(i));
                    }
                });
                assert_eq!(slots.iter().sum::<u64>(), 45);
            });
        });
    });
    group.finish();
}

fn loops(c: &mut Criterion) {
    use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
    let slots: Vec<AtomicU64> = (0..ITEMS).map(|_| AtomicU64::new(0)).collect();
    let visit = |i: usize| slots[i].store(black_box(i as u64), Ordering::Relaxed);
    let mut group = c.benchmark_group("fork_join/par_for");
    group.throughput(Throughput::Elements(ITEMS as u64));
    group.bench_function("wyn", |b| {
        in_wyn(b, |b| b.iter(|| wyn_sched::par_for(0..ITEMS, GRAIN, visit)));
    });
    group.bench_function("rayon", |b| {
        in_rayon(b, |b| b.iter(|| (0..ITEMS).into_par_iter().with_min_len(GRAIN).for_each(visit)));
    });
    group.bench_function("chili", |b| {
        let mut scope = chili::ThreadPool::global().scope();
        b.iter(|| halves(&mut scope, 0..ITEMS, &visit));
    });
    group.finish();
}

/// A loop for a library that has none.
fn halves(scope: &mut chili::Scope<'_>, range: std::ops::Range<usize>, visit: &(impl Fn(usize) + Sync)) {
    if range.len() <= GRAIN {
        return range.for_each(visit);
    }
    let middle = range.start + range.len() / 2;
    scope.join(
        |scope| halves(scope, range.start..middle, visit),
        |scope| halves(scope, middle..range.end, visit),
    );
}

/// Measures on a worker, where forking costs least.
fn in_wyn(b: &mut Bencher<'_>, measure: impl FnOnce(&mut Bencher<'_>) + Send) {
    wyn_sched::global().install(|| measure(b));
}

fn in_rayon(b: &mut Bencher<'_>, measure: impl FnOnce(&mut Bencher<'_>) + Send) {
    rayon::scope(|_| measure(b));
}

criterion_group!(benches, joins, scopes, loops);
criterion_main!(benches);
