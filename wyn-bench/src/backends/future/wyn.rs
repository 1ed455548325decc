//! Wyn's one-shot results: a pair with an allocation of its own, and an entry of a slab.

use std::sync::LazyLock;

use wyn_future::{Completer, Key, Promise, Slab, oneshot};

use crate::backend::Oneshot;

pub(super) struct Pair;

impl Oneshot for Pair {
    type Sender = Completer<u64>;
    type Receiver = Promise<u64>;

    fn open() -> (Completer<u64>, Promise<u64>) {
        oneshot()
    }

    #[inline]
    fn send(completer: Completer<u64>, msg: u64) {
        completer.complete(msg).expect("somebody takes it");
    }

    #[inline]
    fn recv(promise: Promise<u64>) -> u64 {
        promise.wait().expect("somebody completes it")
    }
}

/// One slab for the process.
static SLAB: LazyLock<Slab<u64>> = LazyLock::new(Slab::new);

pub(super) struct Entry;

impl Oneshot for Entry {
    type Sender = Key;
    type Receiver = Key;

    fn open() -> (Key, Key) {
        let key = SLAB.open();
        (key, key)
    }

    #[inline]
    fn send(key: Key, msg: u64) {
        SLAB.complete(key, msg).expect("somebody takes it");
    }

    #[inline]
    fn recv(key: Key) -> u64 {
        SLAB.take(key).expect("somebody completes it")
    }
}
