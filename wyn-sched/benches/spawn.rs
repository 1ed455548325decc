//! Tasks: one at a time, eight at a time, and a burst, from main and from inside a worker.
//!
//! `cargo bench -p wyn-sched --bench spawn`; more peers and the method for them are in `cargo xtask bench`.

use std::hint::black_box;
use std::sync::mpsc;

use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};

const EIGHT: usize = 8;
const BURSTS: [u64; 2] = [1_000, 100_000];

fn one(c: &mut Criterion) {
    let mut group = c.benchmark_group("sched/spawn_join");
    group.throughput(Throughput::Elements(1));
    let wyn = |b: &mut Bencher<'_>| b.iter(|| wyn_sched::spawn(|| black_box(1_u64)).join().ok());
    group.bench_function("wyn_main", wyn);
    group.bench_function("wyn_worker", |b| wyn_sched::global().install(|| wyn(b)));
    group.bench_function("rayon_main", |b| b.iter(|| rayon_spawn(black_box(1)).recv().ok()));
    group.finish();
}

fn eight(c: &mut Criterion) {
    let mut group = c.benchmark_group("sched/batch8");
    group.throughput(Throughput::Elements(EIGHT as u64));
    let wyn = |b: &mut Bencher<'_>| {
        b.iter(|| {
            let handles: [_; EIGHT] = std::array::from_fn(|i| wyn_sched::spawn(move || black_box(i)));
            handles.map(|handle| handle.join().ok())
        });
    };
    group.bench_function("wyn_main", wyn);
    group.bench_function("wyn_worker", |b| wyn_sched::global().install(|| wyn(b)));
    group.bench_function("rayon_main", |b| {
        b.iter(|| {
            let answers: [_; EIGHT] = std::array::from_fn(|i| rayon_spawn(black_box(i as u64)));
            answers.map(|answer| answer.recv().ok())
        });
    });
    group.finish();
}

fn burst(c: &mut Criterion) {
    let mut group = c.benchmark_group("sched/spawn_await");
    for n in BURSTS {
        group.throughput(Throughput::Elements(n));
        group.bench_function(format!("wyn_main/{n}"), |b| {
            b.iter(|| {
                let handles: Vec<_> = (0..n).map(|i| wyn_sched::spawn(move || i)).collect();
                let sum: u64 = handles.into_iter().filter_map(|handle| handle.join().ok()).sum();
                assert_eq!(sum, n * (n - 1) / 2);
            });
        });
        group.bench_function(format!("rayon_main/{n}"), |b| {
            b.iter(|| {
                let answers: Vec<_> = (0..n).map(rayon_spawn).collect();
                let sum: u64 = answers.into_iter().filter_map(|answer| answer.recv().ok()).sum();
                assert_eq!(sum, n * (n - 1) / 2);
            });
        });
    }
    group.finish();
}

/// Rayon's `spawn` has no handle: a channel for the answer stands in.
fn rayon_spawn(answer: u64) -> mpsc::Receiver<u64> {
    let (send, receive) = mpsc::sync_channel(1);
    rayon::spawn(move || send.send(answer).expect("somebody asks"));
    receive
}

criterion_group!(benches, one, eight, burst);
criterion_main!(benches);
