/** The document page: creates the parts and connects them, nothing else. */

import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import { systemClock } from "../connection/clock";
import { mayEdit } from "../connection/facts";
import { followPage } from "../connection/page-life";
import { post } from "../connection/post";
import { Provider } from "../connection/provider";
import { randomId } from "../connection/random-id";
import { signIn } from "../connection/sign-in";
import { socketUrl, webSocketTransport } from "../connection/transport";
import { uploadTo } from "../connection/upload";
import { showFullness } from "../editor/fullness";
import { LinkDialog } from "../editor/link-dialog";
import { Notice } from "../editor/notice";
import { readPageData, required } from "../editor/page-data";
import { People } from "../editor/people";
import { showSaveState } from "../editor/save-indicator";
import { SCHEMA_VERSION } from "../editor/schema";
import { showOpening, showReading } from "../editor/sheet";
import { SignInDialog } from "../editor/sign-in-dialog";
import { clickBelowText, createTextEditor, setWritable } from "../editor/text-editor";
import { Title, renameAt } from "../editor/title";
import { Toolbar } from "../editor/toolbar";
import { tools } from "../editor/tools";
import { Recovery } from "../recovery/recovery";
import { openDrafts } from "../storage/open-drafts";
import { revealPasswords } from "./reveal";

const page = readPageData();
const doc = new Y.Doc();
const awareness = new Awareness(doc);
const sheet = required("sheet");

const title = new Title(required("document-title"), required("title-problem"), page.title, renameAt(page.renameUrl));

const drafts = openDrafts({
  tab: randomId(),
  person: page.person.id,
  document: page.id,
  title: () => title.value,
  epoch: page.epoch,
  schemaVersion: SCHEMA_VERSION,
  state: () => Y.encodeStateAsUpdate(doc),
  factory: globalThis.indexedDB,
  manager: navigator.locks,
});
const address = { path: page.socket, id: page.id, schemaVersion: SCHEMA_VERSION, epoch: page.epoch };
const provider = new Provider({
  doc,
  awareness,
  open: webSocketTransport(socketUrl(new URL(window.location.href), address)),
  keeper: drafts.keeper,
  upload: uploadTo(
    `/documents/${page.id}/uploads`,
    awareness.clientID,
    (url, piece, signal) => post(url, piece as Uint8Array<ArrayBuffer>, signal),
    systemClock,
  ),
  person: page.person,
  role: page.role,
  epoch: page.epoch,
  schemaVersion: SCHEMA_VERSION,
  onEvent(event) {
    if (event.type === "title") title.become(event.title);
  },
});

const editor = createTextEditor({
  mount: required("text"),
  doc,
  awareness,
  onEditLink: () => links.show(),
  onLeaveForToolbar: () => toolbar.focus(),
});
const links = new LinkDialog(required<HTMLDialogElement>("link-dialog"), editor);
const toolbar = new Toolbar(required("toolbar"), editor, tools(() => links.show()));
const entrance = new SignInDialog(required<HTMLDialogElement>("sign-in"), {
  attempt: (login, password) => signIn(page.signInUrl, login, password),
  signedIn: () => provider.wake(),
  leave: () => editor.view.focus(),
});
const recovery = new Recovery({
  provider,
  drafts,
  doc,
  page: { epoch: page.epoch, schemaVersion: SCHEMA_VERSION },
  title: () => title.value,
  banner: required("earlier"),
  reload: () => reload(),
});
const notice = new Notice(required("notice"), {
  startUrl: page.startUrl,
  signIn: () => entrance.focus(),
  read: () => recovery.show(),
  reload: () => reload(),
});

const reload = followPage(provider, drafts.keeper, window);

new People(required("people"), awareness, page.person);
revealPasswords();
clickBelowText(sheet, editor);
showSaveState(provider, required("save-state"), required("save-status"));
showFullness(provider, required("fullness"));
showOpening(provider, sheet, required("opening"));
showReading(provider, required("reading"));

provider.saving.subscribe((state) => notice.show(state));
provider.connection.status.subscribe((status) => {
  if (status.kind === "stopped" && status.stop.reason === "sign-in") entrance.open();
  else if (status.kind === "open" || status.kind === "stopped") entrance.close();
});
provider.role.subscribe((role) => {
  title.editable = page.canRename && mayEdit(role);
  toolbar.shown = mayEdit(role);
});
let focused = false;
provider.editable.subscribe((editable) => {
  setWritable(editor, editable);
  toolbar.enabled = editable;
  // Once only: later the caret stands where the person left it.
  const untouched = !focused && document.activeElement === document.body;
  if (editable && untouched) editor.commands.focus("start", { scrollIntoView: false });
  focused ||= editable;
});

void recovery.begin().then(() => provider.connect());
