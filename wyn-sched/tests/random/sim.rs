//! Makes a program by playing one run of it, a random step of a random task at a time.

use std::collections::VecDeque;

use super::plan::{Flavour, Fork, Kind, Op, Plan, Root, Task, Way, mix, start};
use crate::common::Random;

/// A task, as far as it has come.
struct Actor {
    task: Task,
    known: u64,
    /// Handles that it may join.
    owned: Vec<usize>,
    /// The branches that it waits for.
    forked: Vec<usize>,
    /// Pieces of its loop that have not started.
    pieces: VecDeque<usize>,
    parent: Option<usize>,
    done: bool,
}

struct Channel {
    from: usize,
    to: usize,
    capacity: Option<usize>,
    /// Messages, some with a handle whose owner will be the receiver.
    queue: VecDeque<(u64, Option<usize>)>,
}

struct Counter {
    setter: usize,
    now: u64,
}

struct Sim<'a> {
    random: &'a mut Random,
    flavour: Flavour,
    /// The most tasks that the program may have.
    limit: usize,
    actors: Vec<Actor>,
    live: Vec<usize>,
    channels: Vec<Channel>,
    counters: Vec<Counter>,
}

/// A program of at most this many tasks.
pub(crate) fn plan(random: &mut Random, flavour: Flavour, limit: usize) -> Plan {
    let root = [Root::Here, Root::Installed, Root::Spawned][index(random, 3)];
    let mut sim = Sim {
        random,
        flavour,
        limit,
        actors: Vec::new(),
        live: Vec::new(),
        channels: Vec::new(),
        counters: Vec::new(),
    };
    let first = sim.create(Kind::Branch, None);
    sim.live.push(first);
    while !sim.live.is_empty() {
        let at = sim.anybody();
        if sim.actors[at].forked.is_empty() {
            sim.step(at);
        }
    }
    let finish = |actor: Actor| Task { answer: actor.known, ..actor.task };
    Plan {
        root,
        tasks: sim.actors.into_iter().map(finish).collect(),
        channels: sim.channels.iter().map(|channel| channel.capacity).collect(),
        values: sim.counters.len(),
    }
}

fn index(random: &mut Random, n: usize) -> usize {
    usize::try_from(random.below(n as u64)).expect("below a usize")
}

impl Sim<'_> {
    fn below(&mut self, n: usize) -> usize {
        index(self.random, n)
    }

    fn anybody(&mut self) -> usize {
        let at = self.below(self.live.len());
        self.live[at]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn has_room(&self) -> bool {
        self.actors.len() + 4 <= self.limit
    }

    /// A task that has not started.
    fn create(&mut self, kind: Kind, parent: Option<usize>) -> usize {
        let id = self.actors.len();
        let place = (kind != Kind::Branch && self.flavour.outside && self.one_in(2)).then(|| self.below(2));
        let task = Task { kind, place, detached: false, ops: Vec::new(), answer: 0 };
        self.actors.push(Actor {
            task,
            known: start(id),
            owned: Vec::new(),
            forked: Vec::new(),
            pieces: VecDeque::new(),
            parent,
            done: false,
        });
        id
    }

    fn push(&mut self, at: usize, op: Op) {
        self.actors[at].task.ops.push(op);
    }

    fn learn(&mut self, at: usize, news: u64) {
        self.actors[at].known = mix(self.actors[at].known, news);
    }

    fn way(&mut self) -> Way {
        match self.below(8) {
            0 => Way::Blocking,
            1 => Way::Timed,
            2 if self.flavour.yields => Way::Yielding,
            3 | 4 if self.flavour.futures => Way::Driven,
            _ => Way::Plain,
        }
    }

    fn step(&mut self, at: usize) {
        let Flavour { channels, forks, values, yields, .. } = self.flavour;
        match self.below(20) {
            0..=3 if self.has_room() => self.spawn(at),
            4..=6 if forks && self.has_room() => self.fork(at),
            7..=8 if channels => self.send(at),
            9..=10 if channels => self.receive(at),
            11 if values => self.raise(at),
            12..=13 if values => self.watch(at),
            14 if yields => self.push(at, Op::Yield),
            15 => {
                let micros = u32::try_from(self.below(40)).expect("small");
                self.push(at, Op::Burn(micros));
            }
            16..=17 => self.join(at),
            18..=19 => self.try_end(at),
            _ => {}
        }
    }

    fn spawn(&mut self, at: usize) {
        let kind = match self.below(4) {
            0 if self.flavour.outside => Kind::Thread,
            1 | 2 if self.flavour.futures => Kind::Future,
            _ => Kind::Closure,
        };
        let child = self.create(kind, None);
        self.live.push(child);
        if self.one_in(8) {
            self.actors[child].task.detached = true;
        }
        // Some of the handles go to the child.
        if self.one_in(3) {
            let owned = std::mem::take(&mut self.actors[at].owned);
            for handle in owned {
                let owner = if self.one_in(2) { child } else { at };
                self.actors[owner].owned.push(handle);
            }
        }
        if !self.actors[child].task.detached {
            self.actors[at].owned.push(child);
        }
        self.push(at, Op::Spawn(child));
    }

    fn fork(&mut self, at: usize) {
        let (fork, branches) = match self.below(6) {
            0 => (Fork::Scope, 1 + self.below(3)),
            1 => (Fork::ScopeAndSelf, 1 + self.below(3)),
            2 => (Fork::ParFor, 1 + self.below(3)),
            3 => (Fork::JoinAll, 3),
            4 if self.flavour.outside => (Fork::Install(self.below(2)), 1),
            _ => (Fork::Join, 2),
        };
        let branches: Vec<_> = (0..branches).map(|_| self.create(Kind::Branch, Some(at))).collect();
        if self.one_in(3) {
            let owned = std::mem::take(&mut self.actors[at].owned);
            self.actors[branches[0]].owned = owned;
        }
        if fork == Fork::ParFor {
            self.actors[at].pieces = branches.iter().skip(1).copied().collect();
            self.live.push(branches[0]);
        } else {
            self.live.extend(&branches);
        }
        self.actors[at].forked.clone_from(&branches);
        self.push(at, Op::Fork(fork, branches));
    }

    /// To any other task. Where nothing is held, the receiver must be there to take it.
    fn send(&mut self, at: usize) {
        let to = self.anybody();
        if to == at {
            return;
        }
        let found = self.channels.iter().position(|channel| (channel.from, channel.to) == (at, to));
        let channel = found.unwrap_or_else(|| {
            let capacity = [None, Some(0), Some(1), Some(2), Some(7)][self.below(5)];
            self.channels.push(Channel { from: at, to, capacity, queue: VecDeque::new() });
            self.channels.len() - 1
        });
        let Channel { capacity, queue, .. } = &self.channels[channel];
        let is_meeting = *capacity == Some(0);
        let can_meet = self.actors[to].forked.is_empty();
        if if is_meeting { !can_meet } else { capacity.is_some_and(|n| queue.len() >= n) } {
            return;
        }
        let (message, way) = (self.random.next() >> 40, self.way());
        let handle = if self.one_in(4) { self.actors[at].owned.pop() } else { None };
        self.push(at, Op::Send(channel, message, way));
        self.channels[channel].queue.push_back((message, handle));
        if is_meeting {
            self.take(channel);
        }
    }

    fn receive(&mut self, at: usize) {
        let is_ready = |channel: &&usize| {
            let channel = &self.channels[**channel];
            channel.to == at && !channel.queue.is_empty()
        };
        let all: Vec<_> = (0..self.channels.len()).collect();
        let ready: Vec<_> = all.iter().filter(is_ready).copied().collect();
        if !ready.is_empty() {
            let channel = ready[self.below(ready.len())];
            self.take(channel);
        }
    }

    fn take(&mut self, channel: usize) {
        let to = self.channels[channel].to;
        let (message, handle) = self.channels[channel].queue.pop_front().expect("a message");
        let way = self.way();
        self.learn(to, message);
        self.actors[to].owned.extend(handle);
        self.push(to, Op::Recv(channel, way));
    }

    /// The setter of a value makes it grow.
    fn raise(&mut self, at: usize) {
        let found = self.counters.iter().position(|counter| counter.setter == at);
        let value = found.unwrap_or_else(|| {
            self.counters.push(Counter { setter: at, now: 0 });
            self.counters.len() - 1
        });
        self.counters[value].now += 1 + self.random.below(3);
        let now = self.counters[value].now;
        self.push(at, Op::Raise(value, now));
    }

    fn watch(&mut self, at: usize) {
        if self.counters.is_empty() {
            return;
        }
        let (value, way) = (self.below(self.counters.len()), self.way());
        let least = 1 + self.random.below(self.counters[value].now);
        self.push(at, Op::Await(value, least, way));
    }

    fn join(&mut self, at: usize) {
        let is_done = |&&handle: &&usize| self.actors[handle].done;
        let done: Vec<_> = self.actors[at].owned.iter().filter(is_done).copied().collect();
        if !done.is_empty() {
            let handle = done[self.below(done.len())];
            self.take_result(at, handle);
        }
    }

    fn take_result(&mut self, at: usize, handle: usize) {
        let (way, answer) = (self.way(), self.actors[handle].known);
        self.actors[at].owned.retain(|&other| other != handle);
        self.learn(at, answer);
        self.push(at, Op::Join(handle, way));
    }

    /// A task ends when it has done something and its handles are done, or now and then before. The first ends last.
    fn try_end(&mut self, at: usize) {
        let is_first = self.actors[at].parent.is_none() && at == 0;
        if is_first && (self.live.len() > 1 || (self.has_room() && !self.one_in(8))) {
            return;
        }
        let all_done = self.actors[at].owned.iter().all(|&handle| self.actors[handle].done);
        let is_short = self.actors[at].task.ops.len() < 3 && self.has_room();
        if !is_first && (is_short || !all_done) && !self.one_in(4) {
            return;
        }
        for handle in std::mem::take(&mut self.actors[at].owned) {
            match self.actors[at].parent {
                _ if self.actors[handle].done => self.take_result(at, handle),
                Some(parent) => self.actors[parent].owned.push(handle),
                None => self.push(at, Op::Forget(handle)),
            }
        }
        self.end(at);
    }

    fn end(&mut self, at: usize) {
        self.actors[at].done = true;
        self.live.retain(|&other| other != at);
        let Some(parent) = self.actors[at].parent else { return };
        if let Some(next) = self.actors[parent].pieces.pop_front() {
            return self.live.push(next);
        }
        if self.actors[parent].forked.iter().all(|&branch| self.actors[branch].done) {
            for branch in std::mem::take(&mut self.actors[parent].forked) {
                self.learn(parent, self.actors[branch].known);
            }
        }
    }
}
