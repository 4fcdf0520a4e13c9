//! One file per command.

mod budget;
mod cassette;
mod check;
mod completions;
mod cost;
mod demo;
mod diff;
mod doctor;
mod export;
mod gc;
mod init;
mod log;
mod lsp;
mod pin;
mod plan;
mod report;
mod resample;
mod run;
mod schema;
mod setup;
mod show;
mod verify;
mod why;

use crate::arguments::{Arguments, Command};
use crate::exit::{Code, Stopped};

/// Carries out the command.
///
/// # Errors
/// What ended it early.
pub(crate) fn run(arguments: &Arguments) -> Result<Code, Stopped> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Run(arguments) => run::run(global, arguments),
        Command::Check(arguments) => check::check(global, arguments),
        Command::Plan(arguments) => plan::plan(global, arguments),
        Command::Why(arguments) => why::why(global, arguments),
        Command::Cassette(arguments) => cassette::cassette(global, arguments),
        Command::Resample(arguments) => resample::resample(global, arguments),
        Command::Cost(arguments) => cost::cost(global, arguments),
        Command::Show(arguments) => show::show(global, arguments),
        Command::Log(arguments) => log::log(global, arguments),
        Command::Diff(arguments) => diff::diff(global, arguments),
        Command::Export(arguments) => export::export(global, arguments),
        Command::Report(arguments) => report::report(global, arguments),
        Command::Pin(arguments) => pin::pin(global, arguments),
        Command::Gc(arguments) => gc::gc(global, arguments),
        Command::Verify(arguments) => verify::verify(global, arguments),
        Command::Setup(_) => setup::setup(global).map(|_| crate::exit::DONE),
        Command::Doctor(_) => doctor::doctor(global),
        Command::Init(arguments) => init::init(global, arguments),
        Command::Completions(arguments) => completions::completions(arguments),
        Command::Schema(_) => schema::schema(),
        Command::Lsp(_) => lsp::lsp(),
        Command::Demo(arguments) => demo::demo(global, arguments),
    }
}
