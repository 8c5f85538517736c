/** What the session says and asks: its title, what programs notify of, and what people say to one another. */
import type { Chat, Notice, Notification, ShareState, State } from "../core/graphical/messages.ts";
import type { GraphicalSession } from "../core/graphical/session.ts";
import { askAddress } from "../ui/address.ts";
import { noticeCard, spoken } from "../ui/bell.ts";
import type { NoticeActions } from "../ui/bell.ts";
import type { ShellFrame } from "../ui/shell.ts";
import { answerRequest } from "./floor.ts";
import * as store from "./store.ts";

/** A card of a program stays this long; the list keeps it. */
const CARD_MS = 8_000;
/** Characters of a line of conversation in a notice about it. */
const GLIMPSE_MAX = 160;
/** Such notices that are closed when the chat is opened; older ones close by themselves. */
const GLIMPSES_MAX = 8;
/** The browser shows no more than so many notices in such a time; the list keeps all. */
const OUTSIDE_MAX = 5;
const OUTSIDE_MS = 10_000;

export class Social {
  readonly #notices = new Map<number, Notice>();
  readonly #cards = new Map<number, () => void>();
  /** Notices of lines that were said while the chat was not open. */
  #glimpses: (() => void)[] = [];
  readonly #actions: NoticeActions = {
    answer: (id, action) => this.#answer(id, action),
    dismiss: (id) => this.#dismiss(id),
  };
  /** When the browser showed notices last. */
  #outside: number[] = [];
  #agent = "";
  #title = "";
  #activity = "";
  /** The newest line of conversation that is shown. */
  #newest = 0;
  #people = 0;

  constructor(
    private readonly frame: ShellFrame,
    private readonly session: () => GraphicalSession | null,
  ) {
    frame.talk.addEventListener("say", (event) => this.session()?.say((event as CustomEvent<string>).detail));
    frame.talk.addEventListener("open", () => {
      for (const close of this.#glimpses.splice(0)) close();
    });
    frame.bell.outside = outsideIsOn();
    frame.bell.addEventListener("outside", (event) => void this.#chooseOutside((event as CustomEvent<boolean>).detail));
  }

  /** The handshake is done. */
  ready(agent: string | undefined): void {
    this.#agent = agent ?? "";
    this.frame.menu.toggleAttribute("data-navigate", this.session()?.has("navigate") === true);
    this.#drawTitle();
  }

  /** The title of the window in front, and what goes on. */
  state(state: State): void {
    const activity = ACTIVITIES[state.state] ?? "";
    if (activity !== "" && activity !== this.#activity) this.frame.announcer.say(`The desktop: ${activity}.`);
    this.#title = state.title ?? "";
    this.#activity = activity;
    this.#drawTitle();
  }

  shared(share: ShareState): void {
    this.frame.people.show(share);
    if (share.reason) this.frame.announcer.notice(share.reason);
    this.#people = share.participants.length;
    this.#offerTalk();
  }

  notified(notification: Notification): void {
    const session = this.session();
    if (notification.notice) return this.#noticed(notification.notice);
    if (session && answerRequest(notification, session, this.frame.announcer)) return;
    if (notification.text !== "") this.frame.announcer.notice(notification.text, notification.type === "warning" || notification.type === "error" ? "warning" : "info");
  }

  said(line: Chat): void {
    // After a link was lost the server tells once more what was said before.
    if (line.id !== undefined && line.id <= this.#newest) return;
    const known = this.#newest > 0;
    this.#newest = line.id ?? this.#newest;
    const share = this.session()?.share;
    const own = !line.earlier && line.from === share?.self;
    const place = Math.max(0, share?.participants.findIndex((participant) => participant.id === line.from) ?? 0);
    const fresh = !own && (!line.earlier || known);
    this.frame.talk.add({ ...line, own, place }, fresh);
    this.#offerTalk();
    if (!fresh || !this.frame.talk.hidden) return;
    const glimpse = line.text.length > GLIMPSE_MAX ? `${line.text.slice(0, GLIMPSE_MAX)}…` : line.text;
    this.#glimpses.push(this.frame.announcer.notice(`${line.name || "Somebody"}: ${glimpse}`));
    if (this.#glimpses.length > GLIMPSES_MAX) this.#glimpses.shift();
  }

  /** The session is gone, and with it what was said and notified of. */
  down(): void {
    for (const close of this.#cards.values()) close();
    this.#cards.clear();
    this.#notices.clear();
    this.#drawNotices();
    this.frame.talk.clear();
    this.#newest = this.#people = 0;
    this.#offerTalk();
    this.#title = this.#activity = "";
    this.#drawTitle();
  }

  openAddress(): void {
    const session = this.session();
    if (session?.has("navigate") !== true) return;
    if (session.mode === "view") return void this.frame.announcer.notice("Choose Interact first: only who drives opens addresses.", "warning");
    askAddress((url) => this.session()?.navigate(url));
  }

  #noticed(notice: Notice): void {
    const known = this.#notices.has(notice.id);
    this.#cards.get(notice.id)?.();
    this.#cards.delete(notice.id);
    this.#notices.delete(notice.id);
    if (!notice.closed) {
      this.#notices.set(notice.id, notice);
      // After a link was lost the server tells once more what is not over; what is urgent stays in sight.
      if (!notice.earlier || (known && notice.urgent)) this.#showCard(notice, known);
    }
    this.#drawNotices();
  }

  #showCard(notice: Notice, known: boolean): void {
    this.#cards.set(notice.id, this.frame.announcer.card(noticeCard(notice, this.#actions), spoken(notice), notice.urgent ? null : CARD_MS));
    if (!known && (document.hidden || !document.hasFocus())) this.#showOutside(notice);
  }

  #showOutside(notice: Notice): void {
    const now = performance.now();
    this.#outside = this.#outside.filter((at) => now - at < OUTSIDE_MS);
    if (!outsideIsOn() || this.#outside.length >= OUTSIDE_MAX) return;
    this.#outside.push(now);
    const shown = new window.Notification(notice.title || notice.app, { body: notice.body, tag: `vroom-${notice.id}` });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  }

  #answer(id: number, action: string): void {
    const session = this.session();
    if (!session || session.mode === "view") this.frame.announcer.notice("Choose Interact first: only who drives answers the programs.", "warning");
    else session.answerNotice(id, action);
  }

  /** Whoever drives puts it away for everybody; others only take it out of their own sight. */
  #dismiss(id: number): void {
    const session = this.session();
    if (session && session.mode !== "view") return session.answerNotice(id);
    this.#noticed({ id, app: "", title: "", body: "", actions: [], urgent: false, earlier: false, closed: true });
  }

  async #chooseOutside(on: boolean): Promise<void> {
    // The browser asks the person; without their click it is never asked.
    const allowed = on && "Notification" in window && (await window.Notification.requestPermission()) === "granted";
    store.saveOutside(allowed);
    this.frame.bell.outside = allowed;
    if (on && !allowed) this.frame.announcer.notice("The browser does not let this page show notifications.", "warning");
  }

  #drawNotices(): void {
    this.frame.bell.show(this.#notices.values(), this.#actions);
  }

  #offerTalk(): void {
    this.frame.talk.offer(this.session() !== null && (this.#people > 1 || !this.frame.talk.isEmpty));
  }

  #drawTitle(): void {
    document.title = [this.#title, this.#agent, "VROOM"].filter((part) => part !== "").join(" – ");
    // The tab keeps its name, by which people who hear the page find it.
    this.frame.tabs.look("desktop", { title: "Desktop", hint: this.#title === "" ? "Desktop" : `Desktop – ${this.#title}`, badge: this.#activity });
  }
}

/** What goes on, where it is worth a word. */
const ACTIVITIES: { [state: string]: string | undefined } = {
  browsing: "opening",
  thinking: "thinking",
  speaking: "speaking",
  listening: "listening",
  coding: "coding",
};

function outsideIsOn(): boolean {
  return store.loadOutside() && "Notification" in window && window.Notification.permission === "granted";
}
