import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/core/bytes.ts";
import { concat, fromUtf8 } from "../../src/core/bytes.ts";
import { encodeAck, readRepaint } from "../../src/core/terminal/pty.ts";
import { unpack } from "../../src/core/terminal/zstd.ts";

/** Frames as `zstd -1 --no-check` writes them. */
const HELLO = base64("KLUv/SAobQAAOGhlbGxvLCABABqLEQ==");
const LINES = base64(
  "KLUv/WCYJ20NANZjSBWgKcMBwI9sf6jKHCmlTCklHuzJvitLAD0APgCLxWKxWKxo5C4XVTRylwsqGrnLxRSN3OVCikbucvGikbtcuGjkLhctGrnLBYtG7nKxopG7HAoHBQYAAQMIBkOBIGEQQBg2FA4KDAJt25YkSZLctm3bgsFgMBgMBoPBqqqqqioiIiIiopmZmZkZEREREZH////ftm3bbtu2bUmSJMlt27YtFotFIyIiIiLy////27Zt223bti1JkiS5bdu2RaPRaDQajUajVVVVVVVERERERDMzMzMzIiIiIiL///+/bdu23TbxqqqqqioiIiIiopmZmZkZEREREZH////ftm3bbtu2bUmSJMlt27YtHA6Hw+FwOByuqqqqqiIiIiIimpmZmZmB86gRoF//N/FLaxH8CYED9AOo6N27d+/dvbs+POYxj3nB8u7eu3fv3q1sl7rUpa72vXf33t13dyvbpS71Uld93919d+/d7VetVmrFptUurWS00qGVfFa6s5LNSme6k6q+e1ZVd2dVdXemqu7OqururFbdnVXV3VlVvTurCunn1lqXtYaFZataBQ==",
);
/** Two mebibytes of zeros. */
const BOMB = base64("KLUv/YBIAAAgAFQAABAAAAEA+/85wAICABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAMAEAA=");

function base64(text: string): Bytes {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

describe("compressed output", () => {
  test("is what it was before", () => {
    expect(fromUtf8(unpack(HELLO, 40) ?? new Uint8Array(0))).toBe("hello, hello, hello, hello, hello, hello");
    const lines = Array.from({ length: 500 }, (_, place) => `line ${place + 1} of the log\r\n`).join("");
    expect(fromUtf8(unpack(LINES, 20_000) ?? new Uint8Array(0))).toBe(lines);
  });

  test("is refused before it is unpacked where it holds too much", () => {
    expect(unpack(HELLO, 39)).toBeNull();
    expect(unpack(BOMB, 1024 * 1024)).toBeNull();
    const claim = HELLO.slice();
    claim.set([0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00], 4);
    expect(unpack(claim, 16 * 1024 * 1024)).toBeNull();
  });

  test("is refused where it does not say how much it holds, and where it is broken", () => {
    const silent = HELLO.slice();
    silent[4] = 0x00;
    expect(unpack(silent, 100)).toBeNull();
    expect(unpack(new Uint8Array(0), 100)).toBeNull();
    expect(unpack(concat([HELLO, HELLO]), 100)).toBeNull();
    for (let length = 0; length < HELLO.length; length += 1) expect(unpack(HELLO.slice(0, length), 100)).toBeNull();
    // Bits that are wrong may give other text, never an exception and never another length.
    for (let place = 0; place < LINES.length * 8; place += 1) {
      const broken = LINES.slice();
      broken[place >> 3] = (broken[place >> 3] ?? 0) ^ (1 << (place & 7));
      const content = unpack(broken, 100_000);
      if (content && place >= 64) expect(content.length).toBe(10_392);
    }
  });

  test("comes in repaints by their flag", () => {
    const packed = concat([encodeAck(7), new Uint8Array([0x03]), HELLO]);
    expect(fromUtf8(readRepaint(packed)?.body ?? new Uint8Array(0))).toMatch(/^hello/);
    expect(readRepaint(packed)?.scrollback).toBe(true);
    expect(readRepaint(concat([encodeAck(7), new Uint8Array([0x01]), HELLO.slice(4)]))).toBeNull();
  });
});
