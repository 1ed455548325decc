//! Waiting for several channels at once.

use super::crowd::shares;
use super::race::{Body, body, measure, race};
use super::{send_all, sum_below};
use crate::backend::{ReceiveAny, SendAny};
use crate::record::{Capacity, Cell, Line};

/// Receives from several channels, each with a sender of its own.
pub fn receive_any<C: ReceiveAny>(cell: &Cell, capacity: Capacity) -> Line {
    let (channels, each) = shares(cell);
    let n = channels * each;
    measure(n, sum_below(n), || {
        let mut bodies: Vec<Body> = Vec::new();
        let (mut receivers, mut kept): (Vec<C::Receiver>, Vec<C::Sender>) = (Vec::new(), Vec::new());
        for index in 0..channels {
            let (sender, receiver) = C::open(capacity);
            receivers.push(receiver);
            kept.push(C::another_sender(&sender));
            bodies.push(body(move || {
                send_all::<C>(&sender, index * each..(index + 1) * each);
                0
            }));
        }
        bodies.push(body(move || {
            let sum = C::sum_of_any(&mut receivers, n);
            // A channel without a sender would be ready all the time.
            drop(kept);
            sum
        }));
        race(bodies)
    })
}

/// Every thread has a handle of every channel.
pub(super) fn both<C: SendAny>(cell: &Cell, capacity: Capacity) -> Line {
    let (sides, each) = shares(cell);
    measure(sides * each, sum_below(sides * each), || {
        let channels: Vec<_> = (0..sides).map(|_| C::open(capacity)).collect();
        let mut bodies: Vec<Body> = Vec::new();
        for index in 0..sides {
            let mut receivers: Vec<_> = channels.iter().map(|(_, r)| C::another_receiver(r)).collect();
            let senders: Vec<_> = channels.iter().map(|(s, _)| C::another_sender(s)).collect();
            let kept: Vec<_> = channels.iter().map(|(s, _)| C::another_sender(s)).collect();
            bodies.push(body(move || {
                let sum = C::sum_of_any(&mut receivers, each);
                drop(kept);
                sum
            }));
            bodies.push(body(move || {
                C::send_to_any(&senders, index * each..(index + 1) * each);
                0
            }));
        }
        race(bodies)
    })
}
