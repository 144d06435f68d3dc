import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import { emailLooksRight } from "../identity";
import type { Props } from "./parts";

/** Where the answer goes when the visitor has left. Asked only when nobody is there and nothing better is known. */
export function EmailLine({ chat, state }: Props) {
  const { text, config, email } = state;
  const [editing, setEditing] = useState(false);
  const [wrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (editing) field.current?.select();
  }, [editing]);
  if (!config.ask_email_when_away) return null;

  if (email && !editing) {
    return (
      <div class="email-line">
        <Icon name="mail" small />
        <p>
          {email.may_mail ? text.t("answer_at", { address: `\u2068${email.address}\u2069` }) : text.t("answer_here")}{" "}
          <button type="button" class="link" onClick={() => setEditing(true)}>
            {text.t("change")}
          </button>{" "}
          <button type="button" class="link" onClick={() => chat.setEmail(email.address, !email.may_mail)}>
            {text.t(email.may_mail ? "do_not_mail" : "mail_me")}
          </button>
        </p>
      </div>
    );
  }
  if (!editing && (config.online || state.emailDismissed || state.verified)) return null;

  function submit(event: Event) {
    event.preventDefault();
    const address = field.current?.value.trim() ?? "";
    if (!emailLooksRight(address)) {
      setWrong(true);
      field.current?.focus();
      return;
    }
    setWrong(false);
    setEditing(false);
    chat.setEmail(address, true);
  }
  return (
    <form class="email-card" onSubmit={submit} noValidate>
      <label for="email-field">{config.next_open_at && !config.open_now && !config.online ? text.t("ask_email", { when: text.when(config.next_open_at) }) : text.t("ask_email_any")}</label>
      <div class="email-row">
        <input
          id="email-field"
          ref={field}
          type="email"
          dir="ltr"
          autocomplete="email"
          placeholder="ada@example.com"
          defaultValue={email?.address ?? state.emailWish}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={wrong ? "email-why" : undefined}
        />
        <button type="submit" class="button primary">
          {text.t("save")}
        </button>
      </div>
      {wrong && (
        <p class="why" id="email-why" role="alert">
          {text.t("email_wrong")}
        </p>
      )}
      <button type="button" class="link" onClick={() => (editing ? setEditing(false) : chat.dismissEmail())}>
        {text.t(editing ? "cancel" : "not_now")}
      </button>
    </form>
  );
}
