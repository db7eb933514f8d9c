import type { DraftStore } from "../storage/draft-store";

/** Whoever signs out with unsaved changes on this device hears first what becomes of them. */
export function warnAtSignOut(store: DraftStore, person: string): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[action$='/accounts/logout/']")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void titlesOf(store, person).then((titles) => {
        if (titles.length === 0) form.submit();
        else ask(titles, () => form.submit());
      });
    });
  }
}

async function titlesOf(store: DraftStore, person: string): Promise<string[]> {
  try {
    return [...new Set((await store.of(person)).map(({ title }) => `“${title}”`))];
  } catch {
    // A device that can't be asked has kept nothing either, and the tab that holds it said so.
    return [];
  }
}

function ask(titles: string[], signOut: () => void): void {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  const go = button("Sign out", "button", () => (dialog.close(), signOut()));
  const stay = button("Stay", "button is-main", () => dialog.close());
  const actions = document.createElement("div");
  text.id = "sign-out-warning";
  text.textContent =
    `Changes of yours in ${titles.join(", ")} are not saved yet. They stay on this device, for you alone: when you ` +
    "sign in here again and open the document they are sent, or offered to you as a copy.";
  actions.className = "actions";
  actions.append(stay, go);
  dialog.className = "sign-out-warning";
  dialog.setAttribute("aria-labelledby", text.id);
  dialog.append(text, actions);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function button(text: string, className: string, act: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className, textContent: text });
  element.addEventListener("click", act);
  return element;
}
