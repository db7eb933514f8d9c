import type { Editor } from "@tiptap/core";
import { yUndoPluginKey } from "@tiptap/y-tiptap";

import type { IconName } from "./icons";
import type { Shortcut } from "./keys";

/** One button of the toolbar. */
export interface Tool {
  readonly icon: IconName;
  readonly label: string;
  readonly shortcut?: Shortcut;
  /** Present for those that are on or off where the caret is. */
  readonly isOn?: (editor: Editor) => boolean;
  /** Absent means always. */
  readonly isPossible?: (editor: Editor) => boolean;
  /** The text has the focus when this is called. */
  readonly run: (editor: Editor) => void;
}

/** What the toolbar holds, in groups. `editLink` opens the link dialog. */
export function tools(editLink: () => void): Tool[][] {
  return [
    [
      {
        icon: "undo",
        label: "Undo",
        shortcut: "Mod+Z",
        isPossible: (editor) => steps(editor, "undoStack"),
        run: (editor) => editor.commands.undo(),
      },
      {
        icon: "redo",
        label: "Redo",
        shortcut: "Mod+Shift+Z",
        isPossible: (editor) => steps(editor, "redoStack"),
        run: (editor) => editor.commands.redo(),
      },
    ],
    [paragraph, heading(1), heading(2), heading(3)],
    [
      mark("bold", "bold", "Bold", "Mod+B"),
      mark("italic", "italic", "Italic", "Mod+I"),
      mark("strike", "strike", "Strikethrough", "Mod+Shift+S"),
      mark("code", "code", "Code", "Mod+E"),
      { icon: "link", label: "Link", shortcut: "Mod+K", isOn: (editor) => editor.isActive("link"), run: editLink },
    ],
    [
      {
        icon: "bullets",
        label: "Bulleted list",
        shortcut: "Mod+Shift+8",
        isOn: (editor) => editor.isActive("bulletList"),
        run: (editor) => editor.commands.toggleBulletList(),
      },
      {
        icon: "numbers",
        label: "Numbered list",
        shortcut: "Mod+Shift+7",
        isOn: (editor) => editor.isActive("orderedList"),
        run: (editor) => editor.commands.toggleOrderedList(),
      },
      {
        icon: "quote",
        label: "Quote",
        shortcut: "Mod+Shift+B",
        isOn: (editor) => editor.isActive("blockquote"),
        run: (editor) => editor.commands.toggleBlockquote(),
      },
      {
        icon: "codeBlock",
        label: "Code block",
        shortcut: "Mod+Alt+C",
        isOn: (editor) => editor.isActive("codeBlock"),
        run: (editor) => editor.commands.toggleCodeBlock(),
      },
      { icon: "rule", label: "Dividing line", run: (editor) => editor.commands.setHorizontalRule() },
    ],
  ];
}

const paragraph: Tool = {
  icon: "paragraph",
  label: "Plain text",
  shortcut: "Mod+Alt+0",
  isOn: (editor) => editor.isActive("paragraph"),
  run: (editor) => editor.commands.setParagraph(),
};

function heading(level: 1 | 2 | 3): Tool {
  return {
    icon: `heading${level}`,
    label: `Heading ${level}`,
    shortcut: `Mod+Alt+${level}`,
    isOn: (editor) => editor.isActive("heading", { level }),
    run: (editor) => editor.commands.toggleHeading({ level }),
  };
}

function mark(name: string, icon: IconName, label: string, shortcut: Shortcut): Tool {
  return {
    icon,
    label,
    shortcut,
    isOn: (editor) => editor.isActive(name),
    run: (editor) => editor.commands.toggleMark(name),
  };
}

/** Asking the undo manager is cheap; `editor.can()` would try the command out on every transaction. */
function steps(editor: Editor, stack: "undoStack" | "redoStack"): boolean {
  const held = yUndoPluginKey.getState(editor.state) as { undoManager: Record<typeof stack, unknown[]> } | undefined;
  return (held?.undoManager[stack].length ?? 0) > 0;
}
