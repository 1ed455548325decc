//! What more processors than this machine has would do: a simulation, fed with costs that were measured here.
//!
//! `cargo xtask simulate` runs it. Threads, their queues, the lines they share and their sleep are played out event
//! by event, under the policy of Wyn, as its sources have it, and under two others. Lines and locks serve one thread
//! at a time, so that limits of contention come out and are not put in.
//!
//! | file | what |
//! |---|---|
//! | `costs` | the prices: measured, but for few |
//! | `clock` | time, threads, parking and waking |
//! | `lines` | cache lines and locks: things with a queue |
//! | `ledger` | where the time went |
//! | `work` | trees, flat tasks, loops |
//! | `run` | what all policies share, and the checks after each run |
//! | `wyn/` | Wyn's policy, file by file |
//! | `single`, `queue` | random single steals; one queue under a lock |
//! | `curves` | speed-up over processors, and why it ends |
//! | `record` | the file that holds it all |
//!
//! It is a prediction. [`OMISSIONS`] says what is left out.
//!
//! ```
//! use wyn_bench::simulate::{Costs, PolicyName, Setup, Shape, Workload, simulate};
//!
//! let workload = Workload::about(Shape::Fib, 1000, 1000);
//! let setup = |cores| Setup {
//!     costs: Costs::example(), policy: PolicyName::Wyn, workload, cores, sockets: 1, seed: 1,
//! };
//! let (one, four) = (simulate(&setup(1)), simulate(&setup(4)));
//! assert!(four.time < one.time);
//! ```

mod clock;
mod costs;
mod curves;
mod ledger;
mod lines;
mod queue;
pub mod record;
mod run;
mod single;
#[cfg(test)]
mod tests;
mod work;
mod wyn;

pub use clock::Picos;
pub use costs::Costs;
pub use curves::{CORES, Plan, curve, plan};
pub use ledger::{Cause, Times};
pub use run::{Outcome, Setup};
pub use work::{CHUNK_NS, Children, Node, Shape, Workload};

use run::Flaw;

/// How work is divided among threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyName {
    /// Wyn as it is.
    Wyn,
    /// Wyn with fences on both sides instead of the heavy barrier, as it is where there is no membarrier.
    WynFences,
    /// Random single steals, as rayon's.
    Single,
    /// One queue under a lock, as Wyn's original design in C.
    Queue,
}

impl PolicyName {
    /// All of them.
    pub const ALL: [PolicyName; 4] =
        [PolicyName::Wyn, PolicyName::WynFences, PolicyName::Single, PolicyName::Queue];

    /// As it is in a record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PolicyName::Wyn => "wyn",
            PolicyName::WynFences => "wyn, fences",
            PolicyName::Single => "single steals",
            PolicyName::Queue => "global queue",
        }
    }

    /// Whether this is a variant of Wyn that is not how it is by default.
    #[must_use]
    pub fn is_proposal(self) -> bool {
        matches!(self, PolicyName::WynFences)
    }

    /// The prices under this policy.
    fn costs(self, costs: &Costs) -> Costs {
        match self {
            PolicyName::WynFences => costs.with_fences(),
            _ => costs.clone(),
        }
    }
}

/// What the model leaves out.
pub const OMISSIONS: [&str; 10] = [
    "Memory: the work of a task touches none, so no bandwidth runs out and no cache is lost to a steal.",
    "The processor's own sharing: no hyper-threads, no clock that falls when many are busy.",
    "The system's scheduler: a called thread runs after the measured delay, wherever that is; nobody else runs.",
    "Wake-ups are this virtual machine's: an idle virtual processor takes tens of microseconds to wake, a real one a few.",
    "A cache line costs the same from everywhere in a socket; a second socket, and what each further processor adds to \
     the price of a barrier, are assumptions.",
    "What one thread pays for several lines at once is the sum, though processors overlap some of it.",
    "Pages, allocation in bulk and the pool's depot: everything is warm.",
    "The policies besides Wyn's are written after their sources, in short; their figures are for comparing shapes.",
    "`par_for` splits whenever somebody is idle; the look at its own pace that keeps short loops on one thread is left \
     out.",
    "A thief that has to force its claim takes half also from an owner that is away for long, of which Wyn takes all.",
];

/// Address space, of which little is used.
const STACK_BYTES: usize = 1 << 30;

/// Runs a workload once. The same setup gives the same outcome.
///
/// # Panics
/// If `cores` or `sockets` is zero, and if the model is wrong: a job was lost, or was run twice.
#[must_use]
pub fn simulate(setup: &Setup) -> Outcome {
    simulate_with(setup, Flaw::None)
}

fn simulate_with(setup: &Setup, flaw: Flaw) -> Outcome {
    assert!(setup.cores > 0 && setup.sockets > 0, "a machine without processors");
    let run = || match setup.policy {
        PolicyName::Single => run::simulate::<single::Single>(setup, flaw),
        PolicyName::Queue => run::simulate::<queue::Queue>(setup, flaw),
        _ => run::simulate::<wyn::Wyn>(setup, flaw),
    };
    // A simulated thread's stack is of nested futures, which are polled from the bottom up.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run);
        match thread.expect("the system gives a thread").join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
