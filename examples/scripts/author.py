"""Plays the model that edits an experiment: deterministic, so that the loop can be seen at work without one.

usage: author.py WORKSPACE FEEDBACK HISTORY EDITED HISTORY_OUT DONE

After an error it mends the program from what Python said; after a success it takes the next experiment of its
plan; when the plan is used up it says that it is done.
"""

import difflib
import json
import re
import shutil
import sys
from pathlib import Path

PLAN = ["0.1", "0.5", "math.sqrt(1.0)"]

workspace, feedback, history, edited, history_out, done = map(Path, sys.argv[1:])
shutil.copytree(workspace, edited, dirs_exist_ok=True)
program = edited / "experiment.py"
text = program.read_text()
said = feedback.read_text() if feedback.is_file() else ""
past = json.loads(history.read_text())

missing = re.search(r"NameError: name '(\w+)' is not defined", said)
if missing:
    name = missing.group(1)
    if name in sys.stdlib_module_names:
        text = re.sub(r'(?s)\A(""".*?"""\n)', rf"\1\nimport {name}\n", text)
        past.append(f"imported {name}")
    else:
        known = set(re.findall(r"^\s*(\w+) =", text, flags=re.MULTILINE))
        near = difflib.get_close_matches(name, known, n=1)[0]
        text = re.sub(rf"\b{name}\b", near, text)
        past.append(f"{name} was meant to be {near}")
elif said:
    sys.exit(f"cannot mend this:\n{said}")

tried = [line for line in past if line.startswith("rate ")]
finished = not missing and len(tried) == len(PLAN)
if not missing and not finished:
    rate = PLAN[len(tried)]
    text = re.sub(r"^RATE = .*$", f"RATE = {rate}", text, flags=re.MULTILINE)
    past.append(f"rate {rate}")

program.write_text(text)
history_out.write_text(json.dumps(past))
done.write_text("true" if finished else "false")
