// What a script adds to the server's pages: they work without it.

import { closeMenus } from "./menu";
import { renameInPlace } from "./rename";
import { revealPasswords } from "./reveal";
import { tellLocalTimes } from "./times";

revealPasswords();
closeMenus();
renameInPlace();
tellLocalTimes();
