import type { Agent, Entry, EntryStatus, Tag, Team } from "@continuo/api-client";
import { useAgents, useTags, useTeams } from "../../app/me";
import { when } from "../../app/time";
import { t } from "../../text";
import { channelName } from "../../ui/channel";

/** The delivery words of an outgoing entry. */
export function statusWords(s: EntryStatus, now: number): { text: string; tone: "quiet" | "ok" | "warn" | "danger" } {
  if (s.uncertain) return { text: t.delivery.uncertain, tone: "warn" };
  switch (s.code) {
    case "queued":
      if (s.hold_until && Date.parse(s.hold_until) > now) return { text: t.sendsIn(Math.ceil((Date.parse(s.hold_until) - now) / 1000)), tone: "quiet" };
      if (s.send_at) return { text: t.sendsAt(when(s.send_at, now)), tone: "warn" };
      return { text: t.delivery.queued, tone: "quiet" };
    case "blocked":
      return { text: t.notSentBecause(reasonText(s.reason)), tone: "danger" };
    case "failed":
      return { text: t.failedBecause(failureText(s.reason)), tone: "danger" };
    case "delivered":
    case "read":
      return { text: t.delivery[s.code], tone: "ok" };
    case "cancelled":
    case "expired":
      return { text: t.delivery[s.code], tone: "warn" };
    default:
      return { text: t.delivery[s.code] ?? s.code, tone: "quiet" };
  }
}

export function reasonText(reason: string | null | undefined): string {
  return (reason && (t.reason as Record<string, string>)[reason]) || t.reasonUnknown;
}
function failureText(reason: string | null | undefined): string {
  return (reason && ((t.failure as Record<string, string>)[reason] ?? (t.reason as Record<string, string>)[reason])) || reason || t.failure.unknown;
}

export interface Names {
  agents: Agent[];
  teams: Team[];
  tags: Tag[];
}
export function useNames(): Names {
  return { agents: useAgents(), teams: useTeams(), tags: useTags() };
}

/** One sentence for an event entry; an unknown code of a newer server is shown by its name, never a crash. */
export function eventText(entry: Entry, names: Names): string {
  const code = entry.event?.code ?? "";
  const args = (entry.event?.args ?? {}) as Record<string, unknown>;
  const s = (key: string) => (typeof args[key] === "string" || typeof args[key] === "number" ? String(args[key]) : "");
  const who = entry.author.kind === "system" || !entry.author.name ? null : entry.author.name;
  const agent = (key: string) => names.agents.find((a) => a.id === args[key])?.name ?? null;
  const tagList = (key: string) => (Array.isArray(args[key]) ? (args[key] as string[]).map((id) => names.tags.find((x) => x.id === id)?.name ?? id) : []).join(", ");
  const e = t.event;
  switch (code) {
    case "status_changed": {
      const to = s("to") as keyof typeof t.statusName;
      if (to === "snoozed") return e.snoozed(who, s("until") ? when(s("until")) : "");
      return e.status(who, t.statusName[to] ?? to);
    }
    case "assigned": {
      const to = agent("agent_id");
      const team = names.teams.find((x) => x.id === args["team_id"])?.name ?? null;
      if (to) return to === who ? e.took(to) : e.assigned(who, to);
      if (team) return e.assigned(who, team);
      return e.unassigned(who);
    }
    case "tagged":
      return e.tagged(who, tagList("added"), tagList("removed"));
    case "priority_changed": {
      const to = s("to") as keyof typeof t.priorityName;
      return e.priority(who, t.priorityName[to] ?? to);
    }
    case "channel_switched":
      return e.switched(entry.author.kind === "contact" ? entry.author.name : t.theCustomer, channelName(s("from") as Entry["channel"]), channelName(s("to") as Entry["channel"]));
    case "conversation_merged":
      return e.merged(who, s("from"), s("into"));
    case "conversation_split":
      return e.split(who, s("from"), s("to"));
    case "entry_moved":
      return e.moved(who, s("from"), s("to"));
    case "contact_merged":
      return e.contactMerged(who);
    case "contact_separated":
      return e.contactSeparated(who);
    case "spam_changed":
      return e.spam(who, args["spam"] === true);
    case "subject_changed":
      return e.subject(who);
    case "identity_given":
      return e.identity(t.proof[(Number(args["level"]) || 0) as 0 | 1 | 2 | 3]);
    case "customer_left_address":
      return e.leftAddress(s("address"));
    case "undone":
      return e.undone(who);
    default:
      return code.replace(/_/g, " ");
  }
}
