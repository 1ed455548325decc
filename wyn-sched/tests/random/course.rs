//! Many programs, one after the other. The seed of a program decides all of it.

use std::sync::Arc;
use std::time::Instant;

use wyn_sched::Runtime;

use super::plan::Flavour;
use super::run::{Backend, Program};
use super::sim;
use super::watch::Watch;
use crate::common::{Random, WORKERS, env_number, runtime, wait_until};

/// After so many programs their runtimes are replaced.
const USES: usize = 64;

/// Runtimes to be used for several programs: for each number of workers one, and another beside it.
#[derive(Default)]
struct Runtimes([Option<(Arc<[Runtime; 2]>, usize)>; WORKERS.len()]);

impl Runtimes {
    fn get(&mut self, which: usize, others: usize) -> Arc<[Runtime; 2]> {
        let make = || (Arc::new([runtime(WORKERS[which]), runtime(others)]), USES);
        let (pair, left) = self.0[which].get_or_insert_with(make);
        let pair = Arc::clone(pair);
        *left -= 1;
        if *left == 0 {
            self.0[which] = None;
        }
        pair
    }
}

/// Programs to run, until they have all been run or the time is over.
pub(crate) struct Course {
    /// As the test is named: for the message that says how to repeat a program.
    pub(crate) test: &'static str,
    pub(crate) flavours: &'static [Flavour],
    pub(crate) seed: u64,
    pub(crate) programs: u64,
    pub(crate) until: Option<Instant>,
    pub(crate) on_threads: bool,
}

impl Course {
    /// `WYN_SEED`, `WYN_PROGRAMS` and `WYN_TASKS` change what is run.
    pub(crate) fn run(mut self) {
        self.seed = env_number("WYN_SEED").unwrap_or(self.seed);
        self.programs = env_number("WYN_PROGRAMS").unwrap_or(self.programs);
        let tasks = env_number("WYN_TASKS").unwrap_or(24);
        eprintln!("{}: WYN_SEED={}", self.test, self.seed);
        let (mut runtimes, watch, begin) = (Runtimes::default(), Watch::begin(), Instant::now());
        let mut done = 0;
        while done < self.programs && self.until.is_none_or(|until| Instant::now() < until) {
            self.run_one(self.seed.wrapping_add(done), tasks, &mut runtimes, &watch);
            done += 1;
        }
        eprintln!("{}: {done} programs in {:.1?}", self.test, begin.elapsed());
    }

    fn run_one(&self, seed: u64, tasks: u64, runtimes: &mut Runtimes, watch: &Watch) {
        let mut random = Random::new(seed);
        (0..8).for_each(|_| _ = random.next());
        let mut choose = |n: usize| usize::try_from(random.below(n as u64)).expect("below a usize");
        let flavour = self.flavours[choose(self.flavours.len())];
        let (which, others) = (choose(WORKERS.len()), 1 + choose(3));
        let limit = 4 + choose(usize::try_from(tasks.saturating_sub(3)).expect("few"));
        let plan = sim::plan(&mut random, flavour, limit);
        let (backend, place) = if self.on_threads {
            (Backend::Threads, "threads of their own".to_owned())
        } else {
            (
                Backend::Runtimes(runtimes.get(which, others)),
                format!("{} and {others} workers", WORKERS[which]),
            )
        };
        let program = Program::new(plan, backend);
        let what = format!(
            "a program of {} on {place}; WYN_SEED={seed} WYN_PROGRAMS=1 WYN_TASKS={tasks} test {}",
            flavour.name, self.test
        );
        watch.look_at(what, &program);
        program.run_first();
        wait_until("all tasks have ended", || program.has_ended());
        wait_until("all closures are gone", || Arc::strong_count(&program) == 1);
    }
}
