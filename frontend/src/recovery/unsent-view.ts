import type { Node } from "@tiptap/pm/model";

import { counted } from "../connection/save-state";
import { copy, download, fileName, htmlOf, paragraph, render, textOf, webPage } from "./file";
import type { Readable } from "./readable";
import type { Unsent } from "./unsent";

/** Blocks shown, at most; a pasted book would make the page slow. Copies and files hold all of it. */
const SHOWN = 400;

/** One unsent text in the recovery panel. */
export class UnsentView {
  readonly element = document.createElement("section");
  private readonly text: Readable;
  private readonly shown = document.createElement("div");
  private readonly label = document.createElement("p");
  private readonly status = document.createElement("p");
  private readonly actions = document.createElement("div");
  private all = false;

  constructor(
    private readonly unsent: Unsent,
    private readonly discarded: (view: UnsentView) => void,
  ) {
    this.text = unsent.read();
    this.element.className = "unsent";
    this.label.className = "unsent-label";
    this.shown.className = "unsent-text";
    this.shown.tabIndex = 0;
    this.shown.setAttribute("role", "region");
    this.shown.setAttribute("aria-label", "Your text");
    this.status.className = "unsent-status";
    this.status.setAttribute("role", "status");
    this.actions.className = "unsent-actions";
    this.element.append(this.explanation(), this.label, this.shown, ...this.choice(), this.status, this.actions);
    this.offer();
    this.draw();
  }

  private explanation(): HTMLElement {
    const { title, changes, at, why, kept } = this.unsent;
    const when = at === null ? "" : ` of ${new Intl.DateTimeFormat("en", DATE).format(at)}`;
    const place = kept
      ? "They are kept on this device, for you alone, until you discard them."
      : "This device could not keep them: they are gone when you close this tab.";
    return paragraph(`${counted(changes)}${when} in “${title}” could not be saved: ${why}. ${place}`);
  }

  private choice(): HTMLElement[] {
    if (this.text.whole.length === 0 || this.text.changed.length === this.text.whole.length) return [];
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.addEventListener("change", () => {
      this.all = box.checked;
      this.draw();
    });
    label.className = "unsent-choice";
    label.append(box, "The whole document, as it was here");
    return [label];
  }

  private get nodes(): readonly Node[] {
    return this.all ? this.text.whole : this.text.changed;
  }

  private get pieces(): string {
    return this.all ? "" : this.text.pieces;
  }

  private draw(): void {
    const { nodes, pieces } = this;
    this.label.textContent = this.caption();
    if (nodes.length === 0) this.shown.replaceChildren(...pieces.split("\n").slice(0, SHOWN).map(paragraph));
    else this.shown.replaceChildren(render(nodes.slice(0, SHOWN)));
    const more = nodes.length - SHOWN;
    if (more > 0) this.shown.append(paragraph(`… and ${more} more paragraphs, which Copy and Download contain.`));
    this.shown.hidden = nodes.length === 0 && pieces === "";
  }

  private caption(): string {
    if (this.all) return "The whole document, with your changes:";
    if (this.text.pieces !== "") return "What you typed, without the text around it:";
    if (this.text.changed.length > 0) return "The paragraphs with your changes:";
    return "Only deletions are not saved: there is no new text.";
  }

  private offer(): void {
    this.actions.replaceChildren(
      button("Copy", "button is-main is-small", () => void this.copy()),
      button("Download as web page", "button is-small", () => this.save("html")),
      button("Download as text", "button is-small", () => this.save("txt")),
      button("Discard…", "button is-quiet is-small unsent-discard", () => this.ask()),
    );
  }

  private async copy(): Promise<void> {
    const copied = await copy(htmlOf(this.nodes, this.pieces), textOf(this.nodes, this.pieces), this.shown);
    this.status.textContent = copied ? "Copied." : "The browser did not allow it: select the text and copy it by hand.";
  }

  private save(extension: "html" | "txt"): void {
    const name = fileName(this.unsent.title, extension);
    if (extension === "txt") download(name, "text/plain", textOf(this.nodes, this.pieces));
    else download(name, "text/html", webPage(this.unsent.title, htmlOf(this.nodes, this.pieces)));
    this.status.textContent = `Downloaded as “${name}”.`;
  }

  private ask(): void {
    this.status.textContent = `Discard ${counted(this.unsent.changes)} for good? Nobody can bring them back.`;
    const keep = button("Keep", "button is-small", () => this.settle("Discard…"));
    const discard = button("Discard", "button is-small unsent-sure", () => void this.discard());
    this.actions.replaceChildren(discard, keep);
    keep.focus();
  }

  private settle(focused: string): void {
    this.status.textContent = "";
    this.offer();
    [...this.actions.querySelectorAll("button")].find(({ textContent }) => textContent === focused)?.focus();
  }

  private async discard(): Promise<void> {
    try {
      await this.unsent.discard();
      this.discarded(this);
    } catch {
      this.settle("Discard…");
      this.status.textContent = "This device did not let go of it. Try again.";
    }
  }
}

const DATE: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short" };

function button(text: string, className: string, act: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className, textContent: text });
  element.addEventListener("click", act);
  return element;
}
