import { expect, test } from "vitest";
import { readAddresses, writeAddresses } from "./addresses";

test("names, quotes, several separators, doubles", () => {
  const { list, bad } = readAddresses('Ada Novak <ada@novak.example>, "Costa, Ines" <ines@x.example>; tom@x.example\nADA@novak.example');
  expect(bad).toEqual([]);
  expect(list).toEqual([{ address: "ada@novak.example", name: "Ada Novak" }, { address: "ines@x.example", name: "Costa, Ines" }, { address: "tom@x.example", name: null }]);
});

test("what is no address is named, not dropped", () => {
  expect(readAddresses("ada, tom@x, Bo <bo>, a@b@c.d, ok@x.example").bad).toEqual(["ada", "tom@x", "Bo <bo>", "a@b@c.d"]);
  expect(readAddresses("ada, ok@x.example").list).toHaveLength(1);
  expect(readAddresses(" , ;")).toEqual({ list: [], bad: [] });
});

test("written and read again is the same", () => {
  const list = [{ address: "a@x.example", name: "Costa, Ines" }, { address: "b@x.example", name: null }, { address: "c@x.example", name: "Tom" }];
  expect(readAddresses(writeAddresses(list)).list).toEqual(list);
});
