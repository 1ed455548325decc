//! The clock as a channel: messages that are made when they are received.

use std::time::{Duration, Instant};

use crate::error::{RecvTimeoutError, TryRecvError};
use crate::hook::What;
use crate::lock::ShortLock;
use crate::wait::Ticket;

/// One message, or one every period.
#[derive(Debug)]
pub(crate) struct Timer {
    /// When the next message is due, if there is a next one.
    next: ShortLock<Option<Instant>>,
    period: Option<Duration>,
}

impl Timer {
    pub(crate) fn once(when: Instant) -> Self {
        Self { next: ShortLock::new(Some(when)), period: None }
    }

    pub(crate) fn every(first: Instant, period: Duration) -> Self {
        Self { next: ShortLock::new(Some(first)), period: Some(period) }
    }

    /// When the next message is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        *self.next.lock()
    }

    pub(crate) fn is_due(&self) -> bool {
        self.next().is_some_and(|due| Instant::now() >= due)
    }

    pub(crate) fn try_recv(&self) -> Result<Instant, TryRecvError> {
        let now = Instant::now();
        let mut next = self.next.lock();
        match *next {
            Some(due) if due <= now => {
                *next = self.period.and_then(|period| now.checked_add(period));
                Ok(due)
            }
            _ => Err(TryRecvError::Empty),
        }
    }

    pub(crate) fn recv(&self, deadline: Option<Instant>) -> Result<Instant, RecvTimeoutError> {
        loop {
            if let Ok(due) = self.try_recv() {
                return Ok(due);
            }
            let until = self.next().into_iter().chain(deadline).min();
            sleep_until(until);
            if deadline.is_some_and(|at| Instant::now() >= at) {
                return self.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
        }
    }
}

/// Sleeps until that moment, or for ever.
pub(crate) fn sleep_until(until: Option<Instant>) {
    // Nobody knows the ticket: only the clock ends this.
    while Ticket::new().sleep(until, What::Time).is_ok() {}
}
