/** Gives every field marked `data-copy` a button that copies it; where copying is not allowed, it selects it. */
export function offerCopies(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = "Copy";
    button.addEventListener("click", () => void copy(input, button));
    input.after(button);
    input.addEventListener("focus", () => input.select());
  }
}

async function copy(input: HTMLInputElement, button: HTMLButtonElement): Promise<void> {
  try {
    // Missing on pages that come without TLS.
    await navigator.clipboard.writeText(input.value);
    button.textContent = "Copied";
  } catch {
    input.focus();
    button.textContent = "Selected: press Ctrl+C";
  }
}
