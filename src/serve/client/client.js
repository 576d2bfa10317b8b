// Keeps an open page up to date; serve/client.rs describes the events it receives.
(() => {
  const page = document, root = page.documentElement;
  let { version, id, note } = page.currentScript.dataset, build, source, problems, closed, focused, morph, parsed, queue = Promise.resolve();
  const $ = (s) => page.querySelector(s);
  const path = (url) => new URL(url, location.href).pathname;

  // Nodes and attributes that scripts or the reader added or changed are left alone.
  const theirs = new WeakSet(), touched = new WeakMap();
  const record = (records) => records.forEach((r) => {
    if (r.type == 'attributes') touched.set(r.target, (touched.get(r.target) ?? new Set()).add(r.attributeName));
    else if (parsed) r.addedNodes.forEach((n) => theirs.add(n));
  });
  const observer = new MutationObserver(record);
  observer.observe(root, { attributes: true, childList: true, subtree: true });
  // Records arrive late: what was added up to now was added by the parser.
  page.addEventListener('readystatechange', () => parsed = !record(observer.takeRecords()));
  const apply = (change) => {
    record(observer.takeRecords());
    change();
    observer.takeRecords();
  };
  // A script that was added by a script is asynchronous without having the attribute.
  const own = (nodes) => [...nodes].filter((e) => !theirs.has(e) && !/\/_folio\//.test(e.src) && !(e.async && !e.hasAttribute('async')));
  const free = (e, name) => !touched.get(e)?.has(name);

  // A reload returns to the same scroll position.
  let place = JSON.parse(sessionStorage.folio || 0);
  sessionStorage.folio = '';
  const reload = () => {
    sessionStorage.folio = JSON.stringify(place || [location.pathname, scrollX, scrollY]);
    location.reload();
  };
  addEventListener('load', () => {
    if (place[0] == location.pathname) scrollTo({ left: place[1], top: place[2], behavior: 'instant' });
    place = 0;
  });

  const runs = (e) => /^$|script|module|importmap/.test(e.type);
  const scripts = (doc) => own(doc.scripts).filter(runs).map((e) => e.outerHTML).join();
  // The kinds of elements in a head, without their values.
  const shape = (e) => e.tagName + ['name', 'property', 'rel'].map((a) => e.getAttribute(a));
  const head = (doc) => own(doc.head.children).filter((e) => e.tagName != 'SCRIPT' || !runs(e));

  const swap = (link, href) => new Promise((done) => {
    const next = Object.assign(link.cloneNode(), { href });
    next.onload = next.onerror = () => done(link.remove());
    apply(() => link.after(next));
  });

  const fix_head = (olds, doc) => Promise.all(head(doc).map((next, i) => {
    const old = olds[i];
    if (old.isEqualNode(next) || touched.has(old)) return;
    if (old.rel == 'stylesheet') return swap(old, next.getAttribute('href'));
    apply(() => old.replaceWith(page.importNode(next, true)));
  }));

  const callbacks = {
    beforeNodeMorphed: (old, next) => {
      // An image that was reloaded keeps its new URL.
      if (/folio=/.test(old.src) && path(old.src) == path(next.src)) next.src = old.src;
      return !(theirs.has(old) || old.isEqualNode(next));
    },
    beforeNodeRemoved: (old) => !theirs.has(old),
    beforeAttributeUpdated: (name, e) => free(e, name),
  };

  const need = () => morph ||= new Promise((onload, onerror) =>
    page.head.append(Object.assign(page.createElement('script'), { src: '/_folio/morph.js', onload, onerror })));

  const update = async () => {
    // After the server was down, it sends what has changed.
    const response = await fetch(location).catch(() => {});
    if (!response) return again();
    if (response.redirected) return location.replace(response.url);
    const doc = new DOMParser().parseFromString(await response.text(), 'text/html');
    const script = doc.querySelector('script[src^="/_folio/"]'), olds = head(page);
    if (!script || scripts(page) != scripts(doc) || olds.map(shape).join() != head(doc).map(shape).join()) return reload();
    ({ version, note } = script.dataset);
    await need();
    await fix_head(olds, doc);
    apply(() => {
      for (const a of doc.documentElement.attributes) if (free(root, a.name)) root.setAttribute(a.name, a.value);
      Idiomorph.morph(page.body, doc.body, { morphStyle: 'outerHTML', ignoreActiveValue: true, callbacks });
    });
    badge();
  };

  // Any style sheet may import another, so all are reloaded when one changes.
  const refresh = (files, sheets) => Promise.all([...document.querySelectorAll('link[rel=stylesheet],img[src],script[src]')].map((e) => {
    const url = e.href || e.src, hit = files.includes(path(url)), fresh = path(url) + '?folio=' + id;
    if (e.rel) return sheets.includes(url) && (hit || /\.css\b/.test(files)) && swap(e, fresh);
    if (hit && e.text == null) apply(() => e.src = fresh);
    else if (hit) reload();
  }));

  const change = async (event) => {
    id = event.id;
    const sheets = [...document.styleSheets].map((s) => s.href);
    if (event.to) return location.replace(event.to + location.hash);
    if (event.version != version) await update();
    if (event.files.length) await refresh(event.files, sheets);
  };

  // Shown in shadow trees, which the page's styles do not affect.
  const show = (name, css, html) => {
    $(name)?.remove();
    if (!html) return;
    const host = page.createElement(name), tree = host.attachShadow({ mode: 'open' }), sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    tree.adoptedStyleSheets = [sheet];
    tree.innerHTML = html;
    root.append(host);
    return tree.querySelector('button');
  };
  const overlay = () => {
    const { css, html } = JSON.parse(problems);
    focused ||= page.activeElement;
    const close = show('folio-problems', css, closed != problems && html);
    if (!close) return focused = focused?.focus({ preventScroll: true });
    close.onclick = () => { closed = problems; overlay(); };
    close.focus({ preventScroll: true });
  };
  const badge = () => show('folio-note', ':host{position:fixed;right:0;bottom:0;z-index:9;background:#639;color:#fff}', note);
  addEventListener('keydown', (e) => e.key == 'Escape' && $('folio-problems')?.shadowRoot.querySelector('button').click());

  // A hidden page disconnects, since browsers allow only six connections per site.
  const later = (work) => queue = queue.then(work).catch(reload);
  const connect = () => {
    if (page.hidden || source) return;
    source = new EventSource('/_folio/events?' + new URLSearchParams({ path: location.pathname, version, id }));
    source.addEventListener('hello', (e) => (build ||= e.data) != e.data && reload());
    source.addEventListener('change', (e) => { const event = JSON.parse(e.data); later(() => change(event)); });
    source.addEventListener('problems', (e) => { problems = e.data; later(overlay); });
    source.onerror = again;
  };
  const again = () => setTimeout(connect, 500, stop());
  const stop = () => { source?.close(); source = null; };
  addEventListener('visibilitychange', () => page.hidden ? stop() : connect());
  addEventListener('pagehide', stop);
  addEventListener('pageshow', connect);
  addEventListener('DOMContentLoaded', () => later(badge));
  connect();
})();
