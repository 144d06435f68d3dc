import { useQuery } from "@tanstack/react-query";
import type { TimelinePage } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { sawSnapshot, seedPresence } from "../../app/live";
import { qk, queryClient } from "../../app/query";
import { joinTimeline } from "../../app/rows";

const detail = (id: string) => ({
  queryKey: qk.conversation(id),
  queryFn: async () => {
    const got = await need(api.GET("/api/v1/conversations/{id}", { params: { path: { id } } }));
    seedPresence(id, got.presence);
    setTimeout(() => sawSnapshot(got.change_seq));
    return got;
  },
});

const timeline = (id: string, anchor: string) => ({
  queryKey: qk.timeline(id),
  queryFn: async () => {
    const got = await need(api.GET("/api/v1/conversations/{id}/timeline", { params: { path: { id }, query: { anchor, limit: 60 } } }));
    setTimeout(() => sawSnapshot(got.change_seq));
    return got;
  },
});

export const useDetail = (id: string) => useQuery(detail(id));
export const useTimeline = (id: string, anchor: string) => useQuery(timeline(id, anchor));

/** Reads a neighbour of the open conversation before anybody asks for it. */
export function prefetchConversation(id: string) {
  void queryClient.prefetchQuery(detail(id));
  void queryClient.prefetchQuery(timeline(id, "first_unread"));
}

export async function loadMore(id: string, side: "before" | "after"): Promise<void> {
  const have = queryClient.getQueryData<TimelinePage>(qk.timeline(id));
  const cursor = have?.[side];
  if (!cursor) return;
  const got = await need(api.GET("/api/v1/conversations/{id}/timeline", { params: { path: { id }, query: { [side]: cursor, limit: 60 } } }));
  queryClient.setQueryData<TimelinePage>(qk.timeline(id), (was) => (was ? joinTimeline(was, got, side) : got));
}

/** Reads the timeline again at another place (its end, or one entry). */
export async function jumpTimeline(id: string, anchor: string): Promise<void> {
  queryClient.setQueryData(qk.timeline(id), await timeline(id, anchor).queryFn());
}
