import { expect, test, vi } from "vitest";
import { decodePatch, patchAck } from "../../src/core/graphical/patches.ts";
import { PatchLayer } from "../../src/video/patches.ts";
import { Times } from "../../src/video/times.ts";

test("messages of patches are read, and malformed ones are nothing", () => {
  expect(decodePatch(1, Uint8Array.of(5, 0, 2, 208))).toEqual({ kind: "start", width: 1280, height: 720 });
  const show = decodePatch(2, Uint8Array.of(0, 1, 0, 2, 1, 0, 0, 64, 137, 80));
  expect(show).toEqual({ kind: "show", place: { x: 1, y: 2, width: 256, height: 64 }, png: Uint8Array.of(137, 80) });
  const clear = decodePatch(3, Uint8Array.of(0, 0, 0, 0, 0, 64, 0, 64, 0, 64, 0, 0, 0, 1, 0, 1));
  expect(clear).toEqual({ kind: "clear", places: [{ x: 0, y: 0, width: 64, height: 64 }, { x: 64, y: 0, width: 1, height: 1 }] });
  const moved = { kind: "move", to: { x: 1, y: 2, width: 256, height: 4 }, fromX: 1, fromY: 0x203, follow: 2 };
  expect(decodePatch(4, Uint8Array.of(0, 1, 0, 2, 1, 0, 0, 4, 0, 1, 2, 3, 2))).toEqual(moved);
  expect(patchAck(0x01020304)).toEqual(Uint8Array.of(1, 2, 3, 4));
  for (const [type, length] of [[1, 3], [2, 8], [3, 9], [4, 4], [4, 14], [5, 4]] as const) expect(decodePatch(type, new Uint8Array(length))).toBeNull();
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

/** A layer whose canvas notes what is drawn, and whose pictures are decoded when the test says so. */
function layer() {
  const drawn: string[] = [];
  const counts: number[] = [];
  const decode = new Map<string, (fails?: boolean) => Promise<void>>();
  const context = {
    drawImage: ({ name }: { name?: string }) => drawn.push(name ?? "move"),
    clearRect: (x: number) => drawn.push(`clear ${x}`),
  };
  const canvas = { hidden: false, width: 0, height: 0, getContext: () => context };
  vi.stubGlobal("createImageBitmap", async (blob: Blob) => {
    const name = await blob.text();
    return new Promise((resolve, reject) => {
      decode.set(name, async (fails = false) => {
        if (fails) reject(new Error("no PNG"));
        else resolve({ name, close: () => drawn.push(`close ${name}`) });
        await new Promise((later) => setTimeout(later));
      });
    });
  });
  const patches = new PatchLayer(canvas as unknown as HTMLCanvasElement, (count) => counts.push(count));
  const show = async (name: string, x = 0) => {
    patches.receive(2, Uint8Array.of(0, x, 0, 0, 0, 64, 0, 64, ...new TextEncoder().encode(name)));
    await vi.waitUntil(() => decode.has(name));
  };
  const done = (name: string, fails = false) => decode.get(name)?.(fails);
  return { canvas, counts, drawn, patches, show, done };
}

test("a newer picture lies over an older one that took longer to decode", async () => {
  const { counts, drawn, show, done } = layer();
  await show("old");
  await show("new");
  await done("new");
  expect(drawn).toEqual([]);
  await done("old");
  expect(drawn).toEqual(["old", "close old", "new", "close new"]);
  await vi.waitFor(() => expect(counts).toEqual([2]));
});

test("a picture that cannot be decoded holds nobody up", async () => {
  const { canvas, counts, drawn, patches, show, done } = layer();
  patches.receive(1, Uint8Array.of(0, 64, 0, 64));
  await show("broken");
  await show("good");
  await done("good");
  await done("broken", true);
  expect(drawn).toEqual(["good", "close good"]);
  expect(canvas.hidden).toBe(false);
  await vi.waitFor(() => expect(counts.at(-1)).toBe(3));
});

test("what was cleared while it was decoded is not seen", async () => {
  const { drawn, patches, show, done } = layer();
  await show("stale", 7);
  patches.receive(3, Uint8Array.of(0, 7, 0, 0, 0, 64, 0, 64));
  await show("fresh", 7);
  await done("stale");
  await done("fresh");
  expect(drawn).toEqual(["stale", "close stale", "clear 7", "fresh", "close fresh"]);
});

test("what moves is seen together with what is new beside it", async () => {
  const { counts, drawn, patches, show, done } = layer();
  patches.receive(4, Uint8Array.of(0, 0, 0, 0, 0, 64, 0, 60, 0, 0, 0, 4, 1));
  expect(drawn).toEqual([]);
  await show("edge");
  patches.receive(3, Uint8Array.of(0, 7, 0, 0, 0, 1, 0, 1));
  expect(drawn).toEqual([]);
  await done("edge");
  expect(drawn).toEqual(["move", "edge", "close edge", "clear 7"]);
  await vi.waitFor(() => expect(counts.at(-1)).toBe(3));
});

test("nothing of another size is drawn", async () => {
  const { canvas, counts, drawn, patches, show, done } = layer();
  await show("first");
  await show("second");
  await done("second");
  patches.receive(1, Uint8Array.of(0, 64, 0, 64));
  await done("first");
  expect(drawn).toEqual(["close second", "close first"]);
  expect(canvas.hidden).toBe(true);
  await vi.waitFor(() => expect(counts.at(-1)).toBe(3));
});
