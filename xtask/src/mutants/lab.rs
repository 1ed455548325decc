//! The copy of the workspace in which flaws are planted, with target directories of its own.
//!
//! It stays from one run to the next, so that a run builds only what has changed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub(super) struct Lab {
    dir: PathBuf,
    /// Held while the lab is in use: two runs in one lab would see each other's flaws.
    _in_use: File,
}

impl Lab {
    /// Brings the copy in `dir` up to date with the workspace in `root`.
    pub(super) fn open(root: &Path, dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let in_use = File::create(dir.join("lock"))?;
        if in_use.try_lock().is_err() {
            bail!("another run uses {}", dir.display());
        }
        let lab = Self { dir: dir.to_owned(), _in_use: in_use };
        mirror(root, &lab.workspace()).context("copying the workspace")?;
        Ok(lab)
    }

    /// The root of the copy.
    pub(super) fn workspace(&self) -> PathBuf {
        self.dir.join("workspace")
    }

    /// Where builds of that kind go.
    pub(super) fn target_dir(&self, kind: &str) -> PathBuf {
        self.dir.join(kind)
    }

    /// What the test that runs prints.
    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Runs `body` while these files of the crate have these contents.
    pub(super) fn with<R>(
        &self,
        krate: &str,
        files: &BTreeMap<PathBuf, String>,
        body: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        let paths = || files.iter().map(|(file, text)| (self.workspace().join(krate).join(file), text));
        let sound: Vec<_> =
            paths().map(|(path, _)| fs::read(&path).map(|text| (path, text))).collect::<Result<_, _>>()?;
        for (path, text) in paths() {
            fs::write(path, text)?;
        }
        let result = body();
        for (path, text) in sound {
            fs::write(path, text)?;
        }
        result
    }
}

/// Makes `to` the same as `from`, without what is built, and touches no file that is the same already.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let mut names: BTreeSet<OsString> = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            if is_left_out(&path) {
                continue;
            }
            mirror(&path, &copy)?;
        } else if fs::read(&path)? != fs::read(&copy).unwrap_or_default() || !copy.exists() {
            fs::copy(&path, &copy)?;
        }
        names.insert(entry.file_name());
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if names.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// History, and what cargo builds, which it marks as a cache.
fn is_left_out(dir: &Path) -> bool {
    dir.ends_with(".git") || dir.join("CACHEDIR.TAG").exists()
}
