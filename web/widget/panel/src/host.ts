/** The panel's end of the bridge to the host page. */
import { MARK, type ToHost, type ToPanel } from "../../shared/bridge";

export class Host {
  /** The embedding page's origin: proven by the browser in the first message, never taken from an address. */
  origin: string | null = null;
  readonly framed = window.parent !== window;

  constructor(
    private readonly site: string,
    /** Of the panel's address; the origin that `ready` is sent to. */
    private readonly expected: string | null,
    private readonly onMessage: (message: ToPanel) => void,
  ) {
    if (!this.framed) this.origin = location.origin;
    addEventListener("message", (event: MessageEvent) => {
      if (!this.framed || event.source !== window.parent) return;
      let data: (ToPanel & Record<string, unknown>) | null;
      try {
        data = JSON.parse(String(event.data));
      } catch {
        return;
      }
      if (!data || data[MARK] !== this.site) return;
      if (this.expected && event.origin !== this.expected) return;
      if (this.origin === null) {
        if (data.kind !== "init") return;
        this.origin = event.origin;
      } else if (event.origin !== this.origin) return;
      this.onMessage(data);
    });
  }

  tell(message: ToHost) {
    if (!this.framed) return;
    const to = this.origin ?? this.expected;
    // A page without an origin (a file, a sandbox) can only be addressed by "*"; nothing secret is ever said to it.
    window.parent.postMessage({ [MARK]: this.site, ...message }, to && to !== "null" ? to : "*");
  }
}
