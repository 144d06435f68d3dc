import { useInfiniteQuery } from "@tanstack/react-query";
import { api, need } from "../../app/api";
import { sawSnapshot } from "../../app/live";
import { qk, type ListParams } from "../../app/query";

export function useConversations(params: ListParams) {
  return useInfiniteQuery({
    queryKey: qk.list(params),
    queryFn: async ({ pageParam }) => {
      const page = await need(api.GET("/api/v1/conversations", { params: { query: { view: params.view, q: params.q || undefined, sort: params.sort, cursor: pageParam, limit: 50 } } }));
      // After this task the page is in the cache, where healing can reach it.
      setTimeout(() => sawSnapshot(page.change_seq));
      return page;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}
