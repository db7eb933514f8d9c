import { Editor, Extension } from "@tiptap/core";
import { Collaboration } from "@tiptap/extension-collaboration";
import { ListKeymap } from "@tiptap/extension-list";
import { Dropcursor, Gapcursor, Placeholder, Selection } from "@tiptap/extensions";
import type { EditorProps } from "@tiptap/pm/view";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";

import { Carets } from "./carets";
import { FIELD, schemaExtensions } from "./schema";

export interface TextEditorOptions {
  readonly mount: HTMLElement;
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly onEditLink: () => void;
  readonly onLeaveForToolbar: () => void;
}

/** Pixels the caret keeps from the window's edges; the bar and the toolbar cover the upper ones. */
const ROOM = { top: 136, right: 0, bottom: 48, left: 0 };

/**
 * Takes the key for redo also when there is nothing to redo: with Caps Lock on, ProseMirror would look up without Shift
 * what nobody took, and undo.
 */
const Shared = Collaboration.extend({
  addKeyboardShortcuts() {
    const redo = (): boolean => act(() => this.editor.commands.redo());
    return { ...this.parent?.(), "Shift-Mod-z": redo };
  },
});

/** The editor on the document's text. It starts read-only: nobody may write before the text has arrived. */
export function createTextEditor(options: TextEditorOptions): Editor {
  const { mount, doc, awareness, onEditLink, onLeaveForToolbar } = options;
  const shortcuts = Extension.create({
    name: "pageShortcuts",
    addKeyboardShortcuts: () => ({
      "Mod-k": () => act(onEditLink),
      "Alt-F10": () => act(onLeaveForToolbar),
    }),
  });
  return new Editor({
    element: mount,
    editable: false,
    // TipTap's own style element would need an exception in the Content Security Policy.
    injectCSS: false,
    extensions: [
      ...schemaExtensions,
      Shared.configure({ document: doc, field: FIELD }),
      Carets.configure({ awareness }),
      ListKeymap,
      Dropcursor.configure({ color: false, class: "drop-cursor" }),
      Gapcursor,
      Placeholder.configure({ placeholder: "Start writing" }),
      Selection.configure({ className: "kept-selection" }),
      shortcuts,
    ],
    editorProps: propsFor(false),
  });
}

export function setWritable(editor: Editor, writable: boolean): void {
  editor.setOptions({ editable: writable, editorProps: propsFor(writable) });
}

function act(action: () => void): boolean {
  action();
  return true;
}

function propsFor(writable: boolean): EditorProps {
  const attributes = {
    class: "document-text",
    "aria-label": "Document text",
    ...(writable
      ? { role: "textbox", "aria-multiline": "true", "aria-keyshortcuts": "Alt+F10", spellcheck: "true" }
      : { role: "article", tabindex: "0" }),
  };
  return { attributes, scrollThreshold: ROOM, scrollMargin: ROOM };
}

/** A click in the empty part of the sheet below the text goes to its end, as on paper. */
export function clickBelowText(sheet: HTMLElement, editor: Editor): void {
  sheet.addEventListener("mousedown", (event) => {
    if (event.target !== sheet || !editor.isEditable || event.button !== 0) return;
    event.preventDefault();
    const last = editor.state.doc.lastChild;
    const chain = editor.chain().focus("end");
    if (last !== null && last.type.name !== "paragraph") {
      chain.insertContentAt(editor.state.doc.content.size, { type: "paragraph" }).focus("end");
    }
    chain.run();
  });
}
