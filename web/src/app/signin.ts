/** Exchanging a token for a session, and saying in words why that did not work. */
import { Refused, login } from "../core/transport/signalling.ts";
import type { Identity } from "./store.ts";

/** What a person comes with: the token of the server, or that of a link to one terminal. */
export type Credential = { token: string } | { share: string };

/** The session of a credential, or what to tell the person. */
export async function signIn(credential: Credential): Promise<Identity | string> {
  try {
    const { session, user, role, desktop, size, terminal } = await login(credential);
    return { key: session, user, role, desktop, size, terminal };
  } catch (error) {
    return explain(error, "share" in credential);
  }
}

function explain(error: unknown, shared: boolean): string {
  if (error instanceof Refused && (error.status === 401 || error.status === 403 || error.status === 404)) {
    if (shared) return "This link no longer works: it was used up, has expired or was ended. Ask for another one.";
    return "This token is not valid. Open the address that vroomd printed when it started, or copy the token again.";
  }
  if (error instanceof Refused && error.status === 429) return "Too many attempts. Wait a minute and try again.";
  return `Signing in failed: ${error instanceof Error ? error.message : String(error)}. Check that vroomd is running.`;
}
