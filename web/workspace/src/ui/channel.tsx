import { AtSign, Camera, Mail, MessageCircle, MessageCircleMore, MessageSquareText, MessagesSquare, Phone, Plug, Send, StickyNote, type LucideIcon } from "lucide-react";
import type { Channel } from "@continuo/api-client";
import { t } from "../text";
import { cx } from "./cx";

const icons: Record<Channel, LucideIcon> = { webchat: MessagesSquare, email: Mail, sms: MessageSquareText, whatsapp: MessageCircle, messenger: AtSign, instagram: Camera, telegram: Send, viber: MessageCircleMore, voice: Phone, api: Plug, internal: StickyNote };

export function channelName(channel: Channel): string {
  return t.channel[channel] ?? channel;
}

/** The channel as a small tile in its colour. The name is always there, for screen readers or beside it. */
export function ChannelTile({ channel, size = 20, named = true, className }: { channel: Channel; size?: number; named?: boolean; className?: string }) {
  const Icon = icons[channel] ?? Plug;
  return (
    <span data-channel={channel} title={channelName(channel)} className={cx("tone-tile inline-flex shrink-0 items-center justify-center rounded-[5px]", className)} style={{ width: size, height: size }}>
      <Icon size={Math.round(size * 0.62)} strokeWidth={2.2} aria-hidden />
      {named && <span className="sr-only">{channelName(channel)}</span>}
    </span>
  );
}
