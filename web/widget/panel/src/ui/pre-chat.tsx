import { useEffect, useRef, useState } from "preact/hooks";
import { emailLooksRight } from "../identity";
import type { PreChatField } from "../wire";
import { Header } from "./header";
import { Blocked, type Props, Said } from "./parts";

export function PreChat({ chat, state }: Props) {
  const { text, config } = state;
  const { fields } = config.pre_chat;
  const form = useRef<HTMLFormElement>(null);
  const [troubles, setTroubles] = useState<Record<string, string>>({});
  useEffect(() => {
    if (state.open) form.current?.querySelector<HTMLElement>("input,select")?.focus();
  }, [state.open]);

  function values(): Record<string, string> {
    const data = new FormData(form.current ?? undefined);
    return Object.fromEntries(fields.map((field) => [field.key, String(data.get(field.key) ?? "").trim()]).filter(([, value]) => value));
  }
  function trouble(field: PreChatField, value: string | undefined): string {
    if (!value) return field.required ? text.t("fill_in") : "";
    return field.kind === "email" && !emailLooksRight(value) ? text.t("email_wrong") : "";
  }
  function submit(event: Event) {
    event.preventDefault();
    const said = values();
    const found = Object.fromEntries(fields.map((field) => [field.key, trouble(field, said[field.key])]).filter(([, words]) => words));
    setTroubles(found);
    const wrong = fields.find((field) => found[field.key]);
    if (wrong) form.current?.querySelector<HTMLElement>(`[name="${CSS.escape(wrong.key)}"]`)?.focus();
    else chat.submitForm(said);
  }

  return (
    <>
      <Header chat={chat} state={state} />
      <div class="scroll">
        {state.block ? (
          <Blocked chat={chat} state={state} />
        ) : (
          <form class="form" ref={form} onSubmit={submit} onInput={() => chat.keepForm(values())} noValidate>
            <h2>{text.t("before")}</h2>
            {fields.map((field) => (
              <Field key={field.key} field={field} wrong={troubles[field.key]} begun={chat.begunForm[field.key] ?? ""} {...{ chat, state }} />
            ))}
            <button type="submit" class="button primary wide">
              {text.t("start")}
            </button>
            {config.consent_text && (
              <p class="consent" dir="auto">
                <Said text={config.consent_text} />
              </p>
            )}
          </form>
        )}
      </div>
    </>
  );
}

function Field({ state, field, wrong, begun }: Props & { field: PreChatField; wrong: string | undefined; begun: string }) {
  const { text } = state;
  const id = `field-${field.key}`;
  const common = { id, name: field.key, required: field.required, "aria-invalid": wrong ? true : undefined, "aria-describedby": wrong ? `${id}-why` : undefined };
  return (
    <div class="field">
      <label for={id}>
        {field.label}
        {!field.required && <span class="optional"> ({text.t("optional")})</span>}
      </label>
      {field.kind === "select" ? (
        <select {...common} defaultValue={begun}>
          <option value="">{text.t("choose")}</option>
          {(field.options ?? []).map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : field.kind === "email" ? (
        <input {...common} type="email" dir="ltr" autocomplete="email" maxLength={300} defaultValue={begun || state.emailWish} />
      ) : (
        <input {...common} type="text" dir="auto" autocomplete={field.key === "name" ? "name" : "off"} maxLength={300} defaultValue={begun} />
      )}
      {wrong && (
        <p class="why" id={`${id}-why`} role="alert">
          {wrong}
        </p>
      )}
    </div>
  );
}
