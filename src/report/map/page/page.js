// The page itself: the address says what is shown, and everything follows from it.

class Page {
  constructor(atlas) {
    this.atlas = atlas;
    this.title = document.getElementById("title");
    this.kind = document.getElementById("kind");
    this.details = document.getElementById("details");
    this.drawing = new Drawing();
    this.list = new List(atlas, node => this.go(node));
    const { day, subject } = atlas.data;
    document.getElementById("about").textContent = [
      subject ? `for ${subject}` : "", counted(atlas.records.length, KINDS.record),
      counted(atlas.uses.length, USES), day ? `as of ${day}` : "",
    ].filter(it => it).join(" · ");
    addEventListener("hashchange", () => this.show(true));
    addEventListener("keydown", event => this.key(event));
    document.getElementById("skip").addEventListener("click", () => this.details.focus());
    document.querySelector("form").addEventListener("submit", event => event.preventDefault());
    addEventListener("beforeprint", () => this.whole());
    this.show(false);
  }

  go(node) {
    const hash = `#${keyOf(node)}`;
    if (location.hash === hash) this.show(true);
    else location.hash = hash;
  }

  // The node that the address names; with one record and no address, that one.
  named() {
    const key = location.hash.slice(1);
    if (key) return this.atlas.byKey.get(key) || null;
    return this.atlas.records.length === 1 ? this.atlas.records[0].node : null;
  }

  show(isMove) {
    const node = this.named();
    const isUnknown = !node && location.hash.length > 1;
    const hadFocus = document.querySelector("main").contains(document.activeElement)
      || document.activeElement === document.body;
    document.body.dataset.view = node || isUnknown ? "one" : "all";
    document.getElementById("picture").hidden = !node || node.uses.length === 0;
    this.kind.textContent = node ? `${KINDS[node.kind][0]}${node.repository ? ` in ${node.repository}` : ""}` : "";
    this.title.textContent = node ? node.label : isUnknown ? "Nothing here has this name" : "Everything";
    document.title = node ? `${node.label} - keyatlas map` : "keyatlas map";
    if (node) {
      this.details.replaceChildren(...detailsOf(this.atlas, node));
      if (node.uses.length) this.drawing.draw(node);
    } else {
      const filter = (facet, value) => { this.list.filter(facet, value); this.list.box.focus(); };
      this.details.replaceChildren(...overview(this.atlas, filter));
    }
    this.list.mark(node);
    document.getElementById("one").scrollTop = 0;
    if (isMove && hadFocus) this.title.focus({ preventScroll: true });
    document.body.dataset.shown = location.hash;
  }

  key(event) {
    const isTyping = event.target.closest?.("input, select, textarea");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (document.body.dataset.view === "one" && this.list.search.offsetParent === null) location.hash = "";
    requestAnimationFrame(() => this.list.search.focus());
  }

  // On paper there is no button for the rest.
  whole() {
    for (let turn = 0; turn < 50; turn++) {
      const buttons = this.details.querySelectorAll(".more button");
      if (buttons.length === 0) return;
      buttons.forEach(it => it.click());
    }
  }
}

const page = new Page(atlasOf(JSON.parse(document.getElementById("data").textContent)));
document.body.dataset.ready = "";
