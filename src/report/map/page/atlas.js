"use strict";
// What the page knows: the embedded tables, and what follows from them. No document here.

// How a kind is called, and in how many.
const KINDS = {
  "record": ["record", "records"],
  "stray": ["value without a record", "values without a record"],
  "kubernetes-secret": ["Kubernetes secret", "Kubernetes secrets"],
  "ci-secret": ["CI secret", "CI secrets"],
  "environment": ["environment name", "environment names"],
  "object": ["object of another store", "objects of other stores"],
  "file": ["file", "files"],
  "workload": ["workload", "workloads"],
};

const LEVELS = ["error", "warning", "note"];

// What the list may hold: records, or what their uses pass through.
const LISTS = {
  records: ["record", "stray"],
  workloads: ["workload"],
  names: ["environment", "kubernetes-secret", "ci-secret", "object"],
  files: ["file"],
};

// What a record may be filtered by; each gives the values that a record has.
const FACETS = {
  provider: it => [it.provider],
  environment: it => [it.environment],
  owner: it => it.owners.length ? it.owners : [""],
  verdict: it => it.codes.length ? it.codes : [""],
  level: it => [it.level],
  use: it => it.node.uses.length === 0 ? ["none"]
    : [["value", it.byValue], ["reference", it.byReference]].filter(([, n]) => n).map(([name]) => name),
};

// Nodes, uses and records with their ties to each other.
function atlasOf(data) {
  const text = at => at === null || at === undefined ? "" : data.texts[at];
  const node = (kind, label, repository) => ({ kind, label, repository, uses: [], record: null, words: null });
  const nodes = data.things.map(([kind, label, repository]) => node(data.kinds[kind], text(label), text(repository)));
  const files = data.files.map(label => node("file", text(label), ""));
  const edges = data.edges.map(([from, to, by, isValue, file, line, author, date, occurrence]) => ({
    from: nodes[from], to: to === null ? null : nodes[to], by: text(by), evidence: isValue ? "value" : "reference",
    file: files[file], line, author: text(author), date: text(date), occurrence: text(occurrence),
  }));
  const uses = data.uses.map(([record, workload, ways]) => ({
    record: nodes[record], workload: workload === null ? null : nodes[workload], edges: ways.map(at => edges[at]),
  }));
  const tie = (it, use) => { if (it && it.uses.at(-1) !== use) it.uses.push(use); };
  for (const use of uses) {
    tie(use.record, use);
    for (const edge of use.edges) {
      tie(edge.to, use);
      tie(edge.file, use);
    }
    tie(use.workload, use);
  }
  const verdict = ([at, level, message, next, waived]) => ({
    code: data.verdicts[at][0], level, message: text(message), next: text(next), waived: waived === 1,
  });
  const records = data.records.map(row => recordOf(row, nodes[row.thing], text, (row.verdicts || []).map(verdict)));
  const all = nodes.concat(files);
  const byKey = new Map(all.map(it => [keyOf(it), it]));
  const gaps = data.coverage.listed.map(([path, reason]) => [text(path), text(reason)]);
  return { data, all, byKey, uses, records, gaps };
}

function recordOf(row, node, text, verdicts) {
  const open = verdicts.filter(it => !it.waived);
  const byValue = node.uses.filter(it => evidenceOf(it) === "value").length;
  const record = {
    ...row, node, verdicts, byValue, byReference: node.uses.length - byValue,
    provider: text(row.provider), environment: text(row.environment),
    owners: (row.owners || []).map(text), accessor: text(row.accessor),
    codes: [...new Set(open.map(it => it.code))],
    level: LEVELS.find(level => open.some(it => it.level === level)) || "",
  };
  node.record = record;
  return record;
}

function evidenceOf(use) {
  return use.edges.length ? use.edges.at(-1).evidence : "reference";
}

// The name of a node in the address of the page.
function keyOf(node) {
  return [node.kind, node.label, node.repository].filter(it => it).map(encodeURIComponent).join("/");
}

// What a search looks at, in lower case: of a record also whatever its uses pass through.
function wordsOf(node) {
  if (node.words === null) {
    const words = new Set([node.label, node.repository]);
    const record = node.record;
    if (record) {
      for (const it of [record.provider, record.environment, ...record.owners]) words.add(it);
      for (const use of node.uses) {
        for (const edge of use.edges) {
          if (edge.to) words.add(edge.to.label);
          words.add(edge.file.label);
        }
        if (use.workload) words.add(use.workload.label);
      }
    }
    node.words = [...words].join("\n").toLowerCase();
  }
  return node.words;
}

function termsOf(search) {
  return search.toLowerCase().split(/\s+/).filter(it => it);
}

function holds(node, terms) {
  return terms.length === 0 || terms.every(term => wordsOf(node).includes(term));
}

// The nodes to list, and for each facet how many records each of its values would leave.
function selected(atlas, wish) {
  const terms = termsOf(wish.search);
  const isOfRecords = wish.list === "records";
  const facets = Object.entries(FACETS);
  const counts = Object.fromEntries(facets.map(([name]) => [name, new Map()]));
  const passed = [];
  for (const record of atlas.records) {
    if (isOfRecords && !holds(record.node, terms)) continue;
    const values = facets.map(([, of]) => of(record));
    const failed = facets.map(([name], at) => name in wish.facets && !values[at].includes(wish.facets[name]));
    const n = failed.filter(it => it).length;
    if (n === 0) passed.push(record);
    facets.forEach(([name], at) => {
      if (n > (failed[at] ? 1 : 0)) return;
      for (const value of values[at]) counts[name].set(value, (counts[name].get(value) || 0) + 1);
    });
  }
  const nodes = isOfRecords ? passed.map(it => it.node) : touched(passed, wish).filter(it => holds(it, terms));
  return { nodes: sorted(nodes, wish.sort), counts };
}

// What the uses of these records pass through, of the kinds that are wished for.
function touched(records, wish) {
  const kinds = LISTS[wish.list];
  const evidence = wish.facets.use;
  const found = new Set();
  const add = it => { if (it && kinds.includes(it.kind)) found.add(it); };
  for (const record of records) {
    for (const use of record.node.uses) {
      if (evidence && evidenceOf(use) !== evidence) continue;
      for (const edge of use.edges) {
        add(edge.to);
        add(edge.file);
      }
      add(use.workload);
    }
  }
  return [...found];
}

const byText = (one, other) => one < other ? -1 : one > other ? 1 : 0;

function sorted(nodes, sort) {
  const rank = it => {
    const at = it.record ? LEVELS.indexOf(it.record.level) : -1;
    return at < 0 ? LEVELS.length : at;
  };
  const orders = {
    worst: (one, other) => rank(one) - rank(other),
    uses: (one, other) => other.uses.length - one.uses.length,
    name: () => 0,
  };
  return nodes.sort((one, other) => orders[sort](one, other)
    || byText(one.label, other.label) || byText(one.repository, other.repository));
}

// A label in parts: what tells it from others, and what stands before that.
function parts(node) {
  let label = node.label;
  if (["kubernetes-secret", "ci-secret", "environment", "object"].includes(node.kind)) {
    label = label.slice(label.indexOf(":") + 1);
  }
  const path = label.split("#", 1)[0];
  const at = path.lastIndexOf("/") + 1;
  const head = label.slice(0, at).replace(/\/$/, "");
  return { tail: label.slice(at) || label, head: [head, node.repository].filter(it => it).join(" in ") };
}
