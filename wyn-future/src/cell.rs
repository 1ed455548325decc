//! The one-shot cell: two words in which the side that completes and the side that waits agree.
//!
//! A [`Header`] sits in front of a payload that its user lays out: first what is to be run, then the result.
//! One thread completes it, once; one handle waits for it, takes the result, or goes away. Exactly one of
//! the two frees the cell, and neither touches it after the other may have. In the usual course (nobody
//! waits yet, nobody has gone) completing costs two stores, a [`Barrier::light`] and a load: no locked
//! instruction.
//!
//! # The run word
//!
//! Written by the completer only. Below 64 KiB it is a phase, else it is the entry pointer.
//!
//! | value | meaning | next |
//! |---|---|---|
//! | entry pointer | ready: nobody has started it | `RUNNING`, `DONE` |
//! | `runner << 4 \| RUNNING` | started by this runner | `DONE` |
//! | `outcome << 2 \| DONE` | payload written; the completer still looks at the handle word | `LEFT` |
//! | `outcome << 2 \| LEFT` | the completer has gone for good | end |
//!
//! # The handle word
//!
//! The address of the place of origin (a `Location`, or null), or of a `Waiter`, with three tag bits.
//!
//! | tags | meaning | set by |
//! |---|---|---|
//! | none | a handle exists and nobody waits | [`Header::new`], the end of a wait |
//! | `NODE` | the address is a waiter's | handle |
//! | `GONE` | the handle is being dropped | handle |
//! | `GONE \| NODE` | the handle has been dropped; it will not look again | handle |
//! | `COMPLETER` (with any) | the completer has seen what was there | completer, once |
//!
//! Legal transitions: handle `none → NODE` (store), `NODE → none` (exchange, only while `COMPLETER` is clear,
//! or a store after `LEFT`), `none → GONE → GONE|NODE` (`fetch_or`); completer `x → x|COMPLETER`
//! (`fetch_or`, only if it has read a non-zero tag). A `COMPLETER` that arrives after the waiter it was meant for
//! has withdrawn may be overwritten by the next wait; its completer then only stores `LEFT`.
//!
//! # Who frees
//!
//! | the completer finds | it does | who frees |
//! |---|---|---|
//! | no tag | stores `LEFT` | the handle |
//! | `NODE` | takes the wake-up, stores `LEFT`, sends it | the handle |
//! | `GONE` | nothing more | the handle, which will find `COMPLETER` |
//! | `GONE \| NODE` | | the completer |
//!
//! # Orderings
//!
//! | word | site | ordering | partner | without it (model in `tests/loom_cell.rs`) |
//! |---|---|---|---|---|
//! | run | `complete`: `DONE`, `LEFT` | Release | Acquire in `phase`, `abandon` | `value_is_visible` |
//! | run | `phase`, `abandon` | Acquire | the stores above | `value_is_visible` |
//! | run/handle | `light` in `complete`, `heavy` in `wait`, `poll`, `abandon` | the pair | each other | `wait_is_woken`, `abandon_frees_once` |
//! | handle | `wait`, `poll`: `NODE` | Release | `fetch_or` in `complete_slow` | `wait_is_woken` |
//! | handle | `complete_slow`: `COMPLETER` | AcqRel | `abandon`, `end_wait` | `abandon_frees_once` |
//! | handle | `abandon`: `GONE`, `GONE\|NODE` | AcqRel | `complete_slow` | `abandon_frees_once` |

use std::panic::Location;
use std::ptr;
use std::task::Context;
use std::time::{Duration, Instant};

use crate::barrier::Barrier;
use crate::sync::{AtomicPtr, Ordering, fetch_or, park, park_timeout, spin_until};
use crate::waiter::Waiter;

const DONE: usize = 1;
const LEFT: usize = 2;
const RUNNING: usize = 3;
const PHASE_MASK: usize = 3;
const OUTCOME_SHIFT: u32 = 2;
const RUNNER_SHIFT: u32 = 4;
/// Run words below this are phases: no code or data lives in the first 64 KiB of an address space.
const FIRST_ENTRY: usize = 1 << 16;

const COMPLETER: usize = 1;
const GONE: usize = 2;
const NODE: usize = 4;
const TAGS: usize = COMPLETER | GONE | NODE;

/// Runner ids are below this.
pub const MAX_RUNNERS: usize = FIRST_ENTRY >> RUNNER_SHIFT;

const _: () = assert!(align_of::<Waiter>() > TAGS && (align_of::<Location<'static>>() > TAGS || cfg!(not(target_pointer_width = "64"))));
#[cfg(not(wyn_loom))]
static_assertions::assert_eq_size!(Header, [usize; 2]);

/// What became of a one-shot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// The payload is the result.
    Value = 0,
    /// The payload is what the closure panicked with.
    Panic = 1,
    /// There is no payload: it will never be run.
    Cancelled = 2,
}

/// How far a one-shot is, as its handle sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has started it.
    Ready,
    /// This runner has.
    Running(usize),
    /// The payload is written; the completer is a few instructions from leaving.
    Done,
    /// The payload belongs to the handle.
    Left(Outcome),
}

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
    /// Written by the completer, read by everybody.
    run: AtomicPtr<()>,
    /// Written by the handle; the completer only ever adds `COMPLETER`.
    handle: AtomicPtr<()>,
}

impl Header {
    /// A ready one-shot. `entry` is opaque here; it may not lie in the first 64 KiB. `origin` says where it
    /// was made and comes back in [`origin`](Self::origin) (kept on 64-bit targets).
    #[inline]
    #[must_use]
    pub fn new(entry: *mut (), origin: Option<&'static Location<'static>>) -> Self {
        debug_assert!(entry.addr() >= FIRST_ENTRY);
        let origin = match origin {
            Some(at) if cfg!(target_pointer_width = "64") => ptr::from_ref(at).cast_mut().cast(),
            _ => ptr::null_mut(),
        };
        Self { run: AtomicPtr::new(entry), handle: AtomicPtr::new(origin) }
    }

    /// The entry pointer, for whoever owns the right to start it.
    #[inline]
    #[must_use]
    pub fn entry(&self) -> *mut () {
        // Ordering: Relaxed: the caller got the cell through a queue that published it.
        self.run.load(Ordering::Relaxed)
    }

    /// Marks it as started by `runner` (below [`MAX_RUNNERS`]), for those who look at
    /// [`phase`](Self::phase).
    #[inline]
    pub fn start(&self, runner: usize) {
        // Ordering: Relaxed: a hint; nothing is published with it.
        self.run.store(ptr::without_provenance_mut(runner << RUNNER_SHIFT | RUNNING), Ordering::Relaxed);
    }

    /// How far it is. After [`Phase::Left`] the payload may be read.
    #[inline]
    #[must_use]
    pub fn phase(&self) -> Phase {
        // Ordering: Acquire: pairs with the Release of `DONE` and `LEFT` in `complete`; the payload is visible.
        let run = self.run.load(Ordering::Acquire).addr();
        if run >= FIRST_ENTRY {
            return Phase::Ready;
        }
        match run & PHASE_MASK {
            LEFT => Phase::Left(outcome(run)),
            DONE => Phase::Done,
            _ => Phase::Running(run >> RUNNER_SHIFT),
        }
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

    /// Completes it: the payload has been written as `outcome` says. Wakes whoever waits.
    ///
    /// Returns [`Owner::Mine`] if the handle has gone: the caller then drops the payload and frees the cell.
    ///
    /// # Panics
    /// If the waker of an async waiter panics. The cell has been handed over by then.
    ///
    /// # Safety
    /// - `this` is a live cell, and this is the only completion of it.
    /// - After [`Owner::Other`] the cell may be gone: `this` dangles.
    #[inline]
    pub unsafe fn complete<B: Barrier>(this: *const Self, outcome: Outcome) -> Owner {
        // SAFETY: live by contract until one of the last touches below.
        let cell = unsafe { &*this };
        // Ordering: Release: pairs with the Acquire in `phase`; the payload is visible to who reads DONE.
        cell.run.store(word(DONE, outcome), Ordering::Release);
        B::light();
        // Ordering: Relaxed: only the absence of tags is acted on here. If the handle's tag is missed, the
        // barrier pair makes the handle see DONE.
        if cell.handle.load(Ordering::Relaxed).addr() & TAGS == 0 {
            // LAST TOUCH: the handle frees the cell once it reads LEFT.
            // Ordering: Release: as DONE above; also orders the load of the handle word before it.
            cell.run.store(word(LEFT, outcome), Ordering::Release);
            return Owner::Other;
        }
        // SAFETY: the same cell; nothing has been handed over.
        unsafe { Self::complete_slow(this, outcome) }
    }

    /// The handle waits, or is going, or has gone.
    ///
    /// # Safety
    /// As [`complete`](Self::complete), which has stored `DONE`.
    #[cold]
    #[inline(never)]
    unsafe fn complete_slow(this: *const Self, outcome: Outcome) -> Owner {
        // SAFETY: live: without LEFT, and without COMPLETER while GONE, the handle side does not free it.
        let cell = unsafe { &*this };
        // Ordering: AcqRel: Acquire pairs with the Release that stored the waiter, and with the last look of a
        // handle that has gone; Release hands the payload to a handle that finds COMPLETER in `abandon`.
        let seen = fetch_or(&cell.handle, COMPLETER, Ordering::AcqRel);
        match seen.addr() & (GONE | NODE) {
            // LAST TOUCH was the exchange above: the handle finds COMPLETER and frees.
            GONE => Owner::Other,
            0 => {
                // LAST TOUCH: the waiter withdrew.
                // Ordering: Release: pairs with the Acquire in `phase`.
                cell.run.store(word(LEFT, outcome), Ordering::Release);
                Owner::Other
            }
            NODE => {
                // SAFETY: a waiter that finds COMPLETER stays until LEFT is stored.
                let call = unsafe { &*waiter(seen) }.take();
                // LAST TOUCH: of the cell and of the waiter; the wake-up is ours.
                // Ordering: Release: pairs with the Acquire in `phase`.
                cell.run.store(word(LEFT, outcome), Ordering::Release);
                call.send();
                Owner::Other
            }
            _ => Owner::Mine(outcome),
        }
    }

    /// The handle goes away without taking the result.
    ///
    /// Costs a [`Barrier::heavy`] unless the result is there. [`Owner::Mine`] means that it is: the caller
    /// drops the payload and frees the cell.
    ///
    /// # Safety
    /// - `this` is a live cell, the caller is its handle, and no wait is under way.
    /// - After [`Owner::Other`] the cell may be gone: `this` dangles.
    pub unsafe fn abandon<B: Barrier>(this: *const Self) -> Owner {
        // SAFETY: live by contract until the last touch below.
        let cell = unsafe { &*this };
        cell.drop_task_waiter();
        if let Some(outcome) = cell.left() {
            return Owner::Mine(outcome);
        }
        // Ordering: AcqRel: Release lets the completer free what this side has used; Acquire as `phase`.
        let seen = fetch_or(&cell.handle, GONE, Ordering::AcqRel);
        if seen.addr() & COMPLETER != 0 {
            // It came while a waiter was being withdrawn, and leaves on its own.
            return Owner::Mine(cell.await_left());
        }
        B::heavy();
        if !matches!(cell.phase(), Phase::Ready | Phase::Running(_)) {
            return Owner::Mine(cell.await_verdict());
        }
        // The completer has not stored DONE before the barrier: it will see GONE.
        // LAST TOUCH: unless the completer came first, it frees the cell.
        // Ordering: AcqRel: Release pairs with the `fetch_or` of a completer that finds us gone; Acquire
        // pairs with that of one that came first.
        let seen = fetch_or(&cell.handle, NODE, Ordering::AcqRel);
        if seen.addr() & COMPLETER == 0 { Owner::Other } else { Owner::Mine(cell.await_verdict()) }
    }

    /// Registers the calling thread, runs `f`, and takes the registration back.
    ///
    /// While it is registered the completer unparks this thread (`std::thread::Thread::unpark`). `f` checks
    /// [`phase`](Self::phase) and parks as it likes; unparks may be spurious.
    ///
    /// # Safety
    /// The caller is the handle of this cell; `f` neither takes the result nor waits on the same cell.
    pub unsafe fn wait<B: Barrier, R>(&self, f: impl FnOnce() -> R) -> R {
        self.drop_task_waiter();
        // Ordering: Relaxed: the handle side wrote it; the completer has not seen a tag, so has not either.
        let origin = self.handle.load(Ordering::Relaxed).map_addr(|a| a & !TAGS);
        let waiter = Waiter::thread(origin.cast_const().cast());
        let node = tagged(&waiter);
        // Ordering: Release: pairs with the `fetch_or` in `complete_slow`, which reads the waiter.
        self.handle.store(node, Ordering::Release);
        B::heavy();
        let _end = EndWait { cell: self, node, origin };
        f()
    }

    /// Parks until the completer has left or the time is up; says whether it has left.
    ///
    /// # Safety
    /// As [`wait`](Self::wait).
    pub unsafe fn park<B: Barrier>(&self, deadline: Option<Instant>) -> bool {
        let parked = || loop {
            match self.phase() {
                Phase::Left(_) => return true,
                Phase::Done => spin_until(|| self.left().is_some()),
                _ => match deadline {
                    None => park(),
                    Some(at) => {
                        let left = at.saturating_duration_since(Instant::now());
                        if left == Duration::ZERO {
                            return false;
                        }
                        park_timeout(left);
                    }
                },
            }
        };
        // SAFETY: the caller's contract; `parked` only looks and parks.
        unsafe { self.wait::<B, _>(parked) }
    }

    /// Whether the completer has left; if not, the task of `cx` is woken when it does.
    ///
    /// # Safety
    /// As [`wait`](Self::wait).
    pub unsafe fn poll<B: Barrier>(&self, cx: &Context<'_>) -> bool {
        if self.left().is_some() {
            return true;
        }
        // Ordering: Acquire: pairs with the completer's `fetch_or`, for the COMPLETER test below.
        let word = self.handle.load(Ordering::Acquire);
        if word.addr() & NODE == 0 {
            let origin = word.map_addr(|a| a & !TAGS).cast_const().cast();
            let node = Box::new(Waiter::task(origin, cx.waker()));
            let node = Box::into_raw(node);
            // Ordering: Release: pairs with the `fetch_or` in `complete_slow`, which reads the waiter.
            self.handle.store(node.map_addr(|a| a | NODE).cast(), Ordering::Release);
            B::heavy();
        } else {
            // SAFETY: the box is freed by this side only.
            unsafe { &*waiter(word) }.renew(cx.waker());
            // Ordering: Acquire: after the lock in `renew`: a completer whose `take` came before it set
            // COMPLETER before that; one that comes later finds the new waker.
            if self.handle.load(Ordering::Acquire).addr() & COMPLETER != 0 {
                self.await_left();
                return true;
            }
        }
        match self.phase() {
            Phase::Left(_) => true,
            Phase::Done => {
                self.await_left();
                true
            }
            _ => false,
        }
    }

    /// Where it was made. For the handle, once the completer has left, or for whoever owns the cell.
    #[must_use]
    pub fn origin(&self) -> Option<&'static Location<'static>> {
        // Ordering: Relaxed: this side wrote it, or has become the owner through `complete`.
        let word = self.handle.load(Ordering::Relaxed);
        let at = if word.addr() & (GONE | NODE) == NODE {
            // SAFETY: a waiter is alive as long as its address is in the word.
            unsafe { (*waiter(word)).origin }
        } else {
            word.map_addr(|a| a & !TAGS).cast_const().cast()
        };
        // SAFETY: null, or made from a `&'static Location` in `new`.
        unsafe { at.as_ref() }
    }

    /// Ends the handle's use of the cell after [`Phase::Left`]: frees the waiter of an async wait.
    ///
    /// # Safety
    /// The caller is the handle, the completer has left, and the cell is freed next.
    pub unsafe fn finish(&self) {
        self.drop_task_waiter();
    }

    /// Frees the box of an async wait, first making sure that the completer is not reading it.
    fn drop_task_waiter(&self) {
        // Ordering: Relaxed: only this side sets NODE.
        let node = self.handle.load(Ordering::Relaxed);
        if node.addr() & (GONE | NODE) != NODE {
            return;
        }
        let node = node.map_addr(|a| a & !COMPLETER);
        // SAFETY: a waiter is alive as long as its address is in the word.
        let origin = unsafe { (*waiter(node)).origin };
        self.end_wait(node, origin.cast_mut().cast());
        // SAFETY: stack waiters are taken out of the word before their frame ends, so this one is the box of
        // `poll`, and the completer does not read it any more.
        drop(unsafe { Box::from_raw(waiter(node).cast_mut()) });
    }

    /// Takes a waiter out of the word; afterwards the completer does not read it.
    fn end_wait(&self, node: *mut (), origin: *mut ()) {
        // Ordering: AcqRel on success: Release for a completer that comes next; Acquire as everywhere on this
        // word. Acquire on failure pairs with the completer's `fetch_or`.
        let out = self.handle.compare_exchange(node, origin, Ordering::AcqRel, Ordering::Acquire);
        if out.is_err() {
            // COMPLETER is set: it reads the waiter and leaves.
            self.await_left();
            // Ordering: Relaxed: the completer has left, so the word is this side's alone.
            self.handle.store(origin, Ordering::Relaxed);
        }
    }

    fn await_left(&self) -> Outcome {
        spin_until(|| self.left().is_some());
        self.left().expect("the completer has left")
    }

    /// After GONE was set: the completer either leaves, or has seen GONE and will not touch the cell again.
    fn await_verdict(&self) -> Outcome {
        let mut out = None;
        spin_until(|| {
            // Ordering: Acquire: pairs with the `fetch_or` in `complete_slow`; DONE and the payload are visible.
            let seen = self.handle.load(Ordering::Acquire).addr();
            // Ordering: Acquire: as `phase`.
            let run = self.run.load(Ordering::Acquire).addr();
            let done = run < FIRST_ENTRY && matches!(run & PHASE_MASK, DONE | LEFT);
            if done && (seen & COMPLETER != 0 || run & PHASE_MASK == LEFT) {
                out = Some(outcome(run));
            }
            out.is_some()
        });
        out.expect("the loop ends with an outcome")
    }
}

/// Takes a registration back when the wait ends, also by a panic.
struct EndWait<'a> {
    cell: &'a Header,
    node: *mut (),
    origin: *mut (),
}

impl Drop for EndWait<'_> {
    fn drop(&mut self) {
        self.cell.end_wait(self.node, self.origin);
    }
}

fn word(phase: usize, outcome: Outcome) -> *mut () {
    ptr::without_provenance_mut((outcome as usize) << OUTCOME_SHIFT | phase)
}

fn outcome(run: usize) -> Outcome {
    match run >> OUTCOME_SHIFT & 3 {
        0 => Outcome::Value,
        1 => Outcome::Panic,
        _ => Outcome::Cancelled,
    }
}

fn tagged(waiter: &Waiter) -> *mut () {
    ptr::from_ref(waiter).cast_mut().map_addr(|a| a | NODE).cast()
}

fn waiter(word: *mut ()) -> *const Waiter {
    word.map_addr(|a| a & !TAGS).cast_const().cast()
}
