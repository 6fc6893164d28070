// What is told of a node in words: facts, verdicts, whom to tell, and its uses one by one.

const SHOWN = 100;

function link(node, text = node.label) {
  return element("a", { href: `#${keyOf(node)}` }, element("bdi", {}, text));
}

function day(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

// A day, and how far from the day of the report.
function dated(seconds, today) {
  const days = Math.floor((Date.parse(today) - seconds * 1000) / 86400000);
  if (Number.isNaN(days)) return day(seconds);
  const far = counted(Math.abs(days), ["day", "days"]);
  return `${day(seconds)} (${days < 0 ? `in ${far}` : `${far} ago`})`;
}

function section(title, ...children) {
  return element("section", {}, element("h3", {}, title), ...children);
}

function facts(rows) {
  const shown = rows.filter(([, it]) => it);
  return element("dl", { class: "facts" }, ...shown.map(([name, it]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, element("bdi", {}, it)))));
}

function factsOf(record, today) {
  const date = it => it === undefined ? "" : dated(it, today);
  return facts([
    ["provider", record.provider],
    ["environment", record.environment],
    ["owners", record.owners.join(", ") || (record.known ? "nobody" : "")],
    ["created", date(record.created)],
    ["rotated", date(record.rotated)],
    ["policy", record.policy ? `every ${counted(record.policy, ["day", "days"])}` : ""],
    ["expires", date(record.expires)],
    ["last read", [date(record.accessed), record.accessor && `by ${record.accessor}`].filter(it => it).join(" ")],
    ["versions", record.versions ? String(record.versions) : ""],
    ["asked for", record.asked ? `version ${record.asked}${record.asked === record.versions ? ", the current one" : ""}` : ""],
    ["state", [record.known ? "" : "not in the inventory", record.gone ? "gone from its source" : "", record.dynamic ? "issued anew for each use" : ""].filter(it => it).join("; ")],
  ]);
}

function verdictsOf(record, data) {
  const about = code => data.verdicts.find(it => it[0] === code);
  return record.verdicts.map(it => {
    const [, help, nhi, cwe] = about(it.code);
    const codes = [nhi && `OWASP ${nhi}`, cwe && `CWE-${cwe}`].filter(it => it).join(", ");
    return element("li", { class: it.waived ? "verdict waived" : "verdict" },
      badge(it.level), element("strong", { title: [help, codes].filter(it => it).join(" ") }, it.code),
      it.waived ? " (waived)" : null,
      element("p", {}, it.message), it.next ? element("p", { class: "next" }, `Next: ${it.next}`) : null);
  });
}

function tally(items) {
  const counts = new Map();
  for (const it of items) counts.set(it, (counts.get(it) || 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}

// A list of links with counts, cut where it grows long.
function links(items, show) {
  const list = element("ul", { class: "links" });
  more(list, items, 24, ([it, n]) => element("li", {}, show(it), element("span", { class: "n" }, ` ${n}`)));
  return list;
}

// Fills a list with the first items, and a button for the next.
function more(list, items, step, show) {
  let at = 0;
  const grow = n => {
    const next = items.slice(at, at + n).map(show);
    at += next.length;
    list.lastElementChild?.matches(".more") && list.lastElementChild.remove();
    list.append(...next);
    if (at < items.length) {
      const act = () => grow(step * 5);
      list.append(element("li", { class: "more" },
        element("button", { type: "button", on: { click: act } }, `Show more (${(items.length - at).toLocaleString("en")} left)`)));
    }
  };
  grow(step);
}

function use(it, node) {
  const last = it.edges.at(-1);
  const hops = it.edges.flatMap(edge => [
    element("span", { class: "arrow", "aria-label": "to" }, " → "),
    element("span", { class: "by" }, `${edge.by} `),
    link(edge.file, place(edge)),
  ]);
  if (node.record) hops.shift();
  const owner = it.workload ? [element("span", { class: "arrow" }, " → "), link(it.workload)] : [];
  const signed = last ? [who(last), last.occurrence].filter(it => it).join(" · ") : "";
  return element("li", { class: "use" },
    element("span", { class: `evidence ${evidenceOf(it)}` }, `by ${evidenceOf(it)}`),
    element("div", { class: "chain" }, ...(node.record ? [] : [link(it.record)]), ...hops, ...owner,
      signed ? element("span", { class: "signed" }, ` ${signed}`) : null));
}

// The panel under the graph.
function detailsOf(atlas, node) {
  const record = node.record;
  const found = [];
  if (record) {
    found.push(factsOf(record, atlas.data.day));
    if (record.verdicts.length) {
      found.push(section(counted(record.verdicts.length, ["verdict", "verdicts"]),
        element("ul", { class: "verdicts" }, ...verdictsOf(record, atlas.data))));
    }
  }
  const records = tally(node.uses.map(it => it.record)).filter(([it]) => it !== node);
  const workloads = tally(node.uses.map(it => it.workload).filter(it => it && it !== node));
  const people = tally(node.uses.flatMap(it => [it.edges.at(-1)?.author, ...(it.record.record?.owners || [])])
    .filter(it => it));
  const columns = element("div", { class: "columns" });
  if (records.length) {
    columns.append(section(`Reached by ${counted(records.length, KINDS.record)}`, links(records, it =>
      element("span", {}, link(it), it.record ? badge(it.record.level) : null))));
  }
  if (workloads.length) columns.append(section(counted(workloads.length, KINDS.workload), links(workloads, it =>
    element("span", {}, link(it), it.repository ? element("span", { class: "n" }, ` in ${it.repository}`) : null))));
  if (people.length) columns.append(section("Owners and authors", links(people, it => element("bdi", {}, it))));
  if (columns.childElementCount) found.push(columns);
  const list = element("ul", { class: "uses" });
  more(list, node.uses, SHOWN, it => use(it, node));
  found.push(node.uses.length
    ? section(counted(node.uses.length, USES), list)
    : section("No use seen", element("p", {}, "Nothing that was read names it or holds its value.")));
  return found;
}

// What is shown where nothing is chosen: totals, verdicts, what was not read.
function overview(atlas, filter) {
  const total = of => atlas.records.reduce((sum, it) => sum + of(it), 0);
  const kind = name => atlas.all.filter(it => it.kind === name && it.uses.length).length;
  const number = (n, name) => element("li", {}, element("strong", {}, n.toLocaleString("en")), ` ${name}`);
  const codes = tally(atlas.records.flatMap(it => it.codes));
  const verdicts = codes.map(([code, n]) => element("li", {},
    element("button", { type: "button", on: { click: () => filter("verdict", code) } }, code),
    element("span", { class: "n" }, ` ${n.toLocaleString("en")}`),
    element("span", { class: "help" }, ` ${atlas.data.verdicts.find(it => it[0] === code)[1]}`)));
  const { coverage } = atlas.data;
  const read = `${counted(coverage.files, KINDS.file)} and ${counted(coverage.blobs, ["git object", "git objects"])} were read.`;
  const gaps = atlas.gaps.map(([path, reason]) => element("li", {}, element("bdi", {}, path), ` (${reason})`));
  return [
    element("ul", { class: "totals" },
      number(atlas.records.length, "records"), number(total(it => it.byReference), "uses by reference"),
      number(total(it => it.byValue), "uses by value"), number(total(it => it.node.uses.length === 0), "records without a use"),
      number(kind("workload"), "workloads"), number(kind("file"), "files")),
    verdicts.length ? section("Verdicts", element("ul", { class: "codes" }, ...verdicts)) : null,
    section(coverage.complete ? "What was read" : `Not everything could be read: ${counted(coverage.gaps, ["place", "places"])} missing`,
      element("p", {}, read), gaps.length ? element("ul", { class: "gaps" }, ...gaps) : null),
    section("Shapes", legend()),
  ].filter(it => it);
}

function legend() {
  const picture = kind => shape("svg", { width: 34, height: 20, viewBox: "-1 -1 102 60", "aria-hidden": "true", class: `node ${kind}` },
    shape("path", { class: "outline", d: outline(kind, 100, 58) }));
  const line = kind => shape("svg", { width: 34, height: 20, "aria-hidden": "true", class: `edge ${kind}` },
    shape("path", { class: "line", d: "M0 10H34" }));
  const rows = Object.entries(KINDS).map(([kind, [name]]) => element("li", {}, picture(kind), name));
  const lines = [["value", "holds the value"], ["reference", "names it"], ["runs", "runs in"]];
  return element("ul", { class: "legend" }, ...rows, ...lines.map(([kind, name]) => element("li", {}, line(kind), name)));
}
