//! Deques: the owner's push and pop, and stealing by the batch from a deque that nobody else touches.
//!
//! `cargo bench -p wyn-bench --features criterion --bench deque`

#[path = "support/membarrier.rs"]
mod membarrier;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use wyn_deque::split;

use membarrier::Membarrier;

/// Items that are pushed before they are popped.
const BURST: u64 = 256;
const BATCH: usize = 128;

fn push_pop(c: &mut Criterion) {
    let mut group = c.benchmark_group("deque/push_pop");
    group.throughput(Throughput::Elements(1));
    let worker = wyn_deque::Worker::new_lifo();
    group.bench_function("chase_lev", |b| {
        b.iter(|| {
            worker.push(black_box(1_u64));
            worker.pop()
        });
    });
    let worker: split::Worker<u64> = split::Worker::new();
    group.bench_function("split_fences", |b| {
        b.iter(|| {
            worker.push(black_box(1_u64));
            worker.pop()
        });
    });
    if Membarrier::register() {
        let worker: split::Worker<u64, Membarrier> = split::Worker::new();
        group.bench_function("split_membarrier", |b| {
            b.iter(|| {
                worker.push(black_box(1_u64));
                worker.pop()
            });
        });
    }
    let worker = crossbeam_deque::Worker::new_lifo();
    group.bench_function("crossbeam", |b| {
        b.iter(|| {
            worker.push(black_box(1_u64));
            worker.pop()
        });
    });
    group.finish();
}

fn burst(c: &mut Criterion) {
    let mut group = c.benchmark_group("deque/burst");
    group.throughput(Throughput::Elements(BURST));
    let worker = wyn_deque::Worker::new_lifo();
    group.bench_function("chase_lev", |b| {
        b.iter(|| {
            (0..BURST).for_each(|i| worker.push(i));
            (0..BURST).filter_map(|_| worker.pop()).sum::<u64>()
        });
    });
    let worker: split::Worker<u64> = split::Worker::new();
    group.bench_function("split_fences", |b| {
        b.iter(|| {
            (0..BURST).for_each(|i| worker.push(i));
            (0..BURST).filter_map(|_| worker.pop()).sum::<u64>()
        });
    });
    if Membarrier::register() {
        let worker: split::Worker<u64, Membarrier> = split::Worker::new();
        group.bench_function("split_membarrier", |b| {
            b.iter(|| {
                (0..BURST).for_each(|i| worker.push(i));
                (0..BURST).filter_map(|_| worker.pop()).sum::<u64>()
            });
        });
    }
    let worker = crossbeam_deque::Worker::new_lifo();
    group.bench_function("crossbeam", |b| {
        b.iter(|| {
            (0..BURST).for_each(|i| worker.push(i));
            (0..BURST).filter_map(|_| worker.pop()).sum::<u64>()
        });
    });
    group.finish();
}

fn steal_batch(c: &mut Criterion) {
    let mut group = c.benchmark_group("deque/steal_batch");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("chase_lev", |b| {
        let dest = wyn_deque::Worker::new_lifo();
        b.iter_batched_ref(
            || {
                while dest.pop().is_some() {}
                let worker = wyn_deque::Worker::new_lifo();
                (0..2 * BATCH).for_each(|i| worker.push(i));
                worker
            },
            |worker| worker.stealer().steal_batch_with_limit_and_pop(&dest, BATCH).success(),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("split_fences", |b| {
        let dest: split::Worker<usize> = split::Worker::new();
        b.iter_batched_ref(
            || {
                while dest.pop().is_some() {}
                let worker: split::Worker<usize> = split::Worker::new();
                (0..2 * BATCH).for_each(|i| worker.push(i));
                worker
            },
            |worker| worker.stealer().steal_batch_and_pop(&dest, BATCH).success(),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("crossbeam", |b| {
        let dest = crossbeam_deque::Worker::new_lifo();
        b.iter_batched_ref(
            || {
                while dest.pop().is_some() {}
                let worker = crossbeam_deque::Worker::new_lifo();
                (0..2 * BATCH).for_each(|i| worker.push(i));
                worker
            },
            |worker| worker.stealer().steal_batch_with_limit_and_pop(&dest, BATCH).success(),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, push_pop, burst, steal_batch);
criterion_main!(benches);
