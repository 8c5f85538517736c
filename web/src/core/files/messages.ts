/** The messages of the `file-transfer` channel. */
import type { Bytes } from "../bytes.ts";
import { concat, utf8, view } from "../bytes.ts";
import type { Fields } from "../encoding.ts";
import { jsonFields, toJson } from "../encoding.ts";
import { flag, integer, maps, text } from "../fields.ts";

/** Message types, requests and answers. */
export const FileType = {
  Open: 0x01,
  OpenAck: 0x02,
  Read: 0x03,
  ReadResponse: 0x04,
  Write: 0x05,
  WriteAck: 0x06,
  Close: 0x07,
  CloseAck: 0x08,
  List: 0x09,
  ListResponse: 0x0a,
  Stat: 0x0b,
  StatResponse: 0x0c,
  MakeFolder: 0x0d,
  Remove: 0x0e,
  Rename: 0x0f,
  Error: 0x10,
  Ok: 0x11,
} as const;

/** What the server says when it cannot. */
export const FileCode = {
  NotFound: 6000,
  PermissionDenied: 6001,
  Exists: 6002,
  NotAFolder: 6003,
  IsAFolder: 6004,
  DiskFull: 6005,
  InvalidHandle: 6006,
  Io: 6007,
} as const;

/** One entry of a folder. */
export interface FileEntry {
  name: string;
  type: "file" | "dir" | "symlink" | "other";
  size: number;
  /** Unix seconds. */
  modified: number;
}

/** Builds a request with a JSON body. */
export function request(fields: Fields): Bytes {
  return utf8(toJson(fields));
}

/** FILE_READ. */
export function readRequest(handle: number, offset: number, length: number): Bytes {
  const bytes = new Uint8Array(16);
  const out = view(bytes);
  out.setUint32(0, handle);
  out.setBigUint64(4, BigInt(offset));
  out.setUint32(12, length);
  return bytes;
}

/** FILE_WRITE. */
export function writeRequest(handle: number, offset: number, data: Uint8Array): Bytes {
  const head = new Uint8Array(12);
  const out = view(head);
  out.setUint32(0, handle);
  out.setBigUint64(4, BigInt(offset));
  return concat([head, data]);
}

/** The data of FILE_READ_RESPONSE, empty at the end of the file; null when it is malformed. */
export function readData(payload: Bytes): Bytes | null {
  return payload.length < 4 ? null : payload.subarray(4);
}

/** Whether another answer follows this part of a long folder. */
export function hasMore(payload: Bytes): boolean {
  try {
    return flag(jsonFields(payload), "more") === true;
  } catch {
    return false;
  }
}

/** Reads FILE_LIST_RESPONSE; entries that cannot be read, or whose names are no names, are left out. */
export function entries(payload: Bytes): FileEntry[] {
  return maps(jsonFields(payload), "entries").flatMap((fields) => {
    const name = text(fields, "name");
    if (name === undefined || name === "" || name === "." || name === ".." || /[/\0]/.test(name)) return [];
    const type = text(fields, "type");
    return [{ name, type: type === "dir" || type === "symlink" || type === "file" ? type : ("other" as const), size: integer(fields, "size") ?? 0, modified: integer(fields, "modified") ?? 0 }];
  });
}
