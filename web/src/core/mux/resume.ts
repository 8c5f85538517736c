/** What a connection keeps so that it can go on over another transport. */
import type { Bytes } from "../bytes.ts";
import type { SessionGrant } from "./messages.ts";
import { Numbering, Received, sequenceOf } from "./sequence.ts";

/** The sequence numbers of both directions and the right to resume. */
export class Resumption {
  readonly numbering = new Numbering();
  readonly received = new Received();
  /** What SESSION_ID said; nothing can be resumed before. */
  grant: SessionGrant | null = null;

  constructor(
    /** Whether SEQ_ACK was agreed on. */
    readonly acknowledges: boolean,
  ) {}

  /** Notes a numbered message: its content when it is new, null when it came before, `fault` when the peer errs. */
  take(payload: Bytes, now: number): Bytes | null | "fault" {
    const sequence = sequenceOf(payload);
    if (sequence === null) return "fault";
    const arrival = this.received.note(sequence, payload.length, now);
    if (arrival === "gaps") return "fault";
    return arrival === "new" ? payload.subarray(8) : null;
  }

  /** The SEQ_ACK payload when it is time for one. */
  due(now: number): Bytes | null {
    return this.acknowledges ? this.received.due(now) : null;
  }
}
