import { useEffect, useRef } from "preact/hooks";
import type { Props } from "./parts";

/** "Not you?": says what is lost before it is lost. */
export function StartNew({ chat, state, onCancel }: Props & { onCancel: () => void }) {
  const { text, config } = state;
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => cancel.current?.focus(), []);
  const unsent = state.outbox.filter((row) => row.state === "queued").length;
  return (
    <div class="ask" role="alertdialog" aria-labelledby="ask-words">
      <p id="ask-words">
        {text.t("start_new_ask", { business: config.business })} {unsent > 0 && text.n("start_new_unsent", unsent)}
      </p>
      <div class="ask-buttons">
        <button type="button" class="button danger" onClick={() => chat.forget()}>
          {text.t("start_new_yes")}
        </button>
        <button type="button" class="button" ref={cancel} onClick={onCancel}>
          {text.t("cancel")}
        </button>
      </div>
    </div>
  );
}
