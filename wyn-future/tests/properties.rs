//! Random sequences of operations on one thread, against a model.
//!
//! - Every operation returns what the model says.
//! - A value is dropped exactly once, by whom the model says.
//! - The last waker that was registered is woken exactly once, unless the wait was given up; none leaks.
#![cfg(not(wyn_loom))]

mod common;

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use common::{Counted, Drops, Flag, poll};
use wyn_future::{Completer, Dropped, Promise, TryTakeError, oneshot};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Value,
    Dropped,
    Taken,
}

struct Run {
    completer: Option<Completer<Counted>>,
    promise: Option<Promise<Counted>>,
    state: State,
    drops: Drops,
    expected_drops: usize,
    wakers: [(Arc<Flag>, Waker); 3],
    expected_wakes: [usize; 3],
    registered: Option<usize>,
}

impl Run {
    fn new() -> Self {
        let (completer, promise) = oneshot();
        Self {
            completer: Some(completer),
            promise: Some(promise),
            state: State::Pending,
            drops: Drops::default(),
            expected_drops: 0,
            wakers: std::array::from_fn(|_| Flag::new()),
            expected_wakes: [0; 3],
            registered: None,
        }
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=7)? {
            0 => self.complete(),
            1 => self.drop_completer(),
            2 => self.try_take(),
            3 => self.poll(u.choose_index(3)?),
            4 => self.poll(u.choose_index(3)?),
            5 => self.wait_briefly(Duration::from_nanos(u.int_in_range(0..=1)?)),
            6 => self.drop_promise(),
            _ => self.wait(),
        }
        self.check();
        Ok(())
    }

    fn check(&self) {
        assert_eq!(self.drops.count(), self.expected_drops);
        for ((flag, _), expected) in self.wakers.iter().zip(self.expected_wakes) {
            assert_eq!(flag.wakes(), expected);
        }
        if let Some(promise) = &self.promise {
            assert_eq!(promise.is_ready(), self.state != State::Pending);
        }
    }

    /// The completer acts: whoever is registered is woken.
    fn settle(&mut self, state: State) {
        self.state = state;
        if let Some(waker) = self.registered.take() {
            self.expected_wakes[waker] += 1;
        }
    }

    fn complete(&mut self) {
        let Some(completer) = self.completer.take() else { return };
        let given_back = completer.complete(self.drops.value()).is_err();
        assert_eq!(given_back, self.promise.is_none());
        if given_back {
            self.expected_drops += 1;
        } else {
            self.settle(State::Value);
        }
    }

    fn drop_completer(&mut self) {
        if self.completer.take().is_some() && self.promise.is_some() {
            self.settle(State::Dropped);
        }
    }

    /// The value arrives, and is dropped at once.
    fn taken(&mut self, value: Counted) {
        assert_eq!(self.state, State::Value);
        drop(value);
        self.state = State::Taken;
        self.expected_drops += 1;
    }

    fn try_take(&mut self) {
        let Some(promise) = &mut self.promise else { return };
        match promise.try_take() {
            Ok(value) => self.taken(value),
            Err(TryTakeError::Pending) => assert_eq!(self.state, State::Pending),
            Err(TryTakeError::Dropped) => assert_eq!(self.state, State::Dropped),
            Err(TryTakeError::Taken) => assert_eq!(self.state, State::Taken),
        }
    }

    fn poll(&mut self, waker: usize) {
        let Some(promise) = &mut self.promise else { return };
        if self.state == State::Taken {
            return;
        }
        match poll(promise, &self.wakers[waker].1) {
            Poll::Ready(Ok(value)) => self.taken(value),
            Poll::Ready(Err(Dropped)) => assert_eq!(self.state, State::Dropped),
            Poll::Pending => {
                assert_eq!(self.state, State::Pending);
                self.registered = Some(waker);
            }
        }
    }

    fn wait_briefly(&mut self, timeout: Duration) {
        if self.state == State::Taken {
            return;
        }
        let Some(promise) = self.promise.take() else { return };
        match promise.wait_timeout(timeout) {
            Ok(Ok(value)) => self.taken(value),
            Ok(Err(Dropped)) => assert_eq!(self.state, State::Dropped),
            Err(promise) => {
                assert_eq!(self.state, State::Pending);
                self.promise = Some(promise);
                if timeout != Duration::ZERO {
                    // The thread took the task's place.
                    self.registered = None;
                }
            }
        }
    }

    fn wait(&mut self) {
        if matches!(self.state, State::Value | State::Dropped) {
            self.wait_briefly(Duration::MAX);
        }
    }

    fn drop_promise(&mut self) {
        if self.promise.take().is_some() {
            self.registered = None;
            self.expected_drops += usize::from(self.state == State::Value);
        }
    }

    fn end(mut self) {
        self.drop_promise();
        self.drop_completer();
        self.check();
        for (flag, waker) in self.wakers {
            drop(waker);
            assert_eq!(Arc::strong_count(&flag), 1, "a waker leaked");
        }
    }
}

#[test]
fn any_sequence_of_operations() {
    arbtest(|u| {
        let mut run = Run::new();
        for _ in 0..u.int_in_range(0..=12)? {
            run.step(u)?;
        }
        run.end();
        Ok(())
    });
}
