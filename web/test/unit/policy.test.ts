import { describe, expect, test } from "vitest";
import { CLIPBOARD_MAX, clipboardWrite, copyText, folderOf, pasteText, progressOf, safeLink, titleText } from "../../src/terminal/policy.ts";
import { deviceAttributes, kittyFlags, modeKnown, probe } from "../../src/terminal/probe.ts";

describe("paste", () => {
  test("a paste cannot end its own brackets", () => {
    for (const attack of ["a\x1b[201~b", "a\x1b[\x1b[201~201~b", "a\x9b201~b", "a\x1b\x1b[201~b"]) {
      const pasted = pasteText(attack, true);
      expect(pasted.startsWith("\x1b[200~")).toBe(true);
      expect(pasted.endsWith("\x1b[201~")).toBe(true);
      expect(pasted.slice(6, -6)).not.toMatch(/[\x1b\x9b]/);
    }
  });

  test("line ends become Return, tabs stay, other controls go", () => {
    expect(pasteText("a\r\nb\nc\rd\te\x03\x00\x7f", false)).toBe("a\rb\rc\rd\te");
  });
});

describe("links", () => {
  test.each(["http://example.org/a", "https://example.org/", "mailto:a@example.org"])("%s may be followed", (uri) => {
    expect(safeLink(uri)).toBe(uri);
  });

  test.each(["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vscode://x", "not a link", "JaVaScRiPt:0"])("%s may not", (uri) => {
    expect(safeLink(uri)).toBeNull();
  });
});

describe("the clipboard of OSC 52", () => {
  test("text is taken", () => {
    expect(clipboardWrite("c;aMOpbGxv")).toBe("héllo");
  });

  test.each(["c;?", "?", "c;", "c;*", "c;/w==", `c;${"A".repeat(Math.ceil(CLIPBOARD_MAX / 3) * 4 + 4)}`])("payload %# is refused", (payload) => {
    expect(clipboardWrite(payload)).toBeNull();
  });
});

test("copied text loses controls and direction marks and keeps its lines", () => {
  expect(copyText("rm\u202e \u200b-rf\x1b[2J\x9b\u2066 /\ttab\nnext\ufeff")).toBe("rm -rf[2J /\ttab\nnext");
});

test("titles lose controls and direction marks and are cut", () => {
  expect(titleText("a\x07b\x1b[2Jc\u202ed ")).toBe("ab[2Jcd");
  expect(titleText("x".repeat(1000))).toHaveLength(256);
});

test("progress is read and everything else of OSC 9 is not", () => {
  expect(progressOf("4;1;40")).toBe(40);
  expect(progressOf("4;1;400")).toBe(100);
  expect(progressOf("4;0")).toBeNull();
  expect(progressOf("7;rm -rf /")).toBeUndefined();
  expect(progressOf("hello")).toBeUndefined();
});

test("the folder of OSC 7 is an absolute path without controls", () => {
  expect(folderOf("file://studio/home/alice/a%20b")).toBe("/home/alice/a b");
  expect(folderOf("file:///")).toBe("/");
  for (const bad of ["/home", "file://host", "http://x/y", "file:///a%0ab", "file:///%zz", `file:///${"x".repeat(5_000)}`]) expect(folderOf(bad)).toBeNull();
});

describe("the probe", () => {
  test("answers are read", () => {
    expect(kittyFlags("\x1b[?31u")).toBe(31);
    expect(kittyFlags("")).toBe(0);
    expect(deviceAttributes("\x1b[?62;4;22c")).toEqual([62, 4, 22]);
    expect(modeKnown("\x1b[?2026;2$y", 2026)).toBe(true);
    expect(modeKnown("\x1b[?2026;0$y", 2026)).toBe(false);
    expect(modeKnown("\x1b[?1004;2$y", 2026)).toBe(false);
  });

  test("an engine that answers nothing offers nothing of its own", async () => {
    const mute = { write: (_: string, done: () => void) => done(), take: () => "", truecolor: () => false, unicodeVersion: "6" };
    expect(await probe(mute)).toEqual({
      unicodeVersion: "6",
      truecolor: false,
      kittyFlags: 0,
      kittyGraphics: false,
      sixel: false,
      synchronizedOutput: false,
      mouse: ["xterm"],
      features: ["osc52_clipboard", "hyperlinks", "progress_indicator"],
    });
  });
});
