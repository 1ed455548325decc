//! `cargo xtask bench`.
pub(crate) mod launch;
#[derive(clap::Args)]
pub(crate) struct Args {}
pub(crate) fn run(_args: &Args) -> anyhow::Result<()> {
    anyhow::bail!("not there yet")
}
pub(crate) fn smoke() -> anyhow::Result<()> {
    Ok(())
}
