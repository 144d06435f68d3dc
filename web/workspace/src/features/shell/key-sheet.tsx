import { commands, type Command } from "../../app/commands";
import { usePreferences } from "../../app/me";
import { useStore } from "../../app/store";
import { t } from "../../text";
import { Dialog } from "../../ui/dialog";
import { Toggle } from "../../ui/field";
import { Kbd } from "../../ui/kbd";

/** All keys of where I am, made from the same list that the keys are. */
export function KeySheet({ onClose }: { onClose: () => void }) {
  const all = useStore(commands);
  const { preferences, setPreferences } = usePreferences();
  const groups: Command["group"][] = ["list", "conversation", "go", "me"];
  const byId = new Map(all.filter((c) => c.keys?.length).map((c) => [c.id, c]));
  return (
    <Dialog title={t.cmd.keys} onClose={onClose} width={760}>
      <div className="gap-x-10 sm:columns-2">
        {groups.map((g) => {
          const list = [...byId.values()].filter((c) => c.group === g);
          return list.length > 0 && (
            <section key={g} className="mb-5 break-inside-avoid">
              <h3 className="mb-1.5 text-12 font-semibold text-ink3">{t.commandGroup[g]}</h3>
              <dl>
                {list.map((c) => (
                  <div key={c.id} className="flex min-h-7 items-center justify-between gap-4 text-13">
                    <dt className="truncate">{c.label}</dt>
                    <dd><Kbd keys={c.keys?.[0] ?? ""} /><span className="sr-only">{c.keys?.[0]}</span></dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
      <div className="border-t border-line pt-4">
        <Toggle label={t.singleKeys} hint={t.singleKeysHint} checked={preferences.single_keys} onChange={(single_keys) => setPreferences({ single_keys })} />
      </div>
    </Dialog>
  );
}
