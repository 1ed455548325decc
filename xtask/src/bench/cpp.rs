//! The C++ peers: one program each, built where a compiler and the library are found, and only when something changed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
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
        let Some(version) = cmd::output_of(self.compiler().arg("--version")) else {
            return Err("needs a C++ compiler: `apt-get install g++`, or CXX=/path/to/c++".to_owned());
        };
        if !self.found() {
            return Err(self.how.to_owned());
        }
        let source = cmd::root().join("wyn-bench/peers/cpp/main.cpp");
        let program = cmd::target_dir().join("bench").join(format!("peer-{}", self.define.to_lowercase()));
        let mut command = self.compiler();
        command.args(["-O3", "-DNDEBUG", "-w", "-D", self.define, "-MD", "-MF"]);
        command.arg(program.with_extension("d")).arg("-o").arg(&program);
        command.arg(source).args(self.link);
        let recipe = format!("{version}\n{command:?}\n");
        if is_current(&program, &recipe) {
            return Ok(program);
        }
        match cmd::run(&mut command) {
            // Without the recipe the next run builds again.
            Ok(()) => std::fs::write(program.with_extension("recipe"), recipe)
                .map_or_else(|error| Err(error.to_string()), |()| Ok(program)),
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

/// Whether a program was built by this recipe, and nothing that it is made of has changed since: some take a minute.
fn is_current(program: &Path, recipe: &str) -> bool {
    let read = |extension| std::fs::read_to_string(program.with_extension(extension)).unwrap_or_default();
    let changed = |file: &Path| file.metadata().and_then(|data| data.modified()).ok();
    let Some(built) = changed(program) else { return false };
    // `program: main.cpp header.hpp \`, and so on; a name that is no file, such as half of one with a space in it,
    // only has the program built once more.
    let list = read("d");
    let mut made_of = list.split_whitespace().skip(1).filter(|word| *word != "\\").peekable();
    read("recipe") == recipe
        && made_of.peek().is_some()
        && made_of.all(|file| changed(Path::new(file)).is_some_and(|changed| changed <= built))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard library, asked for something that is in it or is not.
    fn library(header: &'static str, newest: &'static str) -> Library {
        Library {
            define: "WYN_NOWHERE",
            header,
            newest,
            variable: "WYN_NOWHERE",
            include: &["."],
            standard: "c++20",
            link: &[],
            how: "nowhere",
        }
    }

    #[test]
    fn a_library_that_is_not_there_says_how_to_get_it() {
        let missing = library("no/such/header.hpp", "").build().unwrap_err();
        assert!(missing == "nowhere" || missing.contains("needs a C++ compiler"), "{missing}");
    }

    #[test]
    fn a_library_that_is_too_old_is_not_there() {
        let vector = library("vector", "using newest = std::vector<int>;");
        if cmd::output_of(vector.compiler().arg("--version")).is_none() {
            return note!("skipped: no C++ compiler");
        }
        assert!(vector.found());
        assert!(!library("vector", "using newest = std::nothing_of_that_name;").found());
    }

    #[test]
    fn a_program_is_current_until_something_changes() {
        let directory = std::env::temp_dir().join(format!("wyn-recipe-{}", std::process::id()));
        let (program, source) = (directory.join("peer-x"), directory.join("main.cpp"));
        let write = |file: &Path, text: &str| std::fs::write(file, text).unwrap();
        std::fs::create_dir_all(&directory).unwrap();
        write(&source, "");
        write(&program, "");
        write(&program.with_extension("d"), &format!("{}: \\\n {}\n", program.display(), source.display()));
        assert!(!is_current(&program, "c++ -O3"), "never built by a recipe");
        write(&program.with_extension("recipe"), "c++ -O3");
        assert!(is_current(&program, "c++ -O3"));
        assert!(!is_current(&program, "c++ -O2"));
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
        assert!(!is_current(&program, "c++ -O3"), "its source is newer");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
