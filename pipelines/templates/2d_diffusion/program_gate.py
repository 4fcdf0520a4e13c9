# A variant of program.py: two denoisers, one on the points and one on a learned scaling of them, mixed
# by a gate that looks at the diffusion step.


def add_linear(p: Dict[str, Tensor], name: str, inputs: int, outputs: int) -> None:
    bound = 1.0 / math.sqrt(float(inputs))
    p[name + ".weight"] = (torch.rand([outputs, inputs]) * 2.0 - 1.0) * bound
    p[name + ".bias"] = (torch.rand([outputs]) * 2.0 - 1.0) * bound


def linear(p: Dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    p: Dict[str, Tensor] = {}
    half = int(cfg["embedding"]) // 2
    p["_frequencies"] = torch.exp(-math.log(10000.0) / float(half - 1) * torch.arange(half))
    p["_input_scale"] = torch.tensor(cfg["input_scale"])

    betas = torch.linspace(cfg["beta_start"], cfg["beta_end"], int(cfg["timesteps"]))
    kept = torch.cumprod(1.0 - betas, dim=0)
    kept_before = torch.cat([torch.ones([1]), kept[:-1]])
    p["_signal"] = torch.sqrt(kept)
    p["_noise"] = torch.sqrt(1.0 - kept)
    p["_posterior_start"] = betas * torch.sqrt(kept_before) / (1.0 - kept)
    p["_posterior_noisy"] = (1.0 - kept_before) * torch.sqrt(1.0 - betas) / (1.0 - kept)
    p["_posterior_spread"] = torch.sqrt(betas * (1.0 - kept_before) / (1.0 - kept))

    hidden = int(cfg["hidden"])
    for branch in ["coarse.", "fine."]:
        add_linear(p, branch + "enter", 6 * half, hidden)
        for block in range(int(cfg["blocks"])):
            add_linear(p, branch + "block" + str(block), hidden, hidden)
        add_linear(p, branch + "leave", hidden, 2)
    # The fine branch sees the points through a learned linear map that starts at twice their size.
    p["upscale"] = 2.0 * torch.eye(2)
    add_linear(p, "gate0", 2 * half, 32)
    add_linear(p, "gate1", 32, 2)
    return p


def embed(p: Dict[str, Tensor], x: Tensor) -> Tensor:
    angle = x.unsqueeze(-1) * p["_frequencies"]
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)


def denoise(p: Dict[str, Tensor], branch: str, x: Tensor, time: Tensor) -> Tensor:
    scaled = x * p["_input_scale"]
    h = torch.cat([embed(p, scaled[:, 0]), embed(p, scaled[:, 1]), time], dim=-1)
    h = linear(p, branch + "enter", h)
    block = 0
    while (branch + "block" + str(block) + ".weight") in p:
        h = h + linear(p, branch + "block" + str(block), torch.relu(h))
        block += 1
    return linear(p, branch + "leave", torch.relu(h))


def forward(p: Dict[str, Tensor], x: Tensor, t: Tensor) -> Tensor:
    time = embed(p, t.float())
    share = F.softmax(linear(p, "gate1", F.leaky_relu(linear(p, "gate0", time), 0.2)), dim=-1)
    coarse = denoise(p, "coarse.", x, time)
    fine = denoise(p, "fine.", x @ p["upscale"], time)
    return share[:, :1] * coarse + share[:, 1:] * fine


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor], step: int) -> Tensor:
    x = batch["x"]
    noise = torch.randn_like(x)
    t = torch.randint(0, p["_signal"].size(0), [x.size(0)], device=x.device)
    noisy = p["_signal"][t].unsqueeze(1) * x + p["_noise"][t].unsqueeze(1) * noise
    return F.mse_loss(forward(p, noisy, t), noise)


def sample(p: Dict[str, Tensor], n: int) -> Tensor:
    x = torch.randn([n, 2], device=p["_signal"].device)
    steps = p["_signal"].size(0)
    for i in range(steps):
        t = steps - 1 - i
        noise = forward(p, x, torch.full([n], t, device=x.device))
        start = (x - p["_noise"][t] * noise) / p["_signal"][t]
        x = p["_posterior_start"][t] * start + p["_posterior_noisy"][t] * x
        if t > 0:
            x = x + p["_posterior_spread"][t] * torch.randn_like(x)
    return x
