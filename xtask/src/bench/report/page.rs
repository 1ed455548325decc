//! The page as a whole: what Wyn is good and bad at, then every record, then how it was measured, then the data.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wyn_bench::record::{Host, Record};

use super::allocators;
use super::bars;
use super::beside;
use super::features;
use super::html::{Element, Html, el};
use super::run;
use super::simulation;
use super::source::{Kind, Source, sources};
use super::verdict::{Stand, extremes, stands};
use crate::bench::plan::Group;
use crate::cmd;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The largest wins, and as many losses.
const EXTREMES: usize = 8;

const METHOD: [&str; 7] = [
    "One process per measurement; it checks the answer before it prints a time. A wrong answer fails the whole run.",
    "A round measures every cell on every backend and begins with another backend each time; figures are medians over \
     the rounds. Every dot is a round; hollow ones were disturbed and left out.",
    "Cold is the first pass in a fresh process; other times are of the passes after it.",
    "The noise of a figure of n rounds is 7 median absolute deviations over √n. Less is ≈: no clear difference.",
    "A ' marks a figure from about one processor, where contention between two is not in it.",
    "Bars are linear from nothing, or logarithmic where values differ by more than 15 times; the axis says so.",
    "Every process is a session of its own with priority; time limits kill who hangs; the allocator is the same for \
     all Rust backends.",
];
const BIAS: [&str; 4] = [
    "We chose the workloads, and most of them are many tiny tasks: what Wyn is made for. With microseconds of work in \
     each task the runtimes come close to each other.",
    "Tokio, async-executor, smolscale and Go multiplex I/O and can suspend a task in the middle; Wyn's tasks run to \
     the end.",
    "rayon_scope and go return no handle: they do less than the others. serial is plain calls, a floor and no peer.",
    "Two processors of a virtual machine: many cores and several sockets are predicted at most, never measured.",
];

/// Writes the page of these records, or of all published ones.
pub(super) fn write(files: &[PathBuf], output: Option<&Path>) -> Result<()> {
    let sources = sources(files)?;
    let file = output.map_or_else(|| cmd::target_dir().join("bench/report.html"), Path::to_path_buf);
    if let Some(dir) = file.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    }
    let page = page(&sources);
    std::fs::write(&file, page).with_context(|| format!("{} cannot be written", file.display()))?;
    say!("{} records: {}", sources.len(), file.display());
    Ok(())
}

pub(super) fn page(sources: &[Source]) -> String {
    let stands = stands(sources);
    let head = el("head")
        .child(el("meta").at("charset", "utf-8"))
        .child(el("meta").at("name", "viewport").at("content", "width=device-width, initial-scale=1"))
        .child(el("title").text("Wyn, measured"))
        .child(el("style").raw(STYLE));
    let main = el("main")
        .child(minute(&stands, sources))
        .children(groups(sources))
        .children(allocators::section(sources))
        .children(features::section(sources))
        .children(simulation::section(sources))
        .child(method())
        .child(data(sources));
    let body = el("body")
        .child(header(sources))
        .child(main)
        .children(sources.iter().map(embedded))
        .child(el("script").raw(SCRIPT));
    let html: Html = el("html").at("lang", "en").child(head).child(body).into();
    format!("<!DOCTYPE html>\n{}\n", html.as_str())
}

fn header(sources: &[Source]) -> Element {
    let mut links: Vec<(String, String)> = vec![("minute".to_owned(), "In one minute".to_owned())];
    links.extend(present(sources).map(|group| (format!("g-{}", group.name()), capitalized(group.name()))));
    let named =
        |kind: &str| sources.iter().any(|source| matches!(&source.kind, Kind::Named(name) if name == kind));
    let others = [
        (allocators::KIND, "allocators", "Allocators"),
        (features::KIND, "features", "Features"),
        (simulation::KIND, "prediction", "Prediction"),
    ];
    let others = others.into_iter().filter(|(kind, ..)| named(kind));
    links.extend(others.map(|(_, id, words)| (id.to_owned(), words.to_owned())));
    links
        .extend([("method", "Method and bias"), ("data", "Data")].map(|(a, b)| (a.to_owned(), b.to_owned())));
    let link = |(id, words): (String, String)| el("a").at("href", format!("#{id}")).text(words);
    let theme = el("button").at("type", "button").at("id", "theme").text("Theme: auto");
    el("header")
        .child(el("h1").text("Wyn, measured"))
        .child(el("nav").at("aria-label", "Sections").children(links.into_iter().map(link)).child(theme))
}

fn capitalized(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

/// The groups that have a record.
fn present(sources: &[Source]) -> impl Iterator<Item = Group> {
    let has =
        |group: &Group| sources.iter().filter_map(Source::run).any(|record| record.group == group.name());
    Group::ALL.into_iter().filter(has).collect::<Vec<_>>().into_iter()
}

fn minute(stands: &[Stand], sources: &[Source]) -> Element {
    let (wins, losses) = extremes(stands, EXTREMES);
    let total = |which: &dyn Fn(&Stand) -> bool| stands.iter().filter(|s| s.main && which(s)).count();
    let words = format!(
        "Wyn runs many small CPU-bound tasks. Of {} rows, each one workload at one size, it is ahead of every other \
         library in {}, level with the best in {}, and behind it in {}.",
        total(&|_| true),
        total(&Stand::is_win),
        total(&|stand| !stand.is_win() && !stand.is_loss()),
        total(&Stand::is_loss),
    );
    let glance = el("div").class("glance").child(won_and_lost(stands)).children(beside::panel(sources));
    let verdict = el("div").class("verdict").child(column("Largest leads", "ahead", &wins)).child(column(
        "Largest losses",
        "behind",
        &losses,
    ));
    el("section")
        .at("id", "minute")
        .child(el("h2").text("In one minute"))
        .child(el("p").text(words))
        .child(el("p").class("small").text(machines(sources)))
        .child(glance)
        .child(verdict)
}

/// A bar for each group: in how many of its rows Wyn is ahead, and behind.
fn won_and_lost(stands: &[Stand]) -> Element {
    let count = |group: &str, which: &dyn Fn(&Stand) -> bool| {
        stands.iter().filter(|stand| stand.main && stand.group == group && which(stand)).count()
    };
    let groups = Group::ALL.into_iter().map(Group::name).filter(|group| count(group, &|_| true) > 0);
    let shares = groups.map(|group| {
        let (ahead, behind) = (count(group, &Stand::is_win), count(group, &Stand::is_loss));
        let level = count(group, &|_| true) - ahead - behind;
        let parts = [
            ("ahead", "ahead", ahead),
            ("level", "no clear difference", level),
            ("behind", "behind", behind),
        ];
        bars::shares(group, parts)
    });
    let key = [
        ("ahead", "ahead of every other"),
        ("level", "no clear difference: within 5 % or the noise"),
        ("behind", "behind the best"),
    ];
    let key = el("ul")
        .class("key steps")
        .children(key.map(|(class, words)| el("li").child(el("span").class(class)).text(words)));
    el("div").child(el("h3").text("Rows won and lost")).children(shares).child(key)
}

/// What the runs were measured on.
fn machines(sources: &[Source]) -> String {
    let machine = |record: &Record| {
        let Host { cpu, cpus, memory_mib, kernel, rustc, .. } = &record.host;
        format!("{cpu}, {cpus} CPUs, {} GiB, {kernel}, {rustc}", memory_mib / 1024)
    };
    let all: BTreeSet<String> = sources.iter().filter_map(Source::run).map(machine).collect();
    format!("Measured on {}.", all.into_iter().collect::<Vec<_>>().join("; and on "))
}

/// The extremes of one kind, one row of each workload.
fn column(title: &str, class: &str, stands: &[&Stand]) -> Element {
    let line = |stand: &&Stand| {
        let figures = format!("{}: Wyn {}, {} {}", stand.row, stand.ours, stand.other, stand.theirs);
        let to = format!("#w-{}-{}", stand.record, stand.workload);
        el("li")
            .child(el("b").text(stand.words()))
            .child(el("span").class("row").text(&stand.what))
            .child(el("a").class("small").at("href", to).text(figures))
    };
    let list = if stands.is_empty() {
        el("p").text("None beyond 5 % and the noise.")
    } else {
        el("ol").children(stands.iter().map(line))
    };
    el("div").class(class).child(el("h3").text(title)).child(list)
}

fn groups(sources: &[Source]) -> Vec<Html> {
    let section = |group: Group| {
        let runs = sources.iter().filter_map(|source| Some((source, source.run()?)));
        let runs: Vec<_> = runs.filter(|(_, record)| record.group == group.name()).collect();
        // The one with most in it is open.
        let open = runs.iter().map(|(_, record)| record.entries.len()).max();
        let first = runs.iter().position(|(_, record)| Some(record.entries.len()) == open);
        let records = runs
            .iter()
            .enumerate()
            .map(|(i, (source, record))| run::section(source, record, Some(i) == first));
        el("section")
            .at("id", format!("g-{}", group.name()))
            .child(el("h2").text(capitalized(group.name())))
            .children(records)
            .into()
    };
    present(sources).map(section).collect()
}

fn method() -> Element {
    let list = |lines: &[&'static str]| el("ul").children(lines.iter().map(|line| el("li").text(line)));
    el("section")
        .at("id", "method")
        .child(el("h2").text("Method and bias"))
        .child(
            el("div")
                .class("columns")
                .child(el("div").child(el("h3").text("Method")).child(list(&METHOD)))
                .child(el("div").child(el("h3").text("Bias")).child(list(&BIAS))),
        )
        .child(el("p").text("More in BENCHMARKS.md. Every figure comes from the records below, which name machine, revision and command."))
}

/// Every file: what it is, and a button that saves it.
fn data(sources: &[Source]) -> Element {
    let line = |source: &Source| {
        let what = match &source.kind {
            Kind::Run(record) => {
                format!("{}; revision {}, {}", source.title(), record.host.revision, record.host.cpu)
            }
            Kind::Named(kind) if kind == simulation::KIND => "a prediction".to_owned(),
            Kind::Named(kind) if kind == allocators::KIND => "allocators compared".to_owned(),
            Kind::Named(kind) if kind == features::KIND => "what features cost".to_owned(),
            Kind::Named(kind) => format!("a record of kind “{kind}”, which this page does not draw"),
            Kind::Unknown(why) => format!("not drawn: {why}"),
        };
        let save = el("button").at("type", "button").at("data-save", format!("data-{}", source.name));
        let save = save.at("data-name", format!("{}.json", source.name)).text("Save");
        let name = el("th").at("scope", "row").text(format!("{}.json", source.name));
        el("tr").child(name).child(el("td").text(what)).child(el("td").child(save))
    };
    let table = el("table").class("files").child(el("tbody").children(sources.iter().map(line)));
    el("section").at("id", "data").child(el("h2").text("Data")).child(el("div").class("scroll").child(table))
}

fn embedded(source: &Source) -> Element {
    el("script").at("type", "application/json").at("id", format!("data-{}", source.name)).json(&source.json)
}

#[cfg(test)]
mod tests {
    use super::super::html::assert_well_formed;
    use super::super::made_up_source;
    use super::super::source::sources;
    use super::*;
    use crate::bench::rows::made_up::{entry, record};
    use serde_json::json;
    use wyn_bench::record::{Entry, Outcome};

    #[test]
    fn hostile_records_make_a_page_and_nothing_else() {
        let hostile = "</script><script>alert('x')</script><b a=\"\">&";
        let mut record = record(vec![entry("wyn", 10_000, 10.0), entry(hostile, 10_000, 30.0)]);
        record
            .entries
            .push(Entry { outcome: Outcome::Missing(hostile.to_owned()), ..entry("go", 10_000, 1.0) });
        record.host.cpu = hostile.to_owned();
        record.command = hostile.to_owned();
        let page = page(&[made_up_source("made-up", record)]);
        assert_well_formed(&page);
        assert!(!page.contains("<script>alert") && !page.contains("<b a="));
        assert!(page.contains("not installed: go"));
    }

    #[test]
    fn other_kinds_are_listed() {
        let named = Source {
            name: "next-year".to_owned(),
            kind: Kind::Named("unheard-of".to_owned()),
            json: json!({"kind": "unheard-of"}),
        };
        let unknown =
            Source { name: "odd".to_owned(), kind: Kind::Unknown("layout 77".to_owned()), json: json!([1]) };
        let page = page(&[named, unknown]);
        assert_well_formed(&page);
        assert!(page.contains("next-year.json") && page.contains("unheard-of"));
        assert!(page.contains("odd.json") && page.contains("layout 77"));
    }

    #[test]
    fn the_published_records_are_all_there_and_the_page_needs_nothing_else() {
        let sources = sources(&[]).unwrap();
        let page = page(&sources);
        assert_well_formed(&page);
        for outside in ["src=", "@import", "url(", "href=\"http", "href=\"//", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        for source in &sources {
            assert!(page.contains(&format!("id=\"data-{}\"", source.name)));
            for entry in source.run().iter().flat_map(|record| &record.entries) {
                assert!(page.contains(&format!("id=\"w-{}-{}\"", source.name, entry.cell.workload)));
            }
        }
    }

    #[test]
    fn the_embedded_data_are_the_records() {
        let record = record(vec![entry("wyn", 10_000, 10.0)]);
        let source = made_up_source("made-up", record);
        let page = page(std::slice::from_ref(&source));
        let (_, rest) = page.split_once("id=\"data-made-up\">").unwrap();
        let (text, _) = rest.split_once("</script>").unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(text).unwrap(), source.json);
    }
}
