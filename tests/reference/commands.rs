//! The commands and exit codes, from the help texts.

use std::fmt::Write;

use crate::space::Space;

/// What `--help` prints after these words.
fn help(command: &[&str]) -> String {
    let space = Space::new();
    let arguments = [command, &["--help"]].concat();
    let mut command = space.command(&arguments);
    // The width of the page must not be that of somebody's terminal.
    let output = command
        .env_remove("COLUMNS")
        .env_remove("LINES")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// `(name, what it does)` of every command, as `kyo --help` lists them.
fn commands(help: &str) -> Vec<(String, String)> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let mut found: Vec<(String, String)> = Vec::new();
    for line in listed {
        match (line.strip_prefix("  "), found.last_mut()) {
            (Some(rest), _) if !rest.starts_with(' ') => {
                let (name, about) = rest.split_once(' ').unwrap_or((rest, ""));
                found.push((name.to_owned(), about.trim().to_owned()));
            }
            (_, Some((_, about))) => *about += &format!(" {}", line.trim()),
            _ => {}
        }
    }
    found.retain(|(name, _)| name != "help");
    found
}

pub(super) fn text() -> String {
    let top = help(&[]);
    let commands = commands(&top);
    assert!(commands.len() > 5, "{top}");
    let mut page = String::from(
        "# Commands\n\nMade from the help texts: `kyo COMMAND --help` prints the same.\n\n| command | what it does |\n|---|---|\n",
    );
    for (name, about) in &commands {
        let _ = writeln!(
            page,
            "| [`kyo {name}`](#kyo-{name}) | {} |",
            super::cell(about)
        );
    }
    let _ = write!(page, "\n## kyo\n\n```text\n{top}\n```\n");
    for (name, _) in &commands {
        let _ = write!(page, "\n## kyo {name}\n\n```text\n{}\n```\n", help(&[name]));
    }
    page
}

pub(super) fn exit_codes() -> String {
    let mut page = String::from("# Exit codes\n\n| code | means |\n|---|---|\n");
    let top = help(&[]);
    let codes = top
        .lines()
        .skip_while(|line| *line != "Exit codes:")
        .skip(1);
    for line in codes.take_while(|line| line.starts_with(' ')) {
        let (code, means) = line.trim().split_once(' ').unwrap();
        let _ = writeln!(page, "| {code} | {} |", super::cell(means.trim()));
    }
    assert!(page.lines().count() > 8, "{top}");
    page + "\nOutput that nobody reads to its end (`kyo show | head`) is no error.\n"
}
