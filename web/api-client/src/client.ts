import createClient from "openapi-fetch";
import type { paths } from "../generated/schema";
import type { ProblemBody } from "./shapes";

/** A refused or failed call. `code` is stable; the screens own the words. `offline` means the server was not reached at all. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly args: Record<string, unknown>;
  readonly requestId: string;
  readonly retryAfter: number | null;
  constructor(status: number, body: Partial<ProblemBody> | undefined) {
    super(body?.title ?? body?.code ?? `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = body?.code ?? (status === 0 ? "offline" : status >= 500 ? "internal" : `http_${status}`);
    this.args = body?.args ?? {};
    this.requestId = body?.request_id ?? "";
    this.retryAfter = body?.retry_after ?? null;
  }
  get offline(): boolean {
    return this.status === 0;
  }
}

/** Makes a client. `fetch` is a parameter so that tests and the mock need no network. */
export function makeClient(options: { baseUrl?: string; fetch?: (request: Request) => Promise<Response> } = {}) {
  return createClient<paths>({ baseUrl: options.baseUrl ?? "", credentials: "same-origin", fetch: options.fetch });
}

export type Client = ReturnType<typeof makeClient>;

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Turns an openapi-fetch answer into its data, or throws a `Problem`. */
export async function need<T>(answer: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, undefined);
  }
  if (!got.response.ok) throw new Problem(got.response.status, isBody(got.error) ? got.error : undefined);
  return got.data as T;
}

/** The problem of a raw `Response` (files, uploads), where openapi-fetch is not used. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined);
  return new Problem(response.status, isBody(body) ? body : undefined);
}

function isBody(value: unknown): value is ProblemBody {
  return typeof value === "object" && value !== null && "code" in value;
}
