// WebAuthn: asks the browser for a passkey and sends what it answers with the form. What the server wants is JSON in
// which bytes are base64url, as in django-allauth's forms.

type Json = Record<string, unknown>;

/** `data-passkey` says what a form does: `create` a key, `prove` one that is asked for on this page, or `sign-in`. */
export function usePasskeys(): void {
  if (!("credentials" in navigator) || !("PublicKeyCredential" in globalThis)) return;
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void ask(form);
    });
  }
}

async function ask(form: HTMLFormElement): Promise<void> {
  const field = form.querySelector<HTMLInputElement>("[data-credential] input, input[data-credential]");
  const problem = form.querySelector<HTMLElement>("[data-problem]");
  if (field === null || problem === null) throw new Error("The passkey form lacks its parts");
  problem.textContent = "";
  try {
    const credential = form.dataset["passkey"] === "create" ? await create(facts()) : await prove(await wanted(form));
    field.value = JSON.stringify(credential);
  } catch (error) {
    problem.textContent = complaint(error);
    return;
  }
  form.submit();
}

function complaint(error: unknown): string {
  if (!(error instanceof DOMException)) return "That did not work. Load the page again and repeat it.";
  if (error.name === "InvalidStateError") return "This device keeps a passkey of yours for this site already.";
  // Also what a browser says when there is no key: it does not tell a site which of the two it was.
  return "No passkey was used. Try again, or go another way.";
}

/** What the server wrote into the page. */
function facts(): Json {
  return record(JSON.parse(document.getElementById("passkey-data")?.textContent ?? "null"));
}

async function wanted(form: HTMLFormElement): Promise<Json> {
  if (form.dataset["passkey"] !== "sign-in") return facts();
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}`);
  return record(await answer.json());
}

async function create(data: Json): Promise<Json> {
  const options = record(record(data["creation_options"])["publicKey"]);
  const publicKey = {
    ...options,
    challenge: bytes(options["challenge"]),
    user: { ...record(options["user"]), id: bytes(record(options["user"])["id"]) },
    excludeCredentials: descriptors(options["excludeCredentials"]),
    authenticatorSelection: {
      ...record(options["authenticatorSelection"] ?? {}),
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required",
    },
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return described(made, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports(),
  });
}

async function prove(data: Json): Promise<Json> {
  const options = record(record(data["request_options"])["publicKey"]);
  const publicKey = {
    ...options,
    challenge: bytes(options["challenge"]),
    allowCredentials: descriptors(options["allowCredentials"]),
  } as unknown as PublicKeyCredentialRequestOptions;
  const found = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const response = found.response as AuthenticatorAssertionResponse;
  return described(found, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle === null ? null : text(response.userHandle),
  });
}

function described(credential: PublicKeyCredential, response: Json): Json {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

function descriptors(list: unknown): Json[] {
  return Array.isArray(list) ? list.map((one: unknown) => ({ ...record(one), id: bytes(record(one)["id"]) })) : [];
}

function record(value: unknown): Json {
  if (typeof value !== "object" || value === null) throw new Error("The server's facts about passkeys are incomplete");
  return value as Json;
}

function bytes(value: unknown): Uint8Array<ArrayBuffer> {
  const letters = atob(String(value).replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

function text(value: ArrayBuffer): string {
  const letters = Array.from(new Uint8Array(value), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
