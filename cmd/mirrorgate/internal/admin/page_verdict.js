// The verdict on each target that is compared with another one: the sentence, routes
// by excess, their fields, and examples of what differs.

const SHOWN = 10; // routes, until all are asked for
const verdicts = new Map(); // by target: what was heard last
const words = { alike: "alike", differs: "differs", not_yet: "not yet" };
const compared = () => stats.groups.flatMap(g => g.targets).filter(t => t.against !== "production" && t.against);
const query = parts => Object.entries(parts).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join("&");
const ratio = (n, of) => of ? share(n / of) : "–";
const beside = (a, b) => a || b ? `${time(a)} → ${time(b)}` : "–";
const nameOf = f => f.kind === "value" ? f.field : `${f.field} (${f.kind})`;

// askVerdicts asks for all of them, every few seconds, since to judge many routes takes
// its time; what does not answer stays as it was.
const JUDGE_EVERY = 2500;
let judged = 0;
async function askVerdicts() {
  if (Date.now() - judged < JUDGE_EVERY) return;
  judged = Date.now();
  await Promise.allSettled(compared().map(async t => verdicts.set(t.name, await get("/api/verdict?" + query({ target: t.name })))));
}

function buildVerdict(target, against, noise) {
  const heading = element("h2"), text = element("span"), next = element("pre", "quiet"), all = element("button", "link");
  const table = element("table", "", element("thead", "", rowOf("th", "", ["Route", "Pairs", "Differs", "Noise", "p50", "p99", ""])));
  const routes = new Map();
  let every = false;
  heading.append(text);
  all.type = "button";
  all.addEventListener("click", () => { every = !every; show(); });
  const prefix = `target/${target}/`;
  const tiles = element("div", "tiles",
    chart(noise ? "Differs beyond noise" : "Differs", () => ({
      format: share, series: [
        { line: lineOf(prefix + "differs"), colour: "bad", label: target, fill: true },
        ...(noise ? [{ line: lineOf(prefix + "noise"), colour: "quiet", label: `noise ${noise}` }] : [])],
    })),
    ...["p99", "p50"].map(q => chart(`Latency ${q}`, () => ({
      format: time, series: [
        { line: lineOf(prefix + q), colour: "accent", label: target },
        { line: lineOf(`target/${against}/${q}`), colour: "quiet", label: against }],
    }))));
  charts.push(() => {
    const v = verdicts.get(target);
    if (!v) return;
    heading.className = v.verdict;
    setText(text, v.sentence);
    setText(next, v.ignore.map(rule => `--ignore '${rule}'`).join("\n"));
    next.hidden = !v.ignore.length;
    const shown = v.routes.slice(0, every ? Infinity : SHOWN);
    all.hidden = v.routes.length <= SHOWN;
    all.setAttribute("aria-expanded", every);
    setText(all, every ? `the ${SHOWN} worst routes` : `all ${v.routes.length} routes`);
    for (const r of shown) {
      if (!routes.has(r.route)) routes.set(r.route, buildRoute(target, against, r.route));
      routes.get(r.route).update(v, r);
    }
    arrange(table, shown.map(r => routes.get(r.route).body), 1);
  });
  return element("section", "panel verdict", element("div", "sentence", heading, next), tiles, table, all);
}

// arrange puts children in that order behind the first ones, and moves none that
// stands right: what moves loses the focus.
function arrange(parent, children, first) {
  for (const old of [...parent.children].slice(first)) if (!children.includes(old)) old.remove();
  children.forEach((child, i) => { if (parent.children[first + i] !== child) parent.insertBefore(child, parent.children[first + i] || null); });
}

const columns = ["", "pairs", "", "noise", "times", "times", ""];

function rowOf(tag, classes, texts) {
  return element("tr", classes, ...texts.map((text, i) => element(i ? tag : "th", columns[i], text)));
}

// opener is a button that shows and hides what belongs to it.
function opener(name, change) {
  const button = element("button", "link", name);
  button.type = "button";
  button.setAttribute("aria-expanded", false);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", open);
    change(open);
  });
  return button;
}

function buildRoute(target, against, route) {
  const row = rowOf("td", "", ["", "", "", "", "", "", ""]), body = element("tbody", "", row), fields = new Map();
  let open = false;
  row.children[0].append(opener(route, o => { open = o; show(); }));
  row.children[0].scope = "row";
  return {
    body,
    update(v, r) {
      const word = r.too_few && r.verdict === "not_yet" ? "too few to say" : words[r.verdict];
      [count(r.pairs), ratio(r.differs, r.explained), v.noise ? ratio(r.noise, r.explained) : "–",
        beside(r.reference_seconds.p50, r.target_seconds.p50), beside(r.reference_seconds.p99, r.target_seconds.p99), word,
      ].forEach((text, i) => setText(row.children[i + 1], text));
      row.lastChild.className = r.verdict === "differs" ? "bad" : "quiet";
      for (const f of r.fields) {
        if (!fields.has(nameOf(f))) fields.set(nameOf(f), buildField(target, against, route, nameOf(f)));
        fields.get(nameOf(f)).update(v, r, f);
      }
      arrange(body, open ? r.fields.flatMap(f => fields.get(nameOf(f)).rows()) : [], 1);
    },
  };
}

function buildField(target, against, route, name) {
  const row = rowOf("td", "field", ["", "", "", "", "", "", ""]), cell = element("td"), shown = element("tr", "shown", cell);
  let open = false;
  cell.colSpan = columns.length;
  row.children[0].append(opener(name, async o => {
    open = o;
    show();
    if (open) cell.replaceChildren(await buildExamples(target, against, route, name));
  }));
  row.children[0].scope = "row";
  return {
    rows: () => open ? [row, shown] : [row],
    update(v, r, f) {
      ["", ratio(f.differs + f.both, r.explained), v.noise ? ratio(f.noise + f.both, r.explained) : "–", "", "", f.always ? "always" : f.sure ? "differs" : f.differs > f.noise ? "" : "noise"]
        .forEach((text, i) => setText(row.children[i + 1], text));
      row.lastChild.className = f.sure ? "bad" : "quiet";
    },
  };
}

async function buildExamples(target, against, route, field) {
  const of = query({ target, route, field });
  let examples;
  try {
    ({ examples } = await get("/api/differences?" + of));
  } catch {
    return element("div", "example", "mirrorgate does not answer: close it and try again");
  }
  if (!examples.length) return element("div", "example", "No example is kept.");
  let i = examples.length - 1;
  const where = element("span", "quiet"), said = element("span", "said"), view = element("div"), copy = element("button", "copy", "Copy as curl");
  const [older, newer] = [["‹ older", -1], ["newer ›", 1]].map(([text, step]) => {
    const button = element("button", "", text);
    button.addEventListener("click", () => { i += step; turn(); });
    return button;
  });
  const har = element("a", "", "HAR of all");
  har.href = "/api/differences?" + of + "&format=har";
  har.download = `${target}.har`;
  said.setAttribute("role", "status");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(examples[i].curl);
      setText(said, "copied");
    } catch { // only a secure page may write to the clipboard
      view.prepend(element("div", "request", examples[i].curl));
      setText(said, "this browser lets no page copy: here it is");
    }
  });
  for (const button of [older, newer, copy]) button.type = "button";
  const turn = () => {
    const e = examples[i];
    setText(where, `example ${i + 1} of ${examples.length}, ${dayTime(e.time)}`);
    setText(said, "");
    older.disabled = i === 0;
    newer.disabled = i === examples.length - 1;
    view.replaceChildren(element("div", "request", `${e.method} ${e.url}\n${e.header.replaceAll("\r", "")}${e.body && "\n" + e.body}`), sides(e, target, against, field));
  };
  turn();
  return element("div", "example", element("div", "tools", older, newer, where, copy, har, said), view);
}

// sides are both responses, what differs marked, and most of all the field.
function sides(e, target, against, field) {
  const after = s => s.seconds ? ` after ${time(s.seconds)}` : "";
  const all = [element("div", "who", against + after(e.against)), element("div", "who", target + after(e.mirror))];
  let part = "";
  for (const r of e.rows) {
    const classes = (r.mark === "same" ? "" : r.mark) + (r.field === field ? " chosen" : "") + (r.part === part ? "" : " part");
    part = r.part;
    all.push(element("div", classes, r.against), element("div", classes, r.mirror));
  }
  const grid = element("div", "sides", ...all);
  grid.tabIndex = 0;
  grid.setAttribute("role", "region");
  grid.setAttribute("aria-label", `Responses of ${against} and ${target}`);
  return grid;
}
