"""Measures Kyobashi's trainer beside Python loops of the same tasks, in one call.

    kyo setup
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch==2.11.0
    python3 benches/training/measure.py --python /tmp/venv/bin/python --out speed.json

Every round gives each side some steps in turn, so that what else the machine does falls on all alike. A
training has a start and an end that are no steps: ours is timed at two lengths and the difference counted.
The median over rounds is reported with its least and greatest value, in milliseconds a step: of the processor
on a CPU, where other work on the machine does not count, and of the clock on a GPU. At the end several seeds
as one computation stand beside the same seeds one after the other, and two trainings at once beside one alone. What cannot be measured here is named.
"""

import argparse
import concurrent.futures
import json
import math
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = HERE.parent.parent
TASKS = ["2d_diffusion", "grokking", "overhead", "char_lm"]
#: Steps of one turn, by task and device.
STEPS = {
    "cpu": {"2d_diffusion": 150, "grokking": 12, "overhead": 1500, "char_lm": 16},
    "cuda": {"2d_diffusion": 2000, "grokking": 1000, "overhead": 2000, "char_lm": 100},
}
SETTINGS = {
    "2d_diffusion": {
        "batch": 256, "lr": 3e-4, "schedule": "cosine", "clip": 0.5, "ema_decay": 0.995, "ema_every": 10,
        "ema_after": 100, "eval_batch": 10, "samples": 10, "kl_neighbours": 2, "log_every": 50, "hidden": 256,
        "blocks": 3, "embedding": 128, "input_scale": 25.0, "timesteps": 100, "beta_start": 1e-4,
        "beta_end": 0.02, "eval_batches": 1,
    },
    "grokking": {
        "batch": 512, "sampling": "replacement", "validation": 0.5, "lr": 1e-3, "warmup": 50, "beta2": 0.98,
        "weight_decay": 0.5, "eval_batch": 10, "eval_batches": 1, "log_every": 10, "dim": 128, "heads": 4,
        "layers": 2,
    },
}
SETTINGS["overhead"] = {**SETTINGS["2d_diffusion"], "batch": 2, "hidden": 16}
SETTINGS["char_lm"] = {
    "batch": 64, "window": 256, "sampling": "replacement", "lr": 1e-3, "schedule": "cosine", "lr_floor": 0.1,
    "warmup": 100, "beta2": 0.99, "weight_decay": 0.1, "clip": 1.0, "eval_batch": 1, "eval_batches": 1,
    "log_every": 10, "dim": 384, "heads": 6, "layers": 6, "dropout": 0.2,
    "samples": 1, "sample_length": 1, "temperature": 1.0,
}
#: Full size takes seconds a step on a CPU.
SMALLER = {"char_lm": {"batch": 12, "window": 64, "dim": 128, "heads": 4, "layers": 4, "dropout": 0.0}}
PROGRAMS = {
    "2d_diffusion": "2d_diffusion", "overhead": "2d_diffusion", "grokking": "grokking", "char_lm": "char_lm",
}


def safetensors(path, tensors):
    """Writes tensors given as (name, dtype, shape, bytes)."""
    header, at = {}, 0
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(content)]}
        at += len(content)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(part[3] for part in tensors))


def data(task, path):
    if task == "grokking":
        pairs = [(a, b) for a in range(97) for b in range(1, 97)]
        x = b"".join(struct.pack("<4q", a + 2, 0, b + 2, 1) for a, b in pairs)
        y = b"".join(struct.pack("<q", a * pow(b, 95, 97) % 97) for a, b in pairs)
        safetensors(path, [("x", "I64", [len(pairs), 4], x), ("y", "I64", [len(pairs)], y)])
        return
    if task == "char_lm":
        text = bytes((i * i // 7 + i // 3) % 65 for i in range(1_000_000))
        safetensors(path, [("x", "U8", [len(text)], text)])
        return
    rows = 1_000 if task == "overhead" else 100_000
    points = (
        struct.pack("<2f", 3 * math.cos(i * 2.399963), 3 * math.sin(i * 2.399963)) for i in range(rows)
    )
    safetensors(path, [("x", "F32", [rows, 2], b"".join(points))])


class Trainer:
    """Our trainer, over its wire."""

    def __init__(self, binary, task, device, folder):
        self.task, self.device, self.folder, self.calls = task, device, Path(folder), 0
        self.process = subprocess.Popen(
            [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.ready = json.loads(self.process.stdout.readline())
        self.data = self.folder / f"{task}.safetensors"
        data(task, self.data)
        self.program = HOME / "pipelines/templates" / PROGRAMS[task] / "program.py"
        self.train(5)

    def train(self, steps, seed=0, stack=1):
        """Seconds of the clock and of the processor for one training."""
        self.calls += 1
        scratch = self.folder / f"{self.task}-{self.calls}"
        scratch.mkdir()
        smaller = {} if self.device == "cuda" else SMALLER.get(self.task, {})
        config = {**SETTINGS[self.task], **smaller, "steps": steps, "device": self.device}
        config |= {"stack": stack} if stack > 1 else {}
        file = lambda path: {"kind": "file", "path": str(path), "digest": ""}
        value = lambda value: {"kind": "value", "value": value}
        call = {
            "uses": "train/program",
            "ins": {"program": file(self.program), "data": file(self.data)},
            "with": {"config": value(config), "seed": value(seed)},
            "model": None,
            "outs": [],
        }
        wall, cpu = time.perf_counter(), self.cpu()
        line = json.dumps({"do": "run", "call": call, "scratch": str(scratch), "threads": 1})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while True:
            said = json.loads(self.process.stdout.readline())
            if said["say"] == "failed":
                raise RuntimeError(said["failure"])
            if said["say"] == "done":
                return time.perf_counter() - wall, self.cpu() - cpu

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def turn(self, steps):
        few, many = self.train(max(1, steps // 4)), self.train(max(1, steps // 4) + steps)
        return many[0] - few[0], many[1] - few[1]

    def seeds(self, steps, count, stack):
        """The same for so many seeds, one after the other or as one."""
        took = []
        for length in [max(1, steps // 4), max(1, steps // 4) + steps]:
            took.append([self.train(length, seed, stack) for seed in range(count)])
        return [sum(many) - sum(few) for few, many in zip(zip(*took[0]), zip(*took[1]))]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Peer:
    """A Python loop."""

    def __init__(self, python, task, loop, device):
        command = [python, str(HERE / "peers.py"), task, loop, "--device", device]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        )
        self.ready = json.loads(self.process.stdout.readline())
        self.turn(5)

    def turn(self, steps):
        self.process.stdin.write(json.dumps({"steps": steps}) + "\n")
        self.process.stdin.flush()
        took = json.loads(self.process.stdout.readline())
        return took["wall"], took["cpu"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def summary(times):
    return {"median": statistics.median(times), "least": min(times), "most": max(times), "rounds": len(times)}


def measure(task, device, given, folder, missing):
    sides = {"kyobashi": Trainer(str(given.trainer), task, device, folder)}
    if given.python:
        for loop in ["published", "clean"]:
            try:
                sides[loop] = Peer(given.python, task, loop, device)
            except (OSError, ValueError) as error:
                missing.append(f"{task}, {loop} loop on {device}: {error}")
    times = {side: [] for side in sides}
    steps = max(1, int(STEPS[device][task] * given.scale))
    for _ in range(given.rounds):
        for side, runner in sides.items():
            wall, cpu = runner.turn(steps)
            times[side].append(1000 * (cpu if device == "cpu" else wall) / steps)
    for runner in sides.values():
        runner.close()
    found = {side: summary(all_times) for side, all_times in times.items()}
    ours = found["kyobashi"]["median"]
    rate = 1000 / ours
    ratios = {side: found[side]["median"] / ours for side in found if side != "kyobashi"}
    return {"task": task, "device": device, "steps": steps, "ms_per_step": found, "steps_per_s": rate, "ratios": ratios}


def stacked(task, device, given, folder):
    """Seeds one after the other and as one, in turns: milliseconds of a step of all seeds, and the ratio."""
    trainer = Trainer(str(given.trainer), task, device, folder)
    count, clock = given.seeds, 1 if device == "cpu" else 0
    steps = max(1, int(STEPS[device][task] * given.scale / 2))
    times = {"separate": [], "stacked": []}
    for _ in range(given.rounds):
        times["separate"].append(1000 * trainer.seeds(steps, count, 1)[clock] / steps)
        times["stacked"].append(1000 * trainer.seeds(steps, count, count)[clock] / steps)
    trainer.close()
    found = {way: summary(all_times) for way, all_times in times.items()}
    gain = found["separate"]["median"] / found["stacked"]["median"]
    return {"task": task, "device": device, "seeds": count, "steps": steps, "ms_per_step": found, "gain": gain}


def together(task, given, folder):
    """Two trainings at once, each on a thread, beside one alone, in turns: how much slower a step is."""
    sides = []
    for name in ["one", "two"]:
        own = Path(folder) / name
        own.mkdir()
        sides.append(Trainer(str(given.trainer), task, "cpu", own))
    steps = max(1, int(STEPS["cpu"][task] * given.scale))
    slower = {"wall": [], "cpu": []}
    for _ in range(given.rounds):
        alone = [sides[0].train(steps), sides[1].train(steps)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            both = list(pool.map(lambda side: side.train(steps), sides))
        for at, clock in enumerate(["wall", "cpu"]):
            slower[clock].append(sum(took[at] for took in both) / sum(took[at] for took in alone))
    for side in sides:
        side.close()
    return {"task": task, "steps": steps, "slower": {clock: summary(slower[clock]) for clock in slower}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trainer", type=Path, default=HOME / "target/release/kyobashi-trainer")
    parser.add_argument("--python", help="a Python with torch 2.11; without, only our side is measured")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=8, help="seeds that are trained as one")
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer steps of each turn")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    given = parser.parse_args()
    missing, results = [], []
    if not given.trainer.exists():
        sys.exit(f"{given.trainer} is not there: `kyo setup` builds it")
    if not given.python:
        missing.append("the Python loops: give `--python` with torch 2.11")
    with tempfile.TemporaryDirectory() as folder:
        probe = Trainer(str(given.trainer), "overhead", "auto", folder)
        devices = ["cpu", "cuda"] if probe.ready["device"].startswith("cuda") else ["cpu"]
        probe.close()
    if "cuda" not in devices:
        missing.append("the GPU: libtorch finds none here")
    for device in devices:
        for task in given.tasks:
            with tempfile.TemporaryDirectory() as folder:
                results.append(measure(task, device, given, folder, missing))
            row = results[-1]
            cells = [f"{side} {row['ms_per_step'][side]['median']:.3f}" for side in row["ms_per_step"]]
            times = [f"{side} {ratio:.2f}x" for side, ratio in row["ratios"].items()]
            print(f"{task:14} {device:5} ms/step: {', '.join(cells)}; ratio to ours: {', '.join(times)}", flush=True)
    stacks = []
    for device in devices:
        for task in given.tasks:
            with tempfile.TemporaryDirectory() as folder:
                stacks.append(stacked(task, device, given, folder))
            row = stacks[-1]
            cells = [f"{way} {row['ms_per_step'][way]['median']:.3f}" for way in row["ms_per_step"]]
            print(f"{task:14} {device:5} {row['seeds']} seeds, ms/step: {', '.join(cells)}; gain {row['gain']:.2f}x", flush=True)
    pairs = []
    for task in given.tasks if (os.cpu_count() or 1) > 1 else []:
        with tempfile.TemporaryDirectory() as folder:
            pairs.append(together(task, given, folder))
        slower = pairs[-1]["slower"]
        cells = [f"{c} {slower[c]['median']:.3f} ({slower[c]['least']:.3f} to {slower[c]['most']:.3f})" for c in slower]
        print(f"{task:14} two at once, times one alone: {', '.join(cells)}", flush=True)
    for what in missing:
        print(f"not measured: {what}")
    report = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_at_end": os.getloadavg()[0],
        "results": results,
        "stacked": stacks,
        "two_at_once": pairs,
        "not_measured": missing,
    }
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
