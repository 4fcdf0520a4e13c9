# A multilayer perceptron that tells classes apart: `x` is [rows, columns], `y` the number of the class.


def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    p: Dict[str, Tensor] = {}
    size = int(cfg["x.columns"])
    for layer in range(int(cfg["layers"])):
        name = "layer" + str(layer)
        wide = int(cfg["hidden"])
        p[name + ".weight"] = torch.randn([wide, size]) * math.sqrt(2.0 / float(size))
        p[name + ".bias"] = torch.zeros([wide])
        size = wide
    p["leave.weight"] = torch.randn([int(cfg["y.max"]) + 1, size]) / math.sqrt(float(size))
    p["leave.bias"] = torch.zeros([int(cfg["y.max"]) + 1])
    return p


def forward(p: Dict[str, Tensor], x: Tensor) -> Tensor:
    layer = 0
    while ("layer" + str(layer) + ".weight") in p:
        name = "layer" + str(layer)
        x = F.relu(F.linear(x, p[name + ".weight"], p[name + ".bias"]))
        layer += 1
    return F.linear(x, p["leave.weight"], p["leave.bias"])


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(forward(p, batch["x"]), batch["y"])


def evaluate(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    scores = forward(p, batch["x"])
    right = scores.argmax(dim=-1) == batch["y"]
    return {"eval_loss": F.cross_entropy(scores, batch["y"]), "accuracy": right.float().mean()}
