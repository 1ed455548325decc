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
                *next = self.period.and_then(|period| after(due, now, period));
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

/// When the message behind the one that was `due` is due: a period later, so that lateness does not add up. Who has
/// missed that one too gets it a period from now on.
fn after(due: Instant, now: Instant, period: Duration) -> Option<Instant> {
    due.checked_add(period).filter(|&next| next > now).or_else(|| now.checked_add(period))
}

/// Sleeps until that moment, or for ever.
pub(crate) fn sleep_until(until: Option<Instant>) {
    // Nobody knows the ticket: only the clock ends this.
    while Ticket::new().sleep(until, What::Time).is_ok() {}
}

#[cfg(all(test, not(wyn_loom)))]
mod tests {
    use super::*;

    #[test]
    fn lateness_does_not_add_up_and_missed_ticks_are_left_out() {
        let ms = Duration::from_millis;
        let start = Instant::now();
        assert_eq!(after(start, start, ms(10)), Some(start + ms(10)));
        assert_eq!(after(start, start + ms(9), ms(10)), Some(start + ms(10)));
        assert_eq!(after(start, start + ms(10), ms(10)), Some(start + ms(20)));
        assert_eq!(after(start, start + ms(35), ms(10)), Some(start + ms(45)));
        assert_eq!(after(start, start, Duration::ZERO), Some(start));
        assert_eq!(after(start, start, Duration::MAX), None);
    }
}
