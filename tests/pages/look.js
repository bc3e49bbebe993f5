// What the programs of this folder share: checks that are counted, and a look at a page in every view.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** 400 % zoom of a window of 1280 × 1024 is one of 320 × 256 (WCAG 2.2, 1.4.10). */
const VIEWS = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 1024 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 1024 },
  { name: 'light-320', colorScheme: 'light', width: 320, height: 720 },
  { name: 'dark-320', colorScheme: 'dark', width: 320, height: 720 },
  { name: 'light-400', colorScheme: 'light', width: 320, height: 256 },
  { name: 'dark-400', colorScheme: 'dark', width: 320, height: 256 },
];

export class Looks {
  #pictures;
  failures = 0;
  looks = 0;

  /** Pictures of every page go to this folder, which is made anew. */
  constructor(pictures) {
    this.#pictures = pictures;
    rmSync(pictures, { recursive: true, force: true });
    mkdirSync(pictures, { recursive: true });
  }

  check(what, found, wanted) {
    const same = JSON.stringify(found) === JSON.stringify(wanted);
    if (!same) this.failures += 1;
    console.log(`  ${same ? '✓' : '✗'} ${what}`);
    if (!same) console.log(`      found  ${JSON.stringify(found)}\n      wanted ${JSON.stringify(wanted)}`);
  }

  /** Every rule of axe, the best practices too, in every view; and nothing to scroll sideways. */
  async look(page, name) {
    const found = [];
    for (const view of VIEWS) {
      await page.setViewportSize({ width: view.width, height: view.height });
      await page.emulateMedia({ colorScheme: view.colorScheme });
      // Through the debugger, which the page's policy doesn't bind.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { iframes: false, resultTypes: ['violations'] }));
      for (const { id, nodes } of violations) found.push(`${view.name}: ${id} ${nodes.map(({ html }) => html).join(' ')}`);
      const sideways = await page.evaluate(() => document.scrollingElement.scrollWidth > window.innerWidth);
      if (sideways) found.push(`${view.name}: scrolls sideways`);
      await page.screenshot({ path: `${this.#pictures}/${name}-${view.name}.png`, fullPage: true });
      this.looks += 1;
    }
    await page.setViewportSize({ width: 1280, height: 1024 });
    await page.emulateMedia({ colorScheme: 'light' });
    this.check(`axe finds nothing on: ${name}`, found, []);
  }

  /** What came of it, as the process's exit code. */
  finish() {
    const failed = this.failures === 0 ? 'nothing failed' : `${this.failures} checks failed`;
    console.log(`\n${this.looks} looks by axe; ${failed}; pictures in ${this.#pictures}`);
    process.exitCode = this.failures === 0 ? 0 : 1;
  }
}
