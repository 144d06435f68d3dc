/** Without a socket: server-sent events for what comes, POST for what goes. */
import { call, Problem, type ClientFrame, type ServerFrame } from "./wire";

/**
 * Reads the event stream until it ends; answers with the status. `fetch` and not EventSource: the token stays out of the address, and
 * reconnecting stays with the transport. `heard` gets the data lines of each piece, possibly none (a comment that says "still here").
 */
export async function stream(address: string, token: string, signal: AbortSignal, opened: () => void, heard: (lines: string[]) => void): Promise<number> {
  const answer = await fetch(address, {
    headers: { Accept: "text/event-stream", Authorization: `Visitor ${token}` },
    credentials: "omit",
    cache: "no-store",
    signal,
  });
  if (!answer.ok || !answer.body) return answer.status;
  opened();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return answer.status;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop() ?? "";
    heard(lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)));
  }
}

export async function post(base: string, token: string, frames: ClientFrame[]) {
  try {
    const answer = await call<{ frames: ServerFrame[] }>(`${base}/frames`, { method: "POST", body: JSON.stringify({ frames }) }, token);
    return { ok: true, status: 200, frames: answer.frames };
  } catch (error) {
    const { status, retryAfter } = error instanceof Problem ? error : new Problem("network");
    return { ok: false, status, retry_after: retryAfter, frames: [] };
  }
}
