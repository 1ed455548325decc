//! Channels whose ends are awaited: a thread for each end, which drives one future.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use super::race::{body, measure, race};
use super::sum_below;
use crate::backend::AsyncChannel;
use crate::record::{Capacity, Cell, Line};

/// Measures a cell of awaited channels.
pub fn awaited<C: AsyncChannel>(cell: &Cell, capacity: Capacity) -> Line {
    match cell.workload.as_str() {
        "async_spsc" => spsc::<C>(cell.n, capacity),
        "async_ping_pong" => ping_pong::<C>(cell.n, capacity),
        other => Line::Unsupported(format!("{other} blocks")),
    }
}

fn spsc<C: AsyncChannel>(n: u64, capacity: Capacity) -> Line {
    measure(n, sum_below(n), || {
        let (mut sender, mut receiver) = C::open(capacity);
        let receive = body(move || {
            block_on(async {
                let mut sum = 0_u64;
                for _ in 0..n {
                    sum = sum.wrapping_add(C::recv(&mut receiver).await);
                }
                sum
            })
        });
        let send = body(move || {
            block_on(async {
                for msg in 0..n {
                    C::send(&mut sender, msg).await;
                }
                0
            })
        });
        race(vec![receive, send])
    })
}

fn ping_pong<C: AsyncChannel>(n: u64, capacity: Capacity) -> Line {
    measure(n, sum_below(n), || {
        let (mut there, mut arrived) = C::open(capacity);
        let (mut back, mut returned) = C::open(capacity);
        let ask = body(move || {
            block_on(async {
                let mut sum = 0_u64;
                for msg in 0..n {
                    C::send(&mut there, msg).await;
                    sum = sum.wrapping_add(C::recv(&mut returned).await);
                }
                sum
            })
        });
        let echo = body(move || {
            block_on(async {
                for _ in 0..n {
                    let msg = C::recv(&mut arrived).await;
                    C::send(&mut back, msg).await;
                }
                0
            })
        });
        race(vec![ask, echo])
    })
}

/// The plainest executor: polls, and parks the thread in between. The same for every library.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
