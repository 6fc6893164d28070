// The graph around a node as a picture: everything that its uses pass through, from left to right.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 58;
// Boxes are as wide as the columns allow, between these.
const WIDTHS = [132, 184];
const GAPS = [30, 120];
// So many nodes are drawn at first; a button draws more.
const DRAWN = 60;

function shape(name, attributes, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

// The outline of a kind, in a box of this size.
function outline(kind, w, h) {
  switch (kind) {
    case "record":
      return `M0 5a${w / 2} 5 0 0 1 ${w} 0V${h - 5}a${w / 2} 5 0 0 1 ${-w} 0zM0 5a${w / 2} 5 0 0 0 ${w} 0`;
    case "stray":
      return `M12 0H${w - 12}L${w} 12V${h - 12}L${w - 12} ${h}H12L0 ${h - 12}V12z`;
    case "kubernetes-secret":
      return `M11 0H${w - 11}L${w} ${h / 2}L${w - 11} ${h}H11L0 ${h / 2}z`;
    case "ci-secret":
      return `M11 0H${w}L${w - 11} ${h}H0z`;
    case "environment":
      return `M0 0H${w - 13}L${w} ${h / 2}L${w - 13} ${h}H0z`;
    case "object":
      return `M0 0H${w}V${h}H0zM5 0V${h}M${w - 5} 0V${h}`;
    case "file":
      return `M0 0H${w - 12}L${w} 12V${h}H0zM${w - 12} 0V12H${w}`;
    default:
      return `M16 0H${w - 16}a16 16 0 0 1 16 16V${h - 16}a16 16 0 0 1 -16 16H16a16 16 0 0 1 -16 -16V16a16 16 0 0 1 16 -16z`;
  }
}

const measure = (() => {
  const context = document.createElement("canvas").getContext("2d");
  const known = new Map();
  return (text, font) => {
    const key = `${font}\n${text}`;
    if (!known.has(key)) {
      context.font = font;
      known.set(key, context.measureText(text).width);
    }
    return known.get(key);
  };
})();

// As much of a text as fits: its middle goes, or (where only the end tells) its beginning.
function fitted(text, width, font, share) {
  if (measure(text, font) <= width) return text;
  const all = [...text];
  const cut = n => {
    const head = Math.floor(n * share);
    return `${all.slice(0, head).join("")}…${all.slice(all.length - (n - head)).join("")}`;
  };
  let [fits, over] = [1, all.length];
  while (over - fits > 1) {
    const n = (fits + over) >> 1;
    if (measure(cut(n), font) <= width) fits = n;
    else over = n;
  }
  return cut(fits);
}

// A text on one line, or broken where a word ends on two.
function broken(text, width, font) {
  if (measure(text, font) <= width) return [text];
  const ends = [...text.matchAll(/[-_.#:/ ]/g)].map(it => it.index);
  const cuts = ends.flatMap(at => [at, at + 1]).filter(at => at > 0 && at < text.length);
  const fits = cuts.map(at => [text.slice(0, at), text.slice(at)])
    .filter(lines => lines.every(it => measure(it, font) <= width));
  return fits.at(-1) || [fitted(text, width, font, 0.5)];
}

// Nodes and links that the uses of a node pass through, at most so many nodes.
function around(node, limit) {
  const nodes = new Map();
  const links = new Map();
  let shown = 0;
  const at = it => {
    if (!nodes.has(it)) nodes.set(it, { node: it, at: nodes.size, lines: new Set() });
    return nodes.get(it);
  };
  const link = (from, to, edge) => {
    const key = `${at(from).at} ${at(to).at}`;
    if (!links.has(key)) links.set(key, { from: at(from), to: at(to), edges: new Set() });
    if (edge) links.get(key).edges.add(edge);
  };
  for (const use of node.uses) {
    if (nodes.size >= limit) break;
    shown++;
    let from = use.record;
    for (const edge of use.edges) {
      const to = edge.to || edge.file;
      link(from, to, edge);
      if (!edge.to) at(to).lines.add(edge.line);
      from = to;
    }
    if (use.workload) link(from, use.workload, null);
  }
  return { nodes: [...nodes.values()], links: [...links.values()], shown };
}

function place(edge) {
  return `${edge.file.label}:${edge.line}`;
}

function who(edge) {
  return [edge.author, edge.date.slice(0, 10)].filter(it => it).join(", ");
}

// What an edge tells, a line for each place.
function told(link) {
  if (link.edges.size === 0) return [`runs in ${link.to.node.label}`];
  return [...link.edges].map(it => [`${it.by} (by ${it.evidence})`, place(it), who(it)].filter(it => it).join("  "));
}

class Drawing {
  constructor() {
    this.box = document.getElementById("graph");
    this.tip = document.getElementById("tip");
    this.note = document.getElementById("drawn");
    addEventListener("keydown", event => { if (event.key === "Escape") this.hide(); });
    this.box.addEventListener("scroll", () => this.hide(), { passive: true });
    let width = 0;
    new ResizeObserver(() => {
      if (this.node && this.box.clientWidth !== width) this.draw(this.node, this.limit);
      width = this.box.clientWidth;
    }).observe(this.box);
  }

  draw(node, limit = DRAWN) {
    this.node = node;
    this.limit = limit;
    this.hide();
    const { nodes, links, shown } = around(node, limit);
    const plan = layout(nodes.length, links.map(it => [it.from.at, it.to.at]), HEIGHT, 14);
    const room = this.box.clientWidth - 22;
    const within = (it, [low, high]) => Math.max(low, Math.min(high, Math.floor(it)));
    const gaps = Math.max(1, plan.columns - 1);
    const w = within((room - gaps * GAPS[0]) / plan.columns, WIDTHS);
    const pitch = w + within((room - plan.columns * w) / gaps, GAPS);
    this.width = w;
    const spot = at => ({ x: 10 + plan.layers[at] * pitch, y: 10 + plan.y[at] });
    const width = 20 + (plan.columns - 1) * pitch + w;
    const height = 20 + plan.height;
    const picture = shape("svg", {
      width, height, role: "group", "aria-label": `What ${node.label} is tied to, from left to right`,
    });
    const edges = links.map((link, at) => this.edge(link, plan.ways[at].map(spot), nodes.length));
    picture.append(...edges, ...nodes.map(it => this.node_(it, spot(it.at))));
    this.box.replaceChildren(picture);
    const focus = nodes.find(it => it.node === node);
    if (focus) {
      const { x, y } = spot(focus.at);
      this.box.scrollLeft = x + w / 2 - this.box.clientWidth / 2;
      this.box.scrollTop = y - this.box.clientHeight / 2;
    }
    this.tell(node, shown);
  }

  tell(node, shown) {
    const more = node.uses.length - shown;
    this.note.replaceChildren();
    if (more <= 0) return;
    const draw = () => this.draw(node, this.limit * 3);
    this.note.append(
      `${shown.toLocaleString("en")} of ${counted(node.uses.length, USES)} drawn; the list below has all. `,
      element("button", { type: "button", on: { click: draw } }, "Draw more"),
    );
  }

  edge(link, stops, n) {
    const w = this.width;
    const way = stops.map((it, at) => at === 0 || at === stops.length - 1 ? it : { x: it.x + w / 2, y: it.y });
    let [x, y] = [way[0].x + w, way[0].y];
    let path = `M${x} ${y}`;
    way.slice(1).forEach((it, at) => {
      const isLast = at === way.length - 2;
      const end = isLast ? it.x - 3 : it.x;
      const bend = Math.max(24, Math.abs(end - x) / 2);
      path += `C${x + bend} ${y} ${end - bend} ${it.y} ${end} ${it.y}`;
      [x, y] = [end, it.y];
    });
    const edges = [...link.edges];
    const isValue = edges.some(it => it.evidence === "value");
    const isHere = edges.some(it => it.file === this.node);
    const kind = edges.length === 0 ? "runs" : isValue ? "value" : "reference";
    const text = told(link);
    const act = {
      mouseenter: event => this.show(text, event.clientX, event.clientY), mouseleave: () => this.hide(),
      focus: event => this.showAt(text, event.currentTarget), blur: () => this.hide(),
    };
    const name = `${link.from.node.label} to ${link.to.node.label}: ${text.join("; ")}`;
    const body = [
      shape("path", { class: "line", d: path }),
      shape("path", { class: "tip", d: `M${x + 3} ${y}l-8 -4.5v9z` }),
      shape("path", { class: "reach", d: path }),
    ];
    const middle = this.caption(edges, way, n);
    if (middle) body.push(middle);
    const attributes = { class: `edge ${kind}${isHere ? " here" : ""}`, "aria-label": name, on: act };
    return edges.length
      ? shape("a", { ...attributes, href: `#${keyOf(edges[0].file)}` }, ...body)
      : shape("g", { ...attributes, role: "img", tabindex: 0 }, ...body);
  }

  // How the two were joined, where there is room to write it.
  caption(edges, way, n) {
    const names = new Set(edges.map(it => it.by));
    const [from, to] = way;
    const room = to.x - from.x - this.width - 14;
    if (names.size !== 1 || way.length !== 2 || n > 30 || room < 62) return null;
    const text = fitted([...names][0], room, FONT.small, 1);
    return shape("text", {
      class: "by", x: (from.x + this.width + to.x) / 2 - 2, y: (from.y + to.y) / 2 - 5, "text-anchor": "middle",
    }, text);
  }

  node_(it, { x, y }) {
    const [w, h] = [this.width, HEIGHT];
    const { tail, head } = parts(it.node);
    const lines = [...it.lines].sort((one, other) => one - other);
    const after = lines.length ? `:${lines.slice(0, 3).join(",")}${lines.length > 3 ? ",…" : ""}` : "";
    const kind = it.node.kind === "stray" ? "not in the inventory" : KINDS[it.node.kind][0];
    const level = it.node.record?.level ? ` · ${it.node.record.level}` : "";
    const inner = w - (["record", "workload", "file"].includes(it.node.kind) ? 14 : 28);
    const name = broken(tail + after, inner, FONT.strong);
    const isFocus = it.node === this.node;
    const line = (name, at, text, font, share) =>
      shape("text", { class: name, x: w / 2, y: at, "text-anchor": "middle" }, fitted(text, inner, font, share));
    return shape("a", {
      class: `node ${it.node.kind}${isFocus ? " focus" : ""}`, href: `#${keyOf(it.node)}`,
      transform: `translate(${x} ${y - h / 2})`, "aria-label": `${kind} ${it.node.label}${after}${level}`,
      "aria-current": isFocus ? "true" : null,
    },
    shape("title", {}, `${kind}: ${it.node.label}${it.node.repository ? ` in ${it.node.repository}` : ""}`),
    shape("path", { class: "outline", d: outline(it.node.kind, w, h) }),
    line("kind", 21, kind + level, FONT.small, 0.6),
    ...name.map((it, at) => line("tail", 36 + 14 * at, it, FONT.strong, 0.5)),
    name.length === 1 ? line("head", 50, head, FONT.small, 0.3) : "");
  }

  show(lines, x, y) {
    const shown = lines.slice(0, 8).map(it => element("div", {}, it));
    if (lines.length > 8) shown.push(element("div", {}, `and ${lines.length - 8} more`));
    this.tip.replaceChildren(...shown);
    this.tip.hidden = false;
    const { width, height } = this.tip.getBoundingClientRect();
    this.tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - width - 4))}px`;
    this.tip.style.top = `${y + 16 + height > innerHeight ? y - height - 8 : y + 16}px`;
  }

  showAt(lines, it) {
    const { left, top, width, height } = it.getBoundingClientRect();
    this.show(lines, left + width / 2, top + height / 2);
  }

  hide() {
    this.tip.hidden = true;
  }
}

const FONT = { small: "10.5px system-ui, sans-serif", strong: "600 12.5px system-ui, sans-serif" };
