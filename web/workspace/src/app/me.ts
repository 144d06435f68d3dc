import { useMutation, useQuery } from "@tanstack/react-query";
import type { Agent, Inbox, Me, Preferences, Tag, Team, ViewCount } from "@continuo/api-client";
import { api, need } from "./api";
import { singleKeys } from "./commands";
import { qk, queryClient } from "./query";

export const meQuery = { queryKey: qk.me, queryFn: () => need(api.GET("/api/v1/me")) };

/** Me and my workspace; the shell is only shown once this is known. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (!data) throw new Error("useMe before the shell has loaded me");
  return data;
}

const none: never[] = [];
export function useAgents(): Agent[] {
  return useQuery({ queryKey: qk.agents, queryFn: () => need(api.GET("/api/v1/agents")) }).data?.items ?? none;
}
export function useTeams(): Team[] {
  return useQuery({ queryKey: qk.teams, queryFn: () => need(api.GET("/api/v1/teams")) }).data?.items ?? none;
}
export function useTags(): Tag[] {
  return useQuery({ queryKey: qk.tags, queryFn: () => need(api.GET("/api/v1/tags")) }).data?.items ?? none;
}
export const inboxesQuery = { queryKey: qk.inboxes, queryFn: () => need(api.GET("/api/v1/inboxes")) };
export function useInboxes(): Inbox[] {
  return useQuery(inboxesQuery).data?.items ?? none;
}
export function useViews(): ViewCount[] {
  return useQuery({ queryKey: qk.views, queryFn: () => need(api.GET("/api/v1/views")) }).data?.items ?? none;
}

export function isAdmin(me: Me): boolean {
  return me.agent.role === "admin" || me.agent.role === "owner";
}

/** Saves preferences; shown at once, saved behind. */
export function usePreferences() {
  const me = useMe();
  const save = useMutation({
    mutationFn: (preferences: Partial<Preferences>) => need(api.PATCH("/api/v1/me", { body: { preferences } })),
    onMutate: (preferences) => {
      queryClient.setQueryData<Me>(qk.me, (was) => was && { ...was, preferences: { ...was.preferences, ...preferences } });
      applyPreferences({ ...me.preferences, ...preferences });
    },
    onError: () => void queryClient.invalidateQueries({ queryKey: qk.me }),
  });
  return { preferences: me.preferences, setPreferences: save.mutate };
}

/** Theme and keys take hold outside React; the theme is also kept for the next start, so that it does not flash. */
export function applyPreferences(p: Preferences) {
  const root = document.documentElement;
  if (p.theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = p.theme;
  root.dataset["density"] = p.density;
  singleKeys.set(p.single_keys);
  try {
    localStorage.setItem("continuo.theme", p.theme);
    localStorage.setItem("continuo.locale", p.locale);
  } catch {
    // Storage may be refused; the next start asks the server.
  }
}
