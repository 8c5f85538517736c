/** Messages of the `video` channel, used where no media track exists. */
import type { Bytes } from "../bytes.ts";
import { view } from "../bytes.ts";

export const Video = { Jpeg: 0x01, Tile: 0x02, H264: 0x03, Ack: 0x10 } as const;
/** Before the JPEG of a tile. */
const TILE_HEADER = 8;

/** A picture of the `video` channel. */
export type VideoMessage =
  | { kind: "jpeg"; data: Bytes }
  | { kind: "tile"; x: number; y: number; width: number; height: number; data: Bytes }
  | { kind: "h264"; keyFrame: boolean; ptsUs: number; data: Bytes };

/** Reads a message of the server; null for a type that was not negotiated or a malformed one. */
export function decodeVideo(type: number, payload: Bytes): VideoMessage | null {
  if (type === Video.Jpeg) return isJpeg(payload) ? { kind: "jpeg", data: payload } : null;
  if (type === Video.Tile) {
    const data = payload.subarray(TILE_HEADER);
    if (!isJpeg(data)) return null;
    const [x, y, width, height] = [0, 2, 4, 6].map((at) => view(payload).getUint16(at)) as [number, number, number, number];
    return { kind: "tile", x, y, width, height, data };
  }
  if (type !== Video.H264 || payload.length < 10) return null;
  const keyFrame = ((payload[0] ?? 0) & 1) !== 0;
  return { kind: "h264", keyFrame, ptsUs: Number(view(payload).getBigUint64(1)), data: payload.subarray(9) };
}

function isJpeg(data: Bytes): boolean {
  return data.length > 4 && data[0] === 0xff && data[1] === 0xd8;
}

/** VIDEO_ACK: how many video messages were shown so far. */
export function videoAck(count: number): Bytes {
  const payload = new Uint8Array(4);
  view(payload).setUint32(0, count >>> 0);
  return payload;
}

/** The WebCodecs codec name that a key frame announces in its parameter set, or null without one. */
export function codecOf(unit: Uint8Array): string | null {
  for (let at = 0; at + 6 < unit.length; at++) {
    if (unit[at] !== 0 || unit[at + 1] !== 0 || unit[at + 2] !== 1) continue;
    if (((unit[at + 3] ?? 0) & 0x1f) !== 7) continue;
    const profile = unit.subarray(at + 4, at + 7);
    return `avc1.${[...profile].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
  return null;
}
