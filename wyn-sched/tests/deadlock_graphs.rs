//! Random programs that may deadlock, against an oracle.
//!
//! A program is a set of *strands*, lists of steps: tasks, and the branches of forks in them. Each end of a channel belongs
//! to one strand, values only grow, and each handle has one owner; so how a program ends does not depend on the order in
//! which it runs (it is a Kahn network with bounded queues), and the oracle finds out by running it in any order.
//!
//! Properties:
//! - the strands of tasks that come to their end are those that do by the oracle, and all others end with the deadlock;
//! - so there is a deadlock if and only if the oracle says so: a missed one hangs, a false one ends somebody too early;
//! - afterwards both runtimes come to rest.
#![cfg(not(wyn_loom))]

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Random, env_number, wait_until, watchdog};
use wyn_channel::{Receiver, Sender, Value, bounded};
use wyn_sched::{Deadlocks, JoinError, JoinHandle, Runtime, join, scope};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Send(usize),
    Recv(usize),
    Add(usize),
    /// Waits until the value is so large.
    Await(usize, u32),
    /// Waits for the task of that strand.
    Join(usize),
    /// Runs two strands at a time.
    Fork(usize, usize),
    /// Runs the rest of the strand on the other runtime.
    Install,
}

#[derive(Debug)]
struct Program {
    /// The first are tasks, the others branches.
    strands: Vec<Vec<Step>>,
    tasks: usize,
    capacities: Vec<usize>,
    values: usize,
    workers: [usize; 2],
}

fn pick(random: &mut Random, n: usize) -> usize {
    usize::try_from(random.below(n as u64)).unwrap()
}

impl Program {
    /// One that does not deadlock by its own logic, with a few flaws, or none.
    fn new(random: &mut Random) -> Self {
        let (tasks, forks) = (1 + pick(random, 5), pick(random, 3));
        let count = tasks + 2 * forks;
        let mut strands = vec![Vec::new(); count];
        let capacities: Vec<usize> = (0..1 + pick(random, 5)).map(|_| pick(random, 3)).collect();
        let ends: Vec<_> = capacities.iter().map(|_| (pick(random, count), pick(random, count))).collect();
        let values = 2;
        let mut counts = [0; 2];
        for _ in 0..pick(random, 30) {
            if random.below(4) == 0 {
                let value = pick(random, values);
                counts[value] += 1;
                strands[pick(random, count)].push(Step::Add(value));
                strands[pick(random, count)].push(Step::Await(value, counts[value]));
            } else {
                let channel = pick(random, capacities.len());
                strands[ends[channel].0].push(Step::Send(channel));
                strands[ends[channel].1].push(Step::Recv(channel));
            }
        }
        let mut program =
            Self { strands, tasks, capacities, values, workers: [1 + pick(random, 3), 1 + pick(random, 2)] };
        program.weave(random, forks);
        program.spoil(random);
        program
    }

    /// Puts in the steps that know of other strands.
    fn weave(&mut self, random: &mut Random, forks: usize) {
        for fork in 0..forks {
            let first = self.tasks + 2 * fork;
            self.insert(random, self.tasks, Step::Fork(first, first + 1));
        }
        for task in 1..self.tasks {
            // Mostly in the strand of an earlier task; the main thread joins those that are left.
            match random.below(4) {
                0 => {}
                1 => self.insert(random, self.tasks, Step::Join(task)),
                _ => self.strands[pick(random, task)].push(Step::Join(task)),
            }
        }
        if random.below(3) == 0 {
            self.insert(random, self.strands.len(), Step::Install);
        }
    }

    /// Into one of the first so many strands.
    fn insert(&mut self, random: &mut Random, strands: usize, step: Step) {
        let strand = pick(random, strands);
        let at = pick(random, self.strands[strand].len() + 1);
        self.strands[strand].insert(at, step);
    }

    fn spoil(&mut self, random: &mut Random) {
        for _ in 0..random.below(3) {
            let strand = pick(random, self.strands.len());
            let strand = &mut self.strands[strand];
            if strand.is_empty() {
                continue;
            }
            let (at, other) = (pick(random, strand.len()), pick(random, strand.len()));
            match strand[at] {
                Step::Send(_) | Step::Recv(_) | Step::Add(_) if random.below(2) == 0 => {
                    strand.remove(at);
                }
                _ => strand.swap(at, other),
            }
        }
    }

    /// Which strands come to their end.
    fn outcome(&self) -> Vec<bool> {
        let mut oracle = Oracle {
            program: self,
            at: vec![0; self.strands.len()],
            has_started: (0..self.strands.len()).map(|strand| strand < self.tasks).collect(),
            filled: vec![0; self.capacities.len()],
            values: vec![0; self.values],
        };
        while (0..self.strands.len()).any(|strand| oracle.advance(strand)) {}
        (0..self.strands.len()).map(|strand| oracle.has_ended(strand)).collect()
    }
}

/// Runs a program step by step.
struct Oracle<'a> {
    program: &'a Program,
    at: Vec<usize>,
    has_started: Vec<bool>,
    filled: Vec<usize>,
    values: Vec<u32>,
}

impl Oracle<'_> {
    fn step(&self, strand: usize) -> Option<&Step> {
        self.program.strands[strand].get(self.at[strand]).filter(|_| self.has_started[strand])
    }

    fn has_ended(&self, strand: usize) -> bool {
        self.has_started[strand] && self.at[strand] == self.program.strands[strand].len()
    }

    /// Takes the next step of a strand, if it does not block.
    fn advance(&mut self, strand: usize) -> bool {
        let Some(step) = self.step(strand).cloned() else { return false };
        let goes_on = match step {
            Step::Install => true,
            Step::Add(value) => {
                self.values[value] += 1;
                true
            }
            Step::Await(value, least) => self.values[value] >= least,
            Step::Join(task) => self.has_ended(task),
            Step::Fork(left, right) => {
                let was_begun = self.has_started[left];
                (self.has_started[left], self.has_started[right]) = (true, true);
                let is_over = self.has_ended(left) && self.has_ended(right);
                if !is_over {
                    // That the branches begin is a step too.
                    return !was_begun;
                }
                true
            }
            Step::Send(channel) => self.send(channel),
            Step::Recv(channel) => {
                let is_there = self.filled[channel] > 0;
                self.filled[channel] -= usize::from(is_there);
                is_there
            }
        };
        self.at[strand] += usize::from(goes_on);
        goes_on
    }

    /// Without a buffer, both ends take their steps at once.
    fn send(&mut self, channel: usize) -> bool {
        let capacity = self.program.capacities[channel];
        if capacity > 0 {
            let has_room = self.filled[channel] < capacity;
            self.filled[channel] += usize::from(has_room);
            return has_room;
        }
        let receives = |&strand: &usize| self.step(strand) == Some(&Step::Recv(channel));
        let Some(receiver) = (0..self.at.len()).find(receives) else { return false };
        self.at[receiver] += 1;
        true
    }
}

type Outcome = Result<(), JoinError>;

/// What the strands of a program share while it runs. All ends of all channels live as long.
struct Run {
    program: Program,
    channels: Vec<(Sender<()>, Receiver<()>)>,
    values: Vec<Value<u32>>,
    handles: Mutex<Vec<Option<JoinHandle<()>>>>,
    has_ended: Vec<AtomicBool>,
    runtimes: [Runtime; 2],
}

impl Run {
    fn new(program: Program) -> Self {
        let runtime = |workers| {
            let deadlocks = Deadlocks::fail().look_every(Duration::from_micros(300));
            Runtime::builder().workers(workers).deadlocks(deadlocks).build().unwrap()
        };
        Self {
            channels: program.capacities.iter().map(|&capacity| bounded(capacity)).collect(),
            values: (0..program.values).map(|_| Value::new(0)).collect(),
            handles: Mutex::new(Vec::new()),
            has_ended: program.strands.iter().map(|_| AtomicBool::new(false)).collect(),
            runtimes: program.workers.map(runtime),
            program,
        }
    }

    /// Runs the tasks to their ends.
    fn run(self: &Arc<Self>) {
        {
            // The tasks begin when all of them have handles.
            let mut handles = self.handles.lock().unwrap();
            for task in 0..self.program.tasks {
                let own = Arc::clone(self);
                let body = move || {
                    drop(own.handles.lock().unwrap());
                    own.strand(task, task % 2);
                };
                handles.push(Some(self.runtimes[task % 2].spawn(body)));
            }
        }
        let is_joined =
            |task: &usize| !self.program.strands.iter().flatten().any(|step| *step == Step::Join(*task));
        for task in (0..self.program.tasks).filter(is_joined) {
            let ended = self.join(task);
            assert!(ended.is_ok() || ended.is_err_and(|error| error.deadlock().is_some()));
        }
    }

    fn join(&self, task: usize) -> Outcome {
        let handle = self.handles.lock().unwrap()[task].take();
        handle.expect("it has one owner").join()
    }

    fn strand(&self, strand: usize, here: usize) {
        let steps = &self.program.strands[strand];
        let installs = steps.iter().position(|step| *step == Step::Install).unwrap_or(steps.len());
        steps[..installs].iter().for_each(|step| self.step(step, here));
        if let Some(rest) = steps.get(installs + 1..) {
            let there = 1 - here;
            self.runtimes[there].install(|| rest.iter().for_each(|step| self.step(step, there)));
        }
        self.has_ended[strand].store(true, Ordering::SeqCst);
    }

    fn step(&self, step: &Step, here: usize) {
        match *step {
            Step::Send(channel) => self.channels[channel].0.send(()).unwrap(),
            Step::Recv(channel) => self.channels[channel].1.recv().unwrap(),
            Step::Add(value) => _ = self.values[value].fetch_add(1),
            Step::Await(value, least) => _ = self.values[value].wait_for(|&now| now >= least),
            Step::Join(task) => {
                if let Err(error) = self.join(task) {
                    assert!(error.deadlock().is_some(), "{error}");
                    // As if it had no end either.
                    resume_unwind(Box::new(error.deadlock().unwrap().clone()));
                }
            }
            Step::Fork(left, right) if left % 4 < 2 => {
                join(|| self.strand(left, here), || self.strand(right, here));
            }
            Step::Fork(left, right) => scope(|s| {
                s.spawn_detached(|_| self.strand(left, here));
                self.strand(right, here);
            }),
            Step::Install => unreachable!("split off"),
        }
    }
}

fn check(program: Program) -> bool {
    let expected = program.outcome();
    let run = Arc::new(Run::new(program));
    run.run();
    {
        // A task whose handle another task has may be on its way, or part of a deadlock.
        let _wakes_nobody = wyn_sched::bystander();
        wait_until("all tasks end", || Arc::strong_count(&run) == 1);
    }
    let ended: Vec<bool> = run.has_ended.iter().map(|ended| ended.load(Ordering::SeqCst)).collect();
    assert_eq!(ended, expected, "{:?}", run.program);
    let Run { runtimes, .. } = Arc::into_inner(run).unwrap();
    for runtime in runtimes {
        runtime.shutdown(Duration::from_secs(20)).unwrap();
    }
    expected.contains(&false)
}

fn stress_random_graphs() {
    let _dog = watchdog(60);
    let mut random = Random::seeded("graphs");
    let end = Instant::now() + Duration::from_secs(env_number("WYN_STRESS_SECONDS").unwrap_or(4));
    let (mut programs, mut deadlocks) = (0, 0);
    while Instant::now() < end {
        deadlocks += u32::from(check(Program::new(&mut random)));
        programs += 1;
    }
    eprintln!("{programs} programs, of which {deadlocks} deadlock");
    assert!(programs < 20 || (deadlocks > 0 && deadlocks < programs));
}

fn main() -> std::process::ExitCode {
    alone::run(alone::tests![stress_random_graphs])
}
