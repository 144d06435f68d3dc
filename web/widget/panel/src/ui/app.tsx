import { useEffect, useReducer } from "preact/hooks";
import { dir } from "../../../shared/locale";
import type { Chat } from "../chat";
import { Conversation } from "./conversation";
import { Home } from "./home";
import { lazy } from "./lazy";

const PreChat = lazy(() => import("./pre-chat").then((file) => file.PreChat));

export function App({ chat }: { chat: Chat }) {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    draw(0);
    return chat.store.listen(() => draw(0));
  }, [chat]);
  const { state } = chat.store;

  useEffect(() => {
    document.documentElement.lang = state.text.locale;
    document.documentElement.dir = dir(state.text.locale);
    document.title = state.config.title || state.config.business;
  }, [state.text, state.config.title, state.config.business]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) chat.close();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [chat]);

  const View = state.view === "home" ? Home : state.view === "form" ? PreChat : Conversation;
  return (
    <main class={`panel view-${state.view}`} aria-label={state.config.title || state.config.business}>
      <View key={state.view} chat={chat} state={state} />
    </main>
  );
}
