//! What came of a flaw beside what its list says.

use super::list::Flaw;

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Passed,
    /// With its first message.
    Failed(String),
    TimedOut,
}

/// What came of the tests.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Catches nothing: the flaw as written is no program.
    NotBuilt(String),
    Ran(Vec<(String, End)>),
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) expected: String,
    pub(super) result: String,
    /// What is not as the list says.
    pub(super) surprise: Option<String>,
}

/// What the list says of a flaw.
pub(super) fn expected(flaw: &Flaw) -> String {
    let tests = flaw.tests.join(", ");
    match &flaw.survives {
        Some(reason) => format!("nobody: {reason}"),
        None if flaw.hangs => format!("{tests} (hangs)"),
        None => tests,
    }
}

/// All tests must pass when nothing is planted.
pub(super) fn of_control(outcome: &Outcome) -> Verdict {
    verdict("nobody: it is the control".to_owned(), outcome, |end| *end == End::Passed)
}

pub(super) fn of(flaw: &Flaw, outcome: &Outcome) -> Verdict {
    verdict(expected(flaw), outcome, |end| match end {
        End::Passed => flaw.survives.is_some(),
        End::Failed(_) => flaw.survives.is_none() && !flaw.hangs,
        End::TimedOut => flaw.survives.is_none() && flaw.hangs,
    })
}

fn verdict(expected: String, outcome: &Outcome, is_expected: impl Fn(&End) -> bool) -> Verdict {
    let result = shown(outcome);
    let surprise = match outcome {
        Outcome::NotBuilt(_) => Some(result.clone()),
        Outcome::Ran(ends) => {
            let odd: Vec<_> = ends.iter().filter(|(_, end)| !is_expected(end)).map(shown_end).collect();
            (!odd.is_empty()).then(|| odd.join(", "))
        }
    };
    Verdict { expected, result, surprise }
}

/// In short where all tests ended alike.
fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NotBuilt(error) => format!("does not compile: {error}"),
        Outcome::Ran(ends) if ends.iter().all(|(_, end)| *end == End::Passed) => "survives".to_owned(),
        Outcome::Ran(ends) => ends.iter().map(shown_end).collect::<Vec<_>>().join(", "),
    }
}

/// As much of a message as a table has room for.
const REASON_CHARS: usize = 60;

fn shown_end((test, end): &(String, End)) -> String {
    match end {
        End::Passed => format!("{test} passes"),
        End::Failed(reason) if reason.chars().count() > REASON_CHARS => {
            format!("{test} fails: {}…", reason.chars().take(REASON_CHARS).collect::<String>())
        }
        End::Failed(reason) => format!("{test} fails: {reason}"),
        End::TimedOut => format!("{test} runs out of time"),
    }
}
