import { Icon } from "./icons";
import { CloseButton, Faces, Presence, type Props } from "./parts";

export function Header({ chat, state }: Props) {
  const { text, config } = state;
  return (
    <header class="bar">
      <button type="button" class="bare" aria-label={text.t("back")} title={text.t("back")} onClick={() => chat.go("home")}>
        <Icon name="back" />
      </button>
      <Faces config={config} />
      <div class="bar-words">
        <h1 dir="auto">{config.title || config.business}</h1>
        <Presence state={state} short />
      </div>
      <CloseButton chat={chat} state={state} />
    </header>
  );
}
