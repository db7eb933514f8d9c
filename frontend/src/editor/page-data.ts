import { type Person, type Role, isRecord, parsePerson, parseRole } from "../connection/facts";

/** What the server wrote into the page for this document. */
export interface PageData {
  readonly id: string;
  readonly title: string;
  readonly role: Role;
  readonly canRename: boolean;
  readonly person: Person;
  readonly socket: string;
  readonly epoch: number;
  readonly renameUrl: string;
  readonly startUrl: string;
  readonly signInUrl: string;
}

export function readPageData(): PageData {
  const data: unknown = JSON.parse(required("document-data").textContent ?? "");
  if (!isRecord(data)) throw new TypeError("document-data is not an object");
  const text = (key: string): string => {
    const value = data[key];
    if (typeof value !== "string") throw new TypeError(`document-data: no ${key}`);
    return value;
  };
  const whole = (key: string): number => {
    const value = data[key];
    if (typeof value !== "number" || !Number.isInteger(value)) throw new TypeError(`document-data: no ${key}`);
    return value;
  };
  const person = parsePerson(data["person"]);
  if (person === null) throw new TypeError("document-data: no person");
  return {
    id: text("id"),
    title: text("title"),
    role: parseRole(data["role"]),
    canRename: data["canRename"] === true,
    person,
    socket: text("socket"),
    epoch: whole("epoch"),
    renameUrl: text("renameUrl"),
    startUrl: text("startUrl"),
    signInUrl: text("signInUrl"),
  };
}

/** An element the template must have; its absence is a mistake in the template and stops the page loudly. */
export function required<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page lacks #${id}`);
  return element as T;
}
