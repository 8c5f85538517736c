import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/core/bytes.ts";
import { utf8 } from "../../src/core/bytes.ts";
import { ClipType, clipData, clipGet, clipSet, decodeClip } from "../../src/core/graphical/clip.ts";
import type { ClipOffer } from "../../src/core/graphical/clips.ts";
import { Clips } from "../../src/core/graphical/clips.ts";
import { Channel, reliable } from "../../src/core/mux/channel.ts";
import { hex, toHex } from "./vectors.ts";

describe("messages of clipboard", () => {
  test("requests are written as documented", () => {
    const formats = [
      { type: "text/plain", length: 3 },
      { type: "text/html", length: 0 },
    ];
    expect(toHex(clipSet(7, "clipboard", formats))).toBe("00 00 00 07 00 0A 74 65 78 74 2F 70 6C 61 69 6E 00 00 00 03 09 74 65 78 74 2F 68 74 6D 6C 00 00 00 00");
    expect(toHex(clipSet(8, "primary", []))).toBe("00 00 00 08 01");
    expect(toHex(clipData(7, utf8("né")))).toBe("00 00 00 07 6E C3 A9");
    expect(toHex(clipGet(9, 258, "image/png"))).toBe("00 00 00 09 00 00 01 02 09 69 6D 61 67 65 2F 70 6E 67");
  });

  test("news is read as documented, and malformed news is nothing", () => {
    expect(decodeClip(ClipType.Rules, Uint8Array.of(1))).toEqual({ kind: "rules", toDesktop: true, fromDesktop: false });
    const offer = hex("00 00 00 03 01 0A 74 65 78 74 2F 70 6C 61 69 6E 00 80 00 00 09 69 6D 61 67 65 2F 70 6E 67 00 00 00 01");
    const formats = [
      { type: "text/plain", length: 8 * 1024 * 1024 },
      { type: "image/png", length: 1 },
    ];
    expect(decodeClip(ClipType.Offer, offer)).toEqual({ kind: "offer", serial: 3, selection: "primary", formats });
    expect(decodeClip(ClipType.Content, hex("00 00 00 09 70 6E 67"))).toEqual({ kind: "data", id: 9, bytes: utf8("png") });
    expect(decodeClip(ClipType.Answer, hex("00 00 00 07 10 0E 6E 6F 74 20 73 6F"))).toEqual({ kind: "answer", id: 7, code: 4110, reason: "not so" });
    for (let end = 1; end < 5; end++) expect(decodeClip(ClipType.Offer, offer.slice(0, end))).toBeNull();
    for (const type of [0, 1, 2, 3, 0x14]) expect(decodeClip(type, new Uint8Array(16))).toBeNull();
    for (const type of [ClipType.Rules, ClipType.Content, ClipType.Answer]) expect(decodeClip(type, new Uint8Array(0))).toBeNull();
  });
});

/** A channel whose queue is emptied by the test. */
function clips() {
  const sent: [type: number, payload: Bytes][] = [];
  const offers: ClipOffer[] = [];
  let waiting = 0;
  const channel = new Channel(3, reliable("clipboard"), {
    send: (_, type, payload) => {
      sent.push([type, payload as Bytes]);
      waiting += payload.length;
    },
    close: () => undefined,
    waiting: () => waiting,
  });
  const line = new Clips(channel, { rules: () => undefined, offered: (offer) => offers.push(offer) });
  const drain = async (): Promise<void> => {
    waiting = 0;
    channel.onsent();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  const answer = (id: number, code = 0): void => channel.deliver(ClipType.Answer, Uint8Array.of(0, 0, 0, id, code >> 8, code & 0xff));
  return { line, channel, sent, offers, drain, answer };
}

describe("contents on their way", () => {
  test("a large one goes in pieces, no faster than it leaves, and all of it", async () => {
    const { line, sent, drain, answer } = clips();
    const bytes = new Uint8Array(1_000_000).map((_, place) => place % 251);
    const set = line.set("clipboard", [{ type: "text/plain", bytes }]);
    let rounds = 0;
    for (let before = -1; before < sent.length; rounds++) {
      before = sent.length;
      await drain();
    }
    expect(rounds).toBeGreaterThan(5);
    const [announced, ...pieces] = sent;
    expect(announced?.[0]).toBe(ClipType.Set);
    expect(pieces.every(([type, payload]) => type === ClipType.Data && payload.length <= 4 + 64 * 1024)).toBe(true);
    expect(Buffer.concat(pieces.map(([, payload]) => payload.subarray(4))).equals(Buffer.from(bytes))).toBe(true);
    answer(1);
    await set;
  });

  test("what is refused is sent no further", async () => {
    const { line, sent, drain, answer } = clips();
    const set = line.set("clipboard", [{ type: "text/plain", bytes: new Uint8Array(1_000_000) }]);
    await drain();
    answer(1, 4110);
    await expect(set).rejects.toMatchObject({ code: 4110 });
    const before = sent.length;
    await drain();
    expect(sent.length).toBe(before);
  });

  test("an offer is fetched from its pieces, and a lost link ends what is under way", async () => {
    const { line, channel, offers, answer } = clips();
    channel.deliver(ClipType.Offer, hex("00 00 00 03 00 01 74 00 00 00 04"));
    const fetched = offers[0]?.fetch("t");
    channel.deliver(ClipType.Content, hex("00 00 00 01 61 62"));
    channel.deliver(ClipType.Content, hex("00 00 00 01 63 64"));
    answer(1);
    expect(await fetched).toEqual(utf8("abcd"));
    const again = offers[0]?.fetch("t");
    line.interrupt();
    await expect(again).rejects.toMatchObject({ code: 1001 });
  });
});
