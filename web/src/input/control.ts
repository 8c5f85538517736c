/** Joins the events of the desktop's surface to the messages of the wire. */
import { Button, key, mouse, move, moveRelative, preedit, scroll, textCommit, touch, touchEnd } from "../core/graphical/input.ts";
import type { InputMessage } from "../core/graphical/input.ts";
import type { Clip } from "../core/graphical/session.ts";
import type { Size } from "../core/graphical/messages.ts";
import { Keyboard } from "./keyboard.ts";
import { PointerLock } from "./lock.ts";
import { Pen } from "./pen.ts";
import type { Platform } from "./platform.ts";
import { toViewport, toViewportExact } from "./scale.ts";
import { Wheel } from "./wheel.ts";

/** What the surface needs from its owner. */
export interface ControlHost {
  /** True while input may leave. */
  active(): boolean;
  viewport(): Size;
  /** Whether both sides know the capability. */
  has(capability: string): boolean;
  send(message: InputMessage): void;
  /** Text where the far side takes no TEXT messages. */
  text(content: string): void;
  /**
   * The person pastes a content in these formats, or files. Tells whether the key that pastes may be struck, once they
   * are in place on the far side.
   */
  paste(clips: (Clip | Promise<Clip>)[], files: File[]): Promise<boolean>;
  /** The pointer was let go outside of the surface: true where that takes what a program drags, which ends by itself. */
  letGoOutside(): boolean;
  /** The browser gave the pointer to the far side, or took it. */
  lockChanged(): void;
  /** The person took the pointer back from a program that still wants it. */
  lockLost(): void;
}

/** Remote touch ids are one byte; more fingers than this are ignored. */
const TOUCHES_MAX = 32;
/** Keys that wait for a paste; with more of them nothing waits any longer. */
const WAITING_MAX = 1024;

/** Input of one surface: pointer and wheel on it, keys in the hidden field that holds the focus. */
export class Control {
  readonly keyboard: Keyboard;
  readonly #wheel = new Wheel();
  readonly #buttons = new Set<number>();
  readonly #touches = new Map<number, number>();
  readonly #pen = new Pen();
  readonly #lock: PointerLock;
  #last = { x: 0, y: 0 };
  #paste: (() => void) | null = null;
  /** What was typed since a paste whose content is not in place yet. */
  #waiting: InputMessage[] | null = null;

  constructor(
    private readonly surface: HTMLElement,
    private readonly field: HTMLTextAreaElement,
    private readonly platform: Platform,
    private readonly host: ControlHost,
  ) {
    this.keyboard = new Keyboard(
      {
        key: (down, name) => {
          const message = key(down, name);
          if (message) this.#type(message);
        },
        text: (content) => this.#text(content),
        preedit: (content, begin, end) => host.has("preedit") && this.#type(preedit(content, begin, end)),
      },
      platform,
      (run, ms) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    );
    this.#lock = new PointerLock(
      surface,
      () => host.lockChanged(),
      () => host.lockLost(),
    );
    this.#listenPointer();
    this.#listenKeys();
    this.#listenText();
  }

  /** Whether the mouse gives distances now, and has no place. */
  get locked(): boolean {
    return this.#lock.held;
  }

  /** Says whether a program holds the remote pointer in place while this person drives. */
  setLocked(locked: boolean): void {
    this.#lock.want(locked);
  }

  /** Releases every key, button and touch, and takes the pen away; called whenever input stops. */
  releaseAll(): void {
    this.#paste = null;
    this.#waiting = null;
    this.keyboard.releaseAll();
    for (const button of this.#buttons) this.host.send(mouse(false, this.#last.x, this.#last.y, button));
    this.#buttons.clear();
    for (const id of this.#touches.values()) this.host.send(touchEnd(id));
    this.#touches.clear();
    this.#penLeft();
    this.field.value = "";
  }

  #listenPointer(): void {
    const surface = this.surface;
    const moved = "onpointerrawupdate" in surface ? "pointerrawupdate" : "pointermove";
    surface.addEventListener(moved, (event) => this.#moved(event as PointerEvent));
    surface.addEventListener("pointerdown", (event) => this.#pressed(event));
    surface.addEventListener("pointerup", (event) => this.#released(event));
    surface.addEventListener("pointercancel", (event) => this.#released(event));
    surface.addEventListener("pointerleave", (event) => this.#penLeft(event.pointerId));
    surface.addEventListener("contextmenu", (event) => this.host.active() && event.preventDefault());
    surface.addEventListener("auxclick", (event) => this.host.active() && event.preventDefault());
    surface.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
    // Buttons 3 and 4 leave the page unless both halves of the click are refused.
    surface.addEventListener("mouseup", (event) => this.host.active() && event.button > 2 && event.preventDefault());
    window.addEventListener("blur", () => this.releaseAll());
    document.addEventListener("visibilitychange", () => document.hidden && this.releaseAll());
  }

  #point(event: { clientX: number; clientY: number }): { x: number; y: number } {
    return toViewport(event.clientX, event.clientY, this.surface.getBoundingClientRect(), this.host.viewport());
  }

  #isInside(event: PointerEvent): boolean {
    const box = this.surface.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  }

  #isTouch(event: PointerEvent): boolean {
    return event.pointerType === "touch" && this.host.has("touch");
  }

  #isPen(event: PointerEvent): boolean {
    return event.pointerType === "pen" && this.host.has("pen");
  }

  /** A place of the pen, which lies between pixels. */
  #penPoint(event: PointerEvent): [x: number, y: number] {
    const { x, y } = toViewportExact(event.clientX, event.clientY, this.surface.getBoundingClientRect(), this.host.viewport());
    return [x, y];
  }

  #penLeft(pointer?: number): void {
    const message = this.#pen.leave(pointer);
    if (message) this.host.send(message);
  }

  #moved(event: PointerEvent): void {
    if (!this.host.active()) return;
    if (this.#isPen(event)) {
      // Every point of a line counts.
      const points = this.#pen.isDown ? event.getCoalescedEvents() : [];
      for (const point of points.length > 0 ? points : [event]) this.host.send(this.#pen.at(event.pointerId, point, ...this.#penPoint(point)));
      return;
    }
    if (this.#isTouch(event)) {
      const id = this.#touches.get(event.pointerId);
      if (id === undefined) return;
      const { x, y } = this.#point(event);
      this.host.send(touch(false, id, x, y, event.pressure * 255));
      return;
    }
    if (this.#lock.held) {
      const distance = this.#lock.distance(event);
      if (distance) this.host.send(moveRelative(distance.dx, distance.dy));
      return this.#chorded(event);
    }
    // While drawing every point counts; otherwise only the newest does.
    const points = this.#buttons.size > 0 ? event.getCoalescedEvents() : [];
    for (const point of points.length > 0 ? points : [event]) {
      const { x, y } = this.#point(point);
      if (x === this.#last.x && y === this.#last.y) continue;
      this.#last = { x, y };
      this.host.send(move(x, y));
    }
    this.#chorded(event);
  }

  /** A button that changes while another one is held is told as a motion. */
  #chorded(event: PointerEvent): void {
    if (event.button !== -1) this.#changeButtons(event.buttons);
  }

  #pressed(event: PointerEvent): void {
    if (!this.host.active()) return;
    event.preventDefault();
    this.field.focus({ preventScroll: true });
    // Browsers capture no pointer that is locked.
    if (!this.#lock.held) this.surface.setPointerCapture(event.pointerId);
    if (this.#isPen(event)) return this.host.send(this.#pen.at(event.pointerId, event, ...this.#penPoint(event)));
    const { x, y } = this.#point(event);
    if (this.#isTouch(event)) {
      const id = this.#freeTouch();
      if (id === null) return;
      this.#touches.set(event.pointerId, id);
      this.host.send(touch(true, id, x, y, event.pressure * 255));
      return;
    }
    if (!this.#lock.held) this.#last = { x, y };
    this.#changeButtons(event.buttons);
    this.#lock.take();
  }

  #released(event: PointerEvent): void {
    const touchId = this.#touches.get(event.pointerId);
    if (touchId !== undefined) {
      this.#touches.delete(event.pointerId);
      this.host.send(touchEnd(touchId));
      return;
    }
    if (event.type === "pointercancel") this.#penLeft(event.pointerId);
    if (!this.host.active()) return;
    event.preventDefault();
    if (this.#isPen(event)) {
      if (event.type === "pointerup") this.host.send(this.#pen.at(event.pointerId, event, ...this.#penPoint(event)));
      return;
    }
    if (!this.#lock.held) this.#last = this.#point(event);
    if (event.type === "pointerup" && this.#buttons.has(0) && !this.#isInside(event) && this.host.letGoOutside()) return;
    this.#changeButtons(event.type === "pointercancel" ? 0 : event.buttons);
  }

  /** Pointer events tell chorded buttons only through the mask, so presses and releases are found by difference. */
  #changeButtons(mask: number): void {
    const { x, y } = this.#last;
    for (const [bit, button] of BUTTON_BITS) {
      const down = (mask & bit) !== 0;
      if (down === this.#buttons.has(button)) continue;
      if (down) this.#buttons.add(button);
      else this.#buttons.delete(button);
      this.host.send(mouse(down, x, y, button));
    }
  }

  #freeTouch(): number | null {
    const used = new Set(this.#touches.values());
    for (let id = 0; id < TOUCHES_MAX; id++) if (!used.has(id)) return id;
    return null;
  }

  #wheeled(event: WheelEvent): void {
    if (!this.host.active()) return;
    event.preventDefault();
    const box = this.surface.getBoundingClientRect();
    const pixels = this.#wheel.pixels(event, box);
    if (pixels) this.host.send(scroll(pixels.dx, pixels.dy));
  }

  #listenKeys(): void {
    this.field.addEventListener("keydown", (event) => {
      if (!this.host.active()) return;
      // Browsers that take this key themselves do the same with it.
      if (event.key === "Escape" && this.#lock.giveBack()) return event.preventDefault();
      if (this.#pasteChord(event)) return;
      if (this.keyboard.down(event)) event.preventDefault();
    });
    this.field.addEventListener("keyup", (event) => {
      if (!this.host.active()) return;
      this.#paste?.();
      if (this.keyboard.up(event)) event.preventDefault();
    });
    this.field.addEventListener("blur", (event) => {
      // A press while another one is held takes the focus to what is around the picture, and no event can refuse it.
      const pressed = this.#buttons.size > 0 || this.#pen.isDown;
      const around = event.relatedTarget instanceof Node && event.relatedTarget.contains(this.surface);
      if (pressed && around && this.host.active()) this.field.focus({ preventScroll: true });
      else this.releaseAll();
    });
  }

  /**
   * Ctrl+V lets the browser's own paste event run first, because it is the only clipboard access that asks nothing.
   * Then the key goes out, after the content is on the remote clipboard.
   */
  #pasteChord(event: KeyboardEvent): boolean {
    const v = (this.platform.mac ? event.metaKey && this.platform.superCommand !== true : event.ctrlKey) && event.code === "KeyV" && !event.altKey;
    const insert = event.shiftKey && !event.ctrlKey && !event.altKey && event.code === "Insert";
    // While one paste is under way another pastes the same.
    if (!(v || insert) || event.repeat || this.#waiting || !this.host.has("clipboard")) return false;
    const press = (): void => {
      this.#paste = null;
      clearTimeout(timer);
      this.keyboard.down(event);
    };
    const timer = setTimeout(press, 0);
    this.#paste = press;
    return true;
  }

  /** What follows a paste waits until what is pasted is in place, so that nothing overtakes it. */
  #pasted(event: ClipboardEvent): void {
    const chord = this.#paste;
    const rich = this.host.has("clipboard-data");
    const picture = rich ? pictureOf(event.clipboardData) : null;
    const clips = contentsOf(event.clipboardData, picture, rich);
    const files = picture ? [] : [...(event.clipboardData?.files ?? [])];
    if (clips.length > 0 || files.length > 0) {
      const waiting: InputMessage[] = [];
      this.#waiting = waiting;
      void this.host.paste(clips, files).then((placed) => {
        if (this.#waiting !== waiting) return;
        this.#waiting = null;
        // Without the content the key would paste something else.
        const refused = chord && !placed ? waiting.findIndex((message) => message.type === Button.KeyDown) : -1;
        waiting.forEach((message, place) => place !== refused && this.host.send(message));
      });
    }
    chord?.();
  }

  /** Sends what the keyboard brings, or lets it wait. */
  #type(message: InputMessage): void {
    if (!this.#waiting) return this.host.send(message);
    this.#waiting.push(message);
    if (this.#waiting.length <= WAITING_MAX) return;
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const each of waiting) this.host.send(each);
  }

  #listenText(): void {
    this.field.addEventListener("paste", (event) => {
      event.preventDefault();
      if (this.host.active()) this.#pasted(event);
    });
    this.field.addEventListener("beforeinput", (event) => {
      const composing = event.isComposing || event.inputType === "insertCompositionText";
      if (composing) return;
      event.preventDefault();
      if (!this.host.active()) return;
      if (event.inputType.startsWith("insertText") && event.data) this.keyboard.commit(event.data);
      else if (event.inputType === "insertLineBreak" || event.inputType === "insertParagraph") this.keyboard.tap("Enter", "Enter");
      else if (event.inputType === "deleteContentBackward") this.keyboard.tap("Backspace", "Backspace");
    });
    // By now the field has what is composed, and the caret in it.
    this.field.addEventListener("input", (event) => {
      const composed = (event as InputEvent).inputType === "insertCompositionText" ? (event as InputEvent).data : null;
      if (composed === null || !this.host.active()) return;
      const alone = this.field.value === composed;
      this.keyboard.compose(composed, alone ? this.field.selectionStart : composed.length, alone ? this.field.selectionEnd : composed.length);
    });
    this.field.addEventListener("compositionend", (event) => {
      this.field.value = "";
      if (this.host.active()) this.keyboard.commit(event.data);
    });
  }

  #text(content: string): void {
    if (this.host.has("text")) for (const message of textCommit(content)) this.#type(message);
    else this.host.text(content);
  }
}

/** The picture of a paste: browsers bring it as a file of this name, whatever was copied. */
function pictureOf(data: DataTransfer | null): File | null {
  const [file, ...others] = data?.files ?? [];
  return file?.type === "image/png" && file.name === "image.png" && others.length === 0 ? file : null;
}

/** What a paste brings in formats that desktops know, text first. */
function contentsOf(data: DataTransfer | null, picture: File | null, rich: boolean): (Clip | Promise<Clip>)[] {
  const clips: (Clip | Promise<Clip>)[] = [];
  const plain = data?.getData("text/plain") ?? "";
  if (plain !== "") clips.push({ type: "text/plain", text: plain });
  if (!rich) return clips;
  const html = data?.getData("text/html") ?? "";
  if (html !== "") clips.push({ type: "text/html", text: html });
  if (picture) clips.push(picture.arrayBuffer().then((buffer): Clip => ({ type: "image/png", data: new Uint8Array(buffer) })));
  return clips;
}

/** Bits of `PointerEvent.buttons` and the DOM button each stands for. */
const BUTTON_BITS: readonly [bit: number, button: number][] = [
  [1, 0],
  [4, 1],
  [2, 2],
  [8, 3],
  [16, 4],
];
