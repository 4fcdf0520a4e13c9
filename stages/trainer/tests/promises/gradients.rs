//! The gradients that a training follows are those of libtorch, to the last bit.

use serde_json::json;

use crate::worker::{Worker, circle};

/// In the first step the program asks libtorch itself for the gradients by every parameter and notes where
/// a step of gradient descent at the rate 1 must lead; `evaluate` says how far from there each one is.
fn noting(value: &str) -> String {
    format!(
        r#"
def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    p: Dict[str, Tensor] = {{}}
    p["enter"] = torch.randn([6, 2])
    p["bias"] = torch.randn([6])
    p["square"] = torch.randn([6, 6])
    p["gain"] = torch.randn([6])
    p["scale"] = torch.randn([1])
    p["table"] = torch.randn([5, 6])
    p["unused"] = torch.randn([3])
    return p


def state(p: Dict[str, Tensor]) -> Dict[str, Tensor]:
    out: Dict[str, Tensor] = {{}}
    for name, weight in p.items():
        out[name] = weight.detach().clone()
    out["slopes"] = torch.zeros([1])
    return out


def value(p: Dict[str, Tensor], x: Tensor) -> Tensor:
{value}


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor], training: bool, state: Dict[str, Tensor]) -> Tensor:
    if not training:
        return p["gain"].sum()
    out = value(p, batch["x"])
    names = list(p.keys())
    found = torch.autograd.grad([out], [p[name] for name in names], retain_graph=True, allow_unused=True)
    for i, name in enumerate(names):
        gradient = found[i]
        if gradient is not None:
            state[name] = p[name].detach() - gradient
            state["slopes"] += gradient.abs().sum()
    return out


def evaluate(p: Dict[str, Tensor], state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    found: Dict[str, Tensor] = {{"slopes": state["slopes"].sum()}}
    for name, weight in p.items():
        found["off_" + name] = (weight - state[name]).abs().max()
    return found
"#
    )
}

const VALUES: [(&str, &str); 7] = [
    (
        "a residual network, whose gradients meet and are summed",
        "
    h = F.linear(x, p['enter'], p['bias'])
    h = h + F.linear(torch.relu(h), p['square'], p['bias'])
    h = h + torch.tanh(h @ p['square'].t()) * h
    return h.square().mean()",
    ),
    (
        "factors that are broadcast, and a normalised layer",
        "
    h = F.layer_norm(F.linear(x, p['enter']) * p['scale'], [6], p['gain'], p['bias'])
    return (h * p['scale'] + p['gain']).exp().mean()",
    ),
    (
        "pieces of which some are left aside, and a row changed in place",
        "
    columns = torch.unbind(F.linear(x, p['enter'], p['bias']), 1)
    h = torch.stack([columns[4], columns[1], columns[4]], dim=1).clone()
    h[:, 1] = columns[2] * p['scale'] + columns[0]
    return h.sigmoid().sum()",
    ),
    (
        "rows of a table, also as weights at the end",
        "
    rows = F.embedding(torch.arange(x.size(0)) % 5, p['table'])
    return F.cross_entropy(rows @ p['square'] @ p['table'].t(), torch.arange(x.size(0)) % 5)",
    ),
    (
        "numbers of two widths",
        "
    h = F.linear(x.double(), p['enter'].double(), p['bias'].double()).float()
    return torch.log_softmax(h * p['gain'], dim=1)[:, 0].double().sum().float()",
    ),
    (
        "a gradient by a layer inside the loss",
        "
    seen = F.linear(x, p['enter'], p['bias'])
    h = torch.tanh(seen @ p['square']).sum()
    inner = torch.autograd.grad([h], [seen], create_graph=True)[0]
    assert inner is not None
    return (inner * p['gain']).square().mean() + 0.1 * h",
    ),
    (
        "a gradient by the data inside the loss",
        "
    seen = x.clone().requires_grad_(True)
    h = torch.tanh(F.linear(seen, p['enter'], p['bias'])).sum()
    inner = torch.autograd.grad([h], [seen], create_graph=True)[0]
    assert inner is not None
    return (inner.norm(2.0, [1]) - 1.0).square().mean() + 0.1 * h",
    ),
];

#[test]
fn a_step_follows_the_gradients_of_libtorch_to_the_last_bit() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(10));
    let config = json!({
        "steps": 1, "batch": 10, "optimizer": "sgd", "lr": 1.0, "weight_decay": 0.0, "eval_batch": 10
    });
    for (what, value) in VALUES {
        let value = value.trim_start_matches('\n').replace('\'', "\"");
        let trained = worker.train(&noting(&value), &data, config.clone(), 7);
        assert!(trained.metrics["slopes"] > 0.01, "{what}: nothing moved");
        for name in [
            "enter", "bias", "square", "gain", "scale", "table", "unused",
        ] {
            let off = trained.metrics[&format!("off_{name}")];
            assert_eq!(off, 0.0, "{what}: {name}");
        }
    }
}
