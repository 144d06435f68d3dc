import { Search, SearchX } from "lucide-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, need } from "../../app/api";
import { age, dateYear, full, useNow } from "../../app/time";
import { t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { Button } from "../../ui/button";
import { ChannelTile } from "../../ui/channel";
import { Bone, Empty, Failed, useSlow } from "../../ui/state";

const route = getRouteApi("/app/search");

/** Everything ever said and everybody who said it, newest first. */
export function SearchScreen() {
  const { q = "" } = route.useSearch();
  const navigate = useNavigate();
  const [text, setText] = useState(q);
  const input = useRef<HTMLInputElement>(null);
  const now = useNow(60_000);
  useEffect(() => {
    document.title = `${t.search} · Continuo`;
    input.current?.focus();
  }, []);
  useEffect(() => setText((was) => (was.trim() === q ? was : q)), [q]);
  useEffect(() => {
    if (text.trim() === q) return;
    const timer = setTimeout(() => void navigate({ to: "/search", search: { q: text.trim() || undefined }, replace: true }), 250);
    return () => clearTimeout(timer);
  }, [text, q, navigate]);
  const found = useInfiniteQuery({
    queryKey: ["search", q],
    enabled: q.length > 0,
    queryFn: ({ pageParam }) => need(api.GET("/api/v1/search", { params: { query: { q, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (p) => p.next_cursor ?? undefined,
    staleTime: 10_000,
  });
  const slow = useSlow(found.isLoading);
  const pages = found.data?.pages ?? [];
  const hits = pages.flatMap((p) => p.hits);
  const contacts = hits.filter((h) => h.kind === "contact");
  const entries = hits.filter((h) => h.kind === "entry");
  const first = pages[0];
  const lookedTo = pages.at(-1)?.looked_back_to;
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-surface">
      <div className="shrink-0 border-b border-line px-4 py-4 sm:px-8">
        <div className="mx-auto w-full max-w-[52rem]">
          <h1 className="sr-only">{t.search}</h1>
          <div className="flex h-11 items-center gap-2.5 rounded-card border border-control/70 px-3.5 focus-within:border-brand focus-within:outline-2 focus-within:outline-brand">
            <Search size={18} className="text-ink3" aria-hidden />
            <input ref={input} type="search" aria-label={t.search} placeholder={t.searchPlaceholder} value={text} onChange={(e) => setText(e.target.value)} className="min-w-0 flex-1 bg-transparent text-16 outline-none" />
          </div>
          {first && first.problems.length > 0 && <p className="pt-2 text-12 text-warn">{t.filterNotUnderstood(first.problems.map((p) => p.token).join(", "))}</p>}
          {first && first.lag_ms > 3_000 && <p className="pt-2 text-12 text-ink3">{t.searchLag(Math.round(first.lag_ms / 1000))}</p>}
        </div>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-5 sm:px-8">
        <div className="mx-auto w-full max-w-[52rem]">
          {q === "" ? (
            <SearchHelp onPick={(x) => { setText((was) => `${was} ${x}`.trim()); input.current?.focus(); }} />
          ) : found.isError ? (
            <Failed error={found.error} onRetry={() => void found.refetch()} />
          ) : found.isLoading ? (
            slow && <div className="flex flex-col gap-3" aria-hidden>{[1, 2, 3, 4].map((i) => <Bone key={i} className="h-16" />)}</div>
          ) : hits.length === 0 ? (
            <Empty icon={<SearchX size={22} />} title={t.nothingFor(q)} text={t.searchNone} />
          ) : (
            <>
              {contacts.length > 0 && (
                <section className="mb-6">
                  <h2 className="mb-2 text-12 font-semibold text-ink2">{t.customers}</h2>
                  <ul className="grid gap-2 sm:grid-cols-2">
                    {contacts.map((h) => h.kind === "contact" && (
                      <li key={h.contact.id}>
                        <Link to="/inbox" search={{ view: "all", q: `from:"${h.contact.name}"` }} className="flex items-center gap-3 rounded-card border border-line p-3 hover:border-control hover:bg-canvas">
                          <Avatar name={h.contact.name} size={36} />
                          <span className="min-w-0 flex-1">
                            <span className="block truncate font-medium">{h.contact.name}</span>
                            <span className="block truncate text-12 text-ink3">{h.contact.points[0] ?? ""}</span>
                          </span>
                          {h.contact.open_conversations > 0 && <span className="tnum shrink-0 text-12 text-ink3">{t.openCount(h.contact.open_conversations)}</span>}
                        </Link>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
              {entries.length > 0 && (
                <section>
                  <h2 className="mb-2 text-12 font-semibold text-ink2">{t.messagesFound}</h2>
                  <ul className="flex flex-col">
                    {entries.map((h) => h.kind === "entry" && (
                      <li key={h.entry_id}>
                        <Link to="/inbox/c/$id" params={{ id: h.conversation.id }} search={{ view: "all" }} hash={`e-${h.entry_id}`} className="flex gap-3 rounded-card px-3 py-3 hover:bg-canvas">
                          <ChannelTile channel={h.conversation.channel} className="mt-0.5" />
                          <span className="min-w-0 flex-1">
                            <span className="flex items-baseline gap-2"><span className="truncate font-medium">{h.conversation.contact.name}</span><span className="tnum shrink-0 text-12 text-ink3">#{h.conversation.number}</span><span className="min-w-0 flex-1 truncate text-13 text-ink3">{h.conversation.subject}</span><time dateTime={h.at} title={full(h.at)} className="tnum shrink-0 text-12 text-ink3">{age(h.at, now)}</time></span>
                            <span dir="auto" className="mt-0.5 line-clamp-2 block text-13 text-ink2">{h.snippet.map((s, i) => (s.hit ? <mark key={i} className="rounded-chip bg-brand-tint px-0.5 font-medium text-brand">{s.text}</mark> : <span key={i}>{s.text}</span>))}</span>
                          </span>
                        </Link>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
              <div className="flex flex-col items-center gap-2 py-6">
                {lookedTo && <p className="text-12 text-ink3">{t.lookedBackTo(dateYear(lookedTo))}</p>}
                {found.hasNextPage && <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t.searchFurther}</Button>}
              </div>
            </>
          )}
        </div>
      </div>
    </div>
  );
}

function SearchHelp({ onPick }: { onPick: (token: string) => void }) {
  return (
    <div className="pt-4">
      <p className="mb-3 text-13 text-ink3">{t.searchHelp}</p>
      <ul className="flex flex-wrap gap-2">
        {["is:open", "is:unread", "agent:me", "channel:email", "from:ada", "tag:Billing", "before:2026-10-01", "has:attachment", '"exact words"'].map((x) => (
          <li key={x}><button type="button" onClick={() => onPick(x)} className="h-8 rounded-full border border-line px-3 font-mono text-12 text-ink2 hover:border-control hover:bg-canvas">{x}</button></li>
        ))}
      </ul>
    </div>
  );
}
