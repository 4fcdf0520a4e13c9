//! One file of a pipeline: text → [`File`], its stages drafted, its header left as nodes.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::super::node::{Entry, Node, What};
use super::super::read::read;
use super::super::report::Issue;
use super::super::source::{FileId, Span};
use super::draft::{Draft, top};
use super::form::Given;
use super::path::nearest_beside;
use super::policy::{self, Rules};
use super::state::Check;

/// A file that was read.
pub(super) struct File {
    pub id: FileId,
    pub path: PathBuf,
    pub name: String,
    pub doc: Option<String>,
    /// The whole file but its stages.
    pub root: Node,
    pub imports: Vec<Import>,
    pub defaults: Vec<(String, Span, Rules)>,
    pub stages: Vec<Draft>,
    pub outputs: Vec<Given>,
}

/// A line of `import:`.
pub(super) struct Import {
    pub name: String,
    pub at: Span,
    pub path: String,
    pub span: Span,
}

/// Keys of every file.
pub(super) const KEYS: &[&str] = &[
    "kyobashi",
    "name",
    "doc",
    "import",
    "inputs",
    "params",
    "providers",
    "models",
    "secrets",
    "budget",
    "types",
    "defaults",
    "pools",
    "profiles",
    "stages",
    "outputs",
];

/// Keys that only a pipeline has: a component gets these by its inputs.
const PIPELINE_ONLY: &[&str] = &[
    "params",
    "models",
    "providers",
    "profiles",
    "pools",
    "budget",
];

impl File {
    /// An entry of the head of the file.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.root.get(key)
    }

    /// Whether the file declares inputs and so is a component.
    pub(super) fn is_component(&self) -> bool {
        self.entry("inputs").is_some()
    }
}

/// Reads a file, once. `from` is where its path is written; none for the pipeline itself.
pub(super) fn open(check: &mut Check<'_>, path: &Path, from: Option<Span>) -> Option<Rc<File>> {
    if let Some(file) = check.files.get(path) {
        return file.clone();
    }
    let file = read_file(check, path, from).map(Rc::new);
    check.files.insert(path.to_owned(), file.clone());
    file
}

/// The file beside a path that was most likely meant, or how to begin.
fn near(check: &Check<'_>, path: &Path, is_pipeline: bool) -> Option<String> {
    if let Some(nearest) = nearest_beside(check, path) {
        let meant = path.with_file_name(nearest);
        return (meant != path).then(|| format!("did you mean `{}`?", meant.display()));
    }
    is_pipeline.then(|| "`kyo init FILE` writes a first pipeline".to_owned())
}

fn read_file(check: &mut Check<'_>, path: &Path, from: Option<Span>) -> Option<File> {
    let shown = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let text = match check.question.files.read(path) {
        Ok(text) => text,
        Err(error) => {
            let span = from.unwrap_or_else(|| {
                let id = check.sources.add(shown.clone(), folder, String::new());
                Span::new(id, 0, 0)
            });
            let message = format!("cannot read {shown}: {error}");
            let issue = Issue::error("file::unreadable", span, "here", message);
            let help = near(check, path, from.is_none());
            check.report.add(issue.help(help));
            return None;
        }
    };
    let id = check.sources.add(shown, folder, text);
    let root = read(&check.sources, &mut check.report, id)?;
    let name = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let mut file = File {
        id,
        path: path.to_owned(),
        name: name.unwrap_or_default(),
        doc: None,
        root: Node {
            span: root.span,
            what: What::Map(Vec::new()),
        },
        imports: Vec::new(),
        defaults: Vec::new(),
        stages: Vec::new(),
        outputs: Vec::new(),
    };
    let What::Map(entries) = root.what else {
        check.form().expected(&root, "a pipeline", "a map");
        return None;
    };
    let (stages, head) = entries.into_iter().partition(|entry| entry.key == "stages");
    let head = Node {
        span: root.span,
        what: What::Map(head),
    };
    fill(check, &mut file, head, stages);
    Some(file)
}

fn fill(check: &mut Check<'_>, file: &mut File, root: Node, stages: Vec<Entry>) {
    if stages.is_empty() {
        let span = Span::new(file.id, 0, 0);
        check.error("spec::no_stages", span, "", "this file has no `stages:`");
    }
    let mut form = check.form();
    let entries = form.map(&root, "a pipeline");
    form.keys(entries, KEYS, "a pipeline");
    for entry in entries {
        let node = &entry.node;
        match entry.key.as_str() {
            "name" => file.name = form.string(node, "name").unwrap_or_default(),
            "doc" => file.doc = form.string(node, "doc"),
            "import" => {
                for line in form.map(node, "import") {
                    if let Some(path) = form.string(&line.node, "import") {
                        file.imports.push(Import {
                            name: line.key.clone(),
                            at: line.at,
                            path,
                            span: line.node.span,
                        });
                    }
                }
            }
            "defaults" => {
                for line in form.map(node, "defaults") {
                    let mut rules = Rules::default();
                    for rule in form.map(&line.node, &line.key) {
                        if !rules.take(&mut form, rule) {
                            form.unknown_key(rule, policy::KEYS, "`defaults`");
                        }
                    }
                    file.defaults.push((line.key.clone(), line.at, rules));
                }
            }
            "outputs" => {
                file.outputs = form.givens(node, "outputs");
                for output in &file.outputs {
                    output_name(form.report, &output.name, output.at);
                }
            }
            _ => {}
        }
    }
    for entry in stages {
        file.stages = top(&mut form, entry.node);
    }
    version(check, file.id, &root);
    component_keys(check, &root);
    file.root = root;
}

fn component_keys(check: &mut Check<'_>, root: &Node) {
    let Some(inputs) = root.get("inputs") else {
        return;
    };
    for key in PIPELINE_ONLY {
        if let Some(entry) = root.get(key) {
            let message = format!("a component has no `{key}`");
            let issue = Issue::error("spec::component_key", entry.at, "not here", message);
            let issue = issue.also(inputs.at, "this makes it a component");
            check
                .report
                .add(issue.help("it gets what it needs by its `inputs:`"));
        }
    }
}

fn version(check: &mut Check<'_>, id: FileId, root: &Node) {
    let Some(entry) = root.get("kyobashi") else {
        let issue = Issue::error(
            "spec::version",
            Span::new(id, 0, 0),
            "",
            "the language version is missing",
        );
        check
            .report
            .add(issue.help("start the file with `kyobashi: 1`"));
        return;
    };
    if entry.node.value().as_u64() != Some(1) {
        let message = "this version of the language is not known";
        let issue = Issue::error("spec::version", entry.node.span, "unknown version", message);
        check.report.add(issue.help("write `kyobashi: 1`"));
    }
}

/// The outputs of a pipeline become files, so a name must be a file name.
fn output_name(report: &mut super::super::report::Report, name: &str, at: Span) {
    let fits = !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !fits {
        let message = format!("`{name}` is not a name for an output");
        let issue = Issue::error("spec::name", at, "not a name", message);
        report.add(
            issue.help("a name is letters, digits, `_`, `-` and `.`, and does not start with `.`"),
        );
    }
}
