import { useEffect, useRef, useState } from "preact/hooks";
import type { WidgetItem } from "../wire";
import { authorName } from "./message";
import type { Props } from "./parts";

const PAUSE_MS = 2_000;
const KEPT = 5;

/**
 * The one live region: what the other side says, at most one change in two seconds. The visible list is not live, so that own
 * messages, older pages and changed marks are not read out.
 */
export function Announcer({ state }: Props) {
  const [said, setSaid] = useState<WidgetItem[]>([]);
  const waiting = useRef<WidgetItem[]>([]);
  const timer = useRef(0);
  useEffect(() => {
    if (!state.news.length || !state.open) return;
    waiting.current.push(...state.news);
    if (timer.current) return;
    const flush = () => {
      timer.current = 0;
      if (!waiting.current.length) return;
      const next = waiting.current.splice(0);
      setSaid((old) => [...old, ...next].slice(-KEPT));
      timer.current = window.setTimeout(flush, PAUSE_MS);
    };
    flush();
  }, [state.news, state.open]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div class="unseen" role="log" aria-live="polite" aria-label={state.text.t("messages")}>
      {said.map((item) => (
        <p key={item.id}>
          {authorName(state.text, item)}: {item.text || item.files.map((file) => file.name).join(", ")}
        </p>
      ))}
    </div>
  );
}
