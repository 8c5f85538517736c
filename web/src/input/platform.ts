/** What differs between operating systems at the keyboard. */
export interface Platform {
  /** macOS sends no key-up for keys pressed with Cmd, and Option takes the part of AltGr. */
  mac: boolean;
  /** Windows announces AltGr as Control followed by Alt. */
  windows: boolean;
}

/** The platform that the browser runs on. */
export function detectPlatform(navigator: { platform?: string; userAgent: string }): Platform {
  const name = `${navigator.platform ?? ""} ${navigator.userAgent}`;
  return { mac: /Mac|iPhone|iPad/.test(name), windows: /Win/.test(name) };
}
