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
        hint(help);
    }
}

/// The remedy of an error that was told.
pub(crate) fn hint(help: &str) {
    let _ = writeln!(std::io::stderr(), "help: {help}");
}

/// One line of data.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn data(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|error| {
        let told = format!("cannot write to standard output: {error}");
        std::io::Error::new(error.kind(), told)
    })
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

/// A line that others wrote, safe for a terminal: what a progress bar drew over is left out, colours
/// are, and every other sign that is no text is shown as `·`. A long line ends in `…` after `wide` signs.
pub(crate) fn plain(line: &str, wide: usize) -> String {
    let line = line.trim_end_matches('\r');
    let last = line.rsplit('\r').next().unwrap_or_default();
    let mut text = String::new();
    let mut signs = last.chars().peekable();
    let mut count = 0;
    while let Some(sign) = signs.next() {
        if sign == '\x1b' && signs.next_if_eq(&'[').is_some() {
            while signs
                .next_if(|c| c.is_ascii_digit() || ";?".contains(*c))
                .is_some()
            {}
            signs.next();
            continue;
        }
        if count == wide {
            text.push('…');
            break;
        }
        count += 1;
        text.push(match sign {
            '\t' | '\n' => sign,
            sign if sign.is_control() => '·',
            sign => sign,
        });
    }
    text
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

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_scripts_say_cannot_steer_the_terminal() {
        assert_eq!(plain("\x1b[31merror\x1b[0m: bad", 40), "error: bad");
        assert_eq!(plain("\x1b[2J\x1b[?25lgone\x07", 40), "gone·");
        assert_eq!(plain("  1 %\r 50 %\r100 %\r", 40), "100 %");
        assert_eq!(plain("übermäßig", 4), "über…");
        assert_eq!(plain("\n\tFAILED", 40), "\n\tFAILED");
        assert_eq!(plain("\x1b", 4), "·");
    }
}
