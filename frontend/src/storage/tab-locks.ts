/** Tells a tab that lives from one that is gone: the browser frees a tab's lock when the tab ends, however it ends. */

export type Release = () => void;

export interface TabLocks {
  /** Resolves when the lock is held, which then lasts as long as this page. */
  hold(tab: string): Promise<void>;
  /** Takes the lock of a tab that is gone; null while it lives or somebody else took it. */
  claim(tab: string): Promise<Release | null>;
  /** The same, resolving when that tab is gone at last. */
  outlive(tab: string): Promise<Release>;
}

export function tabLocks(manager: LockManager | undefined): TabLocks {
  return manager === undefined ? NO_LOCKS : new WebLocks(manager);
}

class WebLocks implements TabLocks {
  constructor(private readonly manager: LockManager) {}

  async hold(tab: string): Promise<void> {
    await this.outlive(tab);
  }

  claim(tab: string): Promise<Release | null> {
    return this.take(tab, { ifAvailable: true });
  }

  async outlive(tab: string): Promise<Release> {
    return (await this.take(tab, {})) as Release;
  }

  private take(tab: string, options: LockOptions): Promise<Release | null> {
    return new Promise((resolve, reject) => {
      const lasting = (lock: Lock | null): Promise<void> | undefined => {
        if (lock === null) return void resolve(null);
        return new Promise((release) => resolve(release));
      };
      this.manager.request(`collab-tab-${tab}`, options, lasting).catch(reject);
    });
  }
}

/**
 * Web Locks exist on secure origins only. Without them every draft counts as orphaned: the edits of a living tab are
 * then sent by two, which the server takes as one.
 */
const NO_LOCKS: TabLocks = {
  hold: () => Promise.resolve(),
  claim: () => Promise.resolve(() => undefined),
  outlive: () => Promise.resolve(() => undefined),
};
