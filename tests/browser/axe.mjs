// axe-core in a page: the rules of WCAG 2.2 AA and of good practice, and what they find in words.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

/** For `script` of a viewer: the content policy of the page lets nothing else in. */
export const AXE = { path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') };

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Parts of the page for which a rule is wrong, and why. */
const EXCEPT = [];

/** Runs in the page: waits until no colour or place is on its way to another; what goes on for longer is let be. */
async function still() {
  const ends = (animation) => animation.effect?.getComputedTiming().endTime <= 1000;
  for (;;) {
    // A style that was changed just now begins its way with the next picture.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const moving = document.getAnimations().filter((each) => each.playState === 'running' && ends(each));
    if (moving.length === 0) return;
    await Promise.allSettled(moving.map((each) => each.finished));
  }
}

/** What axe finds in a page as it is shown once it keeps still, one line each. */
export async function violations(page) {
  await page.evaluate(still);
  const found = await page.evaluate(async ({ rules, except }) => {
    const { violations } = await window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes
        .filter(({ target }) => !except.some((each) => each.rule === id && document.querySelector(target.at(-1))?.closest(each.part)))
        .map(({ target, any, all, none }) => `${id} (${help}): ${target.join(' ')}: ${[...any, ...all, ...none].map((each) => each.message).join('; ')}`));
  }, { rules: RULES, except: EXCEPT });
  return found;
}

/** Fails with everything that axe finds. */
export async function passes(page, what) {
  assert.deepEqual(await violations(page), [], what);
}
