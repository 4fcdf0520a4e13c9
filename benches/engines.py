#!/usr/bin/env python3
"""Kyobashi beside other engines: what each adds to the work itself.

One function per engine writes that engine's own description of the same work (N stages, each `cp` of one
small file to another) and returns the command that runs it.  For every layout and N, the engines are taken
in turn, phase by phase and repeat by repeat, so that a busy machine is as busy for one as for the other:

    cold   first run, nothing built                 (engine + N process spawns)
    noop   run again, nothing changed
    edit   one source file changed, run again       (1 stage in `indep`, a column in `layered`)
    touch  one source file's mtime moved, same bytes

Layouts (stage i reads one file, writes one file):
    indep    in/i -> out/i
    chain    in/0 -> out/0 -> out/1 -> ... -> out/N-1
    layered  10 wide layers: out/i reads out/(i - N/10), the first layer reads in/i

Columns: wall median and min, CPU (user+sys of the engine and of every child that it waited for), peak RSS
(largest single process of that tree), `ran` (the stages that really ran, so that a wrong "nothing to do"
cannot pass for speed), and wall and CPU as multiples of ninja's.

`kyo` writes the N stages out; `kyo-foreach` is the same work as one stage over a list; `kyo-out` delivers
every output into the workspace as well, as make and ninja do (`--out`).

Only the standard library is used.  Engines are looked up on PATH or given by environment variables
(BENCH_NINJA=/path/to/ninja, BENCH_KYO=target/release/kyo, ...); one that is not there is left out, and said.
Peers:  python3 -m venv peers && peers/bin/pip install ninja snakemake dvc redun

    benches/engines.py --engines kyo,make,ninja --n 1000,10000
    benches/engines.py --engines ninja,snakemake,dvc,redun,kyo --n 1000 --budget 120
    benches/engines.py --big 2048 --engines floor,kyo,ninja     # one 2 GiB file through one stage
    benches/engines.py --store 2048                             # keeping one 2 GiB output, beside b3sum + cp
    benches/engines.py --memory 1000,10000                      # peak RSS per node
"""
import argparse, json, os, random, shutil, signal, statistics, subprocess, sys, time
from pathlib import Path

# ----------------------------------------------------------------- workload

def stages_for(layout, n):
    """[(stage id, input path, output path)] in topological order."""
    if layout == "indep":
        return [(i, f"in/{i}.txt", f"out/{i}.txt") for i in range(n)]
    if layout == "chain":
        return [(i, "in/0.txt" if i == 0 else f"out/{i-1}.txt", f"out/{i}.txt") for i in range(n)]
    if layout == "layered":
        w = max(1, n // 10)
        return [(i, f"in/{i}.txt" if i < w else f"out/{i-w}.txt", f"out/{i}.txt") for i in range(n)]
    raise SystemExit(f"unknown layout {layout}")

def write_sources(d, stages):
    for sub in ("in", "out"):
        (d / sub).mkdir(parents=True, exist_ok=True)
    for sid, inp, _ in stages:
        if inp.startswith("in/"):
            (d / inp).write_text(f"payload {sid}\n" * 8)

def final_outputs(stages):
    used = {i for _, i, _ in stages}
    return [o for _, _, o in stages if o not in used]

def tool(name, default=None):
    p = os.environ.get("BENCH_" + name.upper(), default or name)
    return p if shutil.which(p) else None

# ----------------------------------------------------------------- engines
# Each returns None when the tool is missing, else
#   (argv, env additions, list of state dirs to know about)

def engine_make(d, stages, jobs, layout, cmd="cp {i} {o}"):
    if not tool("make"): return None
    w = [".SUFFIXES:", "MAKEFLAGS += -rR", "all: " + " ".join(final_outputs(stages))]
    for _, i, o in stages:
        w += [f"{o}: {i}", "\t@" + cmd.format(i=i, o=o, tag=o)]
    (d / "Makefile").write_text("\n".join(w) + "\n")
    return [tool("make"), "-s", f"-j{jobs}", "all"], {}

def engine_ninja(d, stages, jobs, layout, cmd="cp {i} {o}"):
    if not tool("ninja"): return None
    w = ["rule r", "  command = " + cmd.format(i="$in", o="$out", tag="$out")]
    w += [f"build {o}: r {i}" for _, i, o in stages]
    (d / "build.ninja").write_text("\n".join(w) + "\n")
    return [tool("ninja"), "--quiet", f"-j{jobs}"], {}

def engine_snakemake(d, stages, jobs, layout, cmd="cp {i} {o}", extra=()):
    """Idiomatic: one wildcard rule, an input function, and a target rule."""
    if not tool("snakemake"): return None
    n = len(stages); w = max(1, n // 10)
    src = {"indep": "f'in/{i}.txt'",
           "chain": "'in/0.txt' if i == 0 else f'out/{i-1}.txt'",
           "layered": f"f'in/{{i}}.txt' if i < {w} else f'out/{{i-{w}}}.txt'"}[layout]
    (d / "Snakefile").write_text(f"""
def src(wc):
    i = int(wc.i)
    return {src}
rule all:
    input: {json.dumps(final_outputs(stages))}
rule step:
    input: src
    output: "out/{{i}}.txt"
    shell: "{cmd.format(i='{input}', o='{output}', tag='{output}')}"
""")
    return [tool("snakemake"), "-q", "all", "--cores", str(jobs), *extra], {}

def engine_snakemake_db(d, stages, jobs, layout, cmd="cp {i} {o}"):
    """Snakemake with its sqlite metadata store (new in 9.x)."""
    return engine_snakemake(d, stages, jobs, layout, cmd, ("--persistence-backend", "db"))

def engine_dvc(d, stages, jobs, layout, cmd="cp {i} {o}"):
    """DVC runs stages one at a time whatever `jobs` says."""
    if not tool("dvc"): return None
    if not (d / ".dvc").exists():
        subprocess.run([tool("dvc"), "init", "--no-scm", "-q"], cwd=d, check=True, env={**os.environ, **QUIET})
    w = ["stages:"]
    for s, i, o in stages:
        w += [f"  s{s}:", f"    cmd: {cmd.format(i=i, o=o, tag=o)}", f"    deps: [{i}]", f"    outs: [{o}]"]
    (d / "dvc.yaml").write_text("\n".join(w) + "\n")
    return [tool("dvc"), "repro", "-q"], {}

def engine_redun(d, stages, jobs, layout, cmd="cp {i} {o}"):
    if not tool("redun"): return None
    n = len(stages); w = max(1, n // 10)
    body = {"indep": "[step(File(f'in/{i}.txt'), f'out/{i}.txt') for i in range(N)]",
            "chain": "chain()", "layered": "layered()"}[layout]
    (d / "wf.py").write_text(f"""
import subprocess
from redun import task, File
redun_namespace = "bench"
N, W = {n}, {w}
@task()
def step(src: File, dst: str) -> File:
    subprocess.run({cmd!r}.format(i=src.path, o=dst, tag=dst), shell=True, check=True)
    return File(dst)
def chain():
    f = File("in/0.txt")
    for i in range(N):
        f = step(f, f"out/{{i}}.txt")
    return f
def layered():
    row = [File(f"in/{{i}}.txt") for i in range(W)]
    for i in range(N):
        row[i % W] = step(row[i % W], f"out/{{i}}.txt")
    return row
@task()
def main(total: int = N) -> list:
    return {body}
""")
    (d / ".redun").mkdir(exist_ok=True)
    (d / ".redun" / "redun.ini").write_text(
        "[backend]\ndb_uri = sqlite:///redun.db\n"
        f"[executors.default]\ntype = local\nmax_workers = {jobs}\n")
    return [tool("redun"), "run", "wf.py", "main"], {"REDUN_CONFIG": str(d / ".redun")}

def engine_doit(d, stages, jobs, layout, cmd="cp {i} {o}"):
    if not tool("doit"): return None
    (d / "stages.json").write_text(json.dumps(stages))
    (d / "dodo.py").write_text(f"""
import json
def task_step():
    for s, i, o in json.load(open("stages.json")):
        yield dict(name=str(s), actions=[{cmd!r}.format(i=i, o=o, tag=o)], file_dep=[i], targets=[o])
""")
    return [tool("doit"), "-n", str(jobs), "-P", "thread", "-v", "0"], {}

def engine_bazel(d, stages, jobs, layout, cmd="cp {i} {o}"):
    """One genrule per stage.  Needs a server; its CPU and memory are not seen by wait4."""
    if not tool("bazel"): return None
    (d / "WORKSPACE").write_text("")
    w = []
    for s, i, o in stages:
        w.append(f'genrule(name="s{s}", srcs=["{i}"], outs=["{o}"], cmd="{cmd.format(i="$<", o="$@", tag="$@")}")')
    w.append('filegroup(name="all_out", srcs=%s)' % json.dumps(final_outputs(stages)))
    (d / "BUILD").write_text("\n".join(w) + "\n")
    return [tool("bazel"), f"--output_user_root={d}.bazel", "--max_idle_secs=60", "build", f"--jobs={jobs}",
            "--spawn_strategy=local", "--noshow_progress", "--ui_event_filters=-info,-stdout,-stderr", "//:all_out"], {}

def engine_floor(d, stages, jobs, layout, cmd="cp {i} {o}"):
    """Not an engine: the stages as a flat list for xargs (cold = the spawn limit; it has no cache)."""
    (d / "list").write_text("".join(f"{i}\0{o}\0" for _, i, o in stages))
    return ["xargs", "-0", "-n2", f"-P{jobs if layout == 'indep' else 1}", "-a", "list", "cp"], {}

def engine_bazel_dc(d, stages, jobs, layout, cmd="cp {i} {o}"):
    """Bazel with its content-addressed --disk_cache (action cache + CAS)."""
    r = engine_bazel(d, stages, jobs, layout, cmd)
    return r and (r[0][:-1] + [f"--disk_cache={d}.bazel/disk", r[0][-1]], r[1])

def kyo_text(stages, cmd, foreach=False, outputs=False):
    w = ["kyobashi: 1", "name: bench"]
    made = {o: n for n, _, o in stages}
    if foreach:
        files = ", ".join(i for _, i, _ in stages)
        w += ["params:", f"  files: {{type: list<file>, default: [{files}]}}", "stages:", "  s:",
              '    foreach: {file: "${params.files}"}', '    in: {i: "${file}"}',
              "    run: " + json.dumps(cmd.format(i='"$i"', o='"$o"', tag='"$o"')), "    out: {o: file}"]
        return "\n".join(w) + "\n"
    w += ["stages:"]
    for n, i, o in stages:
        read = json.dumps("${s%d.o}" % made[i]) if i in made else i
        w += [f"  s{n}:", f"    in: {{i: {read}}}",
              "    run: " + json.dumps(cmd.format(i='"$i"', o='"$o"', tag=o)), "    out: {o: file}"]
    if outputs:
        w += ["outputs:"] + [f'  {n}.txt: "${{s{n}.o}}"' for n, _, _ in stages]
    return "\n".join(w) + "\n"

def engine_kyo(d, stages, jobs, layout, cmd="cp {i} {o}", foreach=False, outputs=False):
    """Results stay in the store; what is asked for by `outputs:` is delivered."""
    if not tool("kyo"): return None
    (d / "pipeline.yaml").write_text(kyo_text(stages, cmd, foreach, outputs))
    return [tool("kyo"), "run", "pipeline.yaml", f"--jobs={jobs}"] + ["--out=out"] * outputs, {"KYO_STORE": str(d / ".kyobashi")}

def engine_kyo_foreach(d, stages, jobs, layout, cmd="cp {i} {o}"):
    return engine_kyo(d, stages, jobs, layout, cmd, foreach=True) if layout == "indep" else None

def engine_kyo_out(d, stages, jobs, layout, cmd="cp {i} {o}"):
    return engine_kyo(d, stages, jobs, layout, cmd, outputs=True)

ENGINES = {k[7:].replace("_", "-"): v for k, v in list(globals().items()) if k.startswith("engine_")}
QUIET = {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "CI": "true", "PYTHONWARNINGS": "ignore", "HOME": os.environ.get("HOME", "/root")}

# ----------------------------------------------------------------- measuring

GNU_TIME = "/usr/bin/time" if os.path.exists("/usr/bin/time") else None
class Sample:
    __slots__ = ("wall", "cpu", "rss", "rc")
    def __init__(s, wall, cpu, rss, rc): s.wall, s.cpu, s.rss, s.rc = wall, cpu, rss, rc

def measure(argv, cwd, env, limit):
    """Run argv in its own session; wall, user+sys and max RSS through wait4; kill the group past `limit` s."""
    log = open(Path(str(cwd) + ".log"), "ab")
    # A child forked from this Python inherits Python's RSS high-water mark, so tiny programs would all
    # read "16 MiB"; GNU time forks them from a 1.5 MiB process and reports the true peak.
    rssf = str(cwd) + ".rss"
    if GNU_TIME: argv = [GNU_TIME, "-q", "-f", "%M", "-o", rssf, *argv]
    t0 = time.perf_counter()
    p = subprocess.Popen(argv, cwd=cwd, env={**os.environ, **QUIET, **env}, stdin=subprocess.DEVNULL,
                         stdout=log, stderr=log, start_new_session=True)
    def on_alarm(*_): os.killpg(p.pid, signal.SIGKILL)
    signal.signal(signal.SIGALRM, on_alarm); signal.alarm(int(limit))
    _, st, ru = os.wait4(p.pid, 0)
    signal.alarm(0)
    wall = time.perf_counter() - t0
    p.returncode = os.waitstatus_to_exitcode(st)
    rss = ru.ru_maxrss
    if GNU_TIME:
        try: rss = int(open(rssf).read().split()[-1])
        except (OSError, IndexError, ValueError): pass
    return Sample(wall, ru.ru_utime + ru.ru_stime, rss / 1024, p.returncode)

def mtimes(d):
    r = {}
    out = d / "bazel-bin/out" if (d / "WORKSPACE").exists() else d / "out"   # bazel writes elsewhere
    if not out.exists(): return r
    with os.scandir(out) as it:
        for e in it:
            if e.name.endswith(".txt"): r[e.name] = (e.stat().st_mtime_ns, e.stat().st_ino)
    return r

def ran_between(a, b): return sum(1 for k, v in b.items() if a.get(k) != v)

def once(argv, d, env, limit):
    """One measured run, and how many stages ran in it."""
    before = mtimes(d)
    s = measure(argv, d, env, limit)
    runs = d / ".kyobashi/runs"
    if not runs.exists(): return s, ran_between(before, mtimes(d))
    last = max((int(p.name) for p in runs.iterdir() if p.name.isdigit()), default=0)
    lines = (runs / str(last) / "events.jsonl").read_text().splitlines()
    return s, sum('"state":"ran"' in line for line in lines)

HEAD = (f"{'engine':<13}{'layout':<9}{'N':>6} {'phase':<6}{'wall med s':>11}{'wall min s':>11}{'cpu s':>9}"
        f"{'RSS MiB':>9}{'ran':>7}{'wall/ninja':>11}{'cpu/ninja':>10}")

class Row:
    """The samples of one engine in one phase."""
    def __init__(s, eng, layout, n, phase): s.id, s.samples, s.ran = (eng, layout, n, phase), [], 0
    def add(s, sample, ran): s.samples.append(sample); s.ran = ran
    def wall(s): return statistics.median(x.wall for x in s.samples)
    def cpu(s): return statistics.median(x.cpu for x in s.samples)
    def spent(s): return sum(x.wall for x in s.samples)

def tell(rows, out):
    """Prints the rows of one layout and N, beside ninja's."""
    for r in rows:
        base = next((x for x in rows if x.id == ("ninja", *r.id[1:]) and x.samples), None)
        if not r.samples: continue
        eng, layout, n, phase = r.id
        rel = [r.wall() / base.wall(), r.cpu() / max(base.cpu(), 1e-6)] if base else [None, None]
        rss = max(x.rss for x in r.samples); bad = sorted({x.rc for x in r.samples} - {0})
        print(f"{eng:<13}{layout:<9}{n:>6} {phase:<6}{r.wall():>11.4f}{min(x.wall for x in r.samples):>11.4f}{r.cpu():>9.4f}"
              f"{rss:>9.1f}{r.ran:>7}" + "".join(f"{x:>{w}.2f}" if x else " " * w for x, w in zip(rel, (11, 10)))
              + (f"  exit codes {bad}" if bad else ""), flush=True)
        out.append(dict(engine=eng, layout=layout, n=n, phase=phase, wall_median=r.wall(), cpu=r.cpu(), rss=rss, ran=r.ran,
                        wall_ratio=rel[0], cpu_ratio=rel[1], repeats=len(r.samples), rc=[x.rc for x in r.samples]))

def bench(engines, layout, n, a, out):
    """All engines in turn, phase by phase."""
    live, stages, ph = {}, stages_for(layout, n), a.phases.split(",")
    place = lambda eng: Path(a.work) / f"{eng}-{layout}-{n}"
    # ext4 goes around what was removed in the last five seconds whenever it makes a file, which
    # doubles the time of a cold run: nothing is removed while there is something to measure.
    aside = lambda: sorted(Path(a.work).glob(f"*-{layout}-{n}.was*"))
    def sweep():
        for old in aside(): shutil.rmtree(old, ignore_errors=True)
    for d in map(place, engines): shutil.rmtree(d, ignore_errors=True)
    sweep(); os.sync(); time.sleep(6)
    def begin(eng):
        d = place(eng)
        if d.exists(): d.rename(f"{d}.was{time.time_ns()}")
        d.mkdir(parents=True); write_sources(d, stages)
        return ENGINES[eng](d, stages, a.jobs, layout)
    for eng in engines:
        made = begin(eng)
        if made is None: print(f"{eng:<13}{layout:<9}{n:>6} is not installed, or has no such layout"); continue
        live[eng] = made
    if "prime" in ph:    # reach the "everything built" state without paying for a cold run
        for eng in [e for e in live if e in PRIME]: PRIME[eng](place(eng), stages, *live[eng])
    rows = []
    def phase(name, repeats, before):
        own = {e: Row(e, layout, n, name) for e in live if not (e == "floor" and name != "cold")}
        for r in range(repeats):
            # Whoever follows a slow engine finds cold caches: not always the same one.
            for eng, row in random.Random(f"{name} {r}").sample([*own.items()], len(own)):
                if row.samples and row.spent() > a.budget: continue
                if name == "cold" and "prime" in ph and eng in PRIME: continue
                before(eng, r); row.add(*once(live[eng][0], place(eng), live[eng][1], a.limit))
        rows.extend(own.values())
    def fresh(eng, r):
        if r: live[eng] = begin(eng)
    def edit(eng, r):
        time.sleep(0.02); (place(eng) / "in/0.txt").write_text(f"edited {r} {time.time_ns()}\n" * 8)
    def touch(eng, r): time.sleep(0.02); os.utime(place(eng) / "in/0.txt")
    phase("cold", a.cold, fresh)
    time.sleep(1.1)                       # let 1-second mtime engines settle
    for eng in live:
        if eng != "floor": measure(live[eng][0], place(eng), live[eng][1], a.limit)    # one unmeasured warm-up
    for name, before in (("noop", lambda *_: None), ("edit", edit), ("touch", touch)):
        if name in ph: phase(name, a.reps, before)
    tell(rows, out)
    for eng in live: cleanup(place(eng), a)
    sweep()

def prime_snakemake(d, stages, argv, env):
    for _, i, o in stages: shutil.copyfile(d / i, d / o)
    subprocess.run([*argv, "--touch"], cwd=d, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def prime_dvc(d, stages, argv, env):
    """Write dvc.lock and the object store by hand, exactly as `dvc repro` leaves them."""
    import hashlib
    w = ["schema: '2.0'", "stages:"]
    for s, i, o in stages:
        shutil.copyfile(d / i, d / o); b = (d / o).read_bytes(); h = hashlib.md5(b).hexdigest()
        obj = d / ".dvc/cache/files/md5" / h[:2] / h[2:]
        if not obj.exists():
            obj.parent.mkdir(parents=True, exist_ok=True); obj.write_bytes(b); obj.chmod(0o444)
        f = f"    - path: {{}}\n      hash: md5\n      md5: {h}\n      size: {len(b)}"
        w += [f"  s{s}:", f"    cmd: cp {i} {o}", "    deps:", f.format(i), "    outs:", f.format(o)]
    (d / "dvc.lock").write_text("\n".join(w) + "\n")

PRIME = {"snakemake": prime_snakemake, "dvc": prime_dvc}

def cleanup(d, a):
    b = Path(str(d) + ".bazel")
    if b.exists():
        subprocess.run([tool("bazel"), f"--output_user_root={b}", "shutdown"], cwd=d, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["chmod", "-R", "u+w", str(b)]); shutil.rmtree(b, ignore_errors=True)
    if not a.keep: shutil.rmtree(d, ignore_errors=True)

# ----------------------------------------------------------------- one big file

def big(eng, a, out):
    """One stage copies one big file.  cold / noop / touch (same bytes, new mtime)."""
    d = Path(a.work) / f"{eng}-big"
    shutil.rmtree(d, ignore_errors=True); (d / "in").mkdir(parents=True); (d / "out").mkdir()
    chunk = os.urandom(8 << 20)
    with open(d / "in/0.txt", "wb") as f:
        for i in range(a.big // 8): f.write(i.to_bytes(8, "little") + chunk[8:])
    made = ENGINES[eng](d, stages_for("indep", 1), a.jobs, "indep")
    if made is None: return
    argv, env = made
    os.sync()
    rows = []
    for phase in ("cold", "noop", "touch"):
        if eng == "floor" and phase != "cold": break
        rows.append(Row(eng, "big", a.big, phase))
        for r in range(1 if phase == "cold" else a.reps):
            if phase == "touch": os.utime(d / "in/0.txt"); time.sleep(0.02)
            rows[-1].add(*once(argv, d, env, a.limit))
    tell(rows, out)
    size = int(subprocess.run(["du", "-sm", str(d)], capture_output=True, text=True).stdout.split()[0])
    print(f"{eng:<13}big      disk used by the folder: {size} MiB", flush=True)
    cleanup(d, a)

# ----------------------------------------------------------------- memory

def stored(a, out):
    """One stage makes one big file: what keeping it costs beside `b3sum` and `cp` of the same file."""
    if not (tool("kyo") and tool("b3sum")): return print("kyo or b3sum is not installed (cargo install b3sum)")
    d = Path(a.work) / "stored"
    make = ("import os; b = os.urandom(1 << 20); f = open(os.environ['o'], 'wb'); "
            f"[f.write(b) for _ in range({a.store})]; f.close()")
    took = {"make": [], "b3sum": [], "cp": [], "kyo": []}
    for r in range(a.cold):
        shutil.rmtree(d, ignore_errors=True); d.mkdir(parents=True)
        text = {"kyobashi": 1, "name": "stored", "stages": {"s": {"run": f'{sys.executable} -c "{make}"', "out": {"o": "file"}}}}
        (d / "pipeline.yaml").write_text(json.dumps(text))
        for what, argv in [("make", [sys.executable, "-c", make]), ("b3sum", [tool("b3sum"), "plain"]),
                           ("cp", ["cp", "plain", "copy"]), ("kyo", [tool("kyo"), "run", "pipeline.yaml", "--quiet"])]:
            if what == "kyo": (d / "plain").unlink(); (d / "copy").unlink()
            os.sync()
            took[what].append(measure(argv, d, {"o": str(d / "plain"), "KYO_STORE": str(d / ".kyobashi")}, a.limit).wall)
    mid = {what: statistics.median(each) for what, each in took.items()}
    kept = mid["kyo"] - mid["make"]
    print(f"stored       {a.store} MiB: " + ", ".join(f"{w} {m:.2f} s" for w, m in mid.items())
          + f"; keeping it {kept:.2f} s, b3sum + cp {mid['b3sum'] + mid['cp']:.2f} s", flush=True)
    out.append(dict(engine="kyo", phase="stored", mib=a.store, **mid))
    cleanup(d, a)

def memory(a, out):
    """Peak RSS by node beyond a pipeline of 100: of the plan alone, of a first run, of one that changes nothing, of
    one edit. What a settled node takes is what a first run takes beyond the plan of the same pipeline."""
    base = 100
    for eng in ("kyo", "kyo-foreach"):
        peak = {}
        for n in [base, *map(int, a.memory.split(","))]:
            d = Path(a.work) / f"{eng}-memory-{n}"
            shutil.rmtree(d, ignore_errors=True); d.mkdir(parents=True)
            stages = stages_for("indep", n); write_sources(d, stages)
            made = ENGINES[eng](d, stages, a.jobs, "indep")
            if made is None: return print("kyo is not installed")
            run, env = made
            rss = lambda argv=run: measure(argv, d, env, a.limit).rss
            time.sleep(0.05)              # files of a moment ago are read again
            plan = rss([run[0], "plan", run[2]]); shutil.rmtree(d / ".kyobashi", ignore_errors=True)
            peak[n] = {"plan": plan, "cold": rss(), "noop": min(rss(), rss())}
            (d / "in/0.txt").write_text("edited\n"); peak[n]["edit"] = rss()
            if n > base:
                per = {what: (x - peak[base][what]) * 1024 / (n - base) for what, x in peak[n].items()}
                per["settled"] = per["cold"] - per["plan"]
                print(f"{eng:<13}{n:>7} nodes: " + ", ".join(f"{what} {x:.1f} MiB ({per[what]:.2f} KiB per node)" for what, x in peak[n].items())
                      + f"; {per['settled']:.2f} KiB per settled node; {base} nodes cold {peak[base]['cold']:.1f} MiB", flush=True)
                out.append(dict(engine=eng, n=n, phase="memory", **{f"{what}_kib": x for what, x in per.items()}))
            cleanup(d, a)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--engines", default="kyo,kyo-foreach,kyo-out,make,ninja,snakemake,dvc,redun"); p.add_argument("--layouts", default="indep")
    p.add_argument("--n", default="1,1000"); p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--reps", type=int, default=9); p.add_argument("--cold", type=int, default=3, help="repeats of the first run")
    p.add_argument("--limit", type=float, default=900, help="seconds a single run may take")
    p.add_argument("--budget", type=float, default=60, help="stop repeating a phase after this many seconds")
    p.add_argument("--phases", default="cold,noop,edit", help="subset of cold,noop,edit,touch; add `prime` to skip the cold run where an engine has a shortcut")
    p.add_argument("--work", default="bench_engines_work"); p.add_argument("--keep", action="store_true")
    p.add_argument("--big", type=int, default=0, metavar="MIB"); p.add_argument("--store", type=int, default=0, metavar="MIB")
    p.add_argument("--memory", metavar="N,N"); p.add_argument("--json", help="append rows as JSON lines here")
    a = p.parse_args()
    a.work = os.path.abspath(a.work); os.makedirs(a.work, exist_ok=True)
    out, engines = [], a.engines.split(",")
    print(f"load {os.getloadavg()}  cores {os.cpu_count()}")
    if a.memory: memory(a, out)
    elif a.store: stored(a, out)
    else:
        print(HEAD)
        if a.big:
            for e in engines: big(e, a, out)
        else:
            for layout in a.layouts.split(","):
                for n in map(int, a.n.split(",")): bench(engines, layout, n, a, out)
    print(f"load {os.getloadavg()}")
    if a.json:
        with open(a.json, "a") as f:
            for r in out: f.write(json.dumps(r) + "\n")

if __name__ == "__main__":
    main()
