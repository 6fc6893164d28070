// The list at the side: what is searched for and filtered by, and as many rows as can be seen.

const ROW = 46;

// An element with attributes and children. Texts are set as texts, never read as HTML.
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(it, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) it.addEventListener(event, act);
    else if (value === true) it.setAttribute(name, "");
    else if (value !== false && value !== null) it.setAttribute(name, value);
  }
  it.append(...children.filter(child => child !== null && child !== ""));
  return it;
}

function counted(n, [one, many]) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

const USES = ["use", "uses"];

// A level says its name; colour only repeats it.
function badge(level) {
  return level ? element("span", { class: `level ${level}` }, level) : null;
}

// What a value of a facet is called where it is empty.
const NOTHING = { provider: "none", environment: "none", owner: "nobody", verdict: "none", level: "none" };
const USE_NAMES = { value: "by value", reference: "by reference", none: "unused (no use seen)" };

class List {
  constructor(atlas, open) {
    this.atlas = atlas;
    this.open = open;
    this.wish = { search: "", list: "records", sort: "worst", facets: {} };
    this.nodes = [];
    this.active = 0;
    this.current = null;
    this.search = document.getElementById("search");
    this.box = document.getElementById("list");
    this.rows = document.getElementById("rows");
    this.count = document.getElementById("count");
    this.facets = [...document.querySelectorAll("select[data-facet]")];
    this.listen();
    this.refresh();
  }

  listen() {
    const wish = this.wish;
    this.search.addEventListener("input", () => { wish.search = this.search.value; this.refresh(); });
    this.search.addEventListener("keydown", event => this.fromSearch(event));
    for (const it of this.facets) {
      it.addEventListener("change", () => this.filter(it.dataset.facet, it.value === "" ? null : it.value.slice(1)));
    }
    for (const name of ["list", "sort"]) {
      const it = document.getElementById(`by-${name}`);
      it.addEventListener("change", () => { wish[name] = it.value; this.refresh(); });
    }
    document.getElementById("clear").addEventListener("click", () => this.clear());
    this.box.addEventListener("scroll", () => this.paint(), { passive: true });
    this.box.addEventListener("keydown", event => this.key(event));
    this.box.addEventListener("focus", () => this.show(this.active));
    this.rows.addEventListener("click", event => {
      const row = event.target.closest("[data-at]");
      if (row) this.choose(Number(row.dataset.at));
    });
    new ResizeObserver(() => this.paint()).observe(this.box);
  }

  // Sets a filter, or with `null` takes it away.
  filter(facet, value) {
    if (value === null) delete this.wish.facets[facet];
    else this.wish.facets[facet] = value;
    this.refresh();
  }

  clear() {
    this.wish.facets = {};
    this.wish.search = this.search.value = "";
    this.refresh();
    this.search.focus();
  }

  refresh() {
    const { nodes, counts } = selected(this.atlas, this.wish);
    this.nodes = nodes;
    this.active = Math.max(0, nodes.indexOf(this.current));
    for (const it of this.facets) this.offer(it, counts[it.dataset.facet]);
    const names = { records: ["record", "records"], workloads: KINDS.workload, names: ["name", "names"], files: KINDS.file };
    const isAll = this.wish.search === "" && Object.keys(this.wish.facets).length === 0;
    this.count.textContent = counted(nodes.length, names[this.wish.list])
      + (isAll || this.wish.list !== "records" ? "" : ` of ${this.atlas.records.length.toLocaleString("en")}`);
    document.getElementById("clear").hidden = isAll;
    this.rows.style.height = `${nodes.length * ROW}px`;
    this.box.scrollTop = 0;
    this.paint();
  }

  offer(select, counts) {
    const facet = select.dataset.facet;
    const chosen = this.wish.facets[facet];
    if (chosen !== undefined && !counts.has(chosen)) counts.set(chosen, 0);
    const name = value => value === "" ? NOTHING[facet] : facet === "use" ? USE_NAMES[value] : value;
    const order = facet === "level" ? it => LEVELS.indexOf(it) : () => 0;
    const values = [...counts].sort(([one], [other]) => order(one) - order(other) || byText(one, other));
    const options = values.map(([value, n]) => {
      const option = element("option", { value: `=${value}` }, `${name(value)} (${n.toLocaleString("en")})`);
      option.selected = value === chosen;
      return option;
    });
    select.replaceChildren(element("option", { value: "" }, `any ${select.dataset.word || facet}`), ...options);
    select.classList.toggle("on", chosen !== undefined);
  }

  // Draws the rows that can be seen, and a few around them.
  paint() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - 4);
    const last = Math.min(this.nodes.length, first + Math.ceil(this.box.clientHeight / ROW) + 9);
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.row(at));
    this.rows.replaceChildren(...rows);
    const isThere = this.active >= first && this.active < last;
    if (isThere) this.box.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(at) {
    const node = this.nodes[at];
    const record = node.record;
    const about = record && record.known
      ? [record.provider, record.environment, record.owners.join(", ") || "nobody"]
      : [KINDS[node.kind][0], node.repository, record && !record.known ? "not in the inventory" : ""];
    const uses = node.uses.length ? counted(node.uses.length, USES) : "no use seen";
    const row = element("div", {
      role: "option", id: `row-${at}`, "data-at": at, class: at === this.active ? "row active" : "row",
      "aria-selected": String(node === this.current), "aria-posinset": at + 1, "aria-setsize": this.nodes.length,
    },
    element("span", { class: "name", title: node.label }, element("bdi", {}, node.label)),
    badge(record ? record.level : ""),
    element("span", { class: "about" }, [uses, ...about].filter(it => it).join(" · ")));
    row.style.top = `${at * ROW}px`;
    return row;
  }

  choose(at) {
    this.active = at;
    this.open(this.nodes[at]);
  }

  // Marks what the page shows.
  mark(node) {
    this.current = node;
    const at = this.nodes.indexOf(node);
    if (at >= 0) this.show(at);
    else this.paint();
  }

  show(at) {
    this.active = Math.max(0, Math.min(at, this.nodes.length - 1));
    const top = this.active * ROW;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop) this.box.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.box.scrollTop = top + ROW - clientHeight;
    this.paint();
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW) - 1);
    const goals = {
      ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page,
      PageUp: this.active - page, Home: 0, End: this.nodes.length - 1,
    };
    if (event.key in goals) this.show(goals[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && this.nodes.length) this.choose(this.active);
    else return;
    event.preventDefault();
  }

  fromSearch(event) {
    if (event.key === "ArrowDown") this.box.focus();
    else if (event.key === "Enter" && this.nodes.length) this.choose(0);
    else if (event.key === "Escape" && this.search.value) {
      this.wish.search = this.search.value = "";
      this.refresh();
    } else return;
    event.preventDefault();
  }
}
