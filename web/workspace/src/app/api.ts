import { makeClient, need as needRaw, Problem } from "@continuo/api-client";

/** The one client of the app. */
export const api = makeClient({ fetch: (request) => fetch(request) });

let leaving = false;

/** Data of a call or a `Problem`; a lost login session goes to the sign-in page and comes back here. Typed text is safe: drafts are on disk. */
export async function need<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  try {
    return await needRaw(answer);
  } catch (error) {
    if (error instanceof Problem && error.status === 401 && error.code === "not_signed_in") toSignIn();
    throw error;
  }
}

export function toSignIn() {
  if (leaving || location.pathname.startsWith("/setup")) return;
  leaving = true;
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
}

export { Problem };
