//! Programs reach nothing, and what is wrong with one is said with its place.

use serde_json::json;

use crate::worker::{SQUARES, Worker, circle, program};

/// Ways out of the language that a program might try, as a line of `loss`, and a word of the refusal.
const WAYS_OUT: &[(&str, &str)] = &[
    ("torch.save(batch[\"x\"], \"stolen\")", "aten::save"),
    (
        "x = torch.from_file(\"/etc/passwd\", False, 10)",
        "aten::from_file",
    ),
    (
        "getattr(torch, \"save\")(batch[\"x\"], \"stolen\")",
        "getattr",
    ),
    ("x = torch.load(\"stolen\")", "aten::load"),
    ("torch.jit.save(1)", "aten::save"),
    ("torch.ops.load_library(\"evil.so\")", "attribute lookup"),
    ("torch.ops.evil.run(1)", "attribute lookup"),
    ("x = torch.classes.evil.Run()", "attribute lookup"),
    ("print(\"hello\")", "prim::Print"),
    ("torch.warn(\"hello\")", "aten::warn"),
    ("x = open(\"/etc/passwd\")", "undefined value open"),
    ("exec(\"import os\")", "undefined value exec"),
    ("x = eval(\"1\")", "undefined value eval"),
    ("x = __import__(\"os\")", "undefined value __import__"),
    ("import os", "import"),
    ("x = torch.hub.load(\"a\", \"b\")", "attribute lookup"),
    ("torch.manual_seed(0)", "aten::manual_seed"),
    ("x = torch.initial_seed()", "initial_seed"),
    ("torch.set_num_threads(64)", "set_num_threads"),
    ("batch[\"x\"].set_(batch[\"x\"])", "aten::set_"),
    ("batch[\"x\"].resize_(1000000)", "aten::resize_"),
    (
        "x = torch.as_strided(batch[\"x\"], [1000000], [1])",
        "aten::as_strided",
    ),
    ("x = batch[\"x\"].data_ptr()", "data_ptr"),
    ("x = batch[\"x\"].numpy()", "numpy"),
    ("x = batch[\"x\"].data", "aten::data"),
    ("p[\"w\"].sum().backward()", "aten::backward"),
    ("x = \"a\".ljust(1000000000000)", "aten::ljust"),
    ("x = torch.hash(\"a\")", "aten::hash"),
    ("x = torch.wait(1)", "aten::wait"),
    // The names of operations themselves, in every namespace that libtorch registers any in.
    ("torch.ops.aten.save(batch[\"x\"], \"stolen\")", "save"),
    (
        "x = torch.ops.aten.from_file(\"/etc/passwd\", False, 10)",
        "from_file",
    ),
    ("torch.ops.aten.manual_seed(0)", "manual_seed"),
    ("torch.ops.prim.Print(1)", "Print"),
    ("x = torch.ops.prim.TimePoint()", "TimePoint"),
    (
        "x = torch.ops.profiler._record_function_enter(\"a\")",
        "profiler",
    ),
    (
        "x = torch.ops.quantized.linear_prepack(p[\"w\"], None)",
        "quantized",
    ),
    (
        "x = torch.ops.mkldnn._linear_pointwise(p[\"w\"], p[\"w\"], None, \"none\", [], None)",
        "mkldnn",
    ),
    (
        "x = torch.ops._c10d_functional.wait_tensor(p[\"w\"])",
        "c10d",
    ),
    // What Python would give and TorchScript has names for.
    ("x = torch.cuda.current_device()", "cuda"),
    ("torch.cuda.synchronize()", "cuda"),
    ("torch.distributed.barrier()", "distributed"),
    ("x = torch._C._jit_pass_inline(1)", "_C"),
    ("x = input()", "undefined value input"),
    ("x = globals()", "undefined value globals"),
    ("x = os.environ", "undefined value os"),
    ("x = batch[\"x\"].__class__", "__class__"),
    ("x = batch[\"x\"].storage()", "storage"),
    ("x = batch[\"x\"].share_memory_()", "share_memory_"),
    ("x = batch[\"x\"].register_hook(loss)", "register_hook"),
    ("x = torch.empty_strided([2], [1])", "empty_strided"),
    ("x = torch.frombuffer(\"a\")", "frombuffer"),
    ("x = torch.seed()", "seed"),
    ("x = torch.get_num_threads()", "get_num_threads"),
    (
        "x = torch.jit.fork(loss, p, batch, step)",
        "attribute lookup",
    ),
];

#[test]
fn every_way_out_is_refused_by_name_and_line() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    for (line, word) in WAYS_OUT {
        let text = program(&format!("{line}\n{SQUARES}"), "");
        let failure = worker.refuse(&text, &data, json!({"steps": 1}));
        assert!(
            failure.message.starts_with("program.py:8:"),
            "{line}: {failure}"
        );
        assert!(failure.message.contains(word), "{line}: {failure}");
        assert!(failure.message.contains(line), "{line}: {failure}");
    }
    assert!(!std::path::Path::new("stolen").exists());
}

#[test]
fn a_refused_operation_is_found_wherever_it_hides() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let helper = "def helper(x: Tensor) -> Tensor:\n    if x.sum() > 0:\n        for i in range(3):\n            torch.save(x, \"stolen\")\n    return x\n";
    let used = program(&format!("x = helper(batch[\"x\"])\n{SQUARES}"), helper);
    let failure = worker.refuse(&used, &data, json!({"steps": 1}));
    assert!(
        failure.message.contains("torch.save(x, \"stolen\")"),
        "{failure}"
    );
    let dead = program(
        &format!("if False:\n    torch.save(batch[\"x\"], \"stolen\")\n{SQUARES}"),
        "",
    );
    let failure = worker.refuse(&dead, &data, json!({"steps": 1}));
    assert!(failure.message.starts_with("program.py:9:"), "{failure}");
}

#[test]
fn an_error_points_at_its_line_and_column() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    for (body, start) in [
        (
            "y = batch[\"x\"] @@ 3\nreturn y",
            "program.py:8:21: expected",
        ),
        ("return q", "program.py:8:12: undefined value q"),
        (
            "return torch.foo(p[\"w\"])",
            "program.py:8:12: Unknown builtin op: aten::foo",
        ),
        (
            "x: int = \"a\"\nreturn p[\"w\"].sum()",
            "program.py:8:5: Variable 'x' is annotated",
        ),
        (
            "y = 1\nreturn (batch[\"x\"] @ p[\"w\"][:1]).mean()",
            "program.py:9:13: mat1 and mat2 shapes cannot be multiplied (16x2 and 1x2)",
        ),
        ("return batch[\"y\"].mean()", "program.py:8:12: KeyError: y"),
        (
            "if step == 2:\n    raise ValueError(\"too far\")\nreturn p[\"w\"].sum()",
            "program.py:9:9: ValueError: too far",
        ),
    ] {
        let config = json!({"steps": 5, "batch": 16});
        let failure = worker.refuse(&program(body, ""), &data, config);
        assert!(failure.message.starts_with(start), "{start}\n{failure}");
        let lines: Vec<&str> = failure.message.lines().collect();
        let column: usize = start.split(':').nth(2).unwrap().parse().unwrap();
        assert_eq!(
            lines[lines.len() - 1].find('^'),
            Some("     | ".len() + column - 1),
            "{failure}"
        );
    }
}

#[test]
fn a_text_made_to_break_the_compiler_is_a_failure_or_a_program() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let deep = format!("x = {}1{}", "(".repeat(40_000), ")".repeat(40_000));
    let long = format!("x = {}1", "1 + ".repeat(20_000));
    let signs = format!("x = {}1", "-".repeat(90_000));
    for line in [deep, long, signs] {
        worker.ask(
            &program(&format!("{line}\n{SQUARES}"), ""),
            &data,
            json!({"steps": 1}),
            0,
        );
        let _ = worker.answer();
    }
    for text in [
        "",
        "x = 3",
        "class A:\n    x: int\n",
        "def f(",
        "\u{0}",
        "def init() -> int:\n    return 1\n",
    ] {
        worker.refuse(text, &data, json!({}));
    }
    let huge = worker.refuse(&"# \n".repeat(100_000), &data, json!({}));
    assert!(huge.message.contains("300000 bytes"), "{huge}");
    worker.train(&program(SQUARES, ""), &data, json!({"steps": 1}), 0);
}

#[test]
fn products_of_large_matrices_are_right_in_every_layout_and_in_their_gradients() {
    // Small whole numbers, whose sums no order of adding rounds.
    let helpers = r#"
def whole(rows: int, columns: int) -> Tensor:
    return torch.randint(-3, 4, [rows, columns]).float()


def slow(a: Tensor, b: Tensor) -> Tensor:
    rows: List[Tensor] = []
    for row in range(a.size(0)):
        rows.append((a[row].unsqueeze(1) * b).sum(0))
    return torch.stack(rows)


def gap(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().max()


def evaluate(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    a, b, bias = whole(130, 170), whole(170, 150), whole(1, 150)[0]
    right = slow(a, b)
    turned = a.t().contiguous().t()
    cut = torch.cat([a, a], dim=1)[:, :170]
    weight = b.t().contiguous()
    found = {"eval_loss": gap(a @ b, right), "turned": gap(turned @ b, right), "cut": gap(cut @ b, right)}
    found["linear"] = gap(F.linear(a, weight, bias), right + bias)
    found["scaled"] = gap(torch.addmm(bias, a, b, beta=2, alpha=3), 3 * right + 2 * bias)
    found["batch"] = gap(F.linear(a.view(2, 65, 170), weight, bias).flatten(0, 1), right + bias)
    return found
"#;
    let body = "nothing = 0.0 * p[\"w\"].sum()
x, weight = whole(130, 170) + nothing, whole(150, 170) + nothing
bias = torch.zeros([150]) + nothing
up = whole(130, 150)
out = (F.linear(x, weight, bias) * up).sum()
g = torch.autograd.grad([out], [x, weight, bias])
by_x, by_weight, by_bias = g[0], g[1], g[2]
assert by_x is not None and by_weight is not None and by_bias is not None
wrong = gap(by_x, slow(up, weight.detach())) + gap(by_weight, slow(up.t(), x.detach()))
wrong = wrong + gap(by_bias, up.sum(0))
return wrong + nothing";
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(10));
    let text = program(body, helpers);
    let trained = worker.train(&text, &data, json!({"steps": 3, "log_every": 1}), 0);
    assert_eq!(trained.losses(), [0.0; 3]);
    for name in ["eval_loss", "turned", "cut", "linear", "scaled", "batch"] {
        assert_eq!(trained.metrics[name], 0.0, "{name}");
    }
}
