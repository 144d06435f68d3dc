import type { ConversationRow } from "@continuo/api-client";
import type { World } from "./world";

const fold = (s: string) => s.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
export function matchText(q: string, text: string): boolean {
  const words = fold(q).split(/\s+/).filter((x) => x && !x.includes(":"));
  return words.length > 0 && words.every((x) => fold(text).includes(x));
}

/** A small reading of the query language: enough to feel real. */
export function matches(world: World, query: string, r: ConversationRow, text = ""): { ok: boolean; words: string[]; problems: { token: string; text: string }[] } {
  const problems: { token: string; text: string }[] = [];
  const words: string[] = [];
  let ok = true;
  for (const raw of query.match(/-?[\w]+:"[^"]*"|"[^"]*"|\S+/g) ?? []) {
    const negate = raw.startsWith("-") && raw.includes(":");
    const token = negate ? raw.slice(1) : raw;
    const m = /^(\w+):(.*)$/.exec(token);
    if (!m) { words.push(fold(token.replace(/["*]/g, ""))); continue; }
    const value = fold((m[2] ?? "").replace(/"/g, ""));
    let hit: boolean | null;
    const me = world.me.agent.id;
    switch (m[1]) {
      case "is": hit = value === "open" ? r.status !== "resolved" && r.status !== "closed" : value === "waiting" ? r.status === "pending" || r.status === "on_hold" : value === "snoozed" ? r.status === "snoozed" : value === "closed" ? r.status === "resolved" || r.status === "closed" : value === "unread" ? r.unread : value === "unassigned" ? r.agent_id == null : value === "spam" ? r.spam : value === "mine" ? r.agent_id === me : null; break;
      case "channel": hit = r.channel === value || (value === "chat" && r.channel === "webchat"); break;
      case "agent": hit = value === "me" ? r.agent_id === me : value === "none" ? r.agent_id == null : fold(world.agents.find((a) => a.id === r.agent_id)?.name ?? "").includes(value); break;
      case "tag": hit = r.tag_ids.some((t) => fold(world.tags.find((x) => x.id === t)?.name ?? "") === value); break;
      case "priority": hit = r.priority === value; break;
      case "from": hit = fold(r.contact.name).includes(value); break;
      case "team": hit = fold(world.teams.find((t) => t.id === r.team_id)?.name ?? "").includes(value); break;
      case "inbox": hit = fold(world.inboxes.find((i) => i.id === r.inbox_id)?.name ?? "").includes(value); break;
      case "before": hit = r.last_activity_at < value; break;
      case "after": hit = r.last_activity_at >= value; break;
      case "on": hit = r.last_activity_at.startsWith(value); break;
      case "has": hit = (r.preview?.attachments ?? 0) > 0; break;
      default: hit = null;
    }
    if (hit === null) problems.push({ token: raw, text: "not understood" });
    else if (hit === negate) ok = false;
  }
  const hay = fold(`${r.contact.name} ${r.subject ?? ""} ${r.preview?.text ?? ""} ${text}`);
  if (!words.every((x) => hay.includes(x))) ok = false;
  return { ok, words, problems };
}
