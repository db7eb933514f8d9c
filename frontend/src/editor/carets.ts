import { Extension } from "@tiptap/core";
import type { DecorationAttrs } from "@tiptap/pm/view";
import { yCursorPlugin } from "@tiptap/y-tiptap";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";

import { isRecord, parsePerson } from "../connection/facts";
import { inkOn, paint, safeColour } from "./colour";
import { FIELD } from "./schema";

/** Milliseconds a name stays beside a caret whose person has moved it or typed. */
const NAME_SHOWN = 2_000;

export interface CaretsOptions {
  awareness: Awareness;
}

/**
 * Everybody else's caret and selection. Their name shows while they move or type and under the pointer; at other times
 * it would hide the words above, and a dot stands for it.
 */
export const Carets = Extension.create<CaretsOptions>({
  name: "carets",

  addProseMirrorPlugins() {
    const { awareness } = this.options;
    const carets = new Map<number, Caret>();
    awareness.on("change", ({ updated }: { updated: number[] }) => {
      for (const client of updated) carets.get(client)?.moved(awareness.getStates().get(client)?.["cursor"]);
    });
    // A cursor at the end of a paragraph stays the same, as a position in the document, while its person types.
    awareness.doc.on("afterTransaction", ({ beforeState, afterState }: Y.Transaction) => {
      for (const [client, clock] of afterState) {
        if (clock > (beforeState.get(client) ?? 0)) carets.get(client)?.showName();
      }
    });
    return [
      yCursorPlugin(awareness, {
        awarenessStateFilter: (own, client, state) => own !== client && isPlaced(state),
        cursorBuilder: (user, client) => {
          const caret = new Caret(user, awareness.getStates().get(client)?.["cursor"], carets.get(client));
          carets.set(client, caret);
          return caret.element;
        },
        selectionBuilder: selection,
      }),
    ];
  },
});

class Caret {
  readonly element = document.createElement("span");
  private readonly label = document.createElement("span");
  private timer = 0;
  private at = "";

  /** `previous` is what this one replaces when the text around it is drawn anew, which is no movement. */
  constructor(user: unknown, cursor: unknown, previous: Caret | undefined) {
    this.label.className = "caret-name";
    this.label.textContent = parsePerson(user)?.name ?? "Somebody";
    this.element.className = "caret";
    // A screen reader would read the name as part of the text.
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.label);
    this.element.addEventListener("mouseenter", () => this.fit());
    paint(this.element, colourOf(user));
    window.clearTimeout(previous?.timer);
    if (previous?.element.classList.contains("caret-moved") !== true) this.at = previous?.at ?? "";
    this.moved(cursor);
  }

  moved(cursor: unknown): void {
    const at = JSON.stringify(cursor);
    if (at === this.at) return;
    this.at = at;
    this.showName();
  }

  showName(): void {
    window.clearTimeout(this.timer);
    this.element.classList.add("caret-moved");
    this.timer = window.setTimeout(() => this.element.classList.remove("caret-moved"), NAME_SHOWN);
    // Before the next picture, but when the caret stands where it belongs: a new one is not in the page yet.
    requestAnimationFrame(() => this.fit());
  }

  /** Shifts the name to the left where it would leave the text: on a phone it was cut off. */
  private fit(): void {
    const text = this.element.closest("pre, .document-text");
    if (text === null) return;
    const { left, right } = text.getBoundingClientRect();
    const start = this.element.getBoundingClientRect().left;
    const shift = Math.min(0, Math.max(right - start - this.label.offsetWidth, left - start));
    this.element.style.setProperty("--shift", `${Math.floor(shift)}px`);
  }
}

/** ProseMirror sets a decoration's style through `style.cssText`, which the CSP allows. The colour is checked. */
function selection(user: unknown): DecorationAttrs {
  const colour = colourOf(user);
  return { class: "selection-of-other", style: `--person: ${colour}`, "data-ink": inkOn(colour) };
}

function colourOf(user: unknown): string {
  return safeColour(isRecord(user) ? user["colour"] : undefined);
}

/**
 * Whether the state holds a cursor that can be looked up. One malformed cursor from a peer would otherwise throw in
 * every transaction of this editor; another root's name would create that root in our document.
 */
export function isPlaced(state: unknown): boolean {
  if (!isRecord(state) || !isRecord(state["user"]) || !isRecord(state["cursor"])) return false;
  return isPosition(state["cursor"]["anchor"]) && isPosition(state["cursor"]["head"]);
}

function isPosition(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { type, tname, item, assoc } = value;
  const name = tname ?? null;
  return (
    isId(type) && isId(item) && (name === null || name === FIELD) && (assoc === undefined || typeof assoc === "number")
  );
}

function isId(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return isRecord(value) && Number.isSafeInteger(value["client"]) && Number.isSafeInteger(value["clock"]);
}
