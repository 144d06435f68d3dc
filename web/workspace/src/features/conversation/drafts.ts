import { useCallback, useEffect, useRef, useState } from "react";
import { Problem, type Attachment, type ConversationDetail, type Draft } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { applyRow, findRow } from "../../app/cache";
import { qk, queryClient } from "../../app/query";

export type Mode = "reply" | "note";

/** A draft as this browser keeps it: on disk 300 ms after a key, on the server after 1 s. */
export interface LocalDraft {
  text: string;
  attachments: Attachment[];
  inboxId: string | null;
  /** Version of the server's draft that this one grew from; 0 for none. */
  version: number;
  /** Differs from what the server has. */
  dirty: boolean;
  /** `seq` of the conversation when the draft began, for the stale check. */
  baseSeq: number | null;
}

const empty: LocalDraft = { text: "", attachments: [], inboxId: null, version: 0, dirty: false, baseSeq: null };
const diskKey = (agent: string, conversation: string, mode: Mode) => `continuo.draft.${agent}.${conversation}.${mode}`;
const blank = (d: { text: string; attachments: Attachment[] }) => d.text.trim() === "" && d.attachments.length === 0;

/**
 * Which draft to begin with, and which other one to show beside it.
 * What was typed here and never reached the server is not given up for a newer one from elsewhere: both are kept.
 */
export function chooseDraft(local: LocalDraft | null, server: Draft | undefined): { mine: LocalDraft; other: Draft | null } {
  if (!local?.dirty) {
    if (!server) return { mine: { ...empty }, other: null };
    return { mine: { text: server.text, attachments: server.attachments, inboxId: server.inbox_id ?? null, version: server.version, dirty: false, baseSeq: local?.baseSeq ?? null }, other: null };
  }
  const serverVersion = server?.version ?? 0;
  if (server && serverVersion > local.version && !blank(server) && server.text !== local.text) return { mine: { ...local, version: serverVersion }, other: server };
  return { mine: { ...local, version: serverVersion }, other: null };
}

function readDisk(key: string): LocalDraft | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as LocalDraft | null;
  } catch {
    return null;
  }
}

function writeDisk(key: string, draft: LocalDraft | null) {
  try {
    if (!draft || (blank(draft) && !draft.dirty)) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // Full or refused storage: the server's copy follows within a second.
  }
}

/** The cached conversation knows the draft too, so that coming back to it shows what is true. */
function keepInCache(conversation: string, mode: Mode, draft: Draft | null) {
  queryClient.setQueryData<ConversationDetail>(qk.conversation(conversation), (was) => was && { ...was, drafts: [...was.drafts.filter((d) => d.mode !== mode), ...(draft ? [draft] : [])] });
}

export function useDraft(agent: string, conversation: string, mode: Mode, server: Draft | undefined) {
  const key = diskKey(agent, conversation, mode);
  const [begin] = useState(() => chooseDraft(readDisk(key), server));
  const [draft, setDraft] = useState(begin.mine);
  const [other, setOther] = useState<Draft | null>(begin.other);
  const [savedAt, setSavedAt] = useState<number | null>(null);
  const now = useRef(draft);
  const diskTimer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const serverTimer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const saving = useRef<Promise<void> | null>(null);
  const epoch = useRef(0);

  const set = useCallback((next: LocalDraft) => {
    now.current = next;
    setDraft(next);
  }, []);

  const saveServer = useCallback(async () => {
    if (saving.current) await saving.current;
    const at = epoch.current;
    const d = now.current;
    if (!d.dirty) return;
    const path = { id: conversation, mode };
    saving.current = (async () => {
      try {
        if (blank(d)) {
          if (d.version > 0) await need(api.DELETE("/api/v1/conversations/{id}/drafts/{mode}", { params: { path } }));
          if (epoch.current === at) set({ ...now.current, version: 0, dirty: !blank(now.current) });
          keepInCache(conversation, mode, null);
        } else {
          const saved = await need(api.PUT("/api/v1/conversations/{id}/drafts/{mode}", { params: { path }, body: { text: d.text, attachment_ids: d.attachments.map((a) => a.id), inbox_id: d.inboxId, version: d.version } }));
          if (epoch.current !== at) return;
          const same = now.current.text === d.text && now.current.attachments === d.attachments;
          set({ ...now.current, version: saved.version, dirty: !same });
          keepInCache(conversation, mode, saved);
          setSavedAt(Date.now());
        }
        if (epoch.current === at) writeDisk(key, now.current);
        const row = findRow(conversation);
        if (row) applyRow({ ...row, draft: !blank(now.current) });
      } catch (error) {
        if (epoch.current === at && error instanceof Problem && error.code === "draft_conflict") {
          const theirs = error.args["draft"] as Draft | null | undefined;
          set({ ...now.current, version: theirs?.version ?? 0 });
          if (theirs && !blank(theirs) && theirs.text !== now.current.text) setOther(theirs);
          else void Promise.resolve().then(() => scheduleServer.current());
        }
        // Anything else: it stays dirty, is on disk, and goes with the next pause or the next visit.
      }
    })();
    await saving.current;
    saving.current = null;
  }, [conversation, mode, key, set]);

  const scheduleServer = useRef(() => undefined as void);
  scheduleServer.current = () => {
    clearTimeout(serverTimer.current);
    serverTimer.current = setTimeout(() => void saveServer(), 1_000);
  };

  const change = useCallback(
    (part: Partial<LocalDraft>, seq: number) => {
      const was = now.current;
      const next = { ...was, ...part, dirty: true };
      if (blank(was) && !blank(next)) next.baseSeq = seq;
      if (blank(next)) next.baseSeq = null;
      set(next);
      clearTimeout(diskTimer.current);
      diskTimer.current = setTimeout(() => writeDisk(key, now.current), 300);
      scheduleServer.current();
    },
    [key, set],
  );

  /** Empties the box: what was in it has been handed to the outbox (the server clears its copy with the sending). */
  const clear = useCallback(() => {
    epoch.current += 1;
    clearTimeout(diskTimer.current);
    clearTimeout(serverTimer.current);
    set({ ...empty, inboxId: now.current.inboxId });
    setOther(null);
    setSavedAt(null);
    writeDisk(key, null);
    const row = findRow(conversation);
    if (row) applyRow({ ...row, draft: false });
    keepInCache(conversation, mode, null);
  }, [key, set, conversation, mode]);

  useEffect(() => {
    // Left over from a visit without network.
    if (now.current.dirty) scheduleServer.current();
    return () => {
      clearTimeout(diskTimer.current);
      clearTimeout(serverTimer.current);
      writeDisk(key, now.current);
      if (now.current.dirty) void saveServer();
    };
  }, [key, saveServer]);

  const takeOther = () => {
    if (!other) return;
    const mine = now.current;
    set({ ...mine, text: other.text, attachments: other.attachments, version: other.version, dirty: false });
    setOther({ ...other, text: mine.text, attachments: mine.attachments, updated_at: new Date().toISOString() });
  };
  return { draft, change, clear, other, takeOther, dropOther: () => { setOther(null); scheduleServer.current(); }, savedAt };
}
