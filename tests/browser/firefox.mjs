// Debian's Firefox as people have it, driven by WebDriver BiDi.

import { existsSync } from 'node:fs';
import { firefox } from 'playwright-core';

/** Starts Firefox; `t` closes it with the test. */
export async function firefoxBrowser(t, { executablePath = process.env.FIREFOX ?? '/usr/bin/firefox-esr' } = {}) {
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: install firefox-esr`);
  const instance = await firefox.launch({ channel: 'moz-firefox', executablePath, headless: true });
  t?.after(() => instance.close());
  return instance;
}
