/** Gives every password field marked `data-reveal` a button that shows what was typed. */
export function revealPasswords(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-reveal]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reveal";
    button.setAttribute("aria-controls", input.id);
    const show = (shown: boolean): void => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-label", shown ? "Hide the password" : "Show the password");
    };
    show(false);
    button.addEventListener("click", () => show(input.type === "password"));
    // Sent as a password whatever was shown, so that browsers offer to remember it.
    input.form?.addEventListener("submit", () => show(false));
    const frame = document.createElement("div");
    frame.className = "password";
    input.replaceWith(frame);
    frame.append(input, button);
  }
}
