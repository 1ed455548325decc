//! Single channel operations: a send and a receive on one thread, a stream between two, one message alone.
//!
//! `cargo bench -p wyn-channel`; more peers, capacities and the method for threads are in
//! `cargo xtask bench channels`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};

const ROOM: usize = 100;

fn uncontended(c: &mut Criterion) {
    for (name, room) in [("channel/send_recv_bounded", Some(ROOM)), ("channel/send_recv_unbounded", None)] {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1));
        let (s, r) = room.map_or_else(wyn_channel::unbounded, wyn_channel::bounded);
        here(&mut group, "wyn", |msg| s.send(msg).is_ok(), || r.recv().ok());
        let (s, r) = room.map_or_else(crossbeam_channel::unbounded, crossbeam_channel::bounded);
        here(&mut group, "crossbeam", |msg| s.send(msg).is_ok(), || r.recv().ok());
        let (s, r) = room.map_or_else(kanal::unbounded, kanal::bounded);
        here(&mut group, "kanal", |msg| s.send(msg).is_ok(), || r.recv().ok());
        if let Some(room) = room {
            let (s, r) = std::sync::mpsc::sync_channel(room);
            here(&mut group, "std", |msg| s.send(msg).is_ok(), || r.recv().ok());
        } else {
            let (s, r) = std::sync::mpsc::channel();
            here(&mut group, "std", |msg| s.send(msg).is_ok(), || r.recv().ok());
        }
        group.finish();
    }
}

/// A message that finds its way from this thread to itself.
fn here(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    send: impl Fn(u64) -> bool,
    recv: impl Fn() -> Option<u64>,
) {
    group.bench_function(name, |b| {
        b.iter(|| {
            assert!(send(black_box(7)));
            recv()
        });
    });
}

fn streams(c: &mut Criterion) {
    let mut group = c.benchmark_group("channel/spsc_100");
    group.throughput(Throughput::Elements(1));
    group.bench_function("wyn", |b| {
        b.iter_custom(|n| {
            let (s, r) = wyn_channel::bounded(ROOM);
            stream(n, move |msg| s.send(msg).is_ok(), move || r.recv().ok())
        });
    });
    group.bench_function("crossbeam", |b| {
        b.iter_custom(|n| {
            let (s, r) = crossbeam_channel::bounded(ROOM);
            stream(n, move |msg| s.send(msg).is_ok(), move || r.recv().ok())
        });
    });
    group.bench_function("kanal", |b| {
        b.iter_custom(|n| {
            let (s, r) = kanal::bounded(ROOM);
            stream(n, move |msg| s.send(msg).is_ok(), move || r.recv().ok())
        });
    });
    group.bench_function("std", |b| {
        b.iter_custom(|n| {
            let (s, r) = std::sync::mpsc::sync_channel(ROOM);
            stream(n, move |msg| s.send(msg).is_ok(), move || r.recv().ok())
        });
    });
    group.finish();
}

/// So many messages to this thread from another, which is started on the clock.
fn stream(n: u64, send: impl Fn(u64) -> bool + Send + 'static, recv: impl Fn() -> Option<u64>) -> Duration {
    let start = Instant::now();
    let thread = std::thread::spawn(move || (0..n).all(send));
    let sum = (0..n).filter_map(|_| recv()).fold(0_u64, u64::wrapping_add);
    let wall = start.elapsed();
    assert!(thread.join().is_ok_and(|sent| sent));
    assert_eq!(sum, (0..n).fold(0_u64, u64::wrapping_add));
    wall
}

fn oneshots(c: &mut Criterion) {
    let mut group = c.benchmark_group("channel/oneshot");
    group.throughput(Throughput::Elements(1));
    group.bench_function("wyn", |b| {
        b.iter(|| {
            let (s, r) = wyn_channel::oneshot();
            assert!(s.send(black_box(7)).is_ok());
            r.recv()
        });
    });
    group.bench_function("crossbeam_1", |b| {
        b.iter(|| {
            let (s, r) = crossbeam_channel::bounded(1);
            assert!(s.send(black_box(7)).is_ok());
            r.recv()
        });
    });
    group.finish();
}

criterion_group!(benches, uncontended, streams, oneshots);
criterion_main!(benches);
