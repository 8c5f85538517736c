/** Which pictures were shown and when, for the statistics of the whole way. */

/** One picture; moments are those of `performance.now()`. */
export interface Shown {
  /** Its RTP timestamp, by which the server knows it. */
  rtpTime: number;
  /** Its last byte was here. */
  received: number;
  decoded: number;
  /** It was on its way onto the screen. */
  presented: number;
}

/** Pictures that one report tells of; those that came before them are left out. */
const SHOWN_MAX = 64;

/** The RTP timestamp of a presentation time in microseconds: 90 kHz, modulo 2^32. */
export function rtpTime(ptsUs: number): number {
  return Number((BigInt(ptsUs) * 9n) / 100n) % 2 ** 32;
}

/** The pictures since the last report. */
export class ShownPictures {
  #pictures: Shown[] = [];

  add(picture: Shown): void {
    this.#pictures.push(picture);
    if (this.#pictures.length > SHOWN_MAX) this.#pictures.shift();
  }

  /** Gives those that nobody took yet. */
  take(): Shown[] {
    return this.#pictures.splice(0);
  }
}

/**
 * What FEEDBACK says of pictures: four numbers each, in microseconds of the server's clock. `peerTime` tells that
 * clock in milliseconds, null while it is not known.
 */
export function report(pictures: Shown[], peerTime: (at: number) => number | null): number[] {
  return pictures.flatMap(({ rtpTime: name, received, decoded, presented }) => {
    const at = peerTime(received);
    if (at === null || at < 0) return [];
    const after = (later: number, earlier: number): number => Math.max(0, Math.round((later - earlier) * 1000));
    return [name, Math.round(at * 1000), after(decoded, received), after(presented, decoded)];
  });
}
