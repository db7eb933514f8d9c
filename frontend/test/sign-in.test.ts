import assert from "node:assert/strict";
import { test } from "node:test";

import { type Fetch, type SignInOutcome, signIn } from "../src/connection/sign-in";

const URL_HERE = "/accounts/login/?next=/documents/d/";
const FORM = { form: { fields: {}, errors: [] } };

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly body: string;
  readonly token: string;
}

async function attempt(...answers: (() => Response)[]): Promise<{ outcome: SignInOutcome; asked: Asked[] }> {
  const asked: Asked[] = [];
  const request: Fetch = async (url, { method = "GET", body, headers }) => {
    asked.push({ url, method, body: String(body ?? ""), token: new Headers(headers).get("X-CSRFToken") ?? "" });
    const answer = answers.shift();
    assert.ok(answer, "more requests than expected");
    return answer();
  };
  // The cookie changes with the first request.
  const outcome = await signIn(URL_HERE, "a@b.org", "secret", request, () => `token ${asked.length}`);
  return { outcome, asked };
}

const form = (): Response => Response.json(FORM);

test("a fresh token, then the form, then back to where it stopped", async () => {
  const { outcome, asked } = await attempt(form, () => Response.json({ location: "/documents/d/", ...FORM }));
  assert.deepEqual(outcome, { kind: "in" });
  assert.deepEqual(asked, [
    { url: URL_HERE, method: "GET", body: "", token: "" },
    {
      url: "/accounts/login/",
      method: "POST",
      body: "login=a%40b.org&password=secret&next=%2Fdocuments%2Fd%2F",
      token: "token 1",
    },
  ]);
});

test("the server's own words for what is wrong", async () => {
  const wrong = { form: { errors: ["These do not belong together."], fields: { login: { errors: ["No address."] } } } };
  const { outcome } = await attempt(form, () => Response.json(wrong, { status: 400 }));
  assert.deepEqual(outcome, { kind: "refused", told: "These do not belong together. No address." });
});

test("throttled, broken and unreachable, in words", async () => {
  const told = async (answer: () => Response): Promise<string> => {
    const { outcome } = await attempt(form, answer);
    return outcome.kind === "refused" ? outcome.told : outcome.kind;
  };
  assert.match(await told(() => new Response("<html>", { status: 429 })), /^Too many failed sign-ins/);
  assert.match(await told(() => new Response("<html>", { status: 500 })), /^That did not work/);
  const unreachable = await told(() => {
    throw new TypeError("network");
  });
  assert.match(unreachable, /^The server cannot be reached\. Your text is kept/);
});

test("another step than a password happens on the sign-in page", async () => {
  const { outcome } = await attempt(form, () => Response.json({ location: "/accounts/2fa/authenticate/" }));
  assert.deepEqual(outcome, { kind: "elsewhere" });
});

test("whoever has signed in in another tab meanwhile is in, and the password is not sent", async () => {
  const { outcome, asked } = await attempt(() => Response.json({ location: "/documents/d/" }));
  assert.deepEqual(outcome, { kind: "in" });
  assert.equal(asked.length, 1);
});
