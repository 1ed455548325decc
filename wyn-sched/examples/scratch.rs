use std::time::Instant;
fn main() {
    let n: u64 = std::env::args().nth(1).map_or(1_000_000, |s| s.parse().unwrap());
    let reps: u64 = std::env::args().nth(2).map_or(5, |s| s.parse().unwrap());
    let mode = std::env::args().nth(3).unwrap_or("sa".into());
    wyn_sched::global();
    std::thread::sleep(std::time::Duration::from_millis(5));
    for _ in 0..reps {
        let t = Instant::now();
        match mode.as_str() {
            "sa" => {
                let hs: Vec<_> = (0..n).map(|i| wyn_sched::spawn(move || i)).collect();
                let e = t.elapsed().as_nanos() as f64 / n as f64;
                let s: u64 = hs.into_iter().map(|h| h.join().unwrap()).sum();
                assert_eq!(s, n * (n - 1) / 2);
                print!("spawn {e:.1} ");
            }
            "seq" => {
                let mut s = 0;
                for i in 0..n {
                    s += wyn_sched::spawn(move || i).join().unwrap();
                }
                assert_eq!(s, n * (n - 1) / 2);
            }
            "batch8" => {
                let mut s = 0;
                for j in 0..n / 8 {
                    let hs: [_; 8] = std::array::from_fn(|k| wyn_sched::spawn(move || j * 8 + k as u64));
                    for h in hs {
                        s += h.join().unwrap();
                    }
                }
                assert_eq!(s, n * (n - 1) / 2);
            }
            "det" => {
                for i in 0..n {
                    wyn_sched::spawn_detached(move || {
                        std::hint::black_box(i);
                    });
                }
            }
            "drop" => {
                for i in 0..n {
                    drop(wyn_sched::spawn(move || {
                        std::hint::black_box(i);
                    }));
                }
            }
            "fib" => {
                fn fib(n: u64) -> u64 {
                    if n < 2 {
                        return n;
                    }
                    let a = wyn_sched::spawn(move || fib(n - 1));
                    let b = fib(n - 2);
                    a.join().unwrap() + b
                }
                let r = fib(n);
                print!("{r} ");
            }
            _ => {}
        }
        println!("{:.1} ns/task", t.elapsed().as_nanos() as f64 / n as f64);
    }
}
