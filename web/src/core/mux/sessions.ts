/** The server's list of sessions: what runs there, whoever is attached. */
import type { Bytes } from "../bytes.ts";
import { utf8 } from "../bytes.ts";
import type { Fields } from "../encoding.ts";
import { jsonFields, toJson } from "../encoding.ts";
import { integer, maps, text, texts } from "../fields.ts";

/** One entry of SESSION_LIST_RESPONSE. */
export interface SessionEntry {
  sessionId: string;
  kind: string;
  name: string;
  title: string;
  /** Unix seconds. */
  created: number;
  lastActivity: number;
  attachedClients: number;
  rows: number;
  cols: number;
  /** What the asker would be. */
  role: string;
  /** Exit status of a program that ended and was not seen, or null while it runs. */
  exit: number | null;
  pid: number | null;
  channels: string[];
}

/** What SESSION_CONTROL asks for. */
export type SessionAction = { action: "rename"; sessionId: string; name: string } | { action: "end"; sessionId: string };

/** Reads SESSION_LIST_RESPONSE; entries without an id are left out. */
export function sessionList(payload: Bytes): SessionEntry[] {
  return maps(jsonFields(payload), "sessions").flatMap(entry);
}

/** SESSION_CONTROL. */
export function sessionControl(action: SessionAction): Bytes {
  return utf8(toJson({ ...action }));
}

function entry(fields: Fields): SessionEntry[] {
  const sessionId = text(fields, "sessionId");
  if (sessionId === undefined || sessionId === "") return [];
  return [
    {
      sessionId,
      kind: text(fields, "kind") ?? "graphical",
      name: text(fields, "name") ?? "",
      title: text(fields, "title") ?? "",
      created: integer(fields, "created") ?? 0,
      lastActivity: integer(fields, "lastActivity") ?? 0,
      attachedClients: integer(fields, "attachedClients") ?? 0,
      rows: integer(fields, "rows") ?? 0,
      cols: integer(fields, "cols") ?? 0,
      role: text(fields, "role") ?? "viewer",
      exit: integer(fields, "exit", -255, 65_535) ?? null,
      pid: integer(fields, "pid") ?? null,
      channels: texts(fields, "channels"),
    },
  ];
}
