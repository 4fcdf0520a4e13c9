//! Scripts that are one plain command. A shell would do nothing but put in a few variables and start
//! the program, and starting the shell takes as long as the program itself; so it is left out.
//!
//! The rule is: where there is the least doubt that the shell does the same, the shell is asked. It does
//! not know what a program is or whether it is there.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What a shell carries out itself, or reads as grammar. Some are programs too, but not quite the same.
const OWN: &[&str] = &[
    ".",
    ":",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "case",
    "cd",
    "chdir",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disown",
    "do",
    "done",
    "echo",
    "elif",
    "else",
    "enable",
    "esac",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "fi",
    "for",
    "function",
    "getopts",
    "hash",
    "help",
    "history",
    "if",
    "in",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "newgrp",
    "popd",
    "print",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "select",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "then",
    "time",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "until",
    "wait",
    "whence",
    "while",
];

/// Variables that a shell sets itself.
const SET: &[&str] = &[
    "COLUMNS",
    "DIRSTACK",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "HOSTNAME",
    "HOSTTYPE",
    "IFS",
    "LINENO",
    "LINES",
    "MACHTYPE",
    "OLDPWD",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "OSTYPE",
    "PIPESTATUS",
    "POSIXLY_CORRECT",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHELL",
    "SHELLOPTS",
    "SHLVL",
    "UID",
    "_",
];

/// The words of a script, the program first, if it is one command and nothing else. `variable` gives
/// the value of a variable.
pub(super) fn words<'v>(
    script: &str,
    variable: impl Fn(&str) -> Option<&'v OsStr>,
) -> Option<Vec<OsString>> {
    let mut words: Vec<OsString> = Vec::new();
    let mut rest = script.trim_matches(BLANK);
    if rest.contains('\0') {
        return None;
    }
    while !rest.is_empty() {
        let (word, after) = word(rest, &variable, words.is_empty())?;
        words.push(word);
        rest = after.trim_start_matches([' ', '\t']);
    }
    let program = words.first()?.to_str()?;
    let own = OWN.contains(&program) || program.starts_with("BASH") || program.contains('=');
    (!program.is_empty() && !own).then_some(words)
}

/// What may stand around a command. A new line between two words ends the command, and is not taken.
const BLANK: [char; 3] = [' ', '\t', '\n'];

/// One word and what stands after it. The program is a plain word: no variable, no quotes.
fn word<'v, 's>(
    script: &'s str,
    variable: &impl Fn(&str) -> Option<&'v OsStr>,
    program: bool,
) -> Option<(OsString, &'s str)> {
    let mut word = OsString::new();
    let mut rest = script;
    loop {
        let Some(next) = rest.chars().next() else {
            return Some((word, rest));
        };
        match next {
            ' ' | '\t' => return Some((word, rest)),
            c if c.is_ascii_alphanumeric() || "-_./:,+=@%".contains(c) => {
                word.push(&rest[..1]);
                rest = &rest[1..];
            }
            _ if program => return None,
            '\'' => {
                let (inside, after) = rest[1..].split_once('\'')?;
                word.push(inside);
                rest = after;
            }
            '"' => rest = quoted(&rest[1..], variable, &mut word)?,
            '$' => {
                let (value, after) = value(rest, variable)?;
                // Without quotes the shell would take the value apart.
                let apart = |byte: &u8| b" \t\n*?[\\".contains(byte);
                if value.is_empty() || value.as_bytes().iter().any(apart) {
                    return None;
                }
                word.push(value);
                rest = after;
            }
            _ => return None,
        }
    }
}

/// What stands between double quotes; gives what comes after them.
fn quoted<'v, 's>(
    script: &'s str,
    variable: &impl Fn(&str) -> Option<&'v OsStr>,
    word: &mut OsString,
) -> Option<&'s str> {
    let mut rest = script;
    loop {
        let at = rest.find(['"', '$', '`', '\\'])?;
        word.push(&rest[..at]);
        rest = &rest[at..];
        match rest.as_bytes()[0] {
            b'"' => return Some(&rest[1..]),
            b'$' => {
                let (value, after) = value(rest, variable)?;
                word.push(value);
                rest = after;
            }
            _ => return None,
        }
    }
}

/// The value of `$name` or `${name}`, and what stands after it.
fn value<'v, 's>(
    script: &'s str,
    variable: &impl Fn(&str) -> Option<&'v OsStr>,
) -> Option<(&'v OsStr, &'s str)> {
    let rest = script.strip_prefix('$')?;
    let (name, after) = match rest.strip_prefix('{') {
        Some(inside) => inside.split_once('}')?,
        None => {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            rest.split_at(end.unwrap_or(rest.len()))
        }
    };
    let first = name.chars().next()?;
    let plain = (first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let own = SET.contains(&name) || name.starts_with("BASH");
    (plain && !own).then_some(())?;
    Some((variable(name)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> Option<Vec<String>> {
        let variable = |name: &str| match name {
            "data" => Some(OsStr::new("/store/ab cd")),
            "lr" => Some(OsStr::new("0.1")),
            "empty" => Some(OsStr::new("")),
            "glob" => Some(OsStr::new("*.txt")),
            "RANDOM" => Some(OsStr::new("4")),
            _ => None,
        };
        let words = words(script, variable)?.into_iter();
        Some(words.map(|word| word.into_string().unwrap()).collect())
    }

    #[test]
    fn one_command_is_its_words() {
        for (script, wanted) in [
            ("ls", &["ls"][..]),
            ("  cp \"$data\" out \n", &["cp", "/store/ab cd", "out"]),
            (
                "python3 -u t.py --lr=$lr",
                &["python3", "-u", "t.py", "--lr=0.1"],
            ),
            ("a \"x ${lr}y\"'z $q'", &["a", "x 0.1yz $q"]),
            ("a '' \"$empty\"", &["a", "", ""]),
            ("/usr/bin/env a:b,c@d+e%f", &["/usr/bin/env", "a:b,c@d+e%f"]),
        ] {
            assert_eq!(
                read(script).as_deref(),
                Some(&wanted.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()[..]),
                "{script}"
            );
        }
    }

    #[test]
    fn whatever_a_shell_would_do_is_left_to_the_shell() {
        for script in [
            "",
            "a; b",
            "a\nb",
            "a && b",
            "a | b",
            "a > b",
            "a &",
            "a *",
            "a ?",
            "a [b]",
            "a ~",
            "a {b,c}",
            "a $(b)",
            "a `b`",
            "a \"`b`\"",
            "a \\b",
            "a \"\\b\"",
            "x=1",
            "x=1 a",
            "echo b",
            "cd b",
            "exec b",
            "! a",
            "a #b",
            "a $data",
            "a $empty",
            "a $glob",
            "a $none",
            "a \"$none\"",
            "a $1",
            "a $?",
            "a $$",
            "a \"$@\"",
            "a ${lr:-1}",
            "a ${#lr}",
            "a $RANDOM",
            "a 'b",
            "a \"b",
            "$lr a",
            "\"a\" b",
            "a $'b'",
            "a $",
            "a \"$\"",
            "a\rb",
            "a é",
            "if a",
            ". a",
            "a <b",
            "(a)",
            "a !",
            "a =~",
        ] {
            assert_eq!(read(script), None, "{script}");
        }
    }
}
