//! `kyo check`

use kyobashi_engine::spec::Severity;

use kyobashi_science::Providers;

use crate::arguments::{Check, Format, Global};
use crate::exit::{self, Code, Stopped};
use crate::surroundings::Surroundings;
use crate::workspace::{self, Catalogue};
use crate::{problems, talk};

pub(super) fn check(global: &Global, arguments: &Check) -> Result<Code, Stopped> {
    let surroundings = Surroundings::read();
    let checked = workspace::checked(
        &arguments.pipeline,
        &Catalogue::new(Providers::default()),
        &surroundings,
        true,
    );
    let format = if global.json {
        Format::Json
    } else {
        arguments.format
    };
    let text = problems::render(&checked, format, talk::colored(global));
    if format == Format::Text {
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes())?;
        if checked.problems.is_empty() {
            talk::say(
                global,
                &format!("{}: no problems", arguments.pipeline.file.display()),
            );
        }
    } else {
        talk::data(text.trim_end())?;
    }
    let wrong = checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    Ok(if wrong { exit::WRONG_USE } else { exit::DONE })
}
