//! [`PoolBox`]: owns one value in a pool's cell, much as `Box` owns one on the heap.

use crate::shared::Shared;
use core::borrow::{Borrow, BorrowMut};
use core::cmp::Ordering;
use core::fmt;
use core::future::Future;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::ptr::{self, NonNull};
use core::task::{Context, Poll};

/// An owned value in a cell of a [`Pool`](crate::Pool); dropping it gives the cell back, from any thread.
///
/// Two words: the value and its pool, whose memory the box keeps. If the value's drop panics, the cell is given
/// back nevertheless.
///
/// ```
/// let squares = wyn_pool::Pool::new();
/// let nine = squares.alloc(9);
/// drop(squares);
/// assert_eq!(*nine, 9);
/// ```
///
/// A box is `Send` when its value is:
/// ```compile_fail,E0277
/// let cell = wyn_pool::Pool::new().alloc(std::rc::Rc::new(1));
/// std::thread::spawn(move || drop(cell));
/// ```
#[must_use = "dropping the box drops the value and gives the cell back"]
pub struct PoolBox<T> {
    value: NonNull<T>,
    shared: NonNull<Shared>,
    _owns: PhantomData<T>,
}

// SAFETY: the box owns its value, as `Box` does; the pool is made for all threads.
unsafe impl<T: Send> Send for PoolBox<T> {}
// SAFETY: a shared box gives out shared references to its value and nothing else.
unsafe impl<T: Sync> Sync for PoolBox<T> {}
impl<T: UnwindSafe> UnwindSafe for PoolBox<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for PoolBox<T> {}
// Moving the box leaves the value where it is.
impl<T> Unpin for PoolBox<T> {}

impl<T> PoolBox<T> {
    /// # Safety
    /// - `value` is valid and lies in a live cell of the pool `shared`; both now belong to the box.
    #[inline]
    pub(crate) unsafe fn from_cell(value: NonNull<T>, shared: NonNull<Shared>) -> Self {
        Self { value, shared, _owns: PhantomData }
    }

    /// The box without its destructor.
    #[inline]
    fn into_parts(self) -> (NonNull<T>, NonNull<Shared>) {
        let this = ManuallyDrop::new(self);
        (this.value, this.shared)
    }

    /// Takes the value out and gives the cell back.
    #[inline]
    #[must_use = "the value is dropped otherwise"]
    pub fn into_inner(self) -> T {
        let (value, shared) = self.into_parts();
        // SAFETY: the box owned a valid value, which is moved out here, once.
        let inner = unsafe { value.as_ptr().read() };
        // SAFETY: the cell is live, its value moved out, and the box is gone.
        unsafe { Shared::free(shared, value.cast()) };
        inner
    }

    /// Pins the value: it stays in its cell until it is dropped.
    pub fn into_pin(self) -> Pin<Self> {
        // SAFETY: the value does not move with the box, and only its destructor ends the cell.
        unsafe { Pin::new_unchecked(self) }
    }
}

impl<T> PoolBox<MaybeUninit<T>> {
    /// Fills the cell.
    #[inline]
    pub fn write(mut self, value: T) -> PoolBox<T> {
        MaybeUninit::write(&mut self, value);
        // SAFETY: written right above.
        unsafe { self.assume_init() }
    }

    /// Declares the cell filled.
    ///
    /// # Safety
    /// - The contents are a valid `T`.
    #[inline]
    pub unsafe fn assume_init(self) -> PoolBox<T> {
        let (value, shared) = self.into_parts();
        // SAFETY: valid by the caller's promise; the cell passes from the one box to the other.
        unsafe { PoolBox::from_cell(value.cast(), shared) }
    }
}

impl<T> Drop for PoolBox<T> {
    #[inline]
    fn drop(&mut self) {
        /// Gives the cell back also when the value's drop panics.
        struct Cell(NonNull<u8>, NonNull<Shared>);
        impl Drop for Cell {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: the cell is live and its value has been dropped; the box is about to be gone.
                unsafe { Shared::free(self.1, self.0) };
            }
        }
        let _cell = Cell(self.value.cast(), self.shared);
        // SAFETY: the box owns a valid value, dropped here once.
        unsafe { ptr::drop_in_place(self.value.as_ptr()) };
    }
}

impl<T> Deref for PoolBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the box owns a valid value.
        unsafe { self.value.as_ref() }
    }
}

impl<T> DerefMut for PoolBox<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the box owns a valid value and is borrowed mutably.
        unsafe { self.value.as_mut() }
    }
}

impl<T> AsRef<T> for PoolBox<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T> AsMut<T> for PoolBox<T> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T> Borrow<T> for PoolBox<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T> BorrowMut<T> for PoolBox<T> {
    fn borrow_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for PoolBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: fmt::Display> fmt::Display for PoolBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T> fmt::Pointer for PoolBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for PoolBox<T> {
    fn eq(&self, other: &Self) -> bool {
        T::eq(self, other)
    }
}

impl<T: Eq> Eq for PoolBox<T> {}

impl<T: PartialOrd> PartialOrd for PoolBox<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        T::partial_cmp(self, other)
    }
}

impl<T: Ord> Ord for PoolBox<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        T::cmp(self, other)
    }
}

impl<T: Hash> Hash for PoolBox<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        T::hash(self, state);
    }
}

impl<T: std::error::Error> std::error::Error for PoolBox<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        T::source(self)
    }
}

impl<T: Iterator> Iterator for PoolBox<T> {
    type Item = T::Item;

    fn next(&mut self) -> Option<T::Item> {
        T::next(self)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        T::size_hint(self)
    }
}

impl<T: Future + Unpin> Future for PoolBox<T> {
    type Output = T::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T::Output> {
        Pin::new(&mut **self).poll(context)
    }
}
