//! The split deque, whose owner pays no locked instruction.

use wyn_deque::split::{Barrier, Stealer, Worker};

use crate::backend::Deque;

pub(super) struct Split<B: Barrier>(Worker<u64, B>);

impl<B: Barrier + 'static> Deque for Split<B> {
    type Thief = Stealer<u64, B>;

    fn open() -> Self {
        Split(Worker::new())
    }

    #[inline]
    fn push(&self, item: u64) {
        self.0.push(item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0.pop()
    }

    fn thief(&self) -> Self::Thief {
        self.0.stealer()
    }

    #[inline]
    fn steal(thief: &Self::Thief) -> Option<u64> {
        thief.steal().success()
    }

    #[inline]
    fn steal_batch(thief: &Self::Thief, dest: &Self, limit: usize) -> Option<u64> {
        thief.steal_batch_and_pop(&dest.0, limit).success()
    }
}
