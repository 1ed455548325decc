//! Tasks on their way into a worker: written past `bottom`, out of reach, published all at once.
//!
//! Who calls: the batch steals of `stealer.rs`, and the injector through
//! [`Worker::push_in_pop_order`].

use super::worker::Worker;
use crate::buffer::Places;

/// Free places behind the newest task of a worker.
pub(super) struct Ahead<T> {
    places: Places<T>,
    /// The index that place 0 will have.
    bottom: usize,
}

impl<T> Worker<T> {
    /// Makes the places of the next `count` indices writable.
    ///
    /// The result holds until the next push, pop or reservation of this worker.
    #[inline]
    pub(super) fn ahead(&self, count: usize) -> Ahead<T> {
        self.reserve(count);
        Ahead { places: self.ring.get(), bottom: self.inner.bottom() }
    }

    /// Makes room for `count` tasks, so that the next `count` pushes do not allocate.
    #[inline]
    pub(crate) fn reserve(&self, count: usize) {
        let (ring, bottom) = (self.ring.get(), self.inner.bottom());
        let free = |offset| ring.is_free_for(bottom.wrapping_add(offset));
        if count > ring.capacity() || !(0..count).all(free) {
            self.make_room(count);
        }
    }

    /// Publishes the first `count` tasks written ahead.
    ///
    /// # Safety
    ///
    /// - `0 .. count` were written through the result of the last `ahead`, and not read again.
    #[inline]
    pub(super) unsafe fn publish_ahead(&self, count: usize) {
        self.inner.publish(self.inner.bottom().wrapping_add(count));
    }

    /// Adds `count` tasks so that `pop` gives them in the order of `next`. If that ends early or
    /// panics, the tasks it gave are leaked.
    pub(crate) fn push_in_pop_order(&self, count: usize, mut next: impl FnMut() -> Option<T>) {
        let ahead = self.ahead(count);
        for offset in 0..count {
            let Some(task) = next() else { return };
            let place = if self.is_fifo() { offset } else { count - 1 - offset };
            // SAFETY: reserved above, and `place` is a permutation of `0 .. count`.
            unsafe { ahead.write(place, task) };
        }
        // SAFETY: the loop has written them all.
        unsafe { self.publish_ahead(count) };
    }
}

impl<T> Ahead<T> {
    /// Puts a task in.
    ///
    /// # Safety
    ///
    /// - `self` still holds, and `offset` is below its count.
    #[inline]
    pub(super) unsafe fn write(&self, offset: usize, task: T) {
        // SAFETY: by reservation free for its index, which is not published; a `Stealer` or
        // `Injector` method borrows the worker, so this is its owner's thread.
        unsafe { self.places.write(self.bottom.wrapping_add(offset), task) };
    }

    /// Takes a task back.
    ///
    /// # Safety
    ///
    /// - `self` still holds; `offset` was written, and not read since.
    #[inline]
    pub(super) unsafe fn read(&self, offset: usize) -> T {
        // SAFETY: not published, so nobody but the owner, who wrote it, can reach it.
        unsafe { self.places.read(self.bottom.wrapping_add(offset)) }
    }

    /// Turns the first `count` tasks round.
    ///
    /// # Safety
    ///
    /// - `self` still holds; `0 .. count` were written, and not read since.
    pub(super) unsafe fn reverse(&self, count: usize) {
        for near in 0..count / 2 {
            let far = count - 1 - near;
            // SAFETY: written; read once here and written again below.
            let first = unsafe { self.read(near) };
            // SAFETY: as above.
            let last = unsafe { self.read(far) };
            // SAFETY: reserved, and its task was moved out.
            unsafe { self.write(near, last) };
            // SAFETY: as above.
            unsafe { self.write(far, first) };
        }
    }
}
