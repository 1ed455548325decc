//! The scheduler from main: one task at a time, eight at a time, and a burst.
//!
//! `cargo bench -p wyn-bench --features criterion --bench sched`; the peers are in `cargo xtask bench`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn spawn_sum(n: u64) -> u64 {
    let handles: Vec<_> = (0..n).map(|i| wyn_sched::spawn(move || i)).collect();
    handles.into_iter().map(|handle| handle.join().expect("the task panicked")).sum()
}

fn seq(c: &mut Criterion) {
    let mut group = c.benchmark_group("sched/seq");
    group.throughput(Throughput::Elements(1));
    group.bench_function("main", |b| b.iter(|| wyn_sched::spawn(|| black_box(1_u64)).join().ok()));
    group.finish();
}

fn batch8(c: &mut Criterion) {
    let mut group = c.benchmark_group("sched/batch8");
    group.throughput(Throughput::Elements(8));
    group.bench_function("main", |b| {
        b.iter(|| {
            let handles: [_; 8] = std::array::from_fn(|i| wyn_sched::spawn(move || black_box(i)));
            handles.map(|handle| handle.join().ok())
        });
    });
    group.finish();
}

fn burst(c: &mut Criterion) {
    let mut group = c.benchmark_group("sched/spawn_await");
    for n in [1_000, 100_000] {
        group.throughput(Throughput::Elements(n));
        group.bench_function(format!("main/{n}"), |b| {
            b.iter(|| assert_eq!(spawn_sum(n), n * (n - 1) / 2));
        });
    }
    group.finish();
}

criterion_group!(benches, seq, batch8, burst);
criterion_main!(benches);
