//! The real binary, driven over its wire as the engine drives it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use kyobashi_stage::{
    Call, Checkpoints, Datum, Failure, FromWorker, Note, Output, Outputs, ToWorker,
};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

/// A trainer process and a folder for its files.
pub(crate) struct Worker {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    pub(crate) ready: FromWorker,
    pub(crate) dir: tempfile::TempDir,
    runs: u32,
    pub(crate) checkpoints: Option<Checkpoints>,
}

/// What a successful run left, read back.
#[derive(PartialEq)]
pub(crate) struct Trained {
    pub(crate) metrics: BTreeMap<String, f64>,
    pub(crate) curves: String,
    pub(crate) samples: String,
    pub(crate) weights: Vec<u8>,
    pub(crate) drawn: Vec<u8>,
}

impl Worker {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kyobashi-trainer"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = child.stdin.take();
        let mut from = BufReader::new(child.stdout.take().unwrap());
        let ready = read(&mut from).unwrap();
        Self {
            child,
            to,
            from,
            ready,
            dir: tempfile::tempdir().unwrap(),
            runs: 0,
            checkpoints: None,
        }
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn send(&mut self, what: &ToWorker) {
        let line = serde_json::to_string(what).unwrap();
        self.send_line(&line);
    }

    pub(crate) fn send_line(&mut self, line: &str) {
        writeln!(self.to.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line; none when the process has ended.
    pub(crate) fn next(&mut self) -> Option<FromWorker> {
        read(&mut self.from)
    }

    /// Closes standard input and waits for the end of the process.
    pub(crate) fn hang_up(mut self) -> ExitStatus {
        drop(self.to.take());
        self.child.wait().unwrap()
    }

    /// Ends the process as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for a process that ends by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn ask(&mut self, program: &str, data: &Path, config: Value, seed: i64) {
        let with = [("config", config), ("seed", json!(seed))];
        let with = with.map(|(name, value)| (name.to_owned(), value));
        self.ask_of("train/program", program, &[("data", data)], with.into());
    }

    /// A call of any stage type that trains a program.
    pub(crate) fn ask_of(
        &mut self,
        uses: &str,
        program: &str,
        files: &[(&str, &Path)],
        with: BTreeMap<String, Value>,
    ) {
        self.runs += 1;
        let scratch = self.dir.path().join(format!("run{}", self.runs));
        std::fs::create_dir(&scratch).unwrap();
        let program = self.write(&format!("program{}.py", self.runs), program);
        let file = |path: &Path| Datum::File {
            path: path.to_owned(),
            digest: String::new(),
        };
        let mut ins = BTreeMap::from([("program".to_owned(), file(&program))]);
        ins.extend(
            files
                .iter()
                .map(|(name, path)| ((*name).to_owned(), file(path))),
        );
        if uses == "train/table" {
            ins.entry("valid".to_owned())
                .or_insert(Datum::value(Value::Null));
        }
        let call = Call {
            uses: uses.to_owned(),
            ins,
            with: with
                .into_iter()
                .map(|(name, value)| (name, Datum::value(value)))
                .collect(),
            model: None,
            outs: Vec::new(),
            shapes: BTreeMap::new(),
        };
        let checkpoints = self.checkpoints.clone();
        self.send(&ToWorker::Run {
            call,
            scratch,
            threads: 1,
            checkpoints,
        });
    }

    /// The answer to the running call, and the notes before it.
    pub(crate) fn answer(&mut self) -> (Result<Outputs, Failure>, Vec<Note>) {
        let mut notes = Vec::new();
        loop {
            match self.next().expect("the process ended before it answered") {
                FromWorker::Note { note } => notes.push(note),
                FromWorker::Done { outputs } => return (Ok(outputs), notes),
                FromWorker::Failed { failure } => return (Err(failure), notes),
                FromWorker::Ready { .. } => panic!("ready twice"),
            }
        }
    }

    pub(crate) fn train(
        &mut self,
        program: &str,
        data: &Path,
        config: Value,
        seed: i64,
    ) -> Trained {
        self.ask(program, data, config, seed);
        let (answer, _) = self.answer();
        trained(answer.unwrap_or_else(|failure| panic!("{failure}")))
    }

    pub(crate) fn refuse(&mut self, program: &str, data: &Path, config: Value) -> Failure {
        self.ask(program, data, config, 0);
        self.answer().0.expect_err("the call succeeded")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

fn read(from: &mut impl BufRead) -> Option<FromWorker> {
    let mut line = String::new();
    if from.read_line(&mut line).unwrap() == 0 {
        return None;
    }
    Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
}

/// What a run left, read back.
pub(crate) fn trained(outputs: Outputs) -> Trained {
    let bytes = |name: &str| match &outputs[name] {
        Output::Bytes { bytes } => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{name}: {other:?}"),
    };
    let Output::Value { value } = &outputs["metrics"] else {
        panic!("metrics are no value")
    };
    let file = |name: &str| match &outputs[name] {
        Output::File { path } => std::fs::read(path).unwrap(),
        other => panic!("{name}: {other:?}"),
    };
    Trained {
        metrics: serde_json::from_value(value.clone()).unwrap(),
        curves: bytes("curves"),
        samples: bytes("samples"),
        weights: file("weights"),
        drawn: file("drawn"),
    }
}

/// Metrics and lengths: weights would fill the screen.
impl std::fmt::Debug for Trained {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?} curves {:?}", self.metrics, self.curves)?;
        write!(
            out,
            " samples {} weights {} bytes",
            self.samples.len(),
            self.weights.len()
        )
    }
}

impl Trained {
    /// A weight as its numbers.
    pub(crate) fn weight(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.weights).unwrap();
        let tensor = file.tensor(name).unwrap();
        let (numbers, _) = tensor.data().as_chunks::<4>();
        numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }

    /// The losses of the curve.
    pub(crate) fn losses(&self) -> Vec<f64> {
        let rows = self.curves.lines().skip(1);
        rows.map(|row| row.split(',').nth(1).unwrap().parse().unwrap())
            .collect()
    }
}

/// A safetensors file of f32 tensors.
pub(crate) fn tensors(named: &[(&str, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let held: Vec<(&str, Vec<usize>, Vec<u8>)> = named
        .iter()
        .map(|(name, shape, numbers)| {
            (
                *name,
                shape.clone(),
                numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            )
        })
        .collect();
    let views = held.iter().map(|(name, shape, bytes)| {
        (
            *name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}

/// `n` points on a circle, as the tensor `x`.
pub(crate) fn circle(n: usize) -> Vec<u8> {
    // Steps of the golden angle cover the circle evenly, and every prefix of it.
    let points = (0..n).flat_map(|i| {
        let angle = i as f32 * 2.399_963;
        let radius = 2.0 + 0.05 * (i as f32 * 0.7).sin();
        [radius * angle.cos(), radius * angle.sin()]
    });
    tensors(&[("x", vec![n, 2], points.collect())])
}

/// A program around the body of `loss`, one 2 by 2 parameter `w` and whatever else is given.
pub(crate) fn program(body: &str, more: &str) -> String {
    let body: Vec<String> = body.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n\
         \x20   p: Dict[str, Tensor] = {{}}\n\
         \x20   p[\"w\"] = torch.randn([2, 2])\n\
         \x20   return p\n\n\n\
         def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor], step: int) -> Tensor:\n\
         {}\n\n{more}",
        body.concat()
    )
}

/// The body of a loss that can be trained.
pub(crate) const SQUARES: &str = "return ((batch[\"x\"] @ p[\"w\"]) ** 2).mean()";

/// The published task in small.
pub(crate) fn small_diffusion() -> Value {
    json!({
        "steps": 30, "batch": 64, "lr": 0.001, "schedule": "cosine", "clip": 0.5, "ema_decay": 0.9,
        "ema_every": 5, "ema_after": 5, "eval_batch": 256, "samples": 200, "log_every": 10,
        "hidden": 32, "blocks": 2, "embedding": 16, "input_scale": 25.0, "timesteps": 20,
        "beta_start": 0.001, "beta_end": 0.1
    })
}

/// The table of addition modulo `n`, as the tokens `x` of "a o b =" and the answer `y`, i64.
pub(crate) fn sums(n: i64) -> Vec<u8> {
    let pairs = || (0..n).flat_map(|a| (0..n).map(move |b| (a, b)));
    let rows = usize::try_from(n * n).unwrap();
    let bytes =
        |numbers: Vec<i64>| -> Vec<u8> { numbers.iter().flat_map(|x| x.to_le_bytes()).collect() };
    let x = bytes(pairs().flat_map(|(a, b)| [a + 2, 0, b + 2, 1]).collect());
    let y = bytes(pairs().map(|(a, b)| (a + b) % n).collect());
    let views = [
        ("x", TensorView::new(Dtype::I64, vec![rows, 4], &x).unwrap()),
        ("y", TensorView::new(Dtype::I64, vec![rows], &y).unwrap()),
    ];
    safetensors::serialize(views, None).unwrap()
}

/// A file of the 2d_diffusion template.
pub(crate) fn template(file: &str) -> String {
    template_of("2d_diffusion", file)
}

/// A file of a template.
pub(crate) fn template_of(name: &str, file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/templates");
    std::fs::read_to_string(folder.join(name).join(file)).unwrap()
}
