//! The registered deques of a runtime: one per worker, one per thread from outside, one per spare.
//!
//! A slot's deque is made when its first user comes and lives as long as the runtime. The stealing end stays
//! in the slot; the owning end is lent to the thread that has the slot, and what that thread leaves behind
//! when it goes stays in reach of the thieves.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crossbeam_utils::CachePadded;
use wyn_deque::Injector;

use crate::barrier::Asymmetric;
use crate::stats::Counters;
use crate::sync::{AtomicBool, AtomicU32, AtomicUsize, Mutex, Ordering, Thread, current, lock};
use crate::task::TaskRef;

pub(crate) type Deque = wyn_deque::split::Worker<TaskRef, Asymmetric>;
pub(crate) type Stealer = wyn_deque::split::Stealer<TaskRef, Asymmetric>;

/// Room in a new deque. Memory is used as it is touched, so it costs nothing to begin with, and growing later
/// would touch it twice.
const DEQUE_TASKS: usize = 1 << 14;

/// Threads from outside that have a deque of their own at a time; the others use the injector.
pub(crate) const GUESTS: usize = 64;
/// Spare workers at a time, see [`crate::runtime`].
pub(crate) const SPARES: usize = 4096;

/// Who may have a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A thread of the runtime.
    Worker,
    /// A thread from outside.
    Guest,
    /// A worker started because another cannot run tasks on its stack any more.
    Spare,
}

/// What thieves and the watcher see of one thread.
pub(crate) struct Slot {
    stealer: OnceLock<Stealer>,
    /// The owning end while nobody has the slot.
    home: Mutex<Option<Deque>>,
    /// Counts the tasks the owner has run; stored by the owner only.
    ran: AtomicU32,
    /// Tasks that only the owner may run: what is broadcast to the workers.
    mail: Injector<TaskRef>,
    /// Who has the slot, for a call in the middle of a wait.
    owner: Mutex<Option<Thread>>,
    /// Whether a guest is inside a wait and may be running a task; stored by the owner only.
    helping: AtomicBool,
    /// Written by the owner only.
    pub(crate) stats: Counters,
}

impl Slot {
    fn new() -> Self {
        Self {
            stealer: OnceLock::new(),
            home: Mutex::new(None),
            ran: AtomicU32::new(0),
            mail: Injector::new(),
            owner: Mutex::new(None),
            helping: AtomicBool::new(false),
            stats: Counters::default(),
        }
    }

    /// The stealing end, if the slot was ever used.
    #[inline]
    pub(crate) fn stealer(&self) -> Option<&Stealer> {
        self.stealer.get()
    }

    /// Counts a task. Owner only.
    #[inline]
    pub(crate) fn count_run(&self) {
        // Ordering: Relaxed: only the owner writes; the watcher compares two looks.
        let ran = self.ran.load(Ordering::Relaxed);
        // Ordering: Relaxed: as above.
        self.ran.store(ran.wrapping_add(1), Ordering::Relaxed);
    }

    /// Leaves a task that only the owner may run, and unparks it, wherever it waits.
    pub(crate) fn send(&self, task: TaskRef) {
        self.mail.push(task);
        if let Some(owner) = &*lock(&self.owner) {
            owner.unpark();
        }
    }

    /// The oldest task that only the owner may run.
    pub(crate) fn receive(&self) -> Option<TaskRef> {
        self.has_mail().then(|| self.mail.steal().success()).flatten()
    }

    /// Whether there is such a task. Who must not miss one has taken a lock since it was sent: so not
    /// `is_empty`, which executes a fence.
    pub(crate) fn has_mail(&self) -> bool {
        !matches!(self.mail.len(), 0)
    }

    /// Something that changes whenever the owner pushes, pops or runs.
    pub(crate) fn progress(&self) -> usize {
        let (split, head) = self.stealer().map_or((0, 0), Stealer::mark);
        // Ordering: Relaxed: a hint.
        let ran = self.ran.load(Ordering::Relaxed) as usize;
        head.wrapping_mul(31).wrapping_add(split).wrapping_mul(31).wrapping_add(ran)
    }

    pub(crate) fn set_helping(&self, helping: bool) {
        // Ordering: Release: pairs with the Acquire in `is_helping`.
        self.helping.store(helping, Ordering::Release);
    }

    pub(crate) fn is_helping(&self) -> bool {
        // Ordering: Acquire: pairs with the Release in `set_helping`: what the guest pushed before is visible.
        self.helping.load(Ordering::Acquire)
    }
}

/// All slots of a runtime: workers first, then guests, then spares.
pub(crate) struct Slots {
    /// Each is made when it is first lent: most never are.
    slots: Box<[OnceLock<Arc<CachePadded<Slot>>>]>,
    workers: usize,
    /// Which slots are lent out.
    lent: Mutex<Vec<bool>>,
    /// Ends of the parts of the guest and the spare range that were ever used.
    guests_end: AtomicUsize,
    spares_end: AtomicUsize,
}

impl Slots {
    pub(crate) fn new(workers: usize) -> Self {
        let all = workers + GUESTS + SPARES;
        Self {
            slots: (0..all).map(|_| OnceLock::new()).collect(),
            workers,
            lent: Mutex::new(vec![false; all]),
            guests_end: AtomicUsize::new(workers),
            spares_end: AtomicUsize::new(workers + GUESTS),
        }
    }

    /// How many ids there are.
    pub(crate) fn ids(&self) -> usize {
        self.slots.len()
    }

    /// A slot that may never have been lent.
    #[inline]
    pub(crate) fn get(&self, id: usize) -> &Arc<CachePadded<Slot>> {
        self.slots[id].get_or_init(|| Arc::new(CachePadded::new(Slot::new())))
    }

    /// Lends a free slot and its deque; `None` if there is none.
    pub(crate) fn lend(&self, role: Role) -> Option<(usize, Deque)> {
        let mut lent = lock(&self.lent);
        let id = self.range(role).find(|&id| !lent[id])?;
        lent[id] = true;
        let slot = self.get(id);
        *lock(&slot.owner) = Some(current());
        let deque = lock(&slot.home).take().unwrap_or_else(|| {
            let deque = Deque::with_capacity(DEQUE_TASKS);
            // A slot without a deque at home has none at all.
            let _ = slot.stealer.set(deque.stealer());
            deque
        });
        let end = match role {
            Role::Worker => return Some((id, deque)),
            Role::Guest => &self.guests_end,
            Role::Spare => &self.spares_end,
        };
        // Ordering: Release: pairs with the Acquire in `guests` and `spares`: the stealer is set.
        end.fetch_max(id + 1, Ordering::Release);
        Some((id, deque))
    }

    /// Takes a slot back. What is in the deque stays stealable.
    pub(crate) fn give_back(&self, id: usize, deque: Deque) {
        let mut lent = lock(&self.lent);
        *lock(&self.get(id).home) = Some(deque);
        lent[id] = false;
    }

    fn range(&self, role: Role) -> Range<usize> {
        match role {
            Role::Worker => 0..self.workers,
            Role::Guest => self.workers..self.workers + GUESTS,
            Role::Spare => self.workers + GUESTS..self.ids(),
        }
    }

    /// The guests that were ever there.
    pub(crate) fn guests(&self) -> Range<usize> {
        // Ordering: Acquire: pairs with the Release in `lend`.
        self.workers..self.guests_end.load(Ordering::Acquire)
    }

    /// The spares that were ever there.
    pub(crate) fn spares(&self) -> Range<usize> {
        // Ordering: Acquire: pairs with the Release in `lend`.
        self.workers + GUESTS..self.spares_end.load(Ordering::Acquire)
    }

    /// Every id whose deque may hold something.
    pub(crate) fn used(&self) -> impl Iterator<Item = usize> {
        (0..self.workers).chain(self.guests()).chain(self.spares())
    }
}
