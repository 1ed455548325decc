//! The sequential queue inside the [`Injector`](super::Injector): a list of blocks.
//!
//! Blocks rather than one ring, so that a queue of millions of tasks is never copied while the lock
//! is held, and a batch changes hands by moving whole blocks. Knows nothing of locks.

use std::collections::VecDeque;

/// Tasks per block, for tasks of up to 64 bytes.
#[cfg(not(wyn_loom))]
const BLOCK_TASKS: usize = 128;
#[cfg(wyn_loom)]
const BLOCK_TASKS: usize = 2;

/// Upper bound of a block's size, unless one task is larger.
const BLOCK_BYTES: usize = 8 << 10;

/// A FIFO queue whose parts can be cut off and spliced in without visiting the tasks.
pub(super) struct Blocks<T> {
    /// Oldest first; none is empty.
    blocks: VecDeque<VecDeque<T>>,
    len: usize,
    /// An empty block kept back, so that a queue around a block's boundary does not allocate.
    spare: Option<VecDeque<T>>,
}

impl<T> Blocks<T> {
    /// Tasks per block.
    pub(super) const CAPACITY: usize = {
        let fitting = if size_of::<T>() == 0 { BLOCK_TASKS } else { BLOCK_BYTES / size_of::<T>() };
        if fitting == 0 {
            1
        } else if fitting > BLOCK_TASKS {
            BLOCK_TASKS
        } else {
            fitting
        }
    };

    pub(super) const fn new() -> Self {
        Self { blocks: VecDeque::new(), len: 0, spare: None }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn push_back(&mut self, task: T) {
        match self.blocks.back_mut() {
            Some(block) if block.len() < Self::CAPACITY => block.push_back(task),
            _ => self.push_block(task),
        }
        self.len += 1;
    }

    #[cold]
    #[inline(never)]
    fn push_block(&mut self, task: T) {
        let mut block = self.spare.take().unwrap_or_else(|| VecDeque::with_capacity(Self::CAPACITY));
        block.push_back(task);
        self.blocks.push_back(block);
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<T> {
        let block = self.blocks.front_mut()?;
        let task = block.pop_front();
        if block.is_empty() {
            self.spare = self.blocks.pop_front();
        }
        self.len -= 1;
        task
    }

    /// Cuts off the oldest `count` tasks, or all if there are fewer.
    pub(super) fn split_front(&mut self, count: usize) -> Self {
        let mut front = Self::new();
        while front.len < count
            && let Some(block) = self.blocks.front_mut()
        {
            let missing = count - front.len;
            let part = if block.len() <= missing {
                self.blocks.pop_front().unwrap_or_default()
            } else {
                block.drain(..missing).collect()
            };
            front.len += part.len();
            self.len -= part.len();
            front.blocks.push_back(part);
        }
        front
    }

    /// Appends all of `newer`; tasks move only out of a first block that fits into the last one here.
    pub(super) fn append(&mut self, mut newer: Self) {
        self.len += newer.len;
        if let (Some(last), Some(first)) = (self.blocks.back_mut(), newer.blocks.front_mut())
            && last.len() + first.len() <= Self::CAPACITY
        {
            last.append(first);
            self.spare = newer.blocks.pop_front();
        }
        self.blocks.append(&mut newer.blocks);
    }

    /// Puts `older` back in front of everything.
    pub(super) fn prepend(&mut self, mut older: Self) {
        self.len += older.len;
        while let Some(block) = older.blocks.pop_back() {
            self.blocks.push_front(block);
        }
    }
}
