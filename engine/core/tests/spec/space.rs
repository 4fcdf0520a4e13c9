//! What the checker's tests stand on: files in memory, signatures for the examples, and short ways to
//! ask for what was found.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use kyobashi_engine::spec::{
    Checked, FileKind, Files, Keys, Problem, Provider, Question, Severity, check,
};
use kyobashi_stage::{Field, Names, Port, Shape, Signature};

static SIGNATURES: LazyLock<BTreeMap<String, Signature>> = LazyLock::new(signatures);
static SHAPES: LazyLock<BTreeMap<String, Shape>> = LazyLock::new(shapes);
static PROVIDERS: LazyLock<BTreeMap<String, Provider>> = LazyLock::new(providers);

/// Files in memory.
#[derive(Clone, Default)]
pub(crate) struct Space {
    pub(crate) files: BTreeMap<PathBuf, String>,
}

/// A path without `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

impl Files for Space {
    fn read(&self, path: &Path) -> io::Result<String> {
        let file = self.files.get(&clean(path)).cloned();
        file.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }

    fn look(&self, path: &Path) -> Option<FileKind> {
        let path = clean(path);
        if self.files.contains_key(&path) {
            return Some(FileKind::File);
        }
        let inside = self.files.keys().any(|file| file.starts_with(&path));
        inside.then_some(FileKind::Dir)
    }

    fn list(&self, dir: &Path) -> Vec<String> {
        let dir = clean(dir);
        let inside = self
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(&dir).ok());
        let names = inside.filter_map(|rest| rest.components().next());
        let mut names: Vec<String> = names
            .map(|name| name.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.dedup();
        names
    }
}

/// How a check is asked, besides the files.
#[derive(Default)]
pub(crate) struct Ask<'a> {
    pub(crate) profile: Option<&'a str>,
    pub(crate) values: Option<&'a str>,
    pub(crate) set: &'a [&'a str],
    pub(crate) keys: Keys,
}

impl Space {
    /// A space with one file, `a.yaml`.
    pub(crate) fn one(text: &str) -> Self {
        Self::default().file("a.yaml", text)
    }

    /// Adds a file.
    #[must_use]
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.to_owned());
        self
    }

    /// The folder of examples, as it is on disk.
    pub(crate) fn examples() -> Self {
        Self::folder("spec")
    }

    /// A folder of `tests/data`, as it is on disk.
    pub(crate) fn folder(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data")
            .join(name);
        let mut space = Self::default();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().to_owned();
                    space
                        .files
                        .insert(name, std::fs::read_to_string(path).unwrap());
                }
            }
        }
        assert!(!space.files.is_empty(), "{} is empty", root.display());
        space
    }

    /// Checks a file.
    pub(crate) fn check(&self, file: &str) -> Checked {
        self.ask(file, &Ask::default())
    }

    /// Checks a file, asked in a certain way.
    pub(crate) fn ask(&self, file: &str, ask: &Ask<'_>) -> Checked {
        let set: Vec<String> = ask.set.iter().map(|set| (*set).to_owned()).collect();
        check(&Question {
            file: Path::new(file),
            profile: ask.profile,
            values: ask.values.map(Path::new),
            set: &set,
            signatures: &SIGNATURES,
            shapes: &SHAPES,
            providers: &PROVIDERS,
            files: self,
            keys: ask.keys,
            pools: &|_| None,
            editor: None,
        })
    }
}

/// `code file:line:col message | help`, one line a problem; warnings say so.
pub(crate) fn told(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let place = &problem.labels[0].place;
        if problem.severity == Severity::Warning {
            text += "warning ";
        }
        text += &format!(
            "{} {}:{}:{} {}",
            problem.code, place.file, place.line, place.col, problem.message
        );
        if let Some(help) = &problem.help {
            text += &format!(" | {help}");
        }
        text += "\n";
    }
    text
}

fn signature(
    name: &str,
    ins: &[(&str, &str)],
    with: &[(&str, &str)],
    outs: &[(&str, &str)],
) -> Signature {
    let ports = |ports: &[(&str, &str)]| -> Vec<Port> {
        let port = |(name, ty): &(&str, &str)| match ty.split_once('=') {
            Some((ty, default)) => {
                let default: serde_json::Value = serde_json::from_str(default).unwrap();
                Port::or(name, ty, default, "")
            }
            None => Port::new(name, ty, ""),
        };
        ports.iter().map(port).collect()
    };
    let named = |port: Port| match (name, port.name.as_str()) {
        ("stats/aggregate", "over") => port.naming(Names::AxesOf("runs".into())),
        ("stats/leaderboard", "sort") => port.naming(Names::FieldsOf("rows".into())),
        ("report/plot", _) if port.name != "band" => port.naming(Names::ColumnsOf("curves".into())),
        _ => port,
    };
    Signature {
        ins: ports(ins),
        with: ports(with).into_iter().map(named).collect(),
        outs: ports(outs),
        model: name.starts_with("llm/"),
        open_ins: name == "llm/chat",
        open_outs: name == "llm/chat",
        ..Signature::new(name, 1, "")
    }
}

/// The stage types of the examples.
pub(crate) fn signatures() -> BTreeMap<String, Signature> {
    let curves = "table(step, train_loss, val_loss)";
    let all = [
        signature(
            "data/moons",
            &[],
            &[("n", "int"), ("noise", "float"), ("seed", "int")],
            &[
                ("train", "file(.safetensors)"),
                ("valid", "file(.safetensors)"),
            ],
        ),
        signature(
            "train/mlp",
            &[
                ("train", "file(.safetensors)"),
                ("valid", "file(.safetensors)"),
            ],
            &[
                ("hidden", "list<int>"),
                ("steps", "int"),
                ("optimizer", "str"),
                ("lr", "float"),
                ("seed", "int"),
            ],
            &[("curves", curves), ("metrics", "Metrics")],
        ),
        signature(
            "stats/aggregate",
            &[("runs", "list<json>")],
            &[
                ("over", "list<str>"),
                ("metrics", "list<str>=[]"),
                ("ci", "float=0.95"),
            ],
            &[("summary", "json"), ("table", "table")],
        ),
        signature(
            "report/table",
            &[("summary", "table")],
            &[
                ("rows", "str"),
                ("cols", "str"),
                ("cell", "str"),
                ("format", "str"),
                ("best", "str"),
            ],
            &[("markdown", "text"), ("latex", "text")],
        ),
        signature(
            "report/plot",
            &[("curves", "list<table(step, val_loss)>")],
            &[
                ("x", "str"),
                ("y", "str"),
                ("color", "str"),
                ("facet", "str"),
                ("band", "str"),
            ],
            &[("figure", "file(.svg)"), ("pdf", "file(.pdf)")],
        ),
        signature(
            "llm/ideas",
            &[("template", "dir")],
            &[("n", "int"), ("reflections", "int=1")],
            &[("ideas", "list<Idea>")],
        ),
        signature(
            "llm/novelty",
            &[("ideas", "list<Idea>")],
            &[("engine", "str"), ("rounds", "int"), ("results", "int")],
            &[("novel", "list<Idea>")],
        ),
        signature(
            "llm/writeup",
            &[
                ("workspace", "dir"),
                ("figures", "dir"),
                ("notes", "text"),
                ("idea", "Idea"),
            ],
            &[("template", "dir"), ("cite_rounds", "int")],
            &[("tex", "file(.tex)")],
        ),
        signature(
            "paper/latex",
            &[("tex", "file(.tex)")],
            &[("fixes", "int=0")],
            &[("pdf", "file(.pdf)"), ("text", "text")],
        ),
        signature(
            "llm/improve",
            &[("tex", "file(.tex)"), ("review", "Review")],
            &[],
            &[("tex", "file(.tex)")],
        ),
        signature("llm/chat", &[], &[("prompt", "text")], &[]),
        signature(
            "stats/leaderboard",
            &[("rows", "list<Review>")],
            &[("sort", "str")],
            &[("markdown", "text")],
        ),
        signature(
            "llm/review",
            &[("paper", "text")],
            &[
                ("form", "file(.json)"),
                ("temperature", "float"),
                ("reflections", "int"),
                ("fewshot", "int"),
                ("sample", "int"),
            ],
            &[("review", "Review")],
        ),
        signature(
            "llm/meta_review",
            &[("reviews", "list<Review>")],
            &[],
            &[("review", "Review")],
        ),
        signature(
            "llm/edit",
            &[
                ("workspace", "dir"),
                ("history", "json"),
                ("feedback", "text"),
                ("idea", "Idea"),
                ("baseline", "json"),
            ],
            &[("prompt", "text"), ("files", "list<str>")],
            &[("workspace", "dir"), ("history", "json"), ("done", "bool")],
        ),
    ];
    all.into_iter()
        .map(|signature| (signature.name.clone(), signature))
        .collect()
}

/// The built-in types of the examples.
pub(crate) fn shapes() -> BTreeMap<String, Shape> {
    let shape = |fields: &[(&str, &str)], open: bool| Shape {
        fields: fields
            .iter()
            .map(|(name, ty)| ((*name).to_owned(), Field::new(ty)))
            .collect(),
        open,
    };
    let mut idea = shape(
        &[("name", "str"), ("title", "str"), ("notes", "str?")],
        false,
    );
    idea.fields
        .insert("interestingness".into(), Field::range("int", 1.0, 10.0));
    BTreeMap::from([
        ("Idea".to_owned(), idea),
        (
            "Review".to_owned(),
            shape(&[("summary", "str"), ("overall", "int")], false),
        ),
        ("Metrics".to_owned(), shape(&[], true)),
    ])
}

/// Providers of which only openai, anthropic and mock have what they need.
pub(crate) fn providers() -> BTreeMap<String, Provider> {
    let provider = |endpoint: &str, key: Option<&str>, present: bool| Provider {
        endpoint: endpoint.to_owned(),
        key_env: key.map(str::to_owned),
        key_present: present,
    };
    BTreeMap::from([
        (
            "openai".to_owned(),
            provider("https://api.openai.com/v1", Some("OPENAI_API_KEY"), true),
        ),
        (
            "anthropic".to_owned(),
            provider("https://api.anthropic.com", Some("ANTHROPIC_API_KEY"), true),
        ),
        (
            "deepseek".to_owned(),
            provider("https://api.deepseek.com", Some("DEEPSEEK_API_KEY"), false),
        ),
        (
            "ollama".to_owned(),
            provider("http://localhost:11434", None, true),
        ),
        ("mock".to_owned(), provider("", None, true)),
    ])
}
