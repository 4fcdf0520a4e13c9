#!/usr/bin/env python3
"""What re-runs when? The same eleven events on Kyobashi and on other tools, as one table.

    python3 benches/semantics.py --kyo target/release/kyo
    python3 benches/semantics.py --engines kyo,make,ninja --markdown

Two steps, a -> b -> c: b is the first 4 bytes of the file a, c is a copy of b. Each step says in a log
that it was begun. After each event the tool is asked for its usual "make it up to date", and what was
begun and what b and c hold is compared with what is right:

    first      nothing is there                         b and c run
    noop       nothing changed                          nothing runs
    touch      a has a new time and the same bytes      nothing runs
    cut-off    the tail of a changed                    b runs and is equal, so c does not run
    edit       the head of a changed                    b and c run
    revert     a has its earlier bytes again            nothing runs, b and c are the earlier ones
    removed    c was deleted                            c is there again, b does not run
    tampered   c was overwritten by hand                it is noticed: c is right again, b does not run
    command    the command of b changed, not its bytes  b runs, c does not
    failure    b writes half of itself and fails        no half b is left, and the mended b runs
    kill -9    the tool is killed while b is half made  the same command ends well, and b is whole

Only the standard library is used. Tools are looked for on PATH or beside this Python, or given by
variables (BENCH_DVC=/path/to/dvc); what is not there is left out and said. Written so that each tool is
used as its own manual would: no flag that heals by hand.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUIET = {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "CI": "true", "PYTHONWARNINGS": "ignore"}


def tool(name):
    """The path of a tool, or None."""
    given = os.environ.get("BENCH_" + name.upper())
    beside = Path(sys.executable).parent / name
    return given or shutil.which(name) or (str(beside) if beside.exists() else None)


# Each engine writes its own description of the two steps and gives (command, variables).
# `b` and `c` are shell commands with {i} and {o} for the file read and the file made.


def kyo(folder, b, c):
    def stage(name, source, command):
        script = json.dumps(command.format(i='"$source"', o='"$made"'))
        return f"  {name}:\n    in: {{source: {json.dumps(source)}}}\n    run: {script}\n    out: {{made: file}}\n"

    text = "kyobashi: 1\nname: semantics\nstages:\n"
    text += stage("b", "in/a.txt", b) + stage("c", "${b.made}", c)
    text += 'outputs: {b.txt: "${b.made}", c.txt: "${c.made}"}\n'
    (folder / "pipeline.yaml").write_text(text)
    return [KYO, "run", "pipeline.yaml", "--out", "out", "--quiet"], {}


def make(folder, b, c):
    lines = [".SUFFIXES:", "MAKEFLAGS += -rR", "all: out/c.txt"]
    for source, made, command in (("in/a.txt", "out/b.txt", b), ("out/b.txt", "out/c.txt", c)):
        lines += [f"{made}: {source}", "\t@" + command.format(i=source, o=made)]
    (folder / "Makefile").write_text("\n".join(lines) + "\n")
    return [tool("make"), "-s", "all"], {}


def ninja(folder, b, c):
    text = f"rule b\n  command = {b.format(i='$in', o='$out')}\nrule c\n  command = {c.format(i='$in', o='$out')}\n"
    text += "build out/b.txt: b in/a.txt\nbuild out/c.txt: c out/b.txt\n"
    (folder / "build.ninja").write_text(text)
    return [tool("ninja"), "--quiet"], {}


def snakemake(folder, b, c):
    def rule(name, source, made, command):
        shell = json.dumps(command.format(i="{input}", o="{output}"))
        return f'rule {name}:\n    input: "{source}"\n    output: "{made}"\n    shell: {shell}\n'

    text = 'rule all:\n    input: "out/c.txt"\n'
    text += rule("b", "in/a.txt", "out/b.txt", b) + rule("c", "out/b.txt", "out/c.txt", c)
    (folder / "Snakefile").write_text(text)
    return [tool("snakemake"), "-q", "all", "--cores", "1"], {}


def dvc(folder, b, c):
    if not (folder / ".dvc").exists():
        init = [tool("dvc"), "init", "--no-scm", "-q"]
        subprocess.run(init, cwd=folder, check=True, env={**os.environ, **QUIET})
    stages = {
        "b": {"cmd": b.format(i="in/a.txt", o="out/b.txt"), "deps": ["in/a.txt"], "outs": ["out/b.txt"]},
        "c": {"cmd": c.format(i="out/b.txt", o="out/c.txt"), "deps": ["out/b.txt"], "outs": ["out/c.txt"]},
    }
    # JSON is YAML.
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    return [tool("dvc"), "repro", "-q"], {}


def redun(folder, b, c):
    (folder / "wf.py").write_text(
        f"""
import subprocess
from redun import task, File
redun_namespace = "semantics"
@task()
def b(source: File, made: str) -> File:
    subprocess.run({b!r}.format(i=source.path, o=made), shell=True, check=True)
    return File(made)
@task()
def c(source: File, made: str) -> File:
    subprocess.run({c!r}.format(i=source.path, o=made), shell=True, check=True)
    return File(made)
@task()
def main() -> File:
    return c(b(File("in/a.txt"), "out/b.txt"), "out/c.txt")
"""
    )
    (folder / ".redun").mkdir(exist_ok=True)
    (folder / ".redun" / "redun.ini").write_text(
        "[backend]\ndb_uri = sqlite:///redun.db\n[executors.default]\ntype = local\nmax_workers = 1\n"
    )
    return [tool("redun"), "run", "wf.py", "main"], {"REDUN_CONFIG": str(folder / ".redun")}


ENGINES = {"kyo": kyo, "make": make, "ninja": ninja, "snakemake": snakemake, "dvc": dvc, "redun": redun}
KYO = None


class Bench:
    """One engine in a folder of its own."""

    def __init__(self, engine, folder, say):
        self.engine, self.folder, self.say = engine, folder, say
        (folder / "in").mkdir(parents=True)
        (folder / "out").mkdir()
        self.a, self.b, self.c = folder / "in/a.txt", folder / "out/b.txt", folder / "out/c.txt"
        self.log = folder / "begun.log"
        self.rows = {}
        self.good_b = f"echo b >> {self.log}; head -c 4 {{i}} > {{o}}"
        self.good_c = f"echo c >> {self.log}; cat {{i}} > {{o}}"

    def go(self, b=None, wait_for=None):
        """Asks the tool once; with `wait_for`, kills it with everything it started as that file appears."""
        command, variables = ENGINES[self.engine](self.folder, b or self.good_b, self.good_c)
        self.log.write_text("")
        with open(self.folder / "said.log", "ab") as said:
            child = subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **QUIET, **variables}, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
            if wait_for:
                deadline = time.monotonic() + 60
                while not wait_for.exists() and time.monotonic() < deadline:
                    time.sleep(0.01)
                os.killpg(child.pid, signal.SIGKILL)
            code = child.wait(timeout=300)
        begun = self.log.read_text().split()
        return code, "".join(sorted(set(begun))) if len(begun) == len(set(begun)) else "+".join(begun)

    def note(self, row, right, code, begun, why=""):
        """Keeps whether a row is right, and what was seen."""
        hold = lambda path: path.read_text()[:8].replace("\n", "\\n") if path.exists() else "none"
        seen = f"exit {code}, ran {begun or 'nothing'}, b {hold(self.b)!r}, c {hold(self.c)!r}"
        self.rows[row] = (bool(right), seen + (f"; {why}" if why else ""))
        self.say(f"{self.engine:<10} {row:<9} {'right' if right else 'WRONG'}  {self.rows[row][1]}")

    def holds(self, text):
        return all(path.exists() and path.read_text() == text for path in (self.b, self.c))

    def event(self, row, wanted, text, b=None):
        """The tool is asked after an event: it must begin `wanted`, one of these, and give `text`."""
        code, begun = self.go(b)
        self.note(row, code == 0 and begun in wanted and self.holds(text), code, begun)

    def run(self):
        settle = lambda: time.sleep(1.1)  # Some tools see times in whole seconds.
        self.a.write_text("AAAA one\n")
        self.event("first", ["bc"], "AAAA"), settle()
        self.event("noop", [""], "AAAA")
        os.utime(self.a), self.event("touch", [""], "AAAA"), settle()
        self.a.write_text("AAAA two\n"), self.event("cut-off", ["b"], "AAAA"), settle()
        self.a.write_text("BBBB two\n"), self.event("edit", ["bc"], "BBBB"), settle()
        self.a.write_text("AAAA two\n"), self.event("revert", [""], "AAAA"), settle()
        self.go(), self.c.unlink(), self.event("removed", ["", "c"], "AAAA"), settle()
        # A tool may link what it made to its store, read-only: an editor replaces such a file.
        self.c.unlink(), self.c.write_text("TAMPERED"), self.event("tampered", ["", "c"], "AAAA"), settle()
        if not self.holds("AAAA"):
            self.c.unlink(missing_ok=True), self.go(), settle()
        self.event("command", ["b"], "AAAA", b=self.good_b + "; true"), settle()
        self.go(), settle()
        self.failure(), settle()
        self.killed()
        return self.rows

    def failure(self):
        self.a.write_text("CCCC two\n")
        half = f"echo b >> {self.log}; printf HA > {{o}}; exit 3"
        code, begun = self.go(half)
        left = self.b.exists() and self.b.read_text() == "HA"
        # Asked again, the same broken step must not be taken for done.
        again, more = self.go(half)
        time.sleep(1.1)
        healed, _ = self.go()
        right = code != 0 and again != 0 and not left and healed == 0 and self.holds("CCCC")
        why = "half of b was left" if left else "asked again, it said that all was well" if again == 0 else ""
        self.note("failure", right, code, begun, why)

    def killed(self):
        self.a.write_text("DDDD two\n")
        mark = self.folder / "half-way"
        slow = f"echo b >> {self.log}; printf HALF > {{o}}; touch {mark}; sleep 60; head -c 4 {{i}} > {{o}}"
        self.go(slow, wait_for=mark)
        code, begun = self.go()
        right = code == 0 and self.holds("DDDD")
        why = ""
        if not right:
            second, _ = self.go()
            mended = second == 0 and self.holds("DDDD")
            why = "right the second time" if mended else "not right the second time either"
        self.note("kill -9", right, code, begun, why)


def version(engine):
    """What the tool calls itself."""
    command = [KYO if engine == "kyo" else tool(engine), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **QUIET})
    first = (said.stdout or said.stderr).strip().splitlines()[:1]
    return first[0].split(" :: ")[0] if first else "?"


def table(results):
    rows = list(next(iter(results.values())))
    lines = ["| event | " + " | ".join(results) + " |", "|---" * (len(results) + 1) + "|"]
    for row in rows:
        cells = ["right" if result[row][0] else "**wrong**" for result in results.values()]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    right = [f"{sum(good for good, _ in result.values())} of {len(rows)}" for result in results.values()]
    lines.append("| right | " + " | ".join(right) + " |")
    return "\n".join(lines)


def main():
    global KYO
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--kyo", default="kyo", help="the program [default: kyo on PATH]")
    parser.add_argument("--markdown", action="store_true", help="only the table on standard output")
    parser.add_argument("--json", metavar="FILE", help="also write what was seen here")
    arguments = parser.parse_args()
    found = shutil.which(arguments.kyo)
    KYO = str(Path(found).resolve()) if found else None
    say = (lambda line: print(line, file=sys.stderr, flush=True)) if arguments.markdown else print
    results = {}
    for engine in arguments.engines.split(","):
        if not (KYO if engine == "kyo" else tool(engine)):
            say(f"{engine:<10} is not there")
            continue
        say(f"{engine:<10} {version(engine)}")
        with tempfile.TemporaryDirectory(prefix=f"semantics-{engine}-", ignore_cleanup_errors=True) as folder:
            results[engine] = Bench(engine, Path(folder) / "work", say).run()
    if not results:
        sys.exit("none of the tools is there")
    print(table(results))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")
    # Kyobashi's own column is a promise.
    if "kyo" in results and not all(good for good, _ in results["kyo"].values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
