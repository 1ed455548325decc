//! One sender and one receiver.

use super::race::{alone, body, measure, race};
use super::{send_all, sum_below, sum_of};
use crate::backend::Channel;
use crate::record::{Capacity, Line};

/// No hand-over between threads: what the bookkeeping costs.
pub(super) fn one_thread<C: Channel>(n: u64, capacity: Capacity) -> Line {
    measure(n, sum_below(n), || {
        let (sender, mut receiver) = C::open(capacity);
        alone(|| {
            send_all::<C>(&sender, 0..n);
            sum_of::<C>(&mut receiver, n)
        })
    })
}

pub(super) fn spsc<C: Channel>(n: u64, capacity: Capacity) -> Line {
    measure(n, sum_below(n), || {
        let (sender, mut receiver) = C::open(capacity);
        let receive = body(move || sum_of::<C>(&mut receiver, n));
        let send = body(move || {
            send_all::<C>(&sender, 0..n);
            0
        });
        race(vec![receive, send])
    })
}

/// Two channels of the same capacity, one message in flight.
pub(super) fn ping_pong<C: Channel>(n: u64, capacity: Capacity) -> Line {
    measure(n, sum_below(n), || {
        let (there, mut arrived) = C::open(capacity);
        let (back, mut returned) = C::open(capacity);
        let ask = body(move || {
            (0..n).fold(0_u64, |sum, msg| {
                C::send(&there, msg);
                sum.wrapping_add(C::recv(&mut returned))
            })
        });
        let echo = body(move || {
            for _ in 0..n {
                let msg = C::recv(&mut arrived);
                C::send(&back, msg);
            }
            0
        });
        race(vec![ask, echo])
    })
}
