//! What may cross threads, and what may not.
#![cfg(not(wyn_loom))]

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use static_assertions::{assert_impl_all, assert_not_impl_any};
use wyn_sched::{BuildError, Builder, JoinError, JoinHandle, Runtime, ShutdownError};

assert_impl_all!(Runtime: Send, Sync, Unpin);
assert_impl_all!(Builder: Send, Sync, Clone);
assert_impl_all!(JoinHandle<u64>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Future);
// A result that may move may be waited for anywhere, whether or not it may be shared.
assert_impl_all!(JoinHandle<std::cell::Cell<u8>>: Send, Sync);
assert_not_impl_any!(JoinHandle<Rc<u8>>: Send, Sync);
assert_not_impl_any!(JoinHandle<*const u8>: Send, Sync);
assert_impl_all!(JoinError: Send, std::error::Error);
assert_impl_all!(BuildError: Send, Sync, std::error::Error);
assert_impl_all!(ShutdownError: Send, Sync, Copy, Eq, std::error::Error);
