//! The flaws of one crate, as its `tests/mutants.toml` lists them.
//!
//! Each is a piece of text that occurs exactly once in a file and another in its place. Text that is not there any
//! more, or there twice, is an error of the list: a flaw that is silently not planted would look like one that is caught.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// How long a test may take when a list says nothing.
const DEFAULT_SECONDS: u64 = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    #[serde(skip)]
    pub(super) krate: String,
    /// A test that takes longer hangs; a model is left after as many, explored or not, and hangs after twice as many.
    #[serde(default = "default_seconds")]
    pub(super) seconds: u64,
    /// Variables for the tests.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// In the order in which they are planted.
    #[serde(rename = "flaw", default)]
    pub(super) flaws: Vec<Flaw>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flaw {
    pub(super) name: String,
    /// Below the crate.
    pub(super) file: String,
    /// Occurs once.
    from: String,
    to: String,
    /// What must be replaced beside.
    #[serde(default)]
    also: Vec<Edit>,
    /// Who catches it, each of them: `target::path::of::the_test` or, for any test of it, `target`. Targets are the
    /// files in `tests/`, and `lib` for the unit tests; those that start with `loom` are built as models.
    pub(super) tests: Vec<String>,
    /// The tests are caught in it: they do not fail, but never end.
    #[serde(default)]
    pub(super) hangs: bool,
    /// Why none of the tests can catch it.
    pub(super) survives: Option<String>,
}

/// One text in the place of another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// Below the crate; the flaw's own file if left out.
    file: Option<String>,
    from: String,
    to: String,
}

/// Why an edit cannot be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    NotThere,
    Occurs(usize),
    ChangesNothing,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => f.write_str("the text is not there"),
            Self::Occurs(times) => write!(f, "the text occurs {times} times"),
            Self::ChangesNothing => f.write_str("the replacement is the text itself"),
        }
    }
}

fn default_seconds() -> u64 {
    DEFAULT_SECONDS
}

impl List {
    pub(super) fn read(root: &Path, krate: &str) -> Result<Self> {
        let path = root.join(krate).join("tests").join("mutants.toml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
        Self::parse(krate, &text).with_context(|| path.display().to_string())
    }

    pub(super) fn parse(krate: &str, text: &str) -> Result<Self> {
        Ok(Self { krate: krate.to_owned(), ..toml::from_str(text)? })
    }

    /// Where it stands, below the root.
    pub(super) fn path(&self) -> String {
        format!("{}/tests/mutants.toml", self.krate)
    }

    /// What does not fit the sources below `root`, one line each.
    pub(super) fn misfits(&self, root: &Path) -> Vec<String> {
        let krate = root.join(&self.krate);
        let mut lines = Vec::new();
        for (at, flaw) in self.flaws.iter().enumerate() {
            let mut add = |problem: String| lines.push(format!("{}: {problem}", flaw.name));
            if self.flaws[..at].iter().any(|other| other.name == flaw.name) {
                add("another has the same name".to_owned());
            }
            if flaw.tests.is_empty() {
                add("no test is named".to_owned());
            }
            if flaw.hangs && flaw.survives.is_some() {
                add("what survives cannot hang".to_owned());
            }
            if let Err(error) = flaw.planted(&krate) {
                add(format!("{error:#}"));
            }
        }
        lines
    }
}

impl Flaw {
    /// The files it changes, below the crate, and what they contain with it.
    pub(super) fn planted(&self, krate: &Path) -> Result<BTreeMap<PathBuf, String>> {
        let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
        let own = (self.file.as_str(), self.from.as_str(), self.to.as_str());
        let more = self.also.iter();
        let more = more.map(|edit| (edit.file.as_deref().unwrap_or(&self.file), &*edit.from, &*edit.to));
        for (file, from, to) in std::iter::once(own).chain(more) {
            let path = PathBuf::from(file);
            let text = match texts.remove(&path) {
                Some(text) => text,
                None => std::fs::read_to_string(krate.join(file)).with_context(|| file.to_owned())?,
            };
            let text = replaced(&text, from, to).map_err(|misfit| anyhow::anyhow!("{file}: {misfit}"))?;
            texts.insert(path, text);
        }
        Ok(texts)
    }
}

/// `text` with `to` in the only place of `from`.
pub(super) fn replaced(text: &str, from: &str, to: &str) -> Result<String, Misfit> {
    if from == to {
        return Err(Misfit::ChangesNothing);
    }
    match text.matches(from).count() {
        0 => Err(Misfit::NotThere),
        1 => Ok(text.replacen(from, to, 1)),
        times => Err(Misfit::Occurs(times)),
    }
}
