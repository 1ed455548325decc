//! Cells beside the system's allocator and mimalloc, each called directly: neither is the global one here.
//!
//! `cargo bench -p wyn-pool`; jemalloc and cold memory are in `cargo xtask bench pool`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::ptr::NonNull;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mimalloc::MiMalloc;
use wyn_pool::raw::{self, SizeClass};
use wyn_pool::{Pool, PoolBox};

/// What a task cell needs.
const LAYOUT: Layout = Layout::new::<[u64; 4]>();
/// Live at the same time, as in a burst of tasks.
const LIVE: usize = 1024;

/// Something that hands out memory of [`LAYOUT`].
trait Source: Copy + Send + 'static {
    fn alloc(self) -> NonNull<u8>;

    /// # Safety
    /// - `cell` came from `alloc` of the same source and is not used again.
    unsafe fn free(self, cell: NonNull<u8>);
}

/// An allocator called directly.
struct Direct<A: 'static>(&'static A);

impl<A> Clone for Direct<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Direct<A> {}

impl<A: GlobalAlloc + Sync> Source for Direct<A> {
    #[inline]
    fn alloc(self) -> NonNull<u8> {
        // SAFETY: the layout is not empty.
        let cell = unsafe { self.0.alloc(LAYOUT) };
        NonNull::new(cell).expect("there is memory")
    }

    // SAFETY: asks for what the trait says.
    #[inline]
    unsafe fn free(self, cell: NonNull<u8>) {
        // SAFETY: the caller's promise; the layout is always the same.
        unsafe { self.0.dealloc(cell.as_ptr(), LAYOUT) };
    }
}

/// The runtime's own size class.
#[derive(Clone, Copy)]
struct Raw(SizeClass);

impl Source for Raw {
    #[inline]
    fn alloc(self) -> NonNull<u8> {
        raw::alloc(self.0)
    }

    // SAFETY: asks for what the trait says.
    #[inline]
    unsafe fn free(self, cell: NonNull<u8>) {
        // SAFETY: the caller's promise; the class is always the same.
        unsafe { raw::free(cell, self.0) };
    }
}

fn wyn() -> Raw {
    Raw(SizeClass::for_layout(LAYOUT).expect("32 bytes fit a class"))
}

/// One cell out and in.
fn one<S: Source>(source: S) {
    let cell = black_box(source.alloc());
    // SAFETY: it came from this source just now.
    unsafe { source.free(cell) };
}

/// Many cells out, then all in, oldest first: the order in which tasks end.
fn many<S: Source>(source: S, cells: &mut Vec<NonNull<u8>>) {
    cells.extend((0..LIVE).map(|_| source.alloc()));
    for cell in cells.drain(..) {
        // SAFETY: each came from this source and is freed once.
        unsafe { source.free(cell) };
    }
}

fn same_thread(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool/alloc_free");
    group.throughput(Throughput::Elements(1));
    let pool = Pool::new();
    group.bench_function("wyn_raw", |b| b.iter(|| one(wyn())));
    group.bench_function("wyn_typed", |b| b.iter(|| drop(black_box(pool.alloc([0_u64; 4])))));
    group.bench_function("system", |b| b.iter(|| one(Direct(&System))));
    group.bench_function("mimalloc", |b| b.iter(|| one(Direct(&MiMalloc))));
    group.finish();
}

fn burst(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool/burst");
    group.throughput(Throughput::Elements(LIVE as u64));
    let mut cells = Vec::with_capacity(LIVE);
    let mut boxes: Vec<PoolBox<[u64; 4]>> = Vec::with_capacity(LIVE);
    let pool = Pool::new();
    group.bench_function("wyn_raw", |b| b.iter(|| many(wyn(), &mut cells)));
    group.bench_function("wyn_typed", |b| {
        b.iter(|| {
            boxes.extend((0..LIVE).map(|_| pool.alloc([0; 4])));
            boxes.drain(..).for_each(drop);
        });
    });
    group.bench_function("system", |b| b.iter(|| many(Direct(&System), &mut cells)));
    group.bench_function("mimalloc", |b| b.iter(|| many(Direct(&MiMalloc), &mut cells)));
    group.finish();
}

/// Cells on their way to the thread that frees them.
struct Parcel(Vec<NonNull<u8>>);

// SAFETY: each cell is used by the one thread that has the parcel.
unsafe impl Send for Parcel {}

/// The time of `parcels` parcels that one thread fills and another frees; the vectors go back and forth.
fn across<S: Source>(source: S, parcels: u64) -> Duration {
    let (fill, filled) = mpsc::sync_channel::<Parcel>(4);
    let (give_back, empty) = mpsc::sync_channel::<Parcel>(8);
    for _ in 0..4 {
        give_back.send(Parcel(Vec::with_capacity(LIVE))).expect("there is room");
    }
    let consumer = std::thread::spawn(move || {
        for mut parcel in filled {
            for cell in parcel.0.drain(..) {
                // SAFETY: each came from this source and is freed once.
                unsafe { source.free(cell) };
            }
            if give_back.send(parcel).is_err() {
                return;
            }
        }
    });
    let start = Instant::now();
    for _ in 0..parcels {
        let mut parcel = empty.recv().expect("the consumer runs");
        parcel.0.extend((0..LIVE).map(|_| source.alloc()));
        fill.send(parcel).expect("the consumer runs");
    }
    drop(fill);
    while empty.recv().is_ok() {}
    let wall = start.elapsed();
    consumer.join().expect("the consumer ends");
    wall
}

fn across_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool/producer_consumer");
    group.throughput(Throughput::Elements(LIVE as u64));
    group.bench_function("wyn_raw", |b| b.iter_custom(|parcels| across(wyn(), parcels)));
    group.bench_function("system", |b| b.iter_custom(|parcels| across(Direct(&System), parcels)));
    group.bench_function("mimalloc", |b| b.iter_custom(|parcels| across(Direct(&MiMalloc), parcels)));
    group.finish();
}

criterion_group!(benches, same_thread, burst, across_threads);
criterion_main!(benches);
