/** The frame of the page: top bar, panels, overlay; no behaviour of its own. */
import { Announcer } from "./announce.ts";
import { Banner } from "./banner.ts";
import { Bell } from "./bell.ts";
import { DesktopView } from "./desktop.ts";
import { el } from "./dom.ts";
import { EmptyState } from "./empty.ts";
import { icon } from "./icons.ts";
import { FilesPanel } from "./files.ts";
import { KeyRow } from "./keyrow.ts";
import { Menu } from "./menu.ts";
import { People } from "./people.ts";
import { RecordingSign } from "./recording.ts";
import { Segments } from "./segmented.ts";
import { SignIn } from "./signin.ts";
import { MicrophoneControl } from "./microphone.ts";
import { SoundControl } from "./sound.ts";
import { StatisticsPanel } from "./statistics.ts";
import { ConnectionCard, StatusPill } from "./status.ts";
import { Tabs } from "./tabs.ts";
import { TalkPanel } from "./talk.ts";
import { TerminalTools } from "./terminal-tools.ts";
import type { Mode } from "../core/graphical/messages.ts";

export class ShellFrame {
  readonly announcer = new Announcer();
  readonly tabs = new Tabs();
  readonly mode = new Segments<Mode>();
  readonly people = new People();
  readonly talk = new TalkPanel();
  readonly bell = new Bell();
  readonly status = new StatusPill();
  readonly card = new ConnectionCard();
  readonly menu = new Menu();
  readonly sound = new SoundControl();
  readonly recording = new RecordingSign();
  readonly microphone = new MicrophoneControl();
  readonly tools = new TerminalTools();
  readonly keyRow = new KeyRow();
  readonly banner = new Banner();
  readonly empty = new EmptyState();
  readonly files = new FilesPanel();
  readonly statistics = new StatisticsPanel();
  readonly signin = new SignIn();
  readonly desktop = new DesktopView();
  readonly keyboard = el("button", { class: "quiet keyboard", type: "button", "aria-label": "On-screen keyboard" }, icon("keyboard"));
  readonly voice = el("form", { class: "voice", hidden: true }, el("label", { class: "visually-hidden", for: "command" }, "Command"), el("input", { id: "command", name: "command", type: "text", autocomplete: "off", placeholder: "Tell the desktop what to do" }), el("button", { class: "button small primary", type: "submit" }, "Send"));
  /** Called with a sentence for the command interpreter. */
  onCommand: (sentence: string) => void = () => {};
  readonly panels = el("div", { class: "panels" });
  readonly #work = el("div", { class: "work" });

  constructor(root: HTMLElement) {
    this.desktop.id = "panel-desktop";
    this.statistics.hidden = true;
    this.voice.addEventListener("submit", (event) => this.#submit(event));
    this.panels.append(this.desktop);
    this.keyRow.hidden = true;
    const stage = el("div", { class: "stage" }, this.panels, this.keyRow, this.card, this.empty, this.voice, this.statistics, this.files, this.talk, this.banner);
    this.#work.append(this.#topBar(), stage);
    root.replaceChildren(this.signin, this.#work, this.announcer.notices, this.announcer.region);
  }

  /** Shows the sign-in card instead of the work, or the work. */
  showSignIn(shown: boolean): void {
    this.signin.hidden = !shown;
    this.#work.hidden = shown;
  }

  /** Leaves only what somebody needs who came to look at one terminal. */
  setGuest(): void {
    this.#work.toggleAttribute("data-guest", true);
  }

  /** Puts the amber where the person drives. */
  setDriving(driving: boolean): void {
    this.#work.toggleAttribute("data-driving", driving);
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const field = this.voice.querySelector("input");
    const sentence = field?.value.trim() ?? "";
    if (!field || sentence === "") return;
    this.onCommand(sentence);
    field.value = "";
  }

  #topBar(): HTMLElement {
    const brand = el("span", { class: "brand" }, icon("mark"));
    const controls = el("div", { class: "controls" }, this.recording, this.tools, this.mode, this.people, this.talk.button, this.bell, this.microphone, this.sound, this.keyboard);
    // Where they lie at the bottom, what floats above them has to know how high they are.
    new ResizeObserver(() => document.documentElement.style.setProperty("--dock", `${controls.offsetHeight}px`)).observe(controls);
    return el("header", { class: "topbar" }, el("h1", { class: "visually-hidden" }, "VROOM"), brand, this.tabs, controls, this.status, this.menu);
  }
}
