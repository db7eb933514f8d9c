/** Web Locks of one browser: `end(tab)` frees what the browser frees when a tab ends, however it ends. */
export class FakeLocks {
  private readonly owners = new Map<string, string>();
  private readonly queue: { name: string; tab: string; grant: () => void }[] = [];

  /** The lock manager as that tab sees it. */
  of(tab: string): LockManager {
    const request = (name: string, options: LockOptions, granted: LockGrantedCallback<unknown>): Promise<unknown> =>
      new Promise((resolve) => {
        const grant = (): void => {
          this.owners.set(name, tab);
          const held = Promise.resolve(granted({ name, mode: "exclusive" } as Lock));
          void held.then(() => resolve(this.free(name)));
        };
        if (!this.owners.has(name)) grant();
        else if (options.ifAvailable === true) resolve(granted(null));
        else this.queue.push({ name, tab, grant });
      });
    return { request, query: () => Promise.reject(new Error("unused")) } as unknown as LockManager;
  }

  end(tab: string): void {
    this.queue.splice(0, this.queue.length, ...this.queue.filter((waiting) => waiting.tab !== tab));
    for (const [name, owner] of this.owners) if (owner === tab) this.free(name);
  }

  private free(name: string): void {
    this.owners.delete(name);
    const next = this.queue.findIndex((waiting) => waiting.name === name);
    if (next >= 0) this.queue.splice(next, 1)[0]?.grant();
  }
}
