/** The modes as the segmented control shows them. */
import type { Mode } from "../core/graphical/messages.ts";
import type { Segment } from "./segmented.ts";

const VIEW: Segment<Mode> = { value: "view", label: "View", icon: "view", hint: "Watch; nothing reaches the desktop" };
const INTERACT: Segment<Mode> = { value: "interact", label: "Interact", icon: "interact", hint: "Keyboard, mouse and touch go to the desktop (Ctrl+Alt+Shift+I)" };
const VOICE: Segment<Mode> = { value: "voice", label: "Voice", icon: "voice", hint: "Tell the desktop what to do" };

/** The modes to choose from; Voice only where the server takes commands. */
export function modes(commands: boolean): Segment<Mode>[] {
  return commands ? [VIEW, INTERACT, VOICE] : [VIEW, INTERACT];
}
