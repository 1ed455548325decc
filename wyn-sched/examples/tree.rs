//! Walks a tree with a task per branch: tasks that spawn and await tasks, to any depth.

fn size(depth: u32, width: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    let branches: Vec<_> = (0..width).map(|_| wyn_sched::spawn(move || size(depth - 1, width))).collect();
    1 + branches.into_iter().map(|branch| branch.join().expect("a branch panicked")).sum::<u64>()
}

fn main() {
    let runtime = wyn_sched::Runtime::builder().workers(1).build().expect("one thread to be had");
    println!("{} nodes", runtime.install(|| size(6, 6)));
}
