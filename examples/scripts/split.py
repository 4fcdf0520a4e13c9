"""Splits a Markdown text at its `## ` headings and prints the sections as JSON."""

import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    parts = re.split(r"^## +(.+)$", file.read(), flags=re.MULTILINE)
names, bodies = parts[1::2], parts[2::2]
sections = [
    {"name": re.sub(r"\W+", "_", name.lower()), "body": " ".join(body.split())}
    for name, body in zip(names, bodies)
]
json.dump(sections, sys.stdout, indent=1)
