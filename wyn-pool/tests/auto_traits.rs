//! `Send`, `Sync`, `Unpin` and sizes, pinned at compile time.

use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};
use std::cell::Cell;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use wyn_pool::raw::SizeClass;
use wyn_pool::{AllocError, Pool, PoolBox, Stats};

assert_impl_all!(Pool<Rc<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(PoolBox<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(PoolBox<Cell<u8>>: Send);
assert_not_impl_any!(PoolBox<Cell<u8>>: Sync, RefUnwindSafe);
assert_not_impl_any!(PoolBox<Rc<u8>>: Send, Sync);
assert_impl_all!(PoolBox<PhantomPinned>: Unpin);
assert_impl_all!(AllocError<Rc<u8>>: std::error::Error);
assert_impl_all!(SizeClass: Send, Sync, Copy, Ord, std::hash::Hash);
assert_impl_all!(Stats: Send, Sync, Copy, Default);
assert_eq_size!(PoolBox<u8>, Option<PoolBox<u8>>, [usize; 2]);
assert_eq_size!(Pool<u8>, Option<Pool<u8>>, usize);
assert_eq_size!(SizeClass, u8);

#[test]
fn boxes_are_covariant() {
    fn shorter<'a>(long: PoolBox<&'static str>) -> PoolBox<&'a str> {
        long
    }
    assert_eq!(*shorter(Pool::new().alloc("x")), "x");
}
