const FIRST = 1_000;
const LONGEST = 30_000;
const SURE_PART = 0.3;

/**
 * Milliseconds to wait before reconnect number `attempt` (0 is the first): under one second at first, doubling,
 * never over thirty. `chance` in [0, 1) spreads the tabs of a restarted server over most of the interval.
 */
export function delayBefore(attempt: number, chance: number): number {
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16));
  return ceiling * (SURE_PART + (1 - SURE_PART) * chance);
}
