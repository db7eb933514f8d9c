import { UnsentView } from "./unsent-view";
import type { Unsent } from "./unsent";

/**
 * The dialog that offers text which could not be saved: to read, copy, download or throw away. Modal, so that the
 * browser keeps the focus inside and gives it back to whoever opened it.
 */
export class RecoveryPanel {
  private readonly dialog = document.createElement("dialog");
  private readonly list = document.createElement("div");
  private views: UnsentView[] = [];

  /** `closed` hears how many of the texts are left. */
  constructor(private readonly closed: (left: number) => void = () => undefined) {
    const heading = document.createElement("h2");
    heading.id = "recovery-heading";
    heading.className = "recovery-heading";
    heading.tabIndex = -1;
    heading.textContent = "Text that is not saved";
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button recovery-close";
    close.textContent = "Close";
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.className = "recovery";
    this.dialog.setAttribute("aria-labelledby", heading.id);
    this.list.className = "recovery-list";
    const foot = document.createElement("div");
    foot.className = "recovery-foot";
    foot.append(close);
    this.dialog.append(heading, this.list, foot);
    this.dialog.addEventListener("close", () => this.closed(this.views.length));
  }

  show(texts: readonly Unsent[]): void {
    if (this.dialog.open) return;
    this.views = texts.map((unsent) => new UnsentView(unsent, (view) => this.remove(view)));
    this.list.replaceChildren(...this.views.map(({ element }) => element));
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.dialog.querySelector<HTMLElement>(".recovery-heading")?.focus();
  }

  private remove(view: UnsentView): void {
    this.views = this.views.filter((other) => other !== view);
    view.element.remove();
    if (this.views.length === 0) this.dialog.close();
    else this.dialog.querySelector<HTMLElement>(".recovery-heading")?.focus();
  }
}
