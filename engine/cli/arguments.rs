//! The arguments of `kyo`; help texts are the doc comments here.

mod keep;
mod models;

use std::path::PathBuf;

pub(crate) use keep::{Diff, Export, Gc, Log, Pin, Report, Show, Verify};
pub(crate) use models::{Cassette, CassetteAction, Cost, Recording, Replay, Resample};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A bridge from an idea to a reviewed paper: pipelines in YAML, every result kept by its content
///
/// Start with `kyo demo`.
#[derive(Parser)]
#[command(
    name = "kyo",
    version,
    max_term_width = 100,
    subcommand_required = true,
    after_help = crate::exit::HELP
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Print data as JSON on standard output (`run`: one event a line)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where results are kept [default: .kyobashi beside the pipeline]
    #[arg(long, global = true, env = "KYO_STORE", value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Say more; twice, say everything (no bars then)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing but errors and results
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Check(Check),
    Plan(Plan),
    Why(Why),
    Resample(Resample),
    Show(Show),
    Report(Report),
    Log(Log),
    Diff(Diff),
    Export(Export),
    Pin(Pin),
    Gc(Gc),
    Verify(Verify),
    Cost(Cost),
    Cassette(Cassette),
    Setup(Setup),
    Doctor(Doctor),
    Init(Init),
    Schema(SchemaOf),
    Completions(Completions),
    Lsp(Lsp),
    Demo(Demo),
}

/// Which pipeline, and with which values.
#[derive(Args, Clone, Debug)]
pub(crate) struct Pipeline {
    /// The pipeline file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) values: Values,
}

/// Values from outside, over those of the file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Values {
    /// Use one of the file's `profiles:`
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Values of parameters and models from a YAML file
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Option<PathBuf>,
    /// Set a parameter or a model: `--set params.n=3 --set models.reviewer=openai/gpt-4o`
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Say what there is of a pool: `--pool licence=2 --pool gpu=1 --pool port=8001,8002`
    #[arg(long, value_name = "NAME=SIZE")]
    pub(crate) pool: Vec<String>,
    /// Cores that stages may take together [default: all]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}

/// Run a pipeline; what is there already is reused
///
/// Examples:
///   kyo run examples/hello.yaml
///   kyo run pipelines/ai-scientist.yaml --profile demo --out demo
///   kyo run pipelines/ai-scientist.yaml --set models.reviewer=openai/gpt-4o
///
/// The same command resumes after a failure, after Ctrl-C and after `kill -9`.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,
    /// Put the pipeline's outputs here, by name
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with all that a failure leaves possible; this is the default
    #[arg(long, conflicts_with = "fail_fast")]
    pub(crate) keep_going: bool,
    /// Start nothing more after the first failure; what runs is finished and kept
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Run this again although its result is there: a stage, group or address; `*` stands for anything:
    /// `--refresh train --refresh 'study[*].review'`
    #[arg(long, value_name = "STAGE")]
    pub(crate) refresh: Vec<String>,
    /// Pay at most this for models in this run, in US dollars; goes before the file's `budget:`
    #[arg(long, value_name = "USD")]
    pub(crate) budget: Option<f64>,
    /// How model calls use the store
    #[arg(long, value_enum, default_value_t = Calls::Live)]
    pub(crate) calls: Calls,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Calls {
    /// Replies that are stored are used; others are asked for and stored
    #[default]
    Live,
    /// Only stored replies: nobody is asked
    Replay,
    /// Everything is asked anew and stored
    Refresh,
    /// Everything is asked anew and no reply is stored
    Off,
}

/// Check a pipeline: every problem at once, nothing runs
#[derive(Args, Clone, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,
    /// How problems are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Print what every stage gives, with the types that were found for it
    #[arg(long)]
    pub(crate) types: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Sarif,
    Github,
}

/// Say what would run and what would be reused, and why; nothing runs
///
/// Examples:
///   kyo plan ablation.yaml
///   kyo plan ablation.yaml --set params.steps=4000
///   kyo plan ablation.yaml --all
///
/// `=` reused, `>` run, `?` perhaps (unless what it reads turns out equal), `~` later (how many is known
/// only after another stage), `!` frozen although changed, `-` skipped.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,
    /// Each stage run on a line of its own, not one line for all instances of a stage
    #[arg(long)]
    pub(crate) all: bool,
}

/// Say why a stage run would run again: every part of its key, then and now, and where it is written
///
/// Examples:
///   kyo why 'train[lr=0.1,seed=0]'
///   kyo why ablation.yaml 'train[lr=0.1,seed=0]' --set params.steps=4000
///   kyo why 'study[learned_gate]'
///
/// Addresses are those of `kyo plan --all`; the address of a fan-out or group stands for all within it.
/// Without FILE, it is the pipeline of the last run, asked for as that run was.
#[derive(Args, Clone, Debug)]
#[command(
    verbatim_doc_comment,
    override_usage = "kyo why [OPTIONS] [FILE] <ADDRESS>"
)]
pub(crate) struct Why {
    /// The pipeline file, if it is not that of the last run, and the address of a stage run
    #[arg(required = true, num_args = 1..=2, value_names = ["FILE", "ADDRESS"])]
    pub(crate) what: Vec<String>,
    #[command(flatten)]
    pub(crate) values: Values,
}

/// Find or fetch libtorch, and build the trainer
#[derive(Args, Clone, Debug)]
pub(crate) struct Setup {}

/// Say what is here and what is missing, and how to get it
#[derive(Args, Clone, Debug)]
pub(crate) struct Doctor {}

/// Begin a pipeline: a file that runs, with the schema for your editor beside it
///
/// Examples:
///   kyo init
///   kyo init studies/optimisers.yaml
///
/// The first two lines of the file tell editors where the schema is. Nothing is overwritten but the schema.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Init {
    /// The pipeline file to write
    #[arg(default_value = "pipeline.yaml")]
    pub(crate) file: PathBuf,
}

/// Serve an editor: problems while you type, names after `${`, types, definitions
///
/// An editor starts this itself; it speaks the Language Server Protocol over standard input and output.
#[derive(Args)]
pub(crate) struct Lsp {}

/// Print the completions of a shell
///
/// Examples:
///   kyo completions bash > ~/.local/share/bash-completion/completions/kyo
///   kyo completions zsh > ~/.zfunc/_kyo
///   kyo completions fish > ~/.config/fish/completions/kyo.fish
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Print the JSON schema of a pipeline file, for editors
///
/// `kyo init` writes it beside a pipeline. By hand, name it in the first line of the file:
///   # yaml-language-server: $schema=kyobashi.schema.json
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct SchemaOf {}

/// Set up what is needed, then run the AI Scientist in small: no key, no model, no LaTeX
#[derive(Args, Clone, Debug)]
pub(crate) struct Demo {
    /// Where the paper, the report and the results go
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(crate) out: PathBuf,
    /// Set a parameter or a model, as in `kyo run`
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Stages that run at once [default: the number of cores]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}
