// What a script adds to the server's pages: they work without it.

import { DraftStore } from "../storage/draft-store";
import { offerCopies } from "./copy";
import { closeMenus } from "./menu";
import { usePasskeys } from "./passkeys";
import { renameInPlace } from "./rename";
import { revealPasswords } from "./reveal";
import { warnAtSignOut } from "./sign-out";
import { tellLocalTimes } from "./times";
import { missingDocument, offerUnsent } from "./unsent";

revealPasswords();
closeMenus();
offerCopies();
usePasskeys();
renameInPlace();
tellLocalTimes();

const person = document.body.dataset["person"];
if (person !== undefined) {
  const store = new DraftStore(globalThis.indexedDB);
  warnAtSignOut(store, person);
  offerUnsent(store, person, missingDocument()).catch((error: unknown) => {
    console.warn("Collab: this device could not be asked for text that was not saved", error);
  });
}
