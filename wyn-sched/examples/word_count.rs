//! Counts words in parallel: a task per text, results awaited in order.

use std::collections::HashMap;

fn count(text: &'static str) -> HashMap<&'static str, usize> {
    let mut words = HashMap::new();
    for word in text.split_whitespace() {
        *words.entry(word).or_default() += 1;
    }
    words
}

fn main() -> Result<(), wyn_sched::JoinError> {
    let texts = ["the quick brown fox", "jumps over the lazy dog", "the end"];
    let handles: Vec<_> = texts.into_iter().map(|text| wyn_sched::spawn(move || count(text))).collect();

    let mut total: HashMap<&str, usize> = HashMap::new();
    for handle in handles {
        for (word, times) in handle.join()? {
            *total.entry(word).or_default() += times;
        }
    }
    println!("the: {}", total["the"]);
    Ok(())
}
