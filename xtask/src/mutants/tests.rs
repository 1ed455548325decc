//! Flaws that cannot be planted, and what is said of those that nobody catches; the lists against the sources.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::lab::Lab;
use super::list::{List, Misfit, replaced};
use super::trial::{ended, programs};
use super::verdict::{End, Outcome, of, of_control};
use crate::cmd;

const SOURCE: &str = "a.store(1, Release);\nb.store(1, Release);\n";

/// A directory for one test.
fn scratch(name: &str) -> std::path::PathBuf {
    let dir = cmd::target_dir().join("xtask-tests").join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(dir.join("wyn-a/src")).unwrap();
    std::fs::write(dir.join("wyn-a/src/lib.rs"), SOURCE).unwrap();
    dir
}

fn list(flaw: &str) -> List {
    List::parse("wyn-a", &format!("[[flaw]]\nname = \"f\"\nfile = \"src/lib.rs\"\n{flaw}")).unwrap()
}

#[test]
fn text_is_replaced_where_it_occurs_once() {
    assert_eq!(replaced("a b a", "b", "c"), Ok("a c a".to_owned()));
    assert_eq!(replaced("a b a", "d", "c"), Err(Misfit::NotThere));
    assert_eq!(replaced("a b a", "a", "c"), Err(Misfit::Occurs(2)));
    assert_eq!(replaced("a b a", "b", "b"), Err(Misfit::ChangesNothing));
}

#[test]
fn what_does_not_fit_is_named() {
    let root = scratch("misfits");
    let misfits = |flaw: &str| list(flaw).misfits(&root).join("; ");
    assert_eq!(misfits("from = 'a.store(1, Release)'\nto = ''\ntests = ['loom']"), "");
    assert_eq!(
        misfits("from = 'c.store'\nto = ''\ntests = ['loom']"),
        "f: src/lib.rs: the text is not there"
    );
    assert_eq!(
        misfits("from = 'Release'\nto = ''\ntests = ['loom']"),
        "f: src/lib.rs: the text occurs 2 times"
    );
    assert_eq!(misfits("from = 'a.'\nto = ''\ntests = []"), "f: no test is named");
    let twice = "from = 'a.'\nto = ''\ntests = ['loom']\n[[flaw]]\nname = 'f'\nfile = 'src/lib.rs'\nfrom = 'b.'\nto = ''\ntests = ['loom']";
    assert_eq!(misfits(twice), "f: another has the same name");
    assert!(List::parse("wyn-a", "[[flaw]]\nnmae = 'f'").is_err());
}

#[test]
fn a_flaw_is_planted_and_taken_out() {
    let root = scratch("planted");
    let lab = Lab::open(&root, &scratch("planted-lab").join("lab")).unwrap();
    assert!(Lab::open(&root, &lab.target_dir("")).is_err(), "it is in use");
    let flaw = "from = 'a.store(1, Release)'\nto = 'a.store(1, Relaxed)'\nalso = [{ from = 'b.', to = 'c.' }]\ntests = ['loom']";
    let files = list(flaw).flaws[0].planted(&lab.workspace().join("wyn-a")).unwrap();
    let seen = || std::fs::read_to_string(lab.workspace().join("wyn-a/src/lib.rs")).unwrap();
    let planted = lab.with("wyn-a", &files, || Ok(seen())).unwrap();
    assert_eq!(planted, "a.store(1, Relaxed);\nc.store(1, Release);\n");
    assert_eq!(seen(), SOURCE);
    assert!(lab.with("wyn-a", &files, || -> anyhow::Result<()> { anyhow::bail!("no") }).is_err());
    assert_eq!(seen(), SOURCE);
}

#[test]
fn the_copy_follows_the_sources() {
    let root = scratch("copy");
    let dir = scratch("copy-lab");
    let copied = |path: &str| dir.join("workspace").join(path);
    std::fs::create_dir_all(root.join("target/debug")).unwrap();
    std::fs::write(root.join("target/CACHEDIR.TAG"), "").unwrap();
    std::fs::write(root.join("wyn-a/old.rs"), "old").unwrap();
    drop(Lab::open(&root, &dir).unwrap());
    assert!(copied("wyn-a/old.rs").exists() && !copied("target").exists());
    let modified = |path: &str| copied(path).metadata().unwrap().modified().unwrap();
    let before = modified("wyn-a/src/lib.rs");
    std::fs::remove_file(root.join("wyn-a/old.rs")).unwrap();
    drop(Lab::open(&root, &dir).unwrap());
    assert!(!copied("wyn-a/old.rs").exists());
    assert_eq!(modified("wyn-a/src/lib.rs"), before, "what has not changed is not built again");
}

/// What is said when the tests end like this.
fn surprise(flaw: &str, ends: &[End]) -> Option<String> {
    let list = list(&format!("from = 'a'\nto = 'b'\n{flaw}"));
    let flaw = &list.flaws[0];
    let ends = flaw.tests.iter().cloned().zip(ends.iter().cloned()).collect();
    of(flaw, &Outcome::Ran(ends)).surprise
}

fn failed() -> End {
    End::Failed("two accesses race".to_owned())
}

#[test]
fn who_survives_is_reported() {
    let flaw = "tests = ['loom::a', 'loom::b']";
    assert_eq!(surprise(flaw, &[failed(), failed()]), None);
    assert_eq!(surprise(flaw, &[failed(), End::Passed]).unwrap(), "loom::b passes");
    assert_eq!(surprise(flaw, &[End::TimedOut, failed()]).unwrap(), "loom::a runs out of time");
    let hangs = "tests = ['loom::a']\nhangs = true";
    assert_eq!(surprise(hangs, &[End::TimedOut]), None);
    assert!(surprise(hangs, &[End::Passed]).is_some() && surprise(hangs, &[failed()]).is_some());
    let survives = "tests = ['loom::a']\nsurvives = 'no cycles'";
    assert_eq!(surprise(survives, &[End::Passed]), None);
    assert_eq!(surprise(survives, &[failed()]).unwrap(), "loom::a fails: two accesses race");
}

#[test]
fn what_does_not_compile_is_not_caught() {
    let list = list("from = 'a'\nto = 'b'\ntests = ['loom::a']");
    let verdict = of(&list.flaws[0], &Outcome::NotBuilt("error: no".to_owned()));
    assert_eq!(verdict.surprise.unwrap(), "does not compile: error: no");
    let control = of_control(&Outcome::Ran(vec![("loom::a".to_owned(), failed())]));
    assert!(control.surprise.is_some(), "a test that fails anyway catches nothing");
}

#[test]
fn a_process_passes_fails_or_hangs() {
    let log = scratch("ended").join("log");
    let end = |script: &str| {
        let out = std::fs::File::create(&log).unwrap();
        ended(Command::new("sh").args(["-c", script]).stdout(out), Duration::from_millis(300), &log).unwrap()
    };
    assert_eq!(end("true"), End::Passed);
    let panic = "echo \"thread 't' panicked at a.rs:1:1:\"; echo two accesses race; exit 101";
    assert_eq!(end(panic), failed());
    assert!(matches!(end("kill -ABRT $$"), End::Failed(reason) if reason.contains("signal")));
    assert_eq!(end("exec sleep 30"), End::TimedOut);
}

#[test]
fn programs_are_found_in_what_cargo_says() {
    let messages = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"wyn_a"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"loom"},"executable":"/t/loom-1"}
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"wyn_a"},"executable":"/t/wyn_a-1"}"#;
    let found = programs(messages);
    assert_eq!(found["loom"], Path::new("/t/loom-1"));
    assert_eq!(found["lib"], Path::new("/t/wyn_a-1"));
}

/// Lists go stale when the sources change; this says so before a long run does.
#[test]
fn every_flaw_fits_the_sources() {
    for krate in cmd::LIBRARIES {
        let list = List::read(cmd::root(), krate).unwrap();
        assert_eq!(list.misfits(cmd::root()), Vec::<String>::new(), "{}", list.path());
        assert!(!list.flaws.is_empty(), "{krate} plants nothing");
        for flaw in &list.flaws {
            for test in &flaw.tests {
                assert!(is_there(krate, test), "{}: {} names {test}", list.path(), flaw.name);
            }
        }
    }
}

/// Whether a test of that name stands in the crate: its last word after `fn`, or what a macro makes of it.
fn is_there(krate: &str, test: &str) -> bool {
    let name = test.rsplit("::").next().unwrap();
    let dir = cmd::root().join(krate);
    if test.split("::").count() == 1 {
        return name == "lib" || dir.join("tests").join(format!("{name}.rs")).is_file();
    }
    mentions(&dir.join("src"), name) || mentions(&dir.join("tests"), name)
}

fn mentions(dir: &Path, name: &str) -> bool {
    std::fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return mentions(&path, name);
        }
        path.extension().is_some_and(|extension| extension == "rs")
            && std::fs::read_to_string(&path).unwrap().contains(name)
    })
}
