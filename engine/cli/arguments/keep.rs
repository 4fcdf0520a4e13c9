//! The arguments of the commands that look after a store and its runs.

use std::path::PathBuf;

use clap::Args;

/// List the runs of a store, newest first, or the events of one
///
/// Examples:
///   kyo log                     what was run, when, how it went, what it cost
///   kyo log last                the events of the newest run
///   kyo log 12 --json           its journal, as it was written
///   kyo log --pipeline hello    the runs of one pipeline
///
/// A run is named by its number, by `last`, or by the name that `kyo pin` gave it.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Log {
    /// The run whose events are listed
    pub(crate) run: Option<String>,
    /// So many runs at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 30)]
    pub(crate) limit: usize,
    /// Only runs of the pipeline with this name
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
}

/// Show a run, or what one of its stage runs made: outputs, recipe, what it read and who made that
///
/// Examples:
///   kyo show                        the last run: how it was asked for, its stage runs and outputs
///   kyo show 12                     another run: a number, `last`, or a pinned name
///   kyo show 'train[lr=0.1]'        a stage run of the last run
///   kyo show '12/train[lr=0.1]'     the same of run 12
///   kyo show 12/summary --output table
///   kyo show aae1c17734             the stage run that made what has this digest: a paper's appendix has them
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Show {
    /// A run, the address of a stage run, both as RUN/ADDRESS, or the beginning of an output's digest
    pub(crate) what: Option<String>,
    /// Print the content of this output, of a stage run or of the pipeline
    #[arg(long, value_name = "NAME")]
    pub(crate) output: Option<String>,
    /// The run, where it does not stand before the address
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}

/// Write a run as one HTML page: a click on a number of its papers shows where it came from
///
/// Examples:
///   kyo report                      report.html of the last run
///   kyo report 12 --out run12.html
///
/// The page shows the papers that the run set, page by page. Behind each number stand its full
/// precision, the stage run that made it, that one's inputs and settings, back to the data, and the
/// commands that show it and make it again. Beside them are the run's outputs: pictures, tables and
/// texts, each with who made it. The page needs no other file and no network.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Report {
    /// The run: a number, `last`, or a pinned name
    #[arg(default_value = "last")]
    pub(crate) run: String,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,
}

/// Compare two runs: what they were asked for and made from, and what came of it
///
/// Examples:
///   kyo diff 11 12          from run 11 to run 12
///   kyo diff submitted      from the pinned run to the last one
///
/// Shown are the words of the command line, the lines of the pipeline's files, parameters, models and
/// data that differ; then every stage run and output that came out differently: numbers with their
/// change, in the unit and with the better direction that the pipeline declares; means with their
/// intervals. What is the same is only counted.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Diff {
    /// The old run: a number, `last`, or a pinned name
    #[arg(value_name = "RUN")]
    pub(crate) old: String,
    /// The new run
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) new: String,
}

/// Write a run as an RO-Crate: its files, and who made what from what, for the tools of others
///
/// Examples:
///   kyo export last --out crate            a new folder
///   kyo export submitted --out run.zip     an archive
///   kyo export 12 --out run.zip --outputs-only --license CC-BY-4.0 --author 'Ada Lovelace'
///
/// The crate keeps to RO-Crate 1.1 and to the Workflow Run profiles (process, workflow, provenance)
/// 0.5. Every file has its size, its sha256 and its blake3; every stage run is an action with its times,
/// what it read and what it made. Nothing is overwritten.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Export {
    /// The run: a number, `last`, or a pinned name
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// A new folder, or a new file that ends in `.zip`
    #[arg(long, value_name = "DIR|FILE.zip")]
    pub(crate) out: PathBuf,
    /// Leave the content of data and of what lies between out; they are described all the same
    #[arg(long)]
    pub(crate) outputs_only: bool,
    /// Under which the crate may be used: an SPDX identifier or a URL
    #[arg(long, value_name = "LICENSE")]
    pub(crate) license: Option<String>,
    /// Who ran it, by name
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
}

/// Keep a run: no collection takes what it reaches, and it can be called by a name
///
/// Examples:
///   kyo pin 12 submitted        from now on `submitted` means run 12
///   kyo pin last                kept, without another name
///   kyo pin                     lists what is pinned
///   kyo pin submitted --remove
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Pin {
    /// The run: a number, `last`, or a pinned name
    pub(crate) run: Option<String>,
    /// What it is to be called
    #[arg(conflicts_with = "remove")]
    pub(crate) name: Option<String>,
    /// Take the pin away
    #[arg(long, requires = "run")]
    pub(crate) remove: bool,
}

/// Say what a collection would delete and what it would cost to make again; `--delete` deletes it
///
/// Examples:
///   kyo gc                                     what could go
///   kyo gc --delete                            it goes
///   kyo gc --runs 3 --days 0 --delete          only what the last 3 runs reach stays
///   kyo gc --max-size 50G --delete             the least recently used goes until 50 GB are left
///
/// Kept, whatever else is said: what the last runs of each pipeline reach (`--runs`), what pinned
/// runs reach (`kyo pin`), and what `--keep` names. Of the rest, what was not used for 30 days goes
/// (`--days`). Files that nothing names go when they are an hour old.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Gc {
    /// Keep what the last N runs of each pipeline reach
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) runs: usize,
    /// Keep what this run reaches, too: a number, `last`, or a pinned name
    #[arg(long, value_name = "RUN")]
    pub(crate) keep: Vec<String>,
    /// Of the rest, drop what was not used for so many days; 0 drops all of it
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) days: u32,
    /// Drop more of the rest, the least recently used first, until so much is left: 500M, 50G, 2TiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_size: Option<u64>,
    /// Delete it, rather than only say what would go
    #[arg(long, visible_alias = "yes", conflicts_with = "dry_run")]
    pub(crate) delete: bool,
    /// Only say what would go, which is what happens without `--delete`
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Read the whole store, find what is not as it was written, and drop it, so that it is made again
///
/// Examples:
///   kyo verify                  finds and repairs
///   kyo verify --dry-run        only finds; exit code 1 where there is something
///
/// Found are flipped bits, missing and half-written files, records that cannot be reused, and
/// edited visible copies. Nothing in a store is the only copy of anything but of money and time.
/// Exit code 1: faults were found and are still there.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Verify {
    /// Only list what is wrong
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A size in bytes: `500M` are 500 × 10⁶, `500MiB` are 500 × 2²⁰.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size: write 500M, 50G or 2TiB");
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim().to_ascii_lowercase();
    let (step, unit) = match unit.strip_suffix("ib") {
        Some(unit) => (1024_f64, unit.to_owned()),
        None => (1000_f64, unit.trim_end_matches('b').to_owned()),
    };
    let power = match unit.as_str() {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(wrong()),
    };
    Ok((number * step.powi(power)) as u64)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_in_powers_of_ten_and_of_two() {
        assert_eq!(size("500M"), Ok(500_000_000));
        assert_eq!(size("1.5GB"), Ok(1_500_000_000));
        assert_eq!(size("2KiB"), Ok(2048));
        assert_eq!(size("17"), Ok(17));
        assert!(size("many").is_err() && size("5 parsecs").is_err() && size("").is_err());
    }
}
