import { expect, test } from "vitest";
import { decodePatch } from "../../src/core/graphical/patches.ts";
import { Times } from "../../src/video/times.ts";

test("messages of patches are read, and malformed ones are nothing", () => {
  expect(decodePatch(1, Uint8Array.of(5, 0, 2, 208))).toEqual({ kind: "start", width: 1280, height: 720 });
  const show = decodePatch(2, Uint8Array.of(0, 1, 0, 2, 1, 0, 0, 64, 137, 80));
  expect(show).toEqual({ kind: "show", place: { x: 1, y: 2, width: 256, height: 64 }, png: Uint8Array.of(137, 80) });
  const clear = decodePatch(3, Uint8Array.of(0, 0, 0, 0, 0, 64, 0, 64, 0, 64, 0, 0, 0, 1, 0, 1));
  expect(clear).toEqual({ kind: "clear", places: [{ x: 0, y: 0, width: 64, height: 64 }, { x: 64, y: 0, width: 1, height: 1 }] });
  for (const [type, length] of [[1, 3], [2, 8], [3, 9], [4, 4]] as const) expect(decodePatch(type, new Uint8Array(length))).toBeNull();
});

test("quantiles are those of the last pictures", () => {
  const times = new Times();
  expect(times.quantiles()).toBeNull();
  for (let n = 0; n < 100; n++) times.add(9999);
  for (let ms = 0; ms < 240; ms++) times.add(ms);
  times.add(Number.NaN);
  times.add(-1);
  expect(times.quantiles()).toEqual([119, 227, 236]);
});
