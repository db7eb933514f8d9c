import { type SaveState, type Unsaved, counted, sentence } from "../connection/save-state";

export interface NoticeActions {
  readonly startUrl: string;
  signIn(): void;
  /** Show the unsent text as a copy to take away. */
  read(): void;
  reload(): void;
}

export type Action = "sign-in" | "read" | "reload" | "leave";

interface Content {
  readonly text: string;
  /** The first is what helps most. */
  readonly actions: readonly Action[];
}

/** The banner over the text when the document has stopped or edits are refused: what happened and the ways on. */
export class Notice {
  private shown = "";

  constructor(
    private readonly element: HTMLElement,
    private readonly does: NoticeActions,
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
    this.element.replaceChildren(sentence, ...content.actions.map((action) => this.offer(action)));
  }

  private offer(action: Action): HTMLElement {
    switch (action) {
      case "sign-in":
        return button("Sign in", () => this.does.signIn());
      case "read":
        return button("See your text", () => this.does.read());
      case "reload":
        return button("Reload", () => this.does.reload());
      case "leave": {
        const link = document.createElement("a");
        link.className = "notice-action";
        link.textContent = "Back to documents";
        link.href = this.does.startUrl;
        return link;
      }
    }
  }
}

export function contentFor(state: SaveState): Content | null {
  if (state.kind === "refused") {
    return { text: `${sentence(state)}. ${fate(state, true)}`, actions: ["read", "reload"] };
  }
  if (state.kind !== "stopped") return null;
  const { told, wayOut, forGood, reason } = state.stop;
  if (state.changes === 0 || reason === "sign-in") return { text: told, actions: [wayOut] };
  const copies = forGood || !isKept(state);
  return { text: `${told} ${fate(state, forGood)}`, actions: copies ? ["read", wayOut] : [wayOut] };
}

function fate(state: Unsaved, forGood: boolean): string {
  const changes = `${counted(state.changes)} you made`;
  const one = state.changes === 1;
  if (!isKept(state)) return `${changes} ${one ? "is" : "are"} in this tab only: take a copy before you close it.`;
  if (forGood) return `${changes} could not be saved. ${one ? "It is" : "They are"} kept on this device.`;
  return `${changes} ${one ? "is" : "are"} kept on this device and will be sent when you open the document again.`;
}

function isKept({ changes, kept, keeps }: Unsaved): boolean {
  return keeps || kept === changes;
}

function button(text: string, act: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "notice-action";
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
}
