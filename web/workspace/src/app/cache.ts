import type { ConversationDetail, ConversationRow, Entry, LiveItem, Me, TimelinePage } from "@continuo/api-client";
import { qk, queryClient, type ListParams } from "./query";
import { isOfTimeline, patchList, patchTimeline, type ListData } from "./rows";

/** Writes what arrived live (or was answered to our own change) into the query cache. */
export function applyItems(items: LiveItem[]) {
  for (const item of items) {
    switch (item.kind) {
      case "conversation":
        applyRow(item.conversation);
        break;
      case "entry":
        applyEntry(item.entry);
        break;
      case "gone":
        void queryClient.invalidateQueries({ queryKey: qk.lists });
        void queryClient.invalidateQueries({ queryKey: qk.conversation(item.conversation_id) });
        break;
      case "contact":
        void queryClient.invalidateQueries({ queryKey: ["conversation"], predicate: (q) => (q.state.data as ConversationDetail | undefined)?.contact.id === item.contact_id });
        break;
      case "views":
        queryClient.setQueryData(qk.views, { items: item.items });
        break;
      case "draft":
        // Written on another device: read anew when opened. The open one finds out by the version of its next save.
        queryClient.removeQueries({ queryKey: qk.conversation(item.conversation_id), type: "inactive" });
        break;
      case "agents":
        void queryClient.invalidateQueries({ queryKey: qk.agents });
        void queryClient.invalidateQueries({ queryKey: qk.teams });
        break;
      case "inboxes":
        void queryClient.invalidateQueries({ queryKey: qk.inboxes });
        void queryClient.invalidateQueries({ queryKey: qk.hours });
        break;
      case "tags":
        void queryClient.invalidateQueries({ queryKey: qk.tags });
        break;
      case "workspace":
        void queryClient.invalidateQueries({ queryKey: qk.me });
        break;
      default: // A kind of a newer server: nothing we could show.
    }
  }
}

export function myId(): string {
  return queryClient.getQueryData<Me>(qk.me)?.agent.id ?? "";
}

/** A row seen later has a `seq` at least as high; an older one (a late answer) is not let in. */
export function applyRow(row: ConversationRow, force = false) {
  const known = findRow(row.id);
  if (!force && known && known.seq > row.seq) return;
  const me = myId();
  for (const [key, data] of queryClient.getQueriesData<ListData>({ queryKey: qk.lists })) {
    if (data) queryClient.setQueryData(key, patchList(data, key[1] as ListParams, row, me));
  }
  queryClient.setQueriesData<ConversationDetail>({ queryKey: ["conversation"] }, (detail) => {
    if (!detail) return detail;
    if (detail.conversation.id === row.id) return { ...detail, conversation: row };
    if (detail.others.some((o) => o.id === row.id)) return { ...detail, others: detail.others.map((o) => (o.id === row.id ? row : o)) };
    return detail;
  });
  queryClient.setQueriesData<TimelinePage>({ queryKey: ["timeline"] }, (page) => {
    if (!page?.conversations.some((c) => c.id === row.id)) return page;
    return { ...page, conversations: page.conversations.map((c) => (c.id === row.id ? { id: row.id, number: row.number, status: row.status, subject: row.subject, merged_into: row.merged_into } : c)) };
  });
}

export function applyEntry(entry: Entry) {
  queryClient.setQueriesData<TimelinePage>({ queryKey: ["timeline"] }, (page) => (page && isOfTimeline(page, entry) ? patchTimeline(page, entry) : page));
}

/** The newest version of a conversation that any query holds. */
export function findRow(id: string): ConversationRow | undefined {
  const detail = queryClient.getQueryData<ConversationDetail>(qk.conversation(id));
  if (detail) return detail.conversation;
  for (const [, data] of queryClient.getQueriesData<ListData>({ queryKey: qk.lists })) {
    for (const page of data?.pages ?? []) for (const row of page.items) if (row.id === id) return row;
  }
  return undefined;
}
