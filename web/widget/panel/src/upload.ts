import { problem, Problem, type WidgetFile } from "./wire";

/** XMLHttpRequest, because fetch cannot say how much has been sent. */
export function upload(base: string, token: string, file: File, onShare: (share: number) => void): Promise<WidgetFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${base}/files?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Authorization", `Visitor ${token}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    request.onerror = request.onabort = request.ontimeout = () => reject(new Problem("network"));
    request.onload = () => {
      if (request.status >= 300) return reject(problem(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      try {
        resolve(JSON.parse(request.responseText) as WidgetFile);
      } catch {
        reject(new Problem("network", request.status));
      }
    };
    request.send(file);
  });
}
