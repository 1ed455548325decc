//! Runs a program: on runtimes, or with a thread for each task.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use wyn_channel::{Receiver, Sender, Value, bounded, unbounded};
use wyn_sched::{Runtime, join, join_all, par_for, scope, spawn, spawn_detached, spawn_future, yield_now};

use super::plan::{Fork, Kind, Op, Plan, Root, Way, mix, start};
use super::wait::{self, Handle};

/// Steps of all programs of this process: what the watchdog looks at.
pub(crate) static STEPS: AtomicU64 = AtomicU64::new(0);

/// What runs the tasks.
#[derive(Clone)]
pub(crate) enum Backend {
    /// Each task is a thread of its own.
    Threads,
    Runtimes(Arc<[Runtime; 2]>),
}

pub(crate) struct Program {
    plan: Plan,
    backend: Backend,
    channels: Vec<(Sender<u64>, Receiver<u64>)>,
    values: Vec<Value<u64>>,
    /// Each handle lies here from when its task was spawned until its owner wants it.
    handles: Vec<Mutex<Option<Handle>>>,
    /// How many steps each task has begun.
    begun: Vec<AtomicUsize>,
    ended: AtomicUsize,
}

impl Program {
    pub(crate) fn new(plan: Plan, backend: Backend) -> Arc<Self> {
        let channel = |capacity: &Option<usize>| capacity.map_or_else(unbounded, bounded);
        Arc::new(Self {
            channels: plan.channels.iter().map(channel).collect(),
            values: (0..plan.values).map(|_| Value::new(0)).collect(),
            handles: plan.tasks.iter().map(|_| Mutex::new(None)).collect(),
            begun: plan.tasks.iter().map(|_| AtomicUsize::new(0)).collect(),
            ended: AtomicUsize::new(0),
            plan,
            backend,
        })
    }

    /// Runs the first task. Others may be under way when it ends.
    pub(crate) fn run_first(self: &Arc<Self>) {
        let this = Arc::clone(self);
        match (&self.backend, self.plan.root) {
            (Backend::Runtimes(runtimes), Root::Installed) => _ = runtimes[0].install(|| self.run(0)),
            (Backend::Runtimes(runtimes), Root::Spawned) => {
                runtimes[0].spawn(move || this.run(0)).join().expect("the first task ends well");
            }
            _ => _ = self.run(0),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) == self.plan.tasks.len()
    }

    /// Where each task is that has not ended.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for (id, (task, begun)) in self.plan.tasks.iter().zip(&self.begun).enumerate() {
            let (ops, begun) = (&task.ops, begun.load(Ordering::Relaxed));
            let state = match begun {
                0 => "has not started".to_owned(),
                _ if begun > ops.len() => continue,
                _ => format!("in step {} of {}: {:?}", begun, ops.len(), ops[begun - 1]),
            };
            let _ = writeln!(text, "  task {id} ({:?}, place {:?}): {state}", task.kind, task.place);
        }
        text
    }

    fn run(self: &Arc<Self>, id: usize) -> u64 {
        let mut known = start(id);
        for op in &self.plan.tasks[id].ops {
            known = self.step(id, known, op);
        }
        self.end(id, known)
    }

    /// The same as a future: its waits suspend it.
    async fn poll(self: Arc<Self>, id: usize) -> u64 {
        let mut known = start(id);
        for op in &self.plan.tasks[id].ops {
            known = match *op {
                Op::Join(task, _) => {
                    self.begin(id);
                    let handle = self.take(task);
                    mix(known, handle.result().await)
                }
                Op::Send(channel, message, _) => {
                    self.begin(id);
                    self.channels[channel].0.send_async(message).await.expect("the receiver is there");
                    known
                }
                Op::Recv(channel, _) => {
                    self.begin(id);
                    mix(known, self.channels[channel].1.recv_async().await.expect("the sender is there"))
                }
                Op::Await(value, least, _) => {
                    self.begin(id);
                    wait::reached(&self.values[value], least).await;
                    known
                }
                _ => self.step(id, known, op),
            };
        }
        self.end(id, known)
    }

    fn begin(&self, id: usize) {
        self.begun[id].fetch_add(1, Ordering::Relaxed);
        STEPS.fetch_add(1, Ordering::Relaxed);
    }

    fn end(&self, id: usize, known: u64) -> u64 {
        assert_eq!(known, self.plan.tasks[id].answer, "the answer of task {id}");
        self.begin(id);
        self.ended.fetch_add(1, Ordering::Release);
        known
    }

    fn take(&self, task: usize) -> Handle {
        self.handles[task].lock().unwrap().take().expect("its owner takes a handle, once")
    }

    fn way(&self, way: Way) -> Way {
        if matches!(self.backend, Backend::Threads) { Way::Plain } else { way }
    }

    fn step(self: &Arc<Self>, id: usize, known: u64, op: &Op) -> u64 {
        self.begin(id);
        match op {
            Op::Spawn(child) => self.spawn(*child),
            Op::Join(task, way) => return mix(known, self.take(*task).wait(self.way(*way))),
            Op::Forget(task) => drop(self.take(*task)),
            Op::Fork(fork, branches) => {
                return self.fork(*fork, branches).into_iter().fold(known, mix);
            }
            Op::Send(channel, message, way) => {
                wait::send(&self.channels[*channel].0, *message, self.way(*way));
            }
            Op::Recv(channel, way) => {
                return mix(known, wait::receive(&self.channels[*channel].1, self.way(*way)));
            }
            Op::Raise(value, now) => self.values[*value].set(*now),
            Op::Await(value, least, way) => wait::watch(&self.values[*value], *least, self.way(*way)),
            Op::Yield if matches!(self.backend, Backend::Threads) => thread::yield_now(),
            Op::Yield => yield_now(),
            Op::Burn(micros) => burn(*micros),
        }
        known
    }

    fn spawn(self: &Arc<Self>, child: usize) {
        let (this, task) = (Arc::clone(self), &self.plan.tasks[child]);
        let handle = match (&self.backend, task.kind) {
            (Backend::Threads, _) | (_, Kind::Thread) => Some(Handle::Thread(this.spawn_thread(child))),
            (Backend::Runtimes(runtimes), Kind::Future) => {
                let future = this.poll(child);
                Some(Handle::Task(match task.place {
                    Some(place) => runtimes[place].spawn_future(future),
                    None => spawn_future(future),
                }))
            }
            (Backend::Runtimes(runtimes), _) => {
                let closure = move || this.run(child);
                match (task.place, task.detached) {
                    (Some(place), false) => Some(Handle::Task(runtimes[place].spawn(closure))),
                    (None, false) => Some(Handle::Task(spawn(closure))),
                    (place, true) => {
                        let closure = move || _ = closure();
                        match place {
                            Some(place) => runtimes[place].spawn_detached(closure),
                            None => spawn_detached(closure),
                        }
                        None
                    }
                }
            }
        };
        if !task.detached {
            *self.handles[child].lock().unwrap() = handle;
        }
    }

    fn spawn_thread(self: Arc<Self>, child: usize) -> Receiver<u64> {
        let (sender, receiver) = bounded(1);
        // Nobody may be there to hear it.
        thread::spawn(move || _ = sender.send(self.run(child)));
        receiver
    }

    /// The answers of all branches.
    fn fork(self: &Arc<Self>, fork: Fork, branches: &[usize]) -> Vec<u64> {
        let Backend::Runtimes(runtimes) = &self.backend else {
            return thread::scope(|s| {
                let threads: Vec<_> =
                    branches.iter().map(|&branch| s.spawn(move || self.run(branch))).collect();
                threads.into_iter().map(|thread| thread.join().expect("the branch ends well")).collect()
            });
        };
        match (fork, branches) {
            (Fork::Join, &[a, b]) => <[u64; 2]>::from(join(|| self.run(a), || self.run(b))).into(),
            (Fork::JoinAll, &[a, b, c]) => join_all([a, b, c].map(|branch| move || self.run(branch))).into(),
            (Fork::Install(place), &[branch]) => vec![runtimes[place].install(|| self.run(branch))],
            (Fork::Scope, _) => {
                let mut answers = vec![0; branches.len()];
                scope(|s| {
                    for (answer, &branch) in answers.iter_mut().zip(branches) {
                        s.spawn_detached(move |_| *answer = self.run(branch));
                    }
                });
                answers
            }
            (Fork::ScopeAndSelf, &[first, ref rest @ ..]) => scope(|s| {
                let handles: Vec<_> = rest.iter().map(|&branch| s.spawn(move |_| self.run(branch))).collect();
                let mut answers = vec![self.run(first)];
                answers.extend(handles.into_iter().map(|handle| handle.join().expect("the child ends well")));
                answers
            }),
            (Fork::ParFor, _) => {
                let answers: Vec<_> = branches.iter().map(|_| AtomicU64::new(0)).collect();
                par_for(0..branches.len(), 1, |i| {
                    answers[i].store(self.run(branches[i]), Ordering::Relaxed);
                });
                answers.into_iter().map(AtomicU64::into_inner).collect()
            }
            _ => unreachable!("{fork:?} of {} branches", branches.len()),
        }
    }
}

fn burn(micros: u32) {
    let (begin, time) = (Instant::now(), Duration::from_micros(micros.into()));
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
