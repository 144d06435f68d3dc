import { QueryClient } from "@tanstack/react-query";
import { Problem } from "@continuo/api-client";

export interface ListParams {
  view: string;
  q: string;
  sort: "newest" | "oldest";
}

/** Names of everything in the cache. */
export const qk = {
  me: ["me"] as const,
  agents: ["agents"] as const,
  teams: ["teams"] as const,
  tags: ["tags"] as const,
  inboxes: ["inboxes"] as const,
  views: ["views"] as const,
  hours: ["business_hours"] as const,
  list: (params: ListParams) => ["list", params] as const,
  lists: ["list"] as const,
  conversation: (id: string) => ["conversation", id] as const,
  timeline: (id: string) => ["timeline", id] as const,
};

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The live connection keeps the cache true; refetching on focus would only make the list jump.
      staleTime: Infinity,
      gcTime: 30 * 60_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof Problem && (error.offline || error.status >= 500),
      retryDelay: (count) => 400 * 2 ** count,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});
