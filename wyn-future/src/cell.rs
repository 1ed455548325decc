//! The one-shot cell: two words in which the side that completes and the side that waits agree.
//!
//! A [`Header`] sits in front of a payload that its user lays out: first what is to be run, then the result.
//! One thread completes it, once; one handle waits for it, takes the result, or goes away. Exactly one of
//! the two frees the cell, and neither touches it after the other may have. In the usual course (nobody
//! waits yet, nobody has gone) completing costs two stores, a [`Barrier::light`] and a load: no locked
//! instruction.
//!
//! A handle may also *claim* a cell that nobody has started, to run it itself where it waits, while the entry of
//! the cell lies in some queue. That entry is void from then on: whoever pops it learns from
//! [`begin`](Header::begin) that there is nothing to run. Asking costs a [`Barrier::light`] and a load.
//!
//! The *run word* is the completer's: ready, running, done, left. The *handle word* is the handle's: nobody
//! waits, a waiter's address, going, gone, claimed; the other side adds a bit that says it has looked, or takes
//! away the bit by which a waiter may claim. Their bits, transitions and orderings are tabulated in
//! `src/state.rs`.
//!
//! # Who frees
//!
//! | the completer finds | it does | who frees |
//! |---|---|---|
//! | no tag | stores LEFT | the handle |
//! | a waiter | takes the wake-up, stores LEFT, sends it | the handle |
//! | a handle that is going | nothing more | the handle, which will find COMPLETER |
//! | a handle that has gone | | the completer |
//!
//! A cell that its handle has claimed is never completed. Both sides leave it by one exchange of the handle word,
//! in either order, and whoever finds that the other has left before frees the memory:
//!
//! | who | leaves when | until then may touch |
//! |---|---|---|
//! | the handle, by [`leave_claimed`](Header::leave_claimed) | it has taken the result out | the payload, the handle word |
//! | whoever pops the void entry, in [`begin`](Header::begin) | at once | the two words |
//!
//! # Why no wake-up is lost
//!
//! The completer stores DONE, executes [`Barrier::light`], and looks at the handle word. The handle stores its
//! waiter (or that it is going), executes [`Barrier::heavy`], and looks at the run word. At least one of them
//! sees the other. If it is the completer, it wakes; if it is the handle, it sees DONE, does not park, and
//! waits a few instructions for LEFT. The same holds for a waiter that is stored over a COMPLETER meant for a
//! withdrawn one: then the completer's look came before that store, so the handle sees DONE.
//!
//! A [`Barrier`] that orders too little therefore loses wake-ups and leaks cells. It cannot make either side
//! touch freed memory: freeing hangs on LEFT and on the exchanges of the handle word alone, which is why the
//! trait is safe to implement.
//!
//! # Why no task runs twice and none is lost
//!
//! The runner stores RUNNING, executes [`Barrier::light`], and looks at the handle word. The handle registers a
//! waiter that may claim, executes [`Barrier::heavy`], and looks at the run word. At least one of them sees the
//! other:
//!
//! - The handle sees RUNNING: it claims nothing, and waits for the runner.
//! - The handle does not: then the runner sees the waiter. Both want to change the same word by an exchange, the
//!   handle to CLAIMED and the runner to a waiter that may not claim. One succeeds, and that one runs it.
//! - The handle has withdrawn before the runner's exchange: the runner runs it. Should the handle register again,
//!   that comes after what the runner has seen, so it sees RUNNING.
//!
//! A handle that has not claimed is registered as any other waiter is, and the section above holds for it.
//!
//! Here a barrier that orders too little lets both run it. The functions that claim are unsafe, and ask for one
//! that keeps its promise.
//!
//! # Foreign code
//!
//! Cloning a waker may panic: [`Header::poll`] then unwinds with nothing changed. A panic in a waker's `wake`
//! or `drop` goes to the panic hook and no further: neither a completer nor a handle that goes away has
//! anybody to tell, and the cell must get freed. No foreign code runs between DONE and LEFT or under a lock.

use std::panic::Location;
use std::task::Context;
use std::time::{Duration, Instant};

pub use claim::{Begun, Claim, Waited};

use crate::barrier::Barrier;
use crate::state::{Found, HandleWord, Right, RunWord};
pub use crate::state::{MAX_RUNNERS, Outcome, Phase};
use crate::sync::{park, park_timeout, retire, spin_until};
use crate::waiter::Waiter;

mod claim;

#[cfg(not(wyn_loom))]
static_assertions::assert_eq_size!(Header, [usize; 2]);
static_assertions::assert_impl_all!(Header: Send, Sync);

/// Who frees the cell after a call that may have been the last touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a cell that is `Mine` leaks if its payload is not dropped and its memory freed"]
pub enum Owner {
    /// The caller, alone: it drops the payload, which is as the outcome says, and frees the memory.
    Mine(Outcome),
    /// The other side. The caller must not touch the cell again.
    Other,
}

/// The two words in front of a payload. See the [module](self) for the protocol.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    run: RunWord,
    handle: HandleWord,
}

impl Header {
    /// A ready one-shot. `entry` is opaque here; it may not lie in the first 64 KiB of the address space.
    /// `origin` says where it was made and comes back in [`origin`](Self::origin) (kept on 64-bit targets).
    ///
    /// # Panics
    /// If `entry` lies there. Pointers to functions and statics do not, on systems with virtual memory; on
    /// WebAssembly and on microcontrollers without it they may.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn new(entry: *mut (), origin: Option<&'static Location<'static>>) -> Self {
        Self { run: RunWord::ready(entry), handle: HandleWord::new(origin) }
    }

    /// The entry pointer, for whoever owns the right to start it. Only while it is [`Phase::Ready`]; a handle
    /// that has claimed it finds the pointer in its [`Claim`].
    #[inline]
    #[must_use]
    pub fn entry(&self) -> *mut () {
        self.run.entry()
    }

    /// Marks it as started by `runner` (below [`MAX_RUNNERS`]), for those who look at
    /// [`phase`](Self::phase). For the completer, before it completes, of a cell whose handle cannot claim it;
    /// else [`begin`](Self::begin).
    ///
    /// # Panics
    /// With debug assertions, if `runner` is not below.
    #[inline]
    pub fn start(&self, runner: usize) {
        self.run.start(runner);
    }

    /// How far it is. After [`Phase::Left`] the payload may be read: what the completer did is visible. Of a cell
    /// that its handle has claimed, this says nothing.
    #[inline]
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.run.phase()
    }

    /// The outcome if the completer has left.
    #[inline]
    #[must_use]
    pub fn left(&self) -> Option<Outcome> {
        match self.phase() {
            Phase::Left(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Waits for [`Phase::Left`] after [`Phase::Done`], spinning: the completer is a few instructions away
    /// (if it has lost the processor meanwhile, this gives its own up).
    pub fn await_left(&self) -> Outcome {
        let mut left = None;
        spin_until(|| {
            left = self.left();
            left.is_some()
        });
        left.expect("spun until the completer has left")
    }

    /// Completes it: the payload has been written as `outcome` says. Wakes whoever waits.
    ///
    /// Returns [`Owner::Mine`] if the handle has gone: the caller then drops the payload and frees the cell.
    ///
    /// # Safety
    /// - `this` is a live cell, and this is the only completion of it.
    /// - Its handle has not claimed it, and cannot: [`begin`](Self::begin) has said so, or no wait may claim.
    /// - After [`Owner::Other`] the cell may be gone: `this` dangles.
    #[inline]
    pub unsafe fn complete<B: Barrier>(this: *const Self, outcome: Outcome) -> Owner {
        // SAFETY: live by contract until one of the last touches below.
        let cell = unsafe { &*this };
        cell.run.done(outcome);
        B::light();
        if cell.handle.idle() {
            // LAST TOUCH: the handle frees the cell once it reads LEFT.
            cell.run.left(outcome);
            return Owner::Other;
        }
        // SAFETY: the same cell; nothing has been handed over.
        unsafe { Self::complete_slow(this, outcome) }
    }

    /// The handle waits, or is going, or has gone.
    ///
    /// # Safety
    /// As [`complete`](Self::complete), which has stored DONE.
    #[cold]
    #[inline(never)]
    unsafe fn complete_slow(this: *const Self, outcome: Outcome) -> Owner {
        // SAFETY: live: without LEFT, and without COMPLETER while GONE, the handle side does not free it.
        let cell = unsafe { &*this };
        match cell.handle.look() {
            Found::Idle => {
                // LAST TOUCH: a waiter has withdrawn; the handle frees the cell once it reads LEFT.
                cell.run.left(outcome);
                Owner::Other
            }
            Found::Waiter(waiter) => {
                // SAFETY: a handle whose waiter has been looked at keeps it until it reads LEFT.
                let call = unsafe { &*waiter }.take();
                // LAST TOUCH: of the cell and of the waiter; the wake-up is ours.
                cell.run.left(outcome);
                call.send();
                Owner::Other
            }
            // LAST TOUCH was the look: the handle finds it and frees the cell.
            Found::Going => Owner::Other,
            Found::Gone => Owner::Mine(outcome),
        }
    }

    /// The handle goes away without taking the result.
    ///
    /// Costs a [`Barrier::heavy`] unless the result is there. [`Owner::Mine`] means that it is: the caller
    /// drops the payload and frees the cell.
    ///
    /// # Safety
    /// - `this` is a live cell, the caller is its handle, and no [`wait`](Self::wait) is under way.
    /// - After [`Owner::Other`] the cell may be gone: `this` dangles.
    pub unsafe fn abandon<B: Barrier>(this: *const Self) -> Owner {
        // SAFETY: the caller's promise, word for word.
        unsafe { Self::begin_abandon(this) }.unwrap_or_else(|| {
            B::heavy();
            // SAFETY: begun, and a barrier has been executed since.
            unsafe { Self::end_abandon(this) }
        })
    }

    /// The first half of [`abandon`](Self::abandon), for who abandons many under one barrier.
    ///
    /// `None` if it takes a [`Barrier::heavy`] and then [`end_abandon`](Self::end_abandon). Until then the cell
    /// and its payload stay.
    ///
    /// # Safety
    /// As [`abandon`](Self::abandon).
    pub unsafe fn begin_abandon(this: *const Self) -> Option<Owner> {
        // SAFETY: live by contract.
        let cell = unsafe { &*this };
        cell.drop_task_waiter();
        if let Some(outcome) = cell.left() {
            return Some(Owner::Mine(outcome));
        }
        // A completer that came while a waiter was being withdrawn found nobody, and leaves.
        cell.handle.going().then(|| Owner::Mine(cell.await_left()))
    }

    /// The second half of [`abandon`](Self::abandon).
    ///
    /// # Safety
    /// - [`begin_abandon`](Self::begin_abandon) returned `None` for this cell, and this thread has executed a
    ///   [`Barrier::heavy`] since, the partner of the completer's light one.
    /// - After [`Owner::Other`] the cell may be gone: `this` dangles.
    pub unsafe fn end_abandon(this: *const Self) -> Owner {
        // SAFETY: live until the last touch below: the completer frees only what has `gone`.
        let cell = unsafe { &*this };
        if !matches!(cell.phase(), Phase::Ready | Phase::Running(_)) {
            return Owner::Mine(cell.await_verdict());
        }
        // The completer had not stored DONE at the barrier: it will see at least GONE.
        // LAST TOUCH: unless the completer came first, it frees the cell.
        if cell.handle.gone() { Owner::Mine(cell.await_verdict()) } else { Owner::Other }
    }

    /// The handle goes away from a cell that cannot be started meanwhile, without a barrier. The completer frees
    /// it.
    ///
    /// # Safety
    /// - `this` is a live cell, and the caller is its handle; no [`wait`](Self::wait) is under way.
    /// - The caller also holds the right to start it, and passes it on later by something that synchronizes.
    pub unsafe fn abandon_unstarted(this: *const Self) {
        // SAFETY: live by contract.
        let cell = unsafe { &*this };
        cell.drop_task_waiter();
        cell.handle.gone_unshared();
    }

    /// Registers the calling thread, runs `f`, and takes the registration back.
    ///
    /// While it is registered the completer unparks this thread (`std::thread::Thread::unpark`). `f` checks
    /// [`phase`](Self::phase) after every return from `park`, and parks only on [`Phase::Ready`] and
    /// [`Phase::Running`]: on [`Phase::Done`] it goes on to [`await_left`](Self::await_left), for a completer
    /// that was a moment too early to see the registration does not unpark. Unparks may be spurious, and one
    /// may arrive after the wait.
    ///
    /// # Safety
    /// The caller is the handle of this cell; `f` does nothing else as its handle: it neither takes the
    /// result nor waits, polls or abandons.
    pub unsafe fn wait<B: Barrier, R>(&self, f: impl FnOnce() -> R) -> R {
        self.drop_task_waiter();
        let origin = self.handle.origin();
        let waiter = Waiter::thread(origin);
        self.handle.register(&raw const waiter, Right::Wait);
        // Dropped before the waiter, also if the barrier or `f` panics.
        let _end = EndWait { cell: self, origin };
        B::heavy();
        f()
    }

    /// Parks until the completer has left or the time is up; says whether it has left.
    ///
    /// # Safety
    /// As [`wait`](Self::wait).
    pub unsafe fn park<B: Barrier>(&self, deadline: Option<Instant>) -> bool {
        let parked = || loop {
            match self.phase() {
                Phase::Left(_) => return,
                Phase::Done => {
                    self.await_left();
                }
                Phase::Ready | Phase::Running(_) => match deadline {
                    None => park(),
                    Some(at) => match at.saturating_duration_since(Instant::now()) {
                        Duration::ZERO => return,
                        rest => park_timeout(rest),
                    },
                },
            }
        };
        // SAFETY: the caller's contract; `parked` only looks and parks.
        unsafe { self.wait::<B, _>(parked) };
        // A completer that came while the registration was taken back has left by then.
        self.left().is_some()
    }

    /// Whether the completer has left; if not, the task of `cx` is woken when it does.
    ///
    /// # Panics
    /// If cloning the waker does. The last waker that was registered, if any, stays.
    ///
    /// # Safety
    /// As [`wait`](Self::wait).
    pub unsafe fn poll<B: Barrier>(&self, cx: &Context<'_>) -> bool {
        if self.left().is_some() {
            return true;
        }
        if let Some(waiter) = self.handle.waiter() {
            // SAFETY: a waiter is alive as long as its address is in the word.
            unsafe { &*waiter }.renew(cx.waker());
            // A completer that took the old waker stored DONE before: the lock makes it visible below.
        } else {
            let waiter = Box::new(Waiter::task(self.handle.origin(), cx.waker()));
            self.handle.register(Box::into_raw(waiter), Right::Wait);
            B::heavy();
        }
        match self.phase() {
            Phase::Ready | Phase::Running(_) => false,
            Phase::Done => {
                self.await_left();
                true
            }
            Phase::Left(_) => true,
        }
    }

    /// Where it was made. `None` once the handle has claimed it: see [`Claim::origin`].
    ///
    /// # Safety
    /// - The caller is the handle, or owns the cell: there was never a handle, or [`Owner::Mine`] has said so.
    /// - No wait of the handle ends meanwhile on another thread: its waiter is read.
    #[must_use]
    pub unsafe fn origin(&self) -> Option<&'static Location<'static>> {
        let at = match self.handle.waiter() {
            // SAFETY: a waiter is alive as long as its address is in the word.
            Some(waiter) => unsafe { &*waiter }.origin(),
            None => self.handle.origin(),
        };
        // SAFETY: null, or made from a `&'static Location` in `new`.
        unsafe { at.as_ref() }
    }

    /// Ends the handle's use of the cell after [`Phase::Left`]: frees the waiter of an async wait.
    ///
    /// # Safety
    /// The caller is the handle, the completer has left, and the cell is freed next.
    #[inline]
    pub unsafe fn finish(&self) {
        self.drop_task_waiter();
    }

    /// Frees the box of an async wait, first making sure that the completer is not reading it.
    #[inline]
    fn drop_task_waiter(&self) {
        if let Some(waiter) = self.handle.waiter() {
            self.drop_waiter(waiter);
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_waiter(&self, waiter: *const Waiter) {
        // SAFETY: a waiter is alive as long as its address is in the word.
        let origin = unsafe { &*waiter }.origin();
        self.end_wait(origin);
        // SAFETY: stack waiters are taken out of the word before their frame ends, so this one is the box of
        // `poll`, and the completer does not read it any more.
        let waiter = unsafe { Box::from_raw(waiter.cast_mut()) };
        waiter.discard();
        retire(waiter);
    }

    /// Takes the waiter out of the word; afterwards the completer does not read it.
    fn end_wait(&self, origin: *const Location<'static>) {
        if !self.handle.withdraw(origin) {
            // Looked at: the completer reads the waiter and leaves.
            self.await_left();
            self.handle.clear(origin);
        }
    }

    /// After GONE, when DONE or COMPLETER has been seen: the completer either leaves, or has found the handle
    /// going and does not touch the cell again.
    fn await_verdict(&self) -> Outcome {
        let mut verdict = None;
        spin_until(|| {
            verdict = if self.handle.looked() { Some(self.run.outcome()) } else { self.left() };
            verdict.is_some()
        });
        verdict.expect("spun until there is a verdict")
    }
}

/// Takes a registration back when the wait ends, also by a panic.
struct EndWait<'a> {
    cell: &'a Header,
    origin: *const Location<'static>,
}

impl Drop for EndWait<'_> {
    fn drop(&mut self) {
        self.cell.end_wait(self.origin);
    }
}
