/** The items on screen: one per id, the higher `seq` wins, sorted by `(at, id)`. */
import type { WidgetItem } from "./wire";

export function merge(log: WidgetItem[], items: WidgetItem[]): WidgetItem[] {
  const byId = new Map(log.map((item) => [item.id, item]));
  for (const item of items) {
    const old = byId.get(item.id);
    if (!old || item.seq >= old.seq) byId.set(item.id, item);
  }
  return [...byId.values()].sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? -1 : 1));
}
