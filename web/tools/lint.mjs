// The rules of this folder that the compiler does not check. Exit status 1 and one line per finding.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const LINES_MAX = 400;
const RULES = [
  [/\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser)\b/, "markup strings are not used; build elements"],
  [/\b(eval|new Function)\s*\(/, "code from strings is not used"],
  [/setAttribute\(\s*["']style["']/, "inline styles are forbidden by the content policy; set properties"],
  [/\bany\b(?=\s*[;,)>\]=])/, "name the type"],
  [/\bconsole\.(log|debug|info)\b/, "nothing is logged: keys, clipboard and terminal bytes pass here"],
  [/\b(TODO|FIXME|XXX)\b/, "finish it or open an issue"],
  [/https?:\/\/(?!127\.0\.0\.1|localhost|www\.w3\.org\/2000\/svg)/, "no third-party origin", "src"],
  [/[ \t]+$/, "trailing space"],
  [/^\t/, "indent with spaces"],
];

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return files(path);
    return /\.(ts|mjs|css|html)$/.test(entry.name) ? [path] : [];
  });
}

let findings = 0;
function report(path, line, message) {
  findings += 1;
  process.stderr.write(`${path}:${line}: ${message}\n`);
}

for (const path of ["src", "test"].flatMap(files).concat("index.html", "vite.config.ts")) {
  const lines = readFileSync(path, "utf8").split("\n");
  if (lines.length > LINES_MAX && path.startsWith("src") && path.endsWith(".ts")) report(path, lines.length, `longer than ${LINES_MAX} lines`);
  if (path.startsWith("src") && path.endsWith(".ts") && !lines[0].startsWith("/**")) report(path, 1, "say what the file is");
  lines.forEach((line, place) => {
    for (const [pattern, message, scope] of RULES) {
      if ((scope === undefined || path.startsWith(scope)) && pattern.test(line)) report(path, place + 1, message);
    }
  });
}
process.exit(findings === 0 ? 0 : 1);
