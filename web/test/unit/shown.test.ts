import { describe, expect, it } from "vitest";
import { Keepalive } from "../../src/core/mux/keepalive.ts";
import { Video, decodeVideo } from "../../src/core/graphical/video.ts";
import { ShownPictures, report, rtpTime } from "../../src/video/shown.ts";

/** Answers a PING as a server does whose clock is `ahead` of the page's: in whole milliseconds. */
function pong(ping: Uint8Array, at: number, ahead: number): Uint8Array<ArrayBuffer> {
  const answer = new Uint8Array(8);
  answer.set(ping);
  new DataView(answer.buffer).setUint32(4, Math.floor(at + ahead));
  return answer;
}

describe("the server's clock", () => {
  it("is not known before the first answer, nor after the transport changed", () => {
    const keepalive = new Keepalive(0);
    expect(keepalive.peerTime(5)).toBeNull();
    keepalive.pong(pong(keepalive.ping(10), 11, 500), 12);
    expect(keepalive.peerTime(5)).not.toBeNull();
    keepalive.restart(20);
    expect(keepalive.peerTime(5)).toBeNull();
  });

  it("is known to less than a millisecond after some answers, although it tells whole ones", () => {
    const keepalive = new Keepalive(0);
    const ahead = 1234.567;
    for (let n = 0; n < 20; n++) {
      // Answers take a while, and not the same each way.
      const asked = 1000.31 * (n + 1);
      const there = asked + 0.4 + (n % 3) * 0.7;
      keepalive.pong(pong(keepalive.ping(asked), there, ahead), there + 0.3 + (n % 4) * 2);
    }
    expect(Math.abs((keepalive.peerTime(20_000) ?? 0) - (20_000 + ahead))).toBeLessThan(0.6);
  });

  it("is learnt anew when it jumped", () => {
    const keepalive = new Keepalive(0);
    keepalive.pong(pong(keepalive.ping(1000), 1000.5, 100), 1001);
    keepalive.pong(pong(keepalive.ping(2000), 2000.5, 90_000), 2001);
    expect(Math.abs((keepalive.peerTime(2001) ?? 0) - 92_001)).toBeLessThan(1.1);
  });
});

describe("pictures that were shown", () => {
  it("are named as RTP does it", () => {
    expect(rtpTime(1_000_000)).toBe(90_000);
    expect(rtpTime(11)).toBe(0);
    expect(rtpTime(12)).toBe(1);
    expect(rtpTime(47_721_858_845)).toBe(0);
  });

  it("are told once, the newest 64 of them", () => {
    const pictures = new ShownPictures();
    for (let n = 0; n < 70; n++) pictures.add({ rtpTime: n, received: n, decoded: n, presented: n });
    expect(pictures.take().map((each) => each.rtpTime)).toEqual(Array.from({ length: 64 }, (_, n) => n + 6));
    expect(pictures.take()).toEqual([]);
  });

  it("are told in microseconds of the server's clock", () => {
    const picture = { rtpTime: 90_000, received: 10.5, decoded: 12.25, presented: 12.125 };
    expect(report([picture], (at) => at + 1000)).toEqual([90_000, 1_010_500, 1750, 0]);
    expect(report([picture], () => null)).toEqual([]);
  });
});

describe("a JPEG tile", () => {
  it("has a place and a file", () => {
    const jpeg = [0xff, 0xd8, 1, 2, 0xff, 0xd9];
    const payload = new Uint8Array([0x01, 0x40, 0x00, 0xf0, 0x00, 0x40, 0x00, 0x80, ...jpeg]);
    expect(decodeVideo(Video.Tile, payload)).toEqual({ kind: "tile", x: 320, y: 240, width: 64, height: 128, data: new Uint8Array(jpeg) });
  });

  it("is nothing when it is cut short", () => {
    for (let length = 0; length < 13; length++) expect(decodeVideo(Video.Tile, new Uint8Array(length))).toBeNull();
  });
});
