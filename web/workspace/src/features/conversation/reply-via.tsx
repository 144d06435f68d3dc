import { Ban, ChevronDown, TriangleAlert } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { DropdownMenu as D } from "radix-ui";
import type { ReplyOption } from "@continuo/api-client";
import { when } from "../../app/time";
import { toast } from "../../app/toasts";
import { t } from "../../text";
import { ChannelTile, channelName } from "../../ui/channel";
import { cx } from "../../ui/cx";
import { Menu, MenuLabel } from "../../ui/menu";
import { reasonText } from "./words";

export const optionKey = (o: Pick<ReplyOption, "inbox_id" | "contact_point_id">) => `${o.inbox_id}:${o.contact_point_id ?? ""}`;

/** Every way to reach the customer, usable first; blocked ones stay, are focusable and say why. */
export function ReplyVia({ options, chosen, open, onOpenChange, onPick }: { options: ReplyOption[]; chosen: ReplyOption | null; open: boolean; onOpenChange: (open: boolean) => void; onPick: (o: ReplyOption) => void }) {
  const navigate = useNavigate();
  const rank = { ok: 0, warn: 1, blocked: 2 };
  const sorted = [...options].sort((a, b) => rank[a.state] - rank[b.state]);
  return (
    <Menu
      open={open}
      onOpenChange={onOpenChange}
      label={t.replyVia}
      width={340}
      trigger={
        <button type="button" className="inline-flex h-8 min-w-0 items-center gap-1.5 rounded-control px-2 text-13 text-ink2 hover:bg-fill hover:text-ink data-[state=open]:bg-fill pointer-coarse:h-11">
          {chosen ? <ChannelTile channel={chosen.channel} size={18} named={false} /> : <Ban size={15} aria-hidden />}
          <span className="truncate">{chosen ? t.viaChannel(channelName(chosen.channel)) : t.noWay}</span>
          {chosen?.state === "warn" && <TriangleAlert size={13} className="shrink-0 text-warn" aria-label={reasonText(chosen.reason)} />}
          <ChevronDown size={13} className="shrink-0" aria-hidden />
        </button>
      }
    >
      <MenuLabel>{t.replyVia}</MenuLabel>
      {sorted.map((o) => {
        const on = chosen !== null && optionKey(o) === optionKey(chosen);
        const blocked = o.state === "blocked";
        return (
          <D.Item
            key={`${o.channel}${optionKey(o)}`}
            role="menuitemradio"
            aria-checked={on}
            aria-disabled={blocked || undefined}
            onSelect={(e) => {
              if (blocked) {
                e.preventDefault();
                if (o.fix?.action === "sign_in") void navigate({ to: "/settings/$page", params: { page: "channels" } });
                else if (o.fix?.action === "use_template") toast(t.fixComes);
                else if (o.fix && o.fix.action !== "switch_channel") onOpenChange(false);
              } else onPick(o);
            }}
            className={cx("flex cursor-pointer select-none items-start gap-2.5 rounded-control px-2 py-2 outline-none data-[highlighted]:bg-fill", on && "bg-brand-tint")}
          >
            <ChannelTile channel={o.channel} size={22} named={false} className={cx("mt-px", blocked && "opacity-50")} />
            <span className="min-w-0 flex-1">
              <span className={cx("flex items-baseline gap-2 text-14", blocked && "text-ink3")}>
                <span className="font-medium">{channelName(o.channel)}</span>
                <span className="min-w-0 truncate text-13 text-ink2">{o.address || o.inbox_name}</span>
              </span>
              {o.reason && (
                <span className={cx("mt-0.5 flex items-start gap-1 text-12", blocked ? "text-danger" : "text-warn")}>
                  {blocked ? <Ban size={12} className="mt-0.5 shrink-0" aria-hidden /> : <TriangleAlert size={12} className="mt-0.5 shrink-0" aria-hidden />}
                  <span>
                    {reasonText(o.reason)}
                    {o.until && ` ${t.until(when(o.until))}`}
                    {o.fix && <span className="ms-1 font-medium underline">{(t.fix as Record<string, string>)[o.fix.action] ?? o.fix.action}</span>}
                  </span>
                </span>
              )}
            </span>
          </D.Item>
        );
      })}
      {sorted.length === 0 && <p className="px-2 py-3 text-13 text-ink3">{t.noWay}</p>}
    </Menu>
  );
}
