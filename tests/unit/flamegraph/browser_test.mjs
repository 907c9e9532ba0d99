// SPDX-License-Identifier: Apache-2.0
// The picture in a real browser: node browser_test.mjs RENDER DATA. Expected shares are counted
// from the folded file itself, not by the code under test.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Page } from "./chromium.mjs";

const [render, data] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "callscope-flamegraph-"));

function draw(name, folded) {
  const file = join(folder, name + ".svg");
  writeFileSync(file, execFileSync(render, ["title of " + name], { input: folded, maxBuffer: 1 << 28 }));
  return pathToFileURL(file).href;
}

const perf = readFileSync(join(data, "perf.folded"));
const stacks = perf.toString().split("\n").filter((line) => line && !line.startsWith("#")).map((line) => {
  const blank = line.lastIndexOf(" ");
  return { frames: line.slice(0, blank).split(";"), weight: Number(line.slice(blank + 1)) };
});
const weigh = (list) => list.reduce((sum, stack) => sum + stack.weight, 0);
const total = weigh(stacks);
const share = (list, whole) => ((100 * weigh(list)) / whole).toFixed(2) + " %";

// Helpers that run in the page.
const HELPERS = `
  window.frame = (name) => [...document.querySelectorAll(".f")].find((g) => g.firstChild.textContent.split("\\n")[0] === name);
  window.box = (name) => { const f = frame(name); const r = (f.querySelector("rect") ?? f).getBoundingClientRect(); return { x: r.x, y: r.y, width: r.width, height: r.height }; };
  window.button = (text) => [...document.querySelectorAll("button")].find((b) => b.textContent === text && !b.hidden);
  window.focusedName = () => document.activeElement.closest(".f")?.firstChild.textContent.split("\\n")[0] ?? document.activeElement.localName;
  window.details = () => document.querySelector(".details").textContent;
  window.result = () => document.querySelector(".result").textContent;
  window.overflowing = () => [...document.querySelectorAll("g.f:not([display]) text")].filter((t) => t.getComputedTextLength() > Number(t.parentNode.querySelector("rect").getAttribute("width")) + 1).map((t) => t.textContent);
`;

const q = JSON.stringify;
let page;

async function load(url, width = 1200, height = 800) {
  await page.resize(width, height);
  await page.go(url);
  await page.evaluate(HELPERS);
}

async function clickFrame(name) {
  const box = await page.evaluate(`box(${q(name)})`);
  await page.click(box.x + Math.min(10, box.width / 2), box.y + box.height / 2);
}

const checks = {
  async "zoom gives a frame the full width and fades its ancestors"() {
    await load(draw("perf", perf));
    const full = (await page.evaluate(`box("all")`)).width;
    await clickFrame("processCommand");
    assert.ok(Math.abs((await page.evaluate(`box("processCommand")`)).width - full) < 1);
    assert.ok(Math.abs((await page.evaluate(`box("main")`)).width - full) < 1);
    assert.equal(await page.evaluate(`frame("main").classList.contains("up")`), true);
    assert.equal(await page.evaluate(`frame("processCommand").classList.contains("up")`), false);
    assert.equal(await page.evaluate(`frame("beforeSleep").getAttribute("display")`), "none");
    const below = stacks.filter((stack) => stack.frames.includes("processCommand"));
    const part = below.filter((stack) => stack.frames.includes("setCommand"));
    const box = await page.evaluate(`box("setCommand")`);
    assert.ok(Math.abs(box.width / full - weigh(part) / weigh(below)) < 0.005);
    await page.mouse("mouseMoved", box.x + 5, box.y + 5);
    await page.settle();
    const details = await page.evaluate("details()");
    assert.match(details, /^setCommand137 samples/);
    assert.ok(details.includes(share(part, total) + " of total"), details);
    assert.ok(details.includes(share(part, weigh(below)) + " of the zoomed frame"), details);
    assert.equal(await page.evaluate(`document.querySelector("svg > title").textContent`), "title of perf");
    await page.evaluate(`button("Reset zoom").click()`);
    assert.equal(await page.evaluate(`frame("beforeSleep").hasAttribute("display")`), false);
    assert.equal(await page.evaluate(`button("Reset zoom") === undefined`), true);
  },

  async "search states the matched share and counts nested matches once"() {
    await load(draw("perf", perf));
    await page.key("/");
    await page.type("tcp_|ksys");
    const hit = stacks.filter((stack) => stack.frames.some((name) => /tcp_|ksys/i.test(name)));
    assert.ok((await page.evaluate("result()")).startsWith(share(hit, total) + " in 7 frames"), await page.evaluate("result()"));
    assert.equal(await page.evaluate(`frame("tcp_push_[k]").classList.contains("m")`), true);
    await page.key("Escape");
    assert.equal(await page.evaluate("result()"), "");
    assert.equal(await page.evaluate(`document.querySelectorAll(".m").length`), 0);
    await page.key("f", 2);
    assert.equal(await page.evaluate("focusedName()"), "input");
    await page.type("operator()(char");  // no regular expression: taken as text
    assert.match(await page.evaluate("result()"), / in 1 frame$/);
  },

  async "a search inside a zoom states both shares"() {
    await load(draw("perf", perf));
    await clickFrame("processCommand");
    await page.key("/");
    await page.type("^dictFind$");
    const hit = stacks.filter((stack) => stack.frames.includes("dictFind"));
    const below = stacks.filter((stack) => stack.frames.includes("processCommand"));
    assert.equal(await page.evaluate("result()"),
      `${share(hit, weigh(below))} of zoomed, ${share(hit, total)} in 2 frames`);
  },

  async "details add up all places of a function"() {
    await load(draw("perf", perf));
    const box = await page.evaluate(`box("dictFind")`);
    await page.mouse("mouseMoved", box.x + 5, box.y + 5);
    await page.settle();
    const both = stacks.filter((stack) => stack.frames.includes("dictFind"));
    const details = await page.evaluate("details()");
    assert.ok(details.includes(share(both, total) + " in all 2 places"), details);
  },

  async "a frame that was too narrow for a label gets one when zoomed, and keeps the focus"() {
    await load(draw("narrow", "main;wide 990\nmain;slim;inner 10\n"));
    assert.equal(await page.evaluate(`frame("slim").localName`), "rect");
    await clickFrame("slim");
    assert.equal(await page.evaluate(`frame("slim").querySelector("text").textContent`), "slim");
    assert.equal(await page.evaluate(`frame("inner").querySelector("text").textContent`), "inner");
    assert.equal(await page.evaluate("focusedName()"), "slim");
    await page.key("Escape");
    assert.deepEqual(await page.evaluate("overflowing()"), []);
    assert.equal(await page.evaluate(`frame("slim").querySelector("text").textContent`), "");
  },

  async "the keyboard moves, zooms, resets and switches"() {
    await load(draw("perf", perf));
    await page.key("Home");
    assert.equal(await page.evaluate("focusedName()"), "all");
    await page.key("ArrowUp");
    assert.equal(await page.evaluate("focusedName()"), "redis-server");
    await page.key("ArrowLeft");
    assert.equal(await page.evaluate("focusedName()"), "bio_lazy_free");
    await page.key("ArrowRight");
    await page.key("Enter");
    assert.equal(await page.evaluate(`frame("all").classList.contains("up")`), true);
    assert.notEqual(await page.evaluate(`getComputedStyle(document.activeElement.querySelector("rect")).stroke`), "none");
    await page.key("Escape");
    assert.equal(await page.evaluate(`frame("all").classList.contains("up")`), false);
    assert.ok((await page.evaluate(`box("all")`)).y > (await page.evaluate(`box("main")`)).y);
    await page.key("i");
    assert.ok((await page.evaluate(`box("all")`)).y < (await page.evaluate(`box("main")`)).y);
    await page.key("ArrowDown");
    assert.equal(await page.evaluate("focusedName()"), "_start");
  },

  async "dark mode follows the system and can be switched"() {
    const fill = `getComputedStyle(frame("main").querySelector("rect")).fill + getComputedStyle(document.documentElement).backgroundColor`;
    await page.colorScheme("light");
    await load(draw("perf", perf));
    const light = await page.evaluate(fill);
    await page.key("t");
    const dark = await page.evaluate(fill);
    assert.notEqual(dark, light);
    await page.colorScheme("dark");
    await load(draw("perf", perf));
    assert.equal(await page.evaluate(fill), dark);
    await page.evaluate(`button("Light").click()`);
    assert.equal(await page.evaluate(fill), light);
    await page.colorScheme("light");
  },

  async "labels fit their frames at every width of the window"() {
    await load(draw("perf", perf));
    for (const width of [1900, 1200, 640, 340]) {
      await page.resize(width, 700);
      assert.equal(Number(await page.evaluate(`document.documentElement.getAttribute("width")`)), width);
      assert.deepEqual(await page.evaluate("overflowing()"), []);
      const root = await page.evaluate(`box("all")`);
      assert.ok(Math.abs(root.width - (width - 33)) < 1.5);
    }
  },

  async "a tall graph opens at its root with the header in sight"() {
    await load(draw("tall", "f;".repeat(200) + "leaf 5\n"));
    await page.settle();
    const root = await page.evaluate(`box("all")`);
    assert.ok(root.y > 0 && root.y < 800);
    const title = await page.evaluate(`document.querySelector(".title").getBoundingClientRect().y`);
    assert.ok(title > 0 && title < 60);
  },

  async "hostile names stay text"() {
    await load(draw("hostile", readFileSync(join(data, "hostile.folded"))));
    for (const name of ["</title><script>window.pwned=1</script>", "javascript:window.pwned=1"]) {
      await clickFrame(name);
      await page.key("Escape");
    }
    assert.equal(await page.evaluate("window.pwned === undefined"), true);
    assert.equal(await page.evaluate(`document.querySelectorAll("script").length`), 1);
  },

  async "without scripts the picture is complete and shows no controls"() {
    await page.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.go(draw("perf", perf));
    await page.send("Emulation.setScriptExecutionDisabled", { value: false });
    await page.evaluate(HELPERS);
    assert.equal(await page.evaluate(`document.querySelectorAll("foreignObject, button, input").length`), 0);
    assert.deepEqual(await page.evaluate("overflowing()"), []);
    assert.ok(await page.evaluate(`document.querySelectorAll("g.f text").length > 20`));
  },
};

let failed = 0;
page = await Page.open("chromium");
try {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      assert.deepEqual(page.errors, []);
      console.log("ok    ", name);
    } catch (error) {
      ++failed;
      page.errors.length = 0;
      console.log("FAILED", name, "\n", error.stack);
    }
  }
} finally {
  await page.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
