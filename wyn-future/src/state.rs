//! The two words of a one-shot cell: what their bits mean, and every access to them.
//!
//! Called by [`crate::cell`] only, which says in which order the two sides may do what. Nothing here reads a
//! waiter or frees anything.
//!
//! # The run word
//!
//! Written only by the runner, who is the completer. Below 64 KiB it is a phase, else it is the entry pointer. A
//! handle that has claimed the cell leaves this word alone: a runner that comes too late finds the entry pointer
//! in it, stores `RUNNING` without having asked, and that is the end.
//!
//! | value | meaning | next |
//! |---|---|---|
//! | entry pointer | ready: no runner has started it | `RUNNING`, `DONE` |
//! | `runner << 4 \| RUNNING` | started by this runner, unless the handle has claimed it | `DONE`; end if claimed |
//! | `outcome << 2 \| DONE` | payload written; the completer still looks at the handle word | `LEFT` |
//! | `outcome << 2 \| LEFT` | the completer has gone for good | end |
//!
//! # The handle word
//!
//! The address of the place of origin (a `Location`, or null), or of a `Waiter`, with tag bits. Waiters leave four
//! bits free, places of origin three: bit 3 is `CLAIMER` beside a waiter, part of the address beside an origin,
//! and beside null, with `GONE`, it says that the cell is claimed.
//!
//! | tags | meaning | set by |
//! |---|---|---|
//! | none | a handle exists and nobody waits | `new`, the end of a wait |
//! | `NODE` | the address is a waiter's | handle |
//! | `NODE \| CLAIMER` | the same, and it may claim the cell | handle; `CLAIMER` is cleared by the runner |
//! | `GONE` | the handle is being dropped | handle |
//! | `GONE \| NODE` | the handle has been dropped; it will not look again | handle |
//! | `COMPLETER` (with any of these) | the completer has seen what was there | completer, once |
//! | `CLAIMED` (null, `GONE \| CLAIMER`) | the handle runs it itself; there is no completer | handle |
//! | `CLAIMED \| COMPLETER` | the handle has left it | handle, once |
//! | `CLAIMED \| NODE` | the runner has left it, without having run it | runner, once |
//!
//! | transition | by | when |
//! |---|---|---|
//! | none → `NODE`, none → `NODE \| CLAIMER` (`register`) | handle | it waits |
//! | `NODE`, `NODE \| CLAIMER` → none (`withdraw`) | handle | only while `COMPLETER` is clear |
//! | the same (`clear`) | handle | once the completer has left |
//! | `NODE \| CLAIMER` → `CLAIMED` (`claim`) | handle | the run word says ready |
//! | `NODE \| CLAIMER` → `NODE` (`refuse_claim`) | runner | it has stored `RUNNING` |
//! | none → `GONE` → `GONE \| NODE` (`going`, `gone`) | handle | it goes |
//! | none → `GONE \| NODE` (`gone_unshared`) | handle | it goes, and there can be no completer yet |
//! | x → x `\| COMPLETER` (`look`) | completer | it has read a tag |
//! | `CLAIMED` → `\| COMPLETER` (`leave_claimed`), `\| NODE` (`leave_void`) | handle, runner | last touch, unless the other bit is there |
//!
//! A `COMPLETER` that comes between a withdrawal and the next `register` is overwritten by it: that completer has
//! found nobody, acts on nothing but that, and stores `LEFT`.
//!
//! # Orderings
//!
//! | site | ordering | partner | what it carries | model that dies without it |
//! |---|---|---|---|---|
//! | `left` | Release | `phase` | payload; the cell itself, which the handle frees | `value_is_visible` |
//! | `phase` | Acquire | `left` | the same | `value_is_visible` |
//! | `register` | Release | `look` | the waiter | `wait_is_woken` |
//! | `look` | Acquire | `register`, `gone` | the waiter; all that the handle did to the cell | `wait_is_woken`, `abandon_without_barriers_is_safe` |
//! | `look` | Release | `looked` | payload and cell, to a handle that was leaving | `abandon_without_barriers_is_safe` |
//! | `looked` | Acquire | `look` | the same | `abandon_without_barriers_is_safe` |
//! | `gone` | Release | `look` | all that the handle did to the cell, which the completer frees | `abandon_without_barriers_is_safe` |
//! | `leave_claimed` | Release | `leave_void` | the handle's accesses to payload and cell, which the runner frees | `claim::claim_meets_begin` |
//! | `leave_void` | Acquire | `leave_claimed` | the same | `claim::claim_meets_begin` |
//! | `leave_void` | Release | `leave_claimed` | the runner's accesses to the cell, which the handle frees | `claim::claim_meets_begin` |
//! | `leave_claimed` | Acquire | `leave_void` | the same | `claim::claim_meets_begin` |
//! | all others | Relaxed | | nothing: each says why | |
//!
//! The store-load races (`done` then `idle`; `start` then `idle`; `register` or `going` then `phase`; `register`
//! then `unstarted`) are decided by the [`Barrier`](crate::Barrier) halves that the cell puts between. Without
//! either half `wait_is_woken`, `second_wait_is_woken`, `poll_is_woken`, `abandon_frees_once` and
//! `claim::claim_meets_begin` die. Without both, the orderings above still keep memory safe in a cell that nobody
//! may claim, which is why those are checked without: a fence in a barrier would hide them. Where a handle may
//! claim, the barrier decides who owns the payload.
//!
//! The models are in `tests/loom_cell.rs` and `tests/loom/claim.rs`. Each row is itself a test: `tests/loom/weakened.rs` runs the model
//! with that one ordering weakened, or that barrier half left out, and expects it to fail.

use std::panic::Location;
use std::ptr;

use crate::sync::{AtomicPtr, Ordering, needed};
use crate::waiter::Waiter;

const DONE: usize = 1;
const LEFT: usize = 2;
const RUNNING: usize = 3;
const PHASE_MASK: usize = 3;
const OUTCOME_SHIFT: u32 = 2;
const RUNNER_SHIFT: u32 = 4;
/// Run words below this are phases. Systems with virtual memory put no code or data into the first 64 KiB of an
/// address space. Where functions do lie there, a cell cannot be made: WebAssembly numbers its functions from
/// one, and a microcontroller may have its flash at address 0.
const FIRST_ENTRY: usize = 1 << 16;

const COMPLETER: usize = 1;
const GONE: usize = 2;
const NODE: usize = 4;
const CLAIMER: usize = 8;
/// The tags that any address leaves free.
const TAGS: usize = COMPLETER | GONE | NODE;
/// Beside null only: see `is_claimed`.
const CLAIMED: usize = GONE | CLAIMER;

/// Runner ids are below this.
pub const MAX_RUNNERS: usize = FIRST_ENTRY >> RUNNER_SHIFT;

/// A `Location` leaves the three tag bits free. Where it does not, no origin is kept.
const KEEPS_ORIGIN: bool = align_of::<Location<'static>>() > TAGS;
const _: () = assert!(align_of::<Waiter>() > TAGS | CLAIMER);

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
    ///
    /// Nothing may be parked on this: a completer that found nobody wakes nobody. See
    /// [`Header::await_left`](crate::cell::Header::await_left).
    Done,
    /// The payload belongs to the handle.
    Left(Outcome),
}

/// Written by the completer, read by everybody.
#[derive(Debug)]
pub(crate) struct RunWord(AtomicPtr<()>);

impl RunWord {
    #[inline]
    #[track_caller]
    pub(crate) fn ready(entry: *mut ()) -> Self {
        // Taken for a phase, it would give the payload away before anybody has run it.
        assert!(entry.addr() >= FIRST_ENTRY, "the entry pointer lies in the first 64 KiB");
        Self(AtomicPtr::new(entry))
    }

    /// The entry pointer, while it is ready.
    #[inline]
    pub(crate) fn entry(&self) -> *mut () {
        // Ordering: Relaxed: the caller got the cell through a queue that published it.
        self.0.load(Ordering::Relaxed)
    }

    /// Handle: the entry pointer, if no runner has started it.
    pub(crate) fn unstarted(&self) -> Option<*mut ()> {
        // Ordering: Relaxed: the entry has been there since the cell was made. If `start` is missed, the barrier
        // pair makes the runner see what this side has registered.
        let run = self.0.load(Ordering::Relaxed);
        (run.addr() >= FIRST_ENTRY).then_some(run)
    }

    /// Ready → running.
    #[inline]
    pub(crate) fn start(&self, runner: usize) {
        debug_assert!(runner < MAX_RUNNERS, "no such runner");
        // Ordering: Relaxed: nothing is published with it. Whoever must not miss it has a barrier.
        self.0.store(ptr::without_provenance_mut(runner << RUNNER_SHIFT | RUNNING), Ordering::Relaxed);
    }

    /// → done.
    #[inline]
    pub(crate) fn done(&self, outcome: Outcome) {
        // Ordering: Relaxed: whoever sees it waits for LEFT or COMPLETER before it touches the payload.
        self.0.store(phase_word(DONE, outcome), Ordering::Relaxed);
    }

    /// Done → left. The last touch of a completer that frees nothing.
    #[inline]
    pub(crate) fn left(&self, outcome: Outcome) {
        // Ordering: Release: pairs with the Acquire in `phase`. The payload is visible to who reads LEFT, and the
        // completer's accesses to the cell happen before it is freed.
        self.0.store(phase_word(LEFT, outcome), needed("left", Ordering::Release));
    }

    #[inline]
    pub(crate) fn phase(&self) -> Phase {
        // Ordering: Acquire: pairs with the Release in `left`; what the completer did is visible.
        let run = self.0.load(needed("phase", Ordering::Acquire)).addr();
        if run >= FIRST_ENTRY {
            return Phase::Ready;
        }
        match run & PHASE_MASK {
            LEFT => Phase::Left(outcome(run)),
            DONE => Phase::Done,
            _ => Phase::Running(run >> RUNNER_SHIFT),
        }
    }

    /// The outcome, for who knows by the handle word that it has been decided.
    pub(crate) fn outcome(&self) -> Outcome {
        // Ordering: Relaxed: DONE is visible: it was stored before the COMPLETER that the caller acquired.
        outcome(self.0.load(Ordering::Relaxed).addr())
    }
}

/// Written by the handle; the completer adds `COMPLETER`, and a runner clears `CLAIMER` or leaves with `NODE`.
#[derive(Debug)]
pub(crate) struct HandleWord(AtomicPtr<()>);

/// What a completer finds when it looks at the handle word.
#[derive(Debug)]
pub(crate) enum Found {
    /// A handle that does not wait (any more). It frees the cell after LEFT.
    Idle,
    /// A waiter, which stays where it is until LEFT.
    Waiter(*const Waiter),
    /// A handle that is going: it will find COMPLETER, and free the cell.
    Going,
    /// The handle has gone: the cell is the completer's.
    Gone,
}

/// What a waiter may do beside being woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Nothing.
    Wait = NODE as isize,
    /// Claim the cell, until a runner clears the bit.
    Claim = (NODE | CLAIMER) as isize,
}

/// Who runs the cell, as a runner finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runs {
    Runner,
    Handle,
}

impl HandleWord {
    #[inline]
    pub(crate) fn new(origin: Option<&'static Location<'static>>) -> Self {
        let origin = if KEEPS_ORIGIN { origin } else { None };
        Self(AtomicPtr::new(origin.map_or(ptr::null_mut(), |at| ptr::from_ref(at).cast_mut().cast())))
    }

    /// Completer, or runner that has stored RUNNING: nobody waits, goes or claims, as far as it can see.
    #[inline]
    pub(crate) fn idle(&self) -> bool {
        // Ordering: Relaxed: acted on only by storing LEFT, or by running what is not claimed. If a tag is missed,
        // the barrier pair makes the handle see DONE, or RUNNING.
        self.0.load(Ordering::Relaxed).addr() & TAGS == 0
    }

    /// Completer, once, if not `idle`: sets COMPLETER and says what was there.
    pub(crate) fn look(&self) -> Found {
        // Ordering: AcqRel: Acquire pairs with the Release in `register` (the waiter is readable) and in `gone`
        // (what the handle did happens before the cell is freed). Release pairs with the Acquire in `looked`.
        let seen = self.0.fetch_or(COMPLETER, needed("look", Ordering::AcqRel));
        match seen.addr() & (GONE | NODE) {
            0 => Found::Idle,
            NODE => Found::Waiter(address(seen).cast()),
            GONE => Found::Going,
            _ => Found::Gone,
        }
    }

    /// Runner that has stored RUNNING, once: who runs it. Takes the right to claim away from a waiter that has it.
    pub(crate) fn refuse_claim(&self) -> Runs {
        // Ordering: Relaxed: as in `idle`.
        let mut word = self.0.load(Ordering::Relaxed);
        while is_waiter(word) && word.addr() & CLAIMER != 0 {
            let refused = word.map_addr(|a| a & !CLAIMER);
            // Ordering: Relaxed: the waiter is neither read nor handed over, and what `register` released stays
            // behind the new value for `look`. After a failure the handle has claimed or withdrawn: to claim
            // after a withdrawal it registers anew, and the barrier pair makes it see RUNNING then.
            match self.0.compare_exchange(word, refused, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Runs::Runner,
                Err(seen) => word = seen,
            }
        }
        if is_claimed(word) { Runs::Handle } else { Runs::Runner }
    }

    /// Handle: NODE | CLAIMER → CLAIMED, unless a runner has refused, or a completer has looked.
    pub(crate) fn claim(&self, waiter: *const Waiter) -> bool {
        let word = waiter.map_addr(|a| a | NODE | CLAIMER).cast_mut().cast();
        let claimed = ptr::without_provenance_mut(CLAIMED);
        // Ordering: Relaxed: nothing is published: a runner that finds CLAIMED touches the two words only. Of what
        // is in the cell, this side knows since it has the handle.
        self.0.compare_exchange(word, claimed, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Handle, of what it has claimed: says whether the runner has left before, and the cell is this side's.
    pub(crate) fn leave_claimed(&self) -> bool {
        // Ordering: AcqRel: Release pairs with the Acquire in `leave_void`: what this side did to payload and cell
        // happens before the runner frees it. Acquire pairs with the Release there, the other way round.
        let order = needed("leave_claimed", Ordering::AcqRel);
        self.0.fetch_or(COMPLETER, order).addr() & NODE != 0
    }

    /// Runner, of what the handle has claimed: says whether the handle has left before, and the cell is this side's.
    pub(crate) fn leave_void(&self) -> bool {
        // Ordering: AcqRel: Release pairs with the Acquire in `leave_claimed`: this side's accesses to the cell
        // happen before the handle frees it. Acquire pairs with the Release there, the other way round.
        let order = needed("leave_void", Ordering::AcqRel);
        self.0.fetch_or(NODE, order).addr() & COMPLETER != 0
    }

    /// Handle: its waiter, if one is in the word.
    pub(crate) fn waiter(&self) -> Option<*const Waiter> {
        // Ordering: Relaxed: only this side sets NODE without GONE.
        let word = self.0.load(Ordering::Relaxed);
        is_waiter(word).then(|| address(word).cast())
    }

    /// Handle, or the owner: the place of origin, when no waiter is in the word. Null in a claimed one.
    pub(crate) fn origin(&self) -> *const Location<'static> {
        // Ordering: Relaxed: written by `new` and by this side, and carried along by `gone`.
        address(self.0.load(Ordering::Relaxed)).cast()
    }

    /// Handle: none → NODE, with or without CLAIMER.
    pub(crate) fn register(&self, waiter: *const Waiter, right: Right) {
        let word = waiter.map_addr(|a| a | right as usize).cast_mut().cast();
        // An exchange for the model checker's sake: loom does not know that a plain store after a withdrawal
        // comes later than a `look` that found nobody.
        // Ordering: Release: pairs with the Acquire in `look`, whose caller reads the waiter.
        self.0.swap(word, needed("register", Ordering::Release));
    }

    /// Handle: NODE → none, with or without CLAIMER, unless the completer has looked at the waiter.
    pub(crate) fn withdraw(&self, origin: *const Location<'static>) -> bool {
        // Ordering: Relaxed: this side's own waiter is in the word.
        let mut word = self.0.load(Ordering::Relaxed);
        // Twice at most without COMPLETER: only a runner that clears CLAIMER can come between.
        while word.addr() & COMPLETER == 0 {
            // Ordering: Relaxed: a success takes the waiter back unread, so nothing is handed over; after a failure
            // for COMPLETER the caller waits for LEFT.
            let back = origin.cast_mut().cast();
            match self.0.compare_exchange(word, back, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
        false
    }

    /// Handle: NODE → none, after LEFT.
    pub(crate) fn clear(&self, origin: *const Location<'static>) {
        // Ordering: Relaxed: the completer has left, so the word is this side's alone.
        self.0.store(origin.cast_mut().cast(), Ordering::Relaxed);
    }

    /// Handle: none → GONE. Says whether a completer had looked, and found nobody.
    pub(crate) fn going(&self) -> bool {
        // Ordering: Relaxed: GONE alone gives nothing away, and the caller waits for LEFT if it finds COMPLETER.
        self.0.fetch_or(GONE, Ordering::Relaxed).addr() & COMPLETER != 0
    }

    /// Handle: GONE → GONE | NODE. Says whether the completer came before, and left the cell to this side.
    pub(crate) fn gone(&self) -> bool {
        // Ordering: Release: pairs with the Acquire in `look`: what this side did to the cell happens before the
        // completer frees it. If the completer came before, the caller goes through `looked`.
        self.0.fetch_or(NODE, needed("gone", Ordering::Release)).addr() & COMPLETER != 0
    }

    /// Handle, while there can be no completer: none → GONE | NODE.
    pub(crate) fn gone_unshared(&self) {
        // Ordering: Relaxed: what hands the cell to its runner publishes it.
        let word = self.0.load(Ordering::Relaxed);
        // Ordering: Relaxed: as above.
        self.0.store(word.map_addr(|a| a | GONE | NODE), Ordering::Relaxed);
    }

    /// Handle, after `going` found no COMPLETER: whether the completer has found it going since.
    pub(crate) fn looked(&self) -> bool {
        // Ordering: Acquire: pairs with the Release in `look`: the payload is visible, and the completer's
        // accesses to the cell happen before it is freed.
        self.0.load(needed("looked", Ordering::Acquire)).addr() & COMPLETER != 0
    }
}

fn phase_word(phase: usize, outcome: Outcome) -> *mut () {
    ptr::without_provenance_mut((outcome as usize) << OUTCOME_SHIFT | phase)
}

fn outcome(run: usize) -> Outcome {
    match run >> OUTCOME_SHIFT & 3 {
        0 => Outcome::Value,
        1 => Outcome::Panic,
        _ => Outcome::Cancelled,
    }
}

/// Whether a handle word holds the address of a waiter.
fn is_waiter(word: *mut ()) -> bool {
    word.addr() & (GONE | NODE) == NODE
}

/// Whether the handle runs it. A `GONE` beside an origin may have bit 3 of its address set: that is not null.
fn is_claimed(word: *mut ()) -> bool {
    word.addr() <= TAGS | CLAIMER && word.addr() & CLAIMED == CLAIMED
}

/// The address in a handle word.
fn address(word: *mut ()) -> *const () {
    let tags = if is_waiter(word) || is_claimed(word) { TAGS | CLAIMER } else { TAGS };
    word.map_addr(|a| a & !tags).cast_const()
}
