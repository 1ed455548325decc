//! What the calling thread has to do with a runtime: its deque, and the way there.
//!
//! | thread | context | `CURRENT` | `AMBIENT` |
//! |---|---|---|---|
//! | worker, spare | one, for its whole life | that one | that one |
//! | guest: a thread from outside that has spawned or waited | one per runtime, until the thread ends | the one used last | that of the runtime whose task it runs, else of the global one |
//! | any other, or one whose thread locals are gone | none: it spawns through the injector | null | null |
//!
//! `AMBIENT` is the runtime that the free functions mean: a task spawns on its own runtime, whoever runs it.
//! Both are plain pointers so that reading them is one load. They are null whenever the context they named may
//! be gone; whoever runs foreign code while holding a context holds an `Rc` of it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::Arc;

use wyn_future::cell::Header;

use crate::barrier::Asymmetric;
use crate::handle::Departure;
use crate::runtime;
use crate::shared::Shared;
use crate::sleep::Looks;
use crate::slot::{Deque, Role, Slot};
use crate::stack;
use crate::task::{self, Op, TaskRef};

/// While somebody watches, every so many pushes the length of the deque is looked at.
const NUDGE_PUSHES: u32 = 32;

thread_local! {
    static CURRENT: Cell<*const Context> = const { Cell::new(ptr::null()) };
    static AMBIENT: Cell<*const Context> = const { Cell::new(ptr::null()) };
    /// The contexts of a guest, one per runtime.
    static GUEST: Guest = const { Guest { contexts: RefCell::new(Vec::new()) } };
}

/// A thread's place in a runtime.
pub(crate) struct Context {
    /// Its own end of its deque; home to the slot on drop.
    deque: Option<Deque>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: usize,
    pub(crate) role: Role,
    stack_limit: stack::Limit,
    /// Inside a task: where the head of the deque was when it started. What lies above was pushed by it, or by
    /// what it has run on top of itself.
    floor: Cell<Option<usize>>,
    pushes: Cell<u32>,
    /// The last look of a watcher that this thread has compared its processor with.
    seen_look: Cell<u32>,
    ticks: Cell<u32>,
    random: Cell<u32>,
    /// What it saw of the others when it last watched.
    pub(crate) looks: RefCell<Looks>,
    /// Handles that have gone but for their barrier.
    departures: RefCell<Vec<Departure>>,
}

impl Context {
    /// A context with a slot of this role; `None` if all are taken.
    pub(crate) fn enroll(shared: Arc<Shared>, role: Role) -> Option<Rc<Self>> {
        let (id, deque) = shared.slots.lend(role)?;
        // Any odd number does; ids are small.
        let seed = u32::try_from(id).unwrap_or(0).wrapping_mul(0x9E37_79B9) | 1;
        Some(Rc::new(Self {
            deque: Some(deque),
            shared,
            id,
            role,
            stack_limit: stack::Limit::new(),
            floor: Cell::new(None),
            pushes: Cell::new(0),
            seen_look: Cell::new(0),
            ticks: Cell::new(0),
            random: Cell::new(seed),
            looks: RefCell::new(Looks::default()),
            departures: RefCell::new(Vec::new()),
        }))
    }

    #[inline(always)]
    pub(crate) fn deque(&self) -> &Deque {
        match &self.deque {
            Some(deque) => deque,
            // Only `drop` takes it.
            None => unreachable!(),
        }
    }

    pub(crate) fn slot(&self) -> &Slot {
        self.shared.slots.get(self.id)
    }

    /// Puts a task where this thread, and every thief, finds it; calls somebody if nobody looks.
    #[inline]
    pub(crate) fn push(&self, task: TaskRef) {
        self.deque().push(task);
        Asymmetric::light();
        if self.shared.roster.may_need_call() {
            self.call_for_push();
        }
    }

    /// Somebody rests and nobody searches.
    #[cold]
    #[inline(never)]
    fn call_for_push(&self) {
        if self.shared.roster.nobody_looks() {
            self.shared.roster.rouse();
            return;
        }
        if self.shared.roster.is_in_the_watchers_way(&self.seen_look) {
            self.shared.roster.nudge();
            return;
        }
        // The watcher will look by its clock; a deque that grows is worth a call.
        let pushes = self.pushes.get().wrapping_add(1);
        self.pushes.set(pushes);
        if pushes.is_multiple_of(NUDGE_PUSHES) && self.deque().len() >= NUDGE_PUSHES as usize {
            self.shared.roster.nudge();
        }
    }

    /// Whether the free functions mean this context: on a guest, whether it runs a task of this runtime, or
    /// the runtime is the global one.
    #[inline(always)]
    pub(crate) fn is_ambient(&self) -> bool {
        ptr::eq(AMBIENT.get(), self)
    }

    /// Runs a task taken from a queue. The context is ambient.
    #[inline]
    pub(crate) fn run(&self, task: TaskRef) {
        self.slot().count_run();
        let outer = self.floor.replace(Some(self.deque().position()));
        // SAFETY: it was taken from a queue, and is given up here.
        unsafe { task.enter(Op::Run, self.id) };
        self.floor.set(outer);
    }

    /// If the newest task of this thread is this one, takes its handle's part out of it. `cell` may be any cell
    /// whose handle the caller gives up if this says true.
    pub(crate) fn disown_newest(&self, cell: NonNull<Header>) -> bool {
        let Some(task) = self.deque().pop() else { return false };
        let is_newest = task.header() == cell;
        if is_newest {
            // SAFETY: out of the queue, nobody can start it; the caller gives the handle up.
            unsafe { Header::abandon_unstarted(cell.as_ptr()) };
        }
        self.push(task);
        is_newest
    }

    /// Whether this thread is inside a task, so that what it runs now is on top of that.
    pub(crate) fn is_in_task(&self) -> bool {
        self.floor.get().is_some()
    }

    /// How many tasks of its own deque this thread may run on top of what it is in. Thieves may have them by now.
    pub(crate) fn above_floor(&self) -> isize {
        self.floor.get().map_or(isize::MAX, |floor| self.deque().position().wrapping_sub(floor).cast_signed())
    }

    /// Takes the task of this cell if it is the newest of this thread.
    pub(crate) fn take_newest(&self, cell: NonNull<Header>) -> Option<TaskRef> {
        let task = self.deque().pop()?;
        if task.header() == cell {
            return Some(task);
        }
        self.push(task);
        None
    }

    /// Ends the handles that were dropped here and wait for company. For a thread that has time, and before a
    /// panic among them could go unheard.
    pub(crate) fn end_departures(&self) {
        // Taken out first: this may call the panic handler, which may drop handles.
        let departures = self.departures.take();
        Departure::end_all(departures);
    }

    /// Whether there is stack enough to run another task on top of what is running.
    #[inline(always)]
    pub(crate) fn has_stack(&self) -> bool {
        self.stack_limit.is_above()
    }

    /// Counts a scheduling decision; the count so far.
    pub(crate) fn tick(&self) -> u32 {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        ticks
    }

    /// A number below `n`, for victims. Marsaglia's xorshift.
    pub(crate) fn random_below(&self, n: usize) -> usize {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random.set(x);
        (x as usize) % n.max(1)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        Departure::end_all(std::mem::take(self.departures.get_mut()));
        if let Some(deque) = self.deque.take() {
            self.shared.slots.give_back(self.id, deque);
        }
    }
}

/// Holds a guest's contexts, and takes `CURRENT` back before they go.
struct Guest {
    contexts: RefCell<Vec<Rc<Context>>>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Panics among them go to the handler of the runtime that is still current.
        self.contexts.borrow().clone().iter().for_each(|context| context.end_departures());
        CURRENT.set(ptr::null());
        AMBIENT.set(ptr::null());
    }
}

/// Makes `context` the calling thread's own, until the guard is dropped.
pub(crate) struct Seat(Rc<Context>);

impl Seat {
    pub(crate) fn take(context: Rc<Context>) -> Self {
        CURRENT.set(Rc::as_ptr(&context));
        AMBIENT.set(Rc::as_ptr(&context));
        Self(context)
    }

    pub(crate) fn context(&self) -> &Rc<Context> {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        CURRENT.set(ptr::null());
        AMBIENT.set(ptr::null());
    }
}

/// While a guest may run tasks of a runtime: they spawn there, and the runtime does not end. Nests.
pub(crate) struct Helping {
    context: Rc<Context>,
    /// Alive: the global runtime's, which goes with the thread, or held by the guard around this one.
    outer: *const Context,
    was_helping: bool,
}

impl Helping {
    /// Before the guest takes a task.
    pub(crate) fn begin(context: Rc<Context>) -> Self {
        let outer = AMBIENT.replace(Rc::as_ptr(&context));
        let was_helping = context.slot().is_helping();
        context.slot().set_helping(true);
        Self { context, outer, was_helping }
    }
}

impl Drop for Helping {
    fn drop(&mut self) {
        self.context.slot().set_helping(self.was_helping);
        AMBIENT.set(self.outer);
    }
}

/// Whether the calling thread is inside a task of this runtime.
pub(crate) fn is_inside(shared: &Arc<Shared>) -> bool {
    // SAFETY: null, or a context that this thread holds.
    unsafe { AMBIENT.get().as_ref() }.is_some_and(|context| Arc::ptr_eq(&context.shared, shared))
}

/// The context the calling thread used last, held on to.
pub(crate) fn current() -> Option<Rc<Context>> {
    let current = CURRENT.get();
    if current.is_null() {
        return None;
    }
    // SAFETY: not null: it came from an `Rc` that this thread still holds.
    unsafe { Rc::increment_strong_count(current) };
    // SAFETY: the count taken above is this one's.
    Some(unsafe { Rc::from_raw(current) })
}

/// Calls `f` with the context the calling thread used last. `f` runs no foreign code.
#[inline(always)]
pub(crate) fn with_current<R>(f: impl FnOnce(Option<&Context>) -> R) -> R {
    // SAFETY: null, or an `Rc` that this thread holds; `f` cannot make it let go.
    f(unsafe { CURRENT.get().as_ref() })
}

/// Calls `f` with the context of the runtime the free functions mean: that of the task that runs, outside of
/// tasks the global one, which starts on the first call. `None` if this thread cannot have one any more, or
/// all slots are taken. `f` runs no foreign code.
#[inline(always)]
pub(crate) fn with_ambient<R>(f: impl FnOnce(Option<&Context>) -> R) -> R {
    with_current(|current| match current {
        Some(context) if context.is_ambient() => f(Some(context)),
        _ => {
            let context = ambient_slow();
            f(context.as_deref())
        }
    })
}

#[cold]
#[inline(never)]
fn ambient_slow() -> Option<Rc<Context>> {
    let ambient = AMBIENT.get();
    if !ambient.is_null() {
        CURRENT.set(ambient);
        return current();
    }
    let context = guest_of(&runtime::global().shared)?;
    // It stays until the thread ends: the global runtime never stops.
    AMBIENT.set(Rc::as_ptr(&context));
    Some(context)
}

/// Calls `f` with this thread's context in `shared`. `None` as in [`with_ambient`], and on the workers of
/// another runtime. `f` runs no foreign code.
#[inline(always)]
pub(crate) fn with_context_of<R>(shared: &Arc<Shared>, f: impl FnOnce(Option<&Context>) -> R) -> R {
    with_current(|current| match current {
        Some(context) if Arc::ptr_eq(&context.shared, shared) => f(Some(context)),
        Some(context) if context.role != Role::Guest => f(None),
        _ => {
            let context = guest_of(shared);
            f(context.as_deref())
        }
    })
}

/// Finds or makes this guest's context in `shared`, and makes it the current one.
#[cold]
#[inline(never)]
fn guest_of(shared: &Arc<Shared>) -> Option<Rc<Context>> {
    GUEST
        .try_with(|guest| {
            let mut contexts = guest.contexts.borrow_mut();
            let known = contexts.iter().find(|context| Arc::ptr_eq(&context.shared, shared)).cloned();
            let context = known.or_else(|| {
                // Contexts of runtimes that have ended are let go here; who still uses one holds it.
                CURRENT.set(ptr::null());
                contexts.retain(|context| !context.shared.has_stopped());
                let context = Context::enroll(Arc::clone(shared), Role::Guest)?;
                contexts.push(Rc::clone(&context));
                Some(context)
            })?;
            CURRENT.set(Rc::as_ptr(&context));
            Some(context)
        })
        .ok()
        .flatten()
}

/// Keeps a departure until there are enough for a barrier. `false` if this thread has no context.
pub(crate) fn put_off(departure: Departure) -> bool {
    let full = with_current(|current| {
        let mut departures = current?.departures.borrow_mut();
        departures.push(departure);
        Some((departures.len() >= Departure::BATCH).then(|| std::mem::take(&mut *departures)))
    });
    let Some(full) = full else { return false };
    if let Some(departures) = full {
        // This may call the panic handler: nothing is borrowed any more.
        Departure::end_all(departures);
    }
    true
}

/// Ends all departures of the calling thread, if it is a guest.
pub(crate) fn end_departures_of_guest() {
    let contexts = GUEST.try_with(|guest| guest.contexts.borrow().clone()).unwrap_or_default();
    contexts.iter().for_each(|context| context.end_departures());
}

/// A task without a handle has panicked: tells the runtime's handler, if there is one.
#[cold]
pub(crate) fn report_panic(payload: Box<dyn Any + Send>, origin: Option<&'static Location<'static>>) {
    task::contain(|| match current() {
        Some(context) => context.shared.report_panic(payload, origin),
        None => drop(payload),
    });
}
