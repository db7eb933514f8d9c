import type { Awareness } from "y-protocols/awareness";

import { type Person, isRecord, parsePerson } from "../connection/facts";
import { paint } from "./colour";

/** Avatars beside the title, at most; the others are a number. A phone's title needs the room. */
const SHOWN = 4;
const SHOWN_ON_PHONE = 2;

/** Who has this document open: one entry a person, however many tabs, the reader first and then by name. */
export function peopleHere(states: Iterable<unknown>, you: Person): Person[] {
  const others = new Map<string, Person>();
  for (const state of states) {
    const person = isRecord(state) ? parsePerson(state["user"]) : null;
    if (person !== null && person.id !== you.id) others.set(person.id, person);
  }
  return [you, ...[...others.values()].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id))];
}

/** One or two letters: of the first and the last word of a name. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== "");
  const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return chosen.map((word) => [...(word ?? "")][0] ?? "").join("").toLocaleUpperCase();
}

export class People {
  private readonly phone = window.matchMedia("(max-width: 40rem)");
  private drawn = "";

  constructor(
    private readonly list: HTMLElement,
    private readonly awareness: Awareness,
    private readonly you: Person,
  ) {
    awareness.on("change", () => this.draw());
    this.phone.addEventListener("change", () => this.draw());
    this.draw();
  }

  private draw(): void {
    const people = peopleHere(this.awareness.getStates().values(), this.you);
    // Awareness also changes with every caret; the list is only touched when it reads differently.
    const most = this.phone.matches ? SHOWN_ON_PHONE : SHOWN;
    const wanted = JSON.stringify([most, people]);
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    const entries = people.map((person) => this.entry(person));
    if (people.length > most + 1) entries.splice(most, entries.length, overflow(people.slice(most)));
    this.list.replaceChildren(...entries);
  }

  private entry(person: Person): HTMLElement {
    const name = person.id === this.you.id ? `You (${person.name})` : person.name;
    const entry = avatar(initials(person.name), name);
    if (person.avatar !== undefined) entry.prepend(picture(person.avatar));
    paint(entry, person.colour);
    return entry;
  }
}

/** Over the letters, which stay where it can't be loaded. */
function picture(url: string): HTMLImageElement {
  const image = document.createElement("img");
  image.src = url;
  image.alt = "";
  image.className = "person-picture";
  image.addEventListener("error", () => image.remove());
  return image;
}

function overflow(people: Person[]): HTMLElement {
  const names = people.map((person) => person.name).join(", ");
  const entry = avatar(`+${people.length}`, names);
  entry.classList.add("person-more");
  return entry;
}

function avatar(letters: string, name: string): HTMLElement {
  const entry = document.createElement("li");
  const seen = document.createElement("span");
  const heard = document.createElement("span");
  entry.className = "person";
  entry.title = name;
  seen.textContent = letters;
  seen.setAttribute("aria-hidden", "true");
  heard.textContent = name;
  heard.className = "only-heard";
  entry.append(seen, heard);
  return entry;
}
