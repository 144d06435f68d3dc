/** Attachments: limits are checked before the upload, with a reason that can be shown. */
import type { WidgetConfig, WidgetFile } from "./wire";

export type Limits = WidgetConfig["attachments"];
export type FileTrouble = "file_too_large" | "file_type" | "file_empty" | "file_count" | "file_failed" | "network";

export interface Upload {
  key: string;
  name: string;
  bytes: number;
  /** blob: address of an image, while it is ours alone */
  preview: string | null;
  share: number;
  state: "going" | "done" | "failed" | "refused";
  trouble: FileTrouble | null;
  file: WidgetFile | null;
  source: File | null;
}

/** `image/*`, `application/pdf`, `.csv`; nothing listed means anything. */
export function allowed(types: string[], name: string, mime: string): boolean {
  if (!types.length) return true;
  return types.some((type) => {
    if (type === "*/*" || type === "*") return true;
    if (type.startsWith(".")) return name.toLowerCase().endsWith(type.toLowerCase());
    if (type.endsWith("/*")) return mime.startsWith(type.slice(0, -1));
    return mime === type;
  });
}

export function check(limits: Limits, file: { name: string; size: number; type: string }, already: number): FileTrouble | null {
  if (already >= limits.count_max) return "file_count";
  if (!file.size) return "file_empty";
  if (file.size > limits.bytes_max) return "file_too_large";
  return allowed(limits.types, file.name, file.type) ? null : "file_type";
}

export const isPicture = (mime: string) => /^image\/(png|jpe?g|gif|webp|avif)$/.test(mime);
