//! What a run changes in a pipeline without editing it: `--profile`, then `--values`, then `--set`.
//! Only `params`, `models` and `defaults` can be changed; a name that does not exist is an error.

use std::path::{Path, PathBuf};

use super::super::node::{Entry, Node, Scalar, Style, What};
use super::super::read::{read, read_text};
use super::super::report::Issue;
use super::super::source::{COMMAND_LINE, FileId, Span};
use super::file::File;
use super::policy::{self, Rules};
use super::state::Check;

/// Values given over those of the pipeline, weakest first.
#[derive(Default)]
pub(super) struct Layers {
    pub params: Vec<Given>,
    pub models: Vec<Given>,
    pub defaults: Vec<(String, Span, Rules)>,
}

/// One value given over another.
pub(super) struct Given {
    pub name: String,
    pub node: Node,
}

/// What can be set, and so the keys of a profile and of a values file.
pub(super) const SECTIONS: &[&str] = &["params", "models", "defaults"];

/// Reads all layers in force. Other profiles are read too, so that their mistakes are told.
pub(super) fn layers(check: &mut Check<'_>, file: &File) -> Layers {
    let mut layers = Layers::default();
    let line = command_line(check);
    profiles(check, file, line, &mut layers);
    if let Some(path) = check.question.values {
        values(check, file, path, line, &mut layers);
    }
    let mut start = 0;
    for argument in check.question.set {
        let at = start + "--set ".len();
        set(check, file, line, argument, at, &mut layers);
        start = at + argument.len() + 1;
    }
    layers
}

/// The arguments that bear on the pipeline, one a line, as a text to point at.
fn command_line(check: &mut Check<'_>) -> FileId {
    let question = check.question;
    let mut lines: Vec<String> = question
        .set
        .iter()
        .map(|set| format!("--set {set}"))
        .collect();
    lines.extend(question.profile.map(|name| format!("--profile {name}")));
    lines.extend(
        question
            .values
            .map(|path| format!("--values {}", path.display())),
    );
    check
        .sources
        .add(COMMAND_LINE.to_owned(), PathBuf::new(), lines.join("\n"))
}

/// Where an argument of the command line stands.
fn argument(check: &Check<'_>, line: FileId, before: &str) -> Span {
    let text = check.sources.text(line);
    let start = text
        .lines()
        .rev()
        .find(|line| line.starts_with(before))
        .map_or(0, |line| {
            line.as_ptr() as usize - text.as_ptr() as usize + before.len()
        });
    let end = text[start..]
        .find('\n')
        .map_or(text.len(), |length| start + length);
    Span::new(line, start, end)
}

fn profiles(check: &mut Check<'_>, file: &File, line: FileId, layers: &mut Layers) {
    let wanted = check.question.profile;
    let mut found = wanted.is_none();
    let entries = match file.entry("profiles") {
        Some(entry) => check.form().map(&entry.node, "profiles").to_vec(),
        None => Vec::new(),
    };
    for entry in &entries {
        let mut others = Layers::default();
        let chosen = wanted == Some(entry.key.as_str());
        found |= chosen;
        let into = if chosen { &mut *layers } else { &mut others };
        sections(
            check,
            file,
            &entry.node,
            &format!("profile `{}`", entry.key),
            into,
        );
    }
    if let (Some(name), false) = (wanted, found) {
        let names = entries.iter().map(|entry| entry.key.as_str());
        let help = check.report.suggest(name, "profiles", names);
        let span = argument(check, line, "--profile ");
        let issue = Issue::error(
            "profile::unknown",
            span,
            "unknown profile",
            format!("no profile `{name}`"),
        );
        check
            .report
            .add(issue.help(help.unwrap_or_else(|| "this pipeline has no `profiles:`".to_owned())));
    }
}

fn values(check: &mut Check<'_>, file: &File, path: &Path, line: FileId, layers: &mut Layers) {
    let span = argument(check, line, "--values ");
    match check.question.files.read(path) {
        Ok(text) => {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            let id = check.sources.add(path.display().to_string(), folder, text);
            if let Some(root) = read(&check.sources, &mut check.report, id) {
                sections(check, file, &root, "a values file", layers);
            }
        }
        Err(error) => {
            let message = format!("cannot read {}: {error}", path.display());
            check.error("file::unreadable", span, "here", message);
        }
    }
}

/// Takes in the `params`, `models` and `defaults` of a profile or values file.
fn sections(check: &mut Check<'_>, file: &File, node: &Node, what: &str, into: &mut Layers) {
    let entries = check.form().map(node, what);
    check.form().keys(entries, SECTIONS, what);
    for section in entries {
        let lines = check.form().map(&section.node, &section.key);
        for line in lines {
            match section.key.as_str() {
                "params" | "models" => {
                    if known(file, &section.key, &line.key) {
                        let into = if section.key == "params" {
                            &mut into.params
                        } else {
                            &mut into.models
                        };
                        into.push(Given {
                            name: line.key.clone(),
                            node: line.node.clone(),
                        });
                    } else {
                        let singular = section.key.trim_end_matches('s');
                        let code = if singular == "param" {
                            "ref::unknown_param"
                        } else {
                            "ref::unknown_model"
                        };
                        let help = check.report.suggest(
                            &line.key,
                            &section.key,
                            names(file, &section.key),
                        );
                        let message = format!("no {singular} `{}`", line.key);
                        let issue =
                            Issue::error(code, line.at, format!("unknown {singular}"), message);
                        check.report.add(issue.help(help));
                    }
                }
                "defaults" => {
                    let mut form = check.form();
                    let mut rules = Rules::default();
                    for rule in form.map(&line.node, &line.key) {
                        if !rules.take(&mut form, rule) {
                            form.unknown_key(rule, policy::KEYS, "`defaults`");
                        }
                    }
                    into.defaults.push((line.key.clone(), line.at, rules));
                }
                _ => {}
            }
        }
    }
}

fn entries<'f>(file: &'f File, section: &str) -> &'f [Entry] {
    file.entry(section)
        .and_then(|entry| entry.node.map())
        .unwrap_or(&[])
}

fn known(file: &File, section: &str, name: &str) -> bool {
    entries(file, section).iter().any(|entry| entry.key == name)
}

fn names<'f>(file: &'f File, section: &str) -> impl Iterator<Item = &'f str> + Clone {
    entries(file, section)
        .iter()
        .map(|entry| entry.key.as_str())
}

/// Takes in one `--set`; `at` is where the argument starts in the text of the command line.
fn set(
    check: &mut Check<'_>,
    file: &File,
    line: FileId,
    argument: &str,
    at: usize,
    layers: &mut Layers,
) {
    let Some((path, value)) = argument.split_once('=') else {
        let span = Span::new(line, at, at + argument.len());
        let issue = Issue::error("set::syntax", span, "no `=`", "`--set` takes `name=value`");
        check.report.add(issue.help("as in `--set params.n=3`"));
        return;
    };
    let span = Span::new(line, at, at + path.len());
    let Some(node) = argument_value(check, line, value, at + path.len() + 1) else {
        return;
    };
    let (section, name) = path.split_once('.').unwrap_or((path, ""));
    match section {
        "models" if name == "*" => {
            for name in names(file, "models") {
                layers.models.push(Given {
                    name: name.to_owned(),
                    node: node.clone(),
                });
            }
        }
        "params" | "models" if known(file, section, name) => {
            let into = if section == "params" {
                &mut layers.params
            } else {
                &mut layers.models
            };
            into.push(Given {
                name: name.to_owned(),
                node,
            });
        }
        "params" | "models" => {
            let help = check.report.suggest(name, section, names(file, section));
            let issue = Issue::error(
                "set::unknown",
                span,
                "unknown",
                format!("nothing called `{path}` to set"),
            );
            check.report.add(
                issue.help(help.unwrap_or_else(|| format!("this pipeline has no `{section}:`"))),
            );
        }
        "defaults" => default_rule(check, name, node, span, layers),
        _ => {
            let help = match check.report.nearest(section, SECTIONS.iter().copied()) {
                Some(section) => format!("did you mean `{section}.{name}`?"),
                None => "only `params.…`, `models.…` and `defaults.…` can be set".to_owned(),
            };
            let issue = Issue::error(
                "set::unknown",
                span,
                "unknown",
                format!("nothing called `{path}` to set"),
            );
            check.report.add(issue.help(help));
        }
    }
}

/// `defaults.train/*.timeout`, `defaults.*.resources.gpu`.
fn default_rule(check: &mut Check<'_>, path: &str, node: Node, span: Span, layers: &mut Layers) {
    let (path, node) = match path.rsplit_once(".resources.") {
        Some((glob, pool)) => {
            let entry = Entry {
                key: pool.to_owned(),
                at: span,
                node,
            };
            let node = Node {
                span,
                what: What::Map(vec![entry]),
            };
            (format!("{glob}.resources"), node)
        }
        None => (path.to_owned(), node),
    };
    let (glob, key) = path.rsplit_once('.').unwrap_or(("", &path));
    let entry = Entry {
        key: key.to_owned(),
        at: span,
        node,
    };
    let mut form = check.form();
    let mut rules = Rules::default();
    if glob.is_empty() || !rules.take(&mut form, &entry) {
        let message = format!("nothing called `defaults.{path}` to set");
        let issue = Issue::error("set::unknown", span, "unknown", message);
        let help = "write a glob of stage types and a rule, as in `defaults.train/*.timeout=20m`";
        check.report.add(issue.help(help));
        return;
    }
    layers.defaults.push((glob.to_owned(), span, rules));
}

/// The value of a `--set`, as YAML. Its places are those of the command line.
fn argument_value(check: &mut Check<'_>, line: FileId, value: &str, at: usize) -> Option<Node> {
    let span = Span::new(line, at, at + value.len());
    if value.trim().is_empty() {
        return Some(Node {
            span,
            what: What::Scalar(Scalar {
                text: value.to_owned(),
                style: Style::Quoted,
            }),
        });
    }
    // Blanks in front move the value to the bytes where it stands in the command line.
    let padded = format!("{}{value}", " ".repeat(at));
    read_text(&padded, &mut check.report, line)
}
