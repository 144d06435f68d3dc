import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import { lazy } from "./lazy";
import { Blocked, CloseButton, Faces, Presence, Strip, wait, type Props } from "./parts";

const Hours = lazy(() => import("./hours").then((file) => file.Hours));
const StartNew = lazy(() => import("./start-new").then((file) => file.StartNew));

export function Home({ chat, state }: Props) {
  const { text, config, conversation, log, outbox, verified } = state;
  const first = useRef<HTMLHeadingElement>(null);
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    if (state.focus && state.open) first.current?.focus();
  }, [state.focus, state.open]);

  const some = Boolean(conversation) || outbox.length > 0 || log.length > 0;
  const last = log[log.length - 1];
  const greeting = config.greeting || text.t("greeting");
  return (
    <>
      <div class="scroll">
        <header class="hero">
          <div class="hero-bar">
            <span class="hero-name">{config.business || config.title}</span>
            <CloseButton chat={chat} state={state} />
          </div>
          <Faces config={config} />
          {verified?.name && <p class="hello">{text.t("hello", { name: verified.name })}</p>}
          <h1 dir="auto" ref={first} tabIndex={-1}>{greeting}</h1>
          <p class="hero-line">
            <Presence state={state} />
          </p>
        </header>
        <div class="cards">
          {!state.network && (
            <Strip tone="warn" icon="cloud">
              {text.t("offline")}
            </Strip>
          )}
          {state.block ? (
            <div class="card">
              <Blocked chat={chat} state={state} />
            </div>
          ) : (
            <button type="button" class="card go" onClick={() => chat.go("chat")}>
              <span class="go-words">
                <strong>{text.t(some ? "go_on" : "write")}</strong>
                <span class="go-more" dir="auto">
                  {some && last?.text ? last.text : !config.online ? config.away_text || text.t("leave_message") : wait(text, config) || text.t("write_message")}
                </span>
              </span>
              {state.unread > 0 && <span class="count">{new Intl.NumberFormat(text.locale).format(state.unread)}</span>}
              <span class="go-icon">
                <Icon name="arrow" />
              </span>
            </button>
          )}
          {config.hours && <Hours text={text} hours={config.hours} openNow={config.open_now} />}
        </div>
      </div>
      {(some || verified) && (
        <footer class="foot">
          {verified?.name && <span class="foot-who">{text.t("signed_in", { name: verified.name })}</span>}
          {asking ? (
            <StartNew chat={chat} state={state} onCancel={() => setAsking(false)} />
          ) : (
            some && (
              <button type="button" class="link" onClick={() => setAsking(true)}>
                {text.t("start_new")}
              </button>
            )
          )}
        </footer>
      )}
    </>
  );
}
