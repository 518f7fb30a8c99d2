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

  /** The text of the first `count` lines on the screen as they are in the file, without ghost text. */
  async lines() {
    return (await page.evaluate(() => {
      const lines = [...document.querySelectorAll(".editor-instance .view-lines > .view-line")];
      lines.sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top));
      return lines.map((line) => {
        const copy = line.cloneNode(true);
        for (const ghost of copy.querySelectorAll('[class*="ghost-text"]')) ghost.remove();
        return copy.textContent;
      });
    })).map(plain);
  },

  async palette({ title }) {
    await page.keyboard.press("F1");
    const input = page.locator(".quick-input-widget input").first();
    await input.waitFor({ state: "visible" });
    await input.fill(`>${title}`);
    await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
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

  async click({ selector }) {
    await page.locator(selector).first().click();
  },

  async hover({ selector }) {
    await page.locator(selector).first().hover();
  },

  async wait({ selector, state = "visible", timeout = 60_000 }) {
    await page.locator(selector).first().waitFor({ state, timeout });
  },

  async text({ selector }) {
    return (await page.locator(selector).allInnerTexts()).map(plain);
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

  async screenshot({ path, clip }) {
    await page.screenshot({ path, clip });
  },

  async close() {
    await browser.close();
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
  if (name === "close") break;
}
