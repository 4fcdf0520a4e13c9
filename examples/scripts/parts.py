"""Logistic regression with three parts that can be left out, in plain Python: a stand-in for your own method."""

import argparse
import json
import math
import random

PARTS = ("scaling", "momentum", "averaging")

arguments = argparse.ArgumentParser()
arguments.add_argument("--without", choices=("nothing", *PARTS), required=True, help="the part to leave out")
arguments.add_argument("--seed", type=int, required=True)
arguments.add_argument("--steps", type=int, required=True)
arguments.add_argument("--metrics", required=True)
asked = arguments.parse_args()
on = {part: part != asked.without for part in PARTS}


def cloud(random_numbers, n):
    """n points of two classes; the second feature says most and is a hundred times smaller than the first."""
    points = []
    for index in range(n):
        label = index % 2
        sign = 1.0 if label else -1.0
        points.append(((random_numbers.gauss(0.4 * sign, 1.0), random_numbers.gauss(0.02 * sign, 0.015)), label))
    return points


def spread(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def features(points, scales):
    return [([(value - mean) / deviation for value, (mean, deviation) in zip(x, scales)] + [1.0], label)
            for x, label in points]


def probability(weights, x):
    return 1.0 / (1.0 + math.exp(-sum(w * value for w, value in zip(weights, x))))


random_numbers = random.Random(asked.seed)
train, test = cloud(random_numbers, 200), cloud(random_numbers, 2000)
scales = [spread([x[k] for x, _ in train]) if on["scaling"] else (0.0, 1.0) for k in range(2)]
train, test = features(train, scales), features(test, scales)

weights, velocity, average = [0.0] * 3, [0.0] * 3, [0.0] * 3
for step in range(1, asked.steps + 1):
    batch = random_numbers.sample(train, 8)
    for k in range(3):
        slope = sum((probability(weights, x) - label) * x[k] for x, label in batch) / len(batch)
        velocity[k] = (0.9 * velocity[k] if on["momentum"] else 0.0) - 0.1 * slope
    weights = [w + v for w, v in zip(weights, velocity)]
    average = [a + (w - a) / max(1, step - asked.steps // 2) for a, w in zip(average, weights)]
final = average if on["averaging"] else weights

loss = -sum(math.log(max(probability(final, x) if label else 1.0 - probability(final, x), 1e-12)) for x, label in test)
right = sum((probability(final, x) > 0.5) == bool(label) for x, label in test)
with open(asked.metrics, "w") as file:
    json.dump({"loss": round(loss / len(test), 4), "accuracy": round(right / len(test), 4)}, file)
