/** What the server says in JSON, checked: nothing past this module is taken on trust. */

export type Role = "viewer" | "commenter" | "editor" | "manager" | "owner";

export interface Person {
  readonly id: string;
  readonly name: string;
  /** `#rrggbb` */
  readonly colour: string;
  /** The path of their picture on this server. */
  readonly avatar?: string;
}

export interface Hello {
  readonly role: Role;
  readonly person: Person;
  readonly seq: number;
  readonly epoch: number;
  readonly schemaVersion: number;
  readonly limits: { readonly frameBytes: number };
}

export type LiveEvent =
  | { readonly type: "title"; readonly title: string }
  | { readonly type: "saving"; readonly ok: boolean }
  /** The document is at least half full. */
  | { readonly type: "size"; readonly bytes: number; readonly limit: number }
  /** One this page does not know, or not yet. */
  | { readonly type: "other"; readonly name: string };

export type RefusalReason =
  | "read-only"
  | "malformed"
  | "not-yours"
  | "too-large"
  | "document-full"
  /** The server would need seconds to find the places of what it inserts. */
  | "too-costly"
  /** The server's own memory is full while its database is away; it sends the tab away when there is room again. */
  | "busy"
  /** Found out here: the server has lost what these edits build on, and would never show them. */
  | "lost-past"
  /** A word this page does not know. */
  | "refused";

export const DEFAULT_LIMITS: Hello["limits"] = { frameBytes: 1_048_576 };

const ROLES: readonly string[] = ["viewer", "commenter", "editor", "manager", "owner"] satisfies Role[];
const REFUSALS: readonly string[] = [
  "read-only",
  "malformed",
  "not-yours",
  "too-large",
  "document-full",
  "too-costly",
  "busy",
];

export function mayEdit(role: Role): boolean {
  return role === "editor" || role === "manager" || role === "owner";
}

export function parseRole(value: unknown): Role {
  if (typeof value !== "string" || !ROLES.includes(value)) throw new TypeError("Unknown role");
  return value as Role;
}

export function parseRefusal(word: string): RefusalReason {
  return REFUSALS.includes(word) ? (word as RefusalReason) : "refused";
}

/** A person as hello or an awareness state names them; null when that is unusable. */
export function parsePerson(value: unknown): Person | null {
  if (!isRecord(value)) return null;
  const { id, name, colour } = value;
  if (typeof id !== "string" || typeof name !== "string" || !isColour(colour)) return null;
  const person = { id, name: name.trim() || "Somebody", colour };
  const { avatar } = value;
  // Nothing else is fetched, whatever a peer calls its picture.
  return typeof avatar === "string" && /^\/avatars\/\d+\/[0-9a-f]{32}$/.test(avatar) ? { ...person, avatar } : person;
}

export function isColour(value: unknown): value is string {
  return typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value);
}

export function parseHello(value: unknown): Hello {
  const hello = record(value);
  const person = parsePerson(hello["person"]);
  if (person === null) throw new TypeError("hello without a person");
  const limits = hello["limits"] === undefined ? DEFAULT_LIMITS : record(hello["limits"]);
  return {
    role: parseRole(hello["role"]),
    person,
    seq: natural(hello["seq"]),
    epoch: natural(hello["epoch"]),
    schemaVersion: natural(hello["schemaVersion"]),
    limits: { frameBytes: natural(limits["frameBytes"] ?? DEFAULT_LIMITS.frameBytes) },
  };
}

export function parseEvent(value: unknown): LiveEvent {
  const event = record(value);
  const name = event["type"];
  if (typeof name !== "string") throw new TypeError("event without a type");
  if (name === "title" && typeof event["title"] === "string") return { type: "title", title: event["title"] };
  if (name === "size") return { type: "size", bytes: natural(event["bytes"]), limit: natural(event["limit"]) };
  if (name === "saving" && typeof event["ok"] === "boolean") return { type: "saving", ok: event["ok"] };
  return { type: "other", name };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new TypeError("Expected an object");
  return value;
}

function natural(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new TypeError("Expected a number");
  return value;
}
