/** From a point on the page to a pixel of the remote desktop. */
import type { Size } from "../core/graphical/messages.ts";

/** A rectangle on the page, in CSS pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The remote pixel under a point of the page, clamped to the viewport. */
export function toViewport(clientX: number, clientY: number, box: Box, viewport: Size): { x: number; y: number } {
  return {
    x: scaled(clientX - box.left, box.width, viewport.width),
    y: scaled(clientY - box.top, box.height, viewport.height),
  };
}

/** The same without losing what lies between two pixels, for a pen. */
export function toViewportExact(clientX: number, clientY: number, box: Box, viewport: Size): { x: number; y: number } {
  return {
    x: exact(clientX - box.left, box.width, viewport.width),
    y: exact(clientY - box.top, box.height, viewport.height),
  };
}

function exact(offset: number, shown: number, remote: number): number {
  if (shown <= 0) return 0;
  return Math.min(remote - STEP, Math.max(0, (offset * remote) / shown));
}

/** The smallest distance that the wire knows. */
const STEP = 1 / 256;

function scaled(offset: number, shown: number, remote: number): number {
  if (shown <= 0) return 0;
  return Math.min(remote - 1, Math.max(0, Math.floor((offset / shown) * remote)));
}

/** The size at which a viewport fills a space without being cut. */
export function fit(viewport: Size, space: Size): Size {
  const factor = Math.min(space.width / viewport.width, space.height / viewport.height);
  return { width: Math.max(1, Math.floor(viewport.width * factor)), height: Math.max(1, Math.floor(viewport.height * factor)) };
}
