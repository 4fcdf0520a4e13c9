"use strict";
// The page has one state, which stands in the address after `#`, so that every place on it can be linked:
// `#paper=0&number=4` or `#stage=ADDRESS`.
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const known = data.lineage.stages;
const run = data.run;

function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const quoted = (text) => "'" + String(text).replaceAll("'", "'\\''") + "'";
const show = (address) => `kyo show ${run.store ? `--store ${quoted(run.store)} ` : ""}${quoted(`${run.number}/${address}`)}`;
const owner = (maker) => {
  // An output's name has no dot, an address may have many.
  const dot = maker.lastIndexOf(".");
  const address = maker.slice(0, dot);
  return dot > 0 && known[address] ? { address, output: maker.slice(dot + 1) } : null;
};

// ── The head ──
at("title").textContent = `${run.pipeline}: run ${run.number}`;
const when = run.at_ms ? new Date(run.at_ms).toISOString().slice(0, 16).replace("T", " ") + " UTC" : "";
at("run").textContent = [
  run.outcome, when, `reused ${run.reused}`, `ran ${run.ran}`, `failed ${run.failed}`,
  run.skipped ? `skipped ${run.skipped}` : null, `$${run.usd}`, run.kyo ? `kyo ${run.kyo}` : null,
].filter(Boolean).join(" · ");
at("command").textContent = run.command || "";

// ── Pages ──
const chosenPaper = () => data.papers[Number(at("paper").value) || 0];
data.papers.forEach((paper, index) => {
  at("paper").append(make("option", { value: index }, `${paper.title || "paper"} (${paper.address})`));
});

function numberOf(paper, row) {
  return paper.numbers.find((number) => number.row === row);
}

function drawPages() {
  const paper = chosenPaper();
  const pages = at("pages");
  pages.replaceChildren();
  if (!paper) {
    pages.append(make("p", { class: "soft" }, "This run set no paper with `paper/set`."));
    return;
  }
  at("count").textContent = `${paper.numbers.length} numbers, none of them typed; ${paper.pages.length} pages`;
  paper.pages.forEach((image, index) => {
    const [width, height] = (paper.sizes || [])[index] || [595, 842];
    const page = make("div", { class: "page" },
      make("img", { src: image, alt: `Page ${index + 1}`, width: Math.round(width), height: Math.round(height) }));
    const own = (paper.areas || []).filter((area) => area.page === index + 1);
    for (const area of own) {
      const number = numberOf(paper, area.row);
      const percent = (value, whole) => `${(100 * value) / whole}%`;
      page.append(make("button", {
        class: "num", "data-row": area.row, type: "button",
        "aria-label": `${number.shown}, from ${number.reference}`,
        title: `${number.shown} ← ${number.reference}`,
        style: `left:${percent(area.x - 1, width)};top:${percent(area.y - 1, height)};` +
          `width:${percent(area.width + 2, width)};height:${percent(area.height + 2, height)}`,
        onclick: () => go({ paper: at("paper").value, number: area.row }),
      }));
    }
    pages.append(page);
  });
}

function mark(row) {
  for (const box of document.querySelectorAll(".num")) {
    box.classList.toggle("chosen", Number(box.dataset.row) === row);
  }
  const first = document.querySelector(".num.chosen");
  const place = first && first.getBoundingClientRect();
  if (place && (place.top < 0 || place.bottom > innerHeight)) first.scrollIntoView({ block: "center" });
}

// ── The panel ──
function facts(pairs) {
  const list = make("dl");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(make("dt", {}, name), make("dd", {}, value));
  }
  return list;
}

function command(text) {
  const button = make("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A page from a file may not use the clipboard: the text is chosen for the user's own copy.
      getSelection().selectAllChildren(button.previousSibling);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return make("div", { class: "line" }, make("code", {}, text), button);
}

function link(maker, text) {
  const made = owner(maker);
  if (!made) return make("code", {}, maker);
  return make("button", { class: "link", type: "button", onclick: () => step(made.address) }, make("code", {}, text || maker));
}

const KINDS = { val: "a result", calc: "computed from results", change: "a change between two results", cfg: "a setting" };

function showNumber(paper, row) {
  const number = numberOf(paper, row);
  if (!number) return;
  mark(row);
  const maker = data.lineage.makers[number.digest];
  const parts = [
    make("p", { class: "value" }, number.shown),
    make("p", { class: "soft" }, KINDS[number.kind] || number.kind),
    facts([
      ["full precision", String(number.value) + (number.unit ? ` ${number.unit}` : "")],
      ["interval", number.ci ? `[${number.ci[0]}, ${number.ci[1]}]` : null],
      ["runs", number.n === undefined ? null : `n = ${number.n}`],
      ["reference", make("code", {}, number.reference)],
      ["why", number.why],
      ["in the draft", `line ${number.line}, column ${number.col}`],
      ["document", make("span", {}, make("code", {}, number.document), ` ${number.digest.slice(0, 12)}`)],
    ]),
  ];
  if (number.inputs && number.inputs.length) {
    const list = make("ul", { class: "inputs" });
    for (const input of number.inputs) {
      const by = data.lineage.makers[input.digest];
      list.append(make("li", {}, make("code", {}, input.reference), ` = ${input.value}`, make("br"), by ? link(by) : ""));
    }
    parts.push(make("h2", {}, "Computed from"), list);
  }
  const made = maker && owner(maker);
  if (made) parts.push(make("h2", {}, "Made by"), link(maker), stageCard(made.address, made.output));
  else if (maker) parts.push(make("h2", {}, "Read from"), make("code", {}, maker));
  else parts.push(make("p", { class: "soft" }, "The record does not say who made this document: its text was put together in the pipeline."));
  panel(parts);
}

function stageCard(address, output) {
  const stage = known[address];
  const here = stage.state === "ran" || !stage.made_in || Number(stage.made_in) === run.number;
  const card = make("div", {}, facts([
    ["stage type", make("code", {}, stage.uses)],
    ["made", here ? `in this run, in ${stage.seconds}` : `in run ${stage.made_in}, in ${stage.seconds}, and reused here`],
    ["provenance", stage.provenance],
    ["written at", stage.place ? make("code", {}, stage.place) : null],
    ["key", stage.key ? make("code", {}, stage.key.slice(0, 16)) : null],
    ["digest", output && stage.outputs[output] ? make("code", {}, stage.outputs[output].slice(0, 16)) : null],
  ]));
  // An optional input that nobody gave is no origin.
  const given = stage.inputs.filter((input) => input.value !== "null");
  if (given.length) {
    const list = make("ul", { class: "inputs" });
    for (const input of given) list.append(inputLine(input));
    card.append(make("h2", {}, "Its inputs"), list);
  }
  const settings = Object.entries(stage.settings);
  if (settings.length) {
    card.append(make("h2", {}, "Its settings"), facts(settings.map(([name, value]) => [name, make("code", {}, value)])));
  }
  card.append(make("h2", {}, "To see it"), command(show(address) + (output ? ` --output ${output}` : "")));
  if (run.command) card.append(make("h2", {}, "To make it again"), command(`${run.command} --refresh ${quoted(address)}`));
  return card;
}

function inputLine(input) {
  const line = make("li", {}, make("b", {}, input.name), " ");
  if (input.from.length === 1) line.append(link(input.from[0]));
  else if (input.from.length) {
    const inner = make("ul", {});
    for (const maker of input.from) inner.append(make("li", {}, link(maker)));
    line.append(`${input.from.length} gathered`, inner);
  } else if (input.value !== undefined) line.append(make("code", {}, input.value));
  else line.append(make("span", { class: "soft" }, (input.members ? `${input.members} members, ` : "") + `digest ${(input.digest || "").slice(0, 12)}`));
  return line;
}

let trail = [];
function step(address) { trail.push(location.hash.slice(1)); go({ stage: address }); }

function panel(parts) {
  const box = at("panel");
  box.replaceChildren();
  if (trail.length) {
    const list = make("ol", { class: "trail" });
    trail.forEach((hash, index) => {
      const state = new URLSearchParams(hash);
      const paper = data.papers[Number(state.get("paper")) || 0];
      const text = state.get("stage") || (paper && numberOf(paper, Number(state.get("number"))) || {}).shown || "start";
      list.append(make("li", {}, make("button", { class: "link", type: "button", onclick: () => { trail = trail.slice(0, index); location.hash = hash; } }, text)));
    });
    box.append(list);
  }
  box.append(...parts);
  box.scrollTop = 0;
}

function showStage(address, output) {
  const one = data.stages.find((stage) => stage.address === address);
  const parts = [make("p", { class: "address" }, make("code", {}, address))];
  if (known[address]) parts.push(stageCard(address, output));
  else if (one) {
    parts.push(facts([["stage type", make("code", {}, one.uses)], ["state", one.state], ["seconds", String(one.seconds)]]),
      make("p", { class: "soft" }, "No result and no number of a paper leads here; `kyo show` tells of it in full."),
      command(show(address)));
  }
  panel(parts);
}

// ── Results ──
// Rows of a CSV text as RFC 4180 quotes them; of a text that was cut, the whole ones.
function rows(text, cut) {
  const found = [];
  let row = [];
  for (const [, quotedField, plainField, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\r?\n|$)/g)) {
    row.push(quotedField === undefined ? plainField : quotedField.replaceAll('""', '"'));
    if (end === ",") continue;
    if (row.length > 1 || row[0]) found.push(row);
    row = [];
  }
  return cut ? found.slice(0, -1) : found;
}

// A table for the eye: five digits of a number, all of them where the pointer rests.
function table(text, cut) {
  const [head, ...body] = rows(text, cut);
  const cell = (field) => {
    const number = field !== "" && Number.isFinite(Number(field));
    const short = number && field.length > 8 ? String(Number(Number(field).toPrecision(5))) : field;
    return make("td", number ? { class: "right", title: field } : {}, short);
  };
  return make("div", { class: "wide" }, make("table", {},
    make("thead", {}, make("tr", {}, ...(head || []).map((field) => make("th", {}, field)))),
    make("tbody", {}, ...body.map((row) => make("tr", {}, ...row.map(cell))))));
}

function shownAs(one) {
  if (one.image) return make("img", { src: one.image, alt: one.name });
  if (one.text === undefined) return null;
  return one.name.endsWith(".csv") ? table(one.text, one.cut) : make("pre", { tabindex: 0 }, one.text);
}

function drawResults() {
  const { shown, more } = data.results;
  at("results").append(...shown.map((one) => {
    const maker = data.lineage.makers[one.digest];
    const made = maker && owner(maker);
    const name = make("code", {}, one.name + (one.at ? ` [${one.at}]` : ""));
    const head = made
      ? make("button", { class: "link", type: "button", onclick: () => { trail = []; go({ stage: made.address, output: made.output, tab: "results" }); } }, name)
      : name;
    return make("article", { class: "result" },
      make("h2", {}, head, " ", make("span", { class: "soft" }, one.size || "")),
      shownAs(one),
      one.cut ? make("p", { class: "soft" }, "The beginning; the rest is in the file.") : null);
  }));
  if (more) at("results").append(make("p", { class: "soft" }, `${more} more are not on this page: \`kyo run --out DIR\` puts all into a folder.`));
  if (!shown.length) at("results").append(make("p", { class: "soft" }, "This run has no outputs that are still in the store."));
}

// ── Stage runs ──
function drawStages() {
  const wanted = at("find").value.toLowerCase();
  const rows = data.stages.filter((stage) => `${stage.address} ${stage.uses}`.toLowerCase().includes(wanted));
  at("found").textContent = `${rows.length} of ${run.stages}`;
  at("list").replaceChildren(...rows.map((stage) => make("tr", {},
    make("td", { class: stage.state }, stage.state),
    make("td", {}, make("button", { class: "link", type: "button", onclick: () => { trail = []; go({ stage: stage.address, tab: "stages" }); } }, make("code", {}, stage.address))),
    make("td", {}, make("code", {}, stage.uses)),
    make("td", { class: "right" }, stage.seconds.toFixed(1)))));
}

// ── State ──
function tab(name) {
  for (const part of ["papers", "results", "stages"]) {
    at(part).hidden = part !== name;
    at(`tab-${part}`).setAttribute("aria-selected", part === name);
  }
}
function go(state) {
  if (state.number) trail = [];
  location.hash = new URLSearchParams(state).toString();
}
function follow() {
  const state = new URLSearchParams(location.hash.slice(1));
  if (["papers", "results", "stages"].includes(state.get("tab"))) tab(state.get("tab"));
  if (state.get("stage")) showStage(state.get("stage"), state.get("output"));
  else if (state.get("number")) {
    tab("papers");
    if (state.get("paper") !== null && at("paper").value !== state.get("paper")) {
      at("paper").value = state.get("paper");
      drawPages();
    }
    const paper = chosenPaper();
    if (paper) showNumber(paper, Number(state.get("number")));
  }
}
at("paper").addEventListener("change", () => { drawPages(); mark(-1); });
at("marks").addEventListener("change", (event) => at("pages").classList.toggle("marked", event.target.checked));
at("find").addEventListener("input", drawStages);
at("tab-papers").addEventListener("click", () => tab("papers"));
at("tab-results").addEventListener("click", () => tab("results"));
at("tab-stages").addEventListener("click", () => tab("stages"));
addEventListener("hashchange", follow);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") (document.querySelector(".num.chosen") || at("paper")).focus();
});
at("pages").classList.add("marked");
drawPages();
drawResults();
drawStages();
at("tab-papers").hidden = at("keys").hidden = !data.papers.length;
at("hint").textContent = `Choose ${data.papers.length ? "a number on a page, " : ""}a result or a stage run: here stands where it came from.`;
tab(data.papers.length ? "papers" : data.results.shown.length ? "results" : "stages");
follow();
