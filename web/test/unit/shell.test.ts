import { describe, expect, test, vi } from "vitest";
import type { Bytes } from "../../src/core/bytes.ts";
import { concat, fromUtf8, utf8 } from "../../src/core/bytes.ts";
import type { Attach } from "../../src/core/terminal/shell.ts";
import { Shell } from "../../src/core/terminal/shell.ts";
import { INPUT_WAITING_MAX, INPUT_WINDOW, InputLog, writerName } from "../../src/core/terminal/input.ts";
import { ACK_BYTES, ACK_MS, IN_FLIGHT_MAX, OutputFlow, PATIENCE_MS } from "../../src/core/terminal/output.ts";
import { encodeAck, encodeRepaint, readOffset, readRepaint } from "../../src/core/terminal/pty.ts";
import { ENGINE, Joined, SIZE, settle, until } from "./joined.ts";

/** An engine that shows bytes when it is told to. */
class Screen {
  written: Bytes[] = [];
  hold = false;
  #waiting: (() => void)[] = [];

  write(bytes: Bytes, done: () => void): void {
    this.written.push(bytes);
    if (this.hold) this.#waiting.push(done);
    else setImmediate(done);
  }

  show(): void {
    for (const done of this.#waiting.splice(0)) done();
  }

  /** Everything that was written since the last reset. */
  get text(): string {
    const all = fromUtf8(concat(this.written));
    return all.slice(all.lastIndexOf("\x1bc") < 0 ? 0 : all.lastIndexOf("\x1bc") + 2);
  }
}

describe("the output flow", () => {
  function flow() {
    const screen = new Screen();
    screen.hold = true;
    const acks: number[] = [];
    let now = 0;
    const output = new OutputFlow(screen, (offset) => acks.push(offset), () => now);
    return { screen, acks, output, pass: (ms: number) => (now += ms) };
  }

  test("the engine is never given more than the bound, and is given the rest as it works", () => {
    const { output, screen } = flow();
    for (let n = 0; n < 64; n++) output.push(new Uint8Array(16 * 1024));
    expect(screen.written).toHaveLength(IN_FLIGHT_MAX / (16 * 1024));
    screen.show();
    expect(screen.written).toHaveLength((2 * IN_FLIGHT_MAX) / (16 * 1024));
  });

  test("after an interrupt a picture takes the place of what waits", () => {
    const { output, screen } = flow();
    const flood = () => {
      for (let n = 0; n < 16; n++) output.push(new Uint8Array(16 * 1024));
    };
    flood();
    const handed = screen.written.length;
    output.interrupted(8);
    screen.show();
    output.repaint(300_000, utf8("of the flood"));
    output.applied(7);
    expect(screen.written, "the key is on its way").toHaveLength(handed);
    output.applied(8);
    expect(screen.written, "much waits, so a picture comes").toHaveLength(handed);
    output.repaint(600_000, utf8("$ "));
    expect(fromUtf8(concat(screen.written.slice(handed)))).toBe("\x18\x1bc$ ");
    screen.show();
    expect(output.parsed).toBe(600_000);
    expect(output.idle).toBe(true);
  });

  test("an interrupt holds nothing back for longer than its answer takes", () => {
    vi.useFakeTimers();
    try {
      const { output, screen } = flow();
      output.interrupted(1);
      output.push(utf8("^C\r\n$ "));
      expect(screen.written).toHaveLength(0);
      output.applied(1);
      expect(screen.text).toBe("^C\r\n$ ");
      output.interrupted(2);
      output.push(utf8("unanswered"));
      vi.advanceTimersByTime(PATIENCE_MS - 1);
      expect(screen.written).toHaveLength(1);
      vi.advanceTimersByTime(1);
      expect(screen.text).toBe("^C\r\n$ unanswered");
    } finally {
      vi.useRealTimers();
    }
  });

  test("only what was parsed is acknowledged, every 64 KiB at once", () => {
    const { output, screen, acks } = flow();
    for (let n = 0; n < 8; n++) output.push(new Uint8Array(16 * 1024));
    expect(acks).toEqual([]);
    while (!output.idle) screen.show();
    expect(acks).toContain(ACK_BYTES + 16 * 1024);
    expect(output.parsed).toBe(128 * 1024);
  });

  test("little output is acknowledged when it is shown, and then at most every 10 ms", () => {
    vi.useFakeTimers();
    try {
      const { output, screen, acks, pass } = flow();
      output.push(utf8("a"));
      screen.show();
      expect(acks).toEqual([1]);
      for (const text of ["b", "c"]) {
        output.push(utf8(text));
        screen.show();
      }
      expect(acks).toEqual([1]);
      pass(ACK_MS);
      vi.advanceTimersByTime(ACK_MS);
      expect(acks).toEqual([1, 3]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a repaint comes behind what waits and continues at its offset", async () => {
    const { output, screen, acks, pass } = flow();
    for (let n = 0; n < 32; n++) output.push(new Uint8Array(16 * 1024));
    output.repaint(10_000_000, utf8("the screen"));
    output.push(utf8(" goes on"));
    while (!output.idle) {
      pass(100);
      screen.show();
    }
    expect(screen.text).toBe("the screen goes on");
    expect(screen.written).toHaveLength(32 + 2);
    pass(100);
    await until(() => acks.at(-1) === 10_000_008);
  });

  test("after a loss it asks for what the engine was not handed", () => {
    const { output, screen } = flow();
    for (let n = 0; n < 16; n++) output.push(new Uint8Array(16 * 1024));
    output.drop();
    expect(output.handed).toBe(IN_FLIGHT_MAX);
    expect(output.received).toBe(IN_FLIGHT_MAX);
    screen.show();
    expect(output.parsed).toBe(IN_FLIGHT_MAX);
  });
});

describe("the input log", () => {
  const text = (bytes: Bytes | null): string => (bytes ? fromUtf8(bytes) : "");

  test("what was not applied leaves again, what was does not", () => {
    const log = new InputLog("w");
    log.push(utf8("hello "));
    log.push(utf8("world"));
    expect(text(log.take())).toBe("hello world");
    expect(log.take()).toBeNull();
    log.acknowledged(3);
    log.joined(8);
    expect(text(log.take())).toBe("rld");
    log.joined(8);
    expect(text(log.take())).toBe("rld");
    log.acknowledged(11);
    expect(log.pending).toBe(0);
  });

  test("no more than the window is on its way, and what does not fit is refused as a whole", () => {
    const log = new InputLog("w");
    expect(log.push(new Uint8Array(INPUT_WINDOW + INPUT_WAITING_MAX))).toBe(true);
    expect(log.push(new Uint8Array(1))).toBe(false);
    expect(log.take()?.length).toBe(INPUT_WINDOW);
    expect(log.take()).toBeNull();
    log.acknowledged(100);
    expect(log.take()?.length).toBe(100);
    expect(log.push(new Uint8Array(100))).toBe(true);
  });

  test("writers have names of their own, of the characters that are allowed", () => {
    expect(writerName()).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(writerName()).not.toBe(writerName());
  });
});

describe("messages of the PTY channel", () => {
  test("repaints and acknowledgements are read as they are written", () => {
    const repaint = { offset: 2 ** 40, scrollback: true, body: utf8("screen") };
    expect(readRepaint(encodeRepaint(repaint))).toEqual(repaint);
    expect(readOffset(encodeAck(123_456_789_012))).toBe(123_456_789_012);
  });

  test("what is too short, too large or has unknown flags is not read", () => {
    expect(readRepaint(new Uint8Array(8))).toBeNull();
    expect(readRepaint(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 4]))).toBeNull();
    expect(readRepaint(new Uint8Array([255, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeNull();
    expect(readOffset(new Uint8Array(7))).toBeNull();
  });
});

describe("a shell", () => {
  async function shell(joined = new Joined(), attach: Attach | null = null) {
    const screen = new Screen();
    const events: string[] = [];
    const made = new Shell(ENGINE, SIZE, screen, attach, {
      selected: () => undefined,
      joined: (grant) => events.push(`joined ${grant.terminalId} ${grant.role}`),
      started: () => events.push("started"),
      resized: (rows, cols) => events.push(`size ${rows}x${cols}`),
      mode: () => undefined,
      shared: (share) => events.push(`people ${share.participants.length}`),
      warned: (reason) => events.push(`warned ${reason}`),
      applied: () => undefined,
      away: () => events.push("away"),
      ended: (end) => events.push(`ended ${end.kind}`),
    });
    await settle();
    let key = 0;
    const connect = async (): Promise<void> => {
      made.connect(joined.connection, ++key);
      await settle();
    };
    await connect();
    const type = async (text: string): Promise<void> => {
      made.write(utf8(text));
      await settle();
    };
    const program = (): string => joined.server.state.programs.get(made.terminalId ?? "")?.typedText ?? "";
    return { joined, screen, events, shell: made, connect, type, program };
  }

  test("runs and ends", async () => {
    const { screen, events, type } = await shell();
    expect(events).toEqual(expect.arrayContaining(["joined t1 owner", "started"]));
    await type("hello\r");
    expect(screen.text).toContain("hello");
    await type("exit\r");
    expect(events.at(-1)).toBe("ended exit");
  });

  test("a cut is survived without a message lost or doubled", async () => {
    const { joined, screen, events, type, program, shell: made } = await shell();
    await type("before ");
    joined.cut();
    made.write(utf8("while away "));
    joined.server.state.programs.get("t1")?.print("printed meanwhile");
    await settle();
    joined.resume();
    await settle();
    await type("after");
    expect(program()).toBe("before while away after");
    expect(screen.text).toContain("printed meanwhile");
    expect(screen.text.split("printed meanwhile")).toHaveLength(2);
    expect(events).not.toContain("away");
  });

  test("a lost session joins the same terminal again and types what was kept", async () => {
    const { joined, screen, events, type, program, shell: made, connect } = await shell();
    await type("one ");
    joined.restart();
    await settle();
    expect(events.at(-1)).toBe("away");
    made.write(utf8("two "));
    const before = screen.written.length;
    await connect();
    await type("three");
    expect(program()).toBe("one two three");
    const since = fromUtf8(concat(screen.written.slice(before)));
    expect(since).toContain("two three");
    expect(since).not.toContain("one");
  });

  test("input that was applied but not acknowledged is not typed twice", async () => {
    const { joined, type, program, shell: made, connect } = await shell();
    await type("a");
    const conversation = joined.server.conversations.at(-1);
    if (conversation) conversation.on = () => undefined; // The acknowledgement is lost with the link.
    await type("b");
    expect(made.pendingInput).toBe(1);
    joined.restart();
    await settle();
    await connect();
    await type("c");
    expect(program()).toBe("abc");
  });

  test("a page that was away for long gets the screen, not the bytes", async () => {
    const { joined, screen, connect } = await shell();
    joined.restart();
    await settle();
    joined.server.state.programs.get("t1")?.print(`${"x".repeat(300_000)}\r\nthe end`);
    await connect();
    await until(() => screen.text.includes("the end"));
    expect(screen.text.length).toBeLessThan(70_000);
  });

  test("no more than the credit is on its way to a screen that stands still, and all of it comes", async () => {
    const { joined, screen, type } = await shell();
    screen.hold = true;
    await type("flood 2000000\r");
    const terminal = joined.server.conversations.at(-1)?.terminals.get("vroom.terminal.control");
    expect(terminal?.outstanding).toBeLessThanOrEqual(256 * 1024);
    screen.hold = false;
    screen.show();
    const shown = (): number => screen.written.reduce((sum, bytes) => sum + bytes.length, 0);
    await until(() => shown() >= Math.ceil(2_000_000 / 18) * 18 + 100);
    expect(screen.text.match(/0123456789abcdef/g)).toHaveLength(Math.ceil(2_000_000 / 18));
  });

  test("a terminal that is gone is told", async () => {
    const { events } = await shell(new Joined(), { terminalId: "never", readonly: false });
    expect(events.at(-1)).toBe("ended gone");
  });

  test("a viewer sees everything and types nothing", async () => {
    const owner = await shell();
    await owner.type("echo me\r");
    owner.joined.server.state.keys.set("guest", { role: "viewer", terminal: "t1" });
    const guest = await shell(new Joined("guest", owner.joined.server), { terminalId: "t1", readonly: true });
    expect(guest.screen.text).toContain("echo me");
    await guest.type("rm -rf /");
    expect(owner.program()).toBe("echo me\r");
    expect(guest.shell.readonly).toBe(true);
    await owner.type("more");
    await settle();
    expect(guest.screen.text).toContain("more");
    expect(owner.events).toContain("people 2");
  });

  test("a size is told once, and again when another one was given meanwhile", async () => {
    const { joined, shell: made } = await shell();
    const conversation = joined.server.conversations.at(-1);
    const resizes = (): number => conversation?.received.filter(({ channel, payload }) => channel === "vroom.terminal.control" && payload[3] === 0x30).length ?? 0;
    made.resize(SIZE);
    made.resize({ ...SIZE, rows: 30 });
    made.resize({ ...SIZE, rows: 30 });
    await settle();
    expect(resizes()).toBe(1);
    conversation?.terminals.get("vroom.terminal.control")?.resized();
    const program = joined.server.state.programs.get("t1");
    if (program) program.size = { rows: 10, cols: 40 };
    conversation?.terminals.get("vroom.terminal.control")?.resized();
    await settle();
    made.resize({ ...SIZE, rows: 30 });
    await settle();
    expect(resizes()).toBe(2);
    expect(program?.size).toEqual({ rows: 30, cols: 80 });
  });

  test("a server without flow control works as before", async () => {
    const joined = new Joined();
    joined.server.state.flowControl = false;
    const { screen, type, program } = await shell(joined);
    await type("hello\r");
    expect(screen.text).toContain("hello");
    await type("x");
    expect(program()).toBe("hello\rx");
  });
});

test("sessions are listed, renamed and ended", async () => {
  const joined = new Joined();
  await settle();
  const screen = new Screen();
  const quiet = { selected() {}, joined() {}, started() {}, resized() {}, mode() {}, shared() {}, warned() {}, applied() {}, away() {}, ended() {} };
  const made = new Shell(ENGINE, SIZE, screen, null, quiet);
  made.connect(joined.connection, 1);
  await settle();
  joined.connection.controlSession({ action: "rename", sessionId: "t1", name: "build" });
  await settle();
  expect(joined.entries).toMatchObject([{ sessionId: "t1", name: "build", attachedClients: 1, kind: "terminal", exit: null }]);
  joined.connection.controlSession({ action: "end", sessionId: "t1" });
  await settle();
  expect(joined.entries).toEqual([]);
  joined.connection.controlSession({ action: "end", sessionId: "t1" });
  await settle();
  expect(joined.events).toContain("error 4204");
});
