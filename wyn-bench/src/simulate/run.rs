//! One run: a workload, a policy, a machine, and what all policies have in common.

use std::cell::{Cell, RefCell};
use std::future::Future;

use super::PolicyName;
use super::clock::{Clock, Life, Picos, WakeUp, picos};
use super::costs::Costs;
use super::ledger::{Cause, Times};
use super::lines::{Distance, Line};
use super::work::{Node, Shape, Workload};

/// What a run is made with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The prices.
    pub costs: Costs,
    /// How work is divided.
    pub policy: PolicyName,
    /// What is run.
    pub workload: Workload,
    /// Processors, and workers.
    pub cores: usize,
    /// Over how many sockets they are spread.
    pub sockets: usize,
    /// What the random choices of victims begin with.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Time of the whole run.
    pub time: Picos,
    /// What all processors did meanwhile.
    pub times: Times,
    /// Jobs that were made: branches, tasks.
    pub jobs: u64,
    /// Of them, how many were run by another thread than the one that made them.
    pub moved: u64,
}

/// The right to run a part of the workload, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job(u32);

struct Entry {
    node: Node,
    maker: usize,
    runner: Option<usize>,
    is_done: bool,
    /// Parked until it is done.
    waiter: Option<usize>,
}

/// What tests do to see whether the checks notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "planted by tests only")]
pub(super) enum Flaw {
    None,
    LosesAJob,
    RunsAJobTwice,
    SkipsWork,
}

/// How a runtime divides work among threads.
pub(super) trait Policy: Sized {
    /// For so many threads.
    fn new(setup: &Setup, threads: usize) -> Self;
    /// Offers a branch to others.
    fn push(run: &Run<Self>, me: usize, job: Job) -> impl Future<Output = ()>;
    /// Takes a branch back that the thread has pushed, if it is still there.
    fn take_back(run: &Run<Self>, me: usize, job: Job) -> impl Future<Output = bool>;
    /// Waits until a job is done that somebody else has.
    fn wait(run: &Run<Self>, me: usize, job: Job) -> impl Future<Output = ()>;
    /// Says that a job is done that was not taken back.
    fn complete(run: &Run<Self>, me: usize, job: Job) -> impl Future<Output = ()>;
    /// What a worker does from the moment it is called first.
    fn work(run: &Run<Self>, me: usize) -> impl Future<Output = ()>;
    /// Spawns flat tasks and awaits them.
    fn fan_out(run: &Run<Self>, me: usize) -> impl Future<Output = ()>;
    /// What `me` does with so many iterations.
    fn run_loop(run: &Run<Self>, me: usize, node: Node) -> impl Future<Output = ()>;
    /// Whether a thread outside of the workers spawns the tasks of a fan-out.
    const SPAWNS_FROM_OUTSIDE: bool;
}

pub(super) struct Run<P> {
    pub(super) clock: Clock,
    pub(super) costs: Costs,
    pub(super) workload: Workload,
    pub(super) cores: usize,
    pub(super) threads: usize,
    pub(super) distance: Distance,
    pub(super) policy: P,
    entries: RefCell<Vec<Entry>>,
    random: RefCell<fastrand::Rng>,
    leaves: Cell<u64>,
    moved: Cell<u64>,
    is_over: Cell<bool>,
    flaw: Cell<Flaw>,
}

/// Runs a workload once.
///
/// # Panics
/// If the policy loses a job, runs one twice, or lets all threads sleep beside work: the model is wrong then.
pub(super) fn simulate<P: Policy>(setup: &Setup, flaw: Flaw) -> Outcome {
    let run: Run<P> = Run::new(setup, flaw);
    let root: Life<'_> = Box::pin(async {
        match setup.workload.shape {
            Shape::FanOut => P::fan_out(&run, 0).await,
            _ => run.execute(0, setup.workload.root()).await,
        }
        run.is_over.set(true);
    });
    let workers = (1..run.threads).map(|id| -> Life<'_> { Box::pin(P::work(&run, id)) });
    let mut lives: Vec<Life<'_>> = std::iter::once(root).chain(workers).collect();
    run.clock.run(&mut lives, || run.is_over.get());
    drop(lives);
    run.outcome()
}

impl<P: Policy> Run<P> {
    /// Before anything has happened.
    pub(super) fn new(setup: &Setup, flaw: Flaw) -> Self {
        let outside = setup.workload.shape == Shape::FanOut && P::SPAWNS_FROM_OUTSIDE;
        let threads = setup.cores + usize::from(outside);
        let costs = setup.policy.costs(&setup.costs);
        let wake_up = WakeUp { latency: picos(costs.wake_latency), nap_late: picos(costs.nap_late) };
        Run {
            clock: Clock::new(threads, setup.cores, wake_up),
            distance: Distance::new(&costs, threads, setup.sockets),
            costs,
            workload: setup.workload,
            cores: setup.cores,
            threads,
            policy: P::new(setup, threads),
            entries: RefCell::default(),
            random: RefCell::new(fastrand::Rng::with_seed(setup.seed)),
            leaves: Cell::new(0),
            moved: Cell::new(0),
            is_over: Cell::new(false),
            flaw: Cell::new(flaw),
        }
    }

    fn outcome(&self) -> Outcome {
        let entries = self.entries.borrow();
        assert_eq!(self.leaves.get(), self.workload.n, "every leaf is run once");
        assert!(entries.iter().all(|entry| entry.is_done), "every job is run");
        let time = self.clock.now();
        let times = self.clock.ledger.close(self.cores, time);
        assert_eq!(times[&Cause::Work], self.workload.work(), "work adds up");
        Outcome { time, times, jobs: entries.len() as u64, moved: self.moved.get() }
    }

    /// Runs a part of the workload.
    pub(super) fn execute(&self, me: usize, node: Node) -> Life<'_> {
        Box::pin(async move {
            let children = self.workload.children(node).count();
            match (self.workload.shape, children) {
                (Shape::Loop, _) => P::run_loop(self, me, node).await,
                (_, 0) => self.leaves(me, 1).await,
                _ => self.fork(me, node).await,
            }
        })
    }

    /// So many leaves, one after another.
    pub(super) async fn leaves(&self, me: usize, n: u64) {
        self.leaves.set(self.leaves.get() + n);
        if self.flaw.get() == Flaw::SkipsWork {
            return;
        }
        self.clock.spend(me, Cause::Work, n * self.workload.grain).await;
    }

    /// All children of a node: the first at once, the others offered meanwhile.
    async fn fork(&self, me: usize, node: Node) {
        let children = self.workload.children(node);
        let jobs: Vec<Job> = (1..children.count()).map(|index| self.job(me, children.get(index))).collect();
        for job in jobs.iter().rev() {
            P::push(self, me, *job).await;
        }
        self.execute(me, children.get(0)).await;
        for job in jobs {
            self.join(me, job).await;
        }
    }

    /// Two parts of the workload, as [`fork`](Self::fork).
    pub(super) async fn join_two(&self, me: usize, first: Node, second: Node) {
        let job = self.job(me, second);
        P::push(self, me, job).await;
        self.execute(me, first).await;
        self.join(me, job).await;
    }

    async fn join(&self, me: usize, job: Job) {
        if P::take_back(self, me, job).await {
            self.begin(me, job);
            self.execute(me, self.node(job)).await;
            self.entries.borrow_mut()[job.0 as usize].is_done = true;
        } else {
            P::wait(self, me, job).await;
        }
    }

    /// Runs a job that was taken from a queue, for whoever awaits it.
    pub(super) async fn run_job(&self, me: usize, job: Job) {
        if self.flaw.get() == Flaw::LosesAJob && self.moved.get() > 3 {
            self.flaw.set(Flaw::None);
            return;
        }
        self.begin(me, job);
        self.execute(me, self.node(job)).await;
        if self.flaw.get() == Flaw::RunsAJobTwice && self.moved.get() > 3 {
            self.flaw.set(Flaw::None);
            self.execute(me, self.node(job)).await;
        }
        P::complete(self, me, job).await;
    }

    /// Books what a thread spends on a task or a branch as such.
    pub(super) async fn pay(&self, me: usize, cause: Cause, ns: f64) {
        self.clock.spend(me, cause, picos(ns)).await;
    }

    /// Waits for a load of the line.
    pub(super) async fn load(&self, me: usize, line: &Line) {
        let longer = line.load(me, self.clock.now(), &self.distance);
        self.wait_for_line(me, longer).await;
    }

    /// Waits for the line to change it.
    pub(super) async fn change(&self, me: usize, line: &Line) {
        let longer = line.change(me, self.clock.now(), &self.distance);
        self.wait_for_line(me, longer).await;
    }

    /// Stores to the line, and waits if the buffer is full.
    pub(super) async fn store(&self, me: usize, line: &Line) {
        let longer = line.store(me, self.clock.now(), &self.distance);
        self.wait_for_line(me, longer).await;
    }

    async fn wait_for_line(&self, me: usize, longer: Picos) {
        if longer > 0 {
            self.clock.spend(me, Cause::Lines, longer).await;
        }
    }

    /// Lines between two threads that are not modelled one by one: a job's own memory.
    pub(super) async fn transfers(&self, me: usize, other: usize, count: f64) {
        if me != other {
            #[allow(clippy::cast_precision_loss, reason = "nanoseconds")]
            let ns = self.distance.between(me, other) as f64 / 1000.0;
            self.pay(me, Cause::Lines, ns * count).await;
        }
    }

    /// A number below `n`.
    pub(super) fn random_below(&self, n: usize) -> usize {
        self.random.borrow_mut().usize(..n.max(1))
    }

    pub(super) fn now(&self) -> Picos {
        self.clock.now()
    }

    // Jobs.

    pub(super) fn job(&self, me: usize, node: Node) -> Job {
        let mut entries = self.entries.borrow_mut();
        let job = Job(u32::try_from(entries.len()).expect("fewer than 2^32 jobs"));
        entries.push(Entry { node, maker: me, runner: None, is_done: false, waiter: None });
        job
    }

    fn begin(&self, me: usize, job: Job) {
        let entry = &mut self.entries.borrow_mut()[job.0 as usize];
        assert!(entry.runner.is_none(), "a job is run once");
        entry.runner = Some(me);
        if entry.maker != me {
            self.moved.set(self.moved.get() + 1);
        }
    }

    pub(super) fn node(&self, job: Job) -> Node {
        self.entries.borrow()[job.0 as usize].node
    }

    pub(super) fn maker(&self, job: Job) -> usize {
        self.entries.borrow()[job.0 as usize].maker
    }

    pub(super) fn runner(&self, job: Job) -> Option<usize> {
        self.entries.borrow()[job.0 as usize].runner
    }

    pub(super) fn is_done(&self, job: Job) -> bool {
        self.entries.borrow()[job.0 as usize].is_done
    }

    /// Whoever waits for the job is to be called.
    pub(super) fn finish(&self, job: Job) -> Option<usize> {
        let entry = &mut self.entries.borrow_mut()[job.0 as usize];
        entry.is_done = true;
        entry.waiter.take()
    }

    pub(super) fn wait_as(&self, job: Job, waiter: Option<usize>) {
        self.entries.borrow_mut()[job.0 as usize].waiter = waiter;
    }
}
