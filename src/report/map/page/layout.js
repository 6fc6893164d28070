// Where the nodes of a graph stand: in layers from left to right, with few crossings. No document here.

// How far each node stands from the left: one further than the furthest that leads to it. An edge that
// would close a circle does not count.
function layersOf(n, edges) {
  const next = Array.from({ length: n }, () => []);
  for (const [from, to] of edges) next[from].push(to);
  const state = new Uint8Array(n);
  const order = [];
  const forward = [];
  const visit = at => {
    state[at] = 1;
    for (const to of next[at]) {
      if (state[to] === 1) continue;
      forward.push([at, to]);
      if (state[to] === 0) visit(to);
    }
    state[at] = 2;
    order.push(at);
  };
  for (let at = 0; at < n; at++) if (state[at] === 0) visit(at);
  const layers = new Array(n).fill(0);
  const after = Array.from({ length: n }, () => []);
  for (const [from, to] of forward) after[from].push(to);
  for (const at of order.reverse()) {
    for (const to of after[at]) layers[to] = Math.max(layers[to], layers[at] + 1);
  }
  return layers;
}

// Puts a stop on each layer that an edge passes, so that it leads around what stands there.
function withStops(layers, edges) {
  const all = layers.slice();
  const segments = [];
  const ways = edges.map(([from, to]) => {
    const way = [from];
    for (let layer = layers[from] + 1; layer < layers[to]; layer++) {
      way.push(all.length);
      all.push(layer);
    }
    way.push(to);
    if (layers[to] > layers[from]) way.slice(1).forEach((it, at) => segments.push([way[at], it]));
    return way;
  });
  return { layers: all, segments, ways };
}

function crossings(segments, layers, place) {
  let n = 0;
  for (let a = 0; a < segments.length; a++) {
    for (let b = a + 1; b < segments.length; b++) {
      const [[from, to], [start, end]] = [segments[a], segments[b]];
      if (layers[from] === layers[start] && (place[from] - place[start]) * (place[to] - place[end]) < 0) n++;
    }
  }
  return n;
}

// Orders each layer by the mean place of its neighbours, from both sides in turn, and keeps the best.
function ordered(layers, segments) {
  const rows = [];
  layers.forEach((layer, at) => (rows[layer] ||= []).push(at));
  const before = layers.map(() => []);
  const after = layers.map(() => []);
  for (const [from, to] of segments) {
    after[from].push(to);
    before[to].push(from);
  }
  const place = [];
  const settle = () => rows.forEach(row => row.forEach((it, at) => { place[it] = at; }));
  settle();
  const mean = (near, at) => near[at].length
    ? near[at].reduce((sum, it) => sum + place[it], 0) / near[at].length : place[at];
  // Counting is quadratic: of a large graph the last order is taken.
  const count = turn => segments.length > 400 ? 100 - turn : crossings(segments, layers, place);
  let best = { n: count(0), rows: rows.map(it => it.slice()) };
  for (let turn = 0; turn < 8 && best.n > 0; turn++) {
    const near = turn % 2 ? after : before;
    for (const row of turn % 2 ? rows.slice().reverse() : rows) {
      const means = new Map(row.map(it => [it, mean(near, it)]));
      row.sort((one, other) => means.get(one) - means.get(other) || place[one] - place[other]);
      row.forEach((it, at) => { place[it] = at; });
    }
    const n = count(turn + 1);
    if (n < best.n) best = { n, rows: rows.map(it => it.slice()) };
  }
  return { rows: best.rows, before, after };
}

// The places nearest to those wished for that keep the order and the gaps (pool adjacent violators).
function spread(wishes, sizes, gap) {
  const offsets = [];
  let sum = 0;
  wishes.forEach((_, at) => {
    if (at > 0) sum += (sizes[at - 1] + sizes[at]) / 2 + gap;
    offsets.push(sum);
  });
  const blocks = [];
  wishes.forEach((wish, at) => {
    let block = { mean: wish - offsets[at], n: 1 };
    while (blocks.length && blocks.at(-1).mean > block.mean) {
      const last = blocks.pop();
      const n = last.n + block.n;
      block = { mean: (last.mean * last.n + block.mean * block.n) / n, n };
    }
    blocks.push(block);
  });
  const means = blocks.flatMap(({ mean, n }) => new Array(n).fill(mean));
  return means.map((mean, at) => mean + offsets[at]);
}

// Centres of nodes in layers, and for each edge the stops on its way.
function layout(n, edges, height, gap) {
  const { layers, segments, ways } = withStops(layersOf(n, edges), edges);
  const { rows, before, after } = ordered(layers, segments);
  const size = at => at < n ? height : 6;
  const y = new Array(layers.length).fill(0);
  const put = (row, wish) => {
    const places = spread(row.map(wish), row.map(size), gap);
    row.forEach((it, at) => { y[it] = places[at]; });
  };
  rows.forEach(row => put(row, () => 0));
  const mean = (near, at) => near[at].length
    ? near[at].reduce((sum, it) => sum + y[it], 0) / near[at].length : y[at];
  for (let turn = 0; turn < 6; turn++) {
    const near = turn % 2 ? before : after;
    for (const row of turn % 2 ? rows : rows.slice().reverse()) put(row, it => mean(near, it));
  }
  const top = Math.min(0, ...layers.map((_, at) => y[at] - size(at) / 2));
  const bottom = Math.max(0, ...layers.map((_, at) => y[at] + size(at) / 2));
  return { layers, y: y.map(it => it - top), ways, columns: rows.length, height: bottom - top };
}
