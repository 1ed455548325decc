//! The C++ peers: one program each, built where a compiler and the library are found.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cmd;

/// A library of C++ that forks and joins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// Chooses the backend in `peers/cpp`.
    define: &'static str,
    /// The header that a trial compiles.
    header: &'static str,
    /// A declaration that the trial compiles too: what an older version of the library does not have.
    newest: &'static str,
    /// An environment variable that names the directory of the sources.
    variable: &'static str,
    /// Where headers lie in that directory.
    include: &'static [&'static str],
    /// The standard that it is written for.
    standard: &'static str,
    /// What it is linked with.
    link: &'static [&'static str],
    /// How to get it.
    how: &'static str,
}

pub(crate) static LIBFORK: Library = Library {
    define: "WYN_LIBFORK",
    header: "libfork.hpp",
    newest: "using newest = lf::lazy_pool;",
    variable: "WYN_LIBFORK",
    include: &["single_header", "."],
    standard: "c++23",
    link: &[],
    how: "clone github.com/ConorWilliams/libfork and set WYN_LIBFORK=/path/to/it",
};

pub(crate) static TOOMANYCOOKS: Library = Library {
    define: "WYN_TMC",
    header: "tmc/all_headers.hpp",
    newest: "using newest = tmc::task<void>;",
    variable: "WYN_TMC",
    include: &["include", "."],
    standard: "c++20",
    link: &["-latomic"],
    how: "clone github.com/tzcnt/TooManyCooks and set WYN_TMC=/path/to/it",
};

pub(crate) static ONETBB: Library = Library {
    define: "WYN_ONETBB",
    header: "tbb/task_group.h",
    newest: "using newest = tbb::task_group;",
    variable: "WYN_ONETBB",
    include: &["include", "."],
    standard: "c++20",
    link: &["-ltbb"],
    how: "`apt-get install libtbb-dev`",
};

pub(crate) static TASKFLOW: Library = Library {
    define: "WYN_TASKFLOW",
    header: "taskflow/taskflow.hpp",
    newest: "using newest = tf::TaskGroup;",
    variable: "WYN_TASKFLOW",
    include: &["."],
    standard: "c++20",
    link: &[],
    how: "needs Taskflow 4, with `tf::TaskGroup`: a package libtaskflow-cpp-dev of that version, or clone \
          github.com/taskflow/taskflow and set WYN_TASKFLOW=/path/to/it",
};

impl Library {
    /// The program, or what is missing.
    pub(super) fn build(&self) -> Result<PathBuf, String> {
        if cmd::output_of(self.compiler().arg("--version")).is_none() {
            return Err("needs a C++ compiler: `apt-get install g++`, or CXX=/path/to/c++".to_owned());
        }
        if !self.found() {
            return Err(self.how.to_owned());
        }
        let source = cmd::root().join("wyn-bench/peers/cpp/main.cpp");
        let program = cmd::target_dir().join("bench").join(format!("peer-{}", self.define.to_lowercase()));
        let mut command = self.compiler();
        command.args(["-O3", "-DNDEBUG", "-w", "-D", self.define, "-o"]).arg(&program);
        command.arg(source).args(self.link);
        match cmd::run(&mut command) {
            Ok(()) => Ok(program),
            Err(error) => Err(format!("found, but does not compile ({error}); {}", self.how)),
        }
    }

    /// Whether the header and the declaration compile.
    fn found(&self) -> bool {
        let mut command = self.compiler();
        command.args(["-fsyntax-only", "-w", "-include", self.header, "-x", "c++", "-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(mut trial) = command.spawn() else { return false };
        // A compiler that gives up early does not read on: its status says so.
        let _ = trial.stdin.take().map(|mut source| source.write_all(self.newest.as_bytes()));
        trial.wait().is_ok_and(|status| status.success())
    }

    /// The compiler, `CXX` or else `c++`, with what this library needs.
    fn compiler(&self) -> Command {
        let mut command = Command::new(std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned()));
        command.args([format!("-std={}", self.standard).as_str(), "-pthread"]);
        if let Some(named) = std::env::var_os(self.variable) {
            for directory in self.include {
                command.arg("-I").arg(PathBuf::from(&named).join(directory));
            }
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_says_how_to_get_it() {
        static NOWHERE: Library = Library {
            define: "WYN_NOWHERE",
            header: "no/such/header.hpp",
            newest: "",
            variable: "WYN_NOWHERE",
            include: &["."],
            standard: "c++20",
            link: &[],
            how: "nowhere",
        };
        let missing = NOWHERE.build().unwrap_err();
        assert!(missing == "nowhere" || missing.contains("needs a C++ compiler"), "{missing}");
    }
}
