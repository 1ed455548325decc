//! Channels between the tasks of a runtime, each workload twice: for tasks that block and for tasks that await.
//!
//! A task inside the runtime spawns the others and takes part, as a program's tasks do. The clock runs from before
//! the first spawn until every task has ended.

use super::{send_all, sum_below, sum_of};
use crate::backend::{AsyncChannel, AsyncManySenders, Awaiting, Blocking, Channel, ManySenders};
use crate::meter::{Job, throughput, timed};
use crate::record::{Capacity, Cell, Line};
use crate::workloads::{inside, job};

/// Tasks of `task_fan_in` and `task_pipeline`.
const TASKS: u64 = 1000;

/// Operations of a cell and the right answer; a line for what is no workload of tasks.
fn job_of(cell: &Cell) -> Result<Job, Line> {
    let (n, each) = (cell.n, cell.n / TASKS);
    match cell.workload.as_str() {
        "task_ping_pong" => Ok(job(n, sum_below(n))),
        "task_fan_in" => Ok(job(TASKS * each, sum_below(TASKS * each))),
        // Every task adds 1 to every message.
        "task_pipeline" => Ok(job(TASKS * each, sum_below(each).wrapping_add(TASKS * each))),
        other => Err(Line::Unsupported(format!("{other} is not about tasks"))),
    }
}

/// Measures a cell of tasks that wait by blocking.
pub fn blocking_tasks<B: Blocking, C: ManySenders>(cell: &Cell, capacity: Capacity) -> Line {
    let job = match job_of(cell) {
        Ok(job) => job,
        Err(line) => return line,
    };
    let (b, n, each) = (B::start(cell.workers), cell.n, cell.n / TASKS);
    let pass = |body: fn(B, u64, Capacity) -> u64, count: u64| {
        throughput(b, cell.workers, job, || b.install(move || timed(|| body(b, count, capacity))))
    };
    match cell.workload.as_str() {
        "task_ping_pong" => pass(ping_pong::<B, C>, n),
        "task_fan_in" => pass(fan_in::<B, C>, each),
        _ => pass(pipeline::<B, C>, each),
    }
}

fn ping_pong<B: Blocking, C: Channel>(b: B, n: u64, capacity: Capacity) -> u64 {
    let (there, mut arrived) = C::open(capacity);
    let (back, mut returned) = C::open(capacity);
    let echo = b.spawn(move || (0..n).for_each(|_| C::send(&back, C::recv(&mut arrived))));
    let sum = (0..n).fold(0_u64, |sum, msg| {
        C::send(&there, msg);
        sum.wrapping_add(C::recv(&mut returned))
    });
    b.join(echo);
    sum
}

fn fan_in<B: Blocking, C: ManySenders>(b: B, each: u64, capacity: Capacity) -> u64 {
    let (sender, mut receiver) = C::open(capacity);
    let send = |index: u64| {
        let sender = C::another_sender(&sender);
        b.spawn(move || send_all::<C>(&sender, index * each..(index + 1) * each))
    };
    let tasks: Vec<_> = (0..TASKS).map(send).collect();
    let sum = sum_of::<C>(&mut receiver, TASKS * each);
    tasks.into_iter().for_each(|task| b.join(task));
    sum
}

fn pipeline<B: Blocking, C: Channel>(b: B, messages: u64, capacity: Capacity) -> u64 {
    let (first, mut last) = C::open(capacity);
    let stage = |_| {
        let (sender, receiver) = C::open(capacity);
        let mut source = std::mem::replace(&mut last, receiver);
        b.spawn(move || (0..messages).for_each(|_| C::send(&sender, C::recv(&mut source) + 1)))
    };
    let mut tasks: Vec<_> = (0..TASKS).map(stage).collect();
    tasks.push(b.spawn(move || send_all::<C>(&first, 0..messages)));
    let sum = sum_of::<C>(&mut last, messages);
    tasks.into_iter().for_each(|task| b.join(task));
    sum
}

/// Measures a cell of tasks that await.
pub fn awaiting_tasks<B: Awaiting, C: AsyncManySenders>(cell: &Cell, capacity: Capacity) -> Line {
    if cell.workload != "task_fan_in" {
        return awaiting_pairs::<B, C>(cell, capacity);
    }
    let (b, each) = (B::start(cell.workers), cell.n / TASKS);
    job_of(cell).map_or_else(
        |line| line,
        |job| {
            throughput(b, cell.workers, job, || inside(b, move || awaiting_fan_in::<B, C>(b, each, capacity)))
        },
    )
}

/// The same where every channel has one sender.
pub fn awaiting_pairs<B: Awaiting, C: AsyncChannel>(cell: &Cell, capacity: Capacity) -> Line {
    let job = match job_of(cell) {
        Ok(job) => job,
        Err(line) => return line,
    };
    let (b, n, each) = (B::start(cell.workers), cell.n, cell.n / TASKS);
    match cell.workload.as_str() {
        "task_ping_pong" => {
            throughput(b, cell.workers, job, || inside(b, move || awaiting_ping_pong::<B, C>(b, n, capacity)))
        }
        "task_pipeline" => throughput(b, cell.workers, job, || {
            inside(b, move || awaiting_pipeline::<B, C>(b, each, capacity))
        }),
        other => Line::Unsupported(format!("a channel has one sender, and {other} has more")),
    }
}

async fn awaiting_ping_pong<B: Awaiting, C: AsyncChannel>(b: B, n: u64, capacity: Capacity) -> u64 {
    let (mut there, mut arrived) = C::open(capacity);
    let (mut back, mut returned) = C::open(capacity);
    let echo = b.spawn(async move {
        for _ in 0..n {
            let msg = C::recv(&mut arrived).await;
            C::send(&mut back, msg).await;
        }
    });
    let mut sum = 0_u64;
    for msg in 0..n {
        C::send(&mut there, msg).await;
        sum = sum.wrapping_add(C::recv(&mut returned).await);
    }
    b.join(echo).await;
    sum
}

async fn awaiting_fan_in<B: Awaiting, C: AsyncManySenders>(b: B, each: u64, capacity: Capacity) -> u64 {
    let (sender, mut receiver) = C::open(capacity);
    let mut tasks = Vec::new();
    for index in 0..TASKS {
        let sender = C::another_sender(&sender);
        tasks.push(b.spawn(send_range::<C>(sender, index * each..(index + 1) * each)));
    }
    let sum = sum_awaited::<C>(&mut receiver, TASKS * each).await;
    for task in tasks {
        b.join(task).await;
    }
    sum
}

async fn awaiting_pipeline<B: Awaiting, C: AsyncChannel>(b: B, messages: u64, capacity: Capacity) -> u64 {
    let (first, mut last) = C::open(capacity);
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        let (mut sender, receiver) = C::open(capacity);
        let mut source = std::mem::replace(&mut last, receiver);
        tasks.push(b.spawn(async move {
            for _ in 0..messages {
                let msg = C::recv(&mut source).await;
                C::send(&mut sender, msg + 1).await;
            }
        }));
    }
    tasks.push(b.spawn(send_range::<C>(first, 0..messages)));
    let sum = sum_awaited::<C>(&mut last, messages).await;
    for task in tasks {
        b.join(task).await;
    }
    sum
}

async fn send_range<C: AsyncChannel>(mut sender: C::Sender, messages: std::ops::Range<u64>) {
    for msg in messages {
        C::send(&mut sender, msg).await;
    }
}

async fn sum_awaited<C: AsyncChannel>(receiver: &mut C::Receiver, count: u64) -> u64 {
    let mut sum = 0_u64;
    for _ in 0..count {
        sum = sum.wrapping_add(C::recv(receiver).await);
    }
    sum
}
