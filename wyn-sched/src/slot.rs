//! A slot: a thread's deque, and what others may see of the thread.
//!
//! A slot is made when its first user comes and stays as long as the runtime. The stealing end of its deque stays in the
//! slot; the owning end is lent to the thread that has the slot. What that thread leaves behind when it goes stays in
//! reach of the thieves; if it leaves nothing, the deque keeps next to no memory. Who gets which slot is settled in
//! [`slots`](crate::slots).

use std::sync::OnceLock;

use wyn_deque::Injector;

use crate::barrier::Asymmetric;
use crate::stats::Counters;
use crate::sync::{AtomicBool, AtomicU32, Mutex, Ordering, Thread, current, lock};
use crate::task::TaskRef;

pub(crate) type Deque = wyn_deque::split::Worker<TaskRef, Asymmetric>;
pub(crate) type Stealer = wyn_deque::split::Stealer<TaskRef, Asymmetric>;

/// Room in the deque of a worker, or of a slot's first guest. Memory is used as it is touched, so it costs nothing to
/// begin with, and growing later would touch it twice.
const DEQUE_TASKS: usize = 1 << 14;
/// Room in the deque of a spare, and in one that nobody has.
const HOME_TASKS: usize = 32;

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
    pub(crate) fn new() -> Self {
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

    /// The owning end, for the thread that has reserved the slot.
    pub(crate) fn move_in(&self, role: Role) -> Deque {
        *lock(&self.owner) = Some(current());
        let capacity = if role == Role::Spare { HOME_TASKS } else { DEQUE_TASKS };
        lock(&self.home).take().unwrap_or_else(|| {
            let deque = Deque::with_capacity(capacity);
            // A slot without a deque at home has none at all.
            let _ = self.stealer.set(deque.stealer());
            deque
        })
    }

    /// Takes the owning end back.
    pub(crate) fn move_out(&self, deque: Deque) {
        *lock(&self.owner) = None;
        *lock(&self.home) = Some(deque);
    }

    /// Gives the memory of an empty deque back that is at home; whether it is so.
    pub(crate) fn tidy(&self) -> bool {
        lock(&self.home).as_ref().is_none_or(|deque| {
            let is_empty = deque.is_empty();
            if is_empty {
                deque.shrink_to(HOME_TASKS);
            }
            is_empty
        })
    }
}
