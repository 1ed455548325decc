//! Shows requests that travel with a number and answers that come back under it, one of them too late.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wyn_future::{Key, Slab, SlabError};

/// What goes over the wire: an id and a line of text, nothing of Rust.
type Message = (u64, String);

fn server(requests: mpsc::Receiver<Message>, answers: mpsc::Sender<Message>) {
    for (id, text) in requests {
        if text == "slow" {
            thread::sleep(Duration::from_millis(60));
        }
        if answers.send((id, text.to_uppercase())).is_err() {
            return;
        }
    }
}

fn main() {
    let slab = Slab::new();
    let (ask, requests) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    thread::spawn(move || server(requests, answer));

    thread::scope(|scope| {
        // The receiving end of the wire: it knows ids only, and believes none of them.
        scope.spawn(|| {
            for (id, text) in answers {
                let delivered = Key::from_bits(id).map(|key| slab.complete(key, text));
                if let Some(Err(refused)) = delivered {
                    println!("answer {:?} came too late: {refused}", refused.value);
                }
            }
        });
        for text in ["hello", "slow", "again"] {
            let key = slab.open();
            ask.send((key.to_bits(), text.to_owned())).expect("the server runs");
            match slab.take_timeout(key, Duration::from_millis(40)) {
                Ok(text) => println!("{key:?} answered {text:?}"),
                Err(SlabError::Pending) => {
                    let late = slab.close(key).expect("only we end it");
                    println!("{key:?} took too long, closed with {late:?}");
                }
                Err(error) => println!("{key:?}: {error}"),
            }
        }
        drop(ask);
    });
    println!("{} entries left open", slab.len());
}
