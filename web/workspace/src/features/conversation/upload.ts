import { Problem, type Attachment, type ReplyOption } from "@continuo/api-client";

/** Whether a file may go this way; checked before a byte is uploaded. Null when it may. */
export function refuseFile(file: { type: string; size: number }, count: number, limits: ReplyOption["limits"] | null): { code: "too_many" | "too_large" | "type"; max?: number } | null {
  if (!limits) return file.size > 25 * 1024 * 1024 ? { code: "too_large", max: 25 * 1024 * 1024 } : null;
  if (count >= limits.attachments_max) return { code: "too_many", max: limits.attachments_max };
  if (file.size > limits.attachment_bytes_max) return { code: "too_large", max: limits.attachment_bytes_max };
  const fits = limits.types.length === 0 || limits.types.some((t) => t === "*/*" || t === file.type || (t.endsWith("/*") && file.type.startsWith(t.slice(0, -1))));
  return fits ? null : { code: "type" };
}

/** Sends a file as it is; XMLHttpRequest because fetch tells nothing of progress. */
export function upload(file: File, conversationId: string, onProgress: (part: number) => void): { done: Promise<Attachment>; cancel: () => void } {
  const xhr = new XMLHttpRequest();
  const done = new Promise<Attachment>((resolve, reject) => {
    xhr.open("POST", `/api/v1/attachments?name=${encodeURIComponent(file.name)}&conversation_id=${encodeURIComponent(conversationId)}`);
    xhr.setRequestHeader("content-type", file.type || "application/octet-stream");
    xhr.upload.onprogress = (e) => e.lengthComputable && onProgress(e.loaded / e.total);
    xhr.onerror = () => reject(new Problem(0, undefined));
    xhr.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    xhr.onload = () => {
      try {
        const body = JSON.parse(xhr.responseText) as Attachment & { code?: string };
        if (xhr.status >= 200 && xhr.status < 300) resolve(body);
        else reject(new Problem(xhr.status, body as never));
      } catch {
        reject(new Problem(xhr.status, undefined));
      }
    };
    xhr.send(file);
  });
  return { done, cancel: () => xhr.abort() };
}
