/** What differs between operating systems at the keyboard. */
export interface Platform {
  /** macOS sends no key-up for keys pressed with Cmd, and Option takes the part of AltGr. */
  mac: boolean;
  /** Windows announces AltGr as Control followed by Alt. */
  windows: boolean;
  /** On macOS: Cmd is the Super key of the desktop. Otherwise it is Control, which does there what Cmd does here. */
  superCommand?: boolean;
}

/** The platform that the browser runs on. */
export function detectPlatform(navigator: { platform?: string; userAgent: string }): Platform {
  const name = `${navigator.platform ?? ""} ${navigator.userAgent}`;
  return { mac: /Mac|iPhone|iPad/.test(name), windows: /Win/.test(name) };
}
