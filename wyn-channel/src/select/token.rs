//! What a select has got hold of, between the moment an arm is selected and the moment it is completed.
//!
//! A received message waits in the token itself if it is small, else in a box; a send holds its right to a
//! place. A token that is dropped instead of completed gives the place back, so that nobody on the other side is
//! left waiting, and leaks the message, of which it does not know where it may be dropped.

use std::cell::UnsafeCell;
use std::mem::{MaybeUninit, align_of, size_of};

const INLINE_WORDS: usize = 4;

/// Room for a message of any type. A cell, for while a select waits, somebody else writes into it.
#[derive(Debug)]
pub(crate) struct Parcel(UnsafeCell<[MaybeUninit<usize>; INLINE_WORDS]>);

impl Parcel {
    const fn fits<T>() -> bool {
        size_of::<T>() <= INLINE_WORDS * size_of::<usize>() && align_of::<T>() <= align_of::<usize>()
    }

    /// A place for a `T`: inside the parcel, or in a new box.
    pub(crate) fn place_for<T>(&self) -> *mut T {
        if Self::fits::<T>() { self.0.get().cast() } else { Box::into_raw(Box::<T>::new_uninit()).cast() }
    }

    /// Keeps the place that has been filled: one of its own, or a box.
    fn adopt<T>(&mut self, place: *mut T) {
        if !Self::fits::<T>() {
            // SAFETY: a pointer fits into the words.
            unsafe { self.0.get().cast::<*mut T>().write(place) };
        }
    }

    /// Frees a place that was not filled.
    ///
    /// # Safety
    /// `place` came from `place_for`, and is empty.
    pub(crate) unsafe fn discard<T>(place: *mut T) {
        if !Self::fits::<T>() {
            // SAFETY: then it came from a box of this layout.
            drop(unsafe { Box::from_raw(place.cast::<MaybeUninit<T>>()) });
        }
    }

    /// Takes the `T` out.
    ///
    /// # Safety
    /// The parcel holds a `T`.
    pub(crate) unsafe fn take<T>(&mut self) -> T {
        let inside = self.0.get();
        if Self::fits::<T>() {
            // SAFETY: written, says the caller.
            return unsafe { inside.cast::<T>().read() };
        }
        // SAFETY: `adopt` has left the pointer here.
        let outside = unsafe { inside.cast::<*mut T>().read() };
        // SAFETY: it came from a box of this layout.
        *unsafe { Box::from_raw(outside) }
    }
}

/// Frees what a claim on a channel's place holds.
pub(crate) trait GiveBack {
    /// Gives back a place that was promised for a message.
    fn give_back(&self, place: usize);
}

/// What was selected.
pub(crate) enum Held<'a> {
    Nothing,
    /// The operation fails: the channel is disconnected.
    Disconnected,
    /// A message is in the parcel.
    Message,
    /// A place in a buffer, which the channel knows by number.
    Place(&'a dyn GiveBack, usize),
    /// There is room for ever.
    Room,
}

/// The working memory of a select.
pub(crate) struct Token<'a> {
    pub(crate) held: Held<'a>,
    pub(crate) parcel: Parcel,
}

impl<'a> Token<'a> {
    pub(crate) fn new() -> Self {
        Self { held: Held::Nothing, parcel: Parcel(UnsafeCell::new([MaybeUninit::uninit(); INLINE_WORDS])) }
    }

    /// Puts a received message in.
    pub(crate) fn put<T>(&mut self, msg: T) {
        let place = self.parcel.place_for::<T>();
        // SAFETY: an empty place for a `T`.
        unsafe { place.write(msg) };
        // SAFETY: just written.
        unsafe { self.keep::<T>(place) };
    }

    /// Keeps a message that somebody has put into a place of this parcel.
    ///
    /// # Safety
    /// `place` came from `place_for` of this parcel and holds a `T`, which is the token's from now on.
    pub(crate) unsafe fn keep<T>(&mut self, place: *mut T) {
        self.parcel.adopt(place);
        self.held = Held::Message;
    }

    /// Takes the received message out, if there is one.
    ///
    /// # Safety
    /// A message in this token is a `T`.
    pub(crate) unsafe fn take_message<T>(&mut self) -> Option<T> {
        let is_there = matches!(self.held, Held::Message);
        self.held = Held::Nothing;
        // SAFETY: the message is a `T`, says the caller.
        is_there.then(|| unsafe { self.parcel.take::<T>() })
    }

    /// Lets go of what is held.
    #[cold]
    pub(crate) fn give_back(&mut self) {
        match self.take_held() {
            Held::Nothing | Held::Disconnected | Held::Room => {}
            // Leaked: a select may have crossed to a thread on which a message of its arms must not be dropped.
            Held::Message => {}
            Held::Place(channel, place) => channel.give_back(place),
        }
    }

    pub(crate) fn take_held(&mut self) -> Held<'a> {
        std::mem::replace(&mut self.held, Held::Nothing)
    }
}

impl Drop for Token<'_> {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.held, Held::Nothing) {
            self.give_back();
        }
    }
}
