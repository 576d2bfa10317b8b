#!/usr/bin/env bash
# Builds the same blog with Folio and with whatever peers are installed, and prints medians and ratios.
#
#   benches/peers.sh [ARTICLES] [prose] [RUNS]
#
# The corpus is ../shared/bench beside the checkout; see its README for how the peers are installed.
# Every run starts cold: no output, no cache. Needs python3; nothing else but the programs compared.
set -euo pipefail
cd "$(dirname "$0")/.."
articles=${1:-2000}
prose=""
[ "${2:-}" = prose ] && prose=prose && shift
runs=${2:-5}
corpus=$PWD/../shared/bench/corpus.py
if [ ! -f "$corpus" ]; then
  echo "../shared/bench/corpus.py is not beside this checkout: there is nothing to compare on" >&2
  exit 1
fi
cargo build --release --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CORPUS=$corpus WORK=$work ARTICLES=$articles PROSE=$prose RUNS=$runs FOLIO=$PWD/target/release/folio python3 - <<'PY'
import os, resource, shutil, statistics, subprocess, sys, time

env = os.environ
work, n, runs, prose = env["WORK"], env["ARTICLES"], int(env["RUNS"]), [env["PROSE"]] if env["PROSE"] else []
late = dict(env, SOURCE_DATE_EPOCH="1830000000")  # every article of the corpus is in the past
tools = {
    "folio": ("plain", [env["FOLIO"], "build", "-q"], ["public", ".folio"]),
    "hugo": ("hugo", ["hugo", "--quiet", "--buildFuture"], ["public", "resources"]),
    "blades": ("blades", ["blades", "all"], ["public", ".blades"]),
    "eleventy": ("eleventy", ["npx", "--no-install", "eleventy", "--quiet"], ["_site"]),
    "zola": ("zola", ["zola", "build"], ["public"]),
}
sites = {}
for name, (kind, command, _) in tools.items():
    if name != "folio" and shutil.which(command[0]) is None:
        print(f"{name}: not installed")
        continue
    site = f"{work}/{name}"
    subprocess.run([sys.executable, env["CORPUS"], kind, n, site, *prose], check=True)
    if name == "folio":
        with open(f"{site}/site.toml", "w") as f:
            f.write('title = "Bench"\nbase_url = "https://bench.example"\npaginate_by = 50\n[feeds]\nformats = ["atom"]\n[taxonomies]\ncategory = {feed = false}\n')
    sites[name] = site

moved = 0
def once(name):
    global moved
    kind, command, made = tools[name]
    for folder in made:
        # Moved away, not deleted: some file systems are slow to give out what was freed a moment ago.
        if os.path.exists(f"{sites[name]}/{folder}"):
            moved += 1
            os.rename(f"{sites[name]}/{folder}", f"{work}/old-{moved}")
    os.sync()
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=sites[name], env=late, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    return (seconds, usage.ru_maxrss / 1024) if status == 0 else None

times = {name: [] for name in sites}
for run in range(runs + 1):  # the first is a warm-up; the tools take turns
    for name in list(sites):
        result = once(name)
        if result is None:
            print(f"{name}: its build failed")
            del sites[name]
        elif run > 0:
            times[name].append(result)

folio = statistics.median(t for t, _ in times["folio"])
print(f"{n} articles{', prose' if prose else ''}, median of {runs} cold builds")
print(f"{'':10}{'seconds':>10}{'times folio':>14}{'peak MiB':>10}")
for name in sites:
    seconds = statistics.median(t for t, _ in times[name])
    print(f"{name:10}{seconds:10.2f}{seconds / folio:14.1f}{max(m for _, m in times[name]):10.0f}")
PY
