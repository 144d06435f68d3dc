import { expect, test } from "vitest";
import { prepareMail } from "./mail-html";

const words = (k: string) => `[${k}]`;
const read = (html: string) => prepareMail(html, words, "picture");

test("quotes and signatures stand behind a button, and all of their words stay", () => {
  const m = read('<p>New words</p><div data-fold="signature">Ada</div><blockquote data-fold="quote"><p>Old</p><div data-fold="quote">Older</div></blockquote>');
  expect(m.html).toContain("New words");
  expect(m.html.match(/<details/g)).toHaveLength(2);
  expect(m.html).toContain("<summary>[signature]</summary>");
  for (const word of ["Ada", "Old", "Older"]) expect(m.html).toContain(word);
});

test("header block and quote next to each other are one button", () => {
  const m = read('<p>Hi</p><div data-fold="quote">On Monday Bo wrote:</div> <blockquote data-fold="quote">Text</blockquote>');
  expect(m.html.match(/<details/g)).toHaveLength(1);
});

test("nothing is folded when nothing else would be left", () => {
  const m = read('<div>&nbsp;<br></div><blockquote data-fold="forward">All there is</blockquote>');
  expect(m.html).not.toContain("<details");
  expect(m.html).toContain("All there is");
  expect(read('<img src="/files/att_1?sig=x" alt=""><blockquote data-fold="quote">Q</blockquote>').html).toContain("<details");
});

test("pictures of the network are counted and never loaded; attached and enclosed ones are shown", () => {
  const m = read('<img data-remote-src="https://t.example/a.png" alt="Logo"><img data-remote-src="http://t.example/p.gif" width="1" height="1"><img src="/files/att_1?sig=x"><img data-remote-src="data:image/png;base64,AAAA"><img src="https://t.example/b.png"><img src="//t.example/c.png">');
  expect(m.waiting).toBe(2);
  expect(m.html).not.toContain("t.example");
  expect(m.html).toContain('<span class="waits">Logo</span>');
  expect(m.html).toContain('src="/files/att_1?sig=x"');
  expect(m.html).toContain('src="data:image/png;base64,AAAA"');
});

test("black on white is no colour of its own; anything else is", () => {
  expect(read('<div style="color:#000;background-color:#fff;font-weight:bold">x</div>')).toMatchObject({ paper: false });
  expect(read('<p style="color: rgb(33, 33, 33)">x</p><table bgcolor="#ffffff"><tr><td>y</td></tr></table>').paper).toBe(false);
  expect(read('<td bgcolor="#0b6b74">x</td><p style="color:#c00">red</p>').paper).toBe(true);
  expect(read('<div style="color:#000;font-weight:bold">x</div>').html).toBe('<div data-style="font-weight: bold">x</div>');
});

test("links open elsewhere and only to the network, mail and telephone; what runs is gone", () => {
  const m = read('<a href="https://shop.example/x">a</a><a href="javascript:alert(1)">b</a><script>1</script><iframe></iframe><form><input></form>');
  expect(m.html).toContain('target="_blank" rel="noopener noreferrer nofollow"');
  expect(m.html).not.toMatch(/javascript:|<script|<iframe|<form/);
});

test("only attributes called style are taken for styles", () => {
  const m = read('<p title="a style=" lang="x" style="color: #c00">style="y"</p><p style=\'position:fixed\'>z</p>');
  expect(m.html).toBe('<p title="a style=" lang="x" data-style="color: #c00">style="y"</p><p>z</p>');
});
