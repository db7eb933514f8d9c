/** Django's CSRF token, read anew every time: signing in changes it. */
export function csrfToken(): string {
  const pair = document.cookie.split("; ").find((cookie) => cookie.startsWith("csrftoken="));
  return pair === undefined ? "" : decodeURIComponent(pair.slice("csrftoken=".length));
}

/** A request as this person. An answer that leads to the sign-in page counts as none. */
export function post(url: string, body: BodyInit, signal?: AbortSignal): Promise<Response> {
  const headers = { "X-CSRFToken": csrfToken() };
  return fetch(url, { method: "POST", headers, body, redirect: "error", ...(signal === undefined ? {} : { signal }) });
}
