//! `kyo completions`

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::exit::{self, Code, Stopped};

pub(super) fn completions(arguments: &Completions) -> Result<Code, Stopped> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "kyo",
        &mut script,
    );
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(exit::DONE)
}
