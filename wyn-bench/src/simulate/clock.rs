//! Time, and the threads that live in it.
//!
//! A thread of the model is a future. It runs until it spends time or parks; then the thread whose event is next
//! goes on. So the policies read like the code they stand for, and two runs with one seed are the same.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::ledger::{Cause, Ledger};

/// Simulated time, in 10⁻¹² s.
pub type Picos = u64;

/// A whole number of picoseconds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "costs are small and positive")]
pub(super) fn picos(ns: f64) -> Picos {
    (ns * 1000.0).round() as Picos
}

const NO_TICKET: u64 = 0;
const NEVER: u64 = u64::MAX;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Has a processor.
    Running,
    /// Until it is unparked, or by the clock.
    Parked,
    /// Has been unparked, or its time has come.
    Waking,
    /// Has woken up, and no processor was free.
    Queued,
}

struct Thread {
    state: Cell<State>,
    /// As `std::thread::park` has it.
    token: Cell<bool>,
    /// Only the event with this number counts: [`NO_TICKET`] when it has come, [`NEVER`] if none will.
    ticket: Cell<u64>,
    /// When its event comes, if it runs.
    until: Cell<Picos>,
    /// What it spends the time until then on.
    cause: Cell<Cause>,
    /// What interrupts have cost it since it last spent time.
    debt: Cell<Picos>,
}

/// What calling and waking up cost.
#[derive(Clone, Copy)]
pub(super) struct WakeUp {
    pub(super) latency: Picos,
    pub(super) nap_late: Picos,
}

pub(super) struct Clock {
    now: Cell<Picos>,
    tickets: Cell<u64>,
    /// By time, then in the order they were made.
    events: RefCell<BinaryHeap<Reverse<(Picos, u64, usize)>>>,
    threads: Vec<Thread>,
    wake_up: WakeUp,
    cores_free: Cell<usize>,
    core_queue: RefCell<VecDeque<usize>>,
    pub(super) ledger: Ledger,
}

pub(super) type Life<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl Clock {
    /// So many threads on so many processors, all of them parked but the first.
    pub(super) fn new(threads: usize, cores: usize, wake_up: WakeUp) -> Clock {
        let thread = |id| Thread {
            state: Cell::new(if id == 0 { State::Running } else { State::Parked }),
            token: Cell::new(false),
            ticket: Cell::new(NO_TICKET),
            until: Cell::new(0),
            cause: Cell::new(Cause::Work),
            debt: Cell::new(0),
        };
        let clock = Clock {
            now: Cell::new(0),
            tickets: Cell::new(0),
            events: RefCell::default(),
            threads: (0..threads).map(thread).collect(),
            wake_up,
            cores_free: Cell::new(cores - 1),
            core_queue: RefCell::default(),
            ledger: Ledger::new(threads),
        };
        (1..threads).for_each(|id| clock.ledger.lie_down(id, 0));
        clock.schedule(0, 0);
        clock
    }

    pub(super) fn now(&self) -> Picos {
        self.now.get()
    }

    /// How many threads have a processor.
    pub(super) fn running(&self) -> usize {
        self.threads.iter().filter(|thread| thread.state.get() == State::Running).count()
    }

    /// The thread spends this time.
    pub(super) async fn spend(&self, id: usize, cause: Cause, time: Picos) {
        let thread = &self.threads[id];
        let debt = thread.debt.take();
        self.ledger.add(Cause::Interrupted, debt);
        self.ledger.add(cause, time);
        self.wait_until(id, cause, self.now() + time + debt).await;
    }

    /// Spins until [`signal`](Self::signal), at most this long. What it was for is booked when it is over.
    pub(super) async fn spin(&self, id: usize, cause: Cause, time: Picos) {
        let start = self.now();
        self.ledger.add(cause, time);
        self.wait_until(id, cause, start + time).await;
        self.ledger.cancel(cause, start + time - self.now());
    }

    /// Ends the spinning of a thread after this time.
    pub(super) fn signal(&self, id: usize, after: Picos) {
        let at = self.now() + after;
        if self.threads[id].until.get() > at {
            self.schedule(id, at);
        }
    }

    async fn wait_until(&self, id: usize, cause: Cause, at: Picos) {
        self.threads[id].cause.set(cause);
        let is_next = self.events.borrow().peek().is_none_or(|Reverse((next, ..))| *next > at);
        if is_next {
            self.now.set(at);
            return;
        }
        self.schedule(id, at);
        self.resumed(id).await;
    }

    /// Gives its event to the thread; an earlier one does not count any more.
    fn schedule(&self, id: usize, at: Picos) {
        let ticket = self.tickets.get() + 1;
        self.tickets.set(ticket);
        self.threads[id].ticket.set(ticket);
        self.threads[id].until.set(at);
        self.events.borrow_mut().push(Reverse((at, ticket, id)));
    }

    async fn resumed(&self, id: usize) {
        // A signal may have replaced the event; what counts is that one has come.
        let has_come = |_: &mut Context<'_>| match self.threads[id].ticket.get() {
            NO_TICKET => Poll::Ready(()),
            _ => Poll::Pending,
        };
        poll_fn(has_come).await;
    }

    /// Parks until unparked, or for this time.
    pub(super) async fn park(&self, id: usize, timeout: Option<Picos>) {
        let thread = &self.threads[id];
        if thread.token.take() {
            return;
        }
        self.ledger.lie_down(id, self.now());
        thread.state.set(State::Parked);
        self.release_core();
        match timeout {
            Some(time) => self.schedule(id, self.now() + time + self.wake_up.nap_late),
            None => thread.ticket.set(NEVER),
        }
        self.resumed(id).await;
        thread.token.set(false);
    }

    /// Whether an unpark would have to call the system.
    pub(super) fn is_parked(&self, id: usize) -> bool {
        self.threads[id].state.get() == State::Parked
    }

    /// Lets the thread go on. What that costs the caller is the caller's to spend.
    pub(super) fn unpark(&self, id: usize) {
        let thread = &self.threads[id];
        if !self.is_parked(id) {
            thread.token.set(true);
            return;
        }
        self.ledger.rise(id, self.now());
        self.ledger.add(Cause::Waking, self.wake_up.latency);
        thread.cause.set(Cause::Waking);
        thread.state.set(State::Waking);
        self.schedule(id, self.now() + self.wake_up.latency);
    }

    fn release_core(&self) {
        match self.core_queue.borrow_mut().pop_front() {
            Some(next) => {
                self.threads[next].state.set(State::Waking);
                self.cores_free.set(self.cores_free.get() + 1);
                self.ledger.rise(next, self.now());
                self.schedule(next, self.now());
            }
            None => self.cores_free.set(self.cores_free.get() + 1),
        }
    }

    /// Interrupts every running thread but one.
    pub(super) fn interrupt_others(&self, id: usize, time: Picos) {
        for (other, thread) in self.threads.iter().enumerate() {
            if other != id && thread.state.get() == State::Running {
                thread.debt.set(thread.debt.get() + time);
            }
        }
    }

    /// Runs the threads until one of them says that all is done.
    ///
    /// # Panics
    /// If no thread has anything to wait for: then a wake-up was lost.
    pub(super) fn run(&self, lives: &mut [Life<'_>], is_over: impl Fn() -> bool) {
        let mut context = Context::from_waker(Waker::noop());
        while !is_over() {
            let event = self.events.borrow_mut().pop();
            let Some(Reverse((at, ticket, id))) = event else {
                panic!("every thread sleeps and work is left")
            };
            if self.threads[id].ticket.get() != ticket {
                continue;
            }
            self.now.set(at);
            if self.may_run(id) {
                self.threads[id].ticket.set(NO_TICKET);
                let _ = lives[id].as_mut().poll(&mut context);
            }
        }
        self.close();
    }

    /// Whether the thread has a processor, or gets one.
    fn may_run(&self, id: usize) -> bool {
        let thread = &self.threads[id];
        if thread.state.get() == State::Running {
            return true;
        }
        self.ledger.rise(id, self.now());
        let Some(left) = self.cores_free.get().checked_sub(1) else {
            thread.state.set(State::Queued);
            thread.ticket.set(NEVER);
            self.core_queue.borrow_mut().push_back(id);
            self.ledger.lie_down(id, self.now());
            return false;
        };
        self.cores_free.set(left);
        thread.state.set(State::Running);
        true
    }

    /// Books what is under way as far as it got.
    fn close(&self) {
        for (id, thread) in self.threads.iter().enumerate() {
            let is_under_way = matches!(thread.state.get(), State::Running | State::Waking);
            if is_under_way && thread.ticket.get() != NO_TICKET {
                self.ledger.cancel(thread.cause.get(), thread.until.get().saturating_sub(self.now()));
            }
            self.ledger.rise(id, self.now());
        }
    }
}
