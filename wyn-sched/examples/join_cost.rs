//! What a `join` costs that nobody steals: Fibonacci numbers by the book, on one worker, beside plain calls.
//!
//! `cargo run --release -p wyn-sched --example join_cost -- 32`

use std::hint::black_box;
use std::time::Instant;

#[inline(never)]
fn forked(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = wyn_sched::join(|| forked(n - 1), || forked(n - 2));
    a + b
}

#[inline(never)]
fn called(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    black_box(called(n - 1)) + black_box(called(n - 2))
}

/// Two calls to a join, but for the last: F(n + 1) - 1 of them.
fn joins(n: u64) -> u64 {
    called(n + 1) - 1
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n = std::env::args().nth(1).map_or(Ok(32), |text| text.parse())?;
    let runtime = wyn_sched::Runtime::builder().workers(1).build()?;
    let joins = joins(n) as f64;
    for (name, fib) in [("join", forked as fn(u64) -> u64), ("call", called)] {
        let time = (0..7).map(|_| {
            let start = Instant::now();
            black_box(runtime.install(|| fib(black_box(n))));
            start.elapsed().as_nanos() as f64 / joins
        });
        println!("{name}: {:.2} ns", time.fold(f64::INFINITY, f64::min));
    }
    Ok(())
}
