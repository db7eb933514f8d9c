import { post } from "../connection/post";

const LONGEST = 200;

/** Sends a new title; resolves to null when it is stored, else to the sentence that says why not. */
export type Rename = (title: string) => Promise<string | null>;

/** The title: a heading, or inside the heading a field for those who may rename. The window's title follows. */
export class Title {
  private readonly field = document.createElement("input");
  private stored: string;
  private readonly suffix: string;

  constructor(
    private readonly heading: HTMLElement,
    private readonly problem: HTMLElement,
    title: string,
    private readonly rename: Rename,
  ) {
    this.stored = title;
    this.suffix = document.title.startsWith(title) ? document.title.slice(title.length) : "";
    this.field.className = "title-field";
    this.field.maxLength = LONGEST;
    this.field.autocomplete = "off";
    this.field.setAttribute("aria-label", "Title");
    this.field.setAttribute("aria-describedby", problem.id);
    this.field.addEventListener("keydown", (event) => this.onKey(event));
    this.field.addEventListener("blur", () => void this.store());
    this.show();
  }

  /** As the server has it. */
  get value(): string {
    return this.stored;
  }

  set editable(value: boolean) {
    if (value === this.field.isConnected) return;
    this.heading.replaceChildren(value ? this.field : this.stored);
    this.show();
  }

  /** Somebody renamed the document. What is being typed here is not touched. */
  become(title: string): void {
    const typing = document.activeElement === this.field && this.field.value !== this.stored;
    this.stored = title;
    if (!typing) this.show();
    else document.title = title + this.suffix;
  }

  private show(): void {
    this.field.value = this.stored;
    if (!this.field.isConnected) this.heading.textContent = this.stored;
    this.heading.title = this.stored;
    document.title = this.stored + this.suffix;
    this.complain("");
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.field.blur();
    } else if (event.key === "Escape") {
      this.show();
    }
  }

  private async store(): Promise<void> {
    const before = this.stored;
    const wanted = this.field.value.trim();
    if (wanted === before) return this.show();
    if (wanted === "") return this.complain("A document needs a title.");
    const problem = await this.rename(wanted);
    if (problem !== null) return this.complain(problem);
    // Somebody else's later title may have arrived meanwhile; theirs stands.
    if (this.stored === before) this.stored = wanted;
    if (document.activeElement !== this.field) this.show();
  }

  private complain(text: string): void {
    this.problem.textContent = text;
    this.field.setAttribute("aria-invalid", String(text !== ""));
  }
}

/** Stores titles by POST to `url`; the answer's text is the reason when there is one to show. */
export function renameAt(url: string): Rename {
  return async (title) => {
    try {
      const answer = await post(url, new URLSearchParams({ title }));
      if (answer.ok) return null;
      const reason = answer.status === 400 ? (await answer.text()).trim() : "";
      return reason === "" ? "The title was not saved." : reason;
    } catch {
      // fetch rejects only when there was no answer at all, or one that leads to the sign-in page.
      return "The title was not saved: the server cannot be reached.";
    }
  };
}
