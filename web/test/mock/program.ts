/** A program on the mock server that echoes; it lives on when its viewers leave. */
import { concat, utf8 } from "../../src/core/bytes.ts";
import type { Bytes } from "../../src/core/bytes.ts";

const PROMPT = "\x1b[38;2;143;191;127malice@studio\x1b[m:\x1b[38;2;127;168;201m~\x1b[m$ ";

/** Somebody who follows a program. */
export interface Viewer {
  readonly id: string;
  readonly name: string;
  role: string;
  /** There is more output, or it ended. */
  wake(): void;
  shared(): void;
  resized(): void;
}

export interface MockLink {
  id: string;
  token: string;
  role: string;
  expires: number;
  uses?: number;
  used: number;
}

export class MockProgram {
  name = "";
  title = "";
  size = { rows: 24, cols: 80 };
  output: Bytes = new Uint8Array(0);
  typedText = "";
  exit: number | null = null;
  driver: string | null = null;
  requestedBy: string | null = null;
  typing: string | null = null;
  readonly viewers = new Set<Viewer>();
  /** Bytes applied, by writer. */
  readonly applied = new Map<string, number>();
  readonly links: MockLink[] = [];
  readonly created = Math.floor(Date.now() / 1000);
  #line = "";

  constructor(readonly id: string) {}

  start(): void {
    this.print(`\x1b]0;alice@studio: ~\x07Linux studio 6.12 x86_64\r\n\r\n${PROMPT}`);
  }

  print(text: string | Bytes): void {
    this.output = concat([this.output, typeof text === "string" ? utf8(text) : text]);
    for (const viewer of this.viewers) viewer.wake();
  }

  typed(text: string): void {
    this.typedText += text;
    for (const character of text) this.#character(character);
  }

  end(status: number): void {
    this.exit = status;
    for (const viewer of this.viewers) viewer.wake();
  }

  /** Tells everybody who is here. */
  tell(): void {
    for (const viewer of this.viewers) viewer.shared();
  }

  /** What redraws this program's screen; it never clears, so its tail does. */
  get screen(): Bytes {
    return this.output.subarray(Math.max(0, this.output.length - 64 * 1024));
  }

  #character(character: string): void {
    if (character === "\r") {
      this.print("\r\n");
      this.#run(this.#line);
      this.#line = "";
    } else if (character === "\x7f") {
      if (this.#line !== "") this.print("\b \b");
      this.#line = this.#line.slice(0, -1);
    } else if (character >= " ") {
      this.#line += character;
      this.print(character);
    }
  }

  #run(line: string): void {
    if (line === "exit") {
      this.end(0);
      return;
    }
    const flood = /^flood (\d+)$/.exec(line);
    if (flood) this.print("0123456789abcdef\r\n".repeat(Math.ceil(Number(flood[1]) / 18)));
    if (line.startsWith("emit ")) this.print(JSON.parse(`"${line.slice(5)}"`) as string);
    this.print(PROMPT);
  }
}
