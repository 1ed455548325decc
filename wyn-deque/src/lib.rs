#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod split;
mod steal;
mod sync;

pub use steal::Steal;
