import { Plus, Tag as TagIcon } from "lucide-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, need } from "../../app/api";
import { qk, queryClient } from "../../app/query";
import { useTags } from "../../app/me";
import { t } from "../../text";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/field";
import { Empty } from "../../ui/state";
import { ColourField } from "./channels";
import { Card, Page, useSave } from "./parts";

export function TagsPage() {
  const tags = useTags();
  const [name, setName] = useState("");
  const [colour, setColour] = useState("");
  const create = useSave(() => need(api.POST("/api/v1/tags", { body: { name: name.trim(), ...(colour ? { colour } : {}) } })), () => {
    setName("");
    void queryClient.invalidateQueries({ queryKey: qk.tags });
  });
  return (
    <Page title={t.st.pages.tags} text={t.st.pageHints.tags}>
      <Card title={t.st.addTag}>
        <form className="flex flex-wrap items-end gap-3" onSubmit={(e) => { e.preventDefault(); create.mutate(undefined); }}>
          <TextField className="min-w-48 flex-1" label={t.name} required maxLength={40} value={name} onChange={(e) => setName(e.target.value)} />
          <div className="w-44"><ColourField label={t.st.colour} value={colour} onChange={setColour} /></div>
          <Button look="primary" type="submit" busy={create.isPending} icon={<Plus size={15} aria-hidden />}>{t.st.create}</Button>
        </form>
      </Card>
      <Card flush>
        {tags.length === 0 ? <Empty icon={<TagIcon size={20} />} title={t.st.noTags} /> : (
          <ul className="divide-y divide-line">
            {tags.map((x) => (
              <li key={x.id} className="flex items-center gap-3 px-5 py-2.5">
                <span className="size-3 rounded-full" style={{ background: x.colour }} aria-hidden />
                <span className="flex-1 text-14">{x.name}</span>
                <Link to="/inbox" search={{ view: "all", q: `tag:${/\s/.test(x.name) ? `"${x.name}"` : x.name}` }} className="text-13 text-brand hover:underline">{t.st.showConversations}</Link>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </Page>
  );
}
