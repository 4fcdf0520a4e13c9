# A variant of program.py: embeddings and late layers have learning rates of their own.


def uniform(shape: List[int], bound: float) -> Tensor:
    return (torch.rand(shape) * 2.0 - 1.0) * bound


def add_linear(p: Dict[str, Tensor], name: str, inputs: int, outputs: int) -> None:
    bound = 1.0 / math.sqrt(float(inputs))
    p[name + ".weight"] = uniform([outputs, inputs], bound)
    p[name + ".bias"] = uniform([outputs], bound)


def add_norm(p: Dict[str, Tensor], name: str, size: int) -> None:
    p[name + ".weight"] = torch.ones([size])
    p[name + ".bias"] = torch.zeros([size])


def linear(p: Dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def norm(p: Dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, [x.size(-1)], p[name + ".weight"], p[name + ".bias"])


def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    p: Dict[str, Tensor] = {}
    dim = int(cfg["dim"])
    answers = int(cfg["y.max"]) + 1
    p["_heads"] = torch.tensor(int(cfg["heads"]))
    p["token"] = torch.randn([int(cfg["x.max"]) + 1, dim])
    # One position more than there are tokens, as in the published template.
    p["position"] = torch.randn([int(cfg["x.columns"]) + 1, dim])
    for layer in range(int(cfg["layers"])):
        name = "block" + str(layer)
        p[name + ".qkv.weight"] = uniform([3 * dim, dim], math.sqrt(6.0 / float(4 * dim)))
        p[name + ".qkv.bias"] = torch.zeros([3 * dim])
        add_linear(p, name + ".out", dim, dim)
        p[name + ".out.bias"] = torch.zeros([dim])
        add_norm(p, name + ".norm0", dim)
        add_linear(p, name + ".wide", dim, 4 * dim)
        add_linear(p, name + ".narrow", 4 * dim, dim)
        add_norm(p, name + ".norm1", dim)
    add_norm(p, "norm", dim)
    add_linear(p, "leave", dim, answers)
    return p


def heads(p: Dict[str, Tensor], x: Tensor) -> Tensor:
    # [batch, tokens, dim] -> [batch, heads, tokens, dim / heads]
    count = int(p["_heads"])
    return x.view(x.size(0), x.size(1), count, x.size(2) // count).transpose(1, 2)


def block(p: Dict[str, Tensor], name: str, x: Tensor, last_only: bool) -> Tensor:
    dim = x.size(2)
    weight, bias = p[name + ".qkv.weight"], p[name + ".qkv.bias"]
    key_value = F.linear(x, weight[dim:], bias[dim:])
    key, value = heads(p, key_value[:, :, :dim]), heads(p, key_value[:, :, dim:])
    if last_only:
        # Nothing reads the other positions of the last block; the last one sees every token.
        x = x[:, -1:]
    query = heads(p, F.linear(x, weight[:dim], bias[:dim]))
    seen = F.scaled_dot_product_attention(query, key, value, is_causal=not last_only)
    seen = seen.transpose(1, 2).reshape(x.size(0), x.size(1), dim)
    x = norm(p, name + ".norm0", x + linear(p, name + ".out", seen))
    wide = F.gelu(linear(p, name + ".wide", x))
    return norm(p, name + ".norm1", x + linear(p, name + ".narrow", wide))


def forward(p: Dict[str, Tensor], tokens: Tensor) -> Tensor:
    x = F.embedding(tokens, p["token"]) + p["position"][:tokens.size(1)]
    layer = 0
    more = "block0.qkv.weight" in p
    while more:
        more = ("block" + str(layer + 1) + ".qkv.weight") in p
        x = block(p, "block" + str(layer), x, not more)
        layer += 1
    return linear(p, "leave", norm(p, "norm", x[:, -1]))


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(forward(p, batch["x"]), batch["y"])


def evaluate(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    scores = forward(p, batch["x"])
    right = scores.argmax(dim=-1) == batch["y"]
    return {"eval_loss": F.cross_entropy(scores, batch["y"]), "accuracy": right.float().mean()}


def group(name: str, cfg: Dict[str, float]) -> Dict[str, float]:
    rate = 1.0
    if name == "token" or name == "position":
        rate = cfg["embedding_rate"]
    if name.startswith("block" + str(int(cfg["layers"]) - 1)) or name.startswith("leave"):
        rate = cfg["late_rate"]
    return {"lr": rate}
