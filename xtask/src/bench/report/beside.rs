//! Wyn beside each other backend in one line for each group: by how much it is ahead on average.

use super::html::{Element, el};
use super::source::Source;
use crate::bench::plan::Group;
use crate::bench::rank;
use crate::bench::table::{factor, is_ours};

/// Below this a lead is of no consequence.
const MATTERS: f64 = 1.05;

/// A line for each group, from its record with the most in it.
pub(super) fn panel(sources: &[Source]) -> Option<Element> {
    let lines: Vec<Element> = Group::ALL.into_iter().filter_map(|group| line(group, sources)).collect();
    let words = "How many times faster Wyn is, as the geometric mean over all rows that both have";
    let panel = el("div").class("beside").child(el("h3").text("Beside each library"));
    (!lines.is_empty()).then(|| panel.child(el("p").class("small").text(words)).children(lines))
}

fn line(group: Group, sources: &[Source]) -> Option<Element> {
    let records = sources.iter().filter_map(Source::run).filter(|record| record.group == group.name());
    // Of two as large, the first.
    let record =
        records.reduce(|most, next| if next.entries.len() > most.entries.len() { next } else { most })?;
    let mut pairs = rank::ranking(record, false).pairs;
    let most = pairs.iter().map(|(_, rows, _)| *rows).max()?;
    // An average over a few special rows says nothing about the library.
    pairs.retain(|(name, rows, _)| !is_ours(name) && rows * 4 >= most);
    pairs.sort_by(|a, b| a.2.total_cmp(&b.2));
    let chip = |(name, rows, lead): &(String, usize, f64)| {
        let tip = format!("{name}: {} over {rows} rows", factor(*lead));
        el("li").class(class(*lead)).at("title", tip).text(name).child(el("b").text(factor(*lead)))
    };
    let chips = el("ul").children(pairs.iter().map(chip));
    Some(el("div").class("line").child(el("span").class("who").text(group.name())).child(chips))
}

fn class(lead: f64) -> &'static str {
    match lead {
        lead if lead > MATTERS => "ahead",
        lead if lead < 1.0 / MATTERS => "behind",
        _ => "level",
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up_source;
    use super::*;
    use crate::bench::report::html::Html;
    use crate::bench::rows::made_up::{entry, record};

    #[test]
    fn each_backend_has_its_lead_the_nearest_first() {
        let sizes = [10_000, 20_000, 30_000, 40_000, 50_000];
        let of = |name: &'static str, ns: f64| sizes.map(move |n| entry(name, n, ns));
        let mut entries: Vec<_> =
            [("wyn", 10.0), ("rayon", 50.0), ("chili", 8.0)].map(|(n, ns)| of(n, ns)).concat();
        entries.push(entry("threads", 10_000, 1.0));
        let html: Html = panel(&[made_up_source("one", record(entries))]).unwrap().into();
        let place =
            |words: &str| html.as_str().find(words).unwrap_or_else(|| panic!("{words}: {}", html.as_str()));
        assert!(place("chili<b>0.80x</b>") < place("rayon<b>5.0x</b>"));
        assert!(!html.as_str().contains("threads"), "it is in one row of five");
        assert!(panel(&[]).is_none());
    }
}
