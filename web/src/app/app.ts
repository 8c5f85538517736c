/** The page as a whole: joins the connection to what is shown. */
import type { GraphicalSession } from "../core/graphical/session.ts";
import type { MediaState, Mode, ServerHandshake, State } from "../core/graphical/messages.ts";
import { modes } from "../ui/modes.ts";
import { ShellFrame } from "../ui/shell.ts";
import type { Link } from "../ui/status.ts";
import { transportName } from "../ui/status.ts";
import type { Layout } from "../ui/desktop.ts";
import { Connector } from "./connector.ts";
import type { Live } from "./line.ts";
import { RemoteClipboard, paste } from "./clipboard.ts";
import type { CommandHost } from "./commands.ts";
import { runShortcut, wireMenu } from "./commands.ts";
import { Desk } from "./desk.ts";
import { Drags } from "./drags.ts";
import { askForControl } from "./floor.ts";
import { publish } from "./hook.ts";
import { Measuring } from "./measuring.ts";
import { Picture } from "./picture.ts";
import { DesktopSound } from "./sound.ts";
import { listenShortcuts } from "./shortcuts.ts";
import type { Credential } from "./signin.ts";
import { signIn } from "./signin.ts";
import { Social } from "./social.ts";
import * as store from "./store.ts";
import { Ticker } from "./ticker.ts";

/** Cards and countdowns are redrawn this often while they count. */
const REDRAW_MS = 250;

export class App {
  readonly #frame: ShellFrame;
  readonly #clipboard: RemoteClipboard;
  readonly #connector: Connector;
  readonly #desk: Desk;
  readonly #drags: Drags;
  readonly #picture: Picture;
  readonly #sound: DesktopSound;
  readonly #social: Social;
  readonly #measuring: Measuring;
  readonly #switches = store.switches();
  #identity: store.Identity | null = null;
  #layout: Layout = store.loadLayout();
  #ended: string | null = null;
  #media: MediaState | null = null;
  #wasDriving = false;
  readonly #redraw = new Ticker(REDRAW_MS, () => this.#draw());

  constructor(root: HTMLElement) {
    const frame = new ShellFrame(root);
    this.#frame = frame;
    this.#clipboard = new RemoteClipboard(frame.announcer, (paths) => this.#desk.transfers.fetch(paths));
    this.#connector = this.#makeConnector();
    this.#desk = new Desk(frame, {
      connection: () => this.#connector.live?.connection ?? null,
      guestOf: () => this.#identity?.terminal ?? null,
      terminalsOnly: () => this.#identity?.desktop === "none",
      session: () => this.#session,
      key: () => this.#identity?.key ?? "",
    });
    this.#drags = new Drags(frame.desktop, frame.announcer, { session: () => this.#session, transfers: () => this.#desk.transfers });
    this.#picture = new Picture(frame.desktop, {
      first: () => this.#draw(),
      failed: (reason) => frame.announcer.notice(`No picture: ${reason}`, "warning"),
      undecodable: () => this.#fallBackToJpeg(),
    });
    this.#sound = new DesktopSound(frame);
    this.#social = new Social(frame, () => this.#session);
    this.#measuring = new Measuring(
      frame,
      {
        live: () => this.#connector.live,
        canvas: () => this.#picture.canvas?.counters ?? null,
        stream: () => this.#picture.stream?.counters ?? null,
        shown: () => this.#picture.takeShown(),
        media: () => this.#media, pictureSize: () => this.#picture.size,
      },
      (ms) => this.#desk.terminals.setLink(ms),
    );
    this.#wire();
    this.#publish();
  }

  /** Signs in with a token of the address, or with the session of this tab, or asks. */
  async start(): Promise<void> {
    const credential = store.takeCredential();
    if (credential !== null) return this.#signIn(credential);
    this.#identity = store.loadIdentity();
    if (this.#identity) this.#begin();
    else this.#askToken("");
  }

  get #session(): GraphicalSession | null {
    return this.#connector.live?.graphical ?? null;
  }

  async #signIn(credential: Credential): Promise<void> {
    const outcome = await signIn(credential);
    if (typeof outcome === "string") {
      this.#askToken(outcome);
      return;
    }
    this.#identity = outcome;
    store.saveIdentity(outcome);
    this.#begin();
  }

  #askToken(message: string): void {
    store.forgetIdentity();
    this.#identity = null;
    this.#frame.showSignIn(true);
    this.#frame.signin.show(message);
  }

  #begin(): void {
    this.#frame.showSignIn(false);
    if (this.#identity?.terminal) this.#frame.setGuest();
    const desktop = this.#identity?.desktop !== "none";
    if (desktop && !this.#frame.tabs.ids.includes("desktop")) {
      this.#frame.tabs.addTab("desktop", "desktop", { title: "Desktop" }, this.#frame.desktop, false);
    }
    this.#frame.desktop.hidden = this.#frame.mode.hidden = !desktop;
    this.#frame.menu.toggleAttribute("data-no-desktop", !desktop);
    if (this.#identity?.size) this.#frame.desktop.setViewport(this.#identity.size);
    this.#connector.connect();
  }

  #makeConnector(): Connector {
    return new Connector({
      wish: () => ({
        key: this.#identity?.key ?? "",
        wantsDesktop: this.#identity?.desktop !== "none",
        // The only viewer's first viewport resizes the desktop, so it names the present size unless a match is wanted.
        viewport: this.#layout === "match" ? this.#frame.desktop.space : (this.#identity?.size ?? this.#frame.desktop.space),
        transport: this.#switches.transport,
        jpeg: this.#switches.jpeg,
      }),
      link: (link) => this.#linkChanged(link),
      up: (live) => this.#up(live),
      away: () => this.#away(),
      back: (live) => this.#back(live),
      down: () => this.#down(),
      sessions: (entries) => this.#desk.listed(entries),
      refused: (code, reason) => this.#sound.refused(code) || this.#desk.refused(reason),
      signedOut: (reason) => this.#askToken(reason),
      ready: (handshake) => this.#ready(handshake),
      mode: () => this.#modeChanged(),
      viewport: (size) => this.#viewportChanged(size),
      state: (state) => this.#stateChanged(state),
      share: (share) => this.#social.shared(share),
      cursor: (cursor) => this.#frame.desktop.receiveCursor(cursor),
      media: (media) => this.#sound.told((this.#media = media)),
      notification: (notification) => this.#social.notified(notification),
      chat: (line) => this.#social.said(line),
      // Only who drives asked for what the desktop copies; a watcher's own clipboard stays as it is.
      clipboard: (clip) => this.#session?.driving && this.#clipboard.receive(clip),
      offered: (offer) => this.#session?.driving && this.#clipboard.offered(offer),
      clipRules: (rules) => this.#clipboard.restricted(rules),
      drag: (news) => this.#drags.receive(news),
      recording: (state) => this.#desk.recordings.show(state),
      failed: (reason) => this.#frame.announcer.notice(reason, "warning"),
    });
  }

  #linkChanged(link: Link): void {
    this.#draw();
    this.#redraw.set(link.kind === "waiting" || link.kind === "connecting");
    if (link.kind === "connected") this.#frame.announcer.say(`Connected through ${transportName(link.transport)}.`);
    else if (link.kind === "waiting") this.#frame.announcer.say(`Connection lost. ${link.reason}`);
  }

  #up(live: Live): void {
    this.#measuring.reset();
    this.#frame.tabs.setAddEnabled(true);
    this.#frame.mode.setEnabled(live.graphical !== null);
    this.#desk.up(live.connection);
    live.connection.ping(performance.now());
  }

  /** The link is gone, the session is kept: what is on the page stays, and says that it is old. */
  #away(): void {
    this.#sound.interrupt();
    this.#applyDriving(false);
    this.#frame.tabs.setAddEnabled(false);
    this.#draw();
  }

  /** The session goes on: the picture comes over the new link, everything else never left. */
  #back(live: Live): void {
    this.#measuring.reset();
    this.#frame.tabs.setAddEnabled(true);
    this.#picture.release();
    if (live.graphical && live.graphical.capabilities.size > 0) this.#show(live);
    this.#modeChanged();
    live.connection.ping(performance.now());
    this.#draw();
  }

  /** Picture and sound of a connection whose handshake is done. */
  #show(live: Live): void {
    void this.#picture.attach(live);
    this.#sound.attach(live);
  }

  #down(): void {
    this.#picture.detach();
    this.#sound.detach();
    this.#social.down();
    this.#media = this.#ended = null;
    this.#frame.tabs.setAddEnabled(false);
    this.#frame.mode.setEnabled(false);
    this.#frame.mode.setValue("view", false);
    this.#frame.people.show(null);
    this.#frame.desktop.clear();
    this.#frame.voice.hidden = true;
    this.#applyDriving(false);
    this.#desk.down();
    this.#draw();
  }

  #ready(handshake: ServerHandshake): void {
    this.#viewportChanged(handshake.viewport);
    this.#frame.mode.setSegments("Mode", modes(this.#session?.has("command") === true));
    this.#frame.mode.setEnabled(true);
    this.#frame.mode.setValue("view", false);
    this.#social.ready(handshake.agent);
    if (this.#connector.live) this.#show(this.#connector.live);
    this.#draw();
  }

  #viewportChanged(size: { width: number; height: number }): void {
    this.#frame.desktop.setViewport(size);
    if (!this.#identity) return;
    this.#identity.size = size;
    store.saveIdentity(this.#identity);
  }

  #modeChanged(): void {
    const session = this.#session;
    if (!session) return;
    this.#frame.mode.setValue(session.wanted ?? session.mode, session.wanted !== null && session.wanted !== session.mode);
    this.#frame.voice.hidden = session.mode !== "voice";
    this.#applyDriving(session.driving);
  }

  #applyDriving(driving: boolean): void {
    this.#frame.setDriving(driving);
    this.#frame.desktop.setDriving(driving);
    if (driving === this.#wasDriving) return;
    this.#wasDriving = driving;
    if (driving) this.#followWindow();
    else this.#drags.stop();
    this.#frame.announcer.say(driving ? "Interacting. Press Control, Alt and Shift together to bring the keyboard back to the page." : "Viewing.");
  }

  #stateChanged(state: State): void {
    this.#social.state(state);
    this.#ended = state.desktop?.ended ?? null;
    if (this.#ended !== null) this.#frame.announcer.say(`The desktop session ended. ${this.#ended}`);
    this.#draw();
  }

  async #chooseMode(mode: Mode): Promise<void> {
    const session = this.#session;
    if (!session) return;
    if (mode === session.mode && session.wanted === null) {
      if (session.driving) this.#showDesktop();
      return;
    }
    if (mode !== "interact") session.setMode(mode);
    else if (await askForControl(session)) this.#showDesktop();
    this.#modeChanged();
  }

  #showDesktop(): void {
    this.#frame.tabs.select("desktop");
    if (this.#session?.driving) this.#frame.desktop.focusKeys();
  }

  /** Makes the desktop the size of the window when that is chosen; the server follows whom it may. */
  #followWindow(): void {
    if (this.#layout === "match" && this.#frame.tabs.selected === "desktop") this.#session?.resize(this.#frame.desktop.space);
  }

  #fallBackToJpeg(): void {
    this.#frame.announcer.notice("This browser cannot decode the video; going on with still pictures.", "warning");
    const live = this.#connector.live;
    if (live) void this.#picture.replace(live);
  }

  #draw(): void {
    const [now, link] = [performance.now(), this.#connector.link];
    this.#frame.status.show(link, now);
    const covers = !this.#frame.tabs.selected.startsWith("terminal");
    this.#frame.card.show(link, now, this.#ended, this.#picture.shown || !this.#session, covers);
    this.#frame.banner.show(link, now, !covers);
    this.#desk.draw(link.kind === "connected");
    this.#frame.desktop.setStale(!this.#picture.shown || this.#ended !== null);
  }

  #signOut(): void {
    this.#connector.disconnect("");
    this.#desk.terminals.closeAll();
    this.#askToken("");
  }

  #wire(): void {
    const frame = this.#frame;
    frame.mode.setSegments("Mode", modes(false));
    frame.mode.setValue("view", false);
    frame.mode.setEnabled(false);
    frame.tabs.setAddEnabled(false);
    frame.card.connect({ reconnect: () => this.#connector.connect() });
    frame.desktop.connect({
      active: () => this.#wasDriving && this.#session?.driving === true && !this.#drags.busy,
      has: (capability) => this.#session?.has(capability) === true,
      send: (message) => this.#session?.input(message),
      text: (content) => this.#session?.paste(content),
      paste: (clips, files) => (this.#session ? paste(this.#session, frame.announcer, this.#desk.transfers, clips, files) : Promise.resolve(false)),
      letGoOutside: () => this.#drags.take(),
      lockLost: () => frame.announcer.notice("The pointer is yours again. Press on the desktop to give it back to the program."),
      spaceChanged: () => this.#followWindow(),
    });
    frame.desktop.setLayout(this.#layout);
    frame.desktop.setSuperCommand(store.loadSuperCommand());
    wireMenu(this.#layout, this.#commands);
    frame.signin.addEventListener("token", (event) => void this.#signIn({ token: (event as CustomEvent<string>).detail }));
    frame.banner.addEventListener("reconnect", () => this.#connector.connect());
    frame.mode.addEventListener("choose", (event) => void this.#chooseMode((event as CustomEvent<Mode>).detail));
    frame.people.addEventListener("grant", (event) => this.#session?.grantFloor((event as CustomEvent<string>).detail));
    frame.status.addEventListener("open", () => this.#measuring.toggle());
    frame.keyboard.addEventListener("click", () => frame.desktop.toggleKeyboard());
    frame.onCommand = (sentence) => this.#session?.command(sentence);
    frame.tabs.addEventListener("select", (event) => this.#tabSelected((event as CustomEvent<string>).detail));
    document.addEventListener("visibilitychange", () => {
      this.#session?.media({ video: !document.hidden });
      if (!document.hidden) this.#connector.nudge();
    });
    window.addEventListener("online", () => this.#connector.nudge());
    window.addEventListener("pagehide", () => this.#connector.disconnect(""));
    window.addEventListener("pageshow", (event) => event.persisted && this.#identity && this.#connector.connect());
    listenShortcuts({
      begin: () => frame.desktop.release(),
      escape: () => this.#leaveKeyboard(),
      run: (code) => runShortcut(code, this.#commands),
    });
  }

  get #commands(): CommandHost {
    return {
      frame: this.#frame,
      desk: this.#desk,
      toggleMode: () => void this.#chooseMode(this.#session?.mode === "interact" ? "view" : "interact"),
      showDesktop: () => this.#showDesktop(),
      setLayout: (layout) => {
        this.#layout = layout;
        store.saveLayout(layout);
        this.#frame.desktop.setLayout(layout);
        this.#followWindow();
      },
      statistics: () => this.#measuring.toggle(),
      openAddress: () => this.#social.openAddress(),
      reconnect: () => this.#identity && this.#connector.connect(),
      signOut: () => this.#signOut(),
    };
  }

  #tabSelected(id: string): void {
    this.#draw();
    this.#desk.terminals.focus(id);
    if (id !== "desktop") return;
    if (this.#session?.driving) this.#frame.desktop.focusKeys();
    this.#followWindow();
  }

  #leaveKeyboard(): void {
    if (this.#frame.tabs.selected === "desktop" && !this.#frame.mode.hidden) this.#frame.mode.focus();
    else this.#frame.tabs.focusSelected();
    this.#frame.announcer.say("The keyboard is back on the page.");
  }

  #publish(): void {
    publish({
      state: () => this.#connector.link.kind,
      transport: () => this.#connector.live?.transport ?? null,
      mode: () => this.#session?.mode ?? "view",
      driving: () => this.#session?.driving ?? false,
      driver: () => this.#session?.share?.driver ?? null,
      self: () => this.#session?.share?.self ?? null,
      viewport: () => ({ ...this.#frame.desktop.viewport }),
      extensions: () => this.#connector.live?.connection.extensions ?? [],
      channels: () => this.#connector.live?.connection.channelNames ?? [],
      frames: () => this.#picture.frames,
      stats: () => ({ ...this.#measuring.statistics }),
      terminals: () => this.#desk.terminals.list(),
    });
  }
}
