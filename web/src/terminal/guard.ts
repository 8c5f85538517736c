/** What output may not do: sequences that this client answers itself or refuses, whatever the engine would do. */
import type { Terminal } from "@xterm/xterm";
import { clipboardWrite, folderOf, progressOf } from "./policy.ts";

/** What the guarded sequences report. */
export interface GuardEvents {
  /** OSC 52 wants to set the clipboard. */
  clipboard(content: string): void;
  progress(percent: number | null): void;
  folder(path: string): void;
}

/** Installs the rules on an engine. */
export function guardOutput(terminal: Terminal, events: GuardEvents): void {
  const { parser } = terminal;
  parser.registerOscHandler(52, (payload) => {
    const content = clipboardWrite(payload);
    if (content !== null) events.clipboard(content);
    return true;
  });
  parser.registerOscHandler(9, (payload) => {
    const progress = progressOf(payload);
    if (progress !== undefined) events.progress(progress);
    return true;
  });
  parser.registerOscHandler(7, (payload) => {
    const folder = folderOf(payload);
    if (folder !== null) events.folder(folder);
    return true;
  });
  // Reports of titles and window manipulation could be made to type.
  parser.registerCsiHandler({ final: "t" }, () => true);
  // Status strings could be made to answer with what the output put there.
  parser.registerOscHandler(50, () => true);
  parser.registerOscHandler(777, () => true);
  // A sixel image of no width and a claimed height of millions would be as many line feeds.
  parser.registerDcsHandler({ final: "q" }, (data) => /"[\d;]*\d{6}/.test(data));
  for (const id of COUNTED) parser.registerCsiHandler(id, (params) => params.some((count) => typeof count === "number" && count > COUNT_MAX));
}

/** Counts of lines, columns or characters above this do nothing: the engine would be busy with them for minutes. */
const COUNT_MAX = 10_000;

/** What the engine does as many times as it is told: insert, delete, scroll, repeat and tabulate. */
const COUNTED = [
  ..."LMST^bIZ@PX".split("").map((final) => ({ final })),
  ...["@", "A"].map((final) => ({ intermediates: " ", final })),
  ...["}", "~"].map((final) => ({ intermediates: "'", final })),
];
