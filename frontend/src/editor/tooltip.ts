/** One tooltip for a whole toolbar: it must not be clipped by the toolbar's own scrolling. */
export class Tooltip {
  private readonly element = document.createElement("div");

  constructor(host: HTMLElement) {
    this.element.className = "tooltip";
    // Names and shortcuts are already on the buttons, as aria-label and aria-keyshortcuts.
    this.element.setAttribute("aria-hidden", "true");
    this.element.hidden = true;
    document.body.append(this.element);
    host.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.showFor(event.target));
    host.addEventListener("pointerleave", () => this.hide());
    host.addEventListener("pointerdown", () => this.hide());
    host.addEventListener("focusin", (event) => {
      if (event.target instanceof Element && event.target.matches(":focus-visible")) this.showFor(event.target);
    });
    host.addEventListener("focusout", () => this.hide());
    host.addEventListener("scroll", () => this.hide());
  }

  hide(): void {
    this.element.hidden = true;
  }

  private showFor(target: EventTarget | null): void {
    const owner = target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
    if (owner === null) return this.hide();
    const [label = "", keys = ""] = (owner.dataset["tip"] ?? "").split("\t");
    const shortcut = document.createElement("kbd");
    shortcut.textContent = keys;
    this.element.replaceChildren(label, ...(keys === "" ? [] : [shortcut]));
    this.element.hidden = false;
    const box = owner.getBoundingClientRect();
    const width = this.element.offsetWidth;
    const rightmost = document.documentElement.clientWidth - width - 8;
    const left = Math.min(Math.max(8, box.left + box.width / 2 - width / 2), rightmost);
    this.element.style.setProperty("left", `${left}px`);
    this.element.style.setProperty("top", `${box.bottom + 6}px`);
  }
}
