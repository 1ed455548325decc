//! Tokio, where a fork can be said with a task and a handle: nothing can be borrowed, and each call that
//! forks is a boxed future.

use std::pin::Pin;

use ::tokio::runtime::{Builder, Runtime};

use crate::backends::no_such_notion;
use crate::meter::{self, Job, Pass};
use crate::record::{Cell, Line};
use crate::workloads::fork_join::{answers, churn};

/// Beyond that a task per call takes minutes.
const MOST_CALLS: u64 = 3_000_000;

type Boxed = Pin<Box<dyn Future<Output = u64> + Send>>;

pub(super) fn run(cell: &Cell) -> Line {
    let n = cell.n;
    match cell.workload.as_str() {
        "fib" | "fib_once" if answers::fib_joins(n) > MOST_CALLS => {
            no_such_notion("a task per call takes minutes")
        }
        "skynet" if answers::skynet_leaves(n) > MOST_CALLS => no_such_notion("a task per leaf takes minutes"),
        "fib" | "fib_once" => {
            measure(cell, Job { ops: answers::fib_joins(n), expected: answers::fib(n) }, move || fib(n))
        }
        "skynet" => {
            let leaves = answers::skynet_leaves(n);
            let job = Job { ops: leaves, expected: answers::skynet(n) };
            measure(cell, job, move || skynet(0, leaves))
        }
        _ => no_such_notion("its tasks cannot borrow, and a wait inside a call blocks the worker"),
    }
}

fn measure(cell: &Cell, job: Job, body: impl Fn() -> Boxed) -> Line {
    let runtime: &'static Runtime = Box::leak(Box::new(
        Builder::new_multi_thread().worker_threads(cell.workers).build().expect("the runtime starts"),
    ));
    let joint = || {
        let end = std::time::Instant::now() + meter::JOINT_WORK;
        while std::time::Instant::now() < end {
            let leaves: Vec<_> = (0..64).map(|i| runtime.spawn(async move { churn(i, 15_000) })).collect();
            runtime.block_on(async {
                for leaf in leaves {
                    std::hint::black_box(leaf.await.expect("the task panicked"));
                }
            });
        }
    };
    meter::passes(joint, job, meter::WARM_PASSES, || {
        let future = body();
        let timed = async {
            let start = std::time::Instant::now();
            let answer = future.await;
            Pass { wall: start.elapsed(), answer }
        };
        runtime.block_on(runtime.spawn(timed)).expect("the task panicked")
    })
}

fn fib(n: u64) -> Boxed {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let waiting = ::tokio::spawn(fib(n - 2));
        fib(n - 1).await + waiting.await.expect("the task panicked")
    })
}

fn skynet(first: u64, leaves: u64) -> Boxed {
    Box::pin(async move {
        if leaves == 1 {
            return first;
        }
        let each = leaves / answers::SKYNET_CHILDREN as u64;
        let children: Vec<_> = (0..answers::SKYNET_CHILDREN as u64)
            .map(|i| ::tokio::spawn(skynet(first + i * each, each)))
            .collect();
        let mut sum = 0;
        for child in children {
            sum += child.await.expect("the task panicked");
        }
        sum
    })
}
