//! stub
#[derive(Debug)] pub struct Slab; #[derive(Debug)] pub struct Key; #[derive(Debug)] pub struct SlabError;
