import { useSyncExternalStore } from "react";

/** Whether a media query holds, kept up to date. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (notify) => {
      const list = matchMedia(query);
      list.addEventListener("change", notify);
      return () => list.removeEventListener("change", notify);
    },
    () => matchMedia(query).matches,
  );
}

export type Layout = "three" | "drawer" | "one" | "phone";
/** The four layouts of the workspace. */
export function useLayout(): Layout {
  const three = useMedia("(min-width: 1360px)");
  const drawer = useMedia("(min-width: 1024px)");
  const one = useMedia("(min-width: 640px)");
  return three ? "three" : drawer ? "drawer" : one ? "one" : "phone";
}
