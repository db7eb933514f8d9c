import type { WayOut } from "../connection/close-codes";
import { type SaveState, counted, sentence } from "../connection/save-state";

export interface NoticeLinks {
  readonly startUrl: string;
  readonly signInUrl: string;
}

interface Content {
  readonly text: string;
  readonly wayOut: WayOut;
}

/** The banner over the text when the document has stopped or edits are refused: one sentence and the one way on. */
export class Notice {
  private shown = "";

  constructor(
    private readonly element: HTMLElement,
    private readonly links: NoticeLinks,
  ) {}

  show(state: SaveState): void {
    const content = contentFor(state);
    const key = JSON.stringify(content);
    if (key === this.shown) return;
    this.shown = key;
    this.element.hidden = content === null;
    if (content === null) return this.element.replaceChildren();
    const sentence = document.createElement("p");
    sentence.textContent = content.text;
    this.element.replaceChildren(sentence, this.action(content.wayOut));
  }

  private action(wayOut: WayOut): HTMLElement {
    switch (wayOut) {
      case "sign-in": {
        // Another tab, so that this one keeps its text; it reconnects when the person comes back to it.
        const link = anchor("Sign in again", this.links.signInUrl);
        link.target = "_blank";
        link.rel = "noopener";
        return link;
      }
      case "leave":
        return anchor("Back to documents", this.links.startUrl);
      case "reload": {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "notice-action";
        button.textContent = "Reload";
        button.addEventListener("click", () => window.location.reload());
        return button;
      }
    }
  }
}

export function contentFor(state: SaveState): Content | null {
  if (state.kind === "refused") {
    const advice = "Copy what you need from the text, then reload.";
    return { text: `${sentence(state)} (${counted(state.changes)}). ${advice}`, wayOut: "reload" };
  }
  if (state.kind !== "stopped") return null;
  const { told, wayOut } = state.stop;
  const warning = `${counted(state.changes)} you made ${state.changes === 1 ? "is" : "are"} not saved`;
  if (state.changes === 0) return { text: told, wayOut };
  if (wayOut === "sign-in") return { text: `${told} ${warning} yet.`, wayOut };
  return { text: `${told} ${warning}: copy what you need first.`, wayOut };
}

function anchor(text: string, href: string): HTMLAnchorElement {
  const link = document.createElement("a");
  link.className = "notice-action";
  link.textContent = text;
  link.href = href;
  return link;
}
