/** Turns each Rename link, whose page does the same without a script, into a field in its row. */
export function renameInPlace(): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-rename]")) {
    link.addEventListener("click", (event) => {
      if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const entry = link.closest<HTMLElement>("[data-entry]");
      const title = entry?.querySelector<HTMLAnchorElement>(".entry-title");
      if (!entry || !title) return;
      event.preventDefault();
      new RowForm(entry, title, link).open();
    });
  }
}

class RowForm {
  private readonly form = document.createElement("form");
  private readonly input = document.createElement("input");
  private readonly problem = document.createElement("p");

  constructor(
    private readonly entry: HTMLElement,
    private readonly title: HTMLAnchorElement,
    private readonly link: HTMLAnchorElement,
  ) {
    this.input.className = "input";
    this.input.value = title.textContent ?? "";
    this.input.maxLength = 200;
    this.input.autocomplete = "off";
    this.input.setAttribute("aria-label", "Title");
    this.problem.className = "errorlist";
    this.problem.setAttribute("role", "alert");
    const save = button("Save", "button is-main is-small", "submit");
    const cancel = button("Cancel", "button is-quiet is-small", "button");
    cancel.addEventListener("click", () => this.close());
    this.form.className = "entry-form";
    this.form.append(this.input, save, cancel, this.problem);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  open(): void {
    this.entry.classList.add("is-renaming");
    this.title.before(this.form);
    this.input.select();
  }

  private close(): void {
    this.form.remove();
    this.entry.classList.remove("is-renaming");
    this.link.focus();
  }

  private async save(): Promise<void> {
    const wanted = this.input.value.trim().replace(/\s+/g, " ");
    if (wanted === this.title.textContent) return this.close();
    const reason = await post(this.link.dataset["rename"] ?? "", wanted);
    if (reason !== "") {
      this.problem.textContent = reason;
      this.input.setAttribute("aria-invalid", "true");
      this.input.focus();
      return;
    }
    this.title.textContent = wanted;
    const spoken = this.link.querySelector(".unseen");
    if (spoken) spoken.textContent = ` “${wanted}”`;
    this.close();
  }
}

function button(text: string, className: string, type: "submit" | "button"): HTMLButtonElement {
  const element = document.createElement("button");
  Object.assign(element, { type, className, textContent: text });
  return element;
}

/** Answers why the server refused, or an empty string. */
async function post(url: string, title: string): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": cookie("csrftoken") },
      body: new URLSearchParams({ title }),
    });
  } catch {
    return "The server can't be reached. Try again in a moment.";
  }
  if (answer.status === 204) return "";
  const isPlain = answer.headers.get("Content-Type")?.startsWith("text/plain") ?? false;
  return isPlain ? await answer.text() : "That did not work. Load the page again and repeat it.";
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
