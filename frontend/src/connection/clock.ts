/** Time and chance, passed in so that tests own both. Milliseconds. */
export interface Clock {
  now(): number;
  /** Calls `callback` once after `delay`; the returned function cancels it. */
  after(delay: number, callback: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

export const systemClock: Clock = {
  // Date.now and not performance.now: the latter stands still while some machines sleep, and a socket
  // that died during the night would look fresh in the morning.
  now: () => Date.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
