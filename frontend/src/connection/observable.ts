type Listener<T> = (value: T) => void;

/** A value that tells its listeners when it becomes another one, in the order they subscribed. */
export class Observable<T> {
  private readonly listeners = new Set<Listener<T>>();
  private current: T;

  constructor(
    initial: T,
    private readonly same: (a: T, b: T) => boolean = Object.is,
  ) {
    this.current = initial;
  }

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (this.same(this.current, value)) return;
    this.current = value;
    for (const listener of [...this.listeners]) listener(value);
  }

  /** Calls `listener` with the present value at once and then on every change; returns the way out. */
  subscribe(listener: Listener<T>): () => void {
    this.listeners.add(listener);
    listener(this.current);
    return () => this.listeners.delete(listener);
  }
}
