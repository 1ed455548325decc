//! Random programs of tasks: how they are made, run and watched.

pub(crate) mod course;
pub(crate) mod plan;
mod run;
mod sim;
mod wait;
mod watch;
