// A person at the workbench, as far as Chromium goes: reads one JSON command a line, answers each with one line.
// It knows VS Code's page and nothing of what is tested. Run with the folder of playwright-core and the browser's path.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");

const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const page = await browser.newPage({ viewport: { width: 1180, height: 720 }, deviceScaleFactor: 1.5, reducedMotion: "reduce" });
page.setDefaultTimeout(60_000);

const plain = (text) => text.replace(/\u00a0/g, " ").replace(/\u200b/g, "").replace(/·/g, " ");

const commands = {
  async goto({ url }) {
    await page.goto(url, { waitUntil: "domcontentloaded" });
    await page.waitForSelector(".monaco-workbench");
  },

  /** Click into the text, so that keys reach it. */
  async focus() {
    await page.waitForSelector(".editor-instance .view-lines");
    await page.locator(".editor-instance .view-lines").first().click();
  },

  async type({ text, delay = 0 }) {
    await page.keyboard.type(text, { delay });
  },

  /** Text that comes at once, as from the clipboard: nothing is closed or indented by itself. */
  async insert({ text }) {
    await page.keyboard.insertText(text);
  },

  async press({ keys }) {
    for (const key of keys) await page.keyboard.press(key);
  },

  /** Ghost text in the active editor, its lines joined; waits until there is some, or until there is none. */
  async ghost({ wait, timeout = 60_000 }) {
    if (wait !== undefined) {
      await page.waitForFunction(
        (some) => (document.querySelectorAll('.monaco-workbench [class*="ghost-text"]').length > 0) === some,
        wait, { timeout, polling: 20 },
      );
    }
    return plain(await page.evaluate(() => {
      const parts = [...document.querySelectorAll('.monaco-workbench [class*="ghost-text"]')];
      const outer = parts.filter((one) => !parts.some((other) => other !== one && other.contains(one)));
      return outer.map((one) => {
        const lines = [...one.querySelectorAll(".view-line")];
        return lines.length ? "\n" + lines.map((line) => line.textContent).join("\n") : one.textContent;
      }).join("");
    }));
  },

  /**
   * From here on: for the newest key, when ghost text that is not the one that stood there before it was on the
   * screen. What goes on standing is told apart from what is new by its text, which a typed character shortens.
   */
  async clock() {
    await page.evaluate((selector) => {
      const shown = () => [...document.querySelectorAll(selector)].map((one) => one.textContent).join("\n");
      const state = (globalThis.caretSeen = { key: 0, before: "", seen: null, text: "" });
      document.addEventListener("keydown", (event) => {
        Object.assign(state, { key: event.timeStamp, before: shown(), seen: null, text: "" });
      }, true);
      const painted = () => {
        const text = shown();
        if (state.key && state.seen === null && text && text !== state.before) {
          Object.assign(state, { seen: performance.now(), text });
        }
      };
      const look = () => requestAnimationFrame(() => setTimeout(painted)); // behind the frame that paints it
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    }, '.monaco-workbench [class*="ghost-text"]');
  },

  /** Milliseconds from the newest key to its ghost text; null: none yet. `through`: it is what stood there, shorter. */
  async seen() {
    return await page.evaluate(() => {
      const { key, before, seen, text } = globalThis.caretSeen;
      return seen === null ? null : { ms: seen - key, through: before !== "" && before.includes(text) };
    });
  },

  async palette({ title }) {
    await page.keyboard.press("F1");
    const input = page.locator(".quick-input-widget input").first();
    await input.waitFor({ state: "visible" });
    await input.fill(`>${title}`);
    await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
  },

  /** Open another file of the folder in this window, by its name. */
  async file({ title }) {
    await page.keyboard.press("F1");
    const input = page.locator(".quick-input-widget input").first();
    await input.waitFor({ state: "visible" });
    await input.fill(title);
    await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
    await page.locator(`.tab.active:has-text("${title}")`).waitFor();
    await page.locator(".editor-instance .monaco-editor.focused").waitFor();
  },

  /** The names in the popup, in their order, once there are some. */
  async popup() {
    const rows = page.locator(".suggest-widget.visible .monaco-list-row");
    await rows.first().waitFor();
    return await rows.evaluateAll((all) =>
      all
        .map((row) => [Number(row.getAttribute("data-index")), row.querySelector(".label-name").textContent])
        .sort(([a], [b]) => a - b)
        .map(([, name]) => name));
  },

  /** Another window of the same browser at the same place, once its status item says so. */
  async window({ id, wanted, timeout = 60_000 }) {
    const other = await browser.newPage();
    await other.goto(page.url(), { waitUntil: "domcontentloaded" });
    await other.locator(`.statusbar-item[id="${id}"] a[aria-label*="${wanted}"]`).first().waitFor({ timeout });
  },

  async status({ id }) {
    const item = page.locator(`.statusbar-item[id="${id}"]`);
    await item.waitFor({ state: "visible" });
    return {
      label: await item.locator("a").first().getAttribute("aria-label"),
      text: await item.innerText(),
      icons: await item.locator(".codicon").evaluateAll((all) => all.map((one) => one.className)),
    };
  },

  /** Whether the cursor comes to stand where the status bar is to say so, within the time. */
  async position({ wanted, timeout }) {
    const item = page.locator('.statusbar-item[id="status.editor.selection"]', { hasText: wanted });
    return await item.waitFor({ timeout }).then(() => true, () => false);
  },

  async click({ selector }) {
    await page.locator(selector).first().click();
  },

  async wait({ selector, state = "visible", timeout = 60_000 }) {
    await page.locator(selector).first().waitFor({ state, timeout });
  },

  /** Text of any frame of the page, for what VS Code shows in one of its own. */
  async frames({ selector }) {
    const found = [];
    for (const frame of page.frames()) {
      try {
        found.push(...(await frame.locator(selector).allInnerTexts()));
      } catch {
        // a frame that went away meanwhile
      }
    }
    return found.map(plain);
  },

  async screenshot({ path }) {
    await page.screenshot({ path });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { name, ...words } = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await commands[name](words)) ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error).slice(0, 2000) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

await browser.close();
