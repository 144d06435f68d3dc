import type { Upload } from "../files";
import type { Text } from "../text/text";
import { Icon } from "./icons";
import type { Props } from "./parts";

const known: [RegExp, string][] = [
  [/wordprocessingml|msword/, "Word"],
  [/spreadsheetml|ms-excel/, "Excel"],
  [/presentationml|ms-powerpoint/, "PowerPoint"],
  [/opendocument\.text/, "ODT"],
  [/opendocument\.spreadsheet/, "ODS"],
  [/^text\/plain$/, "TXT"],
];

/** Words for what a browser calls a type. */
function typeName(text: Text, type: string): string {
  if (type === "image/*") return text.t("pictures");
  if (type === "audio/*") return text.t("audio");
  if (type === "video/*") return text.t("video");
  if (type === "*/*") return text.t("any_type");
  return known.find(([pattern]) => pattern.test(type))?.[1] ?? (type.replace(/^\./, "").split("/").pop() ?? type).toUpperCase();
}
const typeNames = (text: Text, types: string[]) => text.list([...new Set(types.map((type) => typeName(text, type)))]);

function why(text: Text, one: Upload, limits: { bytes_max: number; count_max: number; types: string[] }): string {
  const { name } = one;
  switch (one.trouble) {
    case "file_too_large":
      return text.t("file_too_large", { name, size: text.bytes(one.bytes), max: text.bytes(limits.bytes_max) });
    case "file_type":
      return text.t("file_type", { name, types: typeNames(text, limits.types) });
    case "file_count":
      return text.n("file_count", limits.count_max);
    case "file_empty":
      return text.t("file_empty", { name });
    default:
      return text.t("file_failed", { name });
  }
}

export function Tray({ chat, state }: Props) {
  const { text, uploads, config } = state;
  if (!uploads.length) return null;
  return (
    <ul class="tray">
      {uploads.map((one) => {
        const trouble = one.state === "failed" || one.state === "refused";
        return (
          <li key={one.key} class={`up ${one.state}`}>
            <span class="up-picture">{one.preview ? <img src={one.preview} alt="" /> : <Icon name={trouble ? "warn" : "file"} />}</span>
            <span class="up-words" role={trouble ? "alert" : undefined}>
              <bdi class="chip-name">{trouble ? why(text, one, config.attachments) : one.name}</bdi>
              {!trouble && <span class="meta">{one.state === "going" ? text.t("uploading", { percent: new Intl.NumberFormat(text.locale, { style: "percent" }).format(one.share) }) : `${text.bytes(one.bytes)} · ${text.t("uploaded")}`}</span>}
              {one.state === "going" && <progress max={1} value={one.share} aria-label={one.name} />}
            </span>
            {one.state === "failed" && (
              <button type="button" class="bare" aria-label={text.t("try_again")} title={text.t("try_again")} onClick={() => void chat.upload(one.key)}>
                <Icon name="again" small />
              </button>
            )}
            <button type="button" class="bare" aria-label={text.t("remove_file", { name: one.name })} onClick={() => chat.dropFile(one.key)}>
              <Icon name="close" small />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
