/** Taking and handing over control, with the questions a polite page asks. */
import type { Notification } from "../core/graphical/messages.ts";
import type { GraphicalSession } from "../core/graphical/session.ts";
import type { Announcer } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { el } from "../ui/dom.ts";

/** Asks for Interact; when somebody else drives the person decides first. True when Interact was asked for. */
export async function askForControl(session: GraphicalSession): Promise<boolean> {
  const other = session.otherDriver;
  if (!other) {
    session.setMode("interact");
    return true;
  }
  const self = session.share?.participants.find((participant) => participant.id === session.share?.self);
  const own = self !== undefined && other.name !== "" && self.name === other.name;
  const name = own ? "Another window of yours" : other.name || "Somebody";
  const body = own ? "You are signed in there with the same token. Take control to go on here." : `You can ask ${name} for control, or take it now. ${name} will see who took it.`;
  const choice = await ask(`${name} is driving`, [el("p", {}, body)], [
    { label: "Keep watching", value: null },
    { label: "Ask for control", value: "request" as const },
    { label: "Take control", value: "take" as const, kind: "drive" },
  ]);
  if (choice === "request") session.requestFloor();
  if (choice === "take") session.setMode("interact", true);
  return choice === "take";
}

/** Shows a request for control with its two answers; false when the notification is something else. */
export function answerRequest(notification: Notification, session: GraphicalSession, announcer: Announcer): boolean {
  const share = session.share;
  const asker = share?.participants.find((participant) => participant.id === notification.ref && participant.id !== share.self);
  if (!asker || share?.driver !== share?.self) return false;
  announcer.notice(notification.text || `${asker.name || "Somebody"} asks for control.`, "info", [
    { label: "Keep control", run: () => session.denyFloor(asker.id) },
    { label: "Hand over", run: () => session.grantFloor(asker.id) },
  ]);
  return true;
}
