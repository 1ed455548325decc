//! A record of features: what each adds to the fast paths, as a table.

use wyn_bench::features::{KIND as KIND_, Record};

use super::html::{Element, Html, el};
use super::source::{Kind, Source};
use crate::bench::record_file::origin;
use crate::features::{TITLE, header, key, rows};

pub(super) const KIND: &str = KIND_;

/// Every record of features, if there is one.
pub(super) fn section(sources: &[Source]) -> Option<Html> {
    let named = |source: &&Source| matches!(&source.kind, Kind::Named(kind) if kind == KIND);
    let records =
        sources.iter().filter(named).filter_map(|source| serde_json::from_value(source.json.clone()).ok());
    let parts: Vec<Element> = records.map(|record| part(&record)).collect();
    let section = el("section").at("id", "features").child(el("h2").text("Features"));
    (!parts.is_empty()).then(|| section.children(parts).into())
}

fn part(record: &Record) -> Element {
    let origin = origin(&record.command, &record.host);
    let head =
        el("tr").children(header(record).into_iter().map(|name| el("th").at("scope", "col").text(name)));
    let line = |row: Vec<String>| {
        let mut cells = row.into_iter();
        let path = el("th").at("scope", "row").text(cells.next().unwrap_or_default());
        el("tr").child(path).children(cells.map(|cell| el("td").text(cell)))
    };
    let body = el("tbody").children(rows(record).into_iter().map(line));
    let table = el("table").class("figures").child(el("thead").child(head)).child(body);
    el("div")
        .class("workload")
        .child(el("p").class("small").text(origin))
        .child(el("p").text(format!("What a fast path of Wyn costs by itself: {TITLE}.")))
        .child(el("div").class("scroll").child(table))
        .child(el("p").class("small").text(key()))
}

#[cfg(test)]
mod tests {
    use super::super::html::assert_well_formed;
    use super::*;
    use crate::features::made_up;

    #[test]
    fn each_path_has_a_row() {
        let json = serde_json::to_value(made_up()).unwrap();
        let source = Source { name: "features".to_owned(), kind: Kind::Named(KIND.to_owned()), json };
        let html = section(&[source]).unwrap();
        assert_well_formed(html.as_str());
        for words in ["sched/join", "+stats", "52.0, 2.0 ns", "+1.0, +6.0 ns"] {
            assert!(html.as_str().contains(words), "{words}");
        }
        assert!(section(&[]).is_none());
    }
}
