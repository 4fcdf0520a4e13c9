"""Newton's method for the square root of 2. Two mistakes are left in it on purpose."""

RATE = 0.1
STEPS = 50

value = 1.0
for step in range(STEPS):
    value -= RATE * (value * value - 2.0) / (2.0 * valeu)
with open("result.json", "w") as file:
    json.dump({"rate": RATE, "error": abs(value - 2.0**0.5)}, file)
