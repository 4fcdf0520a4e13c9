//! Each hook does what the harness promises of it, shown on numbers that can be worked out by hand.

use serde_json::json;

use crate::worker::{SQUARES, Worker, circle, program, tensors};

/// A program with a scalar `a` that starts at 2 and the loss (a − mean x)², and whatever else is given.
fn scalar(more: &str) -> String {
    format!(
        "def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n    p: Dict[str, Tensor] = {{}}\n    \
         p[\"a\"] = torch.tensor(2.0)\n    p[\"b\"] = torch.tensor(5.0)\n    p[\"_c\"] = torch.tensor(7.0)\n    return p\n\n\n\
         def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:\n    \
         return (p[\"a\"] - batch[\"x\"].mean()) ** 2 + 0.0 * p[\"b\"]\n\n\n{more}"
    )
}

/// Four rows of one number, each 1.
fn ones(worker: &Worker) -> std::path::PathBuf {
    worker.write(
        "ones.safetensors",
        tensors(&[("x", vec![4, 1], vec![1.0; 4])]),
    )
}

/// AdamW by the book, on (a − 1)² from a = 2.
fn adamw(steps: i32, rate: impl Fn(i32) -> f64, clip: f64, weight_decay: f64) -> f64 {
    let (mut a, mut m, mut v) = (2.0_f64, 0.0_f64, 0.0_f64);
    for step in 0..steps {
        let gradient = (2.0 * (a - 1.0)).clamp(-clip, clip);
        let lr = rate(step);
        a -= lr * weight_decay * a;
        m = 0.9 * m + 0.1 * gradient;
        v = 0.999 * v + 0.001 * gradient * gradient;
        let (m_hat, v_hat) = (
            m / (1.0 - 0.9_f64.powi(step + 1)),
            v / (1.0 - 0.999_f64.powi(step + 1)),
        );
        a -= lr * m_hat / (v_hat.sqrt() + 1e-8);
    }
    a
}

#[test]
fn the_update_is_adamw_with_clip_warm_up_and_cosine_as_written_in_the_books() {
    let mut worker = Worker::start();
    let data = ones(&worker);
    let config = json!({
        "steps": 40, "batch": 4, "lr": 0.05, "schedule": "cosine", "lr_floor": 0.1, "warmup": 5,
        "clip": 0.5, "weight_decay": 0.02
    });
    let trained = worker.train(&scalar(""), &data, config, 0);
    let rate = |step: i32| {
        if step < 5 {
            return 0.05 * f64::from(step + 1) / 5.0;
        }
        let done = f64::from(step - 5) / 35.0;
        0.05 * (0.1 + 0.9 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()))
    };
    let expected = adamw(40, rate, 0.5, 0.02);
    let found = f64::from(trained.weight("a")[0]);
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    assert_eq!(trained.weight("_c"), [7.0], "a constant is not trained");
    assert_eq!(trained.metrics["parameters"], 2.0);
}

#[test]
fn gradient_descent_steps_by_rate_times_gradient() {
    let mut worker = Worker::start();
    let data = ones(&worker);
    let config =
        json!({"steps": 10, "batch": 4, "lr": 0.1, "optimizer": "sgd", "weight_decay": 0.0});
    let trained = worker.train(&scalar(""), &data, config, 0);
    assert!((trained.weight("a")[0] - (1.0 + 0.8_f32.powi(10))).abs() < 1e-6);
}

#[test]
fn group_scales_rate_and_decay_of_each_parameter() {
    let mut worker = Worker::start();
    let data = ones(&worker);
    let group = "def group(name: str) -> Dict[str, float]:\n    out: Dict[str, float] = {}\n    if name == \"a\":\n        out[\"lr\"] = 0.0\n    else:\n        out[\"weight_decay\"] = 2.0\n    return out\n";
    let config = json!({"steps": 1, "batch": 4, "lr": 0.5, "weight_decay": 0.1});
    let trained = worker.train(&scalar(group), &data, config, 0);
    assert_eq!(trained.weight("a"), [2.0]);
    assert!((trained.weight("b")[0] - 5.0 * (1.0 - 0.5 * 0.2)).abs() < 1e-6);
}

#[test]
fn lr_scale_may_learn_from_the_metrics_in_a_state_of_its_own() {
    let mut worker = Worker::start();
    let data = ones(&worker);
    let hooks = "def state(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n    out: Dict[str, Tensor] = {}\n    out[\"calls\"] = torch.zeros([1])\n    return out\n\n\ndef lr_scale(step: int, metrics: Dict[str, float], state: Dict[str, Tensor]) -> float:\n    state[\"calls\"] += 1.0\n    if \"loss\" in metrics:\n        return 0.0\n    return float(state[\"calls\"].sum())\n";
    let config = json!({
        "steps": 6, "batch": 4, "lr": 0.01, "optimizer": "sgd", "weight_decay": 0.0, "log_every": 3
    });
    let trained = worker.train(&scalar(hooks), &data, config, 0);
    // Three steps at 1, 2 and 3 times the rate; then the loss is known and the rate is zero.
    let expected = 1.0 + 0.98 * 0.96 * 0.94;
    assert!(
        (f64::from(trained.weight("a")[0]) - expected).abs() < 1e-6,
        "{:?}",
        trained.weight("a")
    );
}

#[test]
fn a_second_network_is_trained_by_its_own_loss_at_its_own_pace() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let text = "def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n    p: Dict[str, Tensor] = {}\n    p[\"a\"] = torch.tensor(0.0)\n    p[\"critic.b\"] = torch.tensor(0.0)\n    return p\n\n\ndef loss(p: Dict[str, Tensor]) -> Tensor:\n    return p[\"a\"] + 100.0 * p[\"critic.b\"]\n\n\ndef loss_critic(p: Dict[str, Tensor]) -> Tensor:\n    return 100.0 * p[\"a\"] - p[\"critic.b\"]\n";
    let config = json!({
        "steps": 10, "batch": 10, "optimizer": "sgd", "lr": 0.1, "weight_decay": 0.0,
        "lr_critic": 0.5, "every_critic": 2
    });
    let trained = worker.train(text, &data, config, 0);
    assert!(
        (trained.weight("a")[0] + 1.0).abs() < 1e-5,
        "ten steps of 0.1 down"
    );
    assert!(
        (trained.weight("critic.b")[0] - 2.5).abs() < 1e-5,
        "five steps of 0.5 up"
    );
}

#[test]
fn penalty_and_augment_act_on_training_alone() {
    let mut worker = Worker::start();
    let data = ones(&worker);
    let hooks = "def penalty(p: Dict[str, Tensor]) -> Tensor:\n    return 1000.0 * p[\"b\"] ** 2\n\n\ndef augment(batch: Dict[str, Tensor]) -> Dict[str, Tensor]:\n    batch[\"x\"] = batch[\"x\"] + 100.0\n    return batch\n";
    let config = json!({"steps": 1, "batch": 4, "lr": 0.0});
    let trained = worker.train(&scalar(hooks), &data, config, 0);
    assert_eq!(trained.losses(), [(2.0_f64 - 101.0).powi(2)]);
    assert_eq!(trained.metrics["eval_loss"], 1.0);
    let config =
        json!({"steps": 1, "batch": 4, "lr": 0.001, "optimizer": "sgd", "weight_decay": 0.0});
    let trained = worker.train(&scalar(hooks), &data, config, 0);
    assert!((trained.weight("b")[0] - (5.0 - 0.001 * 2000.0 * 5.0)).abs() < 1e-4);
}

#[test]
fn evaluate_measures_held_out_rows_and_a_goal_remembers_its_step() {
    let mut worker = Worker::start();
    let numbers: Vec<f32> = (0..40).map(|i| i as f32).collect();
    let data = worker.write("x.safetensors", tensors(&[("x", vec![40, 1], numbers)]));
    let hooks = "def evaluate(p: Dict[str, Tensor], batch: Dict[str, Tensor], step: int) -> Dict[str, Tensor]:\n    out: Dict[str, Tensor] = {}\n    out[\"done\"] = torch.tensor(step)\n    out[\"sum\"] = batch[\"x\"].mean() * 10.0\n    return out\n";
    let config = json!({
        "steps": 20, "batch": 7, "lr": 0.0, "validation": 0.25, "eval_every": 4, "eval_batch": 3,
        "goal": "done", "goal_above": 9
    });
    let trained = worker.train(&scalar(hooks), &data, config.clone(), 0);
    assert_eq!(trained.metrics["goal_step"], 12.0);
    assert_eq!(trained.metrics["done"], 20.0);
    let sum = trained.metrics["sum"];
    assert!(
        (sum - sum.round()).abs() < 1e-4,
        "ten rows, however they are batched: {sum}"
    );
    assert_ne!(
        trained.metrics["sum"],
        worker.train(&scalar(hooks), &data, config, 1).metrics["sum"]
    );
}

#[test]
fn a_program_cannot_train_while_it_is_evaluated() {
    let mut worker = Worker::start();
    let data = ones(&worker);
    let hooks = "def evaluate(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Dict[str, Tensor]:\n    p[\"a\"].zero_()\n    p[\"_c\"].zero_()\n    batch[\"x\"].zero_()\n    return {\"zero\": p[\"a\"]}\n";
    let config = json!({"steps": 4, "batch": 4, "lr": 0.0, "eval_every": 1});
    let trained = worker.train(&scalar(hooks), &data, config, 0);
    assert_eq!(
        (trained.weight("a"), trained.weight("_c")),
        (vec![2.0], vec![7.0])
    );
    assert_eq!(trained.losses(), [1.0]);
}

#[test]
fn a_loss_that_is_no_number_or_moves_nothing_is_named() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    for (body, part) in [
        (
            "return batch[\"x\"] @ p[\"w\"]",
            "`loss` returned the shape [50, 2]; it returns one number",
        ),
        (
            "return batch[\"x\"].mean()",
            "`loss` does not depend on any parameter that it trains",
        ),
    ] {
        let failure = worker.refuse(&program(body, ""), &data, json!({"steps": 1, "batch": 50}));
        assert!(failure.message.contains(part), "{failure}");
    }
    let text = program(SQUARES, "").replace(
        "torch.randn([2, 2])",
        "torch.ones([2, 2], dtype=torch.long)",
    );
    let failure = worker.refuse(&text, &data, json!({"steps": 1}));
    assert!(
        failure
            .message
            .contains("`w` does not hold floating-point numbers"),
        "{failure}"
    );
}

#[test]
fn parameters_that_share_a_gradient_are_clipped_once() {
    // The derivatives by `a` and by `b` are one tensor: 100 for each of the four numbers.
    let text = "def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n    p: Dict[str, Tensor] = {}\n    \
                p[\"a\"] = torch.zeros([2])\n    p[\"b\"] = torch.zeros([2])\n    return p\n\n\n\
                def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:\n    \
                return ((p[\"a\"] + p[\"b\"]) * 100.0).sum() + 0.0 * batch[\"x\"].sum()\n";
    let mut worker = Worker::start();
    let data = ones(&worker);
    let config = json!({"steps": 1, "optimizer": "sgd", "lr": 1.0, "weight_decay": 0, "clip": 1.0});
    let trained = worker.train(text, &data, config, 0);
    for name in ["a", "b"] {
        for number in trained.weight(name) {
            assert!((number + 0.5).abs() < 1e-6, "{name}: {number}");
        }
    }
}

#[test]
fn the_update_reaches_every_number_of_every_shape() {
    // 70,001 numbers: some blocks of the norm and a rest; one parameter that lies in another order.
    let text = "def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n    p: Dict[str, Tensor] = {}\n    \
                p[\"a\"] = torch.ones([70001])\n    p[\"b\"] = torch.ones([3, 5])\n    return p\n\n\n\
                def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:\n    \
                return p[\"a\"].sum() + (p[\"b\"].t() * 2.0).sum() + 0.0 * batch[\"x\"].sum()\n";
    let mut worker = Worker::start();
    let data = ones(&worker);
    let norm = (70001.0_f64 + 15.0 * 4.0).sqrt();
    // A large epsilon, so that the size of the gradient shows in the step of Adam: g / (g + 1).
    let config = json!({"steps": 1, "lr": 0.5, "weight_decay": 0, "clip": 100.0, "epsilon": 1.0});
    let trained = worker.train(text, &data, config, 0);
    for (name, slope, count) in [("a", 1.0, 70001), ("b", 2.0, 15)] {
        let clipped = slope * 100.0 / norm;
        let expected = 1.0 - 0.5 * clipped / (clipped + 1.0);
        let numbers = trained.weight(name);
        assert_eq!(numbers.len(), count);
        for number in numbers {
            assert!(
                (f64::from(number) - expected).abs() < 1e-6,
                "{name}: {number}, {expected}"
            );
        }
    }
}
