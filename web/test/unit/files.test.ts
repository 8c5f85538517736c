import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/core/bytes.ts";
import { FileClient, FileRefused } from "../../src/core/files/client.ts";
import { entries, readRequest, writeRequest } from "../../src/core/files/messages.ts";
import { reliable } from "../../src/core/mux/channel.ts";
import { encodeFrame } from "../../src/core/mux/frame.ts";
import { Joined, settle } from "./joined.ts";
import { hex } from "./vectors.ts";

async function files() {
  const joined = new Joined();
  await settle();
  const client = new FileClient(await joined.connection.open(reliable("file-transfer")));
  return { joined, client, stored: joined.server.state.files };
}
const never = new AbortController().signal;

/** Compares large contents without a list of their differences. */
function same(actual: Uint8Array | undefined, wanted: Uint8Array): boolean {
  return actual !== undefined && Buffer.compare(actual, wanted) === 0;
}

describe("messages", () => {
  test("X1 and X2 are written as published", () => {
    expect(encodeFrame(5, 3, readRequest(1, 65_536, 65_000))).toEqual(hex("05 03 00 00 00 10 00 00 00 01 00 00 00 00 00 01 00 00 00 00 FD E8"));
    expect(encodeFrame(5, 5, writeRequest(1, 0, utf8("abc")))).toEqual(hex("05 05 00 00 00 0F 00 00 00 01 00 00 00 00 00 00 00 00 61 62 63"));
  });

  test("names that could lead elsewhere are left out", () => {
    const list = utf8('{"entries":[{"name":"a","type":"file","size":3},{"name":".."},{"name":"x/y"},{"name":""},{"size":1},{"name":"d","type":"dir"}]}');
    expect(entries(list).map(({ name, type }) => `${name} ${type}`)).toEqual(["a file", "d dir"]);
  });
});

describe("transfers", () => {
  test("a file goes up and comes back unchanged, whatever its size", async () => {
    const { client, stored } = await files();
    for (const size of [0, 1, 32 * 1024, 32 * 1024 + 1, 700_000]) {
      const content = Uint8Array.from({ length: size }, (_, place) => (place * 7 + (place >> 9)) & 0xff);
      const seen: number[] = [];
      await client.upload(`f${size}`, new Blob([content]), false, (done) => seen.push(done), never);
      expect(same(stored.get(`f${size}`), content)).toBe(true);
      expect(seen.at(-1) ?? 0).toBe(size);
      const back = await client.download(`f${size}`, () => undefined, never);
      expect(same(new Uint8Array(await back.arrayBuffer()), content)).toBe(true);
    }
  });

  test("a file that exists is not replaced without being asked for", async () => {
    const { client, stored } = await files();
    stored.set("a", utf8("old"));
    await expect(client.upload("a", new Blob(["new"]), false, () => undefined, never)).rejects.toMatchObject({ code: 6002 } satisfies Partial<FileRefused>);
    await client.upload("a", new Blob(["new"]), true, () => undefined, never);
    expect(stored.get("a")).toEqual(utf8("new"));
  });

  test("what is missing is said in words", async () => {
    const { client } = await files();
    await expect(client.download("nothing", () => undefined, never)).rejects.toMatchObject({ code: 6000, message: "no such file" });
  });

  test("a transfer can be stopped, and the next one works", async () => {
    const { client, stored } = await files();
    const stop = new AbortController();
    const big = client.upload("big", new Blob([new Uint8Array(2_000_000)]), false, () => stop.abort(), stop.signal);
    await expect(big).rejects.toThrow();
    await client.upload("small", new Blob(["ok"]), false, () => undefined, never);
    expect(stored.get("small")).toEqual(utf8("ok"));
  });

  test("a cut in the middle is not noticed", async () => {
    const { joined, client, stored } = await files();
    const content = Uint8Array.from({ length: 900_000 }, (_, place) => place & 0xff);
    let cut = false;
    await client.upload("long", new Blob([content]), false, (done) => {
      if (cut || done < 200_000) return;
      cut = true;
      joined.cut();
      setImmediate(() => joined.resume());
    }, never);
    expect(cut).toBe(true);
    expect(stored.get("long")?.length).toBe(content.length);
    expect(same(stored.get("long"), content)).toBe(true);
  });

  test("the end of the connection ends what waits", async () => {
    const { joined, client } = await files();
    const list = client.list(".");
    joined.connection.close(1000, "bye");
    await expect(list).rejects.toThrow();
    expect(client.isOpen).toBe(false);
  });
});
