// SPDX-License-Identifier: Apache-2.0
// Makes the picture that it stands in interactive. It reads the frames from the SVG itself: names
// and weights from each <title>, exact numbers from <metadata>. Nothing is fetched or stored, and
// text only ever enters the page as text nodes.
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const XHTML = "http://www.w3.org/1999/xhtml";
  const BAR_PX = 560;  // room for the controls when all of them show
  const HIDE_BELOW_PX = 0.05;
  const DETAILS_HINT = "click zoom \u00b7 / search \u00b7 arrows move \u00b7 i icicle \u00b7 t theme";
  const KINDS = { k: "kernel", j: "JIT", i: "inlined" };

  const byName = new Map();  // name -> frames, ascending

  const script = document.currentScript;
  const svg = (script && script.ownerSVGElement) || document.documentElement;
  const standalone = svg === document.documentElement;
  const data = JSON.parse(svg.querySelector("metadata.data").textContent);
  const header = svg.querySelector("g.header");
  const footer = svg.querySelector("g.footer");
  const headerBox = header.querySelector("rect.bg");
  const details = header.querySelector("text.details");
  const summary = details.textContent;
  const lines = readLines();
  const stillWidth = Number(svg.getAttribute("width"));
  const stillTop = data.top;

  const bound = data.complete ? "" : "\u2265 ";  // shares of many frames miss those not drawn
  const frames = readFrames();
  const byElement = new Map(frames.map((frame) => [frame.g, frame]));
  const root = frames[0];
  const maxDepth = frames.reduce((deepest, frame) => Math.max(deepest, frame.depth), 0);
  const graphHeight = (maxDepth + 1) * data.frameHeight;
  const footerHeight = Number(svg.getAttribute("height")) - stillTop - graphHeight;

  let width = stillWidth;
  let top = stillTop;
  let charWidth = 6.65;
  let icicle = data.icicle;
  let zoomed = root;
  let focused = root;
  let matches = [];

  function readFrames() {
    const list = [];
    const open = [];
    const elements = svg.querySelectorAll("g.frames .f");
    for (let i = 0; i < elements.length; i++) {
      const g = elements[i];
      const bare = g.localName === "rect";
      const lines = g.firstChild.textContent.split("\n");
      const depth = data.frames[3 * i + 2];
      const suffix = /_\[([kji])\]$/.exec(lines[0]);
      const frame = {
        g: g, rect: bare ? g : g.childNodes[1], text: bare ? null : g.childNodes[2], index: i,
        start: data.frames[3 * i], total: data.frames[3 * i + 1], depth: depth,
        parent: depth > 0 ? open[depth - 1] : null, end: elements.length,
        name: lines[0], plain: suffix ? lines[0].slice(0, -4) : lines[0],
        kind: suffix ? KINDS[suffix[1]] : "", numbers: lines.slice(1), shown: true, up: false,
        x: NaN, y: NaN, w: Infinity,  // where it was placed last
      };
      for (let d = depth; d < open.length; d++) open[d].end = i;
      open.length = depth;
      open.push(frame);
      if (byName.has(frame.name)) byName.get(frame.name).push(frame);
      else byName.set(frame.name, [frame]);
      list.push(frame);
    }
    return list;
  }

  // Title, subtitle and notes in full; a line that was cut has the whole in its <title>.
  function readLines() {
    return Array.from(svg.querySelectorAll("text.title, text.muted"))
      .filter((element) => element.firstChild)
      .map((element) => {
        const whole = element.querySelector("title");
        const text = whole ? whole.textContent : element.textContent;
        const drawn = element.firstChild.data;
        return { element: element, text: text, charWidth: element.getComputedTextLength() / drawn.length || 7 };
      });
  }

  function make(namespace, tag, attributes, text) {
    const element = document.createElementNS(namespace, tag);
    for (const key of Object.keys(attributes)) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // --- labels -------------------------------------------------------------------------------

  function columnsOf(codePoint) {
    return (codePoint >= 0x1100 && codePoint <= 0x115f) || (codePoint >= 0x2e80 && codePoint <= 0xa4cf) ||
      (codePoint >= 0xac00 && codePoint <= 0xd7a3) || (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
      (codePoint >= 0xff00 && codePoint <= 0xff60) || codePoint >= 0x1f300 ? 2 : 1;
  }

  function fit(text, columns) {
    let used = 0;
    let cut = 0;
    let at = 0;
    for (const character of text) {
      used += columnsOf(character.codePointAt(0));
      if (used > columns) return columns < 3 ? "" : text.slice(0, cut) + "\u2026";
      at += character.length;
      if (used < columns) cut = at;
    }
    return text;
  }

  // Labels are monospaced; measuring one that is there costs no second layout of the page.
  function measureCharWidth() {
    if (!root.text) return;
    const measured = root.text.getComputedTextLength() / root.text.textContent.length;
    if (measured > 1) charWidth = measured;
  }

  // --- layout -------------------------------------------------------------------------------

  function isAncestor(frame, other) {
    return frame.index < other.index && other.index < frame.end;
  }

  function place(frame) {
    const graphWidth = Math.max(1, width - 2 * data.pad);
    const up = isAncestor(frame, zoomed);
    const inside = frame === zoomed || isAncestor(zoomed, frame);
    const scale = graphWidth / (zoomed.total || 1);
    const w = up || frame === zoomed ? graphWidth : frame.total * scale;
    const shown = (up || inside) && w >= HIDE_BELOW_PX;
    if (shown !== frame.shown) {
      frame.shown = shown;
      if (shown) frame.g.removeAttribute("display");
      else frame.g.setAttribute("display", "none");
    }
    if (!shown) return;
    if (up !== frame.up) {
      frame.up = up;
      frame.g.classList.toggle("up", up);
    }
    const h = data.frameHeight;
    const x = data.pad + (up ? 0 : (frame.start - zoomed.start) * scale);
    const y = top + (icicle ? frame.depth : maxDepth - frame.depth) * h;
    if (x !== frame.x || w !== frame.w) {
      frame.rect.setAttribute("x", x.toFixed(2));
      frame.rect.setAttribute("width", (w - Math.min(1, w / 4)).toFixed(2));
      if (w > 6) frame.rect.setAttribute("rx", 2);
      else if (frame.w > 6) frame.rect.removeAttribute("rx");
    } else if (y === frame.y) return;
    if (y !== frame.y) frame.rect.setAttribute("y", y);
    frame.x = x;
    frame.y = y;
    frame.w = w;
    placeLabel(frame, x, y, w);
  }

  // A frame without a label is a bare rectangle, which loads faster. A label needs a group.
  function wrap(frame) {
    const rect = frame.rect;
    const hadFocus = document.activeElement === rect;
    frame.g = make(SVG, "g", { class: rect.getAttribute("class"), tabindex: rect.getAttribute("tabindex") || -1 });
    rect.removeAttribute("class");
    rect.removeAttribute("tabindex");
    rect.replaceWith(frame.g);
    frame.g.append(rect.firstChild, rect);
    byElement.delete(rect);
    byElement.set(frame.g, frame);
    if (hadFocus) frame.g.focus({ preventScroll: true });
  }

  function placeLabel(frame, x, y, w) {
    const columns = Math.floor((w - 2 * data.labelInset) / charWidth);
    const label = columns < 1 ? "" : fit(frame.plain, columns);
    if (label === "" && !frame.text) return;
    if (frame.g === frame.rect) wrap(frame);
    if (!frame.text) frame.text = frame.g.appendChild(make(SVG, "text", {}));
    if (frame.text.textContent !== label) frame.text.textContent = label;
    frame.text.setAttribute("x", (x + data.labelInset).toFixed(2));
    frame.text.setAttribute("y", y + data.frameHeight / 2 + 3.5);
  }

  function layout() {
    const room = width - 2 * data.pad;
    for (const line of lines) line.element.firstChild.data = fit(line.text, Math.floor(room / line.charWidth));
    const narrow = titleWidth() + BAR_PX > room;
    top = stillTop + (narrow ? 36 : 0);
    const height = top + graphHeight + footerHeight;
    svg.setAttribute("viewBox", "0 0 " + width + " " + height);
    svg.setAttribute("height", height);
    headerBox.setAttribute("height", top - 6);
    footer.setAttribute("transform", "translate(0," + (top - stillTop) + ")");
    placeBar(narrow);
    frames.forEach(place);
    pinHeader();
  }

  function titleWidth() {
    const title = lines.find((line) => line.element.classList.contains("title"));
    return title ? title.text.length * title.charWidth : 0;
  }

  function resize() {
    const measured = svg.parentNode === document ? document.documentElement.clientWidth || window.innerWidth
      : svg.parentNode.clientWidth;
    const next = Math.max(320, measured || stillWidth);
    if (next === width && svg.hasAttribute("data-laid-out")) return;
    width = next;
    svg.setAttribute("width", width);
    svg.setAttribute("data-laid-out", "");
    layout();
    describe(null);
  }

  // Keeps title, controls and details in sight while a tall graph scrolls.
  function pinHeader() {
    if (standalone) header.setAttribute("transform", "translate(0," + Math.max(0, window.scrollY) + ")");
  }

  // --- details line -------------------------------------------------------------------------

  function percent(part, whole) {
    if (!part || !whole) return "0 %";
    const value = (100 * part) / whole;
    return value < 0.01 ? "< 0.01 %" : value.toFixed(2) + " %";
  }

  function describe(frame) {
    details.textContent = "";
    if (!frame) {
      details.textContent = fit(summary + " \u00b7 " + DETAILS_HINT, Math.floor((width - 2 * data.pad) / 6.2));
      return;
    }
    let numbers = frame.numbers.join(" \u00b7 ");
    if (zoomed !== root && frame !== zoomed) numbers += " \u00b7 " + percent(frame.total, zoomed.total) + " of the zoomed frame";
    const same = byName.get(frame.name);
    if (same.length > 1) {
      numbers += " \u00b7 " + bound + percent(weightOf(same, root), root.total) + " in all " + same.length + " places";
    }
    if (frame.kind) numbers += " \u00b7 " + frame.kind;
    const room = width - 2 * data.pad - numbers.length * 6.3 - 16;
    details.appendChild(make(SVG, "tspan", { class: "name" }, fit(frame.plain, Math.max(12, Math.floor(room / 7)))));
    details.appendChild(make(SVG, "tspan", { dx: 12 }, numbers));
  }

  // --- zoom, focus --------------------------------------------------------------------------

  function zoom(frame) {
    if (frame === zoomed) return;
    zoomed = frame;
    frames.forEach(place);
    resetButton.hidden = zoomed === root;
    showMatched();
    if (!focused.shown) setFocus(frame, false);
    describe(frame === root ? null : frame);
  }

  function setFocus(frame, move) {
    focused.g.setAttribute("tabindex", -1);
    focused = frame;
    focused.g.setAttribute("tabindex", 0);
    if (move) {
      focused.g.focus({ preventScroll: true });
      scrollTo(frame);
    }
  }

  function scrollTo(frame) {
    if (!standalone) return;
    const y = Number(frame.rect.getAttribute("y"));
    const above = y - top - window.scrollY;
    const below = y + 3 * data.frameHeight - window.scrollY - window.innerHeight;
    if (above < 0) window.scrollBy(0, above);
    else if (below > 0) window.scrollBy(0, below);
  }

  // The widest child: where most of the weight goes.
  function child(frame) {
    let widest = null;
    for (let i = frame.index + 1; i < frame.end; i = frames[i].end) {
      if (frames[i].shown && (!widest || frames[i].total > widest.total)) widest = frames[i];
    }
    return widest;
  }

  // The next frame of the same depth, step to the right (1) or left (-1).
  function neighbour(frame, step) {
    for (let i = frame.index + step; i >= 0 && i < frames.length; i += step) {
      if (frames[i].depth === frame.depth && frames[i].shown) return frames[i];
    }
    return null;
  }

  function moveFocus(key) {
    const outward = icicle ? "ArrowDown" : "ArrowUp";
    let next = null;
    if (key === "Home") next = zoomed;
    else if (key === "ArrowLeft") next = neighbour(focused, -1);
    else if (key === "ArrowRight") next = neighbour(focused, 1);
    else next = key === outward ? child(focused) : focused.parent;
    setFocus(next || focused, true);
  }

  // --- search -------------------------------------------------------------------------------

  // A regular expression, or the plain text where it is none; capitals make it exact.
  function matcher(query) {
    const flags = /[A-Z]/.test(query) ? "u" : "iu";
    try {
      return new RegExp(query, flags);
    } catch (error) {
      return new RegExp(query.replace(/[.*+?^${}()|[\]\\\/-]/g, "\\$&").replace(/\\-/g, "[-]"), flags);
    }
  }

  function search(query) {
    for (const frame of matches) frame.g.classList.remove("m");
    matches = [];
    if (query !== "") {
      const pattern = matcher(query);
      matches = frames.filter((frame) => frame !== root && pattern.test(frame.name));
      for (const frame of matches) frame.g.classList.add("m");
    }
    svg.classList.toggle("searching", query !== "");
    showMatched();
  }

  // Weight in frame of a list of frames that is sorted by index; one inside another counts once.
  function weightOf(list, frame) {
    let sum = 0;
    let end = frame.index;
    for (const match of list) {
      if (isAncestor(match, frame)) return frame.total;
      if (match.index < end || match.index >= frame.end) continue;
      sum += match.total;
      end = match.end;
    }
    return sum;
  }

  function showMatched() {
    if (!svg.classList.contains("searching")) {
      result.textContent = "";
      return;
    }
    let text = bound + percent(weightOf(matches, root), root.total) + " in " + matches.length +
      (matches.length === 1 ? " frame" : " frames");
    if (zoomed !== root) text = bound + percent(weightOf(matches, zoomed), zoomed.total) + " of zoomed, " + text;
    result.textContent = text;
    result.title = data.complete ? "" : "frames that are too narrow to be drawn are not searched";
  }

  // Step through the matches that are in sight, widest first.
  function nextMatch(step) {
    const order = matches.filter((frame) => frame.shown).sort((a, b) => b.total - a.total || a.index - b.index);
    if (order.length === 0) return;
    const at = order.indexOf(focused);
    const next = at < 0 ? 0 : (at + step + order.length) % order.length;
    setFocus(order[next], true);
  }

  function clearSearch() {
    input.value = "";
    search("");
  }

  // --- controls -----------------------------------------------------------------------------

  const host = make(SVG, "foreignObject", { height: 32 });
  const bar = host.appendChild(make(XHTML, "div", { class: "bar" }));
  const resetButton = addButton("Reset zoom", "show everything (Esc)", () => zoom(root));
  const result = bar.appendChild(make(XHTML, "span", { class: "result", role: "status" }));
  const input = bar.appendChild(make(XHTML, "input", {
    type: "search", placeholder: "Search, e.g. ^mem|alloc", "aria-label": "search frames by regular expression",
    spellcheck: "false", autocomplete: "off",
  }));
  const shapeButton = addButton("", "put the root on the other side (i)", toggleShape);
  const themeButton = addButton("", "light or dark (t)", toggleTheme);
  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

  function addButton(label, title, action) {
    const button = bar.appendChild(make(XHTML, "button", { type: "button", title: title }, label));
    button.addEventListener("click", action);
    return button;
  }

  function placeBar(narrow) {
    bar.classList.toggle("left", narrow);
    const barWidth = narrow ? width - 2 * data.pad : BAR_PX;
    host.setAttribute("width", barWidth);
    host.setAttribute("x", narrow ? data.pad : width - data.pad - barWidth);
    host.setAttribute("y", narrow ? stillTop - 10 : 14);
  }

  function isDark() {
    return svg.classList.contains("dark") || (systemDark.matches && !svg.classList.contains("light"));
  }

  function toggleTheme() {
    const dark = !isDark();
    svg.classList.toggle("dark", dark);
    svg.classList.toggle("light", !dark);
    nameButtons();
  }

  function toggleShape() {
    icicle = !icicle;
    layout();
    nameButtons();
  }

  function nameButtons() {
    shapeButton.textContent = icicle ? "Flame" : "Icicle";
    themeButton.textContent = isDark() ? "Light" : "Dark";
  }

  function frameOf(target) {
    const g = target.closest ? target.closest(".f") : null;
    return g ? byElement.get(g) : undefined;
  }

  function onKey(event) {
    if (event.altKey || event.metaKey && event.key !== "f") return;
    if (event.target === input) return onInputKey(event);
    const find = (event.ctrlKey || event.metaKey) && event.key === "f";
    if (event.ctrlKey && !find) return;
    if (event.target.localName === "button" && (event.key === "Enter" || event.key === " ")) return;
    if (find || event.key === "/") {
      input.focus();
      input.select();
    } else if (/^(Arrow(Up|Down|Left|Right)|Home)$/.test(event.key)) moveFocus(event.key);
    else if (event.key === "Enter") zoom(focused);
    else if (event.key === "Escape") zoomed === root ? clearSearch() : zoom(root);
    else if (event.key === "i") toggleShape();
    else if (event.key === "t") toggleTheme();
    else if (event.key === "n" || event.key === "N") nextMatch(event.key === "n" ? 1 : -1);
    else return;
    event.preventDefault();
  }

  // A second Ctrl-F in the field is left to the browser's own search.
  function onInputKey(event) {
    if (event.key === "Escape") {
      clearSearch();
      setFocus(focused, true);
    } else if (event.key === "Enter") nextMatch(1);
    else return;
    event.preventDefault();
  }

  // --- start --------------------------------------------------------------------------------

  svg.addEventListener("click", (event) => {
    const frame = frameOf(event.target);
    if (!frame) return;
    setFocus(frame, true);
    zoom(frame);
  });
  svg.addEventListener("mouseover", (event) => describe(frameOf(event.target) || null));
  svg.addEventListener("mouseleave", () => describe(null));
  svg.addEventListener("focusin", (event) => {
    const frame = frameOf(event.target);
    if (frame) describe(frame);
  });
  (standalone ? window : svg).addEventListener("keydown", onKey);
  input.addEventListener("input", () => search(input.value));
  systemDark.addEventListener("change", nameButtons);
  window.addEventListener("resize", resize);
  if (standalone) window.addEventListener("scroll", pinHeader, { passive: true });

  header.appendChild(host);
  resetButton.classList.add("reset");
  resetButton.hidden = true;
  svg.classList.add("live");
  root.g.setAttribute("tabindex", 0);
  nameButtons();
  measureCharWidth();
  resize();
  // A tall flame starts at its root, which is at the bottom.
  if (standalone && !icicle) window.scrollTo(0, svg.getBoundingClientRect().height);
})();
