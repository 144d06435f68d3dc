import { Plus, Trash2, UserPlus } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Agent, Invitation, Role, Team } from "@continuo/api-client";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { isAdmin, useAgents, useMe, useTeams } from "../../app/me";
import { when } from "../../app/time";
import { t } from "../../text";
import { Avatar } from "../../ui/avatar";
import { Button, IconButton } from "../../ui/button";
import { cx } from "../../ui/cx";
import { Dialog } from "../../ui/dialog";
import { CopyButton, SelectField, TextField } from "../../ui/field";
import { Card, Page, Pill, useSave } from "./parts";

const roles: Role[] = ["agent", "supervisor", "admin"];
const refreshTeam = () => {
  void queryClient.invalidateQueries({ queryKey: qk.agents });
  void queryClient.invalidateQueries({ queryKey: qk.teams });
};
const invitationsQuery = { queryKey: ["invitations"], queryFn: () => need(api.GET("/api/v1/invitations")) };
export const refreshInvitations = () => void queryClient.invalidateQueries({ queryKey: ["invitations"] });

export function TeamPage() {
  const me = useMe();
  const admin = isAdmin(me);
  const agents = useAgents();
  const teams = useTeams();
  const invitations = useQuery({ ...invitationsQuery, enabled: admin }).data?.items ?? [];
  const [inviting, setInviting] = useState(false);
  const [editing, setEditing] = useState<Team | "new" | null>(null);
  const patch = useSave((x: { id: string; body: { role?: Role; archived?: boolean } }) => need(api.PATCH("/api/v1/agents/{id}", { params: { path: { id: x.id } }, body: x.body })), refreshTeam);
  const drop = useSave((id: string) => need(api.DELETE("/api/v1/invitations/{id}", { params: { path: { id } } })), refreshInvitations, t.st.inviteDropped);
  return (
    <Page title={t.st.pages.team} text={t.st.pageHints.team} actions={admin && <Button look="primary" icon={<UserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>{t.st.invite}</Button>}>
      <Card title={t.st.people} flush>
        <ul className="divide-y divide-line">
          {agents.map((a) => <AgentRow key={a.id} agent={a} me={me.agent.id} admin={admin} onRole={(role) => patch.mutate({ id: a.id, body: { role } })} onArchive={(archived) => patch.mutate({ id: a.id, body: { archived } })} />)}
        </ul>
      </Card>
      {admin && invitations.length > 0 && (
        <Card title={t.st.invitations} flush>
          <ul className="divide-y divide-line">
            {invitations.map((i) => (
              <li key={i.id} className="flex flex-wrap items-center gap-3 px-5 py-3">
                <span className="min-w-0 flex-1"><span className="block truncate text-14">{i.email}</span><span className="tnum block text-12 text-ink3">{t.roleName[i.role]} · {t.st.expires(when(i.expires_at))}</span></span>
                {i.url && <CopyButton text={i.url} label={t.copyLink} size="s" />}
                <IconButton size="s" label={t.st.dropInvite(i.email)} onClick={() => drop.mutate(i.id)}><Trash2 size={15} aria-hidden /></IconButton>
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Card title={t.teams} text={t.st.teamsText} actions={admin && <Button size="s" icon={<Plus size={14} aria-hidden />} onClick={() => setEditing("new")}>{t.st.addTeam}</Button>} flush>
        {teams.length === 0 ? <p className="px-5 py-4 text-13 text-ink3">{t.st.noTeams}</p> : (
          <ul className="divide-y divide-line">
            {teams.map((x) => (
              <li key={x.id} className="flex items-center gap-3 px-5 py-3">
                <span className="min-w-0 flex-1"><span className="block text-14 font-medium">{x.name}</span><span className="block truncate text-12 text-ink3">{x.agent_ids.map((id) => agents.find((a) => a.id === id)?.name).filter(Boolean).join(", ") || t.nobody}</span></span>
                {admin && <Button size="s" onClick={() => setEditing(x)}>{t.edit}</Button>}
              </li>
            ))}
          </ul>
        )}
      </Card>
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
      {editing && <TeamDialog team={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
    </Page>
  );
}

function AgentRow({ agent: a, me, admin, onRole, onArchive }: { agent: Agent; me: string; admin: boolean; onRole: (role: Role) => void; onArchive: (archived: boolean) => void }) {
  return (
    <li className={cx("flex flex-wrap items-center gap-3 px-5 py-3", a.archived && "opacity-60")}>
      <Avatar name={a.name} size={34} />
      <span className="min-w-0 flex-1"><span className="block truncate text-14 font-medium">{a.id === me ? t.meName(a.name) : a.name}</span><span className="block truncate text-12 text-ink3">{a.email}</span></span>
      {a.archived ? <Pill tone="quiet">{t.st.archived}</Pill> : <span className="text-13 text-ink3 max-sm:hidden">{t.availabilityName[a.availability]}</span>}
      {admin && a.role !== "owner" && a.id !== me ? (
        <>
          <select aria-label={t.st.roleOf(a.name)} className="field h-8 min-h-8 w-auto py-0 text-13" value={a.role} onChange={(e) => onRole(e.target.value as Role)}>{roles.map((r) => <option key={r} value={r}>{t.roleName[r]}</option>)}</select>
          <Button size="s" look="quiet" onClick={() => onArchive(!a.archived)}>{a.archived ? t.st.restore : t.st.archive}</Button>
        </>
      ) : <Pill tone="quiet">{t.roleName[a.role]}</Pill>}
    </li>
  );
}

/** Works without email: the link is there to be copied. */
export function InviteForm({ onDone }: { onDone?: (i: Invitation) => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("agent");
  const [made, setMade] = useState<Invitation[]>([]);
  const invite = useSave(() => need(api.POST("/api/v1/invitations", { body: { email: email.trim(), role } })), (i) => {
    setMade([i, ...made]);
    setEmail("");
    refreshInvitations();
    onDone?.(i);
  }, null);
  return (
    <div className="flex flex-col gap-4">
      <form className="flex flex-wrap items-end gap-3" onSubmit={(e) => { e.preventDefault(); invite.mutate(undefined); }}>
        <TextField className="min-w-52 flex-1" label={t.st.email} type="email" required autoComplete="off" value={email} onChange={(e) => setEmail(e.target.value)} />
        <SelectField className="w-36" label={t.st.role} value={role} onChange={(v) => setRole(v as Role)} options={roles.map((r) => ({ value: r, label: t.roleName[r] }))} />
        <Button look="primary" type="submit" busy={invite.isPending}>{t.st.makeLink}</Button>
      </form>
      {made.map((i) => (
        <div key={i.id} className="fade rounded-control bg-ok-tint p-3" role="status">
          <p className="mb-2 text-13 text-ok">{t.st.linkMade(i.email)}</p>
          <div className="flex items-center gap-2"><code className="min-w-0 flex-1 select-all truncate rounded-chip bg-surface px-2 py-1.5 font-mono text-12">{i.url}</code><CopyButton text={i.url ?? ""} label={t.copyLink} size="s" /></div>
        </div>
      ))}
      <p className="text-12 text-ink3">{t.st.linkHint}</p>
    </div>
  );
}

function InviteDialog({ onClose }: { onClose: () => void }) {
  return <Dialog title={t.st.invite} onClose={onClose} width={560}><InviteForm /></Dialog>;
}

function TeamDialog({ team, onClose }: { team: Team | null; onClose: () => void }) {
  const agents = useAgents();
  const [name, setName] = useState(team?.name ?? "");
  const [ids, setIds] = useState(team?.agent_ids ?? []);
  const [sure, setSure] = useState(false);
  const done = () => { refreshTeam(); onClose(); };
  const save = useSave(() => (team ? need(api.PATCH("/api/v1/teams/{id}", { params: { path: { id: team.id } }, body: { name, agent_ids: ids } })) : need(api.POST("/api/v1/teams", { body: { name, agent_ids: ids } }))), done);
  const remove = useSave(() => need(api.DELETE("/api/v1/teams/{id}", { params: { path: { id: team?.id ?? "" } } })), done, t.st.removed);
  return (
    <Dialog title={team ? team.name : t.st.addTeam} onClose={onClose} width={420}>
      <form className="flex flex-col gap-4" onSubmit={(e) => { e.preventDefault(); save.mutate(undefined); }}>
        <TextField label={t.name} required maxLength={60} value={name} onChange={(e) => setName(e.target.value)} />
        <fieldset><legend className="mb-1 text-13 font-medium">{t.st.people}</legend>
          {agents.filter((a) => !a.archived).map((a) => <label key={a.id} className="flex min-h-9 items-center gap-2.5 text-14"><input type="checkbox" className="size-4 accent-brand" checked={ids.includes(a.id)} onChange={(e) => setIds(e.target.checked ? [...ids, a.id] : ids.filter((x) => x !== a.id))} /><Avatar name={a.name} size={22} />{a.name}</label>)}
        </fieldset>
        <div className="flex justify-end gap-2">
          {team && (sure ? <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate(undefined)}>{t.st.deleteSure(team.name)}</Button> : <Button look="quiet" onClick={() => setSure(true)}>{t.st.remove}</Button>)}
          <span className="flex-1" />
          <Button onClick={onClose}>{t.cancel}</Button><Button look="primary" type="submit" busy={save.isPending}>{t.save}</Button>
        </div>
      </form>
    </Dialog>
  );
}
