# A variant of program.py: how much noise a point takes depends on where it lies, by a coarse and a fine
# grid of learned factors; an L1 penalty keeps the factors near one.


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

    # The logarithm of a factor of the noise, on two grids over the square of side 2 * _extent.
    p["_extent"] = torch.tensor(5.0)
    p["_grid_weight"] = torch.tensor(cfg["grid_weight"])
    p["coarse_grid"] = torch.zeros([1, 1, int(cfg["coarse_cells"]), int(cfg["coarse_cells"])])
    p["fine_grid"] = torch.zeros([1, 1, int(cfg["fine_cells"]), int(cfg["fine_cells"])])

    hidden = int(cfg["hidden"])
    add_linear(p, "enter", 6 * half, hidden)
    for block in range(int(cfg["blocks"])):
        add_linear(p, "block" + str(block), hidden, hidden)
    add_linear(p, "leave", hidden, 2)
    return p


def embed(p: Dict[str, Tensor], x: Tensor) -> Tensor:
    angle = x.unsqueeze(-1) * p["_frequencies"]
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)


def forward(p: Dict[str, Tensor], x: Tensor, t: Tensor) -> Tensor:
    scaled = x * p["_input_scale"]
    h = torch.cat([embed(p, scaled[:, 0]), embed(p, scaled[:, 1]), embed(p, t.float())], dim=-1)
    h = linear(p, "enter", h)
    block = 0
    while ("block" + str(block) + ".weight") in p:
        h = h + linear(p, "block" + str(block), torch.relu(h))
        block += 1
    return linear(p, "leave", torch.relu(h))


def noise_factor(p: Dict[str, Tensor], x: Tensor) -> Tensor:
    place = (x / p["_extent"]).clamp(-1.0, 1.0).reshape([1, -1, 1, 2])
    coarse = torch.grid_sampler(p["coarse_grid"], place, 0, 1, True)
    fine = torch.grid_sampler(p["fine_grid"], place, 0, 1, True)
    return torch.exp(torch.tanh(coarse + fine)).reshape([-1, 1])


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor], step: int) -> Tensor:
    x = batch["x"]
    noise = torch.randn_like(x)
    t = torch.randint(0, p["_signal"].size(0), [x.size(0)], device=x.device)
    spread = p["_noise"][t].unsqueeze(1) * noise_factor(p, x)
    noisy = p["_signal"][t].unsqueeze(1) * x + spread * noise
    return F.mse_loss(forward(p, noisy, t), noise)


def penalty(p: Dict[str, Tensor]) -> Tensor:
    return p["_grid_weight"] * (p["coarse_grid"].abs().mean() + p["fine_grid"].abs().mean())


def sample(p: Dict[str, Tensor], n: int) -> Tensor:
    x = torch.randn([n, 2], device=p["_signal"].device)
    steps = p["_signal"].size(0)
    for i in range(steps):
        t = steps - 1 - i
        noise = forward(p, x, torch.full([n], t, device=x.device))
        # Where the point comes from is not known yet; the guess without a factor tells its cell.
        guess = (x - p["_noise"][t] * noise) / p["_signal"][t]
        start = (x - p["_noise"][t] * noise_factor(p, guess) * noise) / p["_signal"][t]
        x = p["_posterior_start"][t] * start + p["_posterior_noisy"][t] * x
        if t > 0:
            x = x + p["_posterior_spread"][t] * torch.randn_like(x)
    return x
