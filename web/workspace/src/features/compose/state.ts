import type { Schemas } from "@continuo/api-client";
import { readAddresses } from "../../app/addresses";

/** A new mail as it is typed; kept in this browser until it is sent. */
export interface Words {
  inboxId: string;
  to: string;
  cc: string;
  bcc: string;
  subject: string;
  text: string;
  each: boolean;
}
export const blank: Words = { inboxId: "", to: "", cc: "", bcc: "", subject: "", text: "", each: false };

const diskKey = (agent: string) => `continuo.draft.${agent}.compose`;
export function readWords(agent: string): Words {
  try {
    return { ...blank, ...(JSON.parse(localStorage.getItem(diskKey(agent)) ?? "{}") as Partial<Words>) };
  } catch {
    return { ...blank };
  }
}
export function keepWords(agent: string, words: Words | null): void {
  try {
    if (!words || [words.to, words.cc, words.bcc, words.subject, words.text].every((x) => x.trim() === "")) localStorage.removeItem(diskKey(agent));
    else localStorage.setItem(diskKey(agent), JSON.stringify(words));
  } catch {
    // Full or refused storage: the words still stand in the open window.
  }
}

export type Trouble = { code: "bad_address"; address: string } | { code: "no_receiver" } | { code: "no_subject" } | { code: "no_text" };

/** What a new mail would be, or the first thing that is wrong with it. */
export function composed(words: Words): { body: Schemas["Compose"]; trouble: null } | { body: null; trouble: Trouble } {
  const [to, cc, bcc] = [words.to, words.cc, words.bcc].map(readAddresses) as [ReturnType<typeof readAddresses>, ReturnType<typeof readAddresses>, ReturnType<typeof readAddresses>];
  const bad = to.bad[0] ?? cc.bad[0] ?? bcc.bad[0];
  if (bad) return { body: null, trouble: { code: "bad_address", address: bad } };
  if (to.list.length === 0) return { body: null, trouble: { code: "no_receiver" } };
  if (words.subject.trim() === "") return { body: null, trouble: { code: "no_subject" } };
  if (words.text.trim() === "") return { body: null, trouble: { code: "no_text" } };
  return { body: { ...(words.inboxId ? { inbox_id: words.inboxId } : {}), to: to.list, cc: cc.list, bcc: bcc.list, each: words.each && to.list.length > 1, subject: words.subject.trim(), text: words.text.trim() }, trouble: null };
}
