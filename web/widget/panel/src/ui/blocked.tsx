import { Icon } from "./icons";
import type { Props } from "./parts";

/** Why nothing can be written here, and the way on. */
export function Blocked({ chat, state }: Props) {
  const { text, block, config } = state;
  if (!block) return null;
  const more =
    block.code === "banned"
      ? text.t("banned_more", { business: config.business })
      : block.code === "rate_limited"
        ? text.t("rate_limited_more", { when: text.soon(Math.max(1000, (block.until ?? 0) - Date.now())) })
        : text.t(`${block.code}_more`);
  const skippable = (block.code === "expired_identity" || block.code === "forged_identity") && !config.identity_required;
  return (
    <section class="blocked" role="status">
      <span class="blocked-icon">
        <Icon name={block.code === "rate_limited" ? "clock" : block.code === "banned" || block.code === "identity_required" ? "lock" : "warn"} />
      </span>
      <h2>{text.t(block.code)}</h2>
      <p>{more}</p>
      {skippable && (
        <button type="button" class="button" onClick={() => chat.withoutSignIn()}>
          {text.t("without_sign_in")}
        </button>
      )}
    </section>
  );
}
