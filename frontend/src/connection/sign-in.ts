/** Signs in without leaving the page, by the same form as the sign-in page (django-allauth's, asked for JSON). */

import { isRecord } from "./facts";
import { csrfToken } from "./post";

export type SignInOutcome =
  | { readonly kind: "in" }
  /** A sentence that says what is wrong and what to do. */
  | { readonly kind: "refused"; readonly told: string }
  /** The server wants more than a password: the sign-in page itself has to be opened. */
  | { readonly kind: "elsewhere" };

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const UNREACHABLE = "The server cannot be reached. Your text is kept; try again in a moment.";
const THROTTLED = "Too many failed sign-ins. Wait five minutes and try again.";
const BROKEN = "That did not work. Try again, or sign in in another tab.";

/** `url` is the sign-in page's, with where it leads as `next`. Never rejects. */
export async function signIn(
  url: string,
  login: string,
  password: string,
  request: Fetch = (address, init) => fetch(address, init),
  token: () => string = csrfToken,
): Promise<SignInOutcome> {
  const { pathname, search, searchParams } = new URL(url, "http://here.invalid");
  const next = searchParams.get("next") ?? "";
  const headers = { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" };
  try {
    // Sets a fresh CSRF cookie. Whoever has signed in elsewhere meanwhile is led on instead of being asked.
    const asked = await read(await request(pathname + search, { headers }));
    if (asked.status === 200 && asked.body["form"] === undefined) return arrived(asked.body, next, true);
    const answer = await request(pathname, {
      method: "POST",
      headers: { ...headers, "X-CSRFToken": token() },
      body: new URLSearchParams({ login, password, next }),
    });
    return outcome(await read(answer), next);
  } catch {
    return { kind: "refused", told: UNREACHABLE };
  }
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function read(response: Response): Promise<Answer> {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json") ?? false;
  const body: unknown = isJson ? await response.json() : null;
  return { status: response.status, body: isRecord(body) ? body : {} };
}

function outcome({ status, body }: Answer, next: string): SignInOutcome {
  if (status === 200) return arrived(body, next, false);
  if (status === 429) return { kind: "refused", told: THROTTLED };
  const told = complaints(body["form"]).join(" ");
  return { kind: "refused", told: told === "" ? BROKEN : told };
}

/** Anything but the place that was asked for is another step of signing in. */
function arrived(body: Record<string, unknown>, next: string, already: boolean): SignInOutcome {
  return already || body["location"] === next ? { kind: "in" } : { kind: "elsewhere" };
}

function complaints(form: unknown): string[] {
  if (!isRecord(form)) return [];
  const fields = isRecord(form["fields"]) ? Object.values(form["fields"]) : [];
  return [form, ...fields].flatMap((part) => {
    const errors: unknown = isRecord(part) ? part["errors"] : null;
    return Array.isArray(errors) ? errors.filter((error) => typeof error === "string") : [];
  });
}
