//! What a cell costs beside `Box` on the system's malloc: pairs, batches, across threads, cold with its memory.
//!
//! `cargo run --release --example pool_cost [warm | cold SUBJECT N]`; without an argument runs everything, each
//! cold figure in a process of its own. SUBJECT: raw, box.

use core::hint::black_box;
use core::ptr::NonNull;
use std::sync::mpsc::sync_channel;
use std::time::Instant;
use wyn_pool::Pool;
use wyn_pool::raw::{self, SizeClass::C32};

type Payload = [u64; 4];

/// A raw cell that owns itself, to be measured beside `Box` and `PoolBox`.
struct Raw(NonNull<Payload>);
// SAFETY: raw cells may be freed by any thread; the payload is plain.
unsafe impl Send for Raw {}

impl Raw {
    #[inline]
    fn new(value: Payload) -> Self {
        let cell = raw::alloc(C32).cast();
        // SAFETY: a cell of 32 bytes, aligned to 32, just taken.
        unsafe { cell.write(value) };
        Self(cell)
    }
}

impl Drop for Raw {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: taken in `new` from the same class, freed once.
        unsafe { raw::free(self.0.cast(), C32) };
    }
}

/// Nanoseconds per `n` steps of `f`, the median of 15 rounds.
fn median(n: usize, mut f: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            f();
            start.elapsed().as_secs_f64() * 1e9 / n as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn pair<C>(make: impl Fn(Payload) -> C) -> f64 {
    const N: usize = 2_000_000;
    median(N, || (0..N as u64).for_each(|i| drop(black_box(make([i; 4])))))
}

/// The pair alone: nothing is written, and the pointer stays in a register.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn bare_pair() -> f64 {
    const N: usize = 2_000_000;
    median(N, || {
        for _ in 0..N {
            let mut cell = raw::alloc(C32).as_ptr();
            // SAFETY: no instruction at all; it only hides from the compiler that the pointer is the same.
            unsafe { core::arch::asm!("/* {0} */", inout(reg) cell, options(nostack)) };
            if let Some(cell) = NonNull::new(cell) {
                // SAFETY: the cell from right above.
                unsafe { raw::free(cell, C32) };
            }
        }
    })
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn bare_pair() -> f64 {
    f64::NAN
}

fn batch<C>(make: impl Fn(Payload) -> C) -> f64 {
    const ROUNDS: usize = 2_000;
    let mut cells: Vec<C> = Vec::with_capacity(1_000);
    median(ROUNDS * 1_000, || {
        for _ in 0..ROUNDS {
            cells.extend((0..1_000).map(|i| make([i; 4])));
            black_box(&mut cells).clear();
        }
    })
}

/// One thread allocates, the other frees; batches of 1000 through two channels, the vectors come back.
fn across<C: Send + 'static>(make: impl Fn(Payload) -> C) -> f64 {
    const ROUNDS: usize = 2_000;
    let (full, to_free) = sync_channel::<Vec<C>>(4);
    let (empty, to_fill) = sync_channel::<Vec<C>>(8);
    (0..4).for_each(|_| empty.send(Vec::with_capacity(1_000)).expect("open"));
    let consumer = std::thread::spawn(move || {
        while let Ok(mut cells) = to_free.recv() {
            cells.clear();
            if empty.send(cells).is_err() {
                break;
            }
        }
    });
    let cost = median(ROUNDS * 1_000, || {
        for _ in 0..ROUNDS {
            let mut cells = to_fill.recv().expect("open");
            cells.extend((0..1_000).map(|i| make([i; 4])));
            full.send(cells).expect("open");
        }
    });
    drop((full, to_fill));
    consumer.join().expect("the consumer does not panic");
    cost
}

fn warm() {
    let pool = Pool::new();
    let typed = |value| pool.alloc(value);
    println!("{:34} {:>8} {:>8} {:>8}", "ns per alloc + free", "raw C32", "Pool", "Box");
    println!("{:34} {:8.2}", "same thread, pair, nothing written", bare_pair());
    let line = |name: &str, raw: f64, typed: f64, boxed: f64| {
        println!("{name:34} {raw:8.2} {typed:8.2} {boxed:8.2}");
    };
    line("same thread, pair", pair(Raw::new), pair(typed), pair(Box::new));
    line("same thread, batch of 1000", batch(Raw::new), batch(typed), batch(Box::new));
    line("producer to consumer, by 1000", across(Raw::new), across(typed), across(Box::new));
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap_or("0 0");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) * 1024
}

/// The first `n` cells of a process: time and memory each, linked so that no vector of handles counts.
fn cold<C>(n: u64, make: impl Fn(Payload) -> C) {
    drop(make([0; 4]));
    let before = resident_bytes();
    let start = Instant::now();
    for i in 0..n {
        core::mem::forget(black_box(make([i; 4])));
    }
    let ns = start.elapsed().as_secs_f64() * 1e9 / n as f64;
    println!("{ns} {}", (resident_bytes() - before) as f64 / n as f64);
}

/// Median time and memory of five fresh processes.
fn cold_in_children(subject: &str, n: u64) -> (f64, f64) {
    let exe = std::env::current_exe().expect("own path");
    let mut runs: Vec<(f64, f64)> = (0..5)
        .map(|_| {
            let output = std::process::Command::new(&exe).args(["cold", subject, &n.to_string()]).output();
            let text = String::from_utf8(output.expect("child runs").stdout).expect("text");
            let mut numbers = text.split_whitespace().map(|number| number.parse().expect("number"));
            (numbers.next().expect("ns"), numbers.next().expect("bytes"))
        })
        .collect();
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    runs[2]
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["warm"] => warm(),
        ["cold", "raw", n] => cold(n.parse().expect("a number"), Raw::new),
        ["cold", "box", n] => cold(n.parse().expect("a number"), Box::new),
        _ => {
            warm();
            println!(
                "{:34} {:>8} {:>8} {:>8} {:>8}",
                "cold, first N cells", "raw ns", "Box ns", "raw B", "Box B"
            );
            for n in [10_000, 100_000, 1_000_000, 10_000_000] {
                let (raw, raw_bytes) = cold_in_children("raw", n);
                let (boxed, box_bytes) = cold_in_children("box", n);
                println!("{n:34} {raw:8.2} {boxed:8.2} {raw_bytes:8.1} {box_bytes:8.1}");
            }
        }
    }
}
