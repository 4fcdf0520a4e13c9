//! Standard error: talk for people. Standard output: data.

use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use crate::arguments::{Color, Global};

/// Whether bars may be drawn.
pub(crate) fn bars(global: &Global) -> bool {
    std::io::stderr().is_terminal() && global.verbose == 0 && !global.quiet && !global.json
}

/// Whether standard error may be coloured.
pub(crate) fn colored(global: &Global) -> bool {
    match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
                || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            !plain && std::io::stderr().is_terminal()
        }
    }
}

/// One line of talk.
pub(crate) fn say(global: &Global, line: &str) {
    if !global.quiet {
        // Nobody listens: that is no reason to stop working.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// An error with its remedy.
pub(crate) fn error(global: &Global, message: &str, help: Option<&str>) {
    let (on, off) = if colored(global) {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut out = std::io::stderr();
    let _ = writeln!(out, "{on}error{off}: {message}");
    if let Some(help) = help {
        let _ = writeln!(out, "help: {help}");
    }
}

/// One line of data.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn data(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A value as data.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn json(value: &impl serde::Serialize) -> std::io::Result<()> {
    data(&serde_json::to_string(value).expect("our own values are JSON"))
}

/// Starts the log: `KYO_LOG`, or as `-v` says, on standard error.
pub(crate) fn start_log(global: &Global) {
    let default = match global.verbose {
        0 => "warn",
        1 => "info,kyobashi=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("KYO_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colored(global))
        .try_init();
}

/// `1 stage`, `2 stages`.
pub(crate) fn plural(count: u64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// A duration for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..=99 => format!("{whole} s"),
        100..=5999 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Money for people: `$0`, `$0.0042`, `$4.30`.
pub(crate) fn money(usd: f64) -> String {
    match usd {
        0.0 => "$0".to_owned(),
        usd if usd < 0.1 => format!("${usd:.4}"),
        usd => format!("${usd:.2}"),
    }
}

/// Bytes for people: `17 B`, `3.4 MB`; powers of ten, as disks are sold.
pub(crate) fn size(bytes: u64) -> String {
    let mut scaled = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if scaled < 1000.0 {
            return match unit {
                "B" => format!("{bytes} B"),
                _ => format!("{scaled:.1} {unit}"),
            };
        }
        scaled /= 1000.0;
    }
    format!("{scaled:.1} TB")
}

/// A path as one would type it here.
pub(crate) fn here(path: &std::path::Path) -> String {
    let current = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(current).unwrap_or(path);
    short.display().to_string()
}

/// A moment for people, in their own time zone: `2026-11-23 09:20`. Milliseconds since 1970.
pub(crate) fn when(at_ms: u64) -> String {
    let zoned = moment(at_ms).to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A moment for machines: `2026-11-23T09:20:00.125+00:00`. Seconds since 1970.
pub(crate) fn rfc3339(at: f64) -> String {
    let at = moment((at.max(0.0) * 1000.0).round() as u64);
    format!("{at:.3}").replace('Z', "+00:00")
}

fn moment(at_ms: u64) -> jiff::Timestamp {
    let at_ms = i64::try_from(at_ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::MAX)
}
