import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { NEARLY_FULL } from "../chat";
import { Icon } from "./icons";
import { lazy } from "./lazy";
import { finePointer, type Props } from "./parts";

const Tray = lazy(() => import("./tray").then((file) => file.Tray));

type Picker = ComponentType<{ label: string; onPick: (emoji: string) => void; onClose: () => void }>;

export function Composer({ chat, state, onSent }: Props & { onSent: () => void }) {
  const { text, config, draft } = state;
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const smile = useRef<HTMLButtonElement>(null);
  const [picker, setPicker] = useState<Picker | null>(null);

  useEffect(() => {
    if (state.open && state.focus && finePointer()) field.current?.focus();
  }, [state.open, state.focus]);
  // Grows with the text; the style sheet sets the most.
  useLayoutEffect(() => {
    const box = field.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }, [draft]);

  function send() {
    if (!chat.canSend) return field.current?.focus();
    chat.send();
    setPicker(null);
    onSent();
    field.current?.focus();
  }
  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !finePointer()) return;
    event.preventDefault();
    send();
  }
  function insert(emoji: string) {
    const box = field.current;
    const [from, to] = [box?.selectionStart ?? draft.length, box?.selectionEnd ?? draft.length];
    chat.write(draft.slice(0, from) + emoji + draft.slice(to));
    closePicker();
    requestAnimationFrame(() => {
      box?.focus();
      box?.setSelectionRange(from + emoji.length, from + emoji.length);
    });
  }
  async function togglePicker() {
    if (picker) return closePicker();
    const { Emoji } = await import("./emoji");
    setPicker(() => Emoji);
  }
  function closePicker() {
    setPicker(null);
    smile.current?.focus();
  }

  const left = chat.room;
  const Emoji = picker;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {Emoji && <Emoji label={text.t("emoji")} onPick={insert} onClose={closePicker} />}
      {state.uploads.length > 0 && <Tray chat={chat} state={state} />}
      <div class="composer-box">
        <label class="unseen" for="message-field">
          {text.t("message")}
        </label>
        <textarea
          id="message-field"
          ref={field}
          rows={1}
          dir="auto"
          placeholder={text.t("write_message")}
          value={draft}
          aria-describedby={left < NEARLY_FULL ? "message-left" : undefined}
          aria-invalid={left < 0 ? true : undefined}
          onInput={(event) => chat.write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <div class="tools">
          {config.attachments.enabled && (
            <button type="button" class="bare" aria-label={text.t("attach")} title={text.t("attach")} onClick={() => files.current?.click()}>
              <Icon name="attach" />
            </button>
          )}
          <button type="button" class="bare" ref={smile} aria-label={text.t("emoji")} title={text.t("emoji")} aria-expanded={Boolean(picker)} onClick={() => void togglePicker()}>
            <Icon name="emoji" />
          </button>
          {left < NEARLY_FULL && (
            <span id="message-left" class={`meta room${left < 0 ? " over" : ""}`} role="status">
              {left < 0 ? text.n("too_many_characters", -left) : text.n("left_characters", left)}
            </span>
          )}
          <button type="submit" class="send" aria-label={text.t("send")} title={text.t("send")} aria-disabled={!chat.canSend}>
            <Icon name="send" />
          </button>
        </div>
      </div>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        tabIndex={-1}
        aria-label={text.t("attach")}
        accept={config.attachments.types.join(",") || undefined}
        onChange={(event) => {
          chat.addFiles(Array.from(event.currentTarget.files ?? []));
          event.currentTarget.value = "";
          field.current?.focus();
        }}
      />
    </form>
  );
}
