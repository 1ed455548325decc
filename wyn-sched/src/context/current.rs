//! Which context the calling thread has, and which runtime the free functions mean on it.
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

use super::Context;
use crate::departure::Departure;
use crate::runtime;
use crate::shared::Shared;
use crate::slot::Role;
use crate::task;

thread_local! {
    static CURRENT: Cell<*const Context> = const { Cell::new(ptr::null()) };
    static AMBIENT: Cell<*const Context> = const { Cell::new(ptr::null()) };
    /// The contexts of a guest, one per runtime.
    static GUEST: Guest = const { Guest { contexts: RefCell::new(Vec::new()) } };
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

/// The context of the runtime the free functions mean, as [`with_ambient`] finds it.
///
/// It stays while the calling frame does, whatever runs on top of it: a worker holds its context until its last
/// task has returned, a guest that of the global runtime until its thread ends, and that of another runtime
/// while it helps there.
#[inline(always)]
pub(crate) fn ambient() -> Option<NonNull<Context>> {
    NonNull::new(AMBIENT.get().cast_mut()).or_else(ambient_cold)
}

/// The same, if it is known already. For whoever runs a task: it is the context that runs it.
#[inline(always)]
pub(crate) fn running() -> *const Context {
    AMBIENT.get()
}

/// Calls `f` with the context of the runtime whose task runs, outside of tasks with one that the thread has used.
#[inline]
pub(crate) fn with_running(f: impl FnOnce(&Context)) {
    let running = if AMBIENT.get().is_null() { CURRENT.get() } else { AMBIENT.get() };
    // SAFETY: null, or a context that this thread holds; `f` cannot make it let go.
    if let Some(context) = unsafe { running.as_ref() } {
        f(context);
    }
}

#[cold]
#[inline(never)]
fn ambient_cold() -> Option<NonNull<Context>> {
    ambient_slow().map(|context| NonNull::from(&*context))
}

/// The runtimes in whose tasks the calling thread may be, which belongs to none.
pub(crate) fn helped() -> Vec<*const Shared> {
    let helped = |guest: &Guest| {
        let contexts = guest.contexts.borrow();
        let helping = contexts.iter().filter(|context| context.slot().is_helping());
        helping.map(|context| Arc::as_ptr(&context.shared)).collect()
    };
    GUEST.try_with(helped).unwrap_or_default()
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

/// Holds on to a context of the calling thread.
pub(crate) fn hold(context: &Context) -> Rc<Context> {
    let context: *const Context = context;
    // SAFETY: every context is in an `Rc` from the start, and alive while it is borrowed.
    unsafe { Rc::increment_strong_count(context) };
    // SAFETY: the count taken above is this one's.
    unsafe { Rc::from_raw(context) }
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
                let context = Context::enroll(Arc::clone(shared), shared.slots.reserve_guest()?);
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
