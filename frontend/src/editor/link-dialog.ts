import { type Editor, getMarkRange } from "@tiptap/core";
import type { MarkType } from "@tiptap/pm/model";

import { hrefFromInput, safeHref } from "./links";

/**
 * Sets, changes and removes the link at the selection. The dialog is written in the page's template; Enter applies,
 * Escape or a click elsewhere leaves everything as it was, and focus goes back to the text.
 */
export class LinkDialog {
  private readonly form: HTMLFormElement;
  private readonly address: HTMLInputElement;
  private readonly label: HTMLInputElement;
  private readonly labelRow: HTMLElement;
  private readonly problem: HTMLElement;
  private readonly open: HTMLAnchorElement;
  private readonly remove: HTMLButtonElement;

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly editor: Editor,
  ) {
    const part = <T extends HTMLElement>(name: string): T => {
      const found = dialog.querySelector<T>(`[data-part="${name}"]`);
      if (found === null) throw new Error(`The link dialog lacks its ${name}`);
      return found;
    };
    this.form = part("form");
    this.address = part("address");
    this.label = part("label");
    this.labelRow = part("label-row");
    this.problem = part("problem");
    this.open = part("open");
    this.remove = part("remove");
    this.listen(part("cancel"));
  }

  show(): void {
    if (this.dialog.open || !this.editor.isEditable) return;
    if (this.editor.isActive("codeBlock")) return;
    const { $from, empty } = this.editor.state.selection;
    // Not isActive alone: with the caret right behind a link it says no, and the link there is what is meant.
    const linked = this.editor.isActive("link") || (empty && getMarkRange($from, linkType(this.editor)) !== undefined);
    if (linked) this.editor.commands.extendMarkRange("link");
    const href = safeHref(this.editor.getAttributes("link")["href"]);
    this.address.value = href ?? "";
    this.label.value = "";
    this.labelRow.hidden = !this.editor.state.selection.empty;
    this.remove.hidden = !linked;
    this.open.hidden = href === null;
    if (href !== null) this.open.href = href;
    this.complain("");
    this.dialog.show();
    this.place();
    this.address.select();
    this.address.focus();
  }

  private listen(cancel: HTMLButtonElement): void {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.apply();
    });
    cancel.addEventListener("click", () => this.hide());
    this.remove.addEventListener("click", () => {
      this.editor.chain().extendMarkRange("link").unsetMark("link").run();
      this.hide();
    });
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.hide();
    });
    document.addEventListener("pointerdown", (event) => {
      if (this.dialog.open && event.target instanceof Node && !this.dialog.contains(event.target)) this.dialog.close();
    });
  }

  private apply(): void {
    const href = hrefFromInput(this.address.value);
    if (href === null) {
      return this.complain("That is not an address a link can have. Try one like https://example.org");
    }
    const { empty, to } = this.editor.state.selection;
    const chain = this.editor.chain();
    if (empty) {
      const text = this.label.value.trim() || this.address.value.trim();
      chain.insertContent({ type: "text", text, marks: [{ type: "link", attrs: { href } }] }).run();
    } else {
      chain.setMark("link", { href }).setTextSelection(to).run();
    }
    this.hide();
  }

  private complain(text: string): void {
    this.problem.textContent = text;
    this.address.setAttribute("aria-invalid", String(text !== ""));
    if (text !== "") this.address.focus();
  }

  private hide(): void {
    this.dialog.close();
    this.editor.view.focus();
  }

  /** Under the selection, inside the window. */
  private place(): void {
    const { from, to } = this.editor.state.selection;
    const start = this.editor.view.coordsAtPos(from);
    const end = this.editor.view.coordsAtPos(to);
    const { offsetWidth: width, offsetHeight: height } = this.dialog;
    const room = document.documentElement;
    const below = end.bottom + 8;
    const top = below + height <= room.clientHeight ? below : Math.max(8, start.top - height - 8);
    const left = Math.max(8, Math.min(start.left, room.clientWidth - width - 8));
    this.dialog.style.setProperty("top", `${top}px`);
    this.dialog.style.setProperty("left", `${left}px`);
  }
}

function linkType(editor: Editor): MarkType {
  return editor.schema.marks["link"] as MarkType;
}
