/** The document page: creates the parts and connects them, nothing else. */

import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import { mayEdit } from "../connection/facts";
import { followPage } from "../connection/page-life";
import { Provider } from "../connection/provider";
import { socketUrl, webSocketTransport } from "../connection/transport";
import { LinkDialog } from "../editor/link-dialog";
import { Notice } from "../editor/notice";
import { readPageData, required } from "../editor/page-data";
import { People } from "../editor/people";
import { showSaveState } from "../editor/save-indicator";
import { SCHEMA_VERSION } from "../editor/schema";
import { showOpening, showReading } from "../editor/sheet";
import { clickBelowText, createTextEditor, setWritable } from "../editor/text-editor";
import { Title, renameAt } from "../editor/title";
import { Toolbar } from "../editor/toolbar";
import { tools } from "../editor/tools";

const page = readPageData();
const doc = new Y.Doc();
const awareness = new Awareness(doc);
const sheet = required("sheet");

const title = new Title(required("document-title"), required("title-problem"), page.title, renameAt(page.renameUrl));

const address = { path: page.socket, id: page.id, schemaVersion: SCHEMA_VERSION, epoch: page.epoch };
const provider = new Provider({
  doc,
  awareness,
  open: webSocketTransport(socketUrl(new URL(window.location.href), address)),
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
const notice = new Notice(required("notice"), page);

new People(required("people"), awareness, page.person);
clickBelowText(sheet, editor);
showSaveState(provider, required("save-state"), required("save-status"));
showOpening(provider, sheet, required("opening"));
showReading(provider, required("reading"));

provider.saving.subscribe((state) => notice.show(state));
provider.role.subscribe((role) => {
  title.editable = page.canRename && mayEdit(role);
  toolbar.shown = mayEdit(role);
});
provider.editable.subscribe((editable) => {
  setWritable(editor, editable);
  toolbar.enabled = editable;
  if (editable && document.activeElement === document.body) editor.commands.focus("start", { scrollIntoView: false });
});

followPage(provider, window);
provider.connect();
