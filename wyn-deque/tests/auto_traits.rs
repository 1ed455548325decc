//! What may cross or be shared between threads, and survive a panic.
#![cfg(not(wyn_loom))]

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use static_assertions::{assert_impl_all, assert_not_impl_any};
use wyn_deque::{Injector, Steal, Stealer, Worker};

assert_impl_all!(Worker<Cell<u8>>: Send, Unpin, UnwindSafe);
assert_not_impl_any!(Worker<u8>: Sync, Clone);
assert_not_impl_any!(Worker<Rc<u8>>: Send, Sync);

assert_impl_all!(Stealer<Cell<u8>>: Send, Sync, Clone, Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Stealer<Rc<u8>>: Send, Sync);

assert_impl_all!(Injector<Cell<u8>>: Send, Sync, Default, Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Injector<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Injector<u8>: Clone);

assert_impl_all!(Steal<u8>: Send, Sync, Copy, Eq, std::fmt::Debug);
assert_impl_all!(Steal<Rc<u8>>: Clone, PartialEq);
assert_not_impl_any!(Steal<Rc<u8>>: Send, Sync, Copy);
assert_not_impl_any!(Steal<*const u8>: Send, Sync);
