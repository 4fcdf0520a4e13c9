"""Logistic regression on two noisy clouds of points, in plain Python: a stand-in for your own training."""

import argparse
import csv
import json
import math
import random

arguments = argparse.ArgumentParser()
arguments.add_argument("--rate", type=float, required=True)
arguments.add_argument("--seed", type=int, required=True)
arguments.add_argument("--steps", type=int, required=True)
arguments.add_argument("--metrics", required=True)
arguments.add_argument("--curve")
asked = arguments.parse_args()


def cloud(random_numbers, n):
    """n points of two classes whose centres lie 2.4 apart."""
    points = []
    for index in range(n):
        label = index % 2
        centre = 1.2 if label else -1.2
        x = random_numbers.gauss(centre, 1.0)
        y = random_numbers.gauss(0.5 * centre, 1.5)
        points.append((x, y, label))
    return points


def probability(weights, x, y):
    a, b, c = weights
    return 1.0 / (1.0 + math.exp(-(a * x + b * y + c)))


def loss(weights, points):
    total = 0.0
    for x, y, label in points:
        p = min(max(probability(weights, x, y), 1e-12), 1.0 - 1e-12)
        total -= math.log(p if label else 1.0 - p)
    return total / len(points)


random_numbers = random.Random(asked.seed)
train, test = cloud(random_numbers, 200), cloud(random_numbers, 1000)
weights = [0.0, 0.0, 0.0]
curve = []
for step in range(asked.steps):
    if step % 5 == 0:
        curve.append((step, round(loss(weights, train), 6)))
    gradient = [0.0, 0.0, 0.0]
    for x, y, label in train:
        error = probability(weights, x, y) - label
        for index, value in enumerate((x, y, 1.0)):
            gradient[index] += error * value / len(train)
    weights = [w - asked.rate * g for w, g in zip(weights, gradient)]

right = sum((probability(weights, x, y) > 0.5) == bool(label) for x, y, label in test)
with open(asked.metrics, "w") as file:
    json.dump({"loss": round(loss(weights, test), 4), "accuracy": round(right / len(test), 4)}, file)
if asked.curve:
    with open(asked.curve, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["step", "loss"])
        table.writerows(curve)
