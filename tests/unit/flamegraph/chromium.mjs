// SPDX-License-Identifier: Apache-2.0
// A headless Chromium driven over --remote-debugging-pipe: one page, no network, own profile folder
// that is removed at the end. Node's standard library only.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--hide-scrollbars", "--remote-debugging-pipe"];

export class Page {
  static async open(program) {
    const page = new Page();
    page.profile = mkdtempSync(join(tmpdir(), "callscope-browser-"));
    page.process = spawn(program, [...FLAGS, "--user-data-dir=" + page.profile, "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    page.pending = new Map();
    page.listeners = new Map();
    page.errors = [];
    page.lastId = 0;
    page.readMessages(page.process.stdio[4]);
    const { targetInfos } = await page.send("Target.getTargets");
    const target = targetInfos.find((info) => info.type === "page");
    const { sessionId } = await page.send("Target.attachToTarget", { targetId: target.targetId, flatten: true });
    page.session = sessionId;
    await page.send("Page.enable");
    await page.send("Runtime.enable");
    page.listeners.set("Runtime.exceptionThrown", (event) => page.errors.push(event.exceptionDetails));
    return page;
  }

  readMessages(stream) {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk) => {
      const parts = (rest + chunk).split("\0");
      rest = parts.pop();
      for (const part of parts) this.dispatch(JSON.parse(part));
    });
  }

  dispatch(message) {
    const waiting = this.pending.get(message.id);
    if (waiting) {
      this.pending.delete(message.id);
      if (message.error) waiting.reject(new Error(JSON.stringify(message.error)));
      else waiting.resolve(message.result);
    } else if (this.listeners.has(message.method)) this.listeners.get(message.method)(message.params);
  }

  send(method, params = {}) {
    const id = ++this.lastId;
    const message = { id, method, params };
    if (this.session) message.sessionId = this.session;
    this.process.stdio[3].write(JSON.stringify(message) + "\0");
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
  }

  async resize(width, height) {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await this.settle();
  }

  async colorScheme(value) {
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }

  async go(url) {
    const loaded = new Promise((resolve) => this.listeners.set("Page.loadEventFired", resolve));
    await this.send("Page.navigate", { url });
    await loaded;
  }

  async evaluate(expression) {
    const { result, exceptionDetails } =
      await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  // Until the page has handled what was sent to it: two animation frames.
  settle() {
    return this.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))");
  }

  async key(key, modifiers = 0) {
    const text = key.length === 1 && modifiers === 0 ? key : undefined;
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, text, modifiers });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key, modifiers });
    await this.settle();
  }

  async type(text) {
    await this.send("Input.insertText", { text });
    await this.settle();
  }

  async mouse(type, x, y) {
    await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  }

  async click(x, y) {
    await this.mouse("mouseMoved", x, y);
    await this.mouse("mousePressed", x, y);
    await this.mouse("mouseReleased", x, y);
    await this.settle();
  }

  async screenshot() {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }

  async close() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    await this.send("Browser.close").catch(() => this.process.kill());
    await ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
