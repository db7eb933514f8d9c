import type { Editor } from "@tiptap/core";

import { icon } from "./icons";
import { ariaShortcut, readableShortcut } from "./keys";
import type { Tool } from "./tools";
import { Tooltip } from "./tooltip";

/** A row of buttons that is one stop of the Tab key; arrows, Home and End move inside it, Escape leaves it. */
export class Toolbar {
  private readonly buttons: HTMLButtonElement[] = [];
  private readonly states: (() => void)[] = [];
  private readonly tooltip: Tooltip;
  private drawing = 0;

  constructor(
    private readonly element: HTMLElement,
    private readonly editor: Editor,
    groups: Tool[][],
  ) {
    element.append(...groups.map((group) => this.group(group)));
    this.rove(0);
    this.tooltip = new Tooltip(element);
    element.addEventListener("keydown", (event) => this.onKey(event));
    editor.on("transaction", () => this.draw());
    this.draw();
  }

  set shown(value: boolean) {
    this.element.hidden = !value;
    if (!value) this.tooltip.hide();
  }

  /** Visible and out of reach while nothing may be typed, so that the page does not jump when it may. */
  set enabled(value: boolean) {
    this.element.inert = !value;
  }

  focus(): void {
    this.buttons.find((button) => button.tabIndex === 0)?.focus();
  }

  private group(group: Tool[]): HTMLElement {
    const element = document.createElement("div");
    element.className = "tool-group";
    element.append(...group.map((tool) => this.button(tool)));
    return element;
  }

  private button(tool: Tool): HTMLButtonElement {
    const button = document.createElement("button");
    const keys = tool.shortcut === undefined ? "" : readableShortcut(tool.shortcut);
    button.type = "button";
    button.className = "tool";
    button.append(icon(tool.icon));
    button.setAttribute("aria-label", tool.label);
    button.dataset["tip"] = `${tool.label}\t${keys}`;
    if (tool.shortcut !== undefined) button.setAttribute("aria-keyshortcuts", ariaShortcut(tool.shortcut));
    // Keeps the selection visible and, on a phone, the keyboard open.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      this.rove(this.buttons.indexOf(button));
      if (button.getAttribute("aria-disabled") === "true") return;
      this.editor.view.focus();
      tool.run(this.editor);
    });
    this.buttons.push(button);
    this.states.push(() => {
      if (tool.isOn !== undefined) button.setAttribute("aria-pressed", String(tool.isOn(this.editor)));
      // aria-disabled and not disabled: a button that loses its focus would drop the person out of the toolbar.
      if (tool.isPossible !== undefined) button.setAttribute("aria-disabled", String(!tool.isPossible(this.editor)));
    });
    return button;
  }

  /** Once a frame is enough, and by then the undo stack has taken in what the transaction did. */
  private draw(): void {
    if (this.drawing !== 0) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      for (const show of this.states) show();
    });
  }

  private onKey(event: KeyboardEvent): void {
    const at = this.buttons.findIndex((button) => button === document.activeElement);
    const last = this.buttons.length - 1;
    const goals: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const goal = goals[event.key];
    // TipTap's own focus command waits for the next frame, and a key pressed until then would be lost.
    if (event.key === "Escape") this.editor.view.focus();
    else if (at >= 0 && goal !== undefined) this.rove(goal).focus();
    else return;
    event.preventDefault();
  }

  private rove(goal: number): HTMLButtonElement {
    this.buttons.forEach((button, index) => (button.tabIndex = index === goal ? 0 : -1));
    return this.buttons[goal] as HTMLButtonElement;
  }
}
