//! One-shot cells and entries of the slab: make, complete, take, on one thread and across two.
//!
//! `cargo bench -p wyn-future`; more peers are in `cargo xtask bench future`.

use std::hint::black_box;
use std::sync::mpsc;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn complete_take(c: &mut Criterion) {
    let mut group = c.benchmark_group("future/complete_take");
    group.throughput(Throughput::Elements(1));
    group.bench_function("wyn", |b| {
        b.iter(|| {
            let (completer, promise) = wyn_future::oneshot();
            assert!(completer.complete(black_box(7_u64)).is_ok());
            promise.wait()
        });
    });
    let slab = wyn_future::Slab::new();
    group.bench_function("wyn_slab", |b| {
        b.iter(|| {
            let key = slab.open();
            assert!(slab.complete(key, black_box(7_u64)).is_ok());
            slab.try_take(key)
        });
    });
    group.bench_function("oneshot_crate", |b| {
        b.iter(|| {
            let (sender, receiver) = oneshot::channel();
            assert!(sender.send(black_box(7_u64)).is_ok());
            receiver.recv()
        });
    });
    group.finish();
}

/// Completed by another thread in batches: what is left is the traffic of the cells themselves.
fn across_threads(c: &mut Criterion) {
    const BATCH: usize = 1024;
    let mut group = c.benchmark_group("future/across_threads");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("wyn", |b| {
        let (send, receive) = mpsc::channel::<Vec<wyn_future::Completer<usize>>>();
        let other = std::thread::spawn(move || {
            for batch in receive {
                for (i, completer) in batch.into_iter().enumerate() {
                    assert!(completer.complete(i).is_ok());
                }
            }
        });
        b.iter_custom(|iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                let (completers, promises): (Vec<_>, Vec<_>) =
                    (0..BATCH).map(|_| wyn_future::oneshot::<usize>()).unzip();
                send.send(completers).expect("the other thread runs");
                let sum: usize = promises.into_iter().filter_map(|promise| promise.wait().ok()).sum();
                assert_eq!(sum, BATCH * (BATCH - 1) / 2);
            }
            start.elapsed()
        });
        drop(send);
        other.join().expect("the other thread ends");
    });
    group.bench_function("oneshot_crate", |b| {
        let (send, receive) = mpsc::channel::<Vec<oneshot::Sender<usize>>>();
        let other = std::thread::spawn(move || {
            for batch in receive {
                for (i, sender) in batch.into_iter().enumerate() {
                    assert!(sender.send(i).is_ok());
                }
            }
        });
        b.iter_custom(|iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                let (senders, receivers): (Vec<_>, Vec<_>) = (0..BATCH).map(|_| oneshot::channel()).unzip();
                send.send(senders).expect("the other thread runs");
                let sum: usize = receivers.into_iter().filter_map(|receiver| receiver.recv().ok()).sum();
                assert_eq!(sum, BATCH * (BATCH - 1) / 2);
            }
            start.elapsed()
        });
        drop(send);
        other.join().expect("the other thread ends");
    });
    group.finish();
}

criterion_group!(benches, complete_take, across_threads);
criterion_main!(benches);
