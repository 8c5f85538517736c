/** A flat folder of files on the mock server. */
import type { Bytes } from "../../src/core/bytes.ts";
import { concat, utf8 } from "../../src/core/bytes.ts";
import { jsonFields, toJson } from "../../src/core/encoding.ts";
import type { Fields } from "../../src/core/encoding.ts";

export class MockFiles {
  readonly #handles = new Map<number, string>();
  #next = 1;

  constructor(
    private readonly files: Map<string, Uint8Array>,
    private readonly send: (type: number, payload: Bytes) => void,
  ) {}

  receive(type: number, payload: Bytes): void {
    if (type === 0x03) return this.#read(new DataView(payload.buffer, payload.byteOffset));
    if (type === 0x05) return this.#write(new DataView(payload.buffer, payload.byteOffset), payload.subarray(12));
    const fields = jsonFields(payload);
    const path = name(String(fields["path"] ?? ""));
    if (type === 0x01) this.#open(path, fields);
    else if (type === 0x07) this.#json(0x08, { handle: fields["handle"] as number });
    else if (type === 0x09) this.#list(path);
    else if (type === 0x0d) this.#json(0x11, { op: type, path });
    else this.#json(0x10, { code: 6007, reason: "not in this server", op: type });
  }

  #open(path: string, fields: Fields): void {
    const flags = fields["flags"] as string[];
    const known = this.files.get(path);
    if (fields["mode"] === "read" && !known) return this.#json(0x10, { code: 6000, reason: "no such file", op: 1, path });
    if (flags.includes("exclusive") && known) return this.#json(0x10, { code: 6002, reason: "the file exists", op: 1, path });
    if (fields["mode"] === "write") this.files.set(path, new Uint8Array(0));
    const handle = this.#next++;
    this.#handles.set(handle, path);
    this.#json(0x02, { handle, size: known?.length ?? 0 });
  }

  #read(view: DataView): void {
    const file = this.files.get(this.#handles.get(view.getUint32(0)) ?? "") ?? new Uint8Array(0);
    const from = Number(view.getBigUint64(4));
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, view.getUint32(0));
    this.send(0x04, concat([head, file.subarray(from, from + view.getUint32(12))]));
  }

  #write(view: DataView, data: Uint8Array): void {
    const path = this.#handles.get(view.getUint32(0)) ?? "";
    const from = Number(view.getBigUint64(4));
    const file = this.files.get(path) ?? new Uint8Array(0);
    this.files.set(path, concat([file.subarray(0, from), data, file.subarray(from + data.length)]));
    this.#json(0x06, { handle: view.getUint32(0), bytesWritten: data.length });
  }

  #list(path: string): void {
    const under = path === "" ? "" : `${path}/`;
    const entries = [...this.files].filter(([file]) => file.startsWith(under)).map(([file, content]) => ({ name: file.slice(under.length), type: "file", size: content.length, modified: 1_790_000_000, permissions: 644 }));
    this.#json(0x0a, { entries: path === "" ? [{ name: "src", type: "dir", size: 0, modified: 1_789_000_000, permissions: 755 }, ...entries] : entries });
  }

  #json(type: number, fields: Fields): void {
    this.send(type, utf8(toJson(fields)));
  }
}

function name(path: string): string {
  return path.replace(/^(\.\/|\/)+/, "").replace(/^\.$/, "");
}
