//! Which features there are, and which combinations are tried.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cmd;

/// A crate and its features, without `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Library {
    pub(super) name: String,
    pub(super) features: Vec<String>,
    /// Those that are on unless one says otherwise.
    pub(super) default: Vec<String>,
}

/// How many of the combinations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// None, each alone or each changed, all, and the default with fences.
    Pruned,
    /// Every subset, with and without fences.
    Full,
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) krate: String,
    pub(super) features: Vec<String>,
    pub(super) fences: bool,
}

impl Variant {
    pub(super) fn name(&self) -> String {
        let features = if self.features.is_empty() { "none".to_owned() } else { self.features.join(", ") };
        if self.fences { features + "; fences" } else { features }
    }

    /// What cargo is told.
    pub(super) fn selection(&self) -> Vec<String> {
        let mut words = vec!["--package".to_owned(), self.krate.clone(), "--no-default-features".to_owned()];
        if !self.features.is_empty() {
            words.extend(["--features".to_owned(), self.features.join(",")]);
        }
        words
    }
}

/// The libraries that have features.
pub(super) fn libraries() -> Result<Vec<Library>> {
    let metadata = cmd::output_of(&mut cmd::cargo(["metadata", "--no-deps", "--format-version", "1"]));
    let metadata = serde_json::from_str(&metadata.context("cargo metadata failed")?)?;
    let all: Option<Vec<Library>> = cmd::LIBRARIES.iter().map(|name| library(&metadata, name)).collect();
    let all = all.context("cargo metadata does not name every library")?;
    Ok(all.into_iter().filter(|library| !library.features.is_empty()).collect())
}

fn library(metadata: &Value, name: &str) -> Option<Library> {
    let packages = metadata["packages"].as_array()?;
    let features = packages.iter().find(|package| package["name"] == name)?["features"].as_object()?;
    let default = features.get("default").and_then(Value::as_array);
    let default = default.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Some(Library {
        name: name.to_owned(),
        features: features.keys().filter(|feature| *feature != "default").cloned().collect(),
        default: default.collect(),
    })
}

/// The combinations of a library, the smallest first.
pub(super) fn variants(library: &Library, extent: Extent) -> Vec<Variant> {
    let sets = match extent {
        Extent::Pruned => pruned(&library.features),
        Extent::Full => powerset(&library.features),
    };
    let plain = |features: &Vec<String>| Variant {
        krate: library.name.clone(),
        features: features.clone(),
        fences: false,
    };
    let mut variants: Vec<Variant> = sets.iter().map(plain).collect();
    // Only the scheduler has barriers.
    if library.name == "wyn-sched" {
        let fenced = match extent {
            Extent::Pruned => vec![library.default.clone()],
            Extent::Full => sets,
        };
        variants.extend(fenced.iter().map(|features| Variant { fences: true, ..plain(features) }));
    }
    variants
}

fn pruned(features: &[String]) -> Vec<Vec<String>> {
    let mut sets = vec![Vec::new()];
    sets.extend(features.iter().map(|feature| vec![feature.clone()]));
    if features.len() > 1 {
        sets.push(features.to_vec());
    }
    sets
}

fn powerset(features: &[String]) -> Vec<Vec<String>> {
    let mut sets = vec![Vec::new()];
    for feature in features {
        let with = |set: &Vec<String>| set.iter().cloned().chain([feature.clone()]).collect();
        let more: Vec<Vec<String>> = sets.iter().map(with).collect();
        sets.extend(more);
    }
    sets.sort_by_key(Vec::len);
    sets
}

/// What is measured beside each other: the default first, then other sets of features, and the default with fences last.
/// They are features of `wyn-sched`, by which those of the crates below are reached.
pub(super) fn measured(sched: &Library, extent: Extent) -> Vec<(String, Variant)> {
    let default = Variant { krate: sched.name.clone(), features: sched.default.clone(), fences: false };
    let mut sets = powerset(&sched.features);
    sets.sort_by_key(|set| changes(sched, set).len());
    if extent == Extent::Pruned {
        sets.retain(|set| changes(sched, set).len() < 2 || set.len() == sched.features.len());
    }
    let named =
        |features: Vec<String>| (difference(sched, &features), Variant { features, ..default.clone() });
    let mut all: Vec<_> = sets.into_iter().map(named).collect();
    all.push(("fences".to_owned(), Variant { fences: true, ..default }));
    all
}

/// How a set of features differs from the default: `-channel +stats`.
fn difference(sched: &Library, set: &[String]) -> String {
    match changes(sched, set) {
        changes if changes.is_empty() => "default".to_owned(),
        changes if changes.len() > 1 && set.len() == sched.features.len() => "all".to_owned(),
        changes => changes.join(" "),
    }
}

fn changes(sched: &Library, set: &[String]) -> Vec<String> {
    let change = |feature: &String| match (sched.default.contains(feature), set.contains(feature)) {
        (true, false) => Some(format!("-{feature}")),
        (false, true) => Some(format!("+{feature}")),
        _ => None,
    };
    sched.features.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sched() -> Library {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Library { name: "wyn-sched".to_owned(), features: words(&["a", "b", "c"]), default: words(&["a"]) }
    }

    #[test]
    fn every_subset_with_and_without_fences() {
        let variants = variants(&sched(), Extent::Full);
        assert_eq!(variants.len(), 16);
        let mut names: Vec<String> = variants.iter().map(Variant::name).collect();
        assert_eq!((&*names[0], &*names[7], &*names[15]), ("none", "a, b, c", "a, b, c; fences"));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 16);
    }

    #[test]
    fn the_pruned_set_has_each_feature_alone() {
        let names: Vec<String> = variants(&sched(), Extent::Pruned).iter().map(Variant::name).collect();
        assert_eq!(names, ["none", "a", "b", "c", "a, b, c", "a; fences"]);
        let one = Library { name: "wyn-pool".to_owned(), features: vec!["x".to_owned()], default: vec![] };
        let names: Vec<String> = variants(&one, Extent::Pruned).iter().map(Variant::name).collect();
        assert_eq!(names, ["none", "x"]);
    }

    #[test]
    fn one_thing_is_changed_at_a_time() {
        let measured = measured(&sched(), Extent::Pruned);
        let names: Vec<&str> = measured.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["default", "-a", "+b", "+c", "all", "fences"]);
        assert!(measured[1].1.features.is_empty());
        assert_eq!(measured[2].1.features, ["a", "b"]);
        assert_eq!(measured[4].1.features, ["a", "b", "c"]);
        assert!(measured[5].1.fences && !measured[4].1.fences);
    }

    #[test]
    fn or_everything() {
        let measured = measured(&sched(), Extent::Full);
        let names: Vec<&str> = measured.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["default", "-a", "+b", "+c", "-a +b", "-a +c", "all", "-a +b +c", "fences"]);
    }

    #[test]
    fn features_come_from_the_manifest() {
        let libraries = libraries().unwrap();
        let sched = libraries.iter().find(|library| library.name == "wyn-sched").unwrap();
        assert!(sched.features.contains(&"channel".to_owned()));
        assert!(!sched.features.contains(&"default".to_owned()));
        assert_eq!(sched.default, ["channel"]);
    }
}
