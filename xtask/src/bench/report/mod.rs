//! `cargo xtask bench report`: the published records as one page, and as the tables of BENCHMARKS.md and README.md.
//!
//! | file | what |
//! |---|---|
//! | `source` | the files: runs, simulations, what is not known |
//! | `verdict`, `beside` | the rows that Wyn leads and loses; Wyn beside each other backend |
//! | `markdown` | the generated parts of the documents |
//! | `page`, `page.css`, `page.js` | the page as a whole |
//! | `run`, `allocators`, `features`, `simulation` | the section of one record |
//! | `bars`, `curves`, `heat` | charts, drawn as SVG or coloured tables |
//! | `scale`, `html` | places of values; markup that cannot be malformed |

use std::path::PathBuf;

use anyhow::Result;

mod allocators;
mod bars;
mod beside;
mod curves;
mod features;
mod heat;
mod html;
mod markdown;
mod page;
mod run;
mod scale;
mod simulation;
mod source;
mod verdict;

pub(crate) use self::markdown::{stale, write as write_markdown};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Records; all in wyn-bench/records if none is named
    #[arg(value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Where to write the page
    #[arg(short, long, value_name = "FILE", conflicts_with = "markdown")]
    output: Option<PathBuf>,
    /// Write the generated parts of BENCHMARKS.md and README.md instead, from all published records
    #[arg(long, conflicts_with = "files")]
    markdown: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.markdown {
        return markdown::write();
    }
    page::write(&args.files, args.output.as_deref())
}

#[cfg(test)]
fn made_up_source(name: &str, record: wyn_bench::record::Record) -> source::Source {
    let json = serde_json::to_value(&record).unwrap();
    source::Source { name: name.to_owned(), kind: source::Kind::Run(Box::new(record)), json }
}
