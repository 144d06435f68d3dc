import { WifiOff } from "lucide-react";
import { connection, tryNow } from "../../app/live";
import { useStore } from "../../app/store";
import { clock, useNow } from "../../app/time";
import { t } from "../../text";

/** Says that what is shown may be old, since when, and when the next try is. A blip under three seconds stays unsaid. */
export function LiveBanner() {
  const live = useStore(connection);
  const now = useNow(live.state === "lost" ? 500 : 60_000);
  if (live.state !== "lost" || now - live.since < 3_000) return null;
  const left = Math.max(0, Math.ceil((live.retryAt - now) / 1000));
  return (
    <div role="status" className="flex shrink-0 items-center justify-center gap-2 bg-warn-tint px-4 py-1.5 text-13 text-warn">
      <WifiOff size={15} aria-hidden />
      <span className="tnum">{t.connectionLost(clock(live.since))} {left > 0 ? t.tryingIn(left) : t.tryingNow}</span>
      <button type="button" onClick={tryNow} className="h-7 rounded-control px-2 font-medium underline underline-offset-2 hover:no-underline">{t.tryNow}</button>
    </div>
  );
}
