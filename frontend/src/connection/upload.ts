/** An update too large for a frame, sent in pieces over HTTP into the same log: `docs/protocol.md`, "Uploads". */

import { delayBefore } from "./backoff";
import type { Clock } from "./clock";
import { type RefusalReason, isRecord, parseRefusal } from "./facts";
import { randomId } from "./random-id";

const PIECE = 512 * 1024;

/** Times one upload is begun again from its first piece before the connection is asked what is wrong. */
const BEGINNINGS = 8;

export type UploadOutcome =
  /** Committed: as good as message 100. */
  | { readonly kind: "saved" }
  | { readonly kind: "refused"; readonly reason: RefusalReason }
  /** No access, no session or no such document, which look alike here; the socket's close code tells which. */
  | { readonly kind: "turned-away" };

/** Resolves when the server has decided; never rejects. After an abort the outcome means nothing. */
export type Upload = (
  update: Uint8Array,
  signal: AbortSignal,
  progress: (part: number) => void,
) => Promise<UploadOutcome>;

/** Sends one piece; rejects when there was no answer. `fetch` with the session's cookies and the CSRF token. */
export type PostPiece = (address: string, piece: Uint8Array, signal: AbortSignal) => Promise<Response>;

type Verdict = UploadOutcome | "next" | "again" | "from-the-start";

/** `client` is the id that this page announces on its socket: the server does not send it there what it uploads. */
export function uploadTo(url: string, client: number, post: PostPiece, clock: Clock): Upload {
  return async (update, signal, progress) => {
    const parts = Math.max(1, Math.ceil(update.length / PIECE));
    let id = randomId();
    let failures = 0;
    let beginnings = 1;
    for (let part = 0; !signal.aborted; ) {
      const piece = update.subarray(part * PIECE, (part + 1) * PIECE);
      const verdict = await judge(post(`${url}/${id}?part=${part}&parts=${parts}&client=${client}`, piece, signal));
      if (typeof verdict === "object") return verdict;
      if (verdict === "next") {
        part += 1;
        failures = 0;
        progress(part / parts);
        continue;
      }
      if (verdict === "from-the-start" || part === parts - 1) {
        // What has arrived may be gone; a new id leaves no doubt which pieces belong together.
        if (++beginnings > BEGINNINGS) return { kind: "turned-away" };
        [part, id] = [0, randomId()];
      }
      await pause(clock, delayBefore(failures++, clock.random()), signal);
    }
    return { kind: "turned-away" };
  };
}

async function judge(answer: Promise<Response>): Promise<Verdict> {
  let response: Response;
  try {
    response = await answer;
  } catch {
    // No answer: the network, or an abort, which the caller sees at its signal.
    return "again";
  }
  if (response.status === 202) return "next";
  if (response.status === 409) return "from-the-start";
  if (response.status >= 500 || response.status === 429) return "again";
  const body = await json(response);
  if (response.ok) return body["saved"] === true ? { kind: "saved" } : { kind: "turned-away" };
  const reason = typeof body["reason"] === "string" ? parseRefusal(body["reason"]) : null;
  if (reason === "busy") return "again";
  if (reason === null || reason === "refused") return { kind: "turned-away" };
  return { kind: "refused", reason };
}

async function json(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return isRecord(body) ? body : {};
  } catch {
    // A page of the proxy or of the CSRF check, not an answer of the upload.
    return {};
  }
}

function pause(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const cancel = clock.after(delay, done);
    signal.addEventListener("abort", () => (cancel(), done()), { once: true });
  });
}
