import { describe, expect, test } from "vitest";
import { Modifier } from "../../src/core/graphical/input.ts";
import { EscapeChord } from "../../src/input/chord.ts";
import type { KeyLike } from "../../src/input/keyboard.ts";
import { Keyboard } from "../../src/input/keyboard.ts";
import { Pen } from "../../src/input/pen.ts";
import { detectPlatform } from "../../src/input/platform.ts";
import { fit, toViewport, toViewportExact } from "../../src/input/scale.ts";
import { LINE_PX, Wheel } from "../../src/input/wheel.ts";

type Platform = "linux" | "mac" | "windows";

function keyboard(platform: Platform = "linux", superCommand = false) {
  const sent: string[] = [];
  const timers: { run: () => void; cancelled: boolean }[] = [];
  const keys = new Keyboard(
    {
      key: (down, name) => sent.push(`${down ? "+" : "-"}${name.key}/${name.code}/${name.modifiers}`),
      text: (content) => sent.push(`text ${content}`),
      preedit: (content, begin, end) => sent.push(`preedit ${content} ${begin}-${end}`),
    },
    { mac: platform === "mac", windows: platform === "windows", superCommand },
    (run) => {
      const timer = { run, cancelled: false };
      timers.push(timer);
      return () => (timer.cancelled = true);
    },
  );
  const elapse = (): void => {
    for (const timer of timers.splice(0)) if (!timer.cancelled) timer.run();
  };
  return { keys, sent, elapse };
}

function event(key: string, code: string, more: Partial<KeyLike> & { locks?: string[] } = {}): KeyLike {
  const locks = more.locks ?? [];
  return { key, code, repeat: false, isComposing: false, keyCode: 0, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, getModifierState: (name) => locks.includes(name), ...more };
}

describe("composition", () => {
  test("what is composed is shown, and text takes its place", () => {
    const { keys, sent } = keyboard();
    keys.compose("に", 1, 1);
    keys.compose("にほ", 2, 2);
    keys.commit("日本");
    keys.releaseAll();
    expect(sent).toEqual(["preedit に 1-1", "preedit にほ 2-2", "text 日本"]);
  });

  test("what is given up is taken back once", () => {
    const { keys, sent } = keyboard();
    keys.compose("に", 1, 1);
    keys.commit("");
    keys.commit("");
    keys.compose("", 0, 0);
    expect(sent).toEqual(["preedit に 1-1", "preedit  0-0"]);
  });

  test("leaving takes back what is composed", () => {
    const { keys, sent } = keyboard();
    keys.compose("に", 1, 1);
    keys.releaseAll();
    expect(sent).toEqual(["preedit に 1-1", "preedit  0-0"]);
  });

  test("a dead key that the browser shows and does not compose is not left behind", () => {
    const { keys, sent } = keyboard();
    keys.down(event("Dead", "Equal"));
    keys.compose("´", 1, 1);
    keys.down(event("x", "KeyX"));
    keys.commit("x");
    expect(sent.slice(0, 2)).toEqual(["preedit ´ 1-1", "preedit  0-0"]);
    expect(sent.filter((each) => each.startsWith("+"))).toEqual(["+Dead/Equal/0", "+x/KeyX/0"]);
  });
});

describe("keys", () => {
  test("Ctrl+S goes out as the specification's example", () => {
    const { keys, sent } = keyboard();
    keys.down(event("Control", "ControlLeft", { ctrlKey: true }));
    keys.down(event("s", "KeyS", { ctrlKey: true }));
    keys.up(event("s", "KeyS", { ctrlKey: true }));
    keys.up(event("Control", "ControlLeft"));
    expect(sent).toEqual(["+Control/ControlLeft/2", "+s/KeyS/2", "-s/KeyS/2", "-Control/ControlLeft/0"]);
    expect(keys.idle).toBe(true);
  });

  test("repeats are left to the far side", () => {
    const { keys, sent } = keyboard();
    keys.down(event("a", "KeyA"));
    expect(keys.down(event("a", "KeyA", { repeat: true }))).toBe(true);
    expect(sent).toHaveLength(1);
  });

  test("a key that is released as another symbol is released as what was pressed", () => {
    const { keys, sent } = keyboard();
    keys.down(event("A", "KeyA", { shiftKey: true }));
    keys.up(event("a", "KeyA"));
    expect(sent).toEqual(["+A/KeyA/1", "-A/KeyA/0"]);
  });

  test("everything held is released at once, last first", () => {
    const { keys, sent } = keyboard();
    keys.down(event("Shift", "ShiftLeft", { shiftKey: true }));
    keys.down(event("F5", "F5", { shiftKey: true }));
    sent.length = 0;
    keys.releaseAll();
    expect(sent).toEqual(["-F5/F5/0", "-Shift/ShiftLeft/0"]);
    expect(keys.idle).toBe(true);
    expect(keys.up(event("F5", "F5"))).toBe(true);
    expect(sent).toHaveLength(2);
  });

  test("Caps Lock is told with every key", () => {
    const { keys, sent } = keyboard();
    keys.down(event("A", "KeyA", { locks: ["CapsLock"] }));
    expect(sent).toEqual([`+A/KeyA/${Modifier.CapsLock}`]);
  });
});

describe("AltGr", () => {
  test("on Windows its Control is swallowed and no modifier of its own is told", () => {
    const { keys, sent, elapse } = keyboard("windows");
    keys.down(event("Control", "ControlLeft", { ctrlKey: true }));
    keys.down(event("AltGraph", "AltRight", { ctrlKey: true, altKey: true, locks: ["AltGraph"] }));
    keys.down(event("€", "KeyE", { ctrlKey: true, altKey: true, locks: ["AltGraph"] }));
    elapse();
    expect(sent).toEqual(["+AltGraph/AltRight/0", "+€/KeyE/0"]);
  });

  test("on Windows Control alone goes out after the wait, or at once with the next key", () => {
    const waited = keyboard("windows");
    waited.keys.down(event("Control", "ControlLeft", { ctrlKey: true }));
    expect(waited.sent).toEqual([]);
    waited.elapse();
    expect(waited.sent).toEqual(["+Control/ControlLeft/2"]);
    const next = keyboard("windows");
    next.keys.down(event("Control", "ControlLeft", { ctrlKey: true }));
    next.keys.down(event("c", "KeyC", { ctrlKey: true }));
    expect(next.sent).toEqual(["+Control/ControlLeft/2", "+c/KeyC/2"]);
  });

  test("on Windows a tapped Control is pressed and released", () => {
    const { keys, sent } = keyboard("windows");
    keys.down(event("Control", "ControlLeft", { ctrlKey: true }));
    keys.up(event("Control", "ControlLeft"));
    expect(sent).toEqual(["+Control/ControlLeft/2", "-Control/ControlLeft/0"]);
  });

  test("on Linux it goes out as it comes, without the Alt bit", () => {
    const { keys, sent } = keyboard();
    keys.down(event("AltGraph", "AltRight", { locks: ["AltGraph"] }));
    keys.down(event("@", "KeyQ", { locks: ["AltGraph"] }));
    expect(sent).toEqual(["+AltGraph/AltRight/0", "+@/KeyQ/0"]);
  });
});

describe("macOS", () => {
  test("Cmd is Control, and what is pressed with it is released although no key-up comes", () => {
    const { keys, sent } = keyboard("mac");
    keys.down(event("Meta", "MetaLeft", { metaKey: true }));
    for (const letter of ["c", "v", "z"]) keys.down(event(letter, `Key${letter.toUpperCase()}`, { metaKey: true }));
    keys.down(event("Shift", "ShiftLeft", { metaKey: true, shiftKey: true }));
    keys.down(event("z", "KeyZ", { metaKey: true, shiftKey: true }));
    keys.up(event("Shift", "ShiftLeft", { metaKey: true }));
    keys.up(event("Meta", "MetaLeft"));
    expect(sent).toEqual([
      "+Control/ControlLeft/2",
      ...["c", "v", "z"].flatMap((letter) => [`+${letter}/Key${letter.toUpperCase()}/2`, `-${letter}/Key${letter.toUpperCase()}/2`]),
      "+Shift/ShiftLeft/3",
      "+z/KeyZ/3",
      "-z/KeyZ/3",
      "-Shift/ShiftLeft/2",
      "-Control/ControlLeft/0",
    ]);
    expect(keys.idle).toBe(true);
  });

  test("Control that is held beside Cmd stays down until both are up", () => {
    const { keys, sent } = keyboard("mac");
    keys.down(event("Control", "ControlLeft", { ctrlKey: true }));
    keys.down(event("Meta", "MetaLeft", { ctrlKey: true, metaKey: true }));
    keys.up(event("Meta", "MetaLeft", { ctrlKey: true }));
    expect(sent).toEqual(["+Control/ControlLeft/2"]);
    keys.up(event("Control", "ControlLeft"));
    expect(sent).toEqual(["+Control/ControlLeft/2", "-Control/ControlLeft/0"]);
  });

  test("a lost window releases Cmd as the Control that it was", () => {
    const { keys, sent } = keyboard("mac");
    keys.down(event("Meta", "MetaRight", { metaKey: true }));
    keys.releaseAll();
    expect(sent).toEqual(["+Control/ControlRight/2", "-Control/ControlRight/0"]);
  });

  test("a key pressed with Cmd is released at once where Cmd is Super", () => {
    const { keys, sent } = keyboard("mac", true);
    keys.down(event("Meta", "MetaLeft", { metaKey: true }));
    keys.down(event("c", "KeyC", { metaKey: true }));
    keys.up(event("Meta", "MetaLeft"));
    expect(sent).toEqual(["+Meta/MetaLeft/8", "+c/KeyC/8", "-c/KeyC/8", "-Meta/MetaLeft/0"]);
    expect(keys.idle).toBe(true);
  });

  test("a key held before Cmd does not stay down", () => {
    const { keys, sent } = keyboard("mac");
    keys.down(event("x", "KeyX"));
    keys.down(event("Meta", "MetaLeft", { metaKey: true }));
    keys.up(event("Meta", "MetaLeft"));
    expect(sent.at(-1)).toBe("-x/KeyX/0");
  });

  test("Option takes the part of AltGr for characters", () => {
    const { keys, sent } = keyboard("mac");
    keys.down(event("@", "KeyL", { altKey: true }));
    expect(sent).toEqual(["+@/KeyL/0"]);
  });
});

describe("composed text", () => {
  test("a dead key waits for the text that the browser makes of it", () => {
    const { keys, sent, elapse } = keyboard();
    expect(keys.down(event("Dead", "Equal"))).toBe(false);
    expect(keys.down(event("e", "KeyE"))).toBe(false);
    keys.commit("é");
    elapse();
    expect(sent).toEqual(["text é"]);
  });

  test("a dead key whose next key event already carries the character is that character", () => {
    const { keys, sent } = keyboard();
    keys.down(event("Dead", "Equal"));
    keys.up(event("Dead", "Equal"));
    keys.down(event("é", "KeyE"));
    expect(sent).toEqual(["text é"]);
  });

  test("a dead key that nothing comes of is pressed on the far side with its base", () => {
    const { keys, sent, elapse } = keyboard();
    keys.down(event("Dead", "Equal"));
    keys.down(event("e", "KeyE"));
    elapse();
    expect(sent).toEqual(["+Dead/Equal/0", "-Dead/Equal/0", "+e/KeyE/0", "-e/KeyE/0"]);
  });

  test("keys of an input method are not sent, its text is", () => {
    const { keys, sent } = keyboard();
    expect(keys.down(event("Process", "KeyN", { keyCode: 229 }))).toBe(false);
    expect(keys.down(event("n", "KeyN", { isComposing: true }))).toBe(false);
    keys.commit("日本");
    expect(sent).toEqual(["text 日本"]);
  });
});

describe("the escape chord", () => {
  const key = (name: string, code = "") => ({ key: name, code, ctrlKey: true, altKey: true, shiftKey: true, repeat: false });

  test("alone it gives the keyboard back", () => {
    const chord = new EscapeChord();
    expect(chord.down({ ...key("Control"), altKey: false, shiftKey: false })).toBe("none");
    expect(chord.down(key("Shift"))).toBe("begin");
    expect(chord.up(key("Shift"))).toBe("escape");
    expect(chord.up(key("Control"))).toBe("none");
  });

  test("with a key it is a shortcut and no escape", () => {
    const chord = new EscapeChord();
    chord.down(key("Shift"));
    expect(chord.down(key("S", "KeyS"))).toEqual({ shortcut: "KeyS" });
    expect(chord.up(key("S", "KeyS"))).toBe("swallow");
    expect(chord.up(key("Shift"))).toBe("none");
  });
});

describe("pointer and wheel", () => {
  const viewport = { width: 1920, height: 1080 };
  const box = { left: 100, top: 50, width: 960, height: 540 };

  test("points are scaled to the viewport and clamped into it", () => {
    expect(toViewport(100, 50, box, viewport)).toEqual({ x: 0, y: 0 });
    expect(toViewport(100.9, 320, box, viewport)).toEqual({ x: 1, y: 540 });
    expect(toViewport(1060, 590, box, viewport)).toEqual({ x: 1919, y: 1079 });
    expect(toViewport(-500, 9999, box, viewport)).toEqual({ x: 0, y: 1079 });
    expect(toViewport(5, 5, { ...box, width: 0 }, viewport)).toMatchObject({ x: 0 });
  });

  test("fit keeps the shape", () => {
    expect(fit(viewport, { width: 960, height: 960 })).toEqual({ width: 960, height: 540 });
    expect(fit(viewport, { width: 4000, height: 1080 })).toEqual({ width: 1920, height: 1080 });
  });

  test("lines and pages become pixels and fractions are kept", () => {
    const wheel = new Wheel();
    const page = { width: 800, height: 600 };
    expect(wheel.pixels({ deltaX: 0, deltaY: 3, deltaMode: 1 }, page)).toEqual({ dx: 0, dy: 3 * LINE_PX });
    expect(wheel.pixels({ deltaX: 0, deltaY: -1, deltaMode: 2 }, page)).toEqual({ dx: 0, dy: -600 });
    expect(wheel.pixels({ deltaX: 0, deltaY: 0.4, deltaMode: 0 }, page)).toBeNull();
    expect(wheel.pixels({ deltaX: 0, deltaY: 0.7, deltaMode: 0 }, page)).toEqual({ dx: 0, dy: 1 });
  });

  test("platforms are told apart", () => {
    expect(detectPlatform({ platform: "MacIntel", userAgent: "" })).toEqual({ mac: true, windows: false });
    expect(detectPlatform({ platform: "Win32", userAgent: "" })).toEqual({ mac: false, windows: true });
    expect(detectPlatform({ platform: "Linux x86_64", userAgent: "X11" })).toEqual({ mac: false, windows: false });
  });
});

describe("pen", () => {
  const pose = (button: number, buttons: number, pressure = 0) => ({ button, buttons, pressure, tiltX: 0, tiltY: 0, twist: 0 });
  const state = (message: { payload: Uint8Array }): number => message.payload[0] ?? -1;
  const pressure = (message: { payload: Uint8Array }): number => ((message.payload[7] ?? 0) << 8) | (message.payload[8] ?? 0);

  test("buttons of the browser are those of the pen", () => {
    const pen = new Pen();
    expect(state(pen.at(1, pose(-1, 0), 0, 0))).toBe(0);
    expect(state(pen.at(1, pose(0, 1, 0.5), 0, 0))).toBe(1);
    expect(state(pen.at(1, pose(2, 3, 0.5), 0, 0))).toBe(3);
    expect(state(pen.at(1, pose(2, 5, 0.5), 0, 0))).toBe(5);
    expect(state(pen.at(1, pose(0, 0), 0, 0))).toBe(0);
  });

  test("a button that is held hides the tip from some browsers", () => {
    const pen = new Pen();
    expect(state(pen.at(1, pose(2, 2), 0, 0))).toBe(2);
    expect(state(pen.at(1, pose(-1, 2, 0.25), 0, 0))).toBe(3);
  });

  test("a pen that was turned around stays so until it leaves or draws", () => {
    const pen = new Pen();
    expect(state(pen.at(1, pose(5, 32, 0.5), 0, 0))).toBe(9);
    expect(state(pen.at(1, pose(5, 0), 0, 0))).toBe(8);
    expect(state(pen.at(1, pose(0, 1, 0.5), 0, 0))).toBe(1);
    pen.at(1, pose(5, 32, 0.5), 0, 0);
    expect(pen.leave(1)).not.toBeNull();
    expect(state(pen.at(1, pose(-1, 0), 0, 0))).toBe(0);
  });

  test("what was let go is pressed again only by a new press", () => {
    const pen = new Pen();
    pen.at(1, pose(0, 1, 0.5), 0, 0);
    expect(pen.leave()).not.toBeNull();
    expect(pen.leave()).toBeNull();
    const hovers = pen.at(1, pose(-1, 1, 0.5), 0, 0);
    expect([state(hovers), pressure(hovers)]).toEqual([0, 0]);
    expect(state(pen.at(1, pose(0, 1, 0.5), 0, 0))).toBe(1);
  });

  test("another pointer that leaves takes no pen away", () => {
    const pen = new Pen();
    pen.at(1, pose(-1, 0), 0, 0);
    expect(pen.leave(2)).toBeNull();
    expect(pen.leave(1)).not.toBeNull();
  });

  test("its places lie between pixels and inside the picture", () => {
    const box = { left: 10, top: 0, width: 100, height: 100 };
    const viewport = { width: 400, height: 200 };
    expect(toViewportExact(10.0625, 50.25, box, viewport)).toEqual({ x: 0.25, y: 100.5 });
    expect(toViewportExact(500, -3, box, viewport)).toEqual({ x: 400 - 1 / 256, y: 0 });
  });
});
