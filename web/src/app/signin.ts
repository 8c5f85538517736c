/** Exchanging a token for a session, and saying in words why that did not work. */
import { Refused, login } from "../core/transport/signalling.ts";
import type { Identity } from "./store.ts";

/** The session of a token, or what to tell the person. */
export async function signIn(token: string): Promise<Identity | string> {
  try {
    const { session, user, role, desktop, size } = await login(token);
    return { key: session, user, role, desktop, size };
  } catch (error) {
    return explain(error);
  }
}

function explain(error: unknown): string {
  if (error instanceof Refused && error.status === 401) {
    return "This token is not valid. Open the address that vroomd printed when it started, or copy the token again.";
  }
  if (error instanceof Refused && error.status === 429) return "Too many attempts. Wait a minute and try again.";
  return `Signing in failed: ${error instanceof Error ? error.message : String(error)}. Check that vroomd is running.`;
}
