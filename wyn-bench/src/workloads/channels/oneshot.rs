//! Channels for one message.

use std::marker::PhantomData;

use super::race::{alone, body, measure, race};
use super::sum_below;
use crate::backend::{Channel, Oneshot};
use crate::record::{Capacity, Cell, Line};

/// Measures a cell of channels for one message.
pub fn oneshots<O: Oneshot>(cell: &Cell) -> Line {
    let n = cell.n;
    match cell.workload.as_str() {
        "oneshot" => measure(n, sum_below(n), || alone(|| in_turn::<O>(n))),
        "oneshot_across" => measure(n, sum_below(n), || {
            let (senders, receivers): (Vec<_>, Vec<_>) = (0..n).map(|_| O::open()).unzip();
            let receive =
                body(move || receivers.into_iter().fold(0_u64, |sum, r| sum.wrapping_add(O::recv(r))));
            let send = body(move || {
                senders.into_iter().zip(0..).for_each(|(sender, msg)| O::send(sender, msg));
                0
            });
            race(vec![receive, send])
        }),
        other => Line::Unsupported(format!("{other} sends more than one message on a channel")),
    }
}

/// One after the other on this thread.
fn in_turn<O: Oneshot>(n: u64) -> u64 {
    (0..n).fold(0_u64, |sum, msg| {
        let (sender, receiver) = O::open();
        O::send(sender, msg);
        sum.wrapping_add(O::recv(receiver))
    })
}

/// What one uses where a library has no such channel: one with room for one message.
pub struct OneMessage<C>(PhantomData<C>);

impl<C: Channel> Oneshot for OneMessage<C> {
    type Sender = C::Sender;
    type Receiver = C::Receiver;

    fn open() -> (C::Sender, C::Receiver) {
        C::open(Capacity::Bounded(1))
    }

    #[inline]
    fn send(sender: C::Sender, msg: u64) {
        C::send(&sender, msg);
    }

    #[inline]
    fn recv(mut receiver: C::Receiver) -> u64 {
        C::recv(&mut receiver)
    }
}
