import type { Batch, Draft, DraftRecord, Entry } from "./draft";

const NAME = "collab";
const VERSION = 1;

/**
 * Drafts in IndexedDB, shared by all tabs of this browser. Everything rejects when the browser forbids the database or
 * has no room; the next call tries anew.
 */
export class DraftStore {
  private opened: Promise<IDBDatabase> | null = null;

  /** `lost` is called when the database is taken away under us: somebody cleared the site's data. */
  constructor(
    private readonly factory: IDBFactory | undefined,
    private readonly lost: () => void = () => undefined,
  ) {}

  async write(batch: Batch): Promise<void> {
    const database = await this.open();
    const change = database.transaction(["drafts", "entries", "states"], "readwrite");
    const [drafts, entries, states] = ["drafts", "entries", "states"].map((name) => change.objectStore(name)) as [
      IDBObjectStore,
      IDBObjectStore,
      IDBObjectStore,
    ];
    for (const id of batch.emptied) {
      drafts.delete(id);
      states.delete(id);
      entries.delete(allOf(id));
    }
    for (const { draft, number } of batch.gone) entries.delete([draft, number]);
    for (const record of batch.records) drafts.put(record);
    for (const entry of batch.entries) entries.put(entry);
    if (batch.state !== null) states.put(batch.state);
    // At once and not when the requests have answered: a page that is being closed hears no answers.
    change.commit();
    await done(change);
  }

  /** Every draft of this person, oldest first. Nobody else's is ever looked at. */
  async of(person: string): Promise<DraftRecord[]> {
    const database = await this.open();
    const request = database.transaction("drafts").objectStore("drafts").index("person").getAll(person);
    const records = (await answer(request)) as DraftRecord[];
    return records.sort((a, b) => a.at - b.at);
  }

  /** Null when there is no such draft any more. */
  async load(id: string): Promise<Draft | null> {
    const database = await this.open();
    const reading = database.transaction(["drafts", "entries", "states"]);
    const [record, entries, state] = await Promise.all([
      answer(reading.objectStore("drafts").get(id)) as Promise<DraftRecord | undefined>,
      answer(reading.objectStore("entries").getAll(allOf(id))) as Promise<Entry[]>,
      answer(reading.objectStore("states").get(id)) as Promise<{ state: Uint8Array } | undefined>,
    ]);
    return record === undefined ? null : { record, entries, state: state?.state ?? null };
  }

  async refuse(id: string, refusal: string): Promise<void> {
    const draft = await this.load(id);
    if (draft !== null) await this.write({ ...NOTHING, records: [{ ...draft.record, refusal }] });
  }

  discard(id: string): Promise<void> {
    return this.write({ ...NOTHING, emptied: [id] });
  }

  async close(): Promise<void> {
    (await this.opened)?.close();
  }

  private open(): Promise<IDBDatabase> {
    this.opened ??= this.connect().catch((error: unknown) => {
      this.opened = null;
      throw error;
    });
    return this.opened;
  }

  private async connect(): Promise<IDBDatabase> {
    if (this.factory === undefined) throw new Error("This browser has no IndexedDB");
    const request = this.factory.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore("drafts", { keyPath: "id" }).createIndex("person", "person");
      database.createObjectStore("entries", { keyPath: ["draft", "number"] });
      database.createObjectStore("states", { keyPath: "draft" });
    };
    const database = await answer(request);
    const leave = (): void => {
      this.opened = null;
      this.lost();
    };
    // A newer page wants to change the tables: it must not wait for this one to be closed.
    database.onversionchange = () => (database.close(), leave());
    database.onclose = leave;
    return database;
  }
}

const NOTHING: Batch = { emptied: [], gone: [], records: [], entries: [], state: null };

/** Arrays sort after numbers in IndexedDB, so this covers every number. */
function allOf(draft: string): IDBKeyRange {
  return IDBKeyRange.bound([draft], [draft, []]);
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });
}

function done(change: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    change.oncomplete = () => resolve();
    change.onabort = () => reject(change.error ?? new Error("IndexedDB gave up a change"));
  });
}
