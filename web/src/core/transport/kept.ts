/** What the server keeps, over HTTP: recordings and their files, and the desktop as a picture. */
import type { Value } from "../cbor.ts";
import type { Fields } from "../encoding.ts";
import { integer, maps, text } from "../fields.ts";
import { Refused } from "./signalling.ts";

/** A recording on the server. */
export interface StoredRecording {
  id: string;
  by: string;
  /** Unix seconds. */
  began: number;
  files: { name: string; bytes: number }[];
}

/** The desktop to the pixel, as PNG. */
export async function screenshot(key: string): Promise<Blob> {
  return (await get(key, "/screenshot")).blob();
}

/** The newest recordings, the newest first. */
export async function listRecordings(key: string): Promise<StoredRecording[]> {
  return readRecordings((await (await get(key, "/recordings")).json()) as Fields);
}

/** Reads a list of recordings; what cannot be read is left out. */
export function readRecordings(answer: Fields): StoredRecording[] {
  return maps(answer, "recordings").flatMap((recording) => {
    const id = text(recording, "id");
    if (id === undefined) return [];
    const files = maps(recording, "files").flatMap((file) => {
      const name = text(file, "name");
      return name === undefined ? [] : [{ name, bytes: integer(file, "bytes") ?? 0 }];
    });
    return [{ id, by: text(recording, "by") ?? "", began: integer(recording, "began") ?? 0, files }];
  });
}

/** A file of a recording. */
export async function recordingFile(key: string, id: string, name: string): Promise<Blob> {
  return (await get(key, `/recordings/${encodeURIComponent(id)}/${encodeURIComponent(name)}`)).blob();
}

async function get(key: string, path: string): Promise<Response> {
  const response = await fetch(path, { headers: { authorization: `Bearer ${key}` }, cache: "no-store", credentials: "omit" });
  if (response.ok) return response;
  const answer = (await response.json().catch(() => null)) as { error?: { code?: Value; reason?: Value } } | null;
  const reason = answer?.error?.reason;
  throw new Refused(response.status, Number(answer?.error?.code ?? 0), typeof reason === "string" ? reason : `the server answers ${response.status}`);
}
