import { InputRule, Mark, type PasteRuleMatch, markPasteRule } from "@tiptap/core";
import type { MarkType } from "@tiptap/pm/model";
import { Plugin } from "@tiptap/pm/state";
import type { EditorView } from "@tiptap/pm/view";

import { safeHref } from "./links";

const TYPED_ADDRESS = /(?:^|\s)((?:https?:\/\/|mailto:)[^\s<>"]*[^\s<>".,;:!?)\]'])\s$/i;
const TYPED_MARKDOWN = /(?:^|[^!\\])(\[([^[\]]+)\]\(([^()\s]+)\))$/;
const PASTED_ADDRESS = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]']/gi;
const ONE_ADDRESS = /^(?:https?:\/\/|mailto:)\S+$/i;

/**
 * Links, with nothing but an address in the document. TipTap's own link is refused for two reasons: it keeps target,
 * rel and class there, where a peer may write them; and its automatic linking also acts on what others type, so that
 * every open tab would write the same mark.
 */
export const Link = Mark.create({
  name: "link",
  priority: 1000,
  inclusive: false,

  addAttributes: () => ({ href: { default: null } }),

  parseHTML: () => [
    {
      tag: "a[href]",
      getAttrs(element) {
        const href = safeHref(element.getAttribute("href"));
        return href === null ? false : { href };
      },
    },
  ],

  renderHTML: ({ mark }) => [
    "a",
    { href: safeHref(mark.attrs["href"]), target: "_blank", rel: "noopener noreferrer nofollow" },
    0,
  ],

  addInputRules() {
    return [linkTypedAddress(this.type), linkTypedMarkdown(this.type)];
  },

  addPasteRules() {
    return [markPasteRule({ find: pastedAddresses, type: this.type, getAttributes: (match) => match.data ?? false })];
  },

  addProseMirrorPlugins() {
    return [clicks(), pasteOverSelection(this.type)];
  },
});

function linkTypedAddress(type: MarkType): InputRule {
  return new InputRule({
    find: TYPED_ADDRESS,
    handler({ state, range, match }) {
      const [text, address = ""] = match;
      const href = safeHref(address);
      if (href === null) return null;
      const start = range.from + text.indexOf(address);
      state.tr.addMark(start, start + address.length, type.create({ href })).removeStoredMark(type);
      return undefined;
    },
  });
}

function linkTypedMarkdown(type: MarkType): InputRule {
  return new InputRule({
    find: TYPED_MARKDOWN,
    handler({ state, range, match }) {
      const [text, whole = "", label = "", address] = match;
      const href = safeHref(address);
      if (href === null) return null;
      const start = range.from + text.indexOf(whole);
      const marks = [...(state.doc.resolve(start).marks() ?? []), type.create({ href })];
      state.tr.replaceWith(start, range.to, state.schema.text(label, marks)).removeStoredMark(type);
      return undefined;
    },
  });
}

function pastedAddresses(text: string): PasteRuleMatch[] {
  return [...text.matchAll(PASTED_ADDRESS)].flatMap(({ 0: address, index }) => {
    const href = safeHref(address);
    return href === null ? [] : [{ index, text: address, data: { href } }];
  });
}

/** Readers follow a link by a click; writers, whose click sets the caret, with Ctrl, Cmd or the middle button. */
function clicks(): Plugin {
  const follow = (view: EditorView, event: MouseEvent): boolean => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || !view.dom.contains(link)) return false;
    event.preventDefault();
    const href = safeHref(link.getAttribute("href"));
    const wanted = !view.editable || event.ctrlKey || event.metaKey || event.button === 1;
    if (href === null || !wanted || event.button > 1) return false;
    window.open(href, "_blank", "noopener,noreferrer");
    return true;
  };
  return new Plugin({ props: { handleDOMEvents: { click: follow, auxclick: follow } } });
}

/** An address pasted over a selection links it. */
function pasteOverSelection(type: MarkType): Plugin {
  return new Plugin({
    props: {
      handlePaste(view, event) {
        const { from, to, empty, $from } = view.state.selection;
        const text = event.clipboardData?.getData("text/plain").trim() ?? "";
        const href = ONE_ADDRESS.test(text) ? safeHref(text) : null;
        if (empty || href === null || !$from.parent.type.allowsMarkType(type)) return false;
        view.dispatch(view.state.tr.addMark(from, to, type.create({ href })));
        return true;
      },
    },
  });
}
