#!/usr/bin/env bash
# Serves the blog of the benchmark with Folio, makes real saves, and asks for the pages over HTTP.
#
#   benches/live.sh [ARTICLES] [SAVES] [hugo]
#
# Prints the time until the first page, cold and with a warm store; the time from a save to the page that shows it;
# to the text on the screen of Chromium, where chromedriver is installed; after a template's change; after a burst of
# 5,000 changed files; and the memory at the end. With `hugo` the same
# start is timed with Hugo's server, where it is installed. Needs python3 and ../shared/bench beside the checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
corpus=$PWD/../shared/bench/corpus.py
if [ ! -f "$corpus" ]; then
  echo "../shared/bench/corpus.py is not beside this checkout: there is nothing to serve" >&2
  exit 1
fi
cargo build --release --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CORPUS=$corpus WORK=$work ARTICLES=${1:-10000} SAVES=${2:-100} PEER=${3:-} FOLIO=$PWD/target/release/folio python3 - <<'PY'
import glob, http.client, json, os, random, shutil, signal, socket, statistics, subprocess, sys, time

env = os.environ
work, n, saves = env["WORK"], int(env["ARTICLES"]), int(env["SAVES"])
late = dict(env, SOURCE_DATE_EPOCH="1830000000")  # every article of the corpus is in the past
site = f"{work}/site"
subprocess.run([sys.executable, env["CORPUS"], "plain", str(n), site], check=True)
with open(f"{site}/site.toml", "w") as f:
    f.write('title = "Bench"\nbase_url = "https://bench.example"\n')

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

def first_page(command, cwd, port, path="/"):
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=cwd, env=late, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            c.request("GET", path)
            r = c.getresponse()
            body = r.read()
            if r.status == 200:
                return child, time.monotonic() - start, len(body)
        except OSError:
            pass
        time.sleep(0.002)

def stop(child):
    child.send_signal(signal.SIGINT)
    child.wait()

def folio():
    port = free_port()
    child, seconds, _ = first_page([env["FOLIO"], "serve", "--port", str(port)], site, port)
    return child, port, seconds

print(f"{n} articles")
child, port, cold = folio()
while not os.path.exists(f"{site}/.folio/files"):  # what was read is kept when there is time
    time.sleep(0.05)
stop(child)
print(f"  first page, cold store   {cold * 1000:9.0f} ms")
if env["PEER"] == "hugo" and shutil.which("hugo"):
    theirs = f"{work}/hugo"
    subprocess.run([sys.executable, env["CORPUS"], "hugo", str(n), theirs], check=True)
    hugo_port = free_port()
    peer, seconds, _ = first_page(["hugo", "server", "--buildFuture", "--port", str(hugo_port)], theirs, hugo_port)
    stop(peer)
    print(f"  first page, Hugo         {seconds * 1000:9.0f} ms ({seconds / cold:.1f} times)")
warm = []
for _ in range(3):
    child, port, seconds = folio()
    warm.append(seconds)
    if len(warm) < 3:
        stop(child)
print(f"  first page, warm store   {statistics.median(warm) * 1000:9.0f} ms (median of 3)")

connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
def get(path):
    connection.request("GET", path)
    r = connection.getresponse()
    return r.read().decode()

def save(file, text):
    with open(file + ".new~", "w") as f:
        f.write(text)
    os.rename(file + ".new~", file)

def until(path, words):
    start = time.monotonic()
    while words not in get(path):
        if time.monotonic() - start > 60:
            sys.exit(f"{words!r} never came to {path}")
    return (time.monotonic() - start) * 1000

def shown(times):
    times = sorted(times)
    return f"median {statistics.median(times):7.1f} ms, p95 {times[int(len(times) * 0.95)]:7.1f} ms, most {times[-1]:7.1f} ms"

files = sorted(glob.glob(f"{site}/content/**/a*.md", recursive=True) or glob.glob(f"{site}/content/**/*.md", recursive=True))
files = [f for f in files if not f.endswith("_index.md")]
rand = random.Random(1)
def route(file):
    return "/" + os.path.relpath(file, f"{site}/content")[:-3] + "/"

def series(edit):
    times = []
    for i in range(saves):
        file = rand.choice(files)
        words = f"w{rand.randrange(10**12)}"
        text = open(file).read()
        get(route(file))
        time.sleep(0.05 + rand.random() * 0.05)
        save(file, edit(text, words))
        times.append(until(route(file), words))
    return times

def body(text, words):
    return text + f"\n{words}\n"

def title(text, words):
    head, rest = text.split("title:", 1)
    return head + f"title: {words}\n" + rest.split("\n", 1)[1]

print(f"  text saved               {shown(series(body))}")
print(f"  title saved              {shown(series(title))}")
times = []
for i in range(min(saves, 20)):
    words = f"n{rand.randrange(10**12)}"
    name = f"{os.path.dirname(files[0])}/new-{i}.md"
    save(name, f"---\ntitle: {words}\ndate: 2026-01-01\n---\n\nNew.\n")
    times.append(until(route(name), words))
    time.sleep(0.3)
print(f"  new article              {shown(times)}")

if shutil.which("chromedriver"):
    driver_port = free_port()
    driver = subprocess.Popen(["chromedriver", f"--port={driver_port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    def drive(method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", driver_port, timeout=60)
        c.request(method, path, json.dumps(body) if body is not None else None)
        return json.loads(c.getresponse().read())["value"]
    args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-sync", "--disable-component-update", f"--user-data-dir={work}/profile"]
    while True:
        try:
            session = "/session/" + drive("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": args}}}})["sessionId"]
            break
        except OSError:
            time.sleep(0.1)
    def script(text):
        return drive("POST", session + "/execute/sync", {"script": text, "args": []})
    drive("POST", session + "/url", {"url": f"http://127.0.0.1:{port}{route(files[0])}"})
    times = []
    for i in range(min(saves, 50)):
        words = f"s{rand.randrange(10**12)}"
        script("window.seen = 0; const o = new MutationObserver(() => { if (document.body.textContent.includes('%s')) { o.disconnect(); requestAnimationFrame(() => window.seen = Date.now()); } }); o.observe(document.body, { childList: true, subtree: true, characterData: true });" % words)
        time.sleep(0.1)
        text = open(files[0]).read()
        saved = time.time() * 1000
        save(files[0], text + f"\n{words}\n")
        while not (seen := script("return window.seen")):
            time.sleep(0.05)
        times.append(seen - saved)
    print(f"  text on Chromium's screen {shown(times)}")
    drive("DELETE", session)
    driver.terminate()

os.makedirs(f"{site}/templates", exist_ok=True)
template = open("templates/page.html").read()
save(f"{site}/templates/page.html", template.replace("<article", '<article data-t="own"'))
until(route(files[0]), 'data-t="own"')  # a template in the place of the theme's: planned anew
time.sleep(1)
times = []
for i in range(min(saves, 20)):
    words = f"t{rand.randrange(10**12)}"
    save(f"{site}/templates/page.html", template.replace("<article", f"<article data-t=\"{words}\""))
    times.append(until(route(files[0]), words))
    time.sleep(0.3)
print(f"  template saved           {shown(times)}")

burst = files[: min(5000, len(files))]
words = f"b{rand.randrange(10**12)}"
start = time.monotonic()
for file in burst:
    with open(file, "a") as f:
        f.write(f"\n{words}\n")
written = time.monotonic()
until(route(burst[-1]), words)
seen = time.monotonic()
missed = sum(words not in get(route(file)) for file in burst)
print(f"  {len(burst)} files changed       {(seen - written) * 1000:7.0f} ms after the last was written ({(written - start) * 1000:.0f} ms); {missed} missed")
status = {line.split(":")[0]: line.split()[1] for line in open(f"/proc/{child.pid}/status") if line.startswith("Vm")}
print(f"  memory                   {int(status['VmRSS']) / 1024:.0f} MiB at the end, {int(status['VmHWM']) / 1024:.0f} MiB at most")
stop(child)
PY
