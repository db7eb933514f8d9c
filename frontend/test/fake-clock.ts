import type { Clock } from "../src/connection/clock";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that passes only when the test says so. Chance is `chance`, until the test changes it. */
export class FakeClock implements Clock {
  chance = 0.5;
  private time = 1_000_000;
  private timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  random(): number {
    return this.chance;
  }

  after(delay: number, callback: () => void): () => void {
    const timer = { at: this.time + delay, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (let next = this.earliest(end); next !== undefined; next = this.earliest(end)) {
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = end;
  }

  /** The machine sleeps: time passes and no timer runs. */
  sleep(milliseconds: number): void {
    this.time += milliseconds;
  }

  private earliest(end: number): Timer | undefined {
    return [...this.timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
  }
}
