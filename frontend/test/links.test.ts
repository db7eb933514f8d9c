import assert from "node:assert/strict";
import test from "node:test";

import { hrefFromInput, safeHref } from "../src/editor/links";
import { documentSchema } from "../src/editor/schema";

const HOSTILE: unknown[] = [
  "javascript:alert(1)",
  "JAVASCRIPT:alert(1)",
  "JaVa\tscript:alert(1)",
  "java\nscript:alert(1)",
  "\u0001javascript:alert(1)",
  "  javascript:alert(1)",
  "\u00a0javascript:alert(1)",
  "\u0000javascript:alert(1)",
  "javascript\u0000:alert(1)",
  "javascript://example.org/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "DATA:text/html;base64,PHNjcmlwdD4=",
  "vbscript:msgbox(1)",
  "blob:https://example.org/1",
  "file:///etc/passwd",
  "filesystem:https://example.org/x",
  "about:blank",
  "view-source:https://example.org",
  "http://[",
  "",
  "   ",
  null,
  undefined,
  5,
  Number.NaN,
  {},
  ["javascript:alert(1)"],
  { toString: () => "javascript:alert(1)" },
];

const GOOD = [
  "https://example.org/a?b=c#d",
  "http://example.org",
  "HTTPS://EXAMPLE.ORG",
  "mailto:ana@example.org",
  "tel:+44123",
  "/documents/1/",
  "../notes",
  "?page=2",
  "#top",
  "page two.html",
  "//example.org/x",
];

test("hostile values are no address", () => {
  for (const value of HOSTILE) assert.equal(safeHref(value), null, JSON.stringify(value));
});

test("addresses of the allowed kinds stay as they are", () => {
  for (const value of GOOD) assert.equal(safeHref(value), value);
  assert.equal(safeHref("  https://example.org  "), "https://example.org");
});

test("what is typed becomes what was meant", () => {
  assert.equal(hrefFromInput("example.org"), "https://example.org");
  assert.equal(hrefFromInput("example.org:8080/x"), "https://example.org:8080/x");
  assert.equal(hrefFromInput("ana@example.org"), "mailto:ana@example.org");
  assert.equal(hrefFromInput("/documents/1/"), "/documents/1/");
  assert.equal(hrefFromInput("#part"), "#part");
  assert.equal(hrefFromInput("http://example.org"), "http://example.org");
  assert.equal(hrefFromInput("javascript:alert(1)"), null);
  assert.equal(hrefFromInput("javascript:example.org/"), null);
});

test("a link is rendered with a checked address and with none of a peer's other attributes", () => {
  const link = documentSchema().marks["link"];
  const rendered = (attrs: object): unknown => {
    const spec: unknown = link?.spec.toDOM?.(link.create({ ...attrs }), true);
    assert.ok(Array.isArray(spec));
    return spec[1];
  };
  const fixed = { target: "_blank", rel: "noopener noreferrer nofollow" };
  for (const href of HOSTILE) {
    assert.deepEqual(rendered({ href, style: "color:red", class: "notice", onclick: "x" }), { href: null, ...fixed });
  }
  assert.deepEqual(rendered({ href: "/x", target: "_top" }), { href: "/x", ...fixed });
});
