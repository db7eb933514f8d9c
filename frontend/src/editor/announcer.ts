import { type Clock, systemClock } from "../connection/clock";
import { type SaveState, sentence } from "../connection/save-state";

/** Milliseconds a state must last to be worth saying. */
const SETTLED = 2_000;

/**
 * Says the save state to screen readers: once it has lasted, and only when it is of another kind than what was said
 * last, so that typing is not accompanied by "Saving, Saved, Saving, Saved".
 */
export class Announcer {
  private said = "opening";
  private cancel: (() => void) | null = null;

  constructor(
    private readonly say: (text: string) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  hear(state: SaveState): void {
    this.cancel?.();
    this.cancel = null;
    const what = kindOf(state);
    if (what === this.said) return;
    this.cancel = this.clock.after(SETTLED, () => {
      this.said = what;
      this.say(sentence(state));
    });
  }
}

/** That a device keeps nothing is another matter than that it does. */
function kindOf(state: SaveState): string {
  return "keeps" in state && !state.keeps ? `${state.kind}, not kept` : state.kind;
}
