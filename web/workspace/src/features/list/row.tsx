import { Clock3, Eye, Flag, Hourglass, BellRing, Paperclip, Pencil, PenLine, AtSign } from "lucide-react";
import { memo } from "react";
import type { Agent, ConversationRow, Presence } from "@continuo/api-client";
import { age, when } from "../../app/time";
import { t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { ChannelTile } from "../../ui/channel";
import { cx } from "../../ui/cx";

export interface RowProps {
  row: ConversationRow;
  index: number;
  open: boolean;
  chosen: boolean;
  choosing: boolean;
  active: boolean;
  showAgent: boolean;
  me: string;
  agent: Agent | undefined;
  presence: Presence | undefined;
  now: number;
  compact: boolean;
  onOpen: (row: ConversationRow) => void;
  onChoose: (row: ConversationRow, range: boolean) => void;
}

/** Who said the last thing: nothing for the customer, "You:" for me, the first name for others. */
function speaker(row: ConversationRow, me: Agent | undefined): string {
  const p = row.preview;
  if (!p || p.author_kind === "contact") return "";
  if (p.author_kind === "agent") return `${me && p.author_name === me.name ? t.you : (p.author_name.split(" ")[0] ?? "")}: `;
  return p.author_kind === "bot" ? `${t.robot}: ` : "";
}

function Due({ at, now }: { at: string; now: number }) {
  const left = Date.parse(at) - now;
  if (left > 24 * 3_600_000) return null;
  const late = left <= 0;
  const soon = left < 15 * 60_000;
  const Icon = late ? BellRing : soon ? Hourglass : Clock3;
  return (
    <span className={cx("tnum inline-flex shrink-0 items-center gap-1 text-12", late ? "font-medium text-danger" : soon ? "text-warn" : "text-ink3")}>
      <Icon size={12} aria-hidden />
      {late ? t.late : t.dueIn(left)}
    </span>
  );
}

export const ListRow = memo(function ListRow(props: RowProps & { meAgent: Agent | undefined }) {
  const { row, index, open, chosen, choosing, active, showAgent, me, agent, presence, now, compact, onOpen, onChoose, meAgent } = props;
  const others = presence?.agents.filter((a) => a.agent_id !== me) ?? [];
  const typing = others.some((a) => a.doing !== "viewing");
  const p = row.preview;
  const subject = row.subject ?? "";
  const text = p ? (p.kind === "call" && !p.text ? t.look.call : p.text || (p.attachments > 0 ? t.files(p.attachments) : "")) : t.noEntriesYet;
  const age1 = age(row.last_activity_at, now);
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      aria-selected={chosen}
      aria-current={open ? "true" : undefined}
      data-row={row.id}
      className={cx("group relative flex cursor-pointer border-b border-line/70 ps-1", compact ? "h-14" : "h-[76px]", open ? "bg-brand-tint" : chosen ? "bg-brand-tint/60" : "hover:bg-canvas")}
      onClick={(e) => (e.metaKey || e.ctrlKey || e.shiftKey ? onChoose(row, e.shiftKey) : onOpen(row))}
    >
      <span aria-hidden className={cx("absolute inset-y-0 start-0 w-[3px]", open ? "bg-brand" : row.priority === "urgent" ? "bg-danger" : row.priority === "high" ? "bg-danger/65" : "")} />
      <div role="gridcell" className={cx("relative flex w-9 shrink-0 justify-center", compact ? "pt-[9px]" : "pt-3")}>
        <span className={cx("transition-opacity", choosing ? "opacity-0" : "group-hover:opacity-0 group-has-[input:focus-visible]:opacity-0")}>
          <ChannelTile channel={row.channel} />
        </span>
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={t.choose(row.contact.name)}
          checked={chosen}
          onClick={(e) => {
            e.stopPropagation();
            onChoose(row, e.shiftKey);
          }}
          onChange={() => undefined}
          className={cx("absolute size-6 cursor-pointer scale-[0.7] accent-brand transition-opacity", compact ? "top-[7px]" : "top-2.5", choosing ? "opacity-100" : "opacity-0 group-hover:opacity-100 focus-visible:opacity-100")}
        />
      </div>
      <div role="gridcell" className={cx("flex min-w-0 flex-1 flex-col pe-3", compact ? "py-[9px]" : "py-2.5")}>
        <div className="flex items-center gap-1.5">
          <button type="button" data-open tabIndex={active ? 0 : -1} onClick={(e) => { if (e.metaKey || e.ctrlKey || e.shiftKey) return; e.stopPropagation(); onOpen(row); }} className={cx("min-w-0 truncate rounded-chip text-start outline-offset-2", row.unread ? "font-semibold text-ink" : "font-medium text-ink")}>
            {row.contact.name}
            <span className="sr-only">, #{row.number}{row.priority === "urgent" || row.priority === "high" ? `, ${t.priorityName[row.priority]}` : ""}</span>
          </button>
          {compact && subject && <span className="min-w-0 flex-1 truncate text-13 text-ink3">{subject}</span>}
          {row.mentioned && <AtSign size={13} className="shrink-0 text-brand" aria-label={t.mentioned} />}
          {row.draft && <Pencil size={12} className="shrink-0 text-warn" aria-label={t.hasDraft} />}
          {typing ? <PenLine size={13} className="shrink-0 text-info" aria-label={t.someoneTypes} /> : others.length > 0 && <Eye size={13} className="shrink-0 text-ink3" aria-label={t.someoneViews} />}
          <span className="flex-1" />
          {row.unread_count > 0 && (
            <span className="tnum inline-flex h-[18px] min-w-[18px] shrink-0 items-center justify-center rounded-full bg-brand px-1 text-[11px] font-semibold leading-none text-on-brand">
              {row.unread_count > 99 ? "99+" : row.unread_count}
              <span className="sr-only"> {t.unreadWord}</span>
            </span>
          )}
          <time dateTime={row.last_activity_at} className="tnum shrink-0 text-12 text-ink3">{age1}</time>
        </div>
        {!compact && (
          <div className="flex items-center gap-1.5">
            <span dir={subject ? "auto" : undefined} className={cx("min-w-0 flex-1 truncate text-start text-13", row.unread ? "text-ink" : "text-ink2")}>{subject || <span className="text-ink3">{t.noSubject}</span>}</span>
            {row.status === "snoozed" && row.snoozed_until && <span className="tnum shrink-0 text-12 text-ink3">{when(row.snoozed_until, now)}</span>}
            {row.spam && <Flag size={12} className="shrink-0 text-danger" aria-label={t.view.spam} />}
          </div>
        )}
        <div className="flex items-center gap-1.5">
          <span className="flex min-w-0 flex-1 items-center gap-1 text-13 text-ink3">
            {p && p.attachments > 0 && <Paperclip size={12} className="shrink-0" aria-hidden />}
            <span className={cx("truncate", p?.kind === "note" && "text-note-ink")} dir="auto">
              {speaker(row, meAgent)}
              {p?.kind === "note" && `${t.look.note}: `}
              {text}
            </span>
          </span>
          {row.next_due_at && row.status === "open" && <Due at={row.next_due_at} now={now} />}
          {showAgent && agent && (
            <span title={agent.name} className="shrink-0">
              <Avatar name={agent.name} size={16} />
              <span className="sr-only">{t.assignedTo(agent.name)}</span>
            </span>
          )}
        </div>
      </div>
    </div>
  );
});
