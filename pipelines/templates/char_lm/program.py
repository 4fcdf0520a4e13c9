# A small GPT over the characters of a text. The baseline program.
#
# The data hold `x`: `window` characters and the one after, as numbers. A tensor whose name begins with
# `_` is a constant: it is not trained. The embedding of the characters is also the last layer.


def add_matrix(p: Dict[str, Tensor], name: str, outputs: int, inputs: int, spread: float) -> None:
    p[name + ".weight"] = torch.randn([outputs, inputs]) * spread


def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    p: Dict[str, Tensor] = {}
    dim = int(cfg["dim"])
    layers = int(cfg["layers"])
    # What is added to the residual stream starts smaller the more layers add to it.
    narrow = 0.02 / math.sqrt(2.0 * float(layers))
    p["_heads"] = torch.tensor(int(cfg["heads"]))
    p["_dropout"] = torch.tensor(cfg["dropout"])
    p["token"] = torch.randn([int(cfg["x.max"]) + 1, dim]) * 0.02
    p["position"] = torch.randn([int(cfg["window"]), dim]) * 0.02
    for layer in range(layers):
        name = "block" + str(layer)
        p[name + ".norm0"] = torch.ones([dim])
        add_matrix(p, name + ".qkv", 3 * dim, dim, 0.02)
        add_matrix(p, name + ".out", dim, dim, narrow)
        p[name + ".norm1"] = torch.ones([dim])
        add_matrix(p, name + ".wide", 4 * dim, dim, 0.02)
        add_matrix(p, name + ".narrow", dim, 4 * dim, narrow)
    p["norm"] = torch.ones([dim])
    return p


def group(name: str, cfg: Dict[str, float]) -> Dict[str, float]:
    # Weight decay is for matrices.
    if name.endswith("norm") or name.endswith("norm0") or name.endswith("norm1"):
        return {"weight_decay": 0.0}
    return {"weight_decay": 1.0}


def norm(x: Tensor, weight: Tensor) -> Tensor:
    return F.layer_norm(x, [x.size(-1)], weight)


def heads(p: Dict[str, Tensor], x: Tensor) -> Tensor:
    # [batch, characters, dim] -> [batch, heads, characters, dim / heads]
    count = int(p["_heads"])
    return x.view(x.size(0), x.size(1), count, x.size(2) // count).transpose(1, 2)


def block(p: Dict[str, Tensor], name: str, x: Tensor, dropout: float) -> Tensor:
    dim = x.size(2)
    mixed = F.linear(norm(x, p[name + ".norm0"]), p[name + ".qkv.weight"])
    query, key = heads(p, mixed[:, :, :dim]), heads(p, mixed[:, :, dim:2 * dim])
    value = heads(p, mixed[:, :, 2 * dim:])
    seen = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
    seen = seen.transpose(1, 2).reshape(x.size(0), x.size(1), dim)
    x = x + torch.dropout(F.linear(seen, p[name + ".out.weight"]), dropout, dropout > 0.0)
    wide = F.gelu(F.linear(norm(x, p[name + ".norm1"]), p[name + ".wide.weight"]))
    return x + torch.dropout(F.linear(wide, p[name + ".narrow.weight"]), dropout, dropout > 0.0)


def forward(p: Dict[str, Tensor], tokens: Tensor, training: bool) -> Tensor:
    dropout = 0.0
    if training:
        dropout = float(p["_dropout"])
    x = F.embedding(tokens, p["token"]) + p["position"][:tokens.size(1)]
    x = torch.dropout(x, dropout, dropout > 0.0)
    layer = 0
    while ("block" + str(layer) + ".norm0") in p:
        x = block(p, "block" + str(layer), x, dropout)
        layer += 1
    return F.linear(norm(x, p["norm"]), p["token"])


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor], training: bool) -> Tensor:
    text = batch["x"].long()
    scores = forward(p, text[:, :-1], training)
    return F.cross_entropy(scores.flatten(0, 1), text[:, 1:].flatten())


def sample(p: Dict[str, Tensor], n: int, cfg: Dict[str, float]) -> Tensor:
    # Each passage goes on after the first character in the order of Unicode: the end of a line, of most texts.
    window = int(cfg["window"])
    tokens = torch.zeros([n, 1], dtype=torch.long, device=p["token"].device)
    for _ in range(int(cfg["sample_length"])):
        scores = forward(p, tokens[:, -window:], False)[:, -1] / cfg["temperature"]
        drawn = torch.multinomial(torch.softmax(scores, dim=-1), 1)
        tokens = torch.cat([tokens, drawn], dim=1)
    return tokens[:, 1:]
