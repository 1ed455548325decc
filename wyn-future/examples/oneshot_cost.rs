//! Measures what a oneshot pair costs: nanoseconds per pair, median of 15 runs.

use std::hint::black_box;
use std::sync::mpsc;
use std::time::Instant;

use wyn_future::oneshot;

const RUNS: usize = 15;

fn measure(name: &str, pairs: u32, mut run: impl FnMut(u32)) {
    let mut nanos: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run(pairs);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(pairs)
        })
        .collect();
    nanos.sort_by(f64::total_cmp);
    println!("{name:44} {:8.1} ns (least {:.1})", nanos[RUNS / 2], nanos[0]);
}

fn main() {
    measure("Box::new and drop, for comparison", 1 << 20, |n| {
        for i in 0..n {
            drop(black_box(Box::new([u64::from(i); 3])));
        }
    });
    measure("make, complete, try_take: one thread", 1 << 20, |n| {
        for i in 0..n {
            let (completer, mut promise) = oneshot();
            completer.complete(black_box(i)).expect("the promise is there");
            assert_eq!(promise.try_take(), Ok(i));
        }
    });
    measure("make, complete, wait: one thread", 1 << 20, |n| {
        for i in 0..n {
            let (completer, promise) = oneshot();
            completer.complete(black_box(i)).expect("the promise is there");
            assert_eq!(promise.wait(), Ok(i));
        }
    });
    measure("make, drop the promise, complete: one thread", 1 << 20, |n| {
        for i in 0..n {
            let (completer, promise) = oneshot();
            drop(promise);
            assert_eq!(completer.complete(black_box(i)), Err(i));
        }
    });
    measure("answer from another thread, parked for", 1 << 13, |n| {
        let (send, receive) = mpsc::channel::<wyn_future::Completer<u32>>();
        std::thread::scope(|scope| {
            scope
                .spawn(|| receive.into_iter().for_each(|completer| completer.complete(7).expect("it waits")));
            for _ in 0..n {
                let (completer, promise) = oneshot();
                send.send(completer).expect("the thread is there");
                assert_eq!(promise.wait(), Ok(7));
            }
            drop(send);
        });
    });
}
