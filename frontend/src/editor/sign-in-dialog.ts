import type { SignInOutcome } from "../connection/sign-in";

export interface SignInOptions {
  readonly attempt: (login: string, password: string) => Promise<SignInOutcome>;
  readonly signedIn: () => void;
  /** Where the focus belongs when the dialog is gone. */
  readonly leave: () => void;
}

/**
 * Signs in on top of the document. It opens without taking the focus, because whoever is typing would type on into the
 * field for the e-mail address; the banner announces it and its button leads here. Written in the page's template.
 */
export class SignInDialog {
  private readonly form: HTMLFormElement;
  private readonly login: HTMLInputElement;
  private readonly password: HTMLInputElement;
  private readonly problem: HTMLElement;
  private readonly elsewhere: HTMLElement;
  private readonly submit: HTMLButtonElement;

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly options: SignInOptions,
  ) {
    const part = <T extends HTMLElement>(name: string): T => {
      const found = dialog.querySelector<T>(`[data-part="${name}"]`);
      if (found === null) throw new Error(`The sign-in dialog lacks its ${name}`);
      return found;
    };
    this.form = part("form");
    this.login = part("login");
    this.password = part("password");
    this.problem = part("problem");
    this.elsewhere = part("elsewhere");
    this.submit = part("submit");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    part("later").addEventListener("click", () => this.hide());
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hide();
    });
  }

  open(): void {
    // Not show(): that moves the focus.
    this.dialog.open = true;
    if (document.activeElement === document.body) this.focus();
  }

  focus(): void {
    this.dialog.open = true;
    (this.login.value === "" ? this.login : this.password).focus();
  }

  close(): void {
    const hadFocus = this.dialog.contains(document.activeElement);
    this.dialog.open = false;
    this.password.value = "";
    this.complain("");
    if (hadFocus) this.options.leave();
  }

  private hide(): void {
    this.dialog.open = false;
    this.options.leave();
  }

  private async send(): Promise<void> {
    if (this.submit.getAttribute("aria-disabled") === "true") return;
    this.complain("");
    this.submit.setAttribute("aria-disabled", "true");
    const outcome = await this.options.attempt(this.login.value.trim(), this.password.value);
    this.submit.removeAttribute("aria-disabled");
    switch (outcome.kind) {
      case "in":
        this.close();
        return this.options.signedIn();
      case "elsewhere":
        this.complain("Signing in takes another step. It opens in a tab of its own; come back here afterwards.");
        this.elsewhere.focus();
        return;
      case "refused":
        this.complain(outcome.told);
        this.password.select();
    }
  }

  private complain(text: string): void {
    this.problem.textContent = text;
    for (const field of [this.login, this.password]) field.setAttribute("aria-invalid", String(text !== ""));
  }
}
