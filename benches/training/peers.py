"""The loops that Kyobashi's trainer is measured beside, in Python, after the published descriptions.

Two loops of each task: `published`, as the templates of the AI Scientist train (DataLoader, modules, default
AdamW, an average that is updated module by module), and `clean`, as fast as Python gets without leaving plain
PyTorch (data on the device, indices drawn ahead, fused AdamW, foreach averaging, no wait for the device).

A process: reads lines {"steps": n} on standard input, trains n steps, answers {"wall": s, "cpu": s}.
"""

import argparse
import json
import math
import random
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

SIZES = {
    "2d_diffusion": {"rows": 100_000, "batch": 256, "hidden": 256},
    "overhead": {"rows": 1_000, "batch": 2, "hidden": 16},
    "grokking": {"modulus": 97, "batch": 512, "dim": 128},
    "char_lm": {
        "cpu": {"batch": 12, "window": 64, "dim": 128, "heads": 4, "layers": 4, "dropout": 0.0},
        "cuda": {"batch": 64, "window": 256, "dim": 384, "heads": 6, "layers": 6, "dropout": 0.2},
    },
}


class Embedding(nn.Module):
    """Sines and cosines of a number."""

    def __init__(self, size, scale):
        super().__init__()
        half = size // 2
        rates = torch.exp(-math.log(10000.0) / (half - 1) * torch.arange(half))
        self.register_buffer("rates", rates)
        self.scale = scale

    def forward(self, x):
        angle = (x * self.scale).unsqueeze(-1) * self.rates
        return torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)


class Residual(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.linear = nn.Linear(size, size)

    def forward(self, x):
        return x + self.linear(F.relu(x))


class Denoiser(nn.Module):
    def __init__(self, hidden, embedding=128):
        super().__init__()
        self.time = Embedding(embedding, 1.0)
        self.first = Embedding(embedding, 25.0)
        self.second = Embedding(embedding, 25.0)
        blocks = [Residual(hidden) for _ in range(3)]
        self.network = nn.Sequential(
            nn.Linear(3 * embedding, hidden), *blocks, nn.ReLU(), nn.Linear(hidden, 2)
        )

    def forward(self, x, t):
        parts = [self.first(x[:, 0]), self.second(x[:, 1]), self.time(t)]
        return self.network(torch.cat(parts, dim=-1))


class Diffusion:
    """The noise of a hundred steps."""

    def __init__(self, device):
        betas = torch.linspace(1e-4, 0.02, 100, device=device)
        kept = torch.cumprod(1.0 - betas, dim=0)
        self.signal, self.noise = kept.sqrt(), (1.0 - kept).sqrt()

    def loss(self, model, x):
        noise = torch.randn_like(x)
        t = torch.randint(0, 100, (x.shape[0],), device=x.device)
        noisy = self.signal[t].unsqueeze(1) * x + self.noise[t].unsqueeze(1) * noise
        return F.mse_loss(model(noisy, t), noise)


def diffusion_published(size, device):
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.randn(size["rows"], 2))
    loader = DataLoader(data, batch_size=size["batch"], shuffle=True)
    model, average = Denoiser(size["hidden"]).to(device), Denoiser(size["hidden"]).to(device)
    law = Diffusion(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1_000_000)
    model.train()
    step = 0
    while True:
        for (x,) in loader:
            x = x.to(device)
            loss = law.loss(model, x)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            optimizer.zero_grad()
            if step % 10 == 0:
                with torch.no_grad():
                    for mean, weight in zip(average.parameters(), model.parameters()):
                        mean.lerp_(weight, 0.005)
            schedule.step()
            loss.detach().item()
            step += 1
            yield


def diffusion_clean(size, device):
    data = torch.randn(size["rows"], 2, device=device)
    model = Denoiser(size["hidden"]).to(device)
    law = Diffusion(device)
    weights = list(model.parameters())
    means = [weight.detach().clone() for weight in weights]
    optimizer = torch.optim.AdamW(weights, lr=3e-4, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1_000_000)
    step = 0
    while True:
        order = torch.randperm(size["rows"], device=device)
        for index in order.split(size["batch"]):
            optimizer.zero_grad(set_to_none=True)
            law.loss(model, data.index_select(0, index)).backward()
            nn.utils.clip_grad_norm_(weights, 0.5, foreach=True)
            optimizer.step()
            schedule.step()
            if step % 10 == 0:
                with torch.no_grad():
                    torch._foreach_lerp_(means, weights, 0.005)
            step += 1
            yield


def divisions(modulus):
    inverse = [0] + [pow(b, modulus - 2, modulus) for b in range(1, modulus)]
    pairs = [(a, b) for a in range(modulus) for b in range(1, modulus)]
    return [((a + 2, 0, b + 2, 1), a * inverse[b] % modulus) for a, b in pairs]


class Block(nn.Module):
    """A block as published: nn.MultiheadAttention with a mask made at every call."""

    def __init__(self, dim, heads=4):
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, heads)
        self.norm0, self.norm1 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.wide = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        mask = torch.full((len(x), len(x)), -float("inf"), device=x.device)
        seen, _ = self.attention(x, x, x, attn_mask=torch.triu(mask, diagonal=1))
        x = self.norm0(x + seen)
        return self.norm1(x + self.wide(x))


class CleanBlock(nn.Module):
    """The same block on the fused attention, batch first."""

    def __init__(self, dim, heads=4):
        super().__init__()
        self.heads = heads
        self.mix, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.norm0, self.norm1 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.wide = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        batch, length, dim = x.shape
        parts = self.mix(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
        x = self.norm0(x + self.out(seen.transpose(1, 2).reshape(batch, length, dim)))
        return self.norm1(x + self.wide(x))


class Transformer(nn.Module):
    def __init__(self, block, first, dim, tokens, answers):
        super().__init__()
        self.first = first
        self.token, self.place = nn.Embedding(tokens, dim), nn.Embedding(5, dim)
        self.layers = nn.Sequential(
            block(dim), block(dim), nn.LayerNorm(dim), nn.Linear(dim, answers)
        )

    def forward(self, tokens):
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.token(tokens) + self.place(places)
        if self.first == "batch":
            return self.layers(x)[:, -1]
        return self.layers(x.transpose(0, 1))[-1]


def grokking_published(size, device):
    from torch.utils.data import DataLoader, IterableDataset

    table = divisions(size["modulus"])
    random.shuffle(table)
    table = table[: len(table) // 2]

    class Equations(IterableDataset):
        def __iter__(self):
            while True:
                tokens, answer = random.choice(table)
                yield torch.tensor(tokens), torch.tensor(answer)

    model = Transformer(Block, "length", size["dim"], size["modulus"] + 2, size["modulus"]).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(step / 50, 1))
    criterion = nn.CrossEntropyLoss()
    right, total = 0, 0
    model.train()
    for tokens, answers in DataLoader(Equations(), batch_size=size["batch"]):
        tokens, answers = tokens.to(device), answers.to(device)
        optimizer.zero_grad()
        scores = model(tokens)
        loss = criterion(scores, answers)
        right = right + (scores.argmax(dim=1) == answers).sum()
        total += len(answers)
        loss.backward()
        optimizer.step()
        schedule.step()
        yield


def grokking_clean(size, device):
    table = divisions(size["modulus"])
    tokens = torch.tensor([row[0] for row in table], device=device)
    answers = torch.tensor([row[1] for row in table], device=device)
    half = torch.randperm(len(table), device=device)[: len(table) // 2]
    tokens, answers = tokens[half], answers[half]
    model = Transformer(CleanBlock, "batch", size["dim"], size["modulus"] + 2, size["modulus"]).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.5, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(step / 50, 1))
    while True:
        many = torch.randint(0, len(tokens), (64, size["batch"]), device=device)
        for index in many:
            optimizer.zero_grad(set_to_none=True)
            scores = model(tokens.index_select(0, index))
            F.cross_entropy(scores, answers.index_select(0, index)).backward()
            optimizer.step()
            schedule.step()
            yield


class Norm(nn.Module):
    """A layer norm without a bias."""

    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight)


class CharBlock(nn.Module):
    def __init__(self, dim, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm0, self.norm1 = Norm(dim), Norm(dim)
        self.mix, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.wide = nn.Linear(dim, 4 * dim, bias=False)
        self.narrow = nn.Linear(4 * dim, dim, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        batch, length, dim = x.shape
        parts = self.mix(self.norm0(x)).split(dim, dim=2)
        q, k, v = [part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts]
        dropout = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        x = x + self.drop(self.out(seen.transpose(1, 2).reshape(batch, length, dim)))
        return x + self.drop(self.narrow(F.gelu(self.wide(self.norm1(x)))))


class Characters(nn.Module):
    def __init__(self, size):
        super().__init__()
        dim = size["dim"]
        self.token, self.place = nn.Embedding(65, dim), nn.Embedding(size["window"], dim)
        self.drop = nn.Dropout(size["dropout"])
        self.blocks = nn.Sequential(
            *[CharBlock(dim, size["heads"], size["dropout"]) for _ in range(size["layers"])]
        )
        self.norm = Norm(dim)

    def forward(self, tokens):
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.blocks(self.drop(self.token(tokens) + self.place(places)))
        return F.linear(self.norm(x), self.token.weight)


def characters(sizes, device, fused):
    size = sizes["cuda" if device == "cuda" else "cpu"]
    text = torch.tensor([(i * i // 7 + i // 3) % 65 for i in range(1_000_000)])
    model = Characters(size).to(device)
    decayed = [weight for weight in model.parameters() if weight.dim() >= 2]
    others = [weight for weight in model.parameters() if weight.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=fused)
    return size, text, model, optimizer


def rate(optimizer, step):
    """The rate of a step as the published loop sets it."""
    share = min(step / 5000, 1)
    value = 1e-3 * (step + 1) / 100 if step < 100 else 1e-4 + 0.45e-3 * (1 + math.cos(math.pi * share))
    for group in optimizer.param_groups:
        group["lr"] = value


def char_lm_published(sizes, device):
    # As nanoGPT trains: windows cut one by one, bfloat16 and a fused optimiser on a GPU.
    size, text, model, optimizer = characters(sizes, device, device == "cuda")
    window, step = size["window"], 0
    half = torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda")
    while True:
        rate(optimizer, step)
        starts = torch.randint(len(text) - window, (size["batch"],))
        x = torch.stack([text[i : i + window] for i in starts]).to(device)
        y = torch.stack([text[i + 1 : i + 1 + window] for i in starts]).to(device)
        with half:
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 10 == 0:
            loss.item()
        step += 1
        yield


def char_lm_clean(sizes, device):
    size, text, model, optimizer = characters(sizes, device, True)
    rows = text.to(device).unfold(0, size["window"] + 1, 1)
    weights, step = list(model.parameters()), 0
    while True:
        for index in torch.randint(len(rows), (64, size["batch"]), device=device):
            rate(optimizer, step)
            batch = rows[index]
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten()).backward()
            nn.utils.clip_grad_norm_(weights, 1.0, foreach=True)
            optimizer.step()
            step += 1
            yield


LOOPS = {
    ("char_lm", "published"): char_lm_published,
    ("char_lm", "clean"): char_lm_clean,
    ("2d_diffusion", "published"): diffusion_published,
    ("2d_diffusion", "clean"): diffusion_clean,
    ("overhead", "published"): diffusion_published,
    ("overhead", "clean"): diffusion_clean,
    ("grokking", "published"): grokking_published,
    ("grokking", "clean"): grokking_clean,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(SIZES))
    parser.add_argument("loop", choices=["published", "clean"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    loop = LOOPS[given.task, given.loop](SIZES[given.task], given.device)
    print(json.dumps({"torch": torch.__version__, "device": given.device}), flush=True)
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            next(loop)
        if given.device == "cuda":
            torch.cuda.synchronize()
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main()
