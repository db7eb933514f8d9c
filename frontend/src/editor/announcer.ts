import { type Clock, systemClock } from "../connection/clock";
import { type SaveState, sentence } from "../connection/save-state";

/** Milliseconds a state must last to be worth saying. */
const SETTLED = 2_000;

/**
 * Says the save state to screen readers: once it has lasted, and only when it is of another kind than what was said
 * last, so that typing is not accompanied by "Saving, Saved, Saving, Saved".
 */
export class Announcer {
  private said: SaveState["kind"] = "opening";
  private cancel: (() => void) | null = null;

  constructor(
    private readonly say: (text: string) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  hear(state: SaveState): void {
    this.cancel?.();
    this.cancel = null;
    if (state.kind === this.said) return;
    this.cancel = this.clock.after(SETTLED, () => {
      this.said = state.kind;
      this.say(sentence(state));
    });
  }
}
