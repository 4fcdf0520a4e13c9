"""Stands where a query of a library would: prints a list of papers. A key, if there is one, is in S2_API_KEY."""

import json
import os
import sys

PAPERS = [
    {"title": "Deep Unsupervised Learning using Nonequilibrium Thermodynamics", "year": 2015},
    {"title": "Denoising Diffusion Probabilistic Models", "year": 2020},
]

print("with a key" if os.environ.get("S2_API_KEY") else "without a key", file=sys.stderr)
json.dump(PAPERS, sys.stdout, indent=1)
