/** SHARE and SHARE_STATE: several people at one terminal. */
import type { Fields } from "../encoding.ts";
import { flag, integer, map, maps, text } from "../fields.ts";
import { readRecording } from "../graphical/messages.ts";

/** Somebody at a terminal. */
export interface Participant {
  id: string;
  name: string;
  role: string;
  typing: boolean;
  lagging: boolean;
}

/** A link that leads here, for those who may end it. */
export interface ShareLink {
  /** Names the link in `revoke`; opens nothing. */
  link: string;
  role: string;
  /** Unix seconds. */
  expires: number;
  /** How often it can still be used; null for as often as one likes. */
  uses: number | null;
  used: number;
}

/** A link that was just made; the token is told once. */
export interface Invitation {
  link: string;
  token: string;
  url: string;
}

/** Who is at a terminal. */
export interface ShareState {
  self: string;
  driver: string | null;
  participants: Participant[];
  /** Null for those whom the links do not concern. */
  links: ShareLink[] | null;
  invited: Invitation | null;
  requestedBy: string | null;
  reason: string;
  /** The recording of the terminal that is under way. */
  recording: { by: string; since: number } | null;
}

/** What can be asked for. */
export type ShareAction =
  | { action: "request" | "take" | "release" }
  | { action: "grant" | "deny" | "kick"; to: string }
  | { action: "role"; to: string; role: string }
  | { action: "invite"; ttl: number; uses?: number }
  | { action: "revoke"; link: string };

/** Reads SHARE_STATE; participants and links that cannot be read are left out. */
export function readShareState(fields: Fields): ShareState {
  const invited = map(fields, "invited");
  return {
    self: text(fields, "self") ?? "",
    driver: text(fields, "driver") ?? null,
    participants: maps(fields, "participants").flatMap(participant),
    links: Array.isArray(fields["links"]) ? maps(fields, "links").flatMap(shareLink) : null,
    invited: invited ? { link: text(invited, "link") ?? "", token: text(invited, "token") ?? "", url: text(invited, "url") ?? "" } : null,
    requestedBy: text(fields, "requested_by") ?? null,
    reason: text(fields, "reason") ?? "",
    recording: readRecording(fields),
  };
}

function participant(fields: Fields): Participant[] {
  const id = text(fields, "id");
  if (id === undefined) return [];
  return [
    {
      id,
      name: text(fields, "name") ?? "",
      role: text(fields, "role") ?? "viewer",
      typing: flag(fields, "typing") ?? false,
      lagging: flag(fields, "lagging") ?? false,
    },
  ];
}

function shareLink(fields: Fields): ShareLink[] {
  const link = text(fields, "link") ?? text(fields, "id");
  if (link === undefined) return [];
  return [
    {
      link,
      role: text(fields, "role") ?? "viewer",
      expires: integer(fields, "expires") ?? 0,
      uses: integer(fields, "uses") ?? null,
      used: integer(fields, "used") ?? 0,
    },
  ];
}
