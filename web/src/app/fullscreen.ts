/** Full screen with the keyboard held, by both of the ways that browsers know. */
export function toggleFullscreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void enter();
}

async function enter(): Promise<void> {
  const options: FullscreenOptions & { keyboardLock?: string } = { keyboardLock: "browser" };
  await document.documentElement.requestFullscreen(options).catch(() => undefined);
  const keyboard = (navigator as Navigator & { keyboard?: { lock?(): Promise<void> } }).keyboard;
  await keyboard?.lock?.().catch(() => undefined);
}
