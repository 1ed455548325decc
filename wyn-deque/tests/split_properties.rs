//! The split deque against a `VecDeque`: any sequence of operations gives the same answers, from any start
//! index, through growth and the wrap of the indices.
#![cfg(not(wyn_loom))]

use std::collections::VecDeque;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use wyn_deque::Steal;
use wyn_deque::split::Worker;

#[derive(Debug)]
enum Op {
    Push,
    PushMany(u8),
    Pop,
    Steal,
    BatchAndPop { limit: u8 },
    Batch { limit: u8 },
    PopDest,
    StealDest,
}

impl Op {
    fn any(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match u.int_in_range(0..=7)? {
            0 => Self::Push,
            1 => Self::PushMany(u.arbitrary()?),
            2 => Self::Pop,
            3 => Self::Steal,
            4 => Self::BatchAndPop { limit: u.int_in_range(1..=200)? },
            5 => Self::Batch { limit: u.int_in_range(1..=200)? },
            6 => Self::PopDest,
            _ => Self::StealDest,
        })
    }
}

/// The deque, a second one for batches, and what they should hold, oldest first.
struct Both {
    worker: Worker<Box<u32>>,
    dest: Worker<Box<u32>>,
    items: VecDeque<u32>,
    dest_items: VecDeque<u32>,
    next: u32,
    /// The position of the worker at the last steal that found something, and at how many in a row: it never answers.
    silent_at: (usize, u32),
}

impl Both {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut start = || -> Result<usize> { Ok(usize::MAX - usize::from(u.arbitrary::<u8>()?)) };
        let (worker, dest) = (Worker::starting_at(2, start()?), Worker::starting_at(2, start()?));
        Ok(Self {
            worker,
            dest,
            items: VecDeque::new(),
            dest_items: VecDeque::new(),
            next: 0,
            silent_at: (0, 0),
        })
    }

    fn push(&mut self) {
        self.worker.push(Box::new(self.next));
        self.items.push_back(self.next);
        self.next += 1;
    }

    /// What a batch of at most `limit` should be.
    fn batch(&mut self, limit: usize) -> VecDeque<u32> {
        let is_away = self.count_silence() >= 2 && self.items.len() >= 16;
        let n = if is_away { self.items.len() } else { self.items.len().div_ceil(2) }.min(limit);
        self.items.drain(..n).collect()
    }

    /// How often in a row a thief that comes now has found the owner silent where it is, before this time.
    fn count_silence(&mut self) -> u32 {
        let position = self.worker.position();
        let silences = if self.silent_at.0 == position { self.silent_at.1 } else { 0 };
        if !self.items.is_empty() {
            self.silent_at = (position, silences + 1);
        }
        silences
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Push => self.push(),
            Op::PushMany(n) => (0..n).for_each(|_| self.push()),
            Op::Pop => assert_eq!(self.worker.pop().map(|item| *item), self.items.pop_back()),
            Op::Steal => {
                self.count_silence();
                let stolen = self.worker.stealer().steal().success().map(|item| *item);
                assert_eq!(stolen, self.items.pop_front());
            }
            Op::BatchAndPop { limit } => {
                let limit = usize::from(limit);
                let mut expected = self.batch(limit);
                let stolen = self.worker.stealer().steal_batch_and_pop(&self.dest, limit);
                assert_eq!(stolen.success().map(|item| *item), expected.pop_front());
                self.dest_items.append(&mut expected);
            }
            Op::Batch { limit } => {
                let limit = usize::from(limit);
                let mut expected = self.batch(limit);
                let stolen = self.worker.stealer().steal_batch(&self.dest, limit);
                assert_eq!(stolen.is_success(), !expected.is_empty());
                self.dest_items.append(&mut expected);
            }
            Op::PopDest => assert_eq!(self.dest.pop().map(|item| *item), self.dest_items.pop_back()),
            Op::StealDest => {
                let stolen = self.dest.stealer().steal().success().map(|item| *item);
                assert_eq!(stolen, self.dest_items.pop_front());
            }
        }
        assert_eq!((self.worker.len(), self.dest.len()), (self.items.len(), self.dest_items.len()));
        assert_eq!(self.worker.stealer().is_empty(), self.items.is_empty());
    }
}

#[test]
fn it_behaves_like_a_vec_deque() {
    arbtest(|u| {
        let mut both = Both::new(u)?;
        for _ in 0..u.int_in_range(0..=200)? {
            both.run(&Op::any(u)?);
        }
        for item in both.items.iter().rev() {
            assert_eq!(both.worker.pop().as_deref(), Some(item));
        }
        assert_eq!((both.worker.pop(), both.worker.stealer().steal()), (None, Steal::Empty));
        Ok(())
    })
    .budget_ms(1_000);
}

/// What stays where the owner has taken from the middle.
const HOLE: usize = usize::MAX;

/// A deque of which the owner takes from anywhere, and what it should hold, holes included, oldest first.
struct Anywhere {
    worker: Worker<usize>,
    items: VecDeque<usize>,
    /// The position of the oldest.
    base: usize,
    next: usize,
}

impl Anywhere {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let base = usize::MAX - usize::from(u.arbitrary::<u8>()?);
        let worker = Worker::starting_at(2, base);
        Ok(Self { worker, items: VecDeque::new(), base, next: 0 })
    }

    fn push(&mut self) {
        assert_eq!(self.worker.push_at(self.next), self.base.wrapping_add(self.items.len()));
        self.items.push_back(self.next);
        self.next += 1;
    }

    fn pop_front(&mut self) -> Option<usize> {
        let item = self.items.pop_front();
        self.base = self.base.wrapping_add(usize::from(item.is_some()));
        item
    }

    /// Takes the item that has so many older ones, and looks at it first.
    fn take(&mut self, older: usize) {
        let (position, last) = (self.base.wrapping_add(older), self.items.len().wrapping_sub(1));
        let expected = self.items.get(older).copied();
        assert_eq!(self.worker.peek(position), expected);
        assert_eq!(self.worker.take_at(position, HOLE), expected);
        match older {
            _ if older == last => drop(self.items.pop_back()),
            0 => drop(self.pop_front()),
            _ => self.items.iter_mut().skip(older).take(1).for_each(|item| *item = HOLE),
        }
    }

    fn steal_if(&mut self, divisor: usize) {
        let wanted = |item: &usize| item.is_multiple_of(divisor);
        let expected = match self.items.front() {
            None => Steal::Empty,
            Some(item) if wanted(item) => Steal::Success(self.pop_front()),
            Some(_) => Steal::Success(None),
        };
        assert_eq!(self.worker.stealer().steal_if(wanted), expected);
    }

    /// Looks at the oldest, or the newest, and takes it if it is divisible.
    fn take_end_if(&mut self, oldest: bool, divisor: usize) {
        let wanted = |item: usize| item.is_multiple_of(divisor);
        if oldest {
            let is_wanted = self.items.front().is_some_and(|&item| wanted(item));
            let expected = match self.items.len() {
                _ if !is_wanted => None,
                // The newest as well: its position is used again.
                1 => self.items.pop_back(),
                _ => self.pop_front(),
            };
            assert_eq!(self.worker.take_oldest_if(wanted), expected);
        } else {
            assert_eq!(self.worker.take_newest_if(wanted), self.items.pop_back_if(|item| wanted(*item)));
        }
    }

    /// Takes the item that has so many older ones, if it is divisible.
    fn take_if(&mut self, older: usize, divisor: usize) {
        let position = self.base.wrapping_add(older);
        if self.items.get(older).is_some_and(|item| item.is_multiple_of(divisor)) {
            return self.take(older);
        }
        assert_eq!(self.worker.take_at_if(position, HOLE, |item| item.is_multiple_of(divisor)), None);
    }

    /// Takes the item that has so many older ones, and closes the gap.
    fn remove(&mut self, older: usize) {
        assert_eq!(self.worker.remove(self.base.wrapping_add(older)), self.items.remove(older));
    }

    /// Forgets all but so many.
    fn forget(&mut self, older: usize) {
        let is_there = older < self.items.len();
        assert_eq!(self.worker.forget_from(self.base.wrapping_add(older)), is_there);
        self.items.truncate(older);
    }

    /// Takes all up to one that is divisible.
    fn steal_through(&mut self, divisor: usize) {
        let (dest, wanted) = (Worker::starting_at(2, self.next), |item: &usize| item.is_multiple_of(divisor));
        let expected = match self.items.iter().position(wanted) {
            _ if self.items.is_empty() => Steal::Empty,
            last => Steal::Success(last.is_some()),
        };
        let n = self.items.iter().position(wanted).map_or(0, |last| last + 1);
        assert_eq!(self.worker.stealer().steal_through(&dest, wanted), expected);
        assert_eq!(dest.len(), n);
        while let Some(item) = dest.stealer().steal().success() {
            assert_eq!(Some(item), self.pop_front());
        }
    }

    fn batch(&mut self, limit: usize) {
        let dest = Worker::new();
        let stolen = self.worker.stealer().steal_batch(&dest, limit);
        assert_eq!((stolen.is_success(), dest.len() <= limit), (!self.items.is_empty(), true));
        while let Some(item) = dest.stealer().steal().success() {
            assert_eq!(Some(item), self.pop_front());
        }
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=15)? {
            0 => self.push(),
            1 => (0..u.int_in_range(0..=90)?).for_each(|_| self.push()),
            2 => assert_eq!(self.worker.pop(), self.items.pop_back()),
            3 => self.take(u.int_in_range(0..=self.items.len())?),
            4 => (0..u.int_in_range(0..=90)?).for_each(|_| self.take(0)),
            5 => self.take(usize::MAX - u.int_in_range(0..=300)?),
            6 => self.steal_if(u.int_in_range(1..=3)?),
            7 => assert_eq!(self.worker.stealer().steal().success(), self.pop_front()),
            8 => assert_eq!(self.worker.pop_oldest(), self.pop_front()),
            9 => self.take_end_if(u.arbitrary()?, u.int_in_range(1..=3)?),
            10 => self.take_if(u.int_in_range(0..=self.items.len())?, u.int_in_range(1..=3)?),
            11 => self.remove(u.int_in_range(0..=self.items.len())?),
            12 => self.forget(u.int_in_range(0..=self.items.len())?),
            13 => self.steal_through(u.int_in_range(1..=9)?),
            14 => self.worker.shrink_to(u.int_in_range(0..=70)?),
            _ => self.batch(u.int_in_range(1..=60)?),
        }
        let (len, stealer) = (self.items.len(), self.worker.stealer());
        assert_eq!((self.worker.len(), stealer.len(), stealer.is_empty()), (len, len, len == 0));
        let head = self.base.wrapping_add(len);
        assert_eq!((self.worker.oldest_position(), self.worker.position()), (self.base, head));
        assert_eq!(stealer.mark(), (self.base, head));
        Ok(())
    }
}

#[test]
fn its_owner_may_take_from_anywhere() {
    arbtest(|u| {
        let mut deque = Anywhere::new(u)?;
        for _ in 0..u.int_in_range(0..=200)? {
            deque.step(u)?;
        }
        while let Some(item) = deque.items.pop_back() {
            assert_eq!(deque.worker.pop(), Some(item));
        }
        assert_eq!((deque.worker.pop(), deque.worker.stealer().steal()), (None, Steal::Empty));
        Ok(())
    })
    .budget_ms(1_000);
}
