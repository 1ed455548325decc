//! What may cross threads, pinned at compile time.
#![cfg(not(wyn_loom))]

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};
use wyn_future::cell::{Header, Outcome, Owner, Phase};
use wyn_future::{Completer, Dropped, Promise, TryTakeError};

// `Cell` may move but not be shared; the pair only moves it.
assert_impl_all!(Completer<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Promise<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Future);
assert_not_impl_any!(Completer<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Promise<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Completer<u8>: Clone);
assert_not_impl_any!(Promise<u8>: Clone);
// A promise of what may not move is itself free to.
assert_impl_all!(Promise<std::marker::PhantomPinned>: Unpin);

assert_impl_all!(Header: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_eq_size!(Header, [usize; 2]);
assert_eq_size!(Completer<[u64; 8]>, usize);
assert_eq_size!(Option<Completer<u8>>, usize);
assert_impl_all!(Outcome: Copy, Eq, Send, Sync);
assert_impl_all!(Owner: Copy, Eq, Send, Sync);
assert_impl_all!(Phase: Copy, Eq, Send, Sync);
assert_impl_all!(Dropped: Copy, Eq, std::error::Error, Send, Sync);
assert_impl_all!(TryTakeError: Copy, Eq, std::error::Error, Send, Sync);

/// A value may borrow: the pair does not need `'static`.
#[test]
fn values_may_borrow() {
    let text = String::from("borrowed");
    let (completer, promise) = wyn_future::oneshot();
    std::thread::scope(|scope| {
        scope.spawn(|| completer.complete(text.as_str()));
        assert_eq!(promise.wait(), Ok("borrowed"));
    });
}
